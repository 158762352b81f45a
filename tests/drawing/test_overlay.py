"""Labels on pictures: where they are, in which colours, and that names are in nobody's way."""

from __future__ import annotations

from array import array
from itertools import combinations

import cv2
import numpy as np
import pytest

from augx.drawing import lettering, names
from augx.drawing.canvas import Canvas, dashed
from augx.drawing.colours import GREY, MOST, Palette, colour, is_dark
from augx.drawing.overlay import Look, _without_bridges, mask_classes, tile
from augx.drawing.page import page
from augx.drawing.sheet import NAMED, Row, Tile, sheet
from augx.geometry import mask_rings, pairs, rle_encode
from augx.model import Annotations, Mask, Object, Picture, Pose

WIDTH, HEIGHT = 120, 90
LIGHT, DARK = 245, 8


def shown(*things: Object, ground: int = 128, look: Look | None = None, **picture: object) -> np.ndarray:
    """A plain grey picture with these objects, at its own size."""
    pixels = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
    known = Annotations(objects=things, dot=float(picture.pop("dot", 0.0)))  # type: ignore[arg-type]
    look = look or Look(Palette(("cat", "dog")), names=False)
    return tile(Picture(pixels, annotations=known, **picture), look, WIDTH)  # type: ignore[arg-type]


def near(pixel: np.ndarray, wanted: tuple[int, int, int]) -> bool:
    return int(np.abs(pixel.astype(int) - wanted).max()) < 40


def ring(*points: float) -> array[float]:
    return array("d", points)


def test_a_box_is_a_thin_line_in_the_colour_of_its_class_and_leaves_its_inside_as_it_is() -> None:
    pixels = shown(Object("cat", (30, 20, 90, 70)))
    assert near(pixels[20, 60], colour(0)) or near(pixels[19, 60], colour(0))
    assert (pixels[25:65, 35:85] == 128).all()
    assert (pixels[:15] == 128).all()
    changed = (pixels != 128).any(axis=2)
    assert changed[:, 60].sum() <= 8  # two lines of at most four pixels, edges and all


@pytest.mark.parametrize("ground", [LIGHT, DARK, 128])
@pytest.mark.parametrize("number", range(MOST))
def test_every_colour_stands_out_on_light_dark_and_grey(ground: int, number: int) -> None:
    """Its line, or the edge of the other tone beside it, differs from the ground by half the range."""
    classes = tuple(map(str, range(MOST)))
    pixels = shown(Object(str(number), (30, 20, 90, 70)), ground=ground, look=Look(Palette(classes), names=False))
    levels = pixels[16:25, 60].astype(float) @ (0.2126, 0.7152, 0.0722)
    assert max(abs(levels - ground)) > 60


def test_the_tightest_shape_is_drawn_and_no_box_around_it() -> None:
    triangle = ring(30, 20, 90, 20, 30, 70)
    pixels = shown(Object("dog", (30, 20, 90, 70), rings=(triangle,)))
    assert (pixels[66:74, 70:88] == 128).all()  # where the box's corner would be
    assert not (pixels[30, 40] == 128).all()  # tinted


def test_a_mask_with_a_hole_is_outlined_twice_and_its_hole_stays_clear() -> None:
    inside = np.zeros((HEIGHT, WIDTH), np.uint8)
    inside[20:70, 30:90] = 1
    inside[35:55, 45:75] = 0
    clear = (slice(41, 50), slice(51, 70))
    from_rle = shown(Object("cat", rle=rle_encode(inside)))
    from_rings = shown(Object("cat", rings=mask_rings(inside)))
    for pixels in (from_rle, from_rings):
        assert (pixels[clear] == 128).all() or (pixels is from_rings and near(pixels[45, 60], (128, 128, 128)))
        assert not (pixels[28, 60] == 128).all()
        assert near(pixels[35, 60], colour(0)) or near(pixels[34, 60], colour(0))


def test_the_bridge_to_a_hole_is_not_drawn() -> None:
    inside = np.zeros((9, 9), np.uint8)
    inside[1:8, 1:8] = 1
    inside[4, 4] = 0
    (whole,) = mask_rings(inside)
    parts = list(_without_bridges(pairs(whole)))
    length = sum(float(np.hypot(*np.diff(part, axis=0).T).sum()) for part in parts)
    assert length == 4 * 7 + 4 * 1


def test_an_oriented_box_shows_its_first_side() -> None:
    pixels = shown(Object("cat", corners=ring(30, 20, 90, 20, 90, 70, 30, 70)))
    changed = (pixels != 128).any(axis=2)
    assert changed[14:27, 60].sum() > changed[64:77, 60].sum()


def test_a_crowd_is_dashed() -> None:
    solid = (shown(Object("cat", (20, 20, 100, 70))) != 128).any(axis=2).sum()
    crowd = (shown(Object("cat", (20, 20, 100, 70), crowd=True)) != 128).any(axis=2).sum()
    assert 0.4 * solid < crowd < 0.95 * solid
    lengths = [float(np.hypot(*np.diff(part, axis=0).T).sum()) for part in dashed(np.array([[0, 0], [30, 0.0]]), 10)]
    assert lengths == [10, 10]


def test_keypoints_have_sides_and_hidden_ones_are_hollow() -> None:
    pose = Pose(("left", "right", "nose"), ((0, 1),), swap=(1, 0, 2))
    look = Look(Palette(("cat",)), poses={"cat": pose}, names=False)
    marks = ring(30, 30, 2, 90, 30, 2, 60, 60, 1)
    pixels = shown(Object("cat", keypoints=marks), look=look)
    assert near(pixels[30, 30], colour(1)) or near(pixels[29, 29], colour(1))
    assert near(pixels[30, 90], colour(0)) or near(pixels[29, 89], colour(0))
    assert pixels[60, 60].max() < 120  # hollow: dark within
    assert not (pixels[30, 60] == 128).all()  # the bone
    moved = shown(Object("cat", keypoints=marks), look=look, dot=10.0)
    assert (moved[30, 30] == 128).all()


def test_a_point_that_is_not_labelled_is_not_drawn() -> None:
    assert (shown(Object("cat", keypoints=ring(0, 0, 0, 0, 0, 0))) == 128).all()


def test_small_objects_get_a_fine_line_without_an_edge() -> None:
    pixels = shown(Object("cat", (50, 40, 58, 48)))
    assert (pixels[44, 54] == 128).all()
    assert pixels.min() > 0 and not (pixels < 60).all(axis=2).any()


def test_a_class_mask_is_tinted_by_class_and_void_is_hatched() -> None:
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[:, 40:80] = 1
    values[:, 80:] = 255
    look = Look(Palette(("background", "road")), ("background", "road"), ignore=255)
    pixels = shown(look=look, mask=Mask(values))
    assert (pixels[45, 20] == 128).all()
    assert near(pixels[45, 60], tuple((128 + part) // 2 for part in colour(1)))
    hatched = pixels[30:60, 85:115].reshape(-1, 3)
    assert hatched.min() < 70 and hatched.max() > 150 and np.ptp(hatched.astype(int), axis=1).max() < 12
    assert mask_classes(Picture(pixels, mask=Mask(values)), look) == {"road"}


def test_numbers_stand_for_classes_that_nobody_named() -> None:
    look = Look(Palette(()))
    assert [look.mask_class(value) for value in (0, 3)] == ["", "3"]
    shown(look=look, mask=Mask(np.full((HEIGHT, WIDTH), 3, np.uint8)))
    assert look.colours.used == {"3": colour(3)}


@pytest.mark.parametrize(
    ("classes", "values", "void"),
    [
        ((), (0, 3, 255), True),  # as in VOC
        ((), (0, 255), False),  # black and white: what is white is shown
        (("ground", "road"), (0, 255), True),
        (tuple(map(str, range(256))), (0, 255), False),
    ],
)
def test_255_is_no_class_unless_it_is_one(classes: tuple[str, ...], values: tuple[int, ...], void: bool) -> None:
    look = Look(Palette(classes), classes)
    mask = np.repeat(np.array(values, np.uint8), -(-WIDTH // len(values)))[None, :WIDTH].repeat(HEIGHT, axis=0)
    pixels = shown(look=look, mask=Mask(mask))[30:60, 90:110].reshape(-1, 3)
    assert (np.ptp(pixels, axis=0) > 60).all() == void
    assert ("255" in look.colours.used) != void
    assert ("255" in mask_classes(Picture(mask, mask=Mask(mask)), look)) != void


def test_no_class_has_the_colour_of_255() -> None:
    palette = Palette(())
    assert palette("255") not in {palette(str(number)) for number in range(1, MOST)}


def test_an_instance_has_the_colour_of_its_object() -> None:
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[20:70, 30:90] = 4
    pixels = shown(Object("dog", index=4), instances=Mask(values))
    assert near(pixels[45, 60], tuple((128 + part) // 2 for part in colour(1)))


def test_16_bits_grey_and_transparent_pictures_are_shown() -> None:
    deep = Picture(np.full((9, 12), 1000, np.uint16))
    assert (tile(deep, None, 12, white=2000) == 128).all()
    alpha = np.zeros((30, 40), np.uint8)
    clear = tile(Picture(np.zeros((30, 40, 3), np.uint8), alpha), None, 40)
    assert set(np.unique(clear).tolist()) == {204, 255}


def test_a_tile_without_labels_at_its_own_size_is_the_picture() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    assert np.array_equal(tile(Picture(pixels), None, WIDTH), pixels)


@pytest.mark.parametrize(("width", "height"), [(2000, 10), (10, 2000), (1, 1), (3, 7)])
def test_a_picture_of_any_shape_fits_its_cell(width: int, height: int) -> None:
    thing = Object("cat", (0, 0, width, height))
    picture = Picture(np.zeros((height, width), np.uint8), annotations=Annotations(objects=(thing,)))
    found = tile(picture, Look(Palette(("cat",))), 60)
    assert max(found.shape[:2]) == 60 and min(found.shape[:2]) >= 1


def test_a_zoom_makes_all_of_it_larger() -> None:
    thing = Object("cat", (30, 30, 90, 70))
    picture = Picture(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), annotations=Annotations(objects=(thing,)))
    look = Look(Palette(("cat",)))
    one, two = tile(picture, look, WIDTH), tile(picture, look, WIDTH, zoom=2)
    assert two.shape == (2 * HEIGHT, 2 * WIDTH, 3)
    covered = [(pixels == colour(0)).all(axis=2).sum() for pixels in (one, two)]
    assert 3 < covered[1] / covered[0] < 6  # more of it is of the very colour


# names


def boxes(seed: int, count: int) -> list[names.Named]:
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        x, y = rng.uniform(0, 170), rng.uniform(0, 120)
        name = ("cat", "dog", "a long name")[rng.integers(3)]
        found.append(names.Named(name, GREY, (x, y, x + rng.uniform(5, 60), y + rng.uniform(5, 60))))
    return found


@pytest.mark.parametrize("seed", range(30))
def test_names_are_inside_and_never_over_each_other(seed: int) -> None:
    placed = names.place(boxes(seed, 1 + seed), 200, 150)
    for one in placed:
        assert 0 <= one.x <= 200 - one.width and 0 <= one.y <= 150 - one.height
    for one, other in combinations(placed, 2):
        apart = one.x + one.width <= other.x or other.x + other.width <= one.x
        assert apart or one.y + one.height <= other.y or other.y + other.height <= one.y


def test_a_name_is_beside_its_object_where_there_is_room() -> None:
    (one,) = names.place([names.Named("cat", GREY, (60, 60, 120, 110))], 200, 150)
    assert one.y + one.height <= 60
    (below,) = names.place([names.Named("cat", GREY, (60, 2, 120, 60))], 200, 150)
    assert below.y >= 60
    (inside,) = names.place([names.Named("cat", GREY, (0, 0, 200, 150))], 200, 150)
    assert (inside.x, inside.y) == (2, 2)


def test_where_objects_fill_the_picture_the_largest_is_named() -> None:
    all_over = [(0, 0, 150, 150), (50, 0, 200, 150), (0, 0, 200, 150), (9, 0, 200, 150)]
    many = [names.Named(name, GREY, box) for name, box in zip(("cup", "cup", "dog", "person"), all_over, strict=True)]
    (one,) = names.place([*many, *many], 200, 150)
    assert (one.name, one.x, one.y) == ("dog", 2, 2)


def test_of_many_objects_each_class_is_named_once() -> None:
    many = [names.Named("ship", GREY, (x, y, x + 6, y + 6)) for x in range(40, 160, 20) for y in range(40, 120, 20)]
    placed = names.place([*many, names.Named("harbour", GREY, (5, 130, 60, 148))], 200, 150)
    assert sorted(one.name for one in placed) == ["harbour", "ship"]


def test_names_of_thousands_of_classes_are_tried_as_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    covered = names._covered
    monkeypatch.setattr(names, "_covered", lambda one, others: looked.append(len(others)) or covered(one, others))
    many = [names.Named(f"c{n}", GREY, (n % 190, n % 140, n % 190 + 6, n % 140 + 6)) for n in range(3000)]
    names.place(many, 200, 150)
    assert 0 < len(looked) < 1000


def test_a_mask_of_many_values_is_tinted_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tints: list[int] = []
    blend = Canvas.blend
    monkeypatch.setattr(Canvas, "blend", lambda *args: tints.append(1) or blend(*args))
    values = np.arange(WIDTH * HEIGHT, dtype=np.uint16).reshape(HEIGHT, WIDTH)
    found = shown(mask=Mask(values))
    assert len(tints) == 1 and len(np.unique(found.reshape(-1, 3), axis=0)) > 20


def test_objects_are_filled_in_their_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    tinted = Canvas._tint
    monkeypatch.setattr(Canvas, "_tint", lambda *args: sizes.append(args[3].size) or tinted(*args))
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[10:20, 30:40] = 1
    shown(Object("cat", rings=(ring(50, 50, 60, 50, 60, 60, 50, 60),)), Object("dog", rle=rle_encode(mask)))
    assert sizes == [31 * 31, 30 * 30]


def test_a_fill_over_the_edge_is_that_of_the_whole_picture() -> None:
    outline = ring(-40, 20, 60, -30, 150, 40, 70, 130)
    whole = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(whole, [np.rint(pairs(outline) - 0.5).astype(np.int32)], 1)
    canvas = Canvas(Picture(np.full((HEIGHT, WIDTH, 3), 128, np.uint8)), WIDTH, 255, finer=1)
    canvas.fill([pairs(outline)], (0, 0, 0), 0.5)
    assert np.array_equal(canvas.pixels[..., 0] == 64, whole == 1)
    canvas.fill([pairs(ring(-9, -9, -5, -9, -5, -5)), pairs(ring(np.nan, 1, 2, 2, 3, 1))], (0, 0, 0), 0.5)


def test_a_page_turns_no_direction() -> None:
    row = Row("a\u202eb", (Tile("c\u2066<", np.zeros((6, 6, 3), np.uint8), "d\u202e", "e\u202e"),))
    text = page([row], {"f\u202e": GREY}, "g\u202e", "кошка 猫", 60)
    assert not {"\u202e", "\u2066"} & set(text) and "c�&lt;" in text and "кошка 猫" in text


def test_a_legend_is_cut() -> None:
    row = Row("a", (Tile("source", np.zeros((60, 60, 3), np.uint8)),))
    some, many = ({f"c{n}": GREY for n in range(count)} for count in (NAMED, 5000))
    assert sheet([row], many, 1).shape[0] <= sheet([row], some, 1).shape[0] + 20
    text = page([row], many, "t", "w", 60)
    assert text.count("<li>") == NAMED + 1 and f"... and {5000 - NAMED:,} more" in text
    assert "more" not in page([row], some, "t", "w", 60).partition("</ul>")[0].partition("<ul")[2]


def test_what_a_row_says_stands_below_its_title() -> None:
    tiles = (Tile("source", np.zeros((60, 160, 3), np.uint8)),)
    heights = [sheet([Row("a", tiles, says)], {}, 1).shape[0] for says in ((), ("b",), ("b", "c"), ("d e " * 99,))]
    line = lettering.height(11)
    assert [height - heights[0] for height in heights] == [0, line, 2 * line, 2 * line]
    text = page([Row("a", tiles, ("“b”", "<c>"))], {}, "t", "w", 60)
    assert '<p class="says">“b”</p>\n<p class="says">&lt;c&gt;</p>' in text


# colours and letters


def test_a_small_dataset_keeps_its_colours_on_every_sheet() -> None:
    palette = Palette(("a", "b", "c"))
    assert [palette("c"), palette("a")] == [colour(2), colour(0)]
    assert list(palette.used) == ["c", "a"]
    assert palette(None) == palette("") == GREY


def test_of_many_classes_the_first_ones_are_told_apart() -> None:
    palette = Palette([f"class {number}" for number in range(80)], first=["class 70", "class 7", "class 28"])
    assert [palette("class 70"), palette("class 7"), palette("class 28")] == [colour(0), colour(1), colour(2)]


def test_the_21_colours_differ() -> None:
    found = [colour(number) for number in range(MOST)]
    assert len(set(found)) == MOST == 21
    assert is_dark((0, 0, 0)) and not is_dark((255, 255, 255))


def test_text_is_cut_in_its_middle_and_broken_at_words() -> None:
    assert lettering.cut("short", 11, 200) == "short"
    cut = lettering.cut("photographs/of/a/very/long/path/tabby.jpg", 11, 100)
    assert (
        "…" in cut and "..." not in lettering.legible(cut) and cut.endswith(".jpg") and lettering.width(cut, 11) <= 100
    )
    assert lettering.width("a b c", 11) - lettering.width("abc", 11) in (7, 8, 9)  # spaces are seen
    lines = list(lettering.lines("HorizontalFlip, Affine, RandomBrightnessContrast", 11, 100))
    assert len(lines) == 3 and all(lettering.width(line, 11) <= 100 for line in lines)
    assert lettering.cut("anything", 11, 0) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Straße café “a”", 'Strasse cafe "a"'),
        ("кошка Йод", "koshka Jod"),
        ("αετός", "aetos"),
        ("ねこ ﾈｺ", "neko neko"),
        ("고양이", "goyangi"),
        ("قط", "qaf-tah"),
        ("猫1", "(U+732B)1"),
        ("北京", "(U+5317.4EAC)"),
        ("🐱 👨\u200d👩", "(cat face) (man)(woman)"),
        ("a\u202eb\n", "a(U+202E)b(U+000A)"),
    ],
)
def test_letters_that_the_font_lacks_are_spelled(text: str, shown: str) -> None:
    assert lettering.legible(text) == shown


def test_different_names_stay_different() -> None:
    pictures = set()
    for name in ("犬", "猫", "кот", "кит", "قط", "كلب", "🐱", "🐶", "고", "ね", "\ue000", "\ue001"):
        pixels = np.full((16, 90, 3), 255, np.uint8)
        lettering.write(pixels, name, 0, 0, 10, (0, 0, 0))
        pictures.add(pixels.tobytes())
    assert len(pictures) == 12


def test_text_over_the_edge_is_cut_off() -> None:
    pixels = np.full((10, 20, 3), 255, np.uint8)
    for place in ((-5, -3), (15, 5), (30, 30), (-90, 0)):
        lettering.write(pixels, "text", *place, 11, (0, 0, 0))
    assert (pixels < 255).any()

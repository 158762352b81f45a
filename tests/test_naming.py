"""File names of copies: readable, stable, and never the same twice on any file system."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from augx import naming
from augx.model import Sample
from augx.naming import copy_name, stems, written_ending

COPIES = (0, 1, 2, 9, 10, 99, 100, 120)


def named(*ids: str, image_format: str = "keep", unique_stems: bool = False) -> dict[str, str]:
    """The name of each source's original."""
    samples = [Sample(id, folder=id.rpartition("/")[0]) for id in ids]
    return dict(zip(ids, ("".join(stem) for stem in stems(samples, image_format, unique_stems)), strict=True))


def folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def every_name(*ids: str, image_format: str = "keep") -> list[str]:
    samples = [Sample(id, folder=id.rpartition("/")[0]) for id in ids]
    return [copy_name(stem, ending, copy) for stem, ending in stems(samples, image_format) for copy in COPIES]


@pytest.mark.parametrize(
    ("copy", "name"),
    [(0, "cat/tabby.jpg"), (1, "cat/tabby_aug01.jpg"), (12, "cat/tabby_aug12.jpg"), (100, "cat/tabby_aug100.jpg")],
)
def test_copy_name(copy: int, name: str) -> None:
    assert copy_name("cat/tabby", ".jpg", copy) == name


@pytest.mark.parametrize(
    ("name", "image_format", "ending"),
    [
        ("a.jpg", "keep", ".jpg"),
        ("a.JPG", "keep", ".JPG"),
        ("a.Jpeg", "keep", ".Jpeg"),
        ("a.jfif", "keep", ".jpg"),
        ("a.mpo", "keep", ".jpg"),
        ("a.apng", "keep", ".png"),
        ("a.dib", "keep", ".bmp"),
        ("a.tiff", "keep", ".tiff"),
        ("a.TIF", "keep", ".TIF"),
        ("a.xyz", "keep", ".png"),
        ("a", "keep", ".png"),
        (".jpg", "keep", ".png"),
        ("a.b.webp", "keep", ".webp"),
        ("cat.dog/a", "keep", ".png"),
        ("cat/a.png", "jpeg", ".jpg"),
        ("a.xyz", "tiff", ".tif"),
        ("a.JPG", "png", ".png"),
    ],
)
def test_ending(name: str, image_format: str, ending: str) -> None:
    assert written_ending(name, image_format) == ending


def test_plain_names_are_kept() -> None:
    ids = ["cat/tabby.jpg", "cat/Ünïcode 7.PNG", "dog/tabby.jpg", "top.webp"]
    assert named(*ids) == {id: id for id in ids}


def test_dots_in_a_base_name_are_gone() -> None:
    assert named("cat/tabby.v2.final.jpg") == {"cat/tabby.v2.final.jpg": "cat/tabby_v2_final.jpg"}


def test_a_folder_keeps_its_dots() -> None:
    assert named("v1.2/a.b.jpg") == {"v1.2/a.b.jpg": "v1.2/a_b.jpg"}


def test_one_base_name_with_two_endings() -> None:
    """Different files, unless the labels are paired by base name; then the first keeps its name."""
    assert named("a.jpg", "a.png") == {"a.jpg": "a.jpg", "a.png": "a.png"}
    paired = named("a.jpg", "a.png", unique_stems=True)
    assert paired["a.jpg"] == "a.jpg"
    assert paired["a.png"].startswith("a_") and paired["a.png"].endswith(".png")


def test_clashes_of_the_written_format() -> None:
    names = named("a.jpg", "a.png", "a.webp", image_format="png")
    assert names["a.png"] == "a.png", "it bears the name already"
    assert len({folded(name) for name in names.values()}) == 3
    assert all(name.endswith(".png") for name in names.values())


def test_case_is_no_difference() -> None:
    names = named("cat/A.jpg", "cat/a.jpg", "cat/a.JPG", "cat/stra\u00dfe.jpg", "cat/STRASSE.jpg")
    assert len({folded(name) for name in names.values()}) == 5
    assert names["cat/A.jpg"] == "cat/A.jpg"


def test_composed_and_decomposed_are_no_difference() -> None:
    names = named("caf\u00e9.jpg", "cafe\u0301.jpg")
    assert len({folded(name) for name in names.values()}) == 2


@pytest.mark.parametrize("other", ["tabby_aug01.jpg", "tabby_aug03.jpg", "tabby_AUG120.jpg", "tabby_aug01_aug01.jpg"])
def test_a_source_that_is_called_like_a_copy(other: str) -> None:
    names = named("tabby.jpg", other)
    assert names["tabby.jpg"] == "tabby.jpg"
    every = [folded(name) for name in every_name("tabby.jpg", other)]
    assert len(set(every)) == len(every)


def test_a_lone_source_called_like_a_copy_keeps_its_name() -> None:
    assert named("tabby_aug03.jpg") == {"tabby_aug03.jpg": "tabby_aug03.jpg"}


def test_a_name_that_a_renamed_source_would_get() -> None:
    """Even the name with the hash may be taken by a source; then it is another hash."""
    taken = named("a.jpg", "A.jpg")["a.jpg"]
    assert taken.startswith("a_")
    names = named("a.jpg", "A.jpg", taken)
    assert names[taken] == taken
    assert names["a.jpg"] not in ("a.jpg", taken)
    assert len({folded(name) for name in names.values()}) == 3


@pytest.mark.parametrize("character", ["a", "ü", "語", "🐈"])
@pytest.mark.parametrize("length", [200, 225, 226, 240, 251])
def test_long_names_fit(character: str, length: int) -> None:
    base = (character * 255).encode()[:length].decode(errors="ignore")
    long = copy_name(*stems([Sample(f"cat/{base}.jpg", folder="cat")], "keep")[0], 100_000)
    assert len(long.rpartition("/")[2].encode()) <= 255
    assert long.startswith(f"cat/{base[:30]}")


def test_long_names_stay_apart() -> None:
    ids = [f"{'x' * 245}{n}.jpg" for n in range(5)]
    assert len(set(named(*ids).values())) == 5


def test_a_taken_folder_is_no_clash() -> None:
    assert named("a/b.jpg", "b.jpg") == {"a/b.jpg": "a/b.jpg", "b.jpg": "b.jpg"}


@pytest.mark.parametrize(
    ("file", "inside", "image_format"),
    [
        ("c/1.jpg", "c/1_aug01.jpg/x.jpg", "keep"),
        ("c/1.jpg", "C/1_AUG01.JPG/deep/x.jpg", "keep"),
        ("c/1.jpg", "c/1.png/x.jpg", "png"),
        ("c/1", "c/1.png/x.jpg", "keep"),
        ("1.jpg", "1.jpg_/x.jpg", "keep"),
    ],
)
def test_a_file_gives_way_to_a_folder(file: str, inside: str, image_format: str) -> None:
    names = every_name(file, inside, image_format=image_format)
    folder = folded(inside.rpartition("/")[0])
    assert not any(f"{folder}/".startswith(f"{folded(name)}/") for name in names)
    plain = every_name(file, image_format=image_format)
    assert (names[: len(COPIES)] == plain) == (folder == "1.jpg_")
    assert names[len(COPIES) :] == every_name(inside, image_format=image_format)


BASES = st.one_of(
    st.sampled_from(
        [
            "a",
            "A",
            "a_aug01",
            "a_aug01_aug02",
            "A_AUG01",
            "a_AUG120",
            "a.b",
            "a_b",
            "ß",
            "ss",
            "é",
            "e\u0301",
            "İ",
            "x" * 240,
        ]
    ),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=6),
).filter(lambda base: base not in (".", ".."))
IDS = st.builds(
    lambda folder, base, ending: folder + base + ending,
    st.sampled_from(["", "cat/", "Cat/", "cat/x.y/"]),
    BASES,
    st.sampled_from([".jpg", ".JPG", ".jpeg", ".png", ".jfif", ".xyz", ""]),
).filter(lambda id: len(id.rpartition("/")[2].encode()) <= 255 and not id.endswith("/"))
SETS = st.lists(IDS, min_size=1, max_size=12, unique=True)
FORMATS = st.sampled_from(["keep", "png"])


@given(SETS, FORMATS)
@example(["a", "A", "a.jpg"], "png")
@settings(max_examples=300, deadline=None)
def test_all_names_differ_and_fit(ids: list[str], image_format: str) -> None:
    names = every_name(*ids, image_format=image_format)
    assert len({folded(name) for name in names}) == len(names)
    for name in names:
        base, dot, _ = name.rpartition("/")[2].rpartition(".")
        assert dot and base and "." not in base
        assert len(name.rpartition("/")[2].encode()) <= 255


@given(SETS, st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_order_is_nothing(ids: list[str], unique_stems: bool, random: object) -> None:
    shuffled = list(ids)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert named(*ids, unique_stems=unique_stems) == named(*shuffled, unique_stems=unique_stems)


@given(SETS, IDS, FORMATS, st.booleans())
@example(["a.jpg"], "a.jpg.png", "keep", True)
@settings(max_examples=200, deadline=None)
def test_a_new_source_renames_only_its_family(ids: list[str], new: str, image_format: str, unique: bool) -> None:
    """The family: same folder, and same base name when dots, case and the mark of a copy are taken away."""
    if new in ids:
        return

    def family(id: str) -> tuple[str, str]:
        folder = id.rpartition("/")[0]
        (stem, _), *_ = stems([Sample(id, folder=folder)], image_format)
        return folded(folder), naming._COPY.sub("", folded(stem.rpartition("/")[2]))

    before = named(*ids, image_format=image_format, unique_stems=unique)
    after = named(*ids, new, image_format=image_format, unique_stems=unique)
    for id in ids:
        assert before[id] == after[id] or family(id) == family(new)

"""`augx preview`: the file it writes, where it refuses to, and pictures in a terminal."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import pty
import re
import shutil
import signal
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import browser
import label_sets
import numpy as np
import pytest
from conftest import encoded, tree
from PIL import Image

from augx import images
from augx.cli import call, inline
from augx.drawing.sixels import sixels
from augx.errors import Refused
from augx.model import ImageOptions, Picture


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """photos, recipe.yaml, and out, as the working folder."""
    label_sets.plant(tmp_path / "photos", {f"{'ab'[n % 2]}/{n}.jpg": encoded(n, width=60, height=40) for n in range(5)})
    (tmp_path / "recipe.yaml").write_text("version: 1\ncopies: 7\ntransforms: [HorizontalFlip, {Rotate: {p: 1}}]\n")
    monkeypatch.chdir(tmp_path)
    assert call(["run", "photos", "out", "-r", "recipe.yaml", "-n1", "-q", "-j0"]) == 0
    return tmp_path


def preview(*arguments: str) -> int:
    return call(["preview", "photos", "-r", "recipe.yaml", "-j0", *arguments])


@pytest.mark.parametrize(
    ("ending", "format"), [(".png", "PNG"), (".webp", "WEBP"), (".jpg", "JPEG"), (".JPEG", "JPEG")]
)
def test_a_sheet_fits_a_screen(here: Path, capsys: pytest.CaptureFixture[str], ending: str, format: str) -> None:
    before = tree(here)
    assert preview("-o", f"sheet{ending}") == 0
    assert capsys.readouterr() == (f"sheet{ending}: 4 sources of 5, 24 pictures\n", "")
    with Image.open(here / f"sheet{ending}") as sheet:
        assert sheet.format == format
        assert 1200 < sheet.width < 1400 and 700 < sheet.height < 1000
    (here / f"sheet{ending}").unlink()
    assert tree(here) == before


def test_a_signal_stops_a_sheet_that_is_being_encoded(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode, ended = images.encode, []

    def slow(picture: Picture, ending: str, options: ImageOptions) -> bytes:
        if ending == ".webp":  # the sheet
            os.kill(os.getpid(), signal.SIGINT)
            hashlib.pbkdf2_hmac("sha256", b"", b"", 3_000_000)  # a second or more that heeds no signal, as in a codec
            ended.append(picture)
        return encode(picture, ending, options)

    monkeypatch.setattr(images, "encode", slow)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it may be ignored
    try:
        assert preview("-o", "sheet.webp", "--sample", "1") == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended == [] and not (here / "sheet.webp").exists()


def test_as_many_copies_as_asked_for(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for count, pictures in ((2, 12), (20, 84)):
        assert preview("-o", "sheet.png", "-n", str(count)) == 0
        assert f"4 sources of 5, {pictures} pictures" in capsys.readouterr().out


def test_fewer_where_the_recipe_makes_fewer(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "recipe.yaml").write_text("version: 1\ncopies: 1\ntransforms: [HorizontalFlip]\n")
    assert preview("-o", "sheet.png") == 0
    assert "4 sources of 5, 8 pictures" in capsys.readouterr().out


def test_the_same_twice(here: Path) -> None:
    for name in ("one.png", "two.png", "one.html", "two.html"):
        assert preview("-o", name, "-q") == 0
    for ending in ("png", "html"):
        assert (here / f"one.{ending}").read_bytes() == (here / f"two.{ending}").read_bytes()


def test_another_seed_shows_other_copies(here: Path) -> None:
    assert preview("-o", "one.png") == preview("-o", "two.png", "--seed", "5") == 0
    assert (here / "one.png").read_bytes() != (here / "two.png").read_bytes()


def test_a_small_cell_makes_a_small_sheet(here: Path) -> None:
    assert preview("-o", "sheet.png", "--cell", "60") == 0
    with Image.open(here / "sheet.png") as sheet:
        assert sheet.width < 700


class Page(HTMLParser):
    """What a page refers to, and its open tags at the end."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.references: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in ("meta", "img", "link", "input", "br"):
            self.open.append(tag)
        self.references += [str(found[key]) for key in ("src", "href", "data") if key in found]
        if tag == "img":
            self.images.append(found)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_holds_all_it_shows(here: Path) -> None:
    (here / "photos" / "a" / '<b>&".jpg').write_bytes(encoded(9, width=60, height=40))
    assert preview("-o", "sheet.html", "--sample", "9") == 0
    text = (here / "sheet.html").read_text("utf-8")
    page = Page(text)
    assert page.open == []
    assert len(page.images) == 6 * 6
    assert all(reference.startswith("data:image/webp;base64,") for reference in page.references)
    assert not re.search(r"https?:|url\(|@import|<script", text)
    alts = [str(image["alt"]) for image in page.images]
    assert len(set(alts)) == len(alts)
    assert "source of a/0.jpg: a" in alts and 'source of a/<b>&".jpg: a' in alts
    with Image.open(io.BytesIO(base64.b64decode(page.references[0].partition(",")[2]))) as image:
        assert image.width == 400  # fine enough for a screen of twice the density


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say where to write the sheet: -o sheet.png, or --show"),
        (("-o", "sheet.gif"), "sheet.gif: a sheet ends in .png, .webp, .jpg or .html"),
        (("-o", "sheet"), "sheet: a sheet ends in"),
        (("-o", "nowhere/sheet.png"), "there is no folder nowhere"),
        (("-o", "photos/sheet.png"), "photos/sheet.png lies in INPUT"),
        (("-o", "photos/a/0.jpg"), "photos/a/0.jpg lies in INPUT"),
        (("-o", "out/a/sheet.png"), "which augx has written and verifies"),
        (("-o", "sheet.png", "--step", "--extremes"), "--step and --extremes are two sheets"),
        (("-o", "sheet.png", "--only", "9.jpg"), "--only 9.jpg: no image of photos is called so"),
        (("-o", "sheet.png", "--sample", "0"), "--sample"),
        (("-o", "sheet.png", "--cell", "9"), "--cell"),
        (("-o", ""), "-o: the name is empty"),
        (("-o", "sheet.png", "--only", ""), "--only: the name is empty"),
        (("--show",), "--show: the output is no terminal"),
    ],
)
def test_refused(here: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str) -> None:
    before = tree(here)
    assert preview(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err and "Traceback" not in err
    assert tree(here) == before


def test_a_link_into_input_is_not_followed(here: Path) -> None:
    (here / "link").symlink_to(here / "photos")
    assert preview("-o", "link/sheet.png") == 2
    assert not (here / "photos" / "sheet.png").exists()


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("recipe.yaml", "a sheet ends in"),
        ("photos/a/0.jpg", "lies in INPUT"),
        ("out/a/0.jpg", "which augx has written"),
        ("nowhere/sheet.png", "nowhere\n"),
    ],
)
def test_a_sheet_is_not_written_through_a_link_to_anything_else(
    here: Path, capsys: pytest.CaptureFixture[str], target: str, said: str
) -> None:
    (here / "sheet.png").symlink_to(here / target)
    before = tree(here)
    assert preview("-o", "sheet.png") == 2
    assert said in capsys.readouterr().err and tree(here) == before


def test_a_sheet_is_written_through_a_link_to_a_sheet(here: Path) -> None:
    (here / "sheet.png").symlink_to(here / "other.webp")
    assert preview("-o", "sheet.png") == 0
    assert (here / "sheet.png").is_symlink() and (here / "other.webp").stat().st_size > 1000


def test_what_is_read_is_not_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(here / "recipe.yaml", here / "recipe.html")
    before = tree(here)
    assert call(["preview", "photos", "-r", "recipe.html", "-j0", "-o", "recipe.html"]) == 2
    assert "recipe.html is recipe.html, which is read" in capsys.readouterr().err
    assert tree(here) == before


def test_a_wrong_argument_of_a_transform_is_told_with_its_place(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "recipe.yaml").write_text("version: 1\ntransforms:\n  - Rotate: {limit: big}\n")
    assert preview("-o", "sheet.png") == 2
    assert "recipe.yaml:3:21: Rotate.limit: expected" in capsys.readouterr().err


def test_what_could_not_be_made_is_exit_code_1(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "recipe.yaml").write_text("version: 1\ntransforms: [{RandomCrop: {height: 99, width: 99, p: 1}}]\n")
    assert preview("-o", "sheet.png") == 1
    assert "20 pictures could not be made; the sheet says why" in capsys.readouterr().err
    assert (here / "sheet.png").exists()
    assert preview("-o", "sheet.png", "--only", "0.jpg", "-n1") == 1
    assert "\n1 picture could not be made" in "\n" + capsys.readouterr().err


def test_of_many_classes_it_says_how_to_see_all(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert preview("-o", "sheet.png", "--per-class", "--sample", "1") == 0
    assert capsys.readouterr().err == "1 of 2 classes are shown; --sample 2 shows all\n"


def test_a_sheet_that_its_format_cannot_hold(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert preview("-o", "sheet.webp", "-n", "118", "--sample", "5", "--cell", "300") == 2
    assert "the sheet is too large: WEBP holds 16383 pixels a side" in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["png", "html"])
def test_a_sheet_of_too_many_pixels_is_refused(here: Path, capsys: pytest.CaptureFixture[str], ending: str) -> None:
    assert preview("-o", f"sheet.{ending}", "-n", "90", "--cell", "1000") == 2
    assert "the sheet is too large: pictures of " in capsys.readouterr().err
    assert not (here / f"sheet.{ending}").exists()


# terminals


def png(width: int = 40, height: int = 30) -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def test_kitty_gets_the_picture_in_pieces() -> None:
    data = png(80, 60)
    text = inline.kitty(data)
    parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert "".join(f"\x1b_G{keys};{part}\x1b\\" for keys, part in parts) == text
    assert parts[0][0] == "a=T,f=100,m=1"
    assert [keys for keys, _ in parts[1:]] == ["m=1"] * (len(parts) - 2) + ["m=0"]
    assert all(len(part) <= 4096 for _, part in parts)
    assert base64.b64decode("".join(part for _, part in parts)) == data


def test_iterm_gets_the_picture_whole() -> None:
    found = re.fullmatch(r"\x1b\]1337;File=inline=1;size=(\d+);preserveAspectRatio=1:(\S+)\x07", inline.iterm(png()))
    assert found and base64.b64decode(found[2]) == png() and int(found[1]) == len(png())


def unsixeled(text: str) -> np.ndarray:
    """The picture that sixels stand for, (H, W, 3), in percent."""
    body = re.fullmatch(r"\x1bPq(.*)\x1b\\", text, re.DOTALL)
    assert body
    colours: dict[int, tuple[int, ...]] = {}
    spots: dict[tuple[int, int], tuple[int, ...]] = {}
    x = y = colour = 0
    for token in re.findall(r"#\d+(?:;\d+)*|!\d+[?-~]|[?-~]|[$-]", body[1]):
        if token[0] == "#":
            number, *rest = map(int, token[1:].split(";"))
            if rest:
                colours[number] = tuple(rest[1:])
            colour = number
        elif token == "$":
            x = 0
        elif token == "-":
            x, y = 0, y + 6
        else:
            count = int(token[1:-1]) if token[0] == "!" else 1
            bits = [bit for bit in range(6) if ord(token[-1]) - 63 >> bit & 1]
            spots |= {(y + bit, x + right): colours[colour] for right in range(count) for bit in bits}
            x += count
    height, width = (max(place[axis] for place in spots) + 1 for axis in (0, 1))
    return np.array([[spots[row, column] for column in range(width)] for row in range(height)])


def test_sixels_show_the_picture() -> None:
    wide = np.kron(
        np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [128, 128, 128]]], np.uint8), np.ones((10, 9, 1))
    )
    buffer = io.BytesIO()
    Image.fromarray(wide.astype(np.uint8)).save(buffer, "PNG")
    shown = unsixeled(sixels(buffer.getvalue()))
    assert shown.shape == (20, 18, 3)
    assert (shown[0, 0] == (100, 0, 0)).all() and (shown[0, 17] == (0, 100, 0)).all()
    assert abs(shown[10:, 9:].mean() - 50) < 5  # grey, in a pattern of near ones


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({"TERM": "xterm-kitty"}, inline.kitty),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, inline.kitty),
        ({"TERM": "xterm-ghostty"}, inline.kitty),
        ({"TERM_PROGRAM": "iTerm.app"}, inline.iterm),
        ({"TERM_PROGRAM": "WezTerm"}, inline.iterm),
        ({"TERM": "xterm", "LC_TERMINAL": "iTerm2"}, inline.iterm),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "tmux-256color", "KITTY_WINDOW_ID": "1", "TMUX": "x"}, None),
        ({}, None),
    ],
)
def test_terminals_are_known_by_their_variables(variables: dict[str, str], wanted: Any) -> None:
    assert inline.by_name(variables) is wanted


def test_a_terminal_without_pictures_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", type("Tty", (io.StringIO,), {"isatty": lambda self: True})())
    monkeypatch.setattr(inline, "by_name", lambda variables: None)
    monkeypatch.setattr(inline, "_has_sixels", lambda: False)
    with pytest.raises(Refused, match="does not say that it can show pictures") as refused:
        inline.terminal()
    assert "-o" in refused.value.hint


def test_a_terminal_shows_it(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(inline, "terminal", lambda: inline.iterm)
    assert preview("--show") == 0
    assert capsys.readouterr().out.startswith("\x1b]1337;File=inline=1;size=")


@pytest.mark.parametrize(
    ("answer", "wanted"), [(b"\x1b[?62;4;22c", "True"), (b"\x1b[?62;22c", "False"), (b"", "False")]
)
def test_a_terminal_is_asked_for_sixels(answer: bytes, wanted: str) -> None:
    """A terminal that answers, one that has none, and one that says nothing."""
    child, terminal = pty.fork()
    if child == 0:
        script = "from augx.cli.inline import _has_sixels; print('sixels:', _has_sixels())"
        os.execv(sys.executable, [sys.executable, "-c", script])
    said = b""
    while b"sixels: " not in said or not said.endswith(b"\n"):
        said += os.read(terminal, 1024)
        if answer and said.endswith(b"\x1b[c"):
            os.write(terminal, answer)
    os.waitpid(child, 0)
    os.close(terminal)
    assert said.split(b"sixels: ")[1].split()[0].decode() == wanted


def test_a_page_in_a_browser(here: Path) -> None:
    if browser.found() is None:
        pytest.skip("no Chromium here; CHROMIUM names one")
    assert preview("-o", "sheet.html") == 0
    with browser.page(here / "profile") as page:
        page.open(here / "sheet.html", width=1480)
        assert page.said == page.asked == []
        assert page.run("[...document.images].every(i => i.naturalWidth > 0)")
        size = page.run("document.images[1].clientWidth")
        page.press("Tab")
        page.press("Tab")
        assert page.run("document.images[1].clientWidth") > 2 * size  # what has the focus is shown large
        for width in (360, 1480):
            page.open(here / "sheet.html", width=width)
            assert page.run("document.documentElement.scrollWidth") <= width
        page("Emulation.setEmulatedMedia", {"media": "print"})
        ends = page.run("[...document.images].slice(0, 7).map(i => [i.offsetLeft, i.offsetLeft + i.clientWidth])")
        assert all(end <= start for (_, end), (start, _) in pairwise(ends[:6])), ends
        assert ends[6][0] == ends[0][0]  # six in a row

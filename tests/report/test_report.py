"""`augx report`: the page, its words for others, and the command."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import browser
import label_sets
import pytest
from conftest import encoded, tree
from running import a_recipe, run

from augx.cli import call
from augx.report import figures, markdown
from augx.report.page import page, recipe, size

NAME = 'the <b>&"worst".png'


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OUTPUT of ten pictures of cats and dogs, one with a name that HTML would take for markup."""
    root = tmp_path_factory.mktemp("page")
    files = label_sets.yolo(count=3)
    for number, name in enumerate([*map(str, range(9)), NAME.removesuffix(".png")]):
        files[f"images/{name}.png"] = encoded(number, ".png", width=64, height=48)
        files[f"labels/{name}.txt"] = "0 0.4 0.5 0.25 0.4\n" + ("1 0.7 0.6 0.3 0.2\n" if number % 2 else "")
    label_sets.plant(root / "in", files)
    moves = (
        "[HorizontalFlip, {Affine: {rotate: [-20, 20], translate_percent: [-0.7, 0.7], p: 0.8}}, {ToGray: {p: 0.3}}]"
    )
    run(root / "in", root / "out", a_recipe(moves, copies=5))
    return root / "out"


@pytest.fixture(scope="module")
def written(output: Path) -> Path:
    path = output.parent / "report.html"
    assert call(["report", str(output), "-o", str(path), "-q"]) == 0
    return path


class Tags(HTMLParser):
    """Fails where tags are not closed in order. `ids`, `references`, `alts`: what it found."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.alts: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in ("meta", "img", "link", "br", "wbr", "input", "rect", "path"):
            self.open.append(tag)
        self.ids += [str(found["id"])] if "id" in found else []
        self.references += [str(found[key]) for key in ("src", "href") if key in found]
        self.alts += [str(found["alt"])] if tag == "img" else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone(written: Path) -> None:
    text = written.read_text("utf-8")
    tags = Tags(text)
    assert all(reference.startswith(("data:", "#")) for reference in tags.references)
    assert {reference[1:] for reference in tags.references if reference[0] == "#"} <= set(tags.ids)
    assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttp", text)
    assert len(text) < 8_000_000
    assert len(set(tags.alts)) == len(tags.alts) > 20
    assert '<b>&"worst' not in text and "the &lt;b&gt;&amp;&quot;worst&quot;.png" in text


def test_verdicts_come_first(written: Path) -> None:
    text = written.read_text("utf-8")
    places = [text.index(f'id="{name}"') for name in ("verdicts", "gallery", "classes", "distributions", "transforms")]
    assert places == sorted(places)
    assert text.index("Objects were lost") < text.index("Nothing failed") < places[1]


def test_the_recipe_is_one(output: Path) -> None:
    from augx.recipe import parse

    told = figures(str(output)).told
    again = parse(recipe(told).encode(), "recipe.yaml")
    assert again.canonical() == told["recipe"]


def test_markdown_says_the_same(output: Path) -> None:
    told = figures(str(output)).told
    text = markdown(told, "a|b_c <d>")
    assert text.startswith("### a\\|b\\_c &lt;d>\n\n60 images (10 originals, 50 copies) from 10 sources")
    cat = told["classes"]["cat"]
    row = f"| cat | 10 | {cat['objects']['after']} | {cat['lost']['count']} |"
    assert row in text
    assert all(
        line.count("|") - line.count("\\|") in (0, 4, 5) for line in text.splitlines() if not line.startswith("#")
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("a&quot;'", "a&amp;quot;'"),
        ("@octocat", "&#64;octocat"),
        ("https://a.org www.b.org", "https&#58;//a.org www&#46;b.org"),
        ("~~s~~ \\ | `c` *b* _i_ [l](u)", "\\~\\~s\\~\\~ \\\\ \\| \\`c\\` \\*b\\* \\_i\\_ \\[l](u)"),
        ("a\x1b[31m\u202eb\u2066\nc", "a�\\[31m�b� c"),
        ("кошка 猫 می\u200cشود", "кошка 猫 می\u200cشود"),
    ],
)
def test_markdown_makes_nothing_of_a_name(output: Path, name: str, said: str) -> None:
    told = figures(str(output)).told
    told = {**told, "classes": {name: told["classes"]["cat"]}}
    text = markdown(told, name)
    assert text.startswith(f"### {said}\n") and f"\n| {said} | 10 |" in text


def test_sizes_are_told_as_people_do() -> None:
    assert [size(count) for count in (5, 1500, 31_849_323, 2e12)] == ["5 bytes", "1.5 kB", "31.8 MB", "2.0 TB"]


def test_a_run_without_copies_or_labels_has_a_page(tmp_path: Path) -> None:
    label_sets.plant(tmp_path / "in", {"0.jpg": encoded(0), "1.jpg": encoded(1)})
    run(tmp_path / "in", tmp_path / "out", a_recipe("[]", copies=1))
    text = page(figures(str(tmp_path / "out")), "out")
    Tags(text)
    assert "No image and no object has a class" in text and "(none)" not in text


def test_long_names_may_be_broken(tmp_path: Path) -> None:
    label_sets.plant(tmp_path / "in", {"some/a_cat.png": encoded(0, ".png")})
    run(tmp_path / "in", tmp_path / "out", a_recipe("[{RandomBrightnessContrast: {p: 1}}, {ColorJitter: {p: 1}}]"))
    text = page(figures(str(tmp_path / "out")), "out")
    assert "some/<wbr>a_<wbr>cat_<wbr>aug01.png" in text
    assert "Random<wbr>Brightness<wbr>Contrast, ColorJitter" in text


def test_a_run_in_which_all_failed_has_a_page(tmp_path: Path) -> None:
    label_sets.plant(tmp_path / "in", {"a/0.jpg": b"no image", "b/1.jpg": b""})
    run(tmp_path / "in", tmp_path / "out", a_recipe())
    found = figures(str(tmp_path / "out"))
    Tags(page(found, "out"))
    assert "Images failed" in markdown(found.told, "out")


# the command


def test_verdicts_are_printed(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = tree(output)
    assert call(["report", str(output)]) == 0
    out, err = capsys.readouterr()
    assert re.search(r"^(warning|error|note): +Objects were lost: \d+ of \d+ objects in copies", out, re.MULTILINE)
    assert err == "" and tree(output) == before


def test_json_and_markdown_say_the_same_with_or_without_a_page(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["report", str(output), "--json"]) == 0
    plain = capsys.readouterr().out
    assert call(["report", str(output), "--json", "-o", str(tmp_path / "r.html")]) == 0
    assert capsys.readouterr().out == plain
    told = json.loads(plain)
    assert told["made"]["images"] == 60 and told["metrics"]["failed_images"] == {"count": 0, "of": 60, "share": 0.0}
    assert [one["level"] for one in told["verdicts"]] == sorted(
        (one["level"] for one in told["verdicts"]), key=("error", "warning", "note", "good").index
    )
    assert call(["report", str(output), "--markdown"]) == 0
    assert "60 images (10 originals, 50 copies)" in capsys.readouterr().out


def test_a_gate_that_is_passed_is_exit_code_1(output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["report", str(output), "-q", "--fail-on", "failed_images>0"]) == 0
    assert call(["report", str(output), "-q", "--fail-on", "failed_images>0", "--fail-on", "lost_objects>1%",
                 "-o", str(tmp_path / "r.html")]) == 1  # fmt: skip
    assert re.fullmatch(
        r"augx: lost_objects is \d+ of \d+ objects in copies \(.+%\), more than 1%\n", capsys.readouterr().err
    )
    assert (tmp_path / "r.html").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "report.pdf"), "report.pdf: a report ends in .html"),
        (("-o", "out/report.html"), "which augx has written and verifies"),
        (("-o", "nowhere/report.html"), "there is no folder nowhere"),
        (("--json", "--markdown"), "two outputs"),
        (("--fail-on", "lost>5%"), "there is no metric lost"),
        (("--fail-on", "leaks>5%"), "leaks is no share of anything"),
    ],
)
def test_refused(
    output: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    shutil.copytree(output, tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    before = tree(tmp_path)
    assert call(["report", "out", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert tree(tmp_path) == before


def test_a_report_is_not_written_through_a_link_to_anything_else(
    output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "recipe.yaml").write_text("version: 1\n")
    (tmp_path / "r.html").symlink_to(tmp_path / "recipe.yaml")
    assert call(["report", str(output), "-o", str(tmp_path / "r.html")]) == 2
    assert "recipe.yaml: a report ends in .html" in capsys.readouterr().err
    assert (tmp_path / "recipe.yaml").read_text() == "version: 1\n"


def test_what_is_no_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["report", str(tmp_path)]) == 2
    assert "holds no finished run of augx" in capsys.readouterr().err


# in a browser


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[browser.Page]:
    if browser.found() is None:
        pytest.skip("no Chromium here; CHROMIUM names one")
    with browser.page(tmp_path / "profile") as page:
        yield page


VISIBLE = "[...document.querySelectorAll('.gallery figure')].filter(f => f.offsetParent !== null)"


def test_a_browser_finds_nothing_wrong(output: Path, written: Path, chromium: browser.Page) -> None:
    chromium.open(written)
    assert chromium.said == chromium.asked == []
    assert chromium.run("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    count = len(figures(str(output)).shots)
    assert chromium.run("document.querySelector('#shown').textContent") == f"{count} of {count} pictures"


def choose(chromium: browser.Page, name: str, value: str) -> int:
    """Chooses as a person does, and returns how many pictures are shown."""
    chromium.run(
        f"(() => {{const s = document.querySelector('select[name={name}]'); s.value = {json.dumps(value)};"
        " s.dispatchEvent(new Event('change'))})()"
    )
    return int(chromium.run(f"{VISIBLE}.length"))


def test_the_filters_work(output: Path, written: Path, chromium: browser.Page) -> None:
    chromium.open(written)
    shots = [shot.row for shot in figures(str(output)).shots]
    dogs = [row for row in shots if any(thing["label"] == "dog" for thing in row["objects"])]
    grey = [row for row in dogs if any(one["name"] == "ToGray" for one in row["transforms"])]
    assert choose(chromium, "classes", "dog") == len(dogs) < len(shots)
    assert choose(chromium, "transforms", "ToGray") == len(grey) < len(dogs)
    assert chromium.run("document.querySelector('#shown').textContent") == f"{len(grey)} of {len(shots)} pictures"
    chromium.run("document.querySelector('#all').click()")
    assert chromium.run(f"{VISIBLE}.length") == len(shots)
    chromium.run("document.querySelector('button[data-verdict=lost]').click()")
    lost = [row for row in shots if row["dropped"]]
    assert chromium.run(f"{VISIBLE}.length") == len(lost) > 0
    assert chromium.run("document.querySelector('select[name=verdicts]').value") == "lost"
    assert chromium.said == []


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_nothing_sticks_out(written: Path, chromium: browser.Page, width: int) -> None:
    chromium.open(written, width=width, dark=width == 768)
    chromium.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert chromium.run("document.documentElement.scrollWidth") <= width
    assert chromium.run("Math.min(...[...document.querySelectorAll('svg')].map(s => s.clientWidth))") > 150


def test_paper_cuts_nothing_and_keeps_its_colours(written: Path, chromium: browser.Page) -> None:
    chromium.open(written, width=794)  # A4
    chromium("Emulation.setEmulatedMedia", {"media": "print"})
    wide = "[...document.querySelectorAll('pre, .scroll')].filter(e => e.scrollWidth > e.clientWidth).length"
    assert chromium.run(wide) == 0
    bars = "[...document.querySelectorAll('.bar')].map(e => getComputedStyle(e).printColorAdjust)"
    assert set(chromium.run(bars)) == {"exact"}


def test_on_a_phone_classes_have_room(written: Path, chromium: browser.Page) -> None:
    chromium.open(written, width=400)
    assert chromium.run("document.querySelector('#classes td').clientWidth") > 80
    assert chromium.run("document.querySelector('#classes .scroll').scrollWidth") <= 400


def test_light_and_dark_are_readable(written: Path, chromium: browser.Page) -> None:
    """Words stand out from their ground by 4.5 to 1, as WCAG wants."""
    script = """(() => {
      const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
      const light = (c) => c.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
      const ground = (e) => { while (e) { const c = getComputedStyle(e).backgroundColor;
        if (c !== 'rgba(0, 0, 0, 0)') return rgb(c); e = e.parentElement; } return [255, 255, 255]; };
      return Math.min(...[...document.querySelectorAll('p, b, span.level, td, a, .flag, .muted, .key')].map(e => {
        const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); }));
    })()"""
    for dark in (False, True):
        chromium.open(written, dark=dark)
        assert chromium.run(script) >= 4.5


def test_the_keyboard_reaches_the_filters(written: Path, chromium: browser.Page) -> None:
    chromium.open(written)
    names: list[str] = []
    while "all" not in names and len(names) < 50:
        chromium.press("Tab")
        names.append(
            chromium.run("document.activeElement.name || document.activeElement.id || document.activeElement.tagName")
        )
    assert [name for name in names if name in ("classes", "transforms", "verdicts", "all")] == [
        "classes", "transforms", "verdicts", "all"
    ]  # fmt: skip

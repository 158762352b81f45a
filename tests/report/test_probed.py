"""What `augx probe` found, in a report and as a page. No torch."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import pytest

from augx import recipe, report
from augx.cli import call
from augx.errors import Refused
from augx.model import Json

RECIPE = "version: 1\ncopies: 1\ntransforms:\n  - Transpose: {p: 1}\n"


def side(name: str, marks: list[float], **more: Json) -> dict[str, Json]:
    return {"name": name, "IoU": marks, "classes": {"<cat>": 41.0, "dog": 52.5}, **more}


def found(verdict: str = "helps") -> Json:
    tried = side(
        "recipe.yaml", [60.0, 62.0, 61.0, 59.0, 58.0], digest=recipe.parse(RECIPE.encode(), "recipe.yaml").digest(),
        verdict=verdict, words=f"{verdict}: +8.0 ± 2.5 points", difference={"mean": 8.0, "margin": 2.5, "count": 5},
        differences={"<cat>": {"mean": 9.0, "margin": 4.0, "count": 5}, "dog": None},
    )  # fmt: skip
    return {
        "augx": "0.3.0", "task": "segmentation", "measure": "IoU", "pictures": 40, "side": 64, "folds": 5, "repeats": 1,
        "networks": 2, "steps": 500, "against": side("none", [52.0] * 5), "recipes": [tried], "notes": ["a <note>"],
    }  # fmt: skip


@pytest.fixture
def made(photos: Path, tmp_path: Path) -> Path:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    assert call(["run", str(photos), str(tmp_path / "out"), "-r", str(tmp_path / "recipe.yaml"), "-q"]) == 0
    return tmp_path / "out"


def test_a_report_tells_of_a_probe(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "probe.json").write_text(json.dumps(found()))
    command = ["report", str(made), "--probe", str(tmp_path / "probe.json")]
    assert call([*command, "-o", str(tmp_path / "report.html")]) == 0
    said = "Does it help?: helps: +8.0 ± 2.5 points of IoU, against none"
    assert f"good:    {said}" in capsys.readouterr().out
    page = (tmp_path / "report.html").read_text()
    section = page[page.index('<section id="probe"') :].partition("</section>")[0]
    assert "IoU 60.0 %, against 52.0 % with none" in section and "&lt;cat&gt;" in section and "<cat>" not in section
    assert "<td>41.0 (+9.0 ± 4.0)</td>" in section and "<td>52.5</td>" in section and "a &lt;note&gt;" in section
    assert section.count("<circle") == 2  # all, and the class that has an interval
    assert call([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["probe"] == found()
    assert call([*command, "--markdown"]) == 0
    assert "**Does it help?**: helps: +8.0 ± 2.5 points" in capsys.readouterr().out


def test_a_probe_of_another_recipe_says_nothing_of_these_pictures(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = found()
    other["recipes"][0]["digest"] = "0" * 64
    (tmp_path / "probe.json").write_text(json.dumps(other))
    assert call(["report", str(made), "--probe", str(tmp_path / "probe.json")]) == 0
    assert "note:    The probe was of another recipe" in capsys.readouterr().out


def test_what_is_no_probe_is_refused(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "probe.json"
    spoilt: list[Json] = [{}, [], {"probe": 1}, *(found() for _ in range(5))]
    spoilt[3]["recipes"][0]["difference"]["mean"] = float("nan")
    spoilt[4]["against"]["IoU"] = []
    spoilt[5]["recipes"] = []
    spoilt[6]["recipes"][0]["classes"]["other"] = 1.0
    spoilt[7]["recipes"][0]["verdict"] = "<b>helps</b>"
    for one in spoilt:
        place.write_text(json.dumps(one))
        with pytest.raises(Refused, match="is no result of `augx probe`"):
            report.read_probe(str(place))
    assert call(["report", str(made), "--probe", str(tmp_path / "nowhere.json")]) == 2
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("verdict, level", [("helps", "good"), ("hurts", "warning"), ("no difference seen", "note")])
def test_a_probe_is_a_page_of_its_own(verdict: str, level: str, tmp_path: Path) -> None:
    told = found(verdict)
    report.write_probe(str(tmp_path / "probe.html"), told)
    page = (tmp_path / "probe.html").read_text()
    assert f'<li class="{level}"><b>recipe.yaml</b>{verdict}: +8.0' in page
    assert not re.search(r"https?://|<script", page)
    report.write_probe(str(tmp_path / "probe.json"), told)
    assert report.read_probe(str(tmp_path / "probe.json")) == copy.deepcopy(told)
    with pytest.raises(Refused, match=r"ends in .html or .json"):
        report.check_probe_place(str(tmp_path / "probe.txt"))

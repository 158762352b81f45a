"""Which sources a sheet shows, and what it reads of the others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import label_sets
import pytest
from conftest import encoded
from running import a_recipe

from augx import preview
from augx.engine import Request
from augx.errors import Refused
from augx.preview import Asked


def titles(input: Path, **asked: Any) -> list[str]:
    given = {key: asked.pop(key) for key in ("show",) if key in asked}
    request = Request(str(input), "", a_recipe("[HorizontalFlip]", copies=1), workers=0)
    return [row.title for row in preview.make(Asked(request, **given, **asked)).rows]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    return label_sets.plant(tmp_path / "in", {f"{'cdb'[n % 3]}/{n:02d}.jpg": encoded(n) for n in range(24)})


def test_a_few_are_spread_over_the_dataset(many: Path) -> None:
    assert titles(many) == ["b/11.jpg · b", "c/03.jpg · c", "c/21.jpg · c", "d/16.jpg · d"]
    assert titles(many, sample=1) == ["c/12.jpg · c"]
    assert len(titles(many, sample=99)) == 24


def test_one_for_each_class(many: Path) -> None:
    assert titles(many, per_class=True) == ["b · b/14.jpg · b", "c · c/12.jpg · c", "d · d/13.jpg · d"]
    assert len(titles(many, per_class=True, sample=2)) == 2


def test_a_class_has_a_row_of_its_own_where_it_can(tmp_path: Path) -> None:
    root = label_sets.plant(tmp_path / "in", label_sets.yolo(count=3))
    assert titles(root, per_class=True) == ["cat · images/1.png", "dog · images/2.png"]


def test_classes_are_found_in_masks(tmp_path: Path) -> None:
    root = label_sets.plant(tmp_path / "in", label_sets.masks())
    assert [title.split(" · ")[0] for title in titles(root, per_class=True)] == ["1", "2"]


def test_without_classes_there_are_none_to_show(tmp_path: Path) -> None:
    root = label_sets.plant(tmp_path / "in", {"0.jpg": encoded(0), "1.jpg": encoded(1)})
    with pytest.raises(Refused, match="--per-class: the labels name no classes"):
        titles(root, per_class=True)


@pytest.mark.parametrize(
    ("only", "wanted"),
    [
        (("c/03.jpg",), ["c/03.jpg · c"]),
        (("03.jpg", "0[45].jpg"), ["c/03.jpg · c", "b/05.jpg · b", "d/04.jpg · d"]),
        (("b/1*",), ["b/11.jpg · b", "b/14.jpg · b", "b/17.jpg · b"]),
    ],
)
def test_only_these(many: Path, only: tuple[str, ...], wanted: list[str]) -> None:
    assert titles(many, only=only) == wanted


def test_a_name_that_is_not_there_is_refused_with_the_nearest(many: Path) -> None:
    with pytest.raises(Refused, match=r"--only 33\.jpg: no image of") as refused:
        titles(many, only=("33.jpg",))
    assert refused.value.hint.startswith("did you mean ")


def test_a_listed_image_that_is_missing_is_told(tmp_path: Path) -> None:
    table = "file,label\n0.jpg,a\n1.jpg,b\n"
    root = label_sets.plant(tmp_path / "in", {"labels.csv": table, "0.jpg": encoded(0)})
    with pytest.raises(Refused, match=r"1\.jpg cannot be made"):
        titles(root, only=("1.jpg",))


def test_what_is_not_multiplied_is_shown_if_asked_for(tmp_path: Path) -> None:
    root = label_sets.plant(tmp_path / "in", {f"{s}/a/{n}.jpg": encoded(n) for s in ("train", "val") for n in range(6)})
    assert all(title.startswith("train/") for title in titles(root))
    assert titles(root, only=("val/a/1.jpg",)) == ["val/a/1.jpg · a · val · is not multiplied"]


def test_labelled_ones_come_first(tmp_path: Path) -> None:
    files = label_sets.yolo(count=6)
    root = label_sets.plant(tmp_path / "in", files | {f"labels/{n}.txt": "" for n in (0, 1, 3)})
    assert titles(root, sample=3) == ["images/2.png", "images/4.png", "images/5.png"]


def test_too_many_pictures_are_refused(many: Path) -> None:
    request = Request(str(many), "", a_recipe(copies=90), workers=0, changes={"copies": 90})
    with pytest.raises(Refused, match="2,184 pictures are too many"):
        preview.make(Asked(request, sample=24))


def test_only_what_is_shown_is_read(many: Path) -> None:
    opened: set[str] = set()

    def hook(event: str, given: Any) -> None:
        if event == "open" and listening and str(given[0]).endswith(".jpg"):
            opened.add(Path(given[0]).name)

    listening = True
    sys.addaudithook(hook)
    titles(many, sample=2)
    listening = False
    assert len(opened) == 2


def test_an_empty_dataset_is_refused(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview.sources, "spread", lambda plan, count: [])
    with pytest.raises(Refused, match="there is no image to show"):
        titles(many)

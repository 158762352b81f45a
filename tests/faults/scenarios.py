"""Runs that are disturbed, and what was there before: for `enumerated.py`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import encoded
from label_sets import coco_set, mask, masks, plant, yolo
from running import a_recipe, run

from augx.request import Share

LABELLED: dict[str, Callable[[], dict[str, Any]]] = {"yolo": yolo, "masks": masks, "two_formats": coco_set}


class Scenario:
    """OUTPUT as `before` leaves it, a run that is killed: `killed`; and the run that has to put it right: `after`."""

    def __init__(self, folder: Path) -> None:
        self.input, self.start, self.work = folder / "input", folder / "start", folder / "work"
        for number in range(3):
            path = self.input / ("cat", "dog")[number % 2] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(number, ".png"))
        self.killed: dict[str, Any] = {"recipe": a_recipe()}
        self.after: dict[str, Any] | None = None  # None: the same command
        self.mend: Callable[[], None] = lambda: None  # between the kill and the next run
        self.spoil: Callable[[], None] = lambda: None  # before each run that is killed
        self.goes_on = False  # the run that is killed comes to something only from where `before` left it

    def before(self, **request: Any) -> None:
        run(self.input, self.start, **request)


def labels_planned(name: str, case: Scenario) -> None:
    """Label files and masks beside images; `name`: the dataset, and what has changed since OUTPUT was made, if any."""
    dataset, _, changed = name.partition(",")
    shutil.rmtree(case.input)
    plant(case.input, LABELLED[dataset]())
    case.killed = {"recipe": a_recipe()} | ({"to_formats": ("coco", "yolo")} if dataset == "two_formats" else {})
    if not changed:
        return
    case.before(**case.killed)
    if changed == "label":
        (case.input / "labels" / "1.txt").write_text("1 0.5 0.5 0.5 0.5\n")
    elif changed == "numbers":
        plant(case.input, {"data.yaml": "names: [dog, cat]\ntrain: images\nval: images\n"})
    elif changed == "mask":
        plant(case.input, {"masks/1.png": mask(2, 1)})
    elif changed == "box":
        plant(case.input, coco_set(bbox=[6, 7, 20, 9]))
    else:
        raise ValueError(name)


def mixes_planned(name: str, case: Scenario) -> None:
    """Mixes, and copies drawn again; `name`: "mixed" and what has changed since OUTPUT was made, if anything."""
    recipe = a_recipe("[{mosaic: {p: 0.7}}, {D4: {p: 0.5}}, {mixup: {p: 0.7}}]")
    case.killed = {"recipe": recipe, "to_formats": ("table",)}
    _, _, changed = name.partition(",")
    if not changed:
        return
    case.before(**case.killed)
    partner = case.input / "dog" / "1.png"
    if changed == "partner":
        partner.write_bytes(encoded(60, ".png"))
    elif changed == "gone":
        partner.unlink()
    elif changed == "more":
        case.killed = case.killed | {"recipe": recipe.replace(copies=4)}
    else:
        raise ValueError(name)


def shares_planned(name: str, case: Scenario) -> None:
    """A share of a run, or the merge of several; a whole run takes over what there is."""
    case.after = case.killed
    if name == "share":
        case.killed = {"share": Share(1, 1)}
        return
    for number in (1, 2):
        case.before(share=Share(number, 2))
    case.killed, case.goes_on = {"merge": 2}, True


def tars_planned(name: str, case: Scenario) -> None:
    """About one source a tar; `name`: "tars" and what has changed since OUTPUT was made, if anything."""
    recipe = a_recipe(output={"tar": {"images": 3}})
    case.killed = {"recipe": recipe, "to_formats": ("webdataset",)}
    _, _, changed = name.partition(",")
    if not changed:
        return
    case.before(**case.killed)
    if changed == "source":
        (case.input / "dog" / "1.png").write_bytes(encoded(60, ".png"))
    elif changed == "more":
        case.killed = case.killed | {"recipe": recipe.replace(copies=4)}
    elif changed == "loose":
        case.killed = case.killed | {"to_formats": ("folder",)}
    else:
        raise ValueError(name)


def plan(name: str, case: Scenario) -> None:
    if name.startswith("tars"):
        tars_planned(name, case)
        return
    if name in ("share", "merge"):
        shares_planned(name, case)
        return
    if name.startswith("mixed"):
        mixes_planned(name, case)
        return
    if name.partition(",")[0] in LABELLED:
        labels_planned(name, case)
        return
    first = case.input / "cat" / "0.png"
    old, new = encoded(0, ".png"), encoded(50, ".png")
    assert len(old) == len(new), "or else the size tells at once"
    if name == "failing":
        (case.input / "cat" / "broken.png").write_bytes(b"no picture")
    if name == "first":
        return
    case.before(recipe=a_recipe())
    if name == "recipe":
        case.killed = {"recipe": a_recipe("[Transpose]")}
    elif name == "source_removed":
        first.unlink()
    elif name == "source_added":
        first.with_name("00.png").write_bytes(new)
    elif name == "source_changed":
        first.write_bytes(new)
    elif name == "copies_lowered":
        case.killed = {"recipe": a_recipe(copies=1)}
    elif name == "copies_raised":
        case.killed = {"recipe": a_recipe(copies=4)}
    elif name == "originals_dropped":
        case.killed = {"recipe": a_recipe(originals=False)}
    elif name == "table_added":
        case.killed = {"to_formats": ("folder", "table")}
    elif name == "table_instead":
        case.killed = {"to_formats": ("table",)}
    elif name == "failing":
        case.killed = {"recipe": a_recipe(copies=3)}
    elif name == "recipe_and_back":
        case.killed, case.after = {"recipe": a_recipe("[Transpose]")}, {"recipe": a_recipe()}
    elif name == "content_and_back":
        was = os.stat(first)

        def put(data: bytes) -> None:
            first.write_bytes(data)
            os.utime(first, ns=(was.st_mtime_ns, was.st_mtime_ns + (data is new) * 10**9))

        case.spoil, case.mend = lambda: put(new), lambda: put(old)
    else:
        raise ValueError(name)

"""Started by test_resume.py: kills runs at one system call after the other and looks at what the next run makes of it.

killed.py FOLDER STEP SCENARIO...: prints {scenario: {"points": N, "wrong": {point: what}}}. Each victim is a fork that
ends itself by `os._exit` before its n-th call that changes the disk.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from conftest import encoded, tree
from label_sets import coco_set, mask, masks, plant, yolo
from running import a_recipe, run

from augx import manifest
from augx import plan as planning

LABELLED: dict[str, Callable[[], dict[str, Any]]] = {"yolo": yolo, "masks": masks, "two_formats": coco_set}
TOUCHING = ("write", "utime", "replace", "mkdir", "unlink", "rmdir", "ftruncate", "pwrite")


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


def plan(name: str, case: Scenario) -> None:
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


def victim(case: Scenario, point: int) -> bool:
    """Runs in a fork that dies before its `point`-th touch of the disk; False if it came to its end."""
    child = os.fork()
    if child == 0:
        left = point

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def touched(*given: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left == 0:
                    os._exit(9)
                return real(*given, **named)

            return touched

        try:
            for call in TOUCHING:
                setattr(os, call, counted(getattr(os, call)))
            run(case.input, case.work, **case.killed)
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9), f"exit code {code}"
    return code == 9


def judge(case: Scenario, whole: set[str], expected: dict[str, str]) -> str:
    """What is wrong after a kill, "" if nothing is."""
    left = tree(case.work) if case.work.exists() else {}
    broken = [name for name, sha256 in left.items() if not name.startswith(".augx/") and sha256 not in whole]
    if broken:
        return f"not whole after the kill: {broken}"
    case.mend()
    try:
        run(case.input, case.work, **(case.after or case.killed))
    except Exception as error:
        return f"the next run: {type(error).__name__}: {error}"
    found = tree(case.work)
    different = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    if different:
        return f"other than without a kill: {different}"
    if findings := manifest.verify(str(case.work), 1)[1]:
        return f"verify: {findings}"
    again = run(case.input, case.work, **(case.after or case.killed))
    return f"made {again.made} once more" if again.made or again.removed else ""


def drive(name: str, folder: Path, step: int) -> dict[str, Any]:
    case = Scenario(folder)
    plan(name, case)
    case.spoil()
    run(case.input, folder / "undisturbed", **case.killed)
    whole = {*tree(folder / "undisturbed").values(), *(tree(case.start).values() if case.start.exists() else ())}
    case.mend()
    run(case.input, folder / "expected", **(case.after or case.killed))
    expected = tree(folder / "expected")
    wrong: dict[int, str] = {}
    point = 1
    while True:
        shutil.rmtree(case.work, ignore_errors=True)
        if case.start.exists():
            shutil.copytree(case.start, case.work)
        case.spoil()
        if not victim(case, point):
            return {"points": point // step, "wrong": wrong}
        if said := judge(case, whole, expected):
            wrong[point] = said
        point += step


if __name__ == "__main__":
    planning._SHARD_SOURCES = 1
    root = Path(sys.argv[1])
    print(json.dumps({name: drive(name, root / name, int(sys.argv[2])) for name in sys.argv[3:]}))

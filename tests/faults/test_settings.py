"""One tree of bytes, whatever the setting: workers, how they start, hash seed, locale, time zone, place, order of
folders, kind of file system, and how long the disk is waited for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import encoded, tree
from makers import environment

pytestmark = pytest.mark.slow
RECIPE = """\
version: 1
copies: 3
transforms:
- mosaic: {p: 0.4}
- Affine: {rotate: [-20, 20], p: 1}
- OneOf: [GaussNoise, {GaussianBlur: {}}, CoarseDropout]
- mixup: {p: 0.4}
"""
LOCALES = {"tr_TR.UTF-8": "tr_TR", "de_DE.UTF-8": "de_DE"}
SETTINGS: dict[str, tuple[list[str], dict[str, str], dict[str, Any]]] = {  # name -> options, variables, hooks
    "in this process": (["-j0"], {}, {}),
    "1 worker": (["-j1"], {}, {}),
    "2 workers": (["-j2"], {}, {}),
    "3 workers": (["-j3"], {}, {}),
    "8 workers": (["-j8"], {}, {}),
    "fork server": (["-j2"], {}, {"start": "forkserver"}),
    "spawn": (["-j2"], {}, {"start": "spawn"}),
    "hash seed 0": (["-j2"], {"PYTHONHASHSEED": "0"}, {}),
    "hash seed 1": (["-j0"], {"PYTHONHASHSEED": "1"}, {}),
    "hash seed 12345": (["-j1"], {"PYTHONHASHSEED": "12345"}, {}),
    "C": (["-j1"], {"LC_ALL": "C"}, {}),
    "POSIX without UTF-8": (["-j1"], {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {}),
    "Turkish": (["-j1"], {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}, {}),
    "German": (["-j2"], {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"}, {}),
    "Nepal": (["-j1"], {"TZ": "Asia/Kathmandu"}, {}),
    "Samoa": (["-j0"], {"TZ": "Pacific/Apia"}, {}),
    "another folder": (["-j1"], {}, {"place": "a b/ü"}),
    "OUTPUT itself": (["-j1"], {}, {"place": "."}),
    "reversed": (["-j2"], {}, {"reversed": True}),
    "reversed, in this process": (["-j0"], {}, {"reversed": True}),
    "tmpfs": (["-j2"], {}, {"disk": "/dev/shm"}),
    "disk": (["-j2"], {}, {"disk": "/var/tmp"}),
    "each file on the disk": (["-j1", "--fsync", "each"], {}, {"disk": "/var/tmp"}),
    "batches on the disk": (["-j2", "--fsync", "batch"], {}, {"disk": "/var/tmp"}),
    "nothing waited for": (["-j2", "--fsync", "off"], {}, {}),
    "optimised": (["-j1"], {"PYTHONOPTIMIZE": "2", "OMP_NUM_THREADS": "1"}, {}),
    "limits": (["-j2", "--time-limit", "100", "--memory-limit", "2G", "--max-errors", "50%"], {}, {}),
}


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of several kinds, with names that sort otherwise in some locales."""
    root = tmp_path_factory.mktemp("settings") / "photos"
    names = ["cat/a.jpg", "cat/é.jpg", "cat/B.png", "dog/a.jpg", "dog/Z.PNG", "dog/ı.jpg", "zoo/I 2.png", "zoo/猫.jpg"]
    for number, name in enumerate(names + [f"zoo/{n}.png" for n in range(34)]):  # more than one shard
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(encoded(number, Path(name).suffix.lower()))
    (root.parent / "recipe.yaml").write_text(RECIPE)
    return root


@pytest.fixture(scope="module")
def expected(photos: Path) -> dict[str, str]:
    run(photos, photos.parent / "expected", ["-j0"], {}, photos.parent)
    return tree(photos.parent / "expected")


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where those that could be made are."""
    folder = tmp_path_factory.mktemp("locales")
    if shutil.which("localedef") is None:
        return {}
    for name, source in LOCALES.items():
        subprocess.run(["localedef", "-i", source, "-f", "UTF-8", str(folder / name)], capture_output=True)
    return {name: str(folder) for name in LOCALES if (folder / name).exists()}


@pytest.fixture
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder of its own on the disk that the setting names."""
    disk = SETTINGS[request.node.callspec.params["setting"]][2].get("disk")
    if disk is None:
        yield tmp_path
        return
    if not os.access(disk, os.W_OK):
        pytest.skip(f"no {disk}")
    with tempfile.TemporaryDirectory(dir=disk) as folder:
        yield Path(folder)


def run(photos: Path, output: Path, options: list[str], variables: dict[str, str], here: Path, **hooks: Any) -> None:
    """Paths are relative where `here` lies beside OUTPUT, or is it."""
    recipe = photos.parent / "recipe.yaml"
    given = os.path.relpath(output, here) if here.is_relative_to(output.parent) else str(output)
    command = [sys.executable, "-m", "augx", "run", str(photos), given, "-r", str(recipe), "--to", "table", "-q"]
    done = subprocess.run(
        [*command, *options], cwd=here, env=environment(**hooks) | variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("setting", SETTINGS)
def test_one_tree(photos: Path, expected: dict[str, str], locales: dict[str, str], place: Path, setting: str) -> None:
    options, variables, hooks = SETTINGS[setting]
    locale = variables.get("LC_ALL", "C")
    if locale in LOCALES:
        if locale not in locales:
            pytest.skip(f"no {locale}")
        variables = variables | {"LOCPATH": locales[locale]}
    output = place / "out"
    here = output if hooks.get("place") == "." else place / hooks.get("place", "here")
    here.mkdir(parents=True)
    run(photos, output, options, variables, here, **{k: v for k, v in hooks.items() if k in ("start", "reversed")})
    assert tree(output) == expected


def test_it_is_worth_comparing(expected: dict[str, str]) -> None:
    assert len(SETTINGS) >= 24
    assert sum(name.endswith((".jpg", ".png", ".PNG")) for name in expected) == 4 * 42

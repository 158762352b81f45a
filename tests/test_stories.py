"""Every story of examples/ is followed as its page tells it, and what the page says came out comes out."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import Workshop
from PIL import Image

from augx.cli import call

EXAMPLES = Path(__file__).parent.parent / "examples"
STORIES = (
    *("captions", "ci-cache", "classify", "cluster", "detect", "imbalance"),
    *("oriented", "pipelines", "pose", "segment", "tiny"),
)
HEADS = ["You have", "You want", "The recipe", "Do it", "What came out", "With your data", "When it goes wrong"]
OPTIONAL = ("dvc", "snakemake")  # what who reads may not have, and what runs the tests neither


def page(story: str) -> str:
    return (EXAMPLES / story / "README.md").read_text("utf-8")


def blocks(text: str) -> list[tuple[str, str]]:
    """Languages and texts of the fenced blocks."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("story", STORIES)
def test_a_page_tells_its_story(story: str) -> None:
    text = page(story)
    assert re.findall("^## (.*)$", text, re.MULTILINE) == HEADS
    assert 40 <= len(text.splitlines()) <= 105
    assert max(map(len, re.sub("```.*?```", "", text, flags=re.DOTALL).splitlines())) <= 150
    first, *_ = [block for language, block in blocks(text) if language == "yaml"]
    assert first == (EXAMPLES / story / "recipe.yaml").read_text("utf-8")


@pytest.mark.parametrize("story", STORIES)
def test_a_story_comes_out_as_its_page_says(
    story: str,
    workshop: Workshop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in {story, "classify", "scene.py"}:
        (shutil.copytree if (EXAMPLES / name).is_dir() else shutil.copyfile)(EXAMPLES / name, tmp_path / name)
    for name, value in workshop.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path / story)
    said: list[str] = []
    ran = 0
    for language, text in blocks(page(story)):
        if language == "sh":
            for line in text.splitlines():
                if line.split()[0] in OPTIONAL and not shutil.which(line.split()[0]):
                    continue
                expected = re.search(r"# exit code (\d+)$", line)
                code, new = follow(line, capfd)
                assert code == (int(expected[1]) if expected else 0), f"{line}\n{os.linesep.join(new)}"
                said += new
                ran += 1
        elif language == "text":
            assert [line for line in text.splitlines() if line not in said] == [], "\n".join(said)
    assert ran >= 4


def follow(line: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Exit code, and the lines of both outputs. `augx` by itself runs in this process: a second less each time."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    if words[0] == "augx" and not any(set(word) <= set("();<>|&") for word in words):
        code = call(words[1:])
    else:
        done = subprocess.run(["bash", "-c", line.replace("python ", f"{sys.executable} ", 1)], timeout=60)
        code = done.returncode
    out, err = capfd.readouterr()
    return code, [*out.splitlines(), *err.splitlines()]


def test_the_snakefile_runs_what_the_makefile_runs() -> None:
    folder = EXAMPLES / "pipelines"
    rule = (folder / "Snakefile").read_text("utf-8")
    (command,) = re.findall(r"shell:\s+\"(.*)\"", rule)
    (target,) = re.findall(r"output:\s+\"(.*)\"", rule)
    make = (folder / "Makefile").read_text("utf-8")
    assert f"\n{target}: recipe.yaml" in make
    assert f"\n\t{command.replace('{input.recipe}', 'recipe.yaml')}\n" in make
    (stage,) = yaml.safe_load((folder / "dvc.yaml").read_text("utf-8"))["stages"].values()
    assert f"\n\t{stage['cmd']}\n" in make


def test_each_machine_of_a_cluster_is_told_the_same(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scripts run augx as their schedulers would have them; the files for schedulers are such files."""
    for name in ("cluster", "classify", "scene.py"):
        (shutil.copytree if (EXAMPLES / name).is_dir() else shutil.copyfile)(EXAMPLES / name, tmp_path / name)
    folder = tmp_path / "cluster"
    workshop.ok(sys.executable, "../classify/draw.py", "photos", cwd=folder)
    array = {"SLURM_ARRAY_TASK_COUNT": "2", "SLURM_CPUS_PER_TASK": "1"}
    for number in ("2", "1"):
        workshop.ok("bash", "slurm.sh", cwd=folder, SLURM_ARRAY_TASK_ID=number, **array)
    assert "joined: 165 images" in workshop.ok("augx", "merge", "photos-x10", cwd=folder)
    first, second = yaml.safe_load_all((folder / "kubernetes.yaml").read_text("utf-8"))
    (container,) = first["spec"]["template"]["spec"]["containers"]
    assert f'/{first["spec"]["completions"]}"' in container["args"][0]
    assert "augx merge photos-x10" in second["spec"]["template"]["spec"]["containers"][0]["args"][0]
    jobs = yaml.safe_load((folder / "matrix.yml").read_text("utf-8"))["jobs"]
    numbers = jobs["shard"]["strategy"]["matrix"]["number"]
    (run,) = [step["run"] for step in jobs["shard"]["steps"] if "augx run" in step.get("run", "")]
    assert run.endswith(f"/{len(numbers)}") and numbers == list(range(1, len(numbers) + 1))
    compile((folder / "spark.py").read_text("utf-8"), "spark.py", "exec")


def test_sheets_of_stories_are_small() -> None:
    sheets = [path for path in sorted(EXAMPLES.glob("*/sheet.*")) if path.suffix != ".py"]
    assert {path.parent.name for path in sheets} == set(STORIES) - {"ci-cache", "cluster", "pipelines"}
    for path in sheets:
        assert f"]({path.name})" in page(path.parent.name)
        with Image.open(path) as image:
            assert 700 <= image.width <= 1000
        assert path.stat().st_size < (120_000 if path.parent.name == "classify" else 60_000)  # that heads the README

"""The journal: what it says comes back, and what is torn says less, never something else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import index, rows, tree
from running import fresh, run

from augx import journal
from augx.journal import Entry, dump
from augx.model import Json
from augx.naming import copy_name
from augx.store import Folder, sha256_file

Written = tuple[Entry, list[int], list[bytes]]


def failed(source: str, copy: int) -> dict[str, Any]:
    return {"source": source, "copy": copy, "stage": "decode", "error": "truncated", "message": "it ends"}


def written(source: str, copies: list[int], key: str = "k", failing: tuple[int, ...] = (), text: str = "") -> Written:
    entry = Entry(source, source, ".jpg", key, "5ha", 7, failed=[failed(source, copy) for copy in failing])
    lines = [
        dump({"file_name": copy_name(source, ".jpg", c), "source": source, "copy": c, "text": text, "sha256": "x"})
        for c in copies
    ]
    return entry, copies, lines


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / ".augx").mkdir()  # as the lock leaves it
    return Folder(str(tmp_path))


def told(folder: Folder) -> dict[str, tuple[str, list[int], list[int]]]:
    """source -> key, copies made and copies failed, after reading every row."""
    found = {}
    for source, entry in journal.load(folder).entries.items():
        copies = sorted(entry.made())
        lines = entry.rows(folder, copies)
        assert [json.loads(line)["copy"] for line in lines] == copies
        assert {json.loads(line)["source"] for line in lines} <= {source}
        found[source] = entry.key, copies, sorted(row["copy"] for row in entry.failed)
    return found


def test_a_segment_comes_back(folder: Folder) -> None:
    several = [
        written("a", [0, 1, 2], text="é\u2028 line"),
        written("b", [0], failing=(1, 2)),
        written("c", [], failing=(0,)),
    ]
    journal.write_segment(folder, "0000.0000000", several)
    assert told(folder) == {"a": ("k", [0, 1, 2], []), "b": ("k", [0], [1, 2]), "c": ("k", [], [0])}
    entry = journal.load(folder).entries["a"]
    assert (entry.sha256, entry.size, entry.tried()) == ("5ha", 7, {0, 1, 2})
    assert entry.rows(folder, (0, 1, 2)) == several[0][2]
    assert entry.rows(folder, (2, 0, 9)) == [several[0][2][2], several[0][2][0]]
    assert entry.sums(folder) == {"a.jpg": "x", "a_aug01.jpg": "x", "a_aug02.jpg": "x"}
    assert journal.load(folder).finished is False


def test_later_segments_count(folder: Folder) -> None:
    journal.write_segment(folder, "0000.0000000", [written("a", [0, 1], "old"), written("b", [0])])
    journal.write_segment(folder, "0001.0000000", [written("a", [0], "new")])
    assert told(folder) == {"a": ("new", [0], []), "b": ("k", [0], [])}
    assert [(entry.key, entry.made()) for entry in journal.load(folder).replaced] == [("old", {0, 1})]


def test_segments_with_one_key_add_up(folder: Folder) -> None:
    journal.write_segment(folder, "0000.0000000", [written("a", [0, 1], failing=(2, 3))])
    journal.write_segment(folder, "0001.0000000", [written("a", [2, 4], failing=(3,))])
    journal.write_segment(folder, "0002.0000000", [written("a", [1], text="again")])
    assert told(folder) == {"a": ("k", [0, 1, 2, 4], [3])}
    lines = journal.load(folder).entries["a"].rows(folder, (0, 1, 2, 3, 4))
    assert [json.loads(line)["text"] for line in lines] == ["", "again", "", ""]


def test_generations(folder: Folder) -> None:
    assert journal.next_generation(folder) == 0
    journal.write_segment(folder, "0000.0000003", [written("a", [0])])
    assert journal.next_generation(folder) == 1
    journal.write_segment(folder, "0011.0000000", [written("a", [1])])
    assert journal.next_generation(folder) == 12


def compacted(folder: Folder) -> list[Written]:
    """A manifest with its index, as `finish` leaves them."""
    several = [written("a", [0, 1]), written("b", [0], failing=(1,)), written("c", [], failing=(0, 1))]
    pieces: list[bytes] = []
    lines: list[bytes] = []
    for entry, copies, its_rows in several:
        place = {"offset": sum(map(len, pieces)), "rows": journal.rows_digest(b"".join(its_rows))}
        lines.append(entry.line(copies, sum(map(len, its_rows)), place))
        pieces += its_rows
    journal.begin(folder, ["a-0"], 0)
    journal.write_segment(folder, "0000.0000000", several)
    folder.stream(
        journal.MANIFEST, pieces, before=lambda sha256: journal.write_index(folder, sha256, ["labels.csv"], lines)
    )
    return several


def test_the_index_comes_back(folder: Folder) -> None:
    several = compacted(folder)
    assert told(folder) == {"a": ("k", [0, 1], []), "b": ("k", [0], [1]), "c": ("k", [], [0, 1])}
    assert journal.load(folder).entries["a"].rows(folder, (0, 1)) == several[0][2]
    assert journal.load(folder).files == {"labels.csv": None}
    assert journal.load(folder).intent == {"a-0": 0}
    journal.end(folder, sha256_file(folder.path(journal.MANIFEST)))
    assert not (Path(folder.root) / ".augx" / "journal").exists()
    assert journal.load(folder).intent == {}
    assert told(folder) == {"a": ("k", [0, 1], []), "b": ("k", [0], [1]), "c": ("k", [], [0, 1])}


def test_ending_leaves_the_index_of_the_manifest_only(folder: Folder) -> None:
    compacted(folder)
    first = sha256_file(folder.path(journal.MANIFEST))
    folder.stream(journal.MANIFEST, [b"{}"], before=lambda sha256: journal.write_index(folder, sha256, [], []))
    assert len(list((Path(folder.root) / ".augx").glob("index-*"))) == 2
    journal.end(folder, first)
    assert [path.name for path in (Path(folder.root) / ".augx").glob("index-*")] == [f"index-{first[:16]}.jsonl"]


def test_an_index_of_another_manifest(folder: Folder) -> None:
    """What it says of rows that are still there counts; of others it still says which files are ours."""
    compacted(folder)
    journal.end(folder, sha256_file(folder.path(journal.MANIFEST)))
    whole = told(folder)
    path = Path(folder.path(journal.MANIFEST))
    data = path.read_bytes()
    for damaged, left in [
        (data + b"\n", "abc"),
        (data.replace(b"a_aug01", b"a_aug03"), "bc"),
        (data.replace(b'"b"', b'"B"'), "ac"),
        (b"\n" + data, "c"),  # of which nothing was made
        (b"", "c"),
    ]:
        path.write_bytes(damaged)
        assert told(folder) == {name: whole[name] for name in left}
        state = journal.load(folder)
        assert state.finished is False
        assert {name for entry in state.replaced for name in entry.names()} >= {"a.jpg", "a_aug01.jpg", "b.jpg"}
    path.unlink()
    assert told(folder).keys() == {"c"}


def test_a_damaged_index_says_nothing_of_rows(folder: Folder) -> None:
    compacted(folder)
    journal.end(folder, sha256_file(folder.path(journal.MANIFEST)))
    path = index(Path(folder.root))
    path.write_bytes(path.read_bytes().replace(b'"size": 7', b'"size": 6'))
    assert told(folder) == {}
    assert {name for entry in journal.load(folder).replaced for name in entry.names()} >= {"a.jpg", "b.jpg"}


def test_intent_adds_up(folder: Folder) -> None:
    journal.begin(folder, ["a", "b\n"], 0)
    assert journal.load(folder).intent == {"a": 0, "b\n": 0}
    journal.begin(folder, ["b\n", "c"], 3)
    assert journal.load(folder).intent == {"a": 0, "b\n": 3, "c": 3}
    assert journal.load(folder).finished is False


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b'"a"\n', b"\xff\xfe", b'["a", 1, 2]\n', b'{"a": 1}\n', b"3\n"])
def test_nonsense_for_a_journal(folder: Folder, text: bytes) -> None:
    """A disk that lost power may hold anything. Nothing of it counts, nothing crashes."""
    for name in (
        ".augx/intent.jsonl",
        ".augx/index-0123456789abcdef.jsonl",
        ".augx/journal/0000.0000000.jsonl",
        "manifest.jsonl",
        "summary.json",
    ):
        folder.write(name, text)
    state = journal.load(folder)
    assert (state.entries, state.replaced, state.summary, state.finished) == ({}, [], {}, False)


def test_a_strange_file_among_the_segments(folder: Folder) -> None:
    journal.write_segment(folder, "0000.0000000", [written("a", [0])])
    for name in (".DS_Store", "notes.txt", "0000.0000000.jsonl~"):
        folder.write(f".augx/journal/{name}", b"x")
    assert told(folder) == {"a": ("k", [0], [])}
    assert journal.next_generation(folder) == 1


def cuts(data: bytes) -> Iterator[bytes]:
    for length in range(len(data)):
        yield data[:length]


def test_a_torn_segment_yields_a_prefix(folder: Folder) -> None:
    """Cut at every byte: the entries before the cut, each with all of its rows."""
    journal.write_segment(
        folder, "0000.0000000", [written("a", [0, 1]), written("b", [0], failing=(1,)), written("c", [3])]
    )
    whole = list(told(folder).items())
    path = folder.path(".augx/journal/0000.0000000.jsonl")
    data = Path(path).read_bytes()
    sizes = set()
    for cut in cuts(data):
        Path(path).write_bytes(cut)
        found = list(told(folder).items())
        assert found == whole[: len(found)]
        sizes.add(len(found))
    assert sizes == {0, 1, 2}


def test_a_torn_index_does_not_invent(folder: Folder) -> None:
    compacted(folder)
    journal.end(folder, sha256_file(folder.path(journal.MANIFEST)))
    whole = told(folder)
    path = index(Path(folder.root))
    for cut in cuts(path.read_bytes()):
        path.write_bytes(cut)
        assert told(folder).items() <= whole.items()


def test_zeros_instead_of_a_segment(folder: Folder) -> None:
    journal.write_segment(folder, "0000.0000000", [written("a", [0])])
    path = Path(folder.path(".augx/journal/0000.0000000.jsonl"))
    path.write_bytes(bytes(path.stat().st_size))
    assert told(folder) == {}


@pytest.mark.parametrize("part", [0.0, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("torn", ["manifest.jsonl", "failures.jsonl", "summary.json", "index"])
def test_a_run_over_torn_files(photos: Path, tmp_path: Path, torn: str, part: float) -> None:
    """After a power cut any of our files may be short; with the manifest whole, the run comes to the usual end."""
    output = tmp_path / "out"
    (photos / "cat" / "broken.jpg").write_bytes(b"x")
    run(photos, output)
    path = index(output) if torn == "index" else output / torn
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    run(photos, output)
    assert tree(output) == tree(fresh(photos, output))


def test_the_manifest_tells_as_much_as_the_index(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "out")
    folder = Folder(str(tmp_path / "out"))
    with_index = journal.load(folder)
    index(tmp_path / "out").unlink()
    without = journal.load(folder)
    for source, entry in with_index.entries.items():
        other = without.entries[source]
        assert (other.key, other.sha256, other.size, other.made()) == (
            entry.key,
            entry.sha256,
            entry.size,
            entry.made(),
        )
        assert other.rows(folder, (0, 1, 2)) == entry.rows(folder, (0, 1, 2))
    assert without.entries.keys() == with_index.entries.keys() == {row["source"] for row in rows(tmp_path / "out")}


def test_owned(photos: Path, tmp_path: Path) -> None:
    """The lock in the subfolder says so; without it, summary and manifest together."""
    output = tmp_path / "out"
    run(photos, output)
    folder = Folder(str(output))
    assert journal.owned(folder) is True
    shutil.rmtree(output / ".augx")
    assert journal.owned(folder) is True
    (output / "manifest.jsonl").rename(output / "elsewhere.jsonl")
    assert journal.owned(folder) is False
    (output / "elsewhere.jsonl").rename(output / "manifest.jsonl")
    (output / "summary.json").write_text('{"counts": 1}')
    assert journal.owned(folder) is False
    (output / ".augx").mkdir()
    assert journal.owned(folder) is False  # anybody's
    (output / ".augx" / "lock").touch()
    assert journal.owned(folder) is True


def test_a_lost_lock(photos: Path, tmp_path: Path) -> None:
    """An empty file, as copies leave it out: the index says as much, if it is whole."""
    output = tmp_path / "out"
    run(photos, output)
    (output / ".augx" / "lock").unlink()
    assert journal.owned(Folder(str(output))) is True
    assert run(photos, output).made == 0
    (output / ".augx" / "lock").unlink()
    index(output).write_bytes(index(output).read_bytes()[:-9])
    assert journal.owned(Folder(str(output))) is False


@pytest.mark.parametrize("value", [5, "x", None, [5], [[1]], {"a": 1}, [[[1], [2]]]])
@pytest.mark.parametrize("key", ["files", "beside", "notes", "failed", "copies"])
def test_odd_values_in_rows_and_entries(photos: Path, tmp_path: Path, key: str, value: Json) -> None:
    """They count for nothing, and what they spoke of is made again."""
    output = tmp_path / "out"
    run(photos, output)
    before = tree(output)
    for path in (output / "manifest.jsonl", index(output)):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        path.write_text("".join(json.dumps({**line, key: value} if key in line else line) + "\n" for line in lines))
    run(photos, output)
    assert tree(output) == before

"""Files and folders with names that systems, shells and other programs stumble over."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from torture import Case, Content
from torture_images import saved

PNG, JPEG = saved("PNG"), saved("JPEG")
FINE = (
    "-rf.png", "--help.png", "a b.png", " lead.png", "trail .png", "trail. .png", "tab\t.png", "line\nbreak.png",
    "return\r.png", "quote'.png", 'double".png', "back`tick`.png", "$(touch pwned).png", "${HOME}.png", ";rm -rf ~.png",
    "|cat.png", "&.png", "<x>.png", "a*b?.png", "[a].png", "{0}.png", "%s%n%d.png", "%2e%2e%2f.png", "a\\b.png",
    "C:evil.png", "con.png", "NUL.png", "com1.png", "aux", "\u202egnp.exe.png", "\u200b.png", "\ufeffbom.png",
    "\x1b[31mred.png", "\x01.png", "\x7f.png", "🦊" * 60 + ".png", "e\u0301.png", "\u00e9.png", "ﬁ.png", "ß.png", "SS.png",
    "ı.png", "I.png", "İ.png", "Case.png", "case.png", "CASE.PNG", "x.png", "x_aug01.png", "x_aug01_aug01.png",
    "x.tar.gz.png", "a..png", "no ending", "ends.", "dots...png", "x" * 251 + ".png", "é" * 125 + ".png", "ends.PNG ",
    "manifest.jsonl.png", "summary.json.png", "~", "#1.png", "@.png", "=1+1.png", "a,b.png", "0", "-", "_", "null.png",
    "x.png.png", "image.jpg.exe", "a\u2028b.png", "NaN.png", "猫.png", "\U000e0001.png",
)  # fmt: skip
NO_TEXT = (
    b"\xff.png",
    b"caf\xe9.png",
    b"\xed\xa0\x80.png",
    b"\xc0\xaf.png",
    b"good\xfe.png",
    b"\xf8\x88\x80\x80\x80.png",
)
HIDDEN = (".hidden.png", "...png", ".png", "..x.png")
FOLDERS = (
    "-rf", "a b", " ", "..a", "...", "a.png", "con", "line\nbreak", "$(touch pwned)", "🦊", "e\u0301", "é", "Dog", "dog",
    "manifest", "x" * 255, "%2e%2e", "a\\b", "\u202e", "_aug01", ".augx",
)  # fmt: skip


def _names() -> Case:
    files: dict[str, Content] = {f"in/{name}": PNG for name in FINE}
    files |= {f"in/{os.fsdecode(name)}": PNG for name in NO_TEXT}
    files |= {f"in/{name}": PNG for name in HIDDEN}
    failed = {name.decode("utf-8", "backslashreplace"): "name-not-utf8" for name in NO_TEXT}
    holds = len(FINE) + len(NO_TEXT) + len(HIDDEN)
    return Case("names of files", files, 1, failed, made=2 * len(FINE), holds=holds, workers=1)


def _folders() -> Case:
    used = [name for name in FOLDERS if name[0] != "."]
    files: dict[str, Content] = {f"in/{name}/a.jpg": JPEG for name in FOLDERS}
    return Case("names of folders", files, 0, made=2 * len(used), holds=len(FOLDERS))


def _ours() -> Iterator[Case]:
    for name in ("manifest.jsonl", "failures.jsonl", "summary.json"):
        yield Case(
            f"a folder called {name}", {f"in/{name}/a.jpg": JPEG, "in/dog/b.png": PNG}, 2, said="that augx itself needs"
        )


def _deep(levels: int, name: str, **outcome: object) -> Case:
    files: dict[str, Content] = {
        "in/cat/a.jpg": JPEG,
        "in/dog/b.png": PNG,
        "in/cat/" + f"{name}/" * levels + "c.png": PNG,
    }
    return Case(f"{levels} folders of {len(name)} letters", files, **outcome)  # type: ignore[arg-type]


CASES: Sequence[Case] = (
    _names(),
    _folders(),
    *_ours(),
    _deep(400, "d", exit=0, made=6),
    _deep(14, "d" * 250, exit=0, made=6),
)

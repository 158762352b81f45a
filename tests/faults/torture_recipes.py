"""Recipes that would run code, fill memory or never end, and those that are no recipes: all refused by name."""

from __future__ import annotations

import codecs
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

from torture import Case, Content, Link
from torture_images import saved

IMAGE = saved("PNG")
BASE: dict[str, Content] = {"in/cat/a.png": IMAGE, "in/dog/b.jpg": saved("JPEG")}
HEAD = "version: 1\ncopies: 1\n"
MADE = 4


def recipe(text: str | bytes, said: str, name: str = "recipe.yaml", exit: int = 2, **more: object) -> Case:
    files: dict[str, Content] = {**BASE, name: text}
    begin = text[:70] if isinstance(text, str) else text[:70].decode("latin-1")
    return Case(f"{begin} ({len(text)})", files, exit, said=said, **more)  # type: ignore[arg-type]


def steps(text: str, said: str) -> Case:
    return recipe(f"{HEAD}transforms: {text}\n", said)


TAGS = (
    "!!python/object/apply:os.system ['touch pwned']",
    "!!python/object/new:os.system ['touch pwned']",
    "!!python/name:os.system ''",
    "!!python/module:os ''",
    "!<tag:yaml.org,2002:python/object/apply:os.system> ['touch pwned']",
    "!!binary aGVsbG8=",
    "!!timestamp 2001-01-01",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!include /etc/passwd",
    "!ENV HOME",
    "! [HorizontalFlip]",
    "!!int '3'",
)
# What would be found by attribute, by import or by evaluation, and is no name of a transform.
NAMES = (
    "os", "os.system", "albumentations.os", "albumentations.HorizontalFlip", "A.HorizontalFlip", "__import__",
    "__builtins__", "__import__('os').system('touch pwned')", "eval", "exec", "Compose", "BasicTransform", "from_dict",
    "Lambda", "ReplayCompose", "__class__", "__init__", "HorizontalFlip.__init__", "horizontalflip()", "cv2", "np",
    "ToTensorV2", "../HorizontalFlip", "HorizontalFlip\\0", "${HorizontalFlip}", "{{ HorizontalFlip }}", "\u202eFlip",
    "HorizontalFlip ", "ΗorizontalFlip", "x" * 100_000, "_", "None", "TransformsHub", "load", "pickle.loads",
)  # fmt: skip


def _names() -> Iterator[Case]:
    for name in NAMES:
        quoted = '"' + name.replace('"', '\\"') + '"'
        said = "cannot be used" if name in ("Lambda", "ToTensorV2") else "unknown transform"
        yield steps(f"[{quoted}]", said)


def _text() -> Iterator[Case]:
    """What YAML itself can be made to do."""
    yield from (steps(f"[{tag}]", "tags are not used") for tag in TAGS)
    laughs = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 12))
    yield recipe(f"x0: &x0 [a, a]\n{laughs}", "values, aliases expanded")
    yield recipe(f"{HEAD}transforms: &a [*a]\n", "stands inside its own anchor")
    yield recipe(f"{HEAD}transforms: [*nowhere]\n", "has no anchor above")
    yield recipe(f"{HEAD}&copies transforms: [*copies, HorizontalFlip]\n", "unknown transform")
    yield recipe(f"{HEAD}base: &base {{p: 1}}\ntransforms: [{{HorizontalFlip: {{<<: *base}}}}]\n", "merge keys")
    for open_, close in (("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")):
        yield recipe(open_ * 100_000 + close * 100_000, "recipe.yaml:1:")
    yield recipe("a:\n" + "".join(" " * n + "a:\n" for n in range(1, 900)), "nested more than")
    yield recipe("- " * 450_000, "nested more than")
    yield recipe("#" + "x" * 20_000_000, "is larger than 1 MB")
    yield recipe("# a comment\n" * 80_000, "is empty")
    yield recipe(HEAD + "#\n" * 450_000 + "transforms: 3\n", "must be a list")
    yield recipe("\n" * 900_000, "is empty")
    yield recipe("a: 'never closed" + "x\n" * 400_000, "never closed")
    yield recipe("|\n" + " x\n" * 300_000, "must be a mapping")
    yield recipe(f"? {'k' * 900_000}\n: 1\n", "unknown key")
    yield recipe("".join(f"k{n}: 1\n" for n in range(100_000)), "values, aliases expanded")
    yield recipe(HEAD + "transforms: [" + "Flip, " * 9_000 + "]\n", "more problems than these")
    yield recipe(HEAD + "transforms: [" + ", ".join(f"x{n}" for n in range(9_000)) + "]\n", "more problems than these")
    yield recipe(HEAD + "transforms: [" + "{Blur: {x: 1}}, " * 1_900 + "]\n", "more problems than these")
    yield recipe(HEAD + "transforms: [" + "!x a, " * 9_000 + "]\n", "more problems than these")
    yield recipe(HEAD + "transforms: [" + "*x, " * 9_000 + "]\n", "more problems than these")
    yield recipe("%YAML 9.9\n---\n" + HEAD, "this YAML version")
    yield recipe("%YAML " + "9" * 5_000 + ".1\n---\n" + HEAD, "stands for nothing")
    yield recipe("%TAG ! tag:evil,2000:\n---\n" + HEAD + "transforms: [!x HorizontalFlip]\n", "tags are not used")
    yield recipe("%FOO bar\n" * 10_000 + "---\n" + HEAD, "transforms")
    yield recipe(f"{HEAD}transforms: []\n---\n{HEAD}transforms: []\n", "a second document")
    yield recipe(f"{HEAD}transforms: []\n...\nrubbish", "left over after the end")
    yield recipe(f"{HEAD}copies: 2\ntransforms: []\n", "is there twice")
    yield recipe(f"{HEAD}transforms:\n\t- HorizontalFlip\n", "a tab")
    yield recipe(f"{HEAD}transforms: ['\\0']\n".replace("\\0", "\0"), "control character U+0000")
    yield recipe(f"{HEAD}transforms: [\x1b[31mred]\n", "control character U+001B")
    yield recipe(bytes(range(128, 256)) * 9, "is not UTF-8")
    yield recipe(os.urandom(16) and bytes(5_000), "control character")
    yield recipe(f"{HEAD}transforms: []\n".encode("utf-16"), "is UTF-16")
    yield recipe(f"{HEAD}transforms: []\n".encode("utf-16-be"), "control character")
    yield recipe(f"{HEAD}transforms: []\n".encode("utf-32"), "is UTF-16")
    yield recipe(b"\xed\xa0\x80: 1\n", "is not UTF-8")
    yield recipe(codecs.BOM_UTF8 * 2 + HEAD.encode(), "recipe.yaml:1:")
    yield recipe(f'{HEAD}"\\ud800": 1\ntransforms: []\n', "recipe.yaml:")
    yield recipe(f'{HEAD}transforms: ["\\UFFFFFFFF"]\n', "stands for nothing")
    yield recipe("@: `", "cannot begin with this character")
    yield recipe("[", "recipe.yaml:1:")
    yield recipe("", "is empty")
    yield recipe("null", "must be a mapping")
    yield recipe("- HorizontalFlip", "must be a mapping")
    yield recipe("just words", "must be a mapping")
    yield recipe('{"version": 1}', "'transforms' is missing")


def _values() -> Iterator[Case]:
    """Values that are none, or would need all there is."""
    large = "9" * 900_000
    for key, said in (("seed", "too large a number"), ("copies", "too large a number"), ("balance", "too large")):
        yield recipe(f"version: 1\ntransforms: []\n{key}: {large}\n", said)
    yield recipe(f"version: {large}\ntransforms: []\n", "too large a number")
    yield recipe("version: 1\ncopies: 100001\ntransforms: []\n", "1 to 100000")
    yield recipe("version: 1\ncopies: -1\ntransforms: []\n", "1 to 100000")
    yield recipe("version: 1\ncopies: .nan\ntransforms: []\n", "whole number")
    yield recipe("version: 1\ncopies: 1e999\ntransforms: []\n", "whole number")
    yield recipe("version: 1\nseed: .inf\ntransforms: []\n", "whole number")
    yield recipe("version: 1\nseed: 0x" + "f" * 60 + "\ntransforms: []\n", "too large a number")
    yield recipe("version: true\ntransforms: []\n", "version is true")
    yield recipe(f"{HEAD}transforms: []\noutput: {{image: {{format: ../../png}}}}\n", "cannot be")
    yield recipe(f"{HEAD}transforms: []\noutput: {{path: /tmp/elsewhere}}\n", "unknown key")
    yield recipe(f"{HEAD}transforms: []\nlimits: {{pixels: -1}}\n", "limits")
    yield recipe(f"{HEAD}transforms: []\nsplit: {{val: 0.5, by: '(a+)+$'}}\n", "by")
    yield recipe(f"{HEAD}transforms: []\nlabels: {{keypoint_pairs: [[0, 1], [1e9, 2]]}}\n", "keypoint_pairs")
    for text, said in (
        ("[{HorizontalFlip: {p: .nan}}]", "p is .nan"),
        ("[{HorizontalFlip: {p: 1e400}}]", "p"),
        ("[{Affine: {rotate: [-.inf, .inf]}}]", "no finite number"),
        ("[{Affine: {scale: 1e308}}]", "Affine"),
        ("[{GaussianBlur: {blur_limit: [3, 999999999]}}]", "GaussianBlur"),
        ("[{Resize: {height: 1000000, width: 1000000}}]", "Resize"),
        ("[{PadIfNeeded: {min_height: 1000000, min_width: 1000000}}]", "PadIfNeeded"),
        ("[{CoarseDropout: {num_holes_range: [1, 1000000000]}}]", "CoarseDropout"),
        ("[{HorizontalFlip: {__class__: os}}]", "__class__"),
        ("[{HorizontalFlip: {p: {p: {p: 1}}}}]", "p"),
        ("[{HorizontalFlip: [[[[1]]]]}]", "must be a mapping"),
        ("[{Affine: {interpolation: __import__}}]", "Affine"),
        ("[{OneOf: []}]", "has no transforms"),
        ("[{SomeOf: {n: 1000000000, transforms: [HorizontalFlip]}}]", "SomeOf"),
        ("[{1: 2}]", "must be a name"),
        ("[[]]", "must name a transform"),
        ("[null]", "must name a transform"),
        ("[{}]", "must name a transform"),
        ("{HorizontalFlip: {}}", "must be a list"),
        ("[{Lambda: {image: 'lambda x: x'}}]", "cannot be used"),
        ("[{FDA: {reference_images: [/etc/passwd], read_fn: eval}}]", "FDA"),
        ("[{TemplateTransform: {templates: /etc/passwd}}]", "TemplateTransform"),
        ("[{OverlayElements: {metadata_key: __class__}}]", "OverlayElements"),
    ):
        yield steps(text, said)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = os.getcwd()
        os.chdir(path.parent)  # a path of a socket is short
        one.bind(path.name)
        os.chdir(here)


def _files() -> Iterator[Case]:
    """What a recipe names beside itself, and what lies in a recipe's place."""
    for name, content, said in (
        ("pipe", _pipe, "is no regular file"),
        ("socket", _socket, "is no regular file"),
        ("device", Link("/dev/zero"), "is no regular file"),
        ("folder", lambda path: path.mkdir(), "is a folder"),
        ("nothing", Link("nowhere"), "there is no such file"),
        ("loop", Link("recipe.yaml"), "cannot be read"),
        ("below itself", Link("recipe.yaml/x"), "cannot be read"),
    ):
        yield Case(f"a {name} for a recipe", {**BASE, "recipe.yaml": content}, 2, said=said)
    for word, said in (
        ("../../../etc/passwd", "there is no such file"), ("/dev/zero.yaml", "there is no such file"),
        ("/dev/null", "is no regular file"), ("x" * 5_000 + ".yaml", "cannot be read"), ("no\udcffone", "bundled"),
        ("https://example.org/recipe.yaml", "there is no such file"), ("-", "is empty"), ("\n", "bundled"),
        ("$(touch pwned)", "bundled"), ("gentel", "did you mean 'gentle'"),
    ):  # fmt: skip
        yield Case(f"-r {word[:40]!r}", BASE, 2, words=("run", "in", "out", "-r", word), said=said)
    policies = "version: 1\npolicies: []\n"
    for name, more, said in (
        ("../../../../../../../../etc/passwd", {}, "is no policy"),
        ("/etc/passwd", {}, "is no policy"),
        ("/dev/zero", {}, "there is no file"),
        ("pipe", {"pipe": _pipe}, "there is no file"),
        ("in", {}, "there is no file"),
        ("nul\\0", {}, "there is no file"),
        ("x" * 5_000, {}, "there is no file"),
        ("p.yaml", {"p.yaml": policies}, "polic"),
        ("p.yaml", {"p.yaml": "policies: !!python/name:os.system ''\nversion: 1\n"}, "tags are not used"),
        ("p.yaml", {"p.yaml": "version: 1\npolicies: " + "[" * 100_000}, "is no policy"),
        ("p.yaml", {"p.yaml": "version: 1\npolicies: [[[os.system, 1, 1]]]\n"}, "polic"),
        ("p.yaml", {"p.yaml": "#" * 2_000_000}, "is no policy"),
        ("p.yaml", {"p.yaml": b"\xff\xfe"}, "is no policy"),
        ("https://example.org/p.yaml", {}, "there is no file"),
    ):  # fmt: skip
        files: dict[str, Content] = {**BASE, **more}
        files["recipe.yaml"] = f'{HEAD}transforms: [{{policy: "{name}"}}]\n'
        yield Case(f"policy: {name[:40]} {str(more)[:80]}", files, 2, said=said)
    for name, more, said in (
        ("../../../../../../../../etc", {}, "holds no image"),
        ("/etc", {}, "holds no image"),
        ("/dev/zero", {}, "there is no folder"),
        ("pipe", {"pipe": _pipe}, "there is no folder"),
        ("pipes", {"pipes/a.png": _pipe}, "holds no image"),
        ("links", {"links/a.png": Link("/dev/zero")}, "holds no image"),
        ("nul\\0", {}, "there is no folder"),
        ("", {}, "folder"),
    ):  # fmt: skip
        text = f'{HEAD}transforms: [{{background: {{folder: "{name}", p: 1}}}}]\n'
        yield Case(f"background: {name} {list(more)} {said}", {**BASE, **more, "recipe.yaml": text}, 2, said=said)


REFUSED: Sequence[Case] = (*_names(), *_text(), *_values(), *_files())
CASES: Sequence[Case] = (
    *REFUSED,
    recipe(codecs.BOM_UTF8 + f"{HEAD}transforms: []\n".encode(), "", exit=0, made=MADE),
    recipe(f"{HEAD}transforms: &a [&b HorizontalFlip, *b]\n", "", exit=0, made=MADE),
    recipe(f"%YAML 1.2\n---\n{HEAD}transforms: []\n...\n", "", exit=0, made=MADE),
    recipe(f"{HEAD}transforms: [{'HorizontalFlip, ' * 900}]\n", "", exit=0, made=MADE),
)

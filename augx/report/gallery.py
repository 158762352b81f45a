"""The pictures of a report, which can be filtered by class, transform and verdict."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence

from augx.drawing.page import plain
from augx.drawing.sheet import NAMED, rest
from augx.report.figures import Figures
from augx.report.pictures import Shot

LABELS: Mapping[str, tuple[str, str]] = {  # flag of a picture -> the metric it is one of, and words
    "destroyed": ("destroyed", "destroyed"),
    "near": ("nearly_equal", "nearly equal"),
    "equal": ("equal_images", "equal"),
    "lost": ("lost_objects", "lost objects"),
}
_FEW = 24  # classes whose colours are shown unasked
_MOST_BYTES = 5 << 20  # of pictures: with the rest and as text, a page stays below 8 MB


def gallery(figures: Figures) -> Iterator[str]:
    shots = list(_within(figures.shots))
    classes = sorted({name for shot in shots for name in _classes(shot)})
    transforms = sorted({name for shot in shots for name in _transforms(shot)})
    flags = [flag for flag in LABELS if any(flag in shot.flags for shot in shots)]
    yield f"<p>{len(shots)} of them, spread over all; "
    yield 'sources have a <span class="key b">line above</span>. Labels are drawn.</p>'
    yield '<fieldset class="filters" hidden><legend class="muted">Show</legend>'
    yield _select("classes", "class", {name: name for name in classes})
    yield _select("transforms", "transform", {name: name for name in transforms})
    yield _select("verdicts", "verdict", {flag: LABELS[flag][1] for flag in flags})
    yield '<button type="button" id="all">all</button><output id="shown" aria-live="polite"></output></fieldset>'
    if figures.colours:
        names = sorted(figures.colours, key=lambda name: (name.isdecimal(), int(name) if name.isdecimal() else 0, name))
        legend = " ".join(_colour(name, figures.colours[name]) for name in names[:NAMED])
        legend += f" {rest(figures.colours)}"
        yield f"<details{' open' if len(names) <= _FEW else ''}><summary>Colours</summary>{legend}</details>"
    yield '<div class="gallery">'
    yield from map(_figure, shots)
    yield '</div><button type="button" id="more" hidden></button>'


def _within(shots: Sequence[Shot]) -> Iterator[Shot]:
    left = _MOST_BYTES
    for shot in shots:
        left -= len(shot.webp)
        if left < 0:
            return
        yield shot


def _select(name: str, label: str, options: Mapping[str, str]) -> str:
    if not options:
        return ""
    lines = "".join(f'<option value="{plain(value)}">{plain(text)}</option>' for value, text in options.items())
    return f'<label>{label}<select name="{name}"><option value="">any</option>{lines}</select></label>'


def _colour(name: str, colour: tuple[int, int, int]) -> str:
    red, green, blue = colour
    square = f'<span class="bar" style="width:.8em;background:#{red:02x}{green:02x}{blue:02x}"></span>'
    return f'<span class="class">{square} {plain(name)}</span>'


def _figure(shot: Shot) -> str:
    row, data = shot.row, base64.b64encode(shot.webp).decode()
    copy = row["copy"]
    kept = {"classes": _classes(shot), "transforms": _transforms(shot), "verdicts": shot.flags}
    told = " ".join(f'data-{key}="{plain(chr(10).join(values))}"' for key, values in kept.items())
    flags = "".join(f'<br><span class="flag">{_breakable(words)}</span>' for words in shot.why)
    drawn = _breakable(", ".join(_transforms(shot)))
    what = f"copy {copy}" if copy else "source"
    return (
        f'<figure class="{"copy" if copy else "source"}" {told}>'
        f'<img decoding="async" src="data:image/webp;base64,{data}" width="{shot.width}" height="{shot.height}" '
        f'alt="{plain(shot.alt)}"><figcaption><b>{what}</b> {_breakable(row["file_name"])}{flags}'
        f"{f'<br><span class=muted>{drawn}</span>' if drawn else ''}</figcaption></figure>\n"
    )


def _breakable(text: str) -> str:
    """That may go on in the next line behind a slash or a joint of a name, and within a long name of a transform."""
    text = re.sub(r"(?<=[/_])(?=\w)", "<wbr>", plain(text))
    return re.sub(r"[A-Za-z]{17,}", lambda found: re.sub(r"(?<=[a-z])(?=[A-Z])", "<wbr>", found[0]), text)


def _classes(shot: Shot) -> list[str]:
    objects = (thing["label"] for thing in shot.row["objects"] if thing["label"] is not None)
    return list(dict.fromkeys([*shot.row["labels"], *objects]))


def _transforms(shot: Shot) -> list[str]:
    return list(dict.fromkeys(one["name"] for one in shot.row["transforms"]))

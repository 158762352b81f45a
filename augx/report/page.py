"""The report as one HTML file: verdicts first, then pictures to filter, then figures. Nothing is fetched from anywhere;
without its script all is shown, and nothing filtered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from augx.drawing.page import plain
from augx.model import Json
from augx.report import charts, probed
from augx.report.figures import Figures
from augx.report.gallery import LABELS, gallery
from augx.report.verdicts import Verdict, verdicts

_HERE = Path(__file__).parent
_MOST_CLASSES = 60  # rows of a table that are shown unless asked for
_MARKS = {"good": "✓", "note": "•", "warning": "!", "error": "✗"}
_KEY = '<p><span class="key b">— sources</span> · <span class="key a">■ copies</span></p>'


def page(figures: Figures, name: str) -> str:
    """`name`: of OUTPUT."""
    told = figures.told
    found = verdicts(told)
    flags = {flag for shot in figures.shots for flag in shot.flags}
    made = told["made"]
    words = (
        f"{made['images']:,} images, {made['originals']:,} originals and {made['copies']:,} copies"
        f"{', ' + format(count, ',') + ' of them generated' if (count := told['generated']['count']) else ''}, from "
        f"{made['sources']:,} sources: {size(made['bytes'])}. Made by augx {told['augx']}."
    )
    sections = {
        "verdicts": ("Verdicts", _verdicts(found, flags)),
        **({"probe": (probed.TITLE, probed.section(told["probe"]))} if "probe" in told else {}),
        "gallery": ("Pictures", gallery(figures)),
        "classes": ("Classes", _classes(told)),
        "distributions": ("Distributions", _distributions(told)),
        "transforms": ("Transforms", _transforms(told)),
        "failures": ("Failures and warnings", _failures(told)),
        "made": ("How it was made", _made(told)),
    }
    links = "".join(f'<a href="#{key}">{title}</a>' for key, (title, _) in sections.items())
    parts = [
        _head(name),
        f'<header><h1>{plain(name)}</h1><p>{plain(words)}</p><nav aria-label="sections">{links}</nav></header><main>',
        *(_section(key, title, inside) for key, (title, inside) in sections.items()),
        f"</main><script>{(_HERE / 'page.js').read_text('utf-8')}</script></body></html>\n",
    ]
    return "\n".join(parts)


def probe_page(told: Json) -> str:
    """The page of a probe alone. `told`: as `probed.read` gives it."""
    section = _section("probe", probed.TITLE, probed.section(told))
    return f"{_head(probed.TITLE)}<main>{section}<p>Made by augx {plain(told['augx'])}.</p></main></body></html>\n"


def size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _head(name: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{plain(name)}: augx report</title><link rel="icon" href="data:,">'
        f"<style>{(_HERE / 'page.css').read_text('utf-8')}</style></head><body>"
    )


def _section(name: str, title: str, parts: Iterable[str]) -> str:
    return f'<section id="{name}" aria-labelledby="h-{name}"><h2 id="h-{name}">{title}</h2>{"".join(parts)}</section>'


def _verdicts(found: Sequence[Verdict], flags: set[str]) -> Iterator[str]:
    yield '<ul class="verdicts">'
    for one in found:
        way_out = f'<p class="muted">{_code(one.way_out)}</p>' if one.way_out else ""
        flag = next((flag for flag, (metric, _) in LABELS.items() if metric == one.metric and flag in flags), "")
        button = f'<button hidden data-verdict="{flag}">show them</button>' if flag else ""
        yield (
            f'<li class="{one.level}"><span class="level"><span aria-hidden="true">{_MARKS[one.level]}</span> '
            f"{one.level}</span><b>{plain(one.title)}</b>{plain(one.words)}{way_out}{button}</li>"
        )
    yield "</ul>"


def _code(text: str) -> str:
    """Words with `code` in them."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", plain(text))


def _classes(told: Json) -> Iterator[str]:
    rows = sorted(
        told["classes"].items(), key=lambda one: (-one[1]["objects"]["after"], -one[1]["images"]["after"], one[0])
    )
    most = max((one["images"]["after"] for _, one in rows), default=1) or 1
    counted = any(one["objects"]["after"] for _, one in rows)
    head = ["class", "images before", "after", ""] + (["objects before", "after", "lost in copies"] if counted else [])

    def line(name: str, one: Json) -> list[str]:
        images, objects, lost = one["images"], one["objects"], one["lost"]
        bar = f'<span class="bar" style="width:{images["after"] * 8 / most:.1f}em"></span>'
        cells = [plain(name), f"{images['before']:,}", f"{images['after']:,}", bar]
        share = f" ({lost['count'] / lost['of']:.1%})" if lost["count"] else ""
        more = [f"{objects['before']:,}", f"{objects['after']:,}", f"{lost['count']:,}{share}"]
        return cells + (more if counted else [])

    lines = [line(name, one) for name, one in rows]
    if told["classes"].keys() == {"(none)"}:
        yield "<p>No image and no object has a class; those in masks are not counted.</p>"
    else:
        yield _table(head, lines[:_MOST_CLASSES], kinds={3: "drawn"})
    if len(lines) > _MOST_CLASSES:
        rest = _table(head, lines[_MOST_CLASSES:], kinds={3: "drawn"})
        yield f"<details><summary>{len(lines) - _MOST_CLASSES} more</summary>{rest}</details>"
    if told["splits"]:
        counts = [[plain(name), f"{one['before']:,}", f"{one['after']:,}"] for name, one in told["splits"].items()]
        yield "<h3>Splits</h3>" + _table(["split", "sources", "images after"], counts)


def _distributions(told: Json) -> Iterator[str]:
    boxes, pictures = told["boxes"], told["pictures"]
    if boxes["after"]["count"]:
        yield "<h3>Boxes</h3><p>" + f"{boxes['before']['count']:,} in sources, {boxes['after']['count']:,} in copies. "
        yield "Sizes: width to the right, height downwards, from 1/256 of the picture to all of it.</p>"
        yield '<div class="charts">'
        for when, was in (("before", True), ("after", False)):
            of = "sources" if was else "copies"
            if boxes[when]["count"]:
                words = f"heat map of where the centres of {boxes[when]['count']:,} boxes lie in {of}"
                yield charts.heat_map(f"where they lie, {of}", words, boxes[when]["places"], was)
                words = f"heat map of the widths and heights of {boxes[when]['count']:,} boxes in {of}"
                yield charts.heat_map(f"how large they are, {of}", words, boxes[when]["sizes"], was)
        yield "</div>"
    boxed = told["box_growth"]["count"] or told["visibility_of_lost"]["count"]
    yield f"<h3>Pictures{' and boxes' if boxed else ''}</h3>{_KEY}" + '<div class="charts">'
    brightness, aspects = pictures["brightness"], told["aspect_ratio_log2"]
    for name, pair, ends in (
        ("brightness of those looked at", brightness, ("black", "white")),
        ("width to height", aspects, ("1:4", "4:1")),
    ):
        if pair["after"]["count"]:
            yield charts.histogram(name, pair["after"], pair["before"], ends)
    if told["box_growth"]["count"]:
        yield charts.histogram("boxes of turned pictures: area to what was turned", told["box_growth"])
    if told["visibility_of_lost"]["count"]:
        yield charts.histogram("what was left to see of lost objects", told["visibility_of_lost"])
    if told["made"]["images"]:
        yield charts.histogram("bytes of an image", told["made"]["bytes_of_an_image"])
    yield "</div>"


def _transforms(told: Json) -> Iterator[str]:
    if not told["transforms"]:
        yield "<p>None was applied.</p>"
    for name, one in told["transforms"].items():
        lost, copies = one["lost_objects"], "1 copy" if one["images"] == 1 else f"{one['images']:,} copies"
        gone = f", {lost['count'] / lost['of']:.1%} of objects lost in them" if lost["of"] else ""
        yield f"<details><summary><b>{plain(name)}</b>: {copies} ({one['share']:.0%}){gone}"
        cpu = f"about {one['cpu_seconds']:,.1f} s" if one["cpu_seconds"] >= 0.05 else "hardly any"
        yield f", {cpu} of CPU</summary>"
        yield '<div class="charts">'
        for key, drawn in one["arguments"].items():
            if "words" in drawn:
                yield charts.bars(key, drawn["words"])
            elif drawn["low"] == drawn["high"]:
                yield f"<p>{plain(key)}: always {charts.number(drawn['low'])}</p>"
            else:
                yield charts.histogram(key, drawn)
        yield "</div></details>"


def _failures(told: Json) -> Iterator[str]:
    if not told["failures"]:
        yield "<p>No image failed.</p>"
    else:
        rows = [
            [f"<code>{plain(code)}</code>", f"{one['count']:,}", plain(_first(one["first"]))]
            for code, one in told["failures"].items()
        ]
        yield _table(["reason", "images", "the first"], rows, kinds={2: "words"})
    if told["warnings"]:
        yield _table(
            ["warning", "times"], [[f"<code>{plain(code)}</code>", f"{n:,}"] for code, n in told["warnings"].items()]
        )
    yield '<p class="muted"><code>augx show CODE</code> explains each.</p>'


def _first(row: Json) -> str:
    return f"{row['source']}: {row['message']}" if row else ""


def _made(told: Json) -> Iterator[str]:
    formats = told["formats"]
    rows = [[plain(name), plain(str(value))] for name, value in told["versions"].items()]
    yield f"<p>Read as {plain(formats['read'])}, written as {plain(', '.join(formats['written']))}. "
    yield f"Plan <code>{plain(told['plan'][:16])}</code>.</p>"
    yield "<details open><summary>Recipe, with all defaults</summary>"
    yield f'<pre tabindex="0">{plain(recipe(told))}</pre></details>'
    yield f"<details><summary>Versions</summary>{_table(['what', 'version'], rows)}</details>"


def recipe(told: Json) -> str:
    """The recipe, a line for each key and each transform: JSON, which is YAML."""
    lines = []
    for key, value in told["recipe"].items():
        if key == "transforms":
            lines += ["transforms:", *(f"  - {json.dumps(step, ensure_ascii=False)}" for step in value)]
        else:
            lines.append(f"{key}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], kinds: Mapping[int, str] = MappingProxyType({})) -> str:
    """`kinds`: of columns, for the style: "words", or "drawn", which goes where there is no room."""

    def line(tag: str, row: Sequence[str]) -> str:
        classes = (f' class="{kinds[number]}"' if number in kinds else "" for number in range(len(row)))
        cells = zip(classes, row, strict=True)
        return "".join(f"<{tag}{kind}>{cell}</{tag.partition(' ')[0]}>" for kind, cell in cells)

    titles = line('th scope="col"', head)
    lines = "".join(f"<tr>{line('td', row)}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0"><table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table></div>'
    )

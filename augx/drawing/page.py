"""A contact sheet as one HTML file, with its pictures in it: no script, no request to anywhere."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from itertools import islice

from augx import images
from augx.drawing.sheet import NAMED, Legend, Row, Tile, rest
from augx.model import ImageOptions, Picture

_QUALITY = 85
_JOINERS = "\u200c\u200d"
_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #101418; --muted: #545c64; --paper: #fff; --blank: #eef0f2;
  --error: #a02814; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #eceff1; --muted: #a8b0b8; --paper: #15191d; --blank: #23292f; --error: #ff9b85; }}
}}
body {{ margin: 1rem; background: var(--paper); color: var(--ink); font: 14px/1.35 system-ui, sans-serif; }}
h1 {{ font-size: 1.2rem; }}
h2 {{ font-size: 1rem; margin: 1.2rem 0 .4rem; overflow-wrap: anywhere; }}
.says {{ margin: 0 0 .3rem; max-width: 60rem; color: var(--muted); overflow-wrap: anywhere; }}
.row {{ display: grid; gap: .7rem;
  grid-template-columns: repeat(auto-fill, minmax(min(.9 * {cell}px, 50% - .4rem), 1fr)); }}
figure {{ margin: 0; }}
img, .none, .frame {{ display: block; max-width: 100%; height: auto; }}
.none {{ background: var(--blank); color: var(--error); padding: .6rem; min-height: 6rem; overflow-wrap: anywhere; }}
figcaption small {{ display: block; color: var(--muted); overflow-wrap: anywhere; }}
figure[tabindex]:focus {{ outline: 3px solid #0072b2; outline-offset: 2px; }}
.legend {{ display: flex; flex-wrap: wrap; gap: .3rem 1rem; padding: 0; list-style: none; }}
.legend i {{ display: inline-block; width: .8em; height: .8em; margin-right: .4em; border: 1px solid #101418; }}
@media (min-width: 700px) {{
  figure[tabindex]:focus img {{ position: fixed; inset: 0; margin: auto; width: auto; height: auto; max-width: 96vw;
    max-height: 96vh; min-width: 60vw; object-fit: contain; background: var(--paper); z-index: 1; }}
}}
@media print {{
  :root {{ --ink: #000; --muted: #444; --paper: #fff; --blank: #eee; --error: #a02814; }}
  body {{ margin: 0; font-size: 9px; }}
  h2 {{ break-after: avoid; margin: .6rem 0 .2rem; font-size: 11px; }}
  .row {{ grid-template-columns: repeat(6, minmax(0, 1fr)); gap: .3rem; }}
  figure {{ break-inside: avoid; }}
  .legend i {{ print-color-adjust: exact; -webkit-print-color-adjust: exact; }}
}}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{words}</p>
"""


def page(rows: Sequence[Row], legend: Legend, title: str, words: str, cell: int) -> str:
    """`cell`: CSS pixels a tile is wide at most."""
    return "".join(_parts(rows, legend, title, words, cell))


def _parts(rows: Sequence[Row], legend: Legend, title: str, words: str, cell: int) -> Iterator[str]:
    yield _HEAD.format(title=plain(title), words=plain(words), cell=cell)
    if legend:
        yield '<ul class="legend" aria-label="colours of classes">\n'
        for name, (red, green, blue) in islice(legend.items(), NAMED):
            yield f'<li><i style="background:#{red:02x}{green:02x}{blue:02x}"></i>{plain(name)}</li>\n'
        yield (f"<li>{rest(legend)}</li>\n" if rest(legend) else "") + "</ul>\n"
    for row in rows:
        says = "".join(f'<p class="says">{plain(text)}</p>\n' for text in row.says)
        yield f'<section>\n<h2>{plain(row.title)}</h2>\n{says}<div class="row">\n'
        for tile in row.tiles:
            yield _figure(tile)
        yield "</div>\n</section>\n"
    yield "</body>\n</html>\n"


def plain(text: str) -> str:
    """For HTML: escaped, and without controls, such as those that turn the direction of writing."""
    return escape(harmless(text))


def harmless(text: str) -> str:
    """With a mark for each control; joiners, which Persian and emoji need, stay."""
    return "".join(one if one.isprintable() or one.isspace() or one in _JOINERS else "�" for one in text)


def _figure(tile: Tile) -> str:
    caption = plain(tile.caption)
    if tile.pixels is None:
        return f'<figure><div class="none">{plain(tile.says)}</div><figcaption>{caption}</figcaption></figure>\n'
    data = base64.b64encode(images.encode(Picture(tile.pixels), ".webp", ImageOptions(quality=_QUALITY))).decode()
    height, width = tile.pixels.shape[:2]
    says = f"<small>{plain(tile.says)}</small>" if tile.says else ""
    return (
        f'<figure tabindex="0"><div class="frame" style="width:{width}px;aspect-ratio:{width}/{height}">'
        f'<img src="data:image/webp;base64,{data}" width="{width}" height="{height}" '
        f'alt="{plain(tile.alt)}"></div><figcaption>{caption}{says}</figcaption></figure>\n'
    )

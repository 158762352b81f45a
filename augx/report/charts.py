"""Charts as SVG: two colours, which the page gives them, and words for who cannot see them."""

from __future__ import annotations

from collections.abc import Sequence

from augx.drawing.page import plain
from augx.model import Json

_WIDE, _HIGH = 240, 90  # pixels
_TEXT = 14  # below, for the ends of the axis
_CELL = 7
_BROAD, _NAMES, _LINE = 420, 110, 16  # of intervals: all, names, a row
_LETTERS = 18  # of a name there


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def histogram(name: str, after: Json, before: Json | None = None, ends: tuple[str, str] | None = None) -> str:
    """`after` as bars and `before` as a line, both as shares of their own; as `Sample.told` says them. `ends`: of the
    axis, where they are no numbers."""
    low, high = ends or (number(after["low"]), number(after["high"]))
    parts = [f'<path class="after" d="{_bars(after["counts"])}"/>']
    words = f"{name}, from {low} to {high}; median {number(after['median'])}"
    if before is not None and before["count"]:
        parts.append(f'<path class="before" d="{_steps(before["counts"])}"/>')
        words += f", before {number(before['median'])}"
    parts.append(f'<text x="1" y="{_HIGH + _TEXT - 3}">{plain(low)}</text>')
    parts.append(f'<text x="{_WIDE - 1}" y="{_HIGH + _TEXT - 3}" text-anchor="end">{plain(high)}</text>')
    return _figure(name, words, _WIDE, _HIGH + _TEXT, parts)


def heat_map(name: str, words: str, rows: Sequence[Sequence[int]], was: bool) -> str:
    """A grid of counts; the darker, the more."""
    most = max((max(row) for row in rows), default=0) or 1
    kind = "cell was" if was else "cell"
    parts = [
        f'<rect class="{kind}" x="{column * _CELL}" y="{line * _CELL}" width="{_CELL}" height="{_CELL}" '
        f'fill-opacity="{(count / most) ** 0.5:.2f}"/>'
        for line, row in enumerate(rows)
        for column, count in enumerate(row)
        if count
    ]
    side = len(rows) * _CELL
    return _figure(name, words, side, side, parts)


def bars(name: str, counts: dict[str, int]) -> str:
    """A bar for each word."""
    most = max(counts.values(), default=1)
    rows = "".join(
        f'<tr><td>{plain(word)}</td><td>{count:,}</td><td class="words"><span class="bar" '
        f'style="width:{max(count * 8 / most, 0.1):.1f}em"></span></td></tr>'
        for word, count in sorted(counts.items(), key=lambda one: -one[1])
    )
    return f"<figure><figcaption>{plain(name)}</figcaption><table><tbody>{rows}</tbody></table></figure>"


def intervals(name: str, rows: Sequence[tuple[str, float, float]]) -> str:
    """A point and a line for each name, mean and margin, about zero; the first is the one that counts."""
    reach = max(max(abs(mean) + margin for _, mean, margin in rows), 0.1)
    middle = _NAMES + (_BROAD - _NAMES) / 2

    def at(value: float) -> float:
        return middle + value / reach * (_BROAD - _NAMES) / 2.1

    bottom = len(rows) * _LINE + 4
    parts = [f'<path class="zero" d="M{middle:.1f} 2V{bottom}"/>']
    for number, (title, mean, margin) in enumerate(rows):
        y = number * _LINE + _LINE / 2 + 2
        kind = "interval all" if number == 0 else "interval"
        ends = f"M{at(mean - margin):.1f} {y:.1f}H{at(mean + margin):.1f}"
        parts.append(f'<text x="{_NAMES - 6}" y="{y + 3.5:.1f}" text-anchor="end">{plain(_cut(title))}</text>')
        parts.append(
            f'<path class="{kind}" d="{ends}"/><circle class="{kind}" cx="{at(mean):.1f}" cy="{y:.1f}" r="3"/>'
        )
    for value, said, anchor in (
        (-reach, f"{-reach:.1f}", "start"),
        (0.0, "0", "middle"),
        (reach, f"+{reach:.1f}", "end"),
    ):
        parts.append(f'<text x="{at(value):.1f}" y="{bottom + 12}" text-anchor="{anchor}">{said}</text>')
    words = f"{name}: " + "; ".join(f"{title} {mean:+.1f} ± {margin:.1f}" for title, mean, margin in rows)
    return _figure(name, words, _BROAD, bottom + 16, parts)


def _cut(text: str) -> str:
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def _figure(name: str, words: str, width: int, height: int, parts: Sequence[str]) -> str:
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    drawing = f'<svg role="img" aria-label="{plain(words)}" {size}>{"".join(parts)}</svg>'
    return f'<figure style="width:{width}px">{drawing}<figcaption>{plain(name)}</figcaption></figure>'


def _heights(counts: Sequence[int]) -> list[float]:
    most = max(counts, default=0) or 1
    return [count / most * (_HIGH - 4) for count in counts]


def _bars(counts: Sequence[int]) -> str:
    wide = _WIDE / len(counts)
    return "".join(
        f"M{number * wide:.1f} {_HIGH}v{-high:.1f}h{wide - 1:.1f}v{high:.1f}z"
        for number, high in enumerate(_heights(counts))
        if high
    )


def _steps(counts: Sequence[int]) -> str:
    wide = _WIDE / len(counts)
    return f"M0 {_HIGH}" + "".join(f"V{_HIGH - high:.1f}h{wide:.2f}" for high in _heights(counts)) + f"V{_HIGH}"

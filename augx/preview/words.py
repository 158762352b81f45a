"""What a sheet says of its pictures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from augx.model import Annotations, Applied, Json, Sample, Step

_CAPTIONS, _LONGEST, _BRIEF = 2, 200, 40  # of a source that are told; letters of one, and of one that was mixed in
_MOST = 4  # drawn arguments that are told
_INNER = frozenset(("seed", "random_seed", "matrix", "shape", "output_shape"))  # of no use to a person


def number(value: Json) -> str:
    """As a person would write it: 0.333, not 0.3333333."""
    return str(value) if isinstance(value, (bool, str)) else f"{value:.4g}"


def classes(weights: Mapping[str, float]) -> str:
    shares = {
        name: "" if weight == 1 else f" {weight:.2f}" if weight >= 0.01 else " <0.01"
        for name, weight in weights.items()
    }
    return ", ".join(name + share for name, share in shares.items())


def of_source(sample: Sample, copies: Sequence[int], rule: str) -> str:
    """The title of a row. `rule`: what the row is there for, such as a class."""
    parts = [rule, sample.id, classes(sample.annotations.labels), sample.split or ""]
    parts += [] if copies[-1] else ["is not multiplied"]
    return " · ".join(filter(None, parts))


def of_captions(captions: Sequence[str]) -> tuple[str, ...]:
    """The first ones, and how many more there are."""
    more = [f"and {len(captions) - _CAPTIONS} more"] if len(captions) > _CAPTIONS else []
    return (*map(_quoted, captions[:_CAPTIONS]), *more)


def of_row(row: Mapping[str, Json], source: Annotations) -> str:
    """What became of the labels, and what was applied."""
    parts = [] if row["labels"] == source.labels else [classes(row["labels"])]
    parts += [f"also {_quoted(one, _BRIEF)}" for one in row["captions"] if one not in source.captions]
    lost = len(row["dropped"])
    if lost:
        parts.append(f"lost {lost} of {lost + len(row['objects'])} objects")
    if row["equals"] is not None:
        parts.append(f"equals copy {row['equals']}" if row["equals"] else "equals the source")
    parts.append(", ".join(one["name"] for one in row["transforms"]) or "nothing drawn")
    return " · ".join(parts)


def of_applied(applied: Sequence[Applied], name: str, lost: int) -> str:
    """How many objects were lost, and transforms with what was drawn for them; the name only of those that are not
    `name`."""
    parts = [" ".join(filter(None, ["" if one.name == name else one.name, _drawn(one)])) for one in applied]
    parts = [f"lost {_counted(lost)}" if lost else "", "; ".join(filter(None, parts))]
    return " · ".join(filter(None, parts))


def of_step(step: Step) -> str:
    """A step as it stands in the recipe."""
    args = [f"{key}: {_short(value)}" for key, value in step.args.items()]
    return f"{step.name} {', '.join(args)}".strip()


def _quoted(text: str, most: int = _LONGEST) -> str:
    """With its end cut off at a word, if it has words that short."""
    text = " ".join(text.split())
    if len(text) > most:
        text = f"{text[: text.rfind(' ', most // 2, most)] if ' ' in text[most // 2 : most] else text[: most - 1]}…"
    return f"“{text}”"


def _drawn(one: Applied) -> str:
    told = [f"{key} {text}" for key, value in one.params.items() if key not in _INNER and (text := _value(value))]
    return ", ".join(told[:_MOST])


def _counted(objects: int) -> str:
    return "1 object" if objects == 1 else f"{objects} objects"


def _value(value: Json) -> str:
    """ "" for what is not a number or a text, nor two or three of them."""
    if isinstance(value, Mapping):
        texts = [f"{key} {_value(one)}" for key, one in value.items()]
        alike = len({_value(one) for one in value.values()}) == 1
        return _value(next(iter(value.values()))) if alike else " ".join(texts) if _few(value.values()) else ""
    if isinstance(value, (list, tuple)):
        return " ".join(map(number, value)) if _few(value) else ""
    return number(value) if _few([value]) else ""


def _few(values: Collection[Json]) -> bool:
    """Whether they are few, and nothing but numbers and texts."""
    return 0 < len(values) <= 3 and all(isinstance(one, (int, float, str)) for one in values)


def _short(value: Json) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_short, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_short(one)}' for key, one in value.items())}}}"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else number(value)

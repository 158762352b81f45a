"""What was applied, as the rows say: how often, with which arguments, what it cost and what was lost with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from augx.model import Json
from augx.report.counts import Sample, Words, tidy
from augx.transforms.catalog import TRANSFORMS

_INNER = frozenset(("seed", "random_seed", "shape", "output_shape", "partners", "files"))
_MOST = 12  # arguments of one transform


class Use:
    """Of one transform. `images`: in which it was used at least once."""

    def __init__(self, name: str) -> None:
        self.uses = self.images = self.lost = self.objects = 0
        self.megapixels = 0.0
        self.arguments: dict[str, Sample | Words] = {}
        entry = TRANSFORMS.get(name)
        self.seconds = entry.seconds if entry else 0.0

    def add(self, params: Mapping[str, Json]) -> None:
        self.uses += 1
        for key, value in _plain(params):
            if key not in self.arguments and len(self.arguments) >= _MOST:
                continue
            kind = Words if isinstance(value, (str, bool)) else Sample
            known = self.arguments.setdefault(key, kind())
            if isinstance(known, Words):
                known.add(str(value).lower() if isinstance(value, bool) else str(value))
            elif isinstance(value, (int, float)):
                known.add(value)

    def told(self, copies: int) -> dict[str, Json]:
        return {
            "uses": self.uses,
            "images": self.images,
            "share": tidy(self.images / copies) if copies else 0,
            "lost_objects": {"count": self.lost, "of": self.objects},
            "cpu_seconds": tidy(self.megapixels * self.seconds),
            "arguments": {
                key: one.told() if isinstance(one, Sample) else {"words": one.counts}
                for key, one in sorted(self.arguments.items())
            },
        }


class Uses:
    """Of all transforms."""

    def __init__(self) -> None:
        self._uses: dict[str, Use] = {}

    def add(self, row: Mapping[str, Json]) -> None:
        lost, kept = len(row["dropped"]), len(row["objects"])
        seen: set[str] = set()
        for one in row["transforms"]:
            use = self._uses.setdefault(one["name"], Use(one["name"]))
            use.add(one["params"])
            use.megapixels += row["width"] * row["height"] / 1e6
            if one["name"] not in seen:
                seen.add(one["name"])
                use.images += 1
                use.lost += lost
                use.objects += lost + kept

    def told(self, copies: int) -> dict[str, Json]:
        """The most used ones first. `cpu_seconds`: an estimate, from what they cost a megapixel as a rule."""
        order = sorted(self._uses.items(), key=lambda one: (-one[1].images, one[0]))
        return {name: use.told(copies) for name, use in order}


def _plain(params: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Numbers and words, those of small mappings too: `scale.x`."""
    for key, value in params.items():
        if key in _INNER:
            continue
        if isinstance(value, (bool, int, float, str)):
            yield key, value
        elif isinstance(value, Mapping) and len(value) <= 3:
            yield from ((f"{key}.{k}", v) for k, v in value.items() if isinstance(v, (int, float)))

"""What the figures come to: metrics, each a number that a gate can hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from augx.errors import Refused
from augx.model import Json

_SEVERAL = 20  # objects of a class, before its share says anything
_SEEN = ("nearly_equal", "destroyed")  # by looking at pictures
_GATE = re.compile(r"\s*([A-Za-z_]+)\s*>\s*([0-9]+(?:\.[0-9]+)?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Metric:
    """`of`: what the count is a part of; None for a number that stands for itself. `what`: as in "5 of 100 objects".
    `lacks`: what there is none of to measure; "" where there is."""

    count: float
    of: float | None = None
    what: str = ""
    lacks: str = ""

    @property
    def nothing(self) -> str:
        """Why it says nothing; "" where it does."""
        return self.lacks or (f"0 {self.what}" if self.of == 0 else "")

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else 0.0

    def words(self) -> str:
        if self.of is None:
            return f"{self.count:,.4g}"
        return f"{self.count:,.0f} of {self.of:,.0f} {self.what}" + (f" ({self.share:.1%})" if self.count else "")


def metrics(told: Json) -> dict[str, Metric]:
    """Name -> number, as `--fail-on` takes them."""
    made, pictures, leaks = told["made"], told["pictures"], told["leaks"]
    lost = {name: one["lost"] for name, one in told["classes"].items()}
    worst = worst_class(told)
    growth = told["box_growth"].get("median")
    sizes = class_sizes(told, "after")
    return {
        "failed_images": Metric(made["failed"], made["images"] + made["failed"], "images"),
        "equal_images": Metric(made["equal"], made["copies"], "copies"),
        "lost_objects": _sum(lost.values(), "objects in copies"),
        "lost_in_a_class": Metric(lost[worst]["count"], lost[worst]["of"], f"objects of {worst} in copies")
        if worst
        else Metric(0, 0, lacks=f"no class has {_SEVERAL} objects in copies"),
        "nearly_equal": Metric(pictures["nearly_equal"]["count"], pictures["nearly_equal"]["of"], "copies looked at"),
        "destroyed": Metric(pictures["destroyed"]["count"], pictures["destroyed"]["of"], "copies looked at"),
        "unreadable": Metric(pictures["unreadable"]["count"], pictures["unreadable"]["of"], "pictures looked at"),
        "leaks": Metric(
            leaks["twins"]["count"] + leaks["partners"]["count"],
            lacks="" if len(told["splits"]) > 1 else "there are no two splits",
        ),
        "alike": Metric(leaks["alike"]["count"], leaks["alike"]["of"], "sources compared"),
        "grown_boxes": Metric(0, 100, "%", "no box was turned, scaled or sheared")
        if growth is None
        else Metric(max(growth - 1, 0) * 100, 100, "%"),
        "imbalance": Metric(max(sizes.values()) / min(sizes.values()))
        if sizes
        else Metric(1.0, lacks="there are no classes"),
    }


METRICS: Mapping[str, str] = {
    "failed_images": "images that could not be made, of all",
    "equal_images": "copies that equal their source or another copy, of all copies",
    "lost_objects": "objects that copies have lost, of all that their sources brought",
    "lost_in_a_class": "the same for the class that lost most",
    "nearly_equal": "copies that nobody can tell from their source or another copy, of those looked at",
    "destroyed": "copies in which hardly anything is to be seen, of those looked at",
    "unreadable": "pictures of OUTPUT that are missing or damaged, of those looked at",
    "leaks": "sources in two splits, and pictures mixed into another split",
    "alike": "groups of sources that look alike and lie in different splits, of those compared (400 at most)",
    "grown_boxes": "by how much boxes became larger than what was turned, at the median, in %",
    "imbalance": "how many times as large the largest class is as the smallest, afterwards",
}


def gate(told: Json, limits: Sequence[str]) -> list[str]:
    """A line for each limit (`lost_objects>5%`) that is passed, or that nothing can be held against. Refused where one
    is none."""
    known = metrics(told)
    passed = []
    for limit in limits:
        name, most, percent = parse(limit)
        metric = known[name]
        if percent and metric.of is None:
            raise Refused(f"--fail-on {limit}: {name} is no share of anything", f"write {name}>{most:g}")
        if metric.nothing:
            passed.append(f"{name} cannot be measured: {metric.nothing}")
        elif (metric.share * 100 if percent else metric.count) > most:
            passed.append(f"{name} is {metric.words()}, more than {most:g}{'%' if percent else ''}")
        elif name in _SEEN and known["unreadable"].count:
            passed.append(f"{name} cannot be measured: {known['unreadable'].words()} are missing or damaged")
    return passed


def parse(limit: str) -> tuple[str, float, bool]:
    """Metric, number, and whether that is a percentage. Refused."""
    found = _GATE.fullmatch(limit)
    if not found:
        raise Refused(f"--fail-on {limit}: not METRIC>NUMBER or METRIC>NUMBER%", "write lost_objects>5%, in quotes")
    name, most, percent = found.groups()
    name = name.lower()
    if name not in METRICS:
        close = get_close_matches(name, METRICS, n=1)
        raise Refused(
            f"--fail-on {limit}: there is no metric {name}",
            f"did you mean {close[0]}?" if close else ", ".join(METRICS),
        )
    return name, float(most), bool(percent)


def class_sizes(told: Json, when: str) -> dict[str, int]:
    """Class -> its objects, or where there are none its images; without empty classes."""
    unit = "objects" if any(one["objects"]["after"] for one in told["classes"].values()) else "images"
    found = {name: one[unit][when] for name, one in told["classes"].items() if name != "(none)"}
    return {name: count for name, count in found.items() if count}


def worst_class(told: Json) -> str:
    """The class that lost the largest share of its objects; "" where none has enough of them."""
    lost = {name: one["lost"] for name, one in told["classes"].items() if one["lost"]["of"] >= _SEVERAL}
    return max(lost, key=lambda name: (lost[name]["count"] / lost[name]["of"], name)) if lost else ""


def _sum(lost: Sequence[Json] | Json, what: str) -> Metric:
    parts = list(lost)
    return Metric(sum(one["count"] for one in parts), sum(one["of"] for one in parts), what)

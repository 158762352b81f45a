"""What the figures come to: metrics, each a number that a gate can hold, and verdicts, in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches

from augx.errors import Refused
from augx.model import Json

_SEVERAL = 20  # objects of a class, before its share says anything
_GATE = re.compile(r"\s*([a-z_]+)\s*>\s*(\d+(?:\.\d+)?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Metric:
    """`of`: what the count is a part of; None for a number that stands for itself. `what`: as in "5 of 100 objects"."""

    count: float
    of: float | None = None
    what: str = ""

    @property
    def share(self) -> float:
        return self.count / self.of if self.of else 0.0

    def words(self) -> str:
        if self.of is None:
            return f"{self.count:,.4g}"
        return f"{self.count:,.0f} of {self.of:,.0f} {self.what}" + (f" ({self.share:.1%})" if self.count else "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`level`: good, note, warning or error. `metric`: its name; "" for none. `way_out`: what to do; "" where all is
    well."""

    level: str
    title: str
    words: str
    way_out: str = ""
    metric: str = ""


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
        "lost_in_a_class": Metric(lost[worst]["count"], lost[worst]["of"], f"{worst} in copies")
        if worst
        else Metric(0, 0),
        "nearly_equal": Metric(pictures["nearly_equal"]["count"], pictures["nearly_equal"]["of"], "copies looked at"),
        "destroyed": Metric(pictures["destroyed"]["count"], pictures["destroyed"]["of"], "copies looked at"),
        "leaks": Metric(leaks["twins"]["count"] + leaks["partners"]["count"]),
        "alike": Metric(leaks["alike"]["count"], leaks["alike"]["of"], "sources compared"),
        "grown_boxes": Metric(0 if growth is None else max(growth - 1, 0) * 100, 100, "%"),
        "imbalance": Metric(max(sizes.values()) / min(sizes.values()) if sizes else 1.0),
    }


METRICS: Mapping[str, str] = {
    "failed_images": "images that could not be made, of all",
    "equal_images": "copies that equal their source or another copy, of all copies",
    "lost_objects": "objects that copies have lost, of all that their sources brought",
    "lost_in_a_class": "the same for the class that lost most",
    "nearly_equal": "copies that nobody can tell from their source or another copy, of those looked at",
    "destroyed": "copies in which hardly anything is to be seen, of those looked at",
    "leaks": "sources in two splits, and pictures mixed into another split",
    "alike": "groups of sources that look alike and lie in different splits, of those compared (400 at most)",
    "grown_boxes": "by how much boxes became larger than what was turned, at the median, in %",
    "imbalance": "how many times as large the largest class is as the smallest, afterwards",
}


def verdicts(told: Json) -> list[Verdict]:
    """The worst first."""
    found = [make(told, metrics(told)) for make in _VERDICTS]
    order = ("error", "warning", "note", "good")
    return sorted((one for one in found if one), key=lambda one: order.index(one.level))


def as_json(told: Json) -> Json:
    """All figures, with metrics and verdicts first."""
    numbers = {
        name: {"count": one.count, "of": one.of, "share": round(one.share, 6) if one.of is not None else None}
        for name, one in metrics(told).items()
    }
    return {"verdicts": [asdict(one) for one in verdicts(told)], "metrics": numbers, **told}


def gate(told: Json, limits: Sequence[str]) -> list[str]:
    """A line for each limit (`lost_objects>5%`) that is passed. Refused where one is none."""
    known = metrics(told)
    passed = []
    for limit in limits:
        name, most, percent = parse(limit)
        metric = known[name]
        if percent and metric.of is None:
            raise Refused(f"--fail-on {limit}: {name} is no share of anything", f"write {name}>{most:g}")
        if (metric.share * 100 if percent else metric.count) > most:
            passed.append(f"{name} is {metric.words()}, more than {most:g}{'%' if percent else ''}")
    return passed


def parse(limit: str) -> tuple[str, float, bool]:
    """Metric, number, and whether that is a percentage. Refused."""
    found = _GATE.fullmatch(limit)
    if not found:
        raise Refused(f"--fail-on {limit}: not METRIC>NUMBER or METRIC>NUMBER%", "write lost_objects>5%, in quotes")
    name, most, percent = found.groups()
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


def _failed(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    metric = known["failed_images"]
    if not metric.count:
        return Verdict("good", "Nothing failed", "all images were made", metric="failed_images")
    codes = ", ".join(f"{one['count']:,} x {code}" for code, one in told["failures"].items())
    level = "error" if metric.share > 0.05 else "warning"
    return Verdict(
        level, "Images failed", f"{metric.words()}: {codes}", "`augx show CODE` says what to do", "failed_images"
    )


def _lost(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    metric = known["lost_objects"]
    if not metric.of:
        return None
    if not metric.count:
        return Verdict("good", "No object was lost", f"all {metric.of:,.0f} in copies are there", metric="lost_objects")
    reasons: dict[str, int] = {}
    for one in told["classes"].values():
        for reason, count in one["lost"]["reasons"].items():
            reasons[reason] = reasons.get(reason, 0) + count
    why = ", ".join(f"{reason} {count:,}" for reason, count in sorted(reasons.items(), key=lambda one: -one[1]))
    level = "error" if metric.share > 0.3 else "warning" if metric.share > 0.1 else "note"
    way_out = "smaller moves and crops lose fewer; `reject: {lost_objects: 0.5}` draws the worst copies again"
    return Verdict(level, "Objects were lost", f"{metric.words()}; {why}", way_out, "lost_objects")


def _worst(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    metric, overall, name = known["lost_in_a_class"], known["lost_objects"], worst_class(told)
    if not name or metric.share < 0.05 or metric.share < 1.5 * overall.share:
        return None
    level = "warning" if metric.share > 0.15 else "note"
    way_out = "its objects are small, or near the edge: see where they are, and what `min_size` and `min_area` say"
    return Verdict(
        level,
        f"{name} lost more than others",
        f"{metric.words()}; {overall.share:.1%} of all",
        way_out,
        "lost_in_a_class",
    )


def _near(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    metric = known["nearly_equal"]
    if not metric.of:
        return None
    if not metric.count:
        return Verdict("good", "Copies differ", f"all {metric.of:,.0f} that were looked at", metric="nearly_equal")
    level = "warning" if metric.share > 0.1 else "note"
    way_out = "higher p, or wider ranges: a copy that looks like its source teaches nothing"
    return Verdict(level, "Copies nearly equal to others", metric.words(), way_out, "nearly_equal")


def _equal(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    metric = known["equal_images"]
    if not metric.count:
        return None
    way_out = "fewer copies, or more to draw from"
    return Verdict(
        "warning", "Copies equal to others", f"{metric.words()}, though drawn again", way_out, "equal_images"
    )


def _destroyed(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    metric = known["destroyed"]
    if not metric.of:
        return None
    if not metric.count:
        return Verdict("good", "No picture was destroyed", f"{metric.of:,.0f} were looked at", metric="destroyed")
    level = "error" if metric.share > 0.05 else "warning"
    way_out = "`augx preview --extremes` shows which range goes too far"
    return Verdict(level, "Pictures were destroyed", metric.words(), way_out, "destroyed")


def _leaks(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    if len(told["splits"]) < 2:
        return None
    if not known["leaks"].count:
        words = "no picture is in two splits, byte for byte, and none was mixed into another"
        return Verdict("good", "Splits keep apart", words, metric="leaks")
    pairs = told["leaks"]["twins"]["examples"] + told["leaks"]["partners"]["examples"]
    words = f"{known['leaks'].words()} pictures are in two splits, such as {' and '.join(pairs[0])}"
    return Verdict("error", "Splits leak", words, "take them out of one split, or what is measured is memory", "leaks")


def _alike(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    metric, found = known["alike"], told["leaks"]["alike"]
    if not metric.count:
        return None
    words = (
        f"{metric.count:,.0f} times among {metric.of:,.0f} sources, such as {' and '.join(found['examples'][0][:2])}"
    )
    way_out = "`split: {by: likeness}` in a recipe keeps such pictures together"
    return Verdict("warning", "Pictures look alike in different splits", words, way_out, "alike")


def _growth(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    metric, count = known["grown_boxes"], told["box_growth"]["count"]
    if not count:
        return None
    words = f"at the median by {metric.count:.0f} %, of {count:,} whose picture was turned, scaled or sheared"
    if metric.count < 5:
        return Verdict("good", "Boxes kept their size", words, metric="grown_boxes")
    way_out = "a box around a turned box is too large: smaller turns, `labels: {boxes: ellipse}`, or outlines"
    return Verdict("warning" if metric.count > 20 else "note", "Boxes grew", words, way_out, "grown_boxes")


def _balance(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    before, after = class_sizes(told, "before"), class_sizes(told, "after")
    if len(after) < 2:
        return None
    most, least = max(after, key=lambda n: (after[n], n)), min(after, key=lambda n: (after[n], n))
    words = f"{most} is {known['imbalance'].count:,.1f} times as large as {least}"
    if len(before) > 1:
        words += f"; it was {max(before.values()) / min(before.values()):,.1f} times before"
    if known["imbalance"].count <= 3:
        return Verdict("good", "Classes are balanced", words, metric="imbalance")
    level = "warning" if known["imbalance"].count > 10 else "note"
    return Verdict(level, "Classes are not balanced", words, "`balance: max` in the recipe evens them out", "imbalance")


_VERDICTS: Sequence[Callable[[Json, Mapping[str, Metric]], Verdict | None]] = (
    _failed, _leaks, _alike, _destroyed, _lost, _worst, _growth, _near, _equal, _balance,
)  # fmt: skip

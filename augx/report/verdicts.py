"""What the figures come to, in words: verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from augx.model import Json
from augx.report import probed
from augx.report.metrics import Metric, class_sizes, metrics, worst_class

_LONGEST = 60  # letters of a class's name in a sentence


@dataclass(frozen=True, slots=True)
class Verdict:
    """`level`: good, note, warning or error. `metric`: its name; "" for none. `way_out`: what to do; "" where all is
    well."""

    level: str
    title: str
    words: str
    way_out: str = ""
    metric: str = ""


def verdicts(told: Json) -> list[Verdict]:
    """The worst first."""
    found = [make(told, metrics(told)) for make in _VERDICTS]
    order = ("error", "warning", "note", "good")
    return sorted((one for one in found if one), key=lambda one: order.index(one.level))


def as_json(told: Json) -> Json:
    """All figures, with metrics and verdicts first; a metric with nothing to measure has no count."""
    numbers = {
        name: {
            "count": None if one.nothing else one.count,
            "of": one.of,
            "share": None if one.of is None or one.nothing else round(one.share, 6),
        }
        for name, one in metrics(told).items()
    }
    return {"verdicts": [asdict(one) for one in verdicts(told)], "metrics": numbers, **told}


def _unfinished(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    if not told["unfinished"]:
        return None
    words = "it was stopped, or goes on now: this report is of the run before it, and some pictures may be newer"
    return Verdict("error", "A newer run has not ended", words, "the same `augx run` again goes on from there")


def _generated(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    made = told["generated"]
    if not made["count"]:
        return None
    words = f"{made['count']:,} of {made['drawn']:,} that were drawn"
    if made["rejected"]:
        words += "; the gates rejected " + ", ".join(f"{n:,} {fault}" for fault, n in made["rejected"].items())
    return Verdict("note", "Pictures were generated", words)


def _probed(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    if "probe" not in told:
        return None
    found = probed.of_recipe(told["probe"], told["recipe"])
    if found is None:
        words = "it says nothing of the one that made these pictures"
        return Verdict("note", "The probe was of another recipe", words, "`augx probe -r` with that recipe asks for it")
    against = told["probe"]["against"]["name"]
    return Verdict(
        probed.LEVELS[found["verdict"]],
        probed.TITLE,
        f"{found['words']} of {told['probe']['measure']}, against {against}",
    )


def _failed(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    metric = known["failed_images"]
    if not metric.count:
        return Verdict("good", "Nothing failed", "all images were made", metric="failed_images")
    codes = ", ".join(f"{one['count']:,} x {code}" for code, one in told["failures"].items())
    level = "error" if metric.share > 0.05 else "warning"
    return Verdict(
        level, "Images failed", f"{metric.words()}: {codes}", "`augx show CODE` says what to do", "failed_images"
    )


def _unreadable(told: Json, known: Mapping[str, Metric]) -> Verdict | None:
    metric = known["unreadable"]
    if not metric.count:
        return None
    words = f"{metric.words()}, such as {told['pictures']['unreadable']['examples'][0]}"
    way_out = "`augx verify OUTPUT` lists them all, and then the same `augx run` makes them again"
    return Verdict("error", "Pictures are missing or damaged", words, way_out, "unreadable")


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
        f"{_short(name)} lost more than others",
        f"{metric.words()}, where {overall.share:.1%} of all were lost",
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
    times = "once" if metric.count == 1 else f"{metric.count:,.0f} times"
    words = f"{times} among {metric.of:,.0f} sources, such as {' and '.join(found['examples'][0][:2])}"
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
    most, least = (_short(end(after, key=lambda n: (after[n], n))) for end in (max, min))
    words = f"{most} is {known['imbalance'].count:,.1f} times as large as {least}"
    if even := _even(known["imbalance"].count):
        words = f"all {len(after):,} are {even}"
    was = max(before.values()) / min(before.values()) if len(before) > 1 else known["imbalance"].count
    if was != known["imbalance"].count:
        told_before = f"all were {_even(was)}" if _even(was) else f"the largest was {was:,.1f} times the smallest"
        words += f"; before, {told_before}"
        if told["made"]["failed"] and any(one["objects"]["after"] for one in told["classes"].values()):
            words += ", without the sources that failed"
    if known["imbalance"].count <= 3:
        return Verdict("good", "Classes are balanced", words, metric="imbalance")
    level = "warning" if known["imbalance"].count > 10 else "note"
    return Verdict(level, "Classes are not balanced", words, "`balance: max` in the recipe evens them out", "imbalance")


def _even(ratio: float) -> str:
    """ "" where it is not."""
    return "of the same size" if ratio == 1 else "of about the same size" if ratio < 1.05 else ""


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


_VERDICTS: Sequence[Callable[[Json, Mapping[str, Metric]], Verdict | None]] = (
    _unfinished, _unreadable, _failed, _probed, _generated, _leaks, _alike, _destroyed, _lost, _worst, _growth, _near,
    _equal, _balance,
)  # fmt: skip

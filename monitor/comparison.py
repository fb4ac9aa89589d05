"""What got worse: the runs of a check after a moment against those before it. Pure.

Held against each other are the share of failed runs, the time that answers take, and whatever the file has a figure
for. A value is worse when it crosses a figure that it did not cross before, or is half as much again in the direction
of its figures. Too few values say nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.model import State
from monitor.units import Unit, show
from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.hour import Hour
    from monitor.model import Labels, Sample
    from monitor.plan import Plan
    from monitor.thresholds import Figure, Threshold

FEWEST = 5
WORSE = 1.5
NOTICEABLE = 0.05
"""An answer that takes less than so many seconds longer is not slower."""
SLOWEST = 0.95
DURATION = "duration"
PLAIN = frozenset({Function.LAST, Function.AVG, Function.MIN, Function.MAX, Function.QUANTILE})
UP, DOWN = frozenset({">", ">="}), frozenset({"<", "<="})


@dataclass(frozen=True, slots=True)
class Shift:
    """How one thing was before and after, in words."""

    text: str
    worse: bool


@dataclass(slots=True)
class Stretch:
    """The runs of one check in a stretch of time: how many failed of those that could tell, and what they measured."""

    failed: int = 0
    runs: int = 0
    values: defaultdict[tuple[str, Labels], list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, sample: Sample) -> None:
        """Take in one run."""
        self.count(sample)
        for measure in sample.measures if sample.state is not State.UNKNOWN else ():
            if math.isfinite(measure.value):
                self.values[measure.name, measure.labels].append(measure.value)

    def count(self, sample: Sample) -> None:
        """Take in only whether one run failed."""
        self.runs += sample.state is not State.UNKNOWN
        self.failed += sample.state is State.DOWN

    def add_hour(self, hour: Hour) -> None:
        """Take in a whole hour, of whose values only the mean is known."""
        self.runs += hour.up + hour.down
        self.failed += hour.down
        for measure in hour.measures:
            if measure.count and math.isfinite(measure.sum):
                self.values[measure.name, measure.labels].append(measure.sum / measure.count)


def compare(plan: Plan, before: Stretch, after: Stretch) -> Iterator[Shift]:
    """Yield how the runs of a check differ."""
    yield from _failures(plan, before, after)
    watched = [threshold for threshold in plan.thresholds if threshold.figures and threshold.watch.function in PLAIN]
    for threshold in watched:
        yield from _figures(plan, threshold, before, after)
    if not any(threshold.watch.measure == DURATION for threshold in watched):
        yield from _duration(plan, before, after)


def _failures(plan: Plan, before: Stretch, after: Stretch) -> Iterator[Shift]:
    if after.runs and (after.failed or before.failed):
        worse = after.failed * max(before.runs, 1) > before.failed * after.runs
        text = f"{after.failed} of {after.runs} runs failed, before {before.failed} of {before.runs}"
        yield Shift(f"{plan.title}: {text}", worse)


def _figures(plan: Plan, threshold: Threshold, before: Stretch, after: Stretch) -> Iterator[Shift]:
    if threshold.unit is Unit.TIMESTAMP:
        return
    quantile = threshold.watch.quantile or (SLOWEST if threshold.watch.measure == DURATION else 0.0)
    for (name, labels), values in after.values.items():
        now, then = _middle(values, quantile), _middle(before.values.get((name, labels), ()), quantile)
        if name == threshold.watch.measure and threshold.watch.selects(labels) and not math.isnan(now):
            named = "".join(f" {value}" for _, value in labels)
            text = f"{plan.title}: {threshold.name}{named} {_compared(now, then, threshold.unit)}"
            yield Shift(text, _is_worse(threshold.figures, now, then))


def _duration(plan: Plan, before: Stretch, after: Stretch) -> Iterator[Shift]:
    now, then = (_middle(each.values.get((DURATION, ()), ()), SLOWEST) for each in (after, before))
    if not math.isnan(now) and not math.isnan(then):
        worse = now > WORSE * then and now - then > NOTICEABLE
        yield Shift(f"{plan.title}: p95 of the time to answer {_compared(now, then, Unit.SECONDS)}", worse)


def _middle(values: Sequence[float], quantile: float) -> float:
    """Return the `quantile` of `values`, their mean where that is 0; not a number where they are too few."""
    if len(values) < FEWEST:
        return math.nan
    return sorted(values)[math.ceil(quantile * len(values)) - 1] if quantile else math.fsum(values) / len(values)


def _compared(now: float, then: float, unit: Unit) -> str:
    return show(now, unit) if math.isnan(then) else f"{show(now, unit)}, before {show(then, unit)}"


def _is_worse(figures: Iterable[Figure], now: float, then: float) -> bool:
    """Return whether `now` crosses what `then` did not, or lies much further towards a figure."""
    crossed = [figure for figure in figures if figure.crossed(now)]
    if math.isnan(then):
        return bool(crossed)
    if any(not figure.crossed(then) for figure in crossed):
        return True
    signs = {figure.comparison for figure in figures}
    if signs <= UP:
        least = NOTICEABLE * max(abs(figure.value) for figure in figures)
        return 0 < WORSE * then < now and now - then > least
    return signs <= DOWN and then > 0 and now * WORSE < then

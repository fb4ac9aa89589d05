"""What got worse: the runs of a check after a moment against those before it. Pure.

Held against each other are the share of failed runs, the time that answers take, and whatever the file has a figure
for. A value is worse when it crosses a figure that it did not cross before, or is half as much again in the direction
of its figures. Too few values say nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.model import State
from monitor.units import Unit, show
from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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


def compare(plan: Plan, before: Sequence[Sample], after: Sequence[Sample]) -> Iterator[Shift]:
    """Yield how the runs of a check differ."""
    yield from _failures(plan, before, after)
    watched = [threshold for threshold in plan.thresholds if threshold.figures and threshold.watch.function in PLAIN]
    for threshold in watched:
        yield from _figures(plan, threshold, before, after)
    if not any(threshold.watch.measure == DURATION for threshold in watched):
        yield from _duration(plan, before, after)


def _failures(plan: Plan, before: Sequence[Sample], after: Sequence[Sample]) -> Iterator[Shift]:
    past, (failed, runs) = _failed(before), _failed(after)
    if runs:
        worse = failed > 0 and (not past[1] or failed / runs > past[0] / past[1])
        text = f"{plan.title}: {failed} of {runs} runs failed"
        if failed or past[0]:
            yield Shift(f"{text}, before {past[0]} of {past[1]}", worse)


def _failed(samples: Sequence[Sample]) -> tuple[int, int]:
    """Return how many runs failed, and how many could tell."""
    told = [sample.state for sample in samples if sample.state is not State.UNKNOWN]
    return told.count(State.DOWN), len(told)


def _figures(plan: Plan, threshold: Threshold, before: Sequence[Sample], after: Sequence[Sample]) -> Iterator[Shift]:
    if threshold.unit is Unit.TIMESTAMP:
        return
    slowest = threshold.watch.quantile or (SLOWEST if threshold.watch.measure == DURATION else 0.0)
    past = {labels: _middle(values, slowest) for labels, values in _series(threshold, before)}
    for labels, values in _series(threshold, after):
        now, then = _middle(values, slowest), past.get(labels, math.nan)
        if not math.isnan(now):
            named = "".join(f" {value}" for _, value in labels)
            text = f"{plan.title}: {threshold.name}{named} {_compared(now, then, threshold.unit)}"
            yield Shift(text, _is_worse(threshold.figures, now, then))


def _duration(plan: Plan, before: Sequence[Sample], after: Sequence[Sample]) -> Iterator[Shift]:
    now, then = (_middle(_durations(samples), SLOWEST) for samples in (after, before))
    if not math.isnan(now) and not math.isnan(then):
        worse = now > WORSE * then and now - then > NOTICEABLE
        yield Shift(f"{plan.title}: p95 of the time to answer {_compared(now, then, Unit.SECONDS)}", worse)


def _durations(samples: Iterable[Sample]) -> list[float]:
    found = [one.value for sample in samples for one in sample.measures if one.name == DURATION and not one.labels]
    return [value for value in found if math.isfinite(value)]


def _series(threshold: Threshold, samples: Iterable[Sample]) -> Iterator[tuple[Labels, list[float]]]:
    found: dict[Labels, list[float]] = {}
    for sample in samples:
        for measure in sample.measures:
            if measure.name == threshold.watch.measure and threshold.watch.selects(measure.labels):
                found.setdefault(measure.labels, []).append(measure.value)
    yield from found.items()


def _middle(values: Sequence[float], quantile: float) -> float:
    """Return the `quantile` of `values`, their mean where that is 0; not a number where they are too few."""
    known = sorted(value for value in values if math.isfinite(value))
    if len(known) < FEWEST:
        return math.nan
    return known[math.ceil(quantile * len(known)) - 1] if quantile else math.fsum(known) / len(known)


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
        return (
            then > 0 and now > WORSE * then and now - then > NOTICEABLE * max(abs(figure.value) for figure in figures)
        )
    return signs <= DOWN and then > 0 and now * WORSE < then

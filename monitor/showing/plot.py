"""One measure over time, in few enough points to draw: the mean, the least and the greatest of each piece. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Severity, State
from monitor.showing.figures import falls
from monitor.units import Unit
from monitor.uptime import AN_HOUR
from monitor.view import Line, Plot, Point
from monitor.watch import Function, parse_figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from monitor.hour import Hour
    from monitor.model import Labels, Sample
    from monitor.plan import Plan
    from monitor.probes.base import MeasureSpec
    from monitor.thresholds import Threshold
    from monitor.view import Mark

MOST_POINTS = 300
MOST_SERIES = 12
SAME_SCALE = frozenset({Function.LAST, Function.AVG, Function.MIN, Function.MAX, Function.QUANTILE})
"""What yields values that can be held against the measure's own."""

Span = tuple["datetime", "datetime", State]


class Drawn(NamedTuple):
    """What is drawn, from after `since` until `until`: hours that are summed up, oldest first, then single samples."""

    since: datetime
    until: datetime
    hours: Sequence[Hour] = ()
    samples: Sequence[Sample] = ()
    marks: Sequence[Mark] = ()


def draw(plan: Plan, spec: MeasureSpec, drawn: Drawn) -> Plot:
    """Return the plot of the measure that `spec` declares; a moment is drawn as the time left until it.

    Of hours only those count that were over when the first sample ended. Of many series those are drawn that are the
    worst at last. An hour is dark if most of its runs were.
    """
    first = min((one.at for one in drawn.samples), default=drawn.until)
    hours = [hour for hour in drawn.hours if hour.at + AN_HOUR / 2 > drawn.since and hour.at + AN_HOUR <= first]
    width = (drawn.until - drawn.since) / MOST_POINTS
    gap = max(plan.gap, 2 * width, 2 * AN_HOUR if hours else width)
    pieces: defaultdict[Labels, dict[int, _Piece]] = defaultdict(dict)
    for labels, amount in (*_of_hours(hours, spec), *_of_samples(drawn.samples, spec)):
        place = max(0, min(int((amount.last - drawn.since) / width), MOST_POINTS - 1))
        known = pieces[labels].get(place)
        pieces[labels][place] = known.joined(amount) if known else amount
    thresholds = [threshold for threshold in plan.thresholds if threshold.watch.measure == spec.name]
    series = {labels: tuple(some[place].point for place in sorted(some)) for labels, some in pieces.items()}
    return Plot(
        plan.id,
        spec.name,
        spec.unit,
        spec.meaning,
        drawn.since,
        drawn.until,
        gap,
        _worst(series, thresholds),
        tuple(dict.fromkeys(line for threshold in thresholds for line in _lines(threshold, spec.unit))),
        tuple(sorted(drawn.marks)),
        _longest(_joined([*_dark_hours(hours), *_dark_samples(drawn.samples, plan.gap)], width)),
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """What was measured between two moments."""

    first: datetime
    last: datetime
    count: int
    total: float
    least: float
    greatest: float

    def joined(self, other: _Piece) -> _Piece:
        return _Piece(
            min(self.first, other.first),
            max(self.last, other.last),
            self.count + other.count,
            self.total + other.total,
            min(self.least, other.least),
            max(self.greatest, other.greatest),
        )

    @property
    def point(self) -> Point:
        mean = min(max(self.total / self.count, self.least), self.greatest)  # sums of floats are not exact
        return Point(self.first + (self.last - self.first) / 2, mean, self.least, self.greatest)


def _of_hours(hours: Iterable[Hour], spec: MeasureSpec) -> Iterator[tuple[Labels, _Piece]]:
    for hour in hours:
        at = hour.at + AN_HOUR / 2
        base = at.timestamp() if spec.unit is Unit.TIMESTAMP else 0.0
        for one in hour.measures:
            if one.name == spec.name and one.count:
                total = one.sum - one.count * base
                yield one.labels, _Piece(at, at, one.count, total, one.min - base, one.max - base)


def _of_samples(samples: Iterable[Sample], spec: MeasureSpec) -> Iterator[tuple[Labels, _Piece]]:
    for sample in samples:
        base = sample.at.timestamp() if spec.unit is Unit.TIMESTAMP else 0.0
        for name, value, labels in sample.measures:
            if name == spec.name and math.isfinite(value):
                left = value - base
                yield labels, _Piece(sample.at, sample.at, 1, left, left, left)


def _worst(
    series: Mapping[Labels, tuple[Point, ...]], thresholds: Iterable[Threshold]
) -> dict[Labels, tuple[Point, ...]]:
    """Return the series that are drawn, in the order of their labels."""
    sign = 1 if any(falls(threshold) for threshold in thresholds) else -1
    chosen = sorted(series, key=lambda labels: (sign * series[labels][-1].mean, labels))[:MOST_SERIES]
    return {labels: series[labels] for labels in sorted(chosen)}


def _lines(threshold: Threshold, unit: Unit) -> Iterator[Line]:
    if threshold.watch.function not in SAME_SCALE or threshold.unit is not unit:
        return
    for figure in threshold.figures:
        yield Line(figure.value, f"{threshold.name}: {figure.severity} {figure.text}", figure.severity)
    if threshold.target:
        value = parse_figure(Severity.INFO, threshold.target, unit).value
        yield Line(value, f"{threshold.name}: target {threshold.target}")


def _dark_hours(hours: Iterable[Hour]) -> Iterator[Span]:
    for hour in hours:
        runs = {State.UP: hour.up, State.DOWN: hour.down, State.UNKNOWN: hour.unknown}
        state = max(runs, key=lambda one: runs[one])
        if state is not State.UP and runs[state]:
            yield hour.at, hour.at + AN_HOUR, state


def _dark_samples(samples: Sequence[Sample], gap: timedelta) -> Iterator[Span]:
    """Yield from each run that was not up to the next one, or to its own end where the next one is far."""
    for index, sample in enumerate(samples):
        if sample.state is State.UP or sample.left_out:
            continue
        later = samples[index + 1].at if index + 1 < len(samples) else sample.at
        yield sample.at - sample.took, later if later - sample.at <= gap else sample.at, sample.state


def _longest(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return no more spans than there are points, in order."""
    found = sorted(spans, key=lambda span: span[0] - span[1])[:MOST_POINTS]
    return tuple(sorted(found))


def _joined(spans: Iterable[Span], near: timedelta) -> Iterator[Span]:
    """Yield `spans`, which are in order, with those of one state joined that are too near to be told apart."""
    known: Span | None = None
    for begin, end, state in spans:
        if known is not None and known[2] is state and begin - known[1] <= near:
            known = known[0], max(known[1], end), state
            continue
        if known is not None:
            yield known
        known = begin, end, state
    if known is not None:
        yield known

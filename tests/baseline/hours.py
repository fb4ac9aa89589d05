"""Short ways to write what a store remembers of past hours, and baselines that have read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from monitor.baseline import Baseline
from monitor.hour import Hour, HourMeasure
from monitor.model import State, labels
from monitor.watch import parse_watch
from tests.examples import SITE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from monitor.model import CheckId, Labels, Sample
    from monitor.watch import Watch

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
"""The beginning of a week, and of the past in most tests."""


def of(name: str) -> Labels:
    """Return the labels of a type."""
    return labels({"type": name})


def measure(value: float, key: Labels = (), *, name: str = "x", count: int = 4, span: float = 0.0) -> HourMeasure:
    """Return a measure whose mean over the hour is `value`, and whose least and greatest lie `span` apart."""
    return HourMeasure(name, key, count, value * count, value - span / 2, value + span / 2)


def counter(first: float, last: float, key: Labels = ()) -> HourMeasure:
    """Return a counter that grew from `first` to `last` within the hour."""
    return HourMeasure("x", key, 60, 60.0, first, last)


def hour(at: datetime, *measures: HourMeasure, up: int = 4, down: int = 0, unknown: int = 0) -> Hour:
    """Return an hour of the check that most tests have; all its runs found it up."""
    return Hour(SITE, at, up, down, unknown, measures)


def past(text: str, hours: Iterable[Hour], zone: tzinfo = UTC) -> tuple[Watch, Baseline]:
    """Return the watch that `text` writes, and what it knows after `hours`."""
    watch = parse_watch(text)
    baseline = Baseline([watch], zone)
    for one in hours:
        baseline.add(one)
    return watch, baseline


def each_hour(weeks: float, of: Callable[[datetime], Iterable[HourMeasure]], start: datetime = MONDAY) -> list[Hour]:
    """Return every hour of so many weeks, with what `of` makes of its beginning."""
    count = int(weeks * 7 * 24)
    return [hour(start + number * HOUR, *of(start + number * HOUR)) for number in range(count)]


def micros(at: datetime) -> int:
    """Return a moment as deciding counts it."""
    return (at - EPOCH) // timedelta(microseconds=1)


def whole_hour(at: datetime) -> datetime:
    """Return the beginning of the hour of `at`."""
    return at.replace(minute=0, second=0, microsecond=0)


def summed(check: CheckId, at: datetime, samples: Iterable[Sample]) -> Hour:
    """Return the hour that begins at `at` with these samples in it, as the store sums it up."""
    found: dict[tuple[str, Labels], list[float]] = {}
    states = []
    for sample in samples:
        states.append(sample.state)
        for one in sample.measures:
            found.setdefault((one.name, one.labels), []).append(one.value)
    measures = (HourMeasure(*key, len(each), sum(each), min(each), max(each)) for key, each in found.items())
    up, down, unknown = (states.count(state) for state in (State.UP, State.DOWN, State.UNKNOWN))
    return Hour(check, at, up, down, unknown, tuple(measures))

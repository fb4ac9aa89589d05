"""How many times the usual: what is seen in a window, divided by the medians of the same hours of the weeks before.

A series takes 11 KB: a ring of eight weeks of hours. For each hour that the window touches there is one median over the
weeks, made once and kept as long as the window needs it; the usual value is their mean, weighted by how much of the
window lies in each. No hour of the last week is ever looked at, so what goes on now is not measured against itself.
"""

from __future__ import annotations

import math
from array import array
from datetime import datetime, timedelta, tzinfo
from statistics import median
from typing import TYPE_CHECKING

from monitor.baseline.depth import HOUR, REACH, WEEKS
from monitor.units import Unit, show
from monitor.watch import Function, result_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.hour import HourMeasure
    from monitor.model import Labels
    from monitor.watch import Watch

MOST_SERIES = 1_000
"""Of each watch; those beyond are never judged."""
SIZE = REACH // HOUR
SECONDS = 3_600
MICROSECONDS = SECONDS * 1_000_000
WEEK = timedelta(weeks=1)
LEAST_VALUES = 2
LAG = 6 * 24
"""Hours: what is usual follows from what was a week before, or a day less where a country changes its calendar."""
NOTHING = array("d", [math.nan]) * SIZE


class Usual:
    """The hours of the last weeks, and what was usual in each hour that is asked for."""

    full = False

    def __init__(self, watch: Watch, zone: tzinfo) -> None:
        """Know nothing yet; hours of the week are those of `zone`."""
        self._window = watch.window // timedelta(microseconds=1)
        self._floor = watch.floor
        self._inner = watch.inner
        self._counted = watch.inner is not None and watch.inner.function is Function.RATE
        self._zone = zone
        self._hours = array("q", [-1]) * SIZE
        self._rings: dict[Labels, array[float]] = {}
        self._latest: dict[Labels, int] = {}
        self._before: tuple[int, dict[Labels, HourMeasure]] = (-1, {})
        self._usual: dict[int, dict[Labels, float]] = {}

    def add(self, hour: int, measures: Sequence[HourMeasure], *, counts: bool) -> None:
        """Take in what was measured in an hour: its mean, or of a counter the rate until the next hour began."""
        if not counts:
            return
        if not self._counted:
            self._put(hour, {one.labels: one.sum / one.count for one in measures})
            return
        now = {one.labels: one for one in measures}
        earlier, before = self._before
        if earlier == hour - 1:
            self._put(earlier, {key: _rate(before[key], one) for key, one in now.items() if key in before})
        self._before = hour, now

    def read(self, values: Mapping[Labels, float], now: int) -> dict[Labels, float]:
        """Return for each series how many times its usual value it is."""
        usual = self._weighted(now)
        return {key: ratio(value, expected(usual, key), self._floor) for key, value in values.items()}

    def tell(self, values: Mapping[Labels, float], now: int, labels: Labels, unit: Unit) -> str:
        """Return the value and the usual one."""
        value, usual = values.get(labels, math.nan), expected(self._weighted(now), labels)
        if self._inner is None or math.isnan(value) or math.isnan(usual):
            return ""
        unit = result_unit(self._inner, unit)
        least = f"; less than {show(self._floor, unit)} counts as that" if self._floor else ""
        return f"{show(value, unit)}, where {show(usual, unit)} is usual at this hour of the week{least}"

    def _put(self, hour: int, values: Mapping[Labels, float]) -> None:
        place = hour % SIZE
        self._hours[place] = hour
        if hour + LAG <= max(self._usual, default=-1):
            self._usual.clear()
        self._make_room(hour, sorted(values.keys() - self._rings.keys()))
        for key, ring in self._rings.items():
            ring[place] = values.get(key, math.nan)
            if key in values:
                self._latest[key] = hour

    def _make_room(self, hour: int, new: Sequence[Labels]) -> None:
        """Remember new series too, as far as there is room; those without a value within reach make some."""
        if len(self._rings) + len(new) > MOST_SERIES:
            for gone in [key for key, latest in self._latest.items() if latest <= hour - SIZE]:
                del self._rings[gone], self._latest[gone]
        for key in new[: MOST_SERIES - len(self._rings)]:
            self._rings[key] = NOTHING[:]

    def _weighted(self, now: int) -> list[tuple[float, dict[Labels, float]]]:
        """Return what is usual in each hour that the window touches, and how much of it lies there."""
        parts = overlaps(now - self._window, now)
        known = self._usual
        self._usual = {hour: known[hour] if hour in known else self._medians(hour) for hour, _ in parts}
        return [(weight, self._usual[hour]) for hour, weight in parts]

    def _medians(self, hour: int) -> dict[Labels, float]:
        """Return the usual value of each series that has enough of them at this hour of the week."""
        places = [at % SIZE for at in same_hours(hour, self._zone) if self._hours[at % SIZE] == at]
        found = {}
        for key, ring in self._rings.items():
            values = [ring[place] for place in places if math.isfinite(ring[place])]
            if len(values) >= LEAST_VALUES:
                found[key] = median(values)
        return found


def same_hours(hour: int, zone: tzinfo) -> list[int]:
    """Return the hours that began when the clock in `zone` showed the same, one to eight weeks before."""
    here = datetime.fromtimestamp(hour * SECONDS, zone)
    return [int((here - weeks * WEEK).timestamp()) // SECONDS for weeks in range(1, WEEKS + 1)]


def overlaps(start: int, end: int) -> list[tuple[int, float]]:
    """Return the hours that (start, end] touches, with the share of it that lies in each."""
    first, last = start // MICROSECONDS, (end - 1) // MICROSECONDS
    edges = [start, *(hour * MICROSECONDS for hour in range(first + 1, last + 1)), end]
    return [(first + number, (edges[number + 1] - edges[number]) / (end - start)) for number in range(len(edges) - 1)]


def expected(usual: Sequence[tuple[float, Mapping[Labels, float]]], key: Labels) -> float:
    """Return what is usual over all of a window; NaN if nobody knows for half of it or more."""
    known = total = 0.0
    for weight, values in usual:
        if key in values:
            known += weight
            total += weight * values[key]
    return total / known if known > 0.5 else math.nan  # noqa: PLR2004 - half


def ratio(value: float, usual: float, floor: float) -> float:
    """Return how many times the usual `value` is, both taken for `floor` where they are less and that is more than 0.

    Of a usual value of 0, nothing is once the usual, and anything else infinitely often.
    """
    if floor:
        value, usual = max(value, floor), max(usual, floor)
    if usual:
        return value / usual
    return 1.0 if not value else math.copysign(math.inf, value)


def _rate(before: HourMeasure, after: HourMeasure) -> float:
    """Return the rate between the first values of two hours; NaN if the counter began again in one of them.

    It did if it was less in the second hour than it had been in the first.
    """
    return (after.min - before.min) / SECONDS if after.min >= before.max else math.nan

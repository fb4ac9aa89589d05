"""The recent values of one series, and what the functions of `watch` make of those in (t - window, t].

Each value is stored once, however many windows look at it, and a window keeps what its functions need, so that a
judgement costs microseconds over thousands of values: the values in order, an exact sum, the places where a counter
began again. Moments are whole microseconds, which makes both edges of a window exact.

The functions compute as PromQL's `*_over_time`, `rate` and `increase` (Prometheus 3.14, promql/functions.go and
quantile.go), but for one thing: what is not a number is no value here, as it would else blind an average for an hour.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, insort
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.watch import Watch

MICROSECOND = timedelta(microseconds=1)
SECOND = 1_000_000
NEARBY = 1.1
FINEST = 1_074
"""Every finite float is a whole multiple of 2 to the power of -1,074, so sums of such multiples are exact."""


class Series:
    """The values of one label set, oldest first: `values[i]` was seen at `moments[i]`.

    `newest` is what the last sample that had this series said, at `newest_at`; it may be NaN.
    """

    __slots__ = ("moments", "newest", "newest_at", "values", "windows")

    def __init__(self, windows: Iterable[tuple[type[Window], timedelta]]) -> None:
        """Make a series without values that `windows`, kinds and lengths, look at."""
        self.moments = array("q")
        self.values = array("d")
        self.newest = math.nan
        self.newest_at = -1
        self.windows = {(kind, length): kind(self, length) for kind, length in windows}

    def add(self, now: int, value: float) -> None:
        """Take in the value at `now`, which is later than any before, and to which `slide` has moved the windows."""
        self.newest = value
        self.newest_at = now
        if self.windows and not math.isnan(value):
            self.moments.append(now)
            self.values.append(value)
            for window in self.windows.values():
                window.enter(len(self.values) - 1)

    def slide(self, now: int) -> None:
        """Let every window end at `now`, and forget the values that none reaches any more."""
        for window in self.windows.values():
            window.slide(now)
        unreached = min((window.start for window in self.windows.values()), default=0)
        if unreached:
            del self.moments[:unreached]
            del self.values[:unreached]
            for window in self.windows.values():
                window.start -= unreached


class Window:
    """The values of a series after `edge`, which lies `length` before now: those from the index `start`.

    This plain one yields `change`.
    """

    __slots__ = ("edge", "length", "series", "start")

    def __init__(self, series: Series, length: timedelta) -> None:
        """Make an empty window on `series`."""
        self.series = series
        self.length = length // MICROSECOND
        self.edge = -1
        self.start = 0

    def __len__(self) -> int:
        return len(self.series.values) - self.start

    def slide(self, now: int) -> None:
        """Move the end to `now`, past the values that are too old by then."""
        moments = self.series.moments
        self.edge = now - self.length
        while self.start < len(moments) and moments[self.start] <= self.edge:
            self.leave(self.start)
            self.start += 1

    def enter(self, index: int) -> None:
        """Count in the newest value, which stands at `index`."""

    def leave(self, index: int) -> None:
        """Count out the oldest value, which stands at `index`."""

    def result(self, watch: Watch) -> float:  # noqa: ARG002 - only one function goes with this kind
        """Return what `watch` yields for as many values as it needs; NaN where that is undefined.

        Here: by which share the last differs from the first. From zero that is no share, but NaN.
        """
        first = self.series.values[self.start]
        return self.series.values[-1] / first - 1 if first else math.nan


class _Ranked(Window):
    """Keeps the values in order of size, for `min`, `max` and `pNN`."""

    __slots__ = ("_ranked",)

    def __init__(self, series: Series, length: timedelta) -> None:
        super().__init__(series, length)
        self._ranked = array("d")

    def enter(self, index: int) -> None:
        insort(self._ranked, self.series.values[index])

    def leave(self, index: int) -> None:
        del self._ranked[bisect_left(self._ranked, self.series.values[index])]

    def result(self, watch: Watch) -> float:
        if watch.function is Function.MIN:
            return self._ranked[0]
        if watch.function is Function.MAX:
            return self._ranked[-1]
        return self._quantile(watch.quantile)

    def _quantile(self, quantile: float) -> float:
        """Return the value at the rank that `quantile` has, weighted between the two neighbours of that rank."""
        rank = quantile * (len(self._ranked) - 1)
        lower = math.floor(rank)
        upper = min(lower + 1, len(self._ranked) - 1)
        weight = rank - lower
        return self._ranked[lower] * (1 - weight) + self._ranked[upper] * weight


class _Summed(Window):
    """Keeps an exact sum, for `sum` and `avg`: adding and taking away floats would let an error grow for months."""

    __slots__ = ("_infinite", "_total")

    def __init__(self, series: Series, length: timedelta) -> None:
        super().__init__(series, length)
        self._total = 0
        self._infinite = 0

    def enter(self, index: int) -> None:
        self._count(self.series.values[index], 1)

    def leave(self, index: int) -> None:
        self._count(self.series.values[index], -1)

    def result(self, watch: Watch) -> float:
        if self._infinite:
            return sum(value for value in self.series.values[self.start :] if math.isinf(value))
        share = len(self) if watch.function is Function.AVG else 1
        try:
            return self._total / (share << FINEST)
        except OverflowError:
            return math.inf if self._total > 0 else -math.inf

    def _count(self, value: float, sign: int) -> None:
        if math.isinf(value):
            self._infinite += sign
            return
        numerator, denominator = value.as_integer_ratio()
        self._total += sign * numerator << (FINEST + 1 - denominator.bit_length())


class _Counted(Window):
    """Keeps where a counter began again, for `rate` and `increase`: after which moment, and how far it had come."""

    __slots__ = ("_resets",)

    def __init__(self, series: Series, length: timedelta) -> None:
        super().__init__(series, length)
        self._resets: deque[tuple[int, float]] = deque()

    def enter(self, index: int) -> None:
        values = self.series.values
        if index > self.start and values[index] < values[index - 1]:
            self._resets.append((self.series.moments[index - 1], values[index - 1]))

    def leave(self, index: int) -> None:
        if self._resets and self._resets[0][0] == self.series.moments[index]:
            self._resets.popleft()

    def result(self, watch: Watch) -> float:
        values = self.series.values
        grown = values[-1] - values[self.start] + sum(value for _, value in self._resets)
        moments, edge = self.series.moments, self.edge
        seen = Seen(moments[self.start], moments[-1], len(self), values[self.start], grown)
        increase = extended(seen, edge, edge + self.length)
        return increase / watch.window.total_seconds() if watch.function is Function.RATE else increase


class Seen(NamedTuple):
    """What was seen of a counter in a window: between which moments, how often, its first value, and how it grew."""

    first: int
    last: int
    many: int
    value: float
    grown: float


def extended(seen: Seen, edge: int, now: int) -> float:
    """Return the increase over the whole window from `edge` to `now`, of a counter that was seen twice at least in it.

    A side on which no further value was due is extended to its edge, any other by half the usual distance of values,
    but never to before the moment at which the counter would have been zero.
    """
    length = (seen.last - seen.first) / SECOND
    distance = length / (seen.many - 1)
    before = _reach((seen.first - edge) / SECOND, distance)
    after = _reach((now - seen.last) / SECOND, distance)
    if seen.grown > 0 and seen.value >= 0:
        before = min(before, length * (seen.value / seen.grown))
    return seen.grown * ((length + before + after) / length)


KINDS: dict[Function, type[Window]] = {
    Function.MIN: _Ranked,
    Function.MAX: _Ranked,
    Function.QUANTILE: _Ranked,
    Function.SUM: _Summed,
    Function.AVG: _Summed,
    Function.RATE: _Counted,
    Function.INCREASE: _Counted,
    Function.CHANGE: Window,
}


def _reach(gap: float, distance: float) -> float:
    return gap if gap < distance * NEARBY else distance / 2

"""What is remembered of one check's measures, and what each watch reads from it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from monitor.model import State
from monitor.watch import Function, values_needed
from monitor.window import KINDS, MICROSECOND, Series, Window

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.model import Labels, Measure, Sample
    from monitor.watch import Watch

MOST_SERIES = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class History:
    """The recent values of one check: just as many as the longest window of its thresholds needs.

    It is the same whether it has grown for months or was just filled with the samples of the last `reach`, as long as
    no measure has more than 1,000 series: those beyond are left out, newest first, and counted in `dropped`.
    """

    def __init__(self, watches: Iterable[Watch]) -> None:
        """Make an empty history: only what `watches` look at will be remembered."""
        found: dict[str, list[Watch]] = {}
        for watch in watches:
            found.setdefault(watch.measure, []).append(watch)
        self._measures = {name: _Measured(looking) for name, looking in found.items()}
        self._now = -1
        self.reach = max((watch.window for looking in found.values() for watch in looking), default=timedelta())

    @property
    def dropped(self) -> int:
        """Return how many values were left out because their measure had too many series."""
        return sum(measured.dropped for measured in self._measures.values())

    def add(self, sample: Sample) -> None:
        """Take a sample in, newest last, and forget what no window reaches any more.

        One that is not newer than the newest is known already or too late, and changes nothing. One whose state is
        unknown only lets time pass: what was measured under a fault of our own counts nowhere.
        """
        now = _moment(sample.at)
        if now <= self._now:
            return
        for measured in self._measures.values():
            measured.slide(now, self._now)
        self._now = now
        if sample.state is State.UNKNOWN:
            return
        for measure in sample.measures:
            if (watched := self._measures.get(measure.name)) is not None:
                watched.add(now, measure)

    def ends_with(self, sample: Sample) -> bool:
        """Return whether `sample` is the newest one here: no other can be judged."""
        return self._now == _moment(sample.at)

    def read(self, watch: Watch) -> dict[Labels, float]:
        """Return the value of `watch` for each series that the newest sample or the window has.

        NaN means that there is none: too few values, not a number, or no result. Raises KeyError for a watch that this
        history was not made for.
        """
        measured = self._measures[watch.measure]
        if watch.function is Function.LAST:
            return measured.newest(watch, self._now)
        return measured.results(watch, self._now)


class _Measured:
    """One measure: who looks at it, and its series."""

    def __init__(self, watches: Iterable[Watch]) -> None:
        self.dropped = 0
        self._watches = tuple(watches)
        self._windows = frozenset(_window(watch) for watch in self._watches if watch.function is not Function.LAST)
        self._series: dict[Labels, Series] = {}

    def slide(self, now: int, before: int) -> None:
        """Let time pass to `now`; series without a value, and not in the sample at `before` either, make room."""
        for labels, series in list(self._series.items()):
            series.slide(now)
            if not series.values and series.newest_at < before:
                del self._series[labels]

    def add(self, now: int, measure: Measure) -> None:
        """Take in one value; if a sample has the same series twice, the first counts."""
        series = self._series.get(measure.labels)
        if series is None:
            if not any(watch.selects(measure.labels) for watch in self._watches):
                return
            if len(self._series) >= MOST_SERIES:
                self.dropped += 1
                return
            series = self._series[measure.labels] = Series(self._windows)
        if series.newest_at != now:
            series.add(now, measure.value)

    def newest(self, watch: Watch, now: int) -> dict[Labels, float]:
        """Return the values in the sample at `now`."""
        return {
            labels: series.newest
            for labels, series in self._series.items()
            if series.newest_at == now and watch.selects(labels)
        }

    def results(self, watch: Watch, now: int) -> dict[Labels, float]:
        """Return what the window of `watch` yields."""
        key = _window(watch)
        needed = values_needed(watch)
        found = {}
        for labels, series in self._series.items():
            if watch.selects(labels):
                window = series.windows[key]
                if len(window) >= needed:
                    found[labels] = window.result(watch)
                elif len(window) or series.newest_at == now:
                    found[labels] = math.nan
        return found


def _window(watch: Watch) -> tuple[type[Window], timedelta]:
    return KINDS[watch.function], watch.window


def _moment(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND

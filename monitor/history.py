"""What is remembered of one check's measures, and what each watch reads from it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from monitor.baseline import Baseline
from monitor.baseline.unseen import MOST_KNOWN
from monitor.model import State
from monitor.watch import Function, values_needed
from monitor.window import KINDS, MICROSECOND, Series, Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.model import Labels, Measure, Sample
    from monitor.units import Unit
    from monitor.watch import Watch

MOST_SERIES = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class History:
    """The recent values of one check: just as many as the longest window of its thresholds needs.

    It is the same whether it has grown for months or was just filled with the samples of the last `reach`, as long as
    no measure has more than 1,000 series: those beyond are left out, newest first, and counted in `dropped`.

    `past` is what some of the watches compare with: it knows nothing until somebody puts one here that does.
    """

    def __init__(self, watches: Iterable[Watch], zone: tzinfo = UTC) -> None:
        """Make an empty history: only what `watches` look at will be remembered. Hours of the week are of `zone`."""
        found: dict[str, list[Watch]] = {}
        for watch in watches:
            found.setdefault(watch.measure, []).append(watch)
        self._measures = {name: _Measured(looking) for name, looking in found.items()}
        self._now = -1
        self.reach = max((watch.reach for looking in found.values() for watch in looking), default=timedelta())
        self.past = Baseline((watch for looking in found.values() for watch in looking), zone)

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
        if watch.looks_back:
            return self.past.read(watch, measured.compared(watch, self._now), self._now)
        return measured.results(watch, self._now)

    def blind(self, watch: Watch) -> bool:
        """Return whether `watch` looks back and there is too little to see: what it does not read may be there."""
        return watch.looks_back and self.past.blind(watch)

    def tell(self, watch: Watch, labels: Labels, unit: Unit) -> str:
        """Return in words what a watch that looks back compared; `unit` is that of its measure. Else nothing."""
        if not watch.looks_back:
            return ""
        values = self._measures[watch.measure].compared(watch, self._now)
        return self.past.tell(watch, values, self._now, labels, unit)


class _Measured:
    """One measure: who looks at it, and its series."""

    def __init__(self, watches: Iterable[Watch]) -> None:
        self.dropped = 0
        looking = tuple(watches)
        self._watches = tuple(watch.inner or watch for watch in looking if watch.function is not Function.UNSEEN)
        self._windows = frozenset(_window(watch) for watch in self._watches if watch.function is not Function.LAST)
        self._series: dict[Labels, Series] = {}
        self._first = {watch.text: _First(watch) for watch in looking if watch.function is Function.UNSEEN}

    def slide(self, now: int, before: int) -> None:
        """Let time pass to `now`; series without a value, and not in the sample at `before` either, make room."""
        for labels, series in list(self._series.items()):
            series.slide(now)
            if not series.values and series.newest_at < before:
                del self._series[labels]

    def add(self, now: int, measure: Measure) -> None:
        """Take in one value; if a sample has the same series twice, the first counts."""
        if self._first:
            for first in self._first.values():
                first.add(now, measure)
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

    def compared(self, watch: Watch, now: int) -> Mapping[Labels, float]:
        """Return what `watch` compares with the past: what its window yields, or when each value was seen first."""
        return self._first[watch.text].moments if watch.inner is None else self.results(watch.inner, now)

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


class _First:
    """When each value of a label was seen first by this process, or by the samples that it took up."""

    def __init__(self, watch: Watch) -> None:
        self.moments: dict[Labels, float] = {}
        self._watch = watch

    def add(self, now: int, measure: Measure) -> None:
        """Take in a value; 0 and what is no number is nothing that was seen."""
        seen = math.isfinite(measure.value) and measure.value
        if seen and self._watch.selects(measure.labels) and len(self.moments) <= MOST_KNOWN:
            self.moments.setdefault(self._watch.group(measure.labels), now)


def _window(watch: Watch) -> tuple[type[Window], timedelta]:
    return KINDS[watch.function], watch.window


def _moment(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND

"""What the past hours of a check say of the present: what `usual`, `drift` and `unseen` compare with. Pure.

`usual` divides what is seen by what is usual: the median of the same hour of the week over the last eight weeks, as the
clock of the system's zone shows it, so that neither a past outage nor a holiday nor the change to summer time moves it
much. `drift` is the distance between two mixes: the shares of a label's values now, and on the days of those weeks.
`unseen` counts label values that no hour that is kept has seen.

All of it is made of the hours that the store keeps (`monitor.hour`), so that a restart changes nothing. An hour counts
when more than half of its runs found the check up. None of the functions judges before two weeks of such hours are
there: it is blind till then, and opens and resolves nothing. What is watched by no such function costs nothing here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Protocol

from monitor.baseline.depth import EPOCH, HOUR, REACH, WANTED, WEEKS, Depth
from monitor.baseline.drift import Drift
from monitor.baseline.unseen import Unseen
from monitor.baseline.usual import Usual
from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.hour import Hour, HourMeasure
    from monitor.model import Labels
    from monitor.units import Unit
    from monitor.watch import Watch

__all__ = ["REACH", "WANTED", "WEEKS", "Baseline"]


class Comparison(Protocol):
    """One watch that looks back, and what it knows of the past. Hours are counted from 1970, moments in µs."""

    @property
    def full(self) -> bool:
        """Return whether there are too many label values to remember, so that nothing can be told."""
        ...

    def add(self, hour: int, measures: Sequence[HourMeasure], *, counts: bool) -> None:
        """Take in what was measured in an hour later than any before."""

    def read(self, values: Mapping[Labels, float], now: int) -> dict[Labels, float]:
        """Return what is judged; NaN where nothing can be compared. `values` are those of the watch's window."""
        ...

    def tell(self, values: Mapping[Labels, float], now: int, labels: Labels, unit: Unit) -> str:
        """Return in words what was compared; `unit` is that of the measure."""
        ...


class Baseline:
    """What is known of the past of one check, for those of its watches that look back."""

    __slots__ = ("_compared", "_depth", "_newest", "_watches", "_zone", "measures", "read_at")

    def __init__(self, watches: Iterable[Watch] = (), zone: tzinfo = UTC) -> None:
        """Know nothing yet; hours of the week are those of `zone`."""
        self._watches = {watch.text: watch for watch in watches if watch.looks_back}
        self._zone = zone
        self._compared = {text: _comparison(watch, zone) for text, watch in self._watches.items()}
        self._depth = Depth()
        self._newest = -1
        self.measures = frozenset(watch.measure for watch in self._watches.values())
        self.read_at: datetime | None = None

    def __bool__(self) -> bool:
        return bool(self._watches)

    def emptied(self) -> Baseline:
        """Return one for the same watches that knows nothing."""
        return Baseline(self._watches.values(), self._zone)

    def begins(self, now: datetime) -> datetime:
        """Return the first hour at which something is to be learned: after what is known, and within reach."""
        if self._newest >= 0:
            return EPOCH + (self._newest + 1) * HOUR
        ever = any(watch.function is Function.UNSEEN for watch in self._watches.values())
        return EPOCH if ever else now - REACH

    def add(self, hour: Hour) -> None:
        """Take in an hour; one that is not later than those before is known already."""
        number = (hour.at - EPOCH) // HOUR
        if number <= self._newest:
            return
        self._newest = number
        counts = hour.up > hour.down + hour.unknown
        if counts:
            self._depth.add(number)
        for text, watch in self._watches.items():
            found = [one for one in hour.measures if one.name == watch.measure and watch.selects(one.labels)]
            self._compared[text].add(number, found, counts=counts)

    def depth(self, watch: Watch) -> timedelta:
        """Return how much of the past `watch` can look back on; nothing, if its label has too many values."""
        return timedelta() if self._compared[watch.text].full else self._depth.value

    def blind(self, watch: Watch) -> bool:
        """Return whether there is too little of the past for `watch` to say anything."""
        return self.depth(watch) < WANTED

    def depths(self) -> dict[str, timedelta]:
        """Return how much of the past there is, by the text of the watch."""
        return {text: self.depth(watch) for text, watch in self._watches.items()}

    def full(self) -> list[str]:
        """Return the texts of the watches whose label has too many values."""
        return [text for text, compared in self._compared.items() if compared.full]

    def read(self, watch: Watch, values: Mapping[Labels, float], now: int) -> dict[Labels, float]:
        """Return what `watch` yields at `now` from `values`: those of its window or, of `unseen`, when first seen."""
        if self.blind(watch):
            return _nothing(watch, values)
        return self._compared[watch.text].read(values, now)

    def tell(self, watch: Watch, values: Mapping[Labels, float], now: int, labels: Labels, unit: Unit) -> str:
        """Return in words what `watch` compared for the series with these labels; empty while it cannot."""
        return "" if self.blind(watch) else self._compared[watch.text].tell(values, now, labels, unit)


def _comparison(watch: Watch, zone: tzinfo) -> Comparison:
    if watch.function is Function.USUAL:
        return Usual(watch, zone)
    return Drift(watch) if watch.function is Function.DRIFT else Unseen(watch)


def _nothing(watch: Watch, values: Iterable[Labels]) -> dict[Labels, float]:
    if watch.function is Function.UNSEEN:
        return {}
    return dict.fromkeys(values if watch.function is Function.USUAL else ((),), float("nan"))

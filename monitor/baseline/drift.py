"""How far a mix is from the usual one: half the sum of how much each share differs, 0 (the same) to 1 (disjoint).

That is the total variation distance: the share of what is seen that would have to be something else. The usual shares
are those of whole days in UTC that ended before the window began, weighted by how much there was on each, but none more
than the median day, so that a day of a thousand times the errors counts as one day.
"""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

from monitor.baseline.depth import DAY, REACH, WANTED
from monitor.units import Unit, show
from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.hour import HourMeasure
    from monitor.model import Labels
    from monitor.watch import Watch

MOST_VALUES = 1_000
"""Of the label, over all days: where there are more, their shares say nothing."""
LEAST = 30.0
"""How much a window must add up to unless the watch says otherwise."""
MOST_TOLD = 3
LONGEST_NAME = 60
DAYS_WANTED = WANTED // timedelta(days=1)
DAYS_KEPT = REACH // timedelta(days=1)
MICROSECONDS_A_DAY = timedelta(days=1) // timedelta(microseconds=1)

Amounts = dict["Labels", float]


class Drift:
    """The days of the last weeks, how much there was of each value, and the shares that follow."""

    def __init__(self, watch: Watch) -> None:
        """Know nothing yet."""
        self._watch = watch
        self._counted = watch.inner is not None and watch.inner.function is Function.INCREASE
        self._least = watch.floor or LEAST
        self._days: dict[int, Amounts] = {}
        self._before: tuple[int, dict[Labels, HourMeasure]] = (-1, {})
        self._shares: tuple[int, Amounts] = (-1, {})
        self._full: bool | None = None

    @property
    def full(self) -> bool:
        """Return whether the label has too many values."""
        if self._full is None:
            self._full = len({key for amounts in self._days.values() for key in amounts}) > MOST_VALUES
        return self._full

    def add(self, hour: int, measures: Sequence[HourMeasure], *, counts: bool) -> None:
        """Add what was measured in an hour to its day."""
        if not counts:
            return
        if not self._counted:
            self._put(hour, {one.labels: one.sum for one in measures})
            return
        now = {one.labels: one for one in measures}
        earlier, before = self._before
        if earlier == hour - 1:
            self._put(earlier, {key: _increase(before[key], one) for key, one in now.items() if key in before})
        self._before = hour, now

    def read(self, values: Mapping[Labels, float], now: int) -> dict[Labels, float]:
        """Return the distance, of no label; NaN where there is too little, now or before."""
        seen, usual = self._mixes(values, now)
        return {(): distance(seen, usual) if seen and usual else math.nan}

    def tell(self, values: Mapping[Labels, float], now: int, labels: Labels, unit: Unit) -> str:  # noqa: ARG002 - as others
        """Return what has changed most."""
        seen, usual = self._mixes(values, now)
        if not seen or not usual:
            return ""
        moved = sorted({*seen, *usual}, key=lambda key: (-abs(seen.get(key, 0.0) - usual.get(key, 0.0)), key))
        return "; ".join(
            f"{named(key)}: {_share(seen.get(key, 0.0))}, usually {_share(usual.get(key, 0.0))}"
            for key in moved[:MOST_TOLD]
        )

    def _put(self, hour: int, amounts: Mapping[Labels, float]) -> None:
        day = self._days.setdefault(hour // DAY, {})
        for group, amount in self._grouped(amounts).items():
            if group in day or len(day) <= MOST_VALUES:
                day[group] = day.get(group, 0.0) + amount
        self._shares, self._full = (-1, {}), None
        while (oldest := next(iter(self._days))) < hour // DAY - DAYS_KEPT:
            del self._days[oldest]

    def _grouped(self, amounts: Mapping[Labels, float]) -> Amounts:
        """Return how much there is of each value; what is less than nothing, or no number, is none."""
        found: Amounts = defaultdict(float)
        for labels, amount in amounts.items():
            if 0 < amount < math.inf:
                found[self._watch.group(labels)] += amount
        return found

    def _mixes(self, values: Mapping[Labels, float], now: int) -> tuple[Amounts, Amounts]:
        """Return the shares now and the usual ones; none where there is too little."""
        amounts = self._grouped(values)
        if not self._least <= sum(amounts.values()) < math.inf:
            return {}, {}
        until = (now - self._watch.window // timedelta(microseconds=1)) // MICROSECONDS_A_DAY
        if self._shares[0] != until:
            self._shares = until, self._usual(until)
        return shares(amounts), self._shares[1]

    def _usual(self, until: int) -> Amounts:
        """Return the shares of the days before `until`; none if they are too few, or hold too little."""
        days = [amounts for day, amounts in self._days.items() if day < until]
        total = sum(sum(amounts.values()) for amounts in days)
        enough = len(days) >= DAYS_WANTED and self._least <= total < math.inf
        return usual_shares(days) if enough else {}


def shares(amounts: Mapping[Labels, float]) -> Amounts:
    """Return which share of the whole each amount is; they add up to more than 0."""
    total = sum(amounts.values())
    return {key: amount / total for key, amount in amounts.items()}


def usual_shares(days: Iterable[Mapping[Labels, float]]) -> Amounts:
    """Return the shares over all days, of which none weighs more than the median one; some have amounts."""
    totals = [(sum(amounts.values()), amounts) for amounts in days]
    middle = median(total for total, _ in totals if total)
    found: Amounts = defaultdict(float)
    for total, amounts in totals:
        for key, amount in amounts.items():
            found[key] += amount * min(1.0, middle / total)
    return shares(found)


def distance(one: Mapping[Labels, float], other: Mapping[Labels, float]) -> float:
    """Return the total variation distance of two mixes of shares, 0 to 1."""
    differences = (abs(one.get(key, 0.0) - other.get(key, 0.0)) for key in one.keys() | other.keys())
    return min(math.fsum(differences) / 2, 1.0)


def named(key: Labels) -> str:
    """Return the values of labels for a message."""
    text = ", ".join(value for _, value in key) or "no label"
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"


def _share(value: float) -> str:
    return show(value, Unit.RATIO)


def _increase(before: HourMeasure, after: HourMeasure) -> float:
    """Return by how much a counter grew between the first values of two hours; 0 if it began again meanwhile."""
    return after.min - before.min if after.min >= before.max else 0.0

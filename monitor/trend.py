"""The shape of the last hour, kept in memory so that a page can show it at once, whatever the store is doing. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SPAN = timedelta(hours=1)
BUCKETS = 24
_WIDTH = SPAN / BUCKETS
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Trend:
    """The mean of one series for each part of the last hour."""

    __slots__ = ("_counts", "_newest", "_sums")

    def __init__(self) -> None:
        self._newest = 0
        self._sums = [0.0] * BUCKETS
        self._counts = [0] * BUCKETS

    def add(self, at: datetime, value: float) -> None:
        """Take in a value measured at `at`; one older than an hour before the newest is passed over."""
        part = (at - _EPOCH) // _WIDTH
        if part > self._newest:
            self._clear(part)
        elif part <= self._newest - BUCKETS:
            return
        self._sums[part % BUCKETS] += value
        self._counts[part % BUCKETS] += 1

    def values(self, now: datetime) -> list[float | None]:
        """Return the means of the parts of the hour up to `now`, oldest first; None where nothing was measured."""
        part = (now - _EPOCH) // _WIDTH
        return [self._mean(index) for index in range(part - BUCKETS + 1, part + 1)]

    def _clear(self, part: int) -> None:
        for index in range(max(self._newest + 1, part - BUCKETS + 1), part + 1):
            self._sums[index % BUCKETS] = 0.0
            self._counts[index % BUCKETS] = 0
        self._newest = part

    def _mean(self, part: int) -> float | None:
        if not self._newest - BUCKETS < part <= self._newest:
            return None
        count = self._counts[part % BUCKETS]
        return self._sums[part % BUCKETS] / count if count else None

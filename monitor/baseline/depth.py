"""How much of the past there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEKS = 8
REACH = timedelta(weeks=WEEKS, days=2)
"""How far back amounts matter: the weeks, from the beginning of the longest window on, and a clock that was shifted."""
WANTED = timedelta(weeks=2)
"""How much of the past there must be before anything is compared with it."""
DAY = 24


class Depth:
    """Counts the hours that count, numbered from 1970: their span, but no more than the days on which there were any.

    So a long gap is no history, and a night without the daemon costs no day.
    """

    __slots__ = ("_days", "_newest")

    def __init__(self) -> None:
        self._days: dict[int, int] = {}
        self._newest = -1

    def add(self, hour: int) -> None:
        """Count an hour, later than any before; what is out of reach by then is forgotten."""
        self._newest = hour
        self._days.setdefault(hour // DAY, hour)
        while (oldest := next(iter(self._days))) * DAY * HOUR < hour * HOUR - REACH:
            del self._days[oldest]

    @property
    def value(self) -> timedelta:
        """Return how much there is."""
        if not self._days:
            return timedelta()
        first = next(iter(self._days.values()))
        return min(self._newest + 1 - first, len(self._days) * DAY) * HOUR

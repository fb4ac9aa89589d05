"""How much of a vendor's limit is left for us: over one key, or over all that count towards the same limit. Pure."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.vendors.vendor import SHARE

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.vendors.vendor import Limit


class Purse:
    """What was spent of a limit lately. Moments are the caller's and never go back."""

    def __init__(self, limit: Limit, share: float = SHARE) -> None:
        """Make a purse that has spent nothing yet, and may spend its `share` of `limit`."""
        ours = limit.most * share
        self._most = max(ours, 1.0)
        self._per = limit.per * (self._most / ours)
        self._spent: deque[tuple[datetime, float]] = deque()

    def wait(self, now: datetime) -> timedelta:
        """Return how long until one more request stays within our share of the limit."""
        while self._spent and self._spent[0][0] + self._per <= now:
            self._spent.popleft()
        used, wait = sum(cost for _, cost in self._spent), timedelta()
        for at, cost in self._spent:
            if used + 1 <= self._most:
                break
            used -= cost
            wait = at + self._per - now
        return wait

    def spend(self, now: datetime, cost: float = 1.0) -> None:
        """Count a request, or the further points that it turned out to cost."""
        self._spent.append((now, cost))

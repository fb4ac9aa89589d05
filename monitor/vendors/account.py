"""What is known of one key to a vendor's API: what it has used, until when it must wait, how its requests end. Pure."""

from __future__ import annotations

from collections import Counter, deque
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.vendors.purse import Purse

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.vendors.vendor import Limit

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
"""After a 429 that does not say how long to wait the pause doubles, up to this."""
REMEMBERED = timedelta(hours=1)
SHARED_FOR = timedelta(days=1)
"""Questions may differ from day to day, by the cursor of a page: none is kept for ever."""
FEWEST = 10
"""A share of errors is one of so many requests at least: one error of one request is no rate."""
NOW = timedelta()


class Kept(NamedTuple):
    """An answer that several checks may use: when it came, its number, and what it is."""

    at: datetime
    number: int
    answer: Any


class Account:
    """The use of one key, over all checks that share it. Moments are the caller's and never go back.

    `kept` are its newest answers that may be shared, by their question.
    """

    def __init__(self, limit: Limit | Purse) -> None:
        """Make an account that may use its share of `limit`, or what is left in a purse that others spend from too."""
        self._purse = limit if isinstance(limit, Purse) else Purse(limit)
        self._ended: deque[tuple[datetime, int]] = deque(maxlen=1_000)
        self._refusals = 0
        self._barred: datetime | None = None
        self.kept: dict[str, Kept] = {}

    def keep(self, question: str, answer: Any, now: datetime) -> int:  # noqa: ANN401 - whatever the asker reads
        """Keep an answer for others, forget those that are too old for anybody, and return its number."""
        before = self.kept.get(question)
        number = before.number + 1 if before else 0
        self.kept = {each: kept for each, kept in self.kept.items() if now - kept.at < SHARED_FOR}
        self.kept[question] = Kept(now, number, answer)
        return number

    def pause(self, now: datetime) -> timedelta:
        """Return for how long the vendor still wants no request."""
        return max(self._barred - now, NOW) if self._barred else NOW

    def wait(self, now: datetime) -> timedelta:
        """Return how long until one more request stays within our share of the limit."""
        return self._purse.wait(now)

    def spend(self, now: datetime, cost: float = 1.0) -> None:
        """Count a request, or the further points that it turned out to cost."""
        self._purse.spend(now, cost)

    def answered(self, now: datetime, status: int, after: timedelta | None = None) -> None:
        """Count an answer; `after` is how long it asks us to wait, which it may do with any status.

        A 429 that does not say so means a pause that doubles with each further one.
        """
        self._ended.append((now, status))
        if status != HTTPStatus.TOO_MANY_REQUESTS:
            self._refusals = 0
        elif after is None:
            after = min(FIRST_PAUSE * 2**self._refusals, LONGEST_PAUSE)
            self._refusals = min(self._refusals + 1, 10)
        if after:
            self._barred = now + after

    def throttled(self, now: datetime, after: timedelta | None) -> None:
        """Take the newest answer for a 429, whatever its status: its body said so. `after` as in `answered`."""
        if self._ended and self._ended[-1][1] != HTTPStatus.TOO_MANY_REQUESTS:
            self._ended.pop()
            self.answered(now, HTTPStatus.TOO_MANY_REQUESTS, after)
        elif after:
            self._barred = now + after

    def errors(self, now: datetime) -> tuple[float, str]:
        """Return which share of the last hour's answers were a 429 or a 5xx, and in words how many of which."""
        recent = [status for at, status in self._ended if at > now - REMEMBERED]
        failed = Counter(status for status in recent if is_fault(status))
        listed = ", ".join(f"{count} × {status}" for status, count in failed.most_common())
        least = f", as a share of {FEWEST}" if len(recent) < FEWEST else ""
        text = f"{failed.total()} of our {len(recent)} requests in the last hour{least}: {listed}"
        return failed.total() / max(len(recent), FEWEST), text


def is_fault(status: int) -> bool:
    """Return whether a status is an error of the vendor, or its refusal to take more requests."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR

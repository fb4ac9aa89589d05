"""Which events Stripe has not delivered, by its own records.

They do not say which endpoint did not take an event, nor why, nor when it is tried again: an event counts as long as
any endpoint of the account has not answered it with success. What is young may be on its way. Ages are counted by
Stripe's own clock, which made the times of the events.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Failure, Reason, State
from monitor.probes.stripe.lists import page_of
from monitor.units import show_duration
from monitor.vendors import TooLong, read_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.vendors import Api, Found, Page, Reply

EVERY_TYPE = frozenset({"*"})
KEPT = timedelta(days=30)
RIGHT = "Events: Read"
MOST_PAGES = 10
FULL_PAGE = 100
"""The most that Stripe gives at once."""
MOST_TYPES = 20
"""The most types that a question may name; of more, or of all, everything is read and the rest left out here."""
NEWEST = 10
FURTHEST = timedelta(hours=1)
"""Clocks that are further apart than this cannot both be right."""
MOST_NAMED = 5


class Event(NamedTuple):
    """What matters of an event: nothing of its object, which is a customer's. `pending`: somebody has not taken it."""

    type: str
    created: float
    pending: bool


@dataclass(frozen=True, slots=True)
class Backlog:
    """What was not delivered, by type: how many, and the age of the oldest. `at`: by Stripe's clock.

    `whole`: the list was read to its end; if not, there is more, and what is left is older.
    """

    counts: Counter[str]
    oldest: Mapping[str, timedelta]
    whole: bool
    at: datetime

    @classmethod
    def of(cls, events: Iterable[Event], at: datetime, min_age: timedelta, *, whole: bool) -> Backlog:
        """Return what of `events` was not delivered and is at least so old."""
        latest = (at - min_age).timestamp()
        lost = [event for event in events if event.pending and event.created <= latest]
        first: dict[str, float] = {}
        for event in lost:
            first[event.type] = min(event.created, first.get(event.type, event.created))
        ages = {kind: timedelta(seconds=at.timestamp() - created) for kind, created in first.items()}
        return cls(Counter(event.type for event in lost), ages, whole, at)

    @property
    def text(self) -> str:
        """Return all of it on one line."""
        named = [
            f"{count} × {kind}, the oldest {show_duration(self.oldest[kind].total_seconds())} old"
            for kind, count in self.counts.most_common(MOST_NAMED)
        ]
        more = [f"{len(self.counts) - MOST_NAMED} more types"] if len(self.counts) > MOST_NAMED else []
        least = "" if self.whole else "at least "
        return f"{least}{self.counts.total():,} not delivered: {'; '.join((*named, *more))}"


class Deliveries:
    """Reads what an API key may see of events. Everything raises `Failure`, always unknown."""

    def __init__(self, api: Api, types: frozenset[str], min_age: timedelta, look_back: timedelta) -> None:
        """Look for events of `types`, at least `min_age` and at most `look_back` old."""
        self._api = api
        self._types = frozenset() if types & EVERY_TYPE else types
        self._min_age = min_age
        self._look_back = look_back
        self._size = FULL_PAGE

    async def backlog(self) -> Backlog:
        """Return what was not delivered; of a long list the newest, as far as half the run's time reaches."""
        replies: list[Reply] = []
        since = [] if self._look_back >= KEPT else [("created[gte]", _seconds(self._api.now - self._look_back))]

        async def ask(cursor: str | None) -> Page[Event]:
            after = [("starting_after", cursor)] if cursor else []
            reply = await self._read([("delivery_success", "false"), *since, *after], self._size)
            replies.append(reply)
            return page_of(reply.body, _event)

        enough_at = self._api.left / 2
        found = await read_pages(ask, MOST_PAGES, lambda: self._api.left < enough_at)
        at = self._checked(replies[-1].at)
        return Backlog.of(filter(self._wanted, found.items), at, self._min_age, whole=found.whole)

    async def newest_failed(self, at: datetime) -> int:
        """Return how many of the newest events that are old enough were not delivered, up to the first that was."""
        until = [("created[lte]", _seconds(at - self._min_age))]
        size = NEWEST if self._asked else FULL_PAGE
        events = page_of((await self._read(until, size)).body, _event).items
        newest = sorted(filter(self._wanted, events), key=lambda event: event.created, reverse=True)[:NEWEST]
        return next((count for count, event in enumerate(newest) if not event.pending), len(newest))

    @property
    def _asked(self) -> list[tuple[str, str]]:
        return [("types[]", kind) for kind in sorted(self._types)] if len(self._types) <= MOST_TYPES else []

    def _wanted(self, event: Event) -> bool:
        return not self._types or event.type in self._types

    async def _read(self, query: list[tuple[str, str]], size: int) -> Reply:
        """Ask for events; for fewer at once where they are too long, since an invoice with many lines may be."""
        while True:
            try:
                wanted = [("limit", str(min(size, self._size))), *self._asked, *query]
                return await self._api.get("/v1/events", wanted, right=RIGHT)
            except TooLong:
                if self._size == 1:
                    raise
                self._size = max(self._size // 4, 1)

    def _checked(self, at: datetime) -> datetime:
        """Return `at`; raises if it cannot be when Stripe answered."""
        apart = abs(at - self._api.now)
        if apart > FURTHEST:
            text = f"Stripe's clock and ours are {show_duration(apart.total_seconds())} apart: no age can be told"
            raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)
        return at


def _event(found: Found) -> Event:
    return Event(found["type"].text, found["created"].number, found["pending_webhooks"].number > 0)


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))

"""Sends the week's review: once, to each channel that wants it, also if nobody was there at that moment.

That it was sent is one transaction with the messages that are owed, so that neither a restart nor a `kill -9` sends it
twice or not at all. A store that is away is waited for.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import structlog

from monitor.model import (
    OURS,
    AlertKey,
    Change,
    CheckId,
    EventKind,
    Keepsake,
    Notification,
    Page,
    Severity,
    stable_id,
)
from monitor.review.gather import read_week
from monitor.review.week import steps, summary, title
from monitor.store import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from monitor.clock import Clock
    from monitor.config import Review
    from monitor.plan import Plan
    from monitor.store import Store, Writer

TICK = timedelta(seconds=20)
LATE = timedelta(days=1)
"""So late it is still sent, if nobody was there before."""
APART = timedelta(days=3)
"""So soon after another nothing is reviewed: only the hour was changed."""
REVIEW = "review"
PLACE = CheckId(OURS, REVIEW)
KEY = AlertKey(PLACE, REVIEW)
UNREADABLE = "The week could not be put together. The daemon's log says why, at `week_not_reviewed`."

log = structlog.get_logger()


class Mark(NamedTuple):
    """The newest week that was reviewed ended `at`; not `sent`: none was yet, and that is when it was asked for."""

    at: datetime
    sent: bool

    @property
    def keepsake(self) -> Keepsake:
        """Return it as the store remembers it."""
        return Keepsake(PLACE, REVIEW, json.dumps([self.at.isoformat(), self.sent]))

    def lets(self, moment: datetime) -> bool:
        """Return whether a week that ended at `moment` is still to be reviewed."""
        return moment - self.at >= APART if self.sent else moment > self.at


class Reviews:
    """Looks whether a week is over."""

    def __init__(
        self, clock: Clock, store: Store, writer: Writer, owe: Callable[[Sequence[Notification], bool], None]
    ) -> None:
        """Make one that sends nothing yet. `owe` takes messages, and whether they are not durable yet."""
        self._clock = clock
        self._store = store
        self._writer = writer
        self._owe = owe
        self._review: Review | None = None
        self._plans: Mapping[CheckId, Plan] = {}
        self._mark: Mark | None = None

    def configure(self, review: Review | None, plans: Mapping[CheckId, Plan]) -> None:
        """Tell `review` of each week from now on, over the checks of `plans`."""
        self._review, self._plans = review, plans

    async def run(self) -> None:
        """Do what is due until cancelled."""
        while True:
            await self.tick()
            await self._clock.sleep_until(self._clock.now() + TICK)

    async def tick(self) -> None:
        """Send the review that is due, if one is and it was not sent; wait if the store is away."""
        if self._review is None:
            return
        try:
            due = await self._due(self._review)
            if due is not None:
                page = await self._page(due)
                await self._send(self._review, due, page)
        except StoreUnavailable as error:
            log.debug("review_waits", reason=str(error))

    async def _due(self, review: Review) -> datetime | None:
        """Return the moment of a review that is due and was not sent.

        Where none was ever sent, the first is that of the next moment: whoever begins today has no week behind him.
        """
        now = self._clock.now()
        if self._mark is None:
            self._mark = _read(await self._store.keepsakes())
        if self._mark is None:
            self._mark = Mark(now, sent=False)
            await self._writer.commit(Change(keepsakes=(self._mark.keepsake,)))
        moment = review.at.after(now - LATE)
        return moment if moment <= now and self._mark.lets(moment) else None

    async def _page(self, due: datetime) -> Page:
        try:
            week = await read_week(self._store, self._plans, due)
            found, told = steps(week), summary(week)
        except (StoreUnavailable, LeaseLost):
            raise
        except Exception:  # a page about the past must not end the watch over the present, minute after minute
            log.exception("week_not_reviewed")
            found, told = [], UNREADABLE
        return Page(title(due), told, OURS, REVIEW, REVIEW, remedy=tuple(found))

    async def _send(self, review: Review, due: datetime, page: Page) -> None:
        """Owe the review to its channels, each under an id that is the same for that week whoever sends it."""
        identity = stable_id(REVIEW, due.isoformat())
        owed = tuple(
            Notification(
                stable_id(identity, name),
                name,
                identity,
                KEY,
                EventKind.REPORTED,
                Severity.INFO,
                self._clock.now(),
                page,
                quiet=True,
            )
            for name in review.notify
        )
        self._mark = Mark(due, sent=True)
        durable = False
        try:
            durable = await self._writer.commit(Change(owed=owed, keepsakes=(self._mark.keepsake,)))
        finally:
            self._owe(owed, not durable)
        log.info("week_reviewed", until=due.isoformat(), rules=len(page.remedy))


def _read(kept: Iterable[Keepsake]) -> Mark | None:
    """Return the mark that an earlier process left; None: there is none, or none that can be read."""
    for each in kept:
        if each.check == PLACE and each.topic == REVIEW:
            try:
                at, sent = json.loads(each.body)
                return Mark(datetime.fromisoformat(at), sent=bool(sent))
            except (TypeError, ValueError):
                log.warning("review_mark_unreadable", body=each.body[:100])
    return None

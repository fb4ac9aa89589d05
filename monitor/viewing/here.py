"""What an instance adds to its own picture from the store: the past of the strips, and what was told of live alerts."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import CheckId
from monitor.showing import hour_of
from monitor.viewing.past import MOMENT, read_hours, read_past

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.config import Config
    from monitor.model import Dispatch
    from monitor.showing import Picture
    from monitor.store import Store

SETTLED = timedelta(minutes=15)
"""So long after its end an hour is read: by then the store has summed it up."""
MOST_MESSAGES = 2_000
PIECE = 25
"""Views that are made without a pause: about a millisecond."""


class Here:
    """A picture, and how far the store was read for it."""

    def __init__(self, picture: Picture) -> None:
        """Make one of which nothing was read."""
        self.picture = picture
        self._known: set[CheckId] = set()
        self._turn: datetime | None = None
        self._made: datetime | None = None

    async def refresh(self, store: Store, config: Config, now: datetime, *, messages: bool) -> None:
        """Read the past of checks that are new, once an hour what was summed up since, and `messages`.

        Raises `StoreUnavailable`; then nothing of what is new was taken in.
        """
        checks = {*config.plans, *_skipped(config)}
        if self._known - checks:
            self._known &= checks
            self.picture.forget(checks)
        new = {check: self.picture.strip(check) for check in checks - self._known}
        turn = hour_of(now - SETTLED)
        if new:
            for number, (check, earlier) in enumerate((await read_past(store, new, now)).items()):
                new[check].join(earlier)
                self._known.add(check)
                if number % PIECE == 0:
                    await asyncio.sleep(0)
        elif turn != self._turn:
            await read_hours(store, {check: self.picture.strip(check) for check in checks}, now)
        self._turn = turn
        if messages:
            await self._read_messages(store)

    async def make(self, config: Config, now: datetime, *, everything: bool) -> None:
        """Make the views that have changed, if `everything` is wanted, or the hour is another."""
        if not everything and self._made == hour_of(now):
            return
        for number, _ in enumerate(self.picture.refresh(config, now)):
            if number % PIECE == 0:
                await asyncio.sleep(0)
        self._made = hour_of(now)

    async def _read_messages(self, store: Store) -> None:
        """Read what was told of the alerts that fire."""
        firing = [alert for alert in self.picture.situation.board if alert.severity is not None and alert.since]
        since = min((alert.since for alert in firing if alert.since), default=None)
        found: Iterable[Dispatch] = await store.dispatches(since - MOMENT, MOST_MESSAGES) if since else ()
        about: defaultdict[CheckId, list[Dispatch]] = defaultdict(list)
        for one in found:
            about[one.notification.key.check].append(one)
        self.picture.messages = about


def _skipped(config: Config) -> list[CheckId]:
    named = (one.name.partition("/") for one in config.skipped)
    return [CheckId(system, check) for system, _, check in named if check]

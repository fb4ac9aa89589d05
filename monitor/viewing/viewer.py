"""Who knows how everything stands: overviews from memory, and what is read from the store when somebody asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.incidents import incidents
from monitor.showing import for_everybody
from monitor.view import Overview

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.config import Config
    from monitor.incidents import Incident
    from monitor.model import CheckId, Deploy, Sample
    from monitor.showing import Picture
    from monitor.store import Store

MOST_SAMPLES = 10_000
"""Samples that are read for one answer."""
MOST_EVENTS, MOST_MESSAGES = 5_000, 5_000
"""Of the journal, and of messages, that are read for one answer: the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the viewer asks: the present configuration, who leads, what the daemon suffers from, and the store.

    `look` opens the store, whoever leads.
    """

    config: Callable[[], Config]
    leads: Callable[[], bool]
    leader: Callable[[], str]
    problems: Callable[[], Sequence[str]]
    look: Callable[[], Awaitable[Store]]


class Viewing:
    """Shows."""

    def __init__(self, clock: Clock, picture: Picture, means: Means) -> None:
        """Make one that shows `picture`, which is kept up to date while this instance leads."""
        self._clock = clock
        self._picture = picture
        self._means = means

    def overview(self) -> Overview:
        """Return how every system stands."""
        now = self._clock.now()
        systems = self._picture.systems(self._means.config(), now)
        return Overview(now, systems, problems=tuple(self._means.problems()))

    def public(self) -> Overview:
        """Return what everybody may see of the systems that are public."""
        return for_everybody(self.overview())

    async def samples(self, check: CheckId, since: datetime, until: datetime | None, limit: int) -> Sequence[Sample]:
        """Return samples as `Store.samples` does: the newest `limit`, the oldest first. Raises `StoreUnavailable`."""
        return await (await self._means.look()).samples(check, since, min(limit, MOST_SAMPLES), until)

    async def incidents(self, since: datetime, system: str = "", check: str = "") -> Sequence[Incident]:
        """Return what happened after `since`, the newest first, as far as is read. Raises `StoreUnavailable`."""
        store = await self._means.look()
        events = await store.journal(since, limit=MOST_EVENTS)
        messages = await store.dispatches(since, MOST_MESSAGES)
        alerts = [alert for alert in await store.alerts() if alert.live]
        found = incidents(events[::-1], messages, alerts)
        return [one for one in reversed(found) if _is_of(one, system, check)]

    async def deploys(self, since: datetime, system: str = "") -> Sequence[Deploy]:
        """Return the deploys after `since`, newest first. Raises `StoreUnavailable`."""
        return [one for one in await (await self._means.look()).deploys(since) if system in {"", one.system}]


def _is_of(incident: Incident, system: str, check: str) -> bool:
    own = incident.key.check
    return system in {"", own.system} and check in {"", own.check}

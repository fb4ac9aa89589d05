"""Who knows how everything stands: overviews from memory, and what is read from the store when somebody asks.

Whoever leads shows what it remembers itself. Whoever waits shows a `Mirror`, which reads the store only while somebody
asks, every few seconds. No overview waits for any of that: it goes on in `run`, beside everything else.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from monitor.incidents import incidents
from monitor.showing import effective, for_everybody, judging
from monitor.situation import OURSELVES
from monitor.store import LeaseLost, StoreUnavailable, StoreUnusable
from monitor.view import CheckDetail, Overview
from monitor.viewing.here import Here
from monitor.viewing.mirror import Mirror
from monitor.viewing.reading import newest_samples, phases, read_plot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.config import Config
    from monitor.incidents import Incident
    from monitor.model import CheckId, Deploy, Sample
    from monitor.plan import Plan
    from monitor.showing import Picture
    from monitor.store import Store
    from monitor.view import CheckView, Plot

log = structlog.get_logger()

MOST_SAMPLES = 10_000
"""Samples that are read for one answer."""
MOST_EVENTS, MOST_MESSAGES = 5_000, 5_000
"""Of the journal, and of messages, that are read for one answer: the newest."""
LEAST_SPAN = timedelta(minutes=1)
TICK = timedelta(seconds=1)
PACE = timedelta(seconds=3)
"""How often the store is read."""
PUBLIC_AGE = timedelta(seconds=1)
ASKED = timedelta(minutes=1)
"""So long after somebody asked it is likely that somebody asks again."""
TOLD_ELSEWHERE = ("title", "remedy", "remedy_for", "thresholds", "needs")
"""Fields that the page of a check shows in places of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What the viewer asks: the present configuration, who leads, what the daemon suffers from, and the store.

    `look` opens the store, whoever leads. `hide` removes secrets from a text.
    """

    config: Callable[[], Config]
    leads: Callable[[], bool]
    leader: Callable[[], str]
    problems: Callable[[], Sequence[str]]
    look: Callable[[], Awaitable[Store]]
    hide: Callable[[str], str]


class Viewing:
    """Shows."""

    def __init__(self, clock: Clock, picture: Picture, means: Means) -> None:
        """Make one that shows `picture`, which is kept up to date while this instance leads."""
        self._clock = clock
        self._means = means
        self._here = Here(picture)
        self._mirror: Mirror | None = None
        self._asked_at: datetime | None = None
        self._read_at: datetime | None = None
        self._public: Overview | None = None
        self._trouble = ""

    def overview(self) -> Overview:
        """Return how every system stands: from memory, at once."""
        self._asked_at = now = self._clock.now()
        leads, picture = self._means.leads(), self._picture
        blind = (one.title for one in picture.situation.board.of(OURSELVES) if one.severity is not None)
        trouble = (self._trouble,) if self._trouble else ()
        return Overview(
            now,
            picture.systems(self._means.config(), now),
            leads,
            "" if leads else self._means.leader(),
            (*self._means.problems(), *trouble, *blind),
        )

    def public(self) -> Overview:
        """Return the same of the systems that are public: without their checks, runbooks and the daemon's problems.

        It may be a second old: anybody may ask, and as often as he likes.
        """
        now = self._clock.now()
        if self._public is None or not timedelta() <= now - self._public.at < PUBLIC_AGE:
            self._public = for_everybody(self.overview())
        return self._public

    async def check(self, check: CheckId) -> CheckDetail | None:
        """Return everything about one check; None: there is none of that name. Raises `StoreUnavailable`."""
        plan, view = self._plan(check), self._view(check)
        if plan is None or view is None:
            return None
        hide = self._means.hide
        with _reading():
            samples = await newest_samples(await self._means.look(), check, self._clock.now())
        newest = self._picture.strip(check).newest
        return CheckDetail(
            view,
            tuple(samples),
            phases([newest, *samples] if newest else samples),
            tuple(map(hide, plan.remedy)),
            {reason: tuple(map(hide, steps)) for reason, steps in plan.remedy_for.items()},
            plan.needs,
            {**effective(plan.check, hide, TOLD_ELSEWHERE), "thresholds": [hide(line) for line in judging(plan)]},
            {spec.name: (spec.unit, spec.meaning) for spec in plan.check.declared()},
        )

    async def plot(self, check: CheckId, measure: str, span: timedelta) -> Plot | None:
        """Return what was measured in the last `span`, at least a minute; None: there is no such check or measure.

        At most 12 series of 300 points. Raises `StoreUnavailable`.
        """
        plan, config, now = self._plan(check), self._means.config(), self._clock.now()
        specs = {spec.name: spec for spec in plan.check.declared()} if plan else {}
        if plan is None or measure not in specs:
            return None
        since = now - max(LEAST_SPAN, min(span, config.retention.hours))
        with _reading():
            return await read_plot(await self._means.look(), config, plan, specs[measure], since, now)

    async def samples(self, check: CheckId, since: datetime, until: datetime | None, limit: int) -> Sequence[Sample]:
        """Return samples as `Store.samples` does: the newest `limit`, at most 10,000, the oldest first."""
        with _reading():
            return await (await self._means.look()).samples(check, since, min(limit, MOST_SAMPLES), until)

    async def incidents(self, since: datetime, system: str = "", check: str = "") -> Sequence[Incident]:
        """Return what happened after `since`, the newest first; of the newest 5,000 changes and messages.

        Raises `StoreUnavailable`.
        """
        with _reading():
            store = await self._means.look()
            events = await store.journal(since, limit=MOST_EVENTS)
            messages = await store.dispatches(since, MOST_MESSAGES)
            alerts = [alert for alert in await store.alerts() if alert.live]
        found = await asyncio.to_thread(incidents, events[::-1], messages, alerts)
        return [one for one in reversed(found) if _is_of(one.key.check, system, check)]

    async def deploys(self, since: datetime, system: str = "") -> Sequence[Deploy]:
        """Return the deploys after `since`, newest first. Raises `StoreUnavailable`."""
        with _reading():
            return [one for one in await (await self._means.look()).deploys(since) if system in {"", one.system}]

    async def run(self) -> None:
        """Keep what overviews are made of up to date, until cancelled.

        What cannot be shown is logged, and tried again: nobody must go unpaged for it.
        """
        while True:
            try:
                await self.tick()
            except Exception:
                log.exception("picture_not_made")
                self._trouble = "What is shown could not be brought up to date; the daemon's log says why."
            await self._clock.sleep_until(self._clock.now() + TICK)

    async def tick(self) -> None:
        """Read from the store what is due, and make views of what changed."""
        now, leads = self._clock.now(), self._means.leads()
        asked = self._asked_at is not None and now - self._asked_at <= ASKED
        if (leads or asked) and (self._read_at is None or now - self._read_at >= PACE):
            try:
                with _reading():
                    await self._read(await self._means.look(), now, leads=leads, asked=asked)
                self._trouble = ""
            except StoreUnavailable as error:
                self._trouble = f"The store cannot be read, and what is shown may be old: {error}."
            self._read_at = self._clock.now()
        if leads:
            await self._here.make(self._means.config(), now, everything=asked)

    async def _read(self, store: Store, now: datetime, *, leads: bool, asked: bool) -> None:
        config = self._means.config()
        if leads:
            self._mirror = None
            await self._here.refresh(store, config, now, messages=asked)
            return
        mirror = self._mirror
        if mirror is None or mirror.stale(config, now):
            mirror = Mirror(config, self._means.hide, now)
        await mirror.refresh(store, now)
        self._mirror = mirror

    @property
    def _picture(self) -> Picture:
        if self._means.leads():
            return self._here.picture
        if self._mirror is None:
            self._mirror = Mirror(self._means.config(), self._means.hide, self._clock.now())
        return self._mirror.picture

    def _plan(self, check: CheckId) -> Plan | None:
        config = self._means.config()
        skipped = (one.plan for one in config.skipped if one.name == str(check))
        return config.plans.get(check) or next(skipped, None)

    def _view(self, check: CheckId) -> CheckView | None:
        systems = (system for system in self.overview().systems if system.name == check.system)
        return next((view for system in systems for view in system.checks if view.id == check), None)


@contextmanager
def _reading() -> Iterator[None]:
    """Let nothing but `StoreUnavailable` come from what reads the store."""
    try:
        yield
    except (StoreUnusable, LeaseLost) as error:
        raise StoreUnavailable(str(error)) from error


def _is_of(own: CheckId, system: str, check: str) -> bool:
    return system in {"", own.system} and check in {"", own.check}

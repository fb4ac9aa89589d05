"""What follows a deploy: its checks run in order, a closer look for a while, a word on how it went.

A deploy is noticed when a check sees another version than before (`versions`), or when somebody says so. What belongs
together, such as an API and its worker, is one deploy. For the configured time the system's checks run three times as
often; at its end, and later if wanted, what the checks saw since is held against what they saw before (`comparison`).
All of it stands in the store, so that a restart goes on where it was.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from monitor.aftermath import aftermath
from monitor.config import DeployFields
from monitor.model import (
    Alert,
    AlertKey,
    Change,
    CheckId,
    Deploy,
    EventKind,
    Keepsake,
    Notification,
    Page,
    Severity,
    stable_id,
)
from monitor.protocol import ended, protocol
from monitor.rollback import verdict
from monitor.routing import told_of
from monitor.store import StoreUnavailable
from monitor.units import show_duration
from monitor.versions import Versions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.config import System
    from monitor.model import Sample
    from monitor.plan import Plan
    from monitor.routing import Route
    from monitor.store import Store, Writer

TICK = timedelta(seconds=5)
TOGETHER = timedelta(minutes=10)
"""What changes within so long is one deploy: services of a blueprint go live one after the other."""
SETTLING = timedelta(seconds=20)
"""So long after the last change the checks of a deploy begin: the next service may still be on its way."""
EARLY = timedelta(minutes=5)
"""An alert may begin so long before a deploy is noticed, and still come of it."""
STALE = timedelta(days=1)
"""A report that is so late, because nobody was there or the file was changed since, is no news."""
REMEMBERED = timedelta(days=30)
TOPIC = "versions"
DEPLOY = "deploy"

log = structlog.get_logger()


Steps = tuple[tuple[str, str, str], ...]


class Means(NamedTuple):
    """What following a deploy may do.

    `owe` takes reports, and whether they are not durable yet. `run_now` runs a check, and returns when its sample was
    taken. `quicken` lets the checks of a system run more often until a moment. `memory` holds what a check remembers.
    `show` takes when a system was last deployed.
    """

    owe: Callable[[Sequence[Notification], bool], None]
    run_now: Callable[[CheckId], Awaitable[None]]
    quicken: Callable[[str, datetime], None]
    memory: Callable[[Plan], dict[str, Any]]
    show: Callable[[str, datetime], None]


class Rollouts:
    """Follows the deploys of all systems."""

    def __init__(self, clock: Clock, store: Store, writer: Writer, means: Means) -> None:
        """Make one that follows nothing yet."""
        self._clock = clock
        self._store = store
        self._writer = writer
        self._means = means
        self._plans: Mapping[CheckId, Plan] = {}
        self._systems: Mapping[str, System] = {}
        self._routes: Sequence[Route] = ()
        self._versions: dict[CheckId, Versions] = {}
        self._deploys: dict[str, list[Deploy]] = {}
        self._begins: dict[str, datetime] = {}
        self._ended: dict[CheckId, Sample] = {}
        self._looked: dict[CheckId, datetime] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    def configure(self, plans: Mapping[CheckId, Plan], systems: Mapping[str, System], routes: Sequence[Route]) -> None:
        """Follow these systems from now on."""
        self._plans, self._systems, self._routes = plans, systems, routes

    def restore(self, deploys: Iterable[Deploy]) -> None:
        """Take up what an earlier process has noticed, newest first, and go on with what was not ended."""
        now = self._clock.now()
        for deploy in deploys:
            self._deploys.setdefault(deploy.system, []).append(deploy)
        for system, known in self._deploys.items():
            self._means.show(system, known[0].at)
            if known[0].until > now:
                self._means.quicken(system, known[0].until)
                self._begins[system] = now + SETTLING
        self._versions.clear()

    async def see(self, sample: Sample) -> None:
        """Take in what a run saw of the versions that serve."""
        self._ended[sample.check] = sample
        plan = self._plans.get(sample.check)
        if plan is None or not sample.versions:
            return
        self._looked[plan.id] = sample.at
        versions = self._versions_of(plan)
        before = versions.body
        seen = [versions.see(part, version, sample.at) for part, version in sorted(sample.versions.items())]
        if versions.body != before:
            self._means.memory(plan)[TOPIC] = versions.body
            self._writer.post(Change(keepsakes=(Keepsake(plan.id, TOPIC, versions.body),)))
        noticed = [one for one in seen if one is not None]
        if noticed and not plan.check.sees_schema:
            await self.begin(plan.id.system, [one.step for one in noticed], min(one.at for one in noticed))

    def version_of(self, system: str, part: str) -> str:
        """Return which version of a part the newest deploy that named it brought; empty: none is known."""
        steps = (step for deploy in self._deploys.get(system, ()) for step in deploy.steps)
        return next((now for name, _, now in steps if name == part), "")

    async def begin(self, system: str, steps: Iterable[tuple[str, str, str]], at: datetime) -> bool:
        """Note that `system` was deployed, and return whether that is durable.

        What follows another change soon is part of the same deploy.
        """
        known = self._deploys.setdefault(system, [])
        listed = tuple((part, before, now) for part, before, now in steps)
        if known and at - known[0].at <= TOGETHER:
            deploy = replace(known[0], steps=_joined(known[0].steps, listed), failed=None, protocol=())
            known[0] = deploy
        else:
            back = any(_ran(known, part, now) for part, _, now in listed)
            terms = self._terms(system)
            deploy = Deploy(system, at, at + (terms.rollback if back else terms.watch), listed, back=back)
            known.insert(0, deploy)
        log.info("deployed", system=system, version=deploy.version, back=deploy.back)
        self._begins[system] = self._clock.now() + SETTLING
        self._means.quicken(system, deploy.until)
        self._means.show(system, deploy.at)
        return await self._writer.commit(Change(deploys=(deploy,)))

    def beside(self, alert: Alert) -> list[str]:
        """Return what is to be said of a deploy during which `alert` began, and of going back."""
        deploy = self._newest(alert.key.check.system)
        if deploy is None or alert.since is None or not deploy.at - EARLY <= alert.since <= deploy.until:
            return []
        after = (alert.since - deploy.at).total_seconds()
        when = f"{show_duration(after)} before" if after > 0 else "at the same time"
        word = "Rollback to" if deploy.back else "Deploy of"
        return [f"{word} {deploy.version}, {when}; going back is {self._verdict(deploy)}"]

    async def run(self) -> None:
        """Do what is due until cancelled."""
        try:
            while True:
                await self.tick()
                await self._clock.sleep_until(self._clock.now() + TICK)
        finally:
            running = self.under_way
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    @property
    def under_way(self) -> Collection[asyncio.Task[None]]:
        """Return the tasks that run the checks of deploys."""
        return tuple(self._running.values())

    async def tick(self) -> None:
        """Begin the checks of deploys that have settled, and make the reports that are due."""
        now = self._clock.now()
        for system in [system for system, at in self._begins.items() if at <= now]:
            if system not in self._running:
                del self._begins[system]
                self._start(system)
        for system in list(self._deploys):
            deploy, terms = self._newest(system), self._terms(system)
            if deploy is not None:
                spans = (terms.rollback,) if deploy.back else terms.spans
                due = [deploy.at + span for span in spans[deploy.reports :]]
                if due and due[0] <= now < due[0] + STALE:
                    await self._report(deploy, spans[deploy.reports])

    def _start(self, system: str) -> None:
        task = asyncio.create_task(self._look(system), name=f"deploy of {system}")
        self._running[system] = task
        task.add_done_callback(lambda _: self._running.pop(system))

    async def _look(self, system: str) -> None:
        """Run the checks of a deploy one after the other, and tell of those that fail."""
        deploy = self._newest(system)
        if deploy is None or deploy.failed is not None:
            return
        found = []
        for plan in protocol(system, self._terms(system).checks, self._plans.values()):
            self._ended.pop(plan.id, None)
            await self._means.run_now(plan.id)
            found.append(ended(plan, self._ended.get(plan.id)))
        failed = [line for passed, line in found if not passed]
        log.info("looked_after_deploy", system=system, checks=len(found), failed=len(failed))
        done = replace(
            self._newest(system) or deploy,
            protocol=tuple(line for _, line in found),
            failed=None if system in self._begins else bool(failed),
        )
        summary = f"{len(failed)} of the {len(found)} checks that follow a deploy failed: {'; '.join(failed)}"
        await self._put(done, self._told(done, Severity.WARNING, summary) if failed else ())

    async def _report(self, deploy: Deploy, span: timedelta) -> None:
        """Say how it went in the time `span` after a deploy; a store that is away is waited for."""
        try:
            after = await aftermath(self._store, deploy, span, self._own(deploy.system))
        except StoreUnavailable:
            return
        done = replace(self._newest(deploy.system) or deploy, reports=deploy.reports + 1)
        await self._put(done, self._told(done, Severity.WARNING if after.worse else Severity.INFO, after.text))

    async def _put(self, deploy: Deploy, owed: Sequence[Notification]) -> None:
        known = self._deploys.setdefault(deploy.system, [])
        known[:] = [deploy if each.id == deploy.id else each for each in known]
        durable = False
        try:
            durable = await self._writer.commit(Change(owed=tuple(owed), deploys=(deploy,)))
        finally:
            if owed:
                self._means.owe(owed, not durable)

    def _told(self, deploy: Deploy, severity: Severity, summary: str) -> tuple[Notification, ...]:
        """Return the same report for each channel that hears of the system at `severity`."""
        now, check = self._clock.now(), CheckId(deploy.system, DEPLOY)
        system = self._systems.get(deploy.system)
        what = f"{'rollback to' if deploy.back else 'deploy of'} {deploy.version}"
        title = f"{system.title if system else deploy.system}: {what}"
        remedy = (f"Going back is {self._verdict(deploy)}.",) if severity > Severity.INFO else ()
        page = Page(title, summary, deploy.system, DEPLOY, DEPLOY, since=deploy.at, remedy=remedy)
        key, identity = AlertKey(check, DEPLOY), stable_id(deploy.id, str(deploy.reports), summary)
        return tuple(
            Notification(stable_id(identity, channel), channel, identity, key, EventKind.REPORTED, severity, now, page)
            for channel in told_of(self._routes, Alert(key, title), severity, now)
        )

    def _verdict(self, deploy: Deploy) -> str:
        watching = [plan for plan in self._own(deploy.system) if plan.check.sees_schema]
        schemas = [known for plan in watching for known in self._versions_of(plan).known().values()]
        looked = [self._looked[plan.id] for plan in watching if plan.id in self._looked]
        return verdict(deploy, schemas, min(looked) if len(looked) == len(watching) and looked else None)

    def _versions_of(self, plan: Plan) -> Versions:
        if plan.id not in self._versions:
            self._versions[plan.id] = Versions(plan.check.settled, str(self._means.memory(plan).get(TOPIC, "")))
        return self._versions[plan.id]

    def _newest(self, system: str) -> Deploy | None:
        return next(iter(self._deploys.get(system, ())), None)

    def _own(self, system: str) -> list[Plan]:
        return [plan for plan in self._plans.values() if plan.id.system == system]

    def _terms(self, system: str) -> DeployFields:
        found = self._systems.get(system)
        return found.deploys if found else DeployFields()


def _joined(
    one: Sequence[tuple[str, str, str]], other: Sequence[tuple[str, str, str]]
) -> tuple[tuple[str, str, str], ...]:
    """Return the steps of a deploy that went on: what a part was at first, and is now."""
    parts = {part: (before, now) for part, before, now in one}
    for part, before, now in other:
        parts[part] = (parts.get(part, (before, ""))[0], now)
    return tuple((part, before, now) for part, (before, now) in parts.items())


def _ran(deploys: Iterable[Deploy], part: str, version: str) -> bool:
    """Return whether that version of a part ran before one of `deploys`."""
    return any(version in {before, now} for deploy in deploys for name, before, now in deploy.steps if name == part)

"""The addresses that show how things stand and what happened, for whoever has the operator's token."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import Field

from monitor.faults import ConfigError, Fault, unknown
from monitor.model import CheckId
from monitor.web.api.answers import (
    check_of,
    deploy_of,
    heartbeat_of,
    incident_of,
    next_of,
    plot_of,
    sample_of,
    standing_of,
    system_of,
    systems_around,
)
from monitor.web.api.models import measured, past, standing
from monitor.web.api.writing import JSON, listed, whole
from monitor.web.asked import Asked, Moment, Name, Scoped, Since, Span, Whole, moment_of
from monitor.web.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.clock import Clock
    from monitor.view import CheckView, SystemView
    from monitor.web.api.jobs import Roll
    from monitor.web.door import Door
    from monitor.web.guard import Answer
    from monitor.web.viewer import Viewer

PLACE = "/api/v1"
CHECK = f"{PLACE}/systems/{{system}}/checks/{{check}}"
DAY = timedelta(days=1)
MOST_SAMPLES = 1_000


class SamplesAsked(Asked):
    """Which samples."""

    since: Since = Field(default=DAY, json_schema_extra={"default": "24h"})
    """Those after this moment, or of so long until now."""
    until: Moment | None = Field(default=None, json_schema_extra={"default": None})
    """Those until this moment; the answer's `next_until` here asks for what came before."""
    limit: Whole = Field(default=100, ge=1, le=MOST_SAMPLES)
    """At most so many, the newest."""


class PlotAsked(Asked):
    """Which plot."""

    measure: Name = Field(min_length=1, examples=["duration"])
    """The measure: one of the check's `measures`."""
    span: Span = Field(default=DAY, json_schema_extra={"default": "24h"})
    """Of so long until now."""


class IncidentsAsked(Scoped):
    """Which incidents."""

    since: Since = Field(default=7 * DAY, json_schema_extra={"default": "7d"})
    """What happened after this moment, or in so long until now."""


class DeploysAsked(Asked):
    """Which deploys."""

    since: Since = Field(default=30 * DAY, json_schema_extra={"default": "30d"})
    """Those after this moment, or of so long until now."""
    system: Name = ""
    """Only of this system."""


class Api:
    """The routes that show. `document` is the API's description, as JSON."""

    def __init__(self, door: Door, viewer: Viewer, roll: Roll, clock: Clock, document: bytes) -> None:
        self._guard = Guard(door)
        self._viewer = viewer
        self._roll = roll
        self._clock = clock
        self._document = document

    def table(self) -> Iterable[web.RouteDef]:
        """Return the routes; each answers `HEAD` too."""
        reads = self._guard.reads
        found: dict[str, Answer] = {
            f"{PLACE}/openapi.json": self._guard.opens(Asked, self.document),
            f"{PLACE}/systems": reads(Asked, self.systems),
            f"{PLACE}/systems/{{system}}": reads(Asked, self.system),
            f"{PLACE}/systems/{{system}}/checks": reads(Asked, self.checks),
            CHECK: reads(Asked, self.check),
            f"{CHECK}/samples": reads(SamplesAsked, self.samples),
            f"{CHECK}/plot": reads(PlotAsked, self.plot),
            f"{PLACE}/incidents": reads(IncidentsAsked, self.incidents),
            f"{PLACE}/deploys": reads(DeploysAsked, self.deploys),
            f"{PLACE}/heartbeats": reads(Asked, self.heartbeats),
        }
        return [web.get(path, answer) for path, answer in found.items()]

    async def document(self, _request: web.Request, _asked: Asked) -> web.Response:
        """Show what there is: it holds no secret, so anybody may read it."""
        return web.Response(body=self._document, content_type=JSON)

    async def systems(self, _request: web.Request, _asked: Asked) -> web.Response:
        """Show how every system stands."""
        seen = self._viewer.overview()
        return await listed(systems_around(seen), seen.systems, system_of)

    async def system(self, request: web.Request, _asked: Asked) -> web.Response:
        """Show how one system stands."""
        return whole(system_of(self._system(request.match_info["system"])))

    async def checks(self, request: web.Request, _asked: Asked) -> web.Response:
        """Show how the checks of a system stand."""
        found = self._system(request.match_info["system"]).checks
        around = standing.Checks(at=self._clock.now().isoformat(), checks=[])
        return await listed(around, found, standing_of)

    async def check(self, request: web.Request, _asked: Asked) -> web.Response:
        """Show everything about a check."""
        name = _named(request)
        found = await self._viewer.check(name)
        if found is None:
            raise self._missing(name)
        return whole(check_of(found))

    async def samples(self, request: web.Request, asked: SamplesAsked) -> web.Response:
        """Show what the runs of a check found, the newest first."""
        name = self._check(_named(request)).id
        since = moment_of(asked.since, self._clock.now())
        found = await self._viewer.samples(name, since, asked.until, asked.limit)
        around = measured.Samples(next_until=next_of(found, asked.limit), samples=[])
        return await listed(around, found[::-1], sample_of)

    async def plot(self, request: web.Request, asked: PlotAsked) -> web.Response:
        """Show one measure of a check over time."""
        name = self._check(_named(request)).id
        plot = await self._viewer.plot(name, asked.measure, asked.span)
        if plot is None:
            raise ConfigError([Fault(f"{name} has no such measure; its own address says which it has")])
        return whole(plot_of(plot))

    async def incidents(self, _request: web.Request, asked: IncidentsAsked) -> web.Response:
        """Show what happened, the newest first."""
        self._look_for(asked.system, asked.check)
        since = moment_of(asked.since, self._clock.now())
        found = await self._viewer.incidents(since, asked.system, asked.check)
        return await listed(past.Incidents(since=since.isoformat(), incidents=[]), found, incident_of)

    async def deploys(self, _request: web.Request, asked: DeploysAsked) -> web.Response:
        """Show what was deployed, the newest first."""
        self._look_for(asked.system)
        since = moment_of(asked.since, self._clock.now())
        found = await self._viewer.deploys(since, asked.system)
        return await listed(past.Deploys(since=since.isoformat(), deploys=[]), found, deploy_of)

    async def heartbeats(self, _request: web.Request, _asked: Asked) -> web.Response:
        """Show the jobs that report their runs, and when each did so last."""
        views = {one.id: one for system in self._viewer.overview().systems for one in system.checks}
        jobs = [(views[job.check], job) for job in await self._roll.call() if job.check in views]
        return await listed(past.Heartbeats(heartbeats=[]), jobs, heartbeat_of)

    def _look_for(self, system: str, check: str = "") -> None:
        """Raise `ConfigError` if there is no such system, or no such check in it."""
        if system and check:
            self._check(CheckId(system, check))
        elif system:
            self._system(system)

    def _system(self, name: str) -> SystemView:
        systems = self._viewer.overview().systems
        for one in systems:
            if one.name == name:
                return one
        raise ConfigError([unknown(name, [one.name for one in systems])])

    def _check(self, name: CheckId) -> CheckView:
        for one in self._system(name.system).checks:
            if one.id == name:
                return one
        raise self._missing(name)

    def _missing(self, name: CheckId) -> ConfigError:
        checks = self._system(name.system).checks
        return ConfigError([unknown(str(name), [str(one.id) for one in checks])])


def _named(request: web.Request) -> CheckId:
    return CheckId(request.match_info["system"], request.match_info["check"])

"""The addresses that show how things stand and what happened, for whoever has the operator's token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

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
from monitor.web.api.document import written as document
from monitor.web.api.models import measured, past, standing
from monitor.web.api.queries import CHECK, PLACE, DeploysAsked, IncidentsAsked, PlotAsked, SamplesAsked
from monitor.web.api.writing import JSON, listed, whole
from monitor.web.asked import Asked, moment_of
from monitor.web.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from monitor.clock import Clock
    from monitor.view import CheckView, SystemView
    from monitor.web.api.jobs import Roll
    from monitor.web.door import Door
    from monitor.web.guard import Answer
    from monitor.web.viewer import Viewer


class Api:
    """The routes that show. `hide` removes what is secret from what people wrote into a file."""

    def __init__(self, door: Door, viewer: Viewer, roll: Roll, clock: Clock, hide: Callable[[str], str]) -> None:
        self._guard = Guard(door)
        self._viewer = viewer
        self._roll = roll
        self._clock = clock
        self._hide = hide
        self._document = document()

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
        return await listed(around, found, lambda one: standing_of(one, self._hide))

    async def check(self, request: web.Request, _asked: Asked) -> web.Response:
        """Show everything about a check."""
        name = _named(request)
        found = await self._viewer.check(name)
        if found is None:
            raise self._missing(name)
        return whole(check_of(found, self._hide))

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

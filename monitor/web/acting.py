"""What people see and do over HTTP: alerts, acknowledgements, silences, runs. For whoever has the operator's token."""

from __future__ import annotations

from http import HTTPStatus
from secrets import token_hex
from typing import TYPE_CHECKING, Protocol

from aiohttp import web
from pydantic import Field

from monitor.model import Act, Deed, Scope
from monitor.plain import plain
from monitor.web.asked import LONGEST_NAME, Asked, Scoped
from monitor.web.body import read_body
from monitor.web.guard import Guard, problem
from monitor.web.wishes import LONGEST_WHO, Ack, Quiet, Run, read_wish

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.clock import Clock
    from monitor.web.door import Door
    from monitor.web.taken import Reply
    from monitor.web.wishes import W

PLACE = "/api/v1"
Record = dict[str, object]


class By(Asked):
    """Who asks for something without a body."""

    who: str = Field(default="", max_length=LONGEST_NAME)
    """Who does it, for the journal and for others."""


class Counter(Protocol):
    """Who serves what is asked for here. All raise `StoreUnavailable`."""

    def look_for(self, scope: Scope) -> None:
        """Raise `ConfigError` if there is no such system or check."""

    async def alerts(self, scope: Scope) -> Sequence[Record]:
        """Return the live alerts that `scope` means."""
        ...

    async def silences(self) -> Sequence[Record]:
        """Return the silences that have not ended, each with its `id`."""
        ...

    async def lift(self, silence: str, act: Act) -> Act | None:
        """Return `act` as one that ends the silence of that id; None if there is none, or it has ended."""
        ...

    async def take(self, act: Act) -> Reply:
        """Carry `act` out, or see to it that it will be."""
        ...


class Acts:
    """The routes of what people do."""

    def __init__(self, door: Door, counter: Counter, clock: Clock) -> None:
        self._guard = Guard(door)
        self._counter = counter
        self._clock = clock

    def table(self) -> Iterable[web.RouteDef]:
        """Return the routes; each `GET` answers `HEAD` too."""
        return [
            web.get(f"{PLACE}/alerts", self._guard.reads(Scoped, self.alerts)),
            web.post(f"{PLACE}/acks", self._guard.acts(Asked, self.acknowledge)),
            web.get(f"{PLACE}/silences", self._guard.reads(Asked, self.silences)),
            web.post(f"{PLACE}/silences", self._guard.acts(Asked, self.silence)),
            web.delete(f"{PLACE}/silences/{{id}}", self._guard.acts(By, self.lift)),
            web.post(f"{PLACE}/runs", self._guard.acts(Asked, self.run)),
        ]

    async def alerts(self, _request: web.Request, asked: Scoped) -> web.Response:
        """Show what is live, of all systems or of one, the worst first."""
        scope = Scope(asked.system, asked.check)
        self._counter.look_for(scope)
        return _answer(HTTPStatus.OK, alerts=await self._counter.alerts(scope))

    async def silences(self, _request: web.Request, _asked: Asked) -> web.Response:
        """Show the silences that have not ended."""
        return _answer(HTTPStatus.OK, silences=await self._counter.silences())

    async def acknowledge(self, request: web.Request, _asked: Asked) -> web.Response:
        """Acknowledge what fires."""
        act = (await _wish(request, Ack)).act(Deed.ACKNOWLEDGE, self._clock.now())
        self._counter.look_for(act.scope)
        if not any(one["severity"] for one in await self._counter.alerts(act.scope)):
            return problem(HTTPStatus.NOT_FOUND, f"nothing fires at {act.scope}")
        reply = await self._counter.take(act)
        return _said(act, reply, alerts=await self._counter.alerts(act.scope))

    async def silence(self, request: web.Request, _asked: Asked) -> web.Response:
        """Begin a silence."""
        act = (await _wish(request, Quiet)).act(Deed.SILENCE, self._clock.now())
        self._counter.look_for(act.scope)
        reply = await self._counter.take(act)
        return _said(act, reply, silences=[one for one in await self._counter.silences() if one["id"] == act.id])

    async def lift(self, request: web.Request, asked: By) -> web.Response:
        """End a silence before its time."""
        who = plain(asked.who, LONGEST_WHO) or "api"
        wish = Act(token_hex(8), self._clock.now(), Deed.LIFT, who, Scope())
        silence = request.match_info["id"]
        act = await self._counter.lift(silence, wish)
        if act is None:
            return problem(HTTPStatus.NOT_FOUND, f"there is no silence {silence[:50]!r} that has not ended")
        return _said(act, await self._counter.take(act))

    async def run(self, request: web.Request, _asked: Asked) -> web.Response:
        """Run a check now."""
        act = (await _wish(request, Run)).act(Deed.RUN, self._clock.now())
        self._counter.look_for(act.scope)
        return _said(act, await self._counter.take(act))


async def _wish(request: web.Request, kind: type[W]) -> W:
    return read_wish(await read_body(request), kind)


def _said(act: Act, reply: Reply, **more: object) -> web.Response:
    """Return the answer to an act: 200 when it is done, 202 when it is noted."""
    status = HTTPStatus.OK if reply.done else HTTPStatus.ACCEPTED
    return _answer(status, id=act.id, done=reply.done, said=reply.said, **more)


def _answer(status: HTTPStatus, **fields: object) -> web.Response:
    return web.json_response(fields, status=status)

"""What people see and do over HTTP: alerts, acknowledgements, silences, runs. For whoever has the operator's token."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from secrets import token_hex
from typing import TYPE_CHECKING, Protocol, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitor.model import Act, Deed, Scope, labels
from monitor.moments import ending
from monitor.plain import plain
from monitor.web.asked import LONGEST_NAME, Asked, Scoped, sentence
from monitor.web.body import read_body
from monitor.web.guard import Guard, problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.web.door import Door
    from monitor.web.taken import Reply

PLACE = "/api/v1"
EVERYTHING = "all"
"""The name of all systems together."""
LONGEST_WHO = 60
LONGEST_WHY = 300
Record = dict[str, object]
W = TypeVar("W", bound="Wish")


class Wish(BaseModel):
    """What every wish says: of what, who and why."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    system: str = Field(min_length=1, max_length=LONGEST_NAME)
    """The system, or `all` for every one."""
    check: str = Field(default="", max_length=LONGEST_NAME)
    """The check; empty: every one of the system."""
    who: str = Field(default="api", max_length=LONGEST_NAME)
    """Who does it, for the journal and for others."""
    why: str = Field(default="", max_length=1_000)
    """Why, in a sentence."""
    id: str = Field(default="", pattern=r"^[!-~]{0,64}$")
    """A name for this wish: the same one twice is carried out once. Default: a new one."""

    @property
    def scope(self) -> Scope:
        """Return which alerts are meant."""
        return Scope("" if self.system == EVERYTHING else self.system, self.check)

    def act(self, deed: Deed, now: datetime) -> Act:
        """Return it as an act; raises ValueError in a sentence when it makes no sense."""
        who, why = plain(self.who, LONGEST_WHO) or "api", plain(self.why, LONGEST_WHY)
        return Act(self.id or token_hex(8), now, deed, who, self.scope, why=why)


class AboutAlerts(Wish):
    """What concerns alerts for a time."""

    alert: str = Field(default="", max_length=LONGEST_NAME)
    """The alert: `down`, `no data`, or the name of a threshold; empty: every one."""
    labels: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Labels that the alert must have."""
    for_: str = Field(default="", alias="for", max_length=LONGEST_NAME)
    """For how long, such as `2h`."""
    until: str = Field(default="", max_length=LONGEST_NAME)
    """Until when, such as `2026-11-22T18:00+01:00`; without an offset it is UTC."""

    @property
    def scope(self) -> Scope:
        """Return which alerts are meant."""
        return super().scope._replace(alert=self.alert, labels=labels(self.labels))

    def act(self, deed: Deed, now: datetime) -> Act:
        """Return it as an act."""
        return replace(super().act(deed, now), until=ending(now, self.for_, self.until))


class Ack(AboutAlerts):
    """That somebody takes alerts. Without a time it lapses by itself after four hours."""

    incident: str = Field(default="", max_length=LONGEST_NAME)
    """Only if that is still the present incident of the alert; empty: whatever is present."""

    def act(self, deed: Deed, now: datetime) -> Act:
        """Return it as an act."""
        return replace(super().act(deed, now), incident=self.incident)


class Quiet(AboutAlerts):
    """That nothing new is told of alerts for a time, which must be said."""

    maintenance: bool = False
    """Whether what is down meanwhile counts as no outage."""

    def act(self, deed: Deed, now: datetime) -> Act:
        """Return it as an act."""
        act = replace(super().act(deed, now), maintenance=self.maintenance)
        if act.until is None:
            raise ValueError("for or until must say when the silence ends")
        return act


class Run(Wish):
    """That a check is run now."""

    check: str = Field(min_length=1, max_length=LONGEST_NAME)
    """The check."""


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


def read_wish(body: bytes, kind: type[W]) -> W:
    """Return what a body wishes; raises ValueError in a sentence when it makes no sense."""
    try:
        return kind.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise ValueError(sentence(error, kind, "the body is no wish")) from None


async def _wish(request: web.Request, kind: type[W]) -> W:
    return read_wish(await read_body(request), kind)


def _said(act: Act, reply: Reply, **more: object) -> web.Response:
    """Return the answer to an act: 200 when it is done, 202 when it is noted."""
    status = HTTPStatus.OK if reply.done else HTTPStatus.ACCEPTED
    return _answer(status, id=act.id, done=reply.done, said=reply.said, **more)


def _answer(status: HTTPStatus, **fields: object) -> web.Response:
    return web.json_response(fields, status=status)

"""A shop that everybody may see and a vault that nobody may, as a daemon shows them; and a client."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from monitor.counter import record_of
from monitor.faults import ConfigError, unknown
from monitor.live import as_record, live
from monitor.metrics import Metrics
from monitor.model import Act, CheckId, Deed, Heard, Reason, Sample, Scope, Severity, Silence, State
from monitor.secrets import Secret
from monitor.store import StoreUnavailable
from monitor.units import Unit
from monitor.uptime import Uptime
from monitor.view import (
    Cell,
    CheckDetail,
    CheckView,
    Condition,
    FigureView,
    Line,
    Mark,
    Overview,
    Plot,
    Point,
    SystemView,
)
from monitor.web import Acts, Api, Badges, Deploys, Door, Heartbeats, Job, Reply, Taken, Tokens, Web
from monitor.web.guesses import Allowance
from tests import story
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from aiohttp import web

    from monitor.incidents import Incident
    from monitor.model import Deploy, Report
    from monitor.web import Release

HOST = "127.0.0.1"
NOW = story.MORNING
OPERATOR, JOB, DEPLOY = "operator-token-of-this-test", "backup-token-of-this-test", "deploy-token-of-this-test"
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
SITE, DATABASE, BACKUP, SAFE = story.SITE, story.DATABASE, CheckId("shop", "backup"), CheckId("vault", "safe")
HOSTILE = "</svg><script>alert('1')</script>\u202e\x1b[31m\"&\ud800 <!--"
GOOD = Uptime(DAY - 17.28 * SECOND, 17.28 * SECOND)
STRIP = (*(Cell(NOW - hour * HOUR, up=240) for hour in range(23, 0, -1)), Cell(NOW, up=10, worst=Severity.WARNING))
FULL = FigureView(
    name="connections",
    watch='connections{state="idle"}',
    unit=Unit.RATIO,
    labels=(("state", "idle"),),
    value=0.96,
    shown="96 %",
    figures={Severity.WARNING: "> 80%", Severity.CRITICAL: "> 95%"},
    firing=Severity.CRITICAL,
    remedy=("See who holds the connections.",),
    source="Alert Thresholds",
)
OPERATED = Tokens(Secret(OPERATOR))
GENEROUS = Allowance(each=100_000, together=100_000)
SILENCE = Silence("move-7", Scope("shop", "database"), NOW, NOW + HOUR, "anna", "a move", maintenance=True)
REPORTED = Heard(NOW - DAY, NOW - HOUR, status=1, took=2 * SECOND, running=NOW)
ALERTS = tuple(live(story.CHANGE.alerts, [], [], NOW))


def view(check: CheckId, condition: Condition = Condition.UP, **fields: Any) -> CheckView:  # noqa: ANN401 - any field
    """Return how a check stands that ran a moment ago."""
    known: dict[str, Any] = {"title": check.check.title(), "kind": "http", "every": 15 * SECOND, "day": GOOD}
    newest = {"state": State.UP, "at": NOW - SECOND, "took": SECOND / 80, "strip": STRIP}
    return CheckView(check, condition=condition, **(known | newest | fields))


VIEWS = (
    view(SITE, Condition.FAILING, state=State.DOWN, reason=Reason.STATUS, detail="expected 200, got 502"),
    view(DATABASE, Condition.CRITICAL, since=NOW - HOUR, figures=(FULL,), alerts=ALERTS),
    replace(view(BACKUP), kind="heartbeat"),
)
SHOP = SystemView(
    "shop", "Shop", Condition.CRITICAL, VIEWS, "https://example.com/runbook", public=True, day=GOOD, strip=STRIP
)
VAULT = SystemView("vault", HOSTILE, Condition.UP, (view(SAFE, title=HOSTILE, detail=HOSTILE),), month=GOOD)


@dataclass
class Shown:
    """Shows what a test puts into it. `away`: the store cannot be reached."""

    systems: tuple[SystemView, ...] = (SHOP, VAULT)
    samples_of: dict[CheckId, list[Sample]] = field(default_factory=dict)
    deployed: Sequence[Deploy] = story.CHANGE.deploys
    leads: bool = True
    away: bool = False
    asked: list[tuple[object, ...]] = field(default_factory=list)

    def overview(self) -> Overview:
        return Overview(NOW, self.systems, self.leads, "" if self.leads else "monitor-2", ("the dead man's switch",))

    def public(self) -> Overview:
        return replace(self.overview(), systems=tuple(one for one in self.systems if one.public))

    async def check(self, check: CheckId) -> CheckDetail | None:
        self._reach()
        found = self._view(check)
        if found is None:
            return None
        return CheckDetail(
            found,
            phases={"dns": 0.001, "connect": 0.01},
            remedy=("Restart it.",),
            remedy_for={Reason.DNS: ("Ask the registrar.",)},
            needs=(DATABASE,),
            configuration={"kind": "http", "every": "15s", "thresholds": [{"watch": "duration"}], "up": 2},
            measures={"duration": (Unit.SECONDS, "the whole exchange")},
        )

    async def plot(self, check: CheckId, measure: str, span: timedelta) -> Plot | None:
        self._reach()
        if self._view(check) is None or measure != "duration":
            return None
        return Plot(
            *(check, measure, Unit.SECONDS, "the whole exchange", NOW - span, NOW, 45 * SECOND),
            series={(("phase", "dns"),): (Point(NOW, 0.2, 0.1, float("inf")),)},
            lines=(Line(0.5, "> 500ms", Severity.CRITICAL), Line(0.2, "< 200ms")),
            marks=(Mark(NOW, "deploy", "deploy of 1.4.2"),),
            dark=((NOW - HOUR, NOW, State.DOWN),),
        )

    async def samples(self, check: CheckId, since: datetime, until: datetime | None, limit: int) -> Sequence[Sample]:
        self._reach()
        self.asked.append((check, since, until, limit))
        found = self.samples_of.get(check, [])
        return [one for one in found if since < one.at and (until is None or one.at <= until)][-limit:]

    async def incidents(self, since: datetime, system: str = "", check: str = "") -> Sequence[Incident]:
        self._reach()
        self.asked.append((since, system, check))
        return [*reversed(story.told().incidents)]

    async def deploys(self, since: datetime, system: str = "") -> Sequence[Deploy]:
        self._reach()
        self.asked.append((since, system))
        return self.deployed

    def _view(self, check: CheckId) -> CheckView | None:
        return next((one for system in self.systems for one in system.checks if one.id == check), None)

    def _reach(self) -> None:
        if self.away:
            raise StoreUnavailable("postgres at 10.0.0.1: away")


@dataclass
class Called:
    """Knows one job, and what else a test adds."""

    shown: Shown
    jobs: list[Job] = field(default_factory=lambda: [Job(BACKUP, REPORTED, over_http=True)])

    async def call(self) -> list[Job]:
        self.shown._reach()
        return self.jobs


@dataclass
class Desk:
    """Knows what is live and silent, and keeps the acts that it takes."""

    shown: Shown
    acts: list[Act] = field(default_factory=list)

    def look_for(self, scope: Scope) -> None:
        known = ["shop", "vault"]
        if scope.system not in {"", *known}:
            raise ConfigError([unknown(scope.system, known)])

    async def alerts(self, scope: Scope) -> list[dict[str, object]]:
        self.shown._reach()
        return [as_record(one) for one in ALERTS if scope.covers(one.alert.key)]

    async def silences(self) -> list[dict[str, object]]:
        self.shown._reach()
        return [record_of(SILENCE), *(record_of(replace(SILENCE, id=act.id)) for act in self.acts)]

    async def lift(self, silence: str, act: Act) -> Act | None:
        self.shown._reach()
        return replace(act, incident=silence) if silence == SILENCE.id else None

    async def take(self, act: Act) -> Reply:
        self.shown._reach()
        self.acts.append(act)
        return Reply(done=act.deed is not Deed.RUN, said="so it is")


@dataclass
class Box:
    """Takes what is reported of a job, and of a deploy."""

    becomes: Taken = Taken.DURABLE
    got: list[object] = field(default_factory=list)

    def secrets(self, of: CheckId | str) -> list[Secret]:
        return {BACKUP: [Secret(JOB)], "shop": [Secret(DEPLOY)]}.get(of, [])

    async def take(self, of: CheckId | str, said: Report | Release) -> Taken:
        self.got.append((of, said))
        return self.becomes


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        assert self.headers["Content-Type"].partition(";")[0] == "application/json", self
        return json.loads(self.body)


class Site:
    """A server with every route of the API, and a client."""

    def __init__(self, tokens: Tokens = OPERATED, allowance: Allowance = GENEROUS) -> None:
        self.clock, self.shown, self.box, metrics = FakeClock(NOW), Shown(), Box(), Metrics()
        self.roll, self.desk = Called(self.shown), Desk(self.shown)
        door = Door(tokens, self.clock, metrics.daemon.refused, allowance=allowance)
        self.routes: list[web.RouteDef] = [
            *Heartbeats(door, self.box).table(),
            *Deploys(door, self.box).table(),
            *Acts(door, self.desk, self.clock).table(),
            *Api(door, self.shown, self.roll, self.clock, str).table(),
            *Badges(door, self.shown, self.clock).table(),
        ]
        self.web = Web(door, metrics, healthy=list, ready=list, more=self.routes)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.web.port}"

    async def ask(
        self, path: str, method: str = "GET", *, token: str = OPERATOR, body: object = None, **headers: str
    ) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"Authorization": f"Bearer {token}"} if token else {}
        data = None if body is None else json.dumps(body)
        async with (
            aiohttp.ClientSession(headers=sent) as session,
            session.request(
                method, URL(self.url + path, encoded=True), data=data, timeout=aiohttp.ClientTimeout(5)
            ) as answer,
        ):
            return Answer(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **asked: str) -> Any:  # noqa: ANN401 - any JSON
        answer = await self.ask(f"/api/v1/{path}?{urlencode(asked)}")
        assert answer.status == 200, answer
        return answer.json


@asynccontextmanager
async def opened(site: Site) -> AsyncIterator[Site]:
    """Let a site listen."""
    await site.web.start(HOST, 0)
    yield site
    await site.web.stop()

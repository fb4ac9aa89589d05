"""A shop on the morning of tests/story.py, as its pages show it: a server with these pages, on values."""

from __future__ import annotations

import math
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import aiohttp

from monitor.faults import ConfigError, unknown
from monitor.incidents import incidents
from monitor.live import as_record, live
from monitor.metrics import Metrics
from monitor.model import Act, CheckId, Reason, Sample, Scope, Severity, Silence, State
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
from monitor.web import Door, Reply, Tokens, Web
from monitor.web.page import Shell, pages
from tests.fakes import FakeClock
from tests.story import CHANGE, DATABASE, MORNING, SITE, dispatches

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from monitor.incidents import Incident
    from monitor.model import Deploy, Labels

HOST = "127.0.0.1"
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=seconds) for seconds in (1, 60, 3_600, 86_400))
HOSTILE = "<script>alert('x')</script>\"'&\x1b[31m\u202e"
DOWN = MORNING - timedelta(hours=9, minutes=48), MORNING - timedelta(hours=9, minutes=34)
LOST = MORNING - timedelta(hours=5), MORNING - timedelta(hours=4, minutes=20)
USED = FigureView(
    "connections",
    'avg(connections{state="active"}, 5m)',
    Unit.RATIO,
    (("pool", "web"),),
    0.96,
    "96 %",
    "< 60%",
    {Severity.WARNING: "> 80%", Severity.CRITICAL: "> 95%"},
    Severity.CRITICAL,
    source="Alert Thresholds",
)
SLOW = FigureView(
    *("slow", "p95(duration, 5m)", Unit.SECONDS, (), 0.0412, "41.2 ms", "< 50ms"), {Severity.WARNING: "> 100ms"}
)


def points(span: timedelta, phase: float = 0.0, least: float = 0.02) -> tuple[Point, ...]:
    """Return what was measured every 1/288 of `span`, but for the time that was down and one that nobody looked at."""
    step = span / 288
    found = []
    for at in (MORNING - span + step * number for number in range(289)):
        hours = (at - MORNING) / HOUR
        mean = 0.55 + 0.18 * math.sin(hours / 3 + phase) + 0.06 * math.sin(hours * 7 + phase)
        mean += max(hours + 1, 0) * 0.2
        if not DOWN[0] <= at < DOWN[1] and not LOST[0] <= at < LOST[1]:
            found.append(Point(at, mean, mean - least, mean + 3 * least))
    return tuple(found)


def plot_of(span: timedelta = DAY, *, pools: int = 1, measure: str = "connections", unit: Unit = Unit.RATIO) -> Plot:
    """Return the plot of the database's connections: with a gap, an outage, a deploy and alerts."""
    series: dict[Labels, tuple[Point, ...]] = {
        (("pool", name),): points(span, number * 1.3) for number, name in enumerate(["web", "worker", "cron"][:pools])
    }
    return Plot(
        DATABASE,
        measure,
        unit,
        "share of the connections that are taken",
        MORNING - span,
        MORNING,
        span / 288 * 3,
        series,
        (Line(0.6, "< 60%"), Line(0.8, "> 80%", Severity.WARNING), Line(0.95, "> 95%", Severity.CRITICAL)),
        (
            Mark(MORNING - 10 * HOUR + 5 * MINUTE, "deploy", "deploy of api 1.4.2, before 1.4.1"),
            Mark(DOWN[0], "alert", "down", Severity.CRITICAL),
            Mark(DOWN[1], "alert", "down is over"),
            Mark(MORNING - HOUR, "alert", "connections", Severity.WARNING),
            Mark(MORNING - 40 * MINUTE, "alert", "connections", Severity.CRITICAL),
        ),
        ((*DOWN, State.DOWN), (*LOST, State.UNKNOWN)),
    )


def samples() -> tuple[Sample, ...]:
    """Return the newest runs, of which some did not find it up."""
    found = [Sample(DATABASE, MORNING - 10 * SECOND * number, 41 * SECOND / 1000, State.UP) for number in range(50)]
    refused = "connection refused by db.example.com:5432"
    found[7] = replace(found[7], state=State.DOWN, reason=Reason.REFUSED, detail=refused)
    found[8] = replace(found[8], state=State.UNKNOWN, reason=Reason.DNS, detail="the resolver did not answer")
    found[9] = replace(found[9], state=State.UNKNOWN, detail="it sleeps")
    return tuple(found)


def strip(worst: Severity | None = None) -> tuple[Cell, ...]:
    hours = [Cell(MORNING - HOUR * back, up=360) for back in reversed(range(24))]
    hours[14] = Cell(hours[14].at, up=300, down=60, worst=Severity.CRITICAL)
    hours[-1] = hours[-1]._replace(worst=worst)
    return tuple(hours)


def views() -> tuple[CheckView, CheckView]:
    """Return the database, whose connections are used up, and the site, which is well."""
    firing = live(CHANGE.alerts, dispatches())
    uptime = Uptime(29 * DAY, 14 * MINUTE)
    database = CheckView(
        *(DATABASE, "Database", "postgres", Condition.CRITICAL, 10 * SECOND, State.UP, None, "", MORNING),
        *(41 * SECOND / 1000, CHANGE.alerts[0].since, (USED, SLOW)),
        alerts=tuple(one for one in firing if one.alert.key.check == DATABASE),
        strip=strip(Severity.CRITICAL),
        day=Uptime(DAY),
        month=uptime,
    )
    site = CheckView(
        *(SITE, "Front page", "http", Condition.UP, 30 * SECOND, State.UP, None, "", MORNING, SECOND / 5),
        strip=strip(),
        day=Uptime(DAY - 14 * MINUTE, 14 * MINUTE),
        month=uptime,
        alerts=tuple(one for one in firing if one.alert.key.check == SITE),
    )
    return database, site


@dataclass
class Scene:
    """Viewer and counter at once: shows the shop, and keeps what is done to it. `away`: the store is."""

    away: bool = False
    pools: int = 1
    done: bool = True
    got: list[Act] = field(default_factory=list)
    checks: tuple[CheckView, ...] = field(default_factory=views)
    details: Mapping[str, object] = field(default_factory=dict)
    public_too: bool = False

    def overview(self) -> Overview:
        shop = SystemView(
            "shop", "The shop", Condition.CRITICAL, self.checks, "https://example.com/runbook", self.public_too
        )
        return Overview(MORNING, (shop,))

    public = overview

    async def check(self, check: CheckId) -> CheckDetail | None:
        self._reach()
        view = next((one for one in self.checks if one.id == check), None)
        if view is None:
            return None
        detail = CheckDetail(
            view,
            samples(),
            {"dns": 0.002, "connect": 0.011, "tls": 0.019, "processing": 0.087, "transfer": 0.004},
            ("See who holds the connections.", "Restart the worker."),
            {Reason.AUTH: ("The key was rotated.",)},
            (SITE,),
            {"kind": "postgres", "every": "10s", "down": {"critical": 3}, "dsn": "***", "needs": ["site"]},
            {"connections": (Unit.RATIO, "share that is taken"), "duration": (Unit.SECONDS, "how long a run took")},
        )
        return replace(detail, **self.details) if check == DATABASE else CheckDetail(view)  # type: ignore[arg-type]

    async def plot(self, check: CheckId, measure: str, span: timedelta) -> Plot | None:
        self._reach()
        unit = Unit.SECONDS if measure == "duration" else Unit.RATIO
        return plot_of(span, pools=self.pools, measure=measure, unit=unit) if check == DATABASE else None

    async def samples(
        self,
        check: CheckId,  # noqa: ARG002 - the same for all
        since: datetime,  # noqa: ARG002 - always
        until: datetime | None,  # noqa: ARG002 - the same
        limit: int,
    ) -> Sequence[Sample]:
        return samples()[:limit]

    async def incidents(self, since: datetime, system: str = "", check: str = "") -> Sequence[Incident]:
        self._reach()
        found = [one for one in incidents(CHANGE.events, dispatches(), CHANGE.alerts) if one.began >= since]
        wanted = [one for one in found if system in {"", one.key.check.system} and check in {"", one.key.check.check}]
        return wanted[::-1]

    async def deploys(self, since: datetime, system: str = "") -> Sequence[Deploy]:  # noqa: ARG002 - always the same
        return CHANGE.deploys

    def look_for(self, scope: Scope) -> None:
        if scope.system not in {"", "shop"}:
            raise ConfigError([unknown(scope.system, ["shop"])])

    async def alerts(self, scope: Scope) -> list[dict[str, object]]:
        if scope.system not in {"", "shop"}:
            return []
        quiet = [Silence("q", Scope(*SITE), MORNING - HOUR, MORNING + HOUR, "ben")]
        return [as_record(one) for one in live(CHANGE.alerts, dispatches(), quiet, MORNING)]

    async def silences(self) -> list[dict[str, object]]:
        self._reach()
        hours = {"since": MORNING.isoformat(), "until": (MORNING + HOUR).isoformat()}
        later = {"since": (MORNING + DAY).isoformat(), "until": (MORNING + 2 * DAY).isoformat()}
        named: dict[str, object] = {
            "check": None,
            "alert": None,
            "labels": {},
            "who": "ana",
            "why": "a move",
        }
        return [
            {"id": "now", "system": "shop", "maintenance": False, **named, **hours},
            {"id": "later", "system": None, "maintenance": True, **named, **later},
        ]

    async def lift(self, silence: str, act: Act) -> Act | None:
        self._reach()
        return replace(act, incident=silence) if silence == "now" else None

    async def take(self, act: Act) -> Reply:
        self._reach()
        if act.id not in {one.id for one in self.got}:
            self.got.append(act)
        return Reply(self.done, f"{act.scope} is seen to" if self.done else "noted; the other instance does it")

    def _reach(self) -> None:
        if self.away:
            raise StoreUnavailable("postgres at 10.0.0.1: away")


@asynccontextmanager
async def stage(scene: Scene, tokens: Tokens | None = None) -> AsyncIterator[str]:
    """Yield the address of a server with these pages."""
    clock, metrics = FakeClock(MORNING), Metrics()
    door = Door(tokens or Tokens(), clock, metrics.daemon.refused)
    more = pages(Shell(door, clock), scene, scene, clock)
    web = Web(door, metrics, healthy=list, ready=list, more=more)
    await web.start(HOST, 0)
    try:
        yield f"http://{HOST}:{web.port}"
    finally:
        await web.stop()


class Forms(HTMLParser):
    """Reads the forms of a page: by their address, the fields that they would send as they stand."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((told.get("action", ""), {}))
        elif tag == "input" and self.found and told.get("type") != "checkbox":
            self.found[-1][1][told["name"]] = told.get("value", "")
        elif tag == "select":
            self._select = told["name"]
        elif tag == "option" and ("selected" in told or self._select not in self.found[-1][1]):
            self.found[-1][1][self._select] = told["value"]

    def of(self, action: str, **fields: str) -> dict[str, str]:
        """Return the fields of the first form that leads to `action` and has `fields`."""
        return next(have for place, have in self.found if place == action and fields.items() <= have.items())


class Visitor:
    """A browser, as far as forms are concerned: keeps cookies, and says where a form came from."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def see(self, path: str) -> tuple[int, str]:
        """Return the status and the text of a page."""
        async with self.session.get(self.url + path) as answer:
            return answer.status, await answer.text()

    async def send(self, action: str, fields: dict[str, str]) -> tuple[int, str]:
        """Send a form, and return what is shown in the end."""
        sent = {"Origin": self.url}
        async with self.session.post(self.url + action, data=fields, headers=sent) as answer:
            return answer.status, await answer.text()

    async def press(self, path: str, action: str, like: dict[str, str] | None = None, **fields: str) -> tuple[int, str]:
        """Fill in the first form of a page that leads to `action` and is `like` that, and send it."""
        _, text = await self.see(path)
        return await self.send(action, {**Forms(text).of(action, **(like or {})), **fields})


@asynccontextmanager
async def visit(scene: Scene) -> AsyncIterator[Visitor]:
    """Yield somebody who looks at the shop."""
    jar = aiohttp.CookieJar(unsafe=True)  # by an address
    async with stage(scene) as url, aiohttp.ClientSession(cookie_jar=jar) as session:
        yield Visitor(session, url)

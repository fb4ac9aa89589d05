"""A database that sleeps is looked at while it is awake and never woken, whatever its provider's API says."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from monitor.clock import SystemClock
from monitor.model import Reason, Sample, State
from monitor.probes.base import observe
from monitor.probes.database import DatabaseCheck
from tests.examples import SITE
from tests.peers import drips, free_port, hangs_up, silence, tcp_peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from monitor.databases import Connection
    from monitor.probes.base import Resources, Run
    from tests.peers import Peer, Talk
    from tests.postgres import Cluster

BOTH_LOOPS = True

COMPUTE = "ep-little-smoke-851426"
PROJECT = "shiny-wind-028834"
KEY = 'hunter2/"s&cret'


class Reading(DatabaseCheck):
    """A kind that reads one number, or the same number twice."""

    kind: str = "reading"
    times: int = 1

    async def probe(self, run: Run) -> None:
        for _ in range(self.times):
            assert await self.read(run, _answer) == 42


class Limited(Reading):
    """A kind that notes how many milliseconds the server gives its statements."""

    async def probe(self, run: Run) -> None:
        run.note("limit", await self.read(run, _limit))


async def _limit(connection: Connection) -> float:
    limit: str = await connection.fetchval("SELECT setting FROM pg_settings WHERE name = 'statement_timeout'")
    return float(limit)


async def _answer(connection: Connection) -> int:
    found: int = await connection.fetchval("SELECT 42")
    return found


@dataclass
class Console:
    """The provider's API: it answers with `status` and `body`, or as it knows the compute, and notes who asked what."""

    port: int = 0
    status: int = 200
    body: bytes | None = None
    endpoint: dict[str, Any] = field(default_factory=lambda: {"id": COMPUTE, "current_state": "active"})
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v2"

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, request.headers.get("Authorization", "")))
        said = self.body if self.body is not None else json.dumps({"endpoint": self.endpoint}).encode()
        headers = {"Location": "/api/v2/other"} if self.status == 302 else {}
        return web.Response(status=self.status, body=said, content_type="application/json", headers=headers)


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    console = Console()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", console.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    console.port = runner.addresses[0][1]
    yield console
    await runner.cleanup()


def through(port: int) -> Talk:
    """Carry everything to and from the server on `port`."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", port)
        ways = {asyncio.create_task(_carry(reader, forth)), asyncio.create_task(_carry(back, writer))}
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            forth.transport.abort()
            writer.close()

    return talk


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(65_536):
        writer.write(piece)


@asynccontextmanager
async def gate(postgres: Cluster) -> AsyncIterator[Peer]:
    """Stand before the database, and count who comes."""
    async with tcp_peer(through(postgres.port)) as peer:
        yield peer


def check(url: str, port: int, kind: type[Reading] = Reading, **fields: object) -> Reading:
    neon = {"project": PROJECT, "api_key": KEY, "endpoint": COMPUTE, "url": url}
    dsn = f"postgresql://monitor:pass-of-the-store@127.0.0.1:{port}/postgres"
    return kind.model_validate({"dsn": dsn, "neon": neon, "timeout": "20s", **fields})


def at(host: str, **neon: str) -> Reading:
    """Return a check of a database on `host`, whose API is told in `neon`."""
    told = {"project": PROJECT, "api_key": KEY, **neon}
    return Reading.model_validate({"dsn": f"postgresql://u:p@{host}/db", "neon": told})


async def observed(found: Reading, resources: Resources) -> Sample:
    sample = await observe(SITE, found, resources, SystemClock())
    assert sample.reason is None or sample.reason in found.reasons
    return sample


def phases(sample: Sample) -> set[str]:
    return {label for measure in sample.measures for _, label in measure.labels}


async def test_an_awake_compute_is_read_on_a_connection_that_is_not_kept(
    console: Console, postgres: Cluster, resources: Resources
) -> None:
    """With one question to the API, however often the kind reads."""
    async with gate(postgres) as peer:
        sample = await observed(check(console.url, peer.port, times=2), resources)
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert sample.state is State.UP, sample.detail
    assert console.asked == [(f"/api/v2/projects/{PROJECT}/endpoints/{COMPUTE}", f"Bearer {KEY}")]
    assert {"api", "connect", "login", "query"} <= phases(sample)


async def test_each_run_asks_anew(console: Console, postgres: Cluster, resources: Resources) -> None:
    """What held for the last one may be over."""
    async with gate(postgres) as peer:
        found = check(console.url, peer.port)
        assert (await observed(found, resources)).state is State.UP
        console.endpoint["current_state"] = "idle"
        assert (await observed(found, resources)).left_out
        assert peer.seen == 1
    assert len(console.asked) == 2


@pytest.mark.parametrize(
    "endpoint",
    [
        {"current_state": "idle"},
        {"current_state": "idle", "pending_state": "active"},
        {"current_state": "active", "pending_state": "idle"},
        {"current_state": "idle", "disabled": False, "suspended_at": "2026-11-21T10:00:00Z"},
    ],
)
async def test_a_sleeping_compute_is_left_alone_and_that_is_said(
    endpoint: dict[str, Any], console: Console, postgres: Cluster, resources: Resources
) -> None:
    """Also one that is being woken by somebody else or falls asleep: nobody connects to it."""
    console.endpoint.update(endpoint)
    async with gate(postgres) as peer:
        sample = await observed(check(console.url, peer.port), resources)
        assert peer.seen == 0
    assert sample.left_out
    assert sample.detail == "the compute is asleep"
    assert phases(sample) == {"api"}


async def test_with_wake_nobody_is_asked(console: Console, postgres: Cluster, resources: Resources) -> None:
    """The database is read, asleep or not, and its connection may be kept."""
    console.endpoint["current_state"] = "idle"
    async with gate(postgres) as peer:
        found = check(console.url, peer.port, wake=True, keep=True)
        assert [(await observed(found, resources)).state for _ in range(2)] == [State.UP, State.UP]
        assert peer.seen == 1
        resources.databases.close()
    assert console.asked == []


async def test_a_disabled_compute_is_down(console: Console, postgres: Cluster, resources: Resources) -> None:
    """It takes no connections, and no connection would enable it."""
    console.endpoint.update(disabled=True, current_state="idle")
    async with gate(postgres) as peer:
        sample = await observed(check(console.url, peer.port), resources)
        assert peer.seen == 0
    assert (sample.state, sample.reason) == (State.DOWN, Reason.REFUSED)
    assert COMPUTE in sample.detail


ODD = [b"", b"[]", b"null", b"{}", b'{"endpoint": null}', b'{"endpoint": []}', b"<html>", b"\xff\xfe", b"[" * 100_000]
REFUSED = [
    (401, Reason.AUTH),
    (403, Reason.AUTH),
    (404, Reason.MISSING),
    (429, Reason.RATE_LIMITED),
    (500, Reason.STATUS),
    (503, Reason.STATUS),
    (204, Reason.STATUS),
    (302, Reason.STATUS),
]


@pytest.mark.parametrize(("status", "reason"), REFUSED)
async def test_an_api_that_refuses_is_unknown_and_wakes_nothing(
    status: int, reason: Reason, console: Console, postgres: Cluster, resources: Resources
) -> None:
    """With its reason, and what it said, without our key, though it says that too."""
    console.status = status
    console.body = b"" if status == 204 else json.dumps({"code": "", "message": f"no {KEY}"}).encode()
    async with gate(postgres) as peer:
        sample = await observed(check(console.url, peer.port), resources)
        assert peer.seen == 0
    assert (sample.state, sample.reason) == (State.UNKNOWN, reason)
    assert "Neon's API" in sample.detail
    assert "hunter2" not in repr(sample)
    assert len(console.asked) == 1


@pytest.mark.parametrize("body", ODD)
async def test_an_answer_of_another_shape_is_unknown_and_wakes_nothing(
    body: bytes, console: Console, postgres: Cluster, resources: Resources
) -> None:
    console.body = body
    async with gate(postgres) as peer:
        sample = await observed(check(console.url, peer.port), resources)
        assert peer.seen == 0
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.BODY)


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        ({"current_state": "init", "pending_state": "active"}, Reason.STARTING),
        ({"current_state": "stopped"}, Reason.BODY),
        ({"current_state": None}, Reason.BODY),
        ({"current_state": ["active"]}, Reason.BODY),
        ({"current_state": "active", "pending_state": "stopped"}, Reason.BODY),
        ({"id": "ep-another"}, Reason.BODY),
    ],
)
async def test_a_state_that_is_new_to_us_is_unknown_and_wakes_nothing(
    endpoint: dict[str, Any], reason: Reason, console: Console, postgres: Cluster, resources: Resources
) -> None:
    console.endpoint.update(endpoint)
    async with gate(postgres) as peer:
        sample = await observed(check(console.url, peer.port), resources)
        assert peer.seen == 0
    assert (sample.state, sample.reason) == (State.UNKNOWN, reason)


@pytest.mark.parametrize("talk", [silence, drips(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 64)], ids=["silent", "dripping"])
async def test_a_silent_api_is_unknown_at_half_the_deadline(
    talk: Talk, postgres: Cluster, resources: Resources, late: Callable[[], float]
) -> None:
    """So that it is not taken for a silent database."""
    async with tcp_peer(talk) as api, gate(postgres) as peer:
        started = perf_counter()
        found = check(f"http://127.0.0.1:{api.port}", peer.port, timeout="1s")
        sample = await observed(found, resources)
        assert 0.49 < perf_counter() - started < 0.85 + late()
        await asyncio.wait_for(api.quiet.wait(), 20)
        assert peer.seen == 0
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.TIMEOUT)


@pytest.mark.parametrize(("talk", "reason"), [(hangs_up, Reason.RESET), (None, Reason.REFUSED)])
async def test_an_api_that_cannot_be_reached_is_unknown(
    talk: Talk | None, reason: Reason, postgres: Cluster, resources: Resources
) -> None:
    async with tcp_peer(talk or silence) as api, gate(postgres) as peer:
        port = api.port if talk else free_port()
        sample = await observed(check(f"http://127.0.0.1:{port}", peer.port), resources)
        assert peer.seen == 0
    assert (sample.state, sample.reason) == (State.UNKNOWN, reason)


async def test_what_the_api_takes_is_taken_from_the_databases_time(
    console: Console, postgres: Cluster, resources: Resources
) -> None:
    """The server's own limit on a statement ends before the run does."""
    async with gate(postgres) as peer:
        sample = await observed(check(console.url, peer.port, Limited), resources)
    assert sample.state is State.UP, sample.detail
    (limit,) = (measure.value for measure in sample.measures if measure.name == "limit")
    assert 9_000 < limit < 18_000


@pytest.mark.parametrize(
    ("host", "compute"),
    [
        (f"{COMPUTE}.us-east-2.aws.neon.tech", COMPUTE),
        (f"{COMPUTE}-pooler.us-east-2.aws.neon.tech", COMPUTE),
        (f"{COMPUTE}-pooler.c-2.eu-central-1.aws.neon.tech", COMPUTE),
    ],
)
async def test_the_compute_follows_from_the_host(
    host: str, compute: str, console: Console, resources: Resources
) -> None:
    """With the pooler's suffix or without."""
    console.endpoint["current_state"] = "idle"
    found = at(host, url=console.url)
    assert (await observed(found, resources)).left_out
    assert console.asked[0][0].endswith(f"/endpoints/{compute}")


async def test_a_host_that_names_no_compute_is_told(console: Console, resources: Resources) -> None:
    """It says what to add, and asks nobody."""
    found = at("My_Host", url=console.url)
    sample = await observed(found, resources)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.MISSING)
    assert "give `endpoint`" in sample.detail
    assert console.asked == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"project": "../secrets"},
        {"project": ""},
        {"endpoint": "ep/x"},
        {"api_key": "two\nlines"},
        {"url": "ftp://console.neon.tech"},
        {"url": "https://me:pw@console.neon.tech/api/v2"},
        {"url": "https://console.neon.tech/api/v2?x=1"},
        {"url": "console.neon.tech"},
        {"colour": "red"},
    ],
)
def test_what_cannot_be_asked_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        at("h", **wrong)


def test_a_connection_is_not_kept_unless_it_may_wake() -> None:
    """Neither by default nor by wish."""
    with pytest.raises(ValidationError, match="keep the compute from sleeping"):
        check("https://console.test", 5432, keep=True)
    assert at("h").suspends


def test_the_key_is_never_shown() -> None:
    assert "hunter2" not in repr(at("h"))
    assert "hunter2" not in at("h").model_dump_json()

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest
import structlog
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from monitor.metrics import OPENMETRICS, TEXT, Metrics
from monitor.secrets import Secret
from monitor.web import CannotListen, Door, Limits, Tokens, Web
from monitor.web.connections import Connections
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from multidict import CIMultiDictProxy

HOST = "127.0.0.1"
TOKEN = "scrape-token-of-this-test"
USUAL = Limits()


class Site:
    """A server under test, what its health callbacks say, and a client."""

    def __init__(self, tokens: Tokens, limits: Limits = USUAL) -> None:
        self.problems: list[str] = []
        self.missing: list[str] = []
        metrics = Metrics()
        door = Door(tokens, FakeClock(), metrics.daemon.refused)
        self.web = Web(door, metrics, healthy=self.healthy, ready=lambda: self.missing, limits=limits)
        self.broken = False

    def healthy(self) -> list[str]:
        if self.broken:
            raise RuntimeError(f"a bug that knows {TOKEN}")
        return self.problems

    async def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, CIMultiDictProxy[str], bytes]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://{HOST}:{self.web.port}{path}"
        async with (
            aiohttp.ClientSession(auto_decompress=False, skip_auto_headers={"Accept-Encoding"}) as session,
            session.request(method, url, headers=sent, timeout=aiohttp.ClientTimeout(5)) as response,
        ):
            return response.status, response.headers, await response.read()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site(Tokens())
    await site.web.start(HOST, 0)
    yield site
    await site.web.stop()


@pytest.fixture
async def closed() -> AsyncIterator[Site]:
    site = Site(Tokens(scrape=Secret(TOKEN)))
    await site.web.start(HOST, 0)
    yield site
    await site.web.stop()


async def test_metrics_are_text_by_default(site: Site) -> None:
    """A browser or curl gets the plain format."""
    status, headers, body = await site.ask("/metrics")
    assert (status, headers["Content-Type"]) == (200, TEXT)
    assert "Content-Encoding" not in headers
    assert any(family.name == "monitor_build_info" for family in read_text(body.decode()))


async def test_metrics_are_openmetrics_and_compressed_on_request(site: Site) -> None:
    """Prometheus gets what it asks for."""
    accept = "application/openmetrics-text;version=1.0.0"
    status, headers, body = await site.ask("/metrics", accept=accept, accept_encoding="gzip")
    assert (status, headers["Content-Type"], headers["Content-Encoding"]) == (200, OPENMETRICS, "gzip")
    assert "Accept-Encoding" in headers["Vary"]
    assert any(family.name == "monitor_build" for family in read_openmetrics(gzip.decompress(body).decode()))  # type: ignore[no-untyped-call]


async def test_metrics_need_the_token_where_one_is_set(closed: Site) -> None:
    """Without it 401, and both schemes are offered; with it the page."""
    for authorization in ("", "Bearer wrong", "Basic wrong"):
        status, headers, body = await closed.ask("/metrics", authorization=authorization)
        assert status == 401
        assert {offer.split()[0] for offer in headers.getall("WWW-Authenticate")} == {"Bearer", "Basic"}
        assert b"monitor_" not in body
    status, _, _ = await closed.ask("/metrics", authorization=f"Bearer {TOKEN}")
    assert status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_is_open(closed: Site, path: str) -> None:
    """A platform's health check has no token."""
    status, _, _ = await closed.ask(path)
    assert status == 200


async def test_health_says_what_is_wrong(site: Site) -> None:
    """200 while all is well, else 503 and the reasons in words; readiness apart from it."""
    assert (await site.ask("/healthz"))[::2] == (200, b"ok\n")
    site.problems = ["no sample was judged for 95 s", "the store is away"]
    assert (await site.ask("/healthz"))[::2] == (503, b"no sample was judged for 95 s\nthe store is away\n")
    assert (await site.ask("/readyz"))[::2] == (200, b"ok\n")
    site.missing = ["the store was not reached yet"]
    assert (await site.ask("/readyz"))[::2] == (503, b"the store was not reached yet\n")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/../etc/passwd", 404),
        ("POST", "/metrics", 405),
        ("DELETE", "/healthz", 405),
        ("HEAD", "/metrics", 200),
    ],
)
async def test_other_requests_get_the_right_status(site: Site, method: str, path: str, status: int) -> None:
    """404, 405 with what is allowed, and HEAD without a body."""
    got, headers, body = await site.ask(path, method)
    assert got == status
    assert (status == 405) == ("Allow" in headers)
    assert method != "HEAD" or body == b""


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/nothing"])
async def test_every_answer_is_hardened(site: Site, path: str) -> None:
    """No framing, no sniffing, no scripts, no cache, no version of what serves."""
    _, headers, _ = await site.ask(path)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "aiohttp" not in headers["Server"]


async def test_a_bug_is_logged_and_not_shown(site: Site) -> None:
    """The client learns that it was our fault and nothing else; the log gets the traceback."""
    site.broken = True
    with structlog.testing.capture_logs() as logs:
        status, headers, body = await site.ask("/healthz")
    assert status == 500
    assert TOKEN.encode() not in body
    assert headers["X-Frame-Options"] == "DENY"
    assert [(line["event"], line["path"], line["log_level"]) for line in logs] == [
        ("request_failed", "/healthz", "error")
    ]


async def raw(site: Site, request: bytes) -> bytes:
    """Return everything that the server answers to `request`, until it closes."""
    reader, writer = await asyncio.open_connection(HOST, site.web.port)
    writer.write(request)
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + TOKEN.encode() + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(10_000)) + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nAuthorization: Bearer " + TOKEN.encode() + b"\x00\r\n\r\n",
    ],
)
async def test_malformed_requests_are_refused_in_silence(
    site: Site, request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Huge headers, many headers, other protocols: 400, closed, and nothing of them in any log."""
    assert (await raw(site, request_bytes)).startswith(b"HTTP/1.0 400 ")
    assert not caplog.records
    assert (await site.ask("/healthz"))[0] == 200


async def test_requests_are_not_logged(closed: Site, caplog: pytest.LogCaptureFixture) -> None:
    """No access log: it would hold whatever a client puts into an address."""
    caplog.set_level("DEBUG")
    await closed.ask(f"/metrics?token={TOKEN}", authorization=f"Bearer {TOKEN}")
    assert TOKEN not in caplog.text


async def test_a_port_in_use_is_a_clear_error(site: Site) -> None:
    """The text says which address and why."""
    other = Site(Tokens())
    with pytest.raises(CannotListen, match=rf"cannot listen on {HOST}:{site.web.port}: .*in use"):
        await other.web.start(HOST, site.web.port)
    await other.web.stop()


async def test_an_address_that_is_not_ours_is_a_clear_error() -> None:
    """The same for an address of another machine."""
    with pytest.raises(CannotListen, match=r"cannot listen on 203\.0\.113\.1:0: "):
        await Site(Tokens()).web.start("203.0.113.1", 0)


async def test_a_stopped_server_does_not_start_again() -> None:
    """Its end is final, and harmless when repeated."""
    site = Site(Tokens())
    assert site.web.port == 0
    await site.web.start(HOST, 0)
    await site.web.stop()
    await site.web.stop()
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection(HOST, site.web.port or 1)


async def test_stopping_is_bounded_whoever_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that wait, ask half or do not read keep nobody from stopping, and none stays connected."""
    monkeypatch.setattr(Metrics, "parts", lambda _self, **_: iter([b"x" * 10_000_000] * 3))
    site = Site(Tokens())
    await site.web.start(HOST, 0)
    clients = [await asyncio.open_connection(HOST, site.web.port) for _ in range(3)]
    clients[1][1].write(b"GET /metrics HTTP/1.1\r\nHost:")
    clients[2][1].write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.sleep(0.05)
    begun = time.monotonic()
    await site.web.stop()
    assert time.monotonic() - begun < USUAL.last_answers.total_seconds() + 1
    assert len(site.web._connections) == 0
    for reader, writer in clients:
        async with asyncio.timeout(2):
            await reader.read()
        writer.close()


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost:", b"POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\nhalf"]
)
async def test_a_connection_without_a_whole_request_is_cut(sent: bytes) -> None:
    """Idle, half a head, half a body: each ends within its patience."""
    site = Site(Tokens(), Limits(patience=timedelta(milliseconds=300)))
    await site.web.start(HOST, 0)
    begun = time.monotonic()
    await raw(site, sent)
    assert time.monotonic() - begun < 3
    await site.web.stop()


async def test_a_client_that_drips_is_cut() -> None:
    """A byte now and then is no whole request."""
    site = Site(Tokens(), Limits(patience=timedelta(milliseconds=300)))
    await site.web.start(HOST, 0)
    reader, writer = await asyncio.open_connection(HOST, site.web.port)
    begun = time.monotonic()
    writer.write(b"GET / HTTP/1.1\r\n")
    while not reader.at_eof() and time.monotonic() - begun < 5:
        writer.write(b"X")
        await asyncio.sleep(0.05)
        if len(site.web._connections) == 0:
            break
    assert 0.2 < time.monotonic() - begun < 3
    writer.close()
    await site.web.stop()


async def test_requests_keep_a_connection_alive() -> None:
    """A scraper that comes again before its patience ends keeps its connection."""
    site = Site(Tokens(), Limits(patience=timedelta(milliseconds=600)))
    await site.web.start(HOST, 0)
    reader, writer = await asyncio.open_connection(HOST, site.web.port)
    for _ in range(5):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert await reader.readexactly(3) == b"ok\n"
        await asyncio.sleep(0.2)
    writer.close()
    await site.web.stop()


async def test_too_many_connections_cost_the_oldest() -> None:
    """A health check gets through however many idle connections there are, and few descriptors are held."""
    site = Site(Tokens(), Limits(connections=5))
    await site.web.start(HOST, 0)
    clients = []
    for _ in range(20):
        client = socket.create_connection((HOST, site.web.port))
        clients.append(client)
        await asyncio.sleep(0.01)
    assert (await site.ask("/healthz"))[0] == 200
    assert len(site.web._connections) <= 5
    for client in clients:
        client.close()
    await site.web.stop()


async def test_a_long_page_arrives_whole(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a socket's buffer holds goes out as fast as the client reads."""
    monkeypatch.setattr(Metrics, "parts", lambda _self, **_: iter([b"x" * 10_000_000] * 3))
    _, _, body = await site.ask("/metrics")
    assert len(body) == 30_000_000


async def test_a_client_that_does_not_read_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that nobody takes holds its connection no longer than a request that never comes."""
    monkeypatch.setattr(Metrics, "parts", lambda _self, **_: iter([b"x" * 10_000_000] * 3))
    site = Site(Tokens(), Limits(patience=timedelta(milliseconds=300)))
    await site.web.start(HOST, 0)
    _, writer = await asyncio.open_connection(HOST, site.web.port, limit=1)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    async with asyncio.timeout(5):
        await asyncio.sleep(0.1)
        while len(site.web._connections):  # noqa: ASYNC110 - the end of a connection is no event here
            await asyncio.sleep(0.05)
    writer.close()
    await site.web.stop()


def test_renewing_a_connection_that_has_ended_does_nothing() -> None:
    """A request may be handled after its client has gone."""
    connections = Connections(timedelta(seconds=1), 5)
    connections.renew(asyncio.Transport())
    connections.renew(None)
    assert len(connections) == 0

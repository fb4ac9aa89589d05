"""Every token against every route and method, over real connections; and what too many wrong ones lead to."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import pytest

from monitor.metrics import Metrics
from monitor.secrets import Secret
from monitor.web import Acts, Door, Heartbeats, Reply, Taken, Tokens, Web
from monitor.web.guesses import Allowance
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from monitor.model import Act, CheckId, Report, Scope

HOST = "127.0.0.1"
OPERATOR, SCRAPE = "operator-tökén-of-this-test", "scrape-token-of-this-test"
BACKUP, CLEANUP = "bäckup-token-of-this-test", "cleanup-token-of-this-test"
HEARTBEATS = "/api/v1/heartbeats/shop"
GENEROUS = Allowance(each=10_000, together=10_000)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Box:
    """Two heartbeats, each with its token, and what was reported to them."""

    def __init__(self) -> None:
        self.got: list[str] = []

    def secrets(self, check: CheckId) -> list[Secret]:
        return {"backup": [Secret(BACKUP)], "cleanup": [Secret(CLEANUP)]}.get(check.check, [])

    async def take(self, check: CheckId, _report: Report) -> Taken:
        self.got.append(check.check)
        return Taken.DURABLE


class Counter:
    """Where alerts and silences are asked for, and what was done there."""

    def __init__(self) -> None:
        self.got: list[str] = []

    def look_for(self, scope: Scope) -> None:
        """Know every name."""

    async def alerts(self, _scope: Scope) -> list[dict[str, object]]:
        self.got.append("alerts")
        return [{"severity": "critical"}]

    async def silences(self) -> list[dict[str, object]]:
        self.got.append("silences")
        return []

    async def lift(self, _silence: str, act: Act) -> Act:
        return act

    async def take(self, act: Act) -> Reply:
        self.got.append(act.deed)
        return Reply(done=True, said="ok")


class Site:
    """A server behind a door, and a client that writes any bytes."""

    def __init__(self, tokens: Tokens, allowance: Allowance = GENEROUS, *, on_render: bool = False) -> None:
        self.clock = FakeClock()
        self.metrics = Metrics()
        door = Door(tokens, self.clock, self.metrics.daemon.refused, on_render=on_render, allowance=allowance)
        self.box = Box()
        self.counter = Counter()
        more = [*Heartbeats(door, self.box).table(), *Acts(door, self.counter, self.clock).table()]
        self.web = Web(door, self.metrics, healthy=list, ready=list, more=more)

    async def ask(self, path: str, headers: Iterable[bytes] = (), method: str = "GET", body: bytes = b"") -> Answer:
        reader, writer = await asyncio.open_connection(HOST, self.web.port)
        head = [f"{method} {path} HTTP/1.1".encode(), b"Host: x", b"Connection: close", *headers]
        head += [b"Content-Length: %d" % len(body)] if body else []
        writer.write(b"\r\n".join([*head, b"", body]))
        try:
            async with asyncio.timeout(5):
                raw = await reader.read()
        finally:
            writer.close()
        first, _, body = raw.partition(b"\r\n\r\n")
        status, *lines = first.decode("latin-1").split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        return Answer(int(status.split()[1]), {name.lower(): value for name, value in pairs}, body)

    def refused(self) -> dict[str, float]:
        """Return how many requests were refused, by reason, leaving out the reasons of none."""
        lines = (line.split() for line in self.metrics.page().decode().splitlines())
        found = {line[0].split('"')[1]: float(line[1]) for line in lines if line[0].startswith("monitor_web_refused_t")}
        return {reason: count for reason, count in found.items() if count}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site(Tokens(Secret(OPERATOR), Secret(SCRAPE)))
    await site.web.start(HOST, 0)
    yield site
    await site.web.stop()


def bearer(token: str, scheme: str = "Bearer") -> bytes:
    return f"Authorization: {scheme} {token}".encode()


def basic(password: str, user: str = "anybody") -> bytes:
    return b"Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode())


RIGHT = {
    "operator bearer": [bearer(OPERATOR)],
    "operator basic": [basic(OPERATOR)],
    "scrape bearer": [bearer(SCRAPE)],
    "scrape basic": [basic(SCRAPE, user="")],
    "scheme in capitals": [bearer(SCRAPE, "BEARER")],
}
WRONG = {
    "none": [],
    "empty header": [b"Authorization:"],
    "empty bearer": [b"Authorization: Bearer "],
    "empty password": [basic("")],
    "wrong bearer": [bearer("wrong")],
    "wrong basic": [basic("wrong")],
    "the beginning": [bearer(SCRAPE[:-1])],
    "and more": [bearer(SCRAPE + "x")],
    "both tokens": [bearer(OPERATOR + SCRAPE)],
    "in capitals": [bearer(SCRAPE.upper())],
    "other scheme": [bearer(SCRAPE, "Token")],
    "no scheme": [b"Authorization: " + SCRAPE.encode()],
    "bearer in basic": [basic(SCRAPE) + b"!"],
    "as a user": [basic("", user=SCRAPE)],
    "unicode": [bearer("tökén ✓")],
    "another form of unicode": [bearer(OPERATOR.replace("ö", "o\u0308"))],
    "not even unicode": [b"Authorization: Bearer \xff\xfe"],
    "very long": [bearer("x" * 7_000)],
    "twice the right one": [bearer(SCRAPE), bearer(SCRAPE)],
    "right, then wrong": [bearer(SCRAPE), bearer("wrong")],
    "wrong, then right": [basic("wrong"), bearer(SCRAPE)],
    "both ways in one line": [bearer(f"{SCRAPE}, Basic eDp5")],
    "in another header": [b"X-Authorization: Bearer " + SCRAPE.encode()],
    "for a proxy": [b"Proxy-Authorization: Bearer " + SCRAPE.encode()],
    "in a cookie": [b"Cookie: token=" + SCRAPE.encode()],
}
EVERY = {**RIGHT, **WRONG}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", RIGHT)
async def test_a_right_token_opens_the_metrics(site: Site, name: str, method: str) -> None:
    answer = await site.ask("/metrics", RIGHT[name], method)
    assert answer.status == 200
    assert (b"monitor_build_info" in answer.body) == (method == "GET")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", WRONG)
async def test_nothing_else_opens_the_metrics(site: Site, name: str, method: str) -> None:
    """401 with both schemes offered (400 where the parser refuses two headers), and nothing of any series or token."""
    answer = await site.ask("/metrics", WRONG[name], method)
    assert answer.status == 401 or (answer.status == 400 and len(WRONG[name]) > 1)
    assert b"monitor_" not in answer.body
    assert SCRAPE.encode() not in answer.body
    assert ("www-authenticate" in answer.headers) == (answer.status == 401)


async def test_a_query_is_no_token(site: Site) -> None:
    """It would stand in every proxy's log."""
    assert (await site.ask(f"/metrics?token={SCRAPE}&access_token={SCRAPE}")).status == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_open_pages_are_open_whatever_is_brought(site: Site, path: str, method: str) -> None:
    """A platform's health check has no token, and a wrong one does no harm."""
    for headers in EVERY.values():
        answer = await site.ask(path, headers, method)
        assert answer.status == 200 or (answer.status == 400 and len(headers) > 1)


@pytest.mark.parametrize(
    "path",
    [
        "/metrics/",
        "/metrics/x",
        "//metrics",
        "/Metrics",
        "/metrics%2f",
        "/x",
        "/api",
        "/metrics;x",
        "/api/v1/heartbeats",
        "/api/v1",
        "/api/v1/alerts/",
        "/api/v1/silences/",
        "/api/v2/alerts",
        HEARTBEATS,
    ],
)
async def test_there_is_nothing_beside_the_door(site: Site, path: str) -> None:
    """A path that is almost that of the metrics is unknown, with every token and without."""
    for headers in ([], *RIGHT.values()):
        answer = await site.ask(path, headers)
        assert answer.status == 404
        assert b"monitor_" not in answer.body


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("rest", ["backup", "backup/start", "backup/1", "cleanup", "nothing", "nothing/fail"])
async def test_each_heartbeat_has_its_own_token(site: Site, rest: str, method: str) -> None:
    """It opens that one and nothing else; no other token, the operator's neither, opens a heartbeat."""
    own = {"backup": BACKUP, "cleanup": CLEANUP}.get(rest.partition("/")[0], "")
    wrong = {**EVERY, "the other": [bearer(CLEANUP if own == BACKUP else BACKUP)], "a part": [bearer(BACKUP[:-1])]}
    for headers in wrong.values():
        answer = await site.ask(f"{HEARTBEATS}/{rest}", headers, method)
        assert answer.status == 404 or (answer.status == 400 and len(headers) > 1)
        assert "www-authenticate" not in answer.headers
    assert site.box.got == []
    for headers in ([bearer(own)], [basic(own)]) if own else ():
        assert (await site.ask(f"{HEARTBEATS}/{rest}", headers, method)).status == 200
    assert set(site.box.got) == ({rest.partition("/")[0]} if own else set())


ACTING = [
    ("GET", "/api/v1/alerts", b""),
    ("HEAD", "/api/v1/alerts", b""),
    ("GET", "/api/v1/silences", b""),
    ("POST", "/api/v1/acks", b'{"system": "shop"}'),
    ("POST", "/api/v1/silences", b'{"system": "all", "for": "1h"}'),
    ("DELETE", "/api/v1/silences/night", b""),
    ("POST", "/api/v1/runs", b'{"system": "shop", "check": "site"}'),
]
OPERATORS = {name: headers for name, headers in RIGHT.items() if name.startswith("operator")}
"""What opens everything; all else, the scraper's token too, opens nothing of it."""


@pytest.mark.parametrize(("method", "path", "body"), ACTING)
async def test_only_the_operators_token_acts(site: Site, method: str, path: str, body: bytes) -> None:
    """401 with both schemes offered (400 where the parser refuses two headers), before anything is read or done."""
    others = {name: headers for name, headers in EVERY.items() if name not in OPERATORS}
    beats = {"a heartbeat's": [bearer(BACKUP)], "twice": [bearer(OPERATOR), bearer(OPERATOR)]}
    for headers in ({**others, **beats}).values():
        answer = await site.ask(path, headers, method, body)
        assert answer.status == 401 or (answer.status == 400 and len(headers) > 1)
        assert ("www-authenticate" in answer.headers) == (answer.status == 401)
    assert site.counter.got == []
    for headers in OPERATORS.values():
        assert (await site.ask(path, headers, method, body)).status == 200
    assert site.counter.got


@pytest.mark.parametrize(("method", "path", "body"), ACTING)
@pytest.mark.parametrize("scrape", [None, Secret(SCRAPE)])
async def test_nobody_acts_where_no_operator_has_a_token(
    method: str, path: str, body: bytes, scrape: Secret | None
) -> None:
    """On this machine only, any page in a browser could send it."""
    site = Site(Tokens(None, scrape))
    await site.web.start(HOST, 0)
    for headers in ([], *EVERY.values()):
        assert (await site.ask(path, headers, method, body)).status in ({403} | ({400} if len(headers) > 1 else set()))
    assert site.counter.got == []
    assert site.refused() == {}
    await site.web.stop()


@pytest.mark.parametrize("path", ["acks", "runs", "alerts", "silences", "silences/night"])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE"])
async def test_an_act_has_one_method(site: Site, path: str, method: str) -> None:
    for headers in ([], *OPERATORS.values()):
        assert (await site.ask(f"/api/v1/{path}", headers, method)).status == 405
    assert site.counter.got == []


@pytest.mark.parametrize("token", [BACKUP, CLEANUP])
async def test_a_heartbeats_token_opens_nothing_else(site: Site, token: str) -> None:
    assert (await site.ask("/metrics", [bearer(token)])).status == 401
    assert (await site.ask(f"/metrics/{quote(token)}")).status == 404


async def test_a_heartbeat_needs_its_token_where_all_else_is_open() -> None:
    """On this machine only, where no token is set: whoever can write there could silence it."""
    site = Site(Tokens())
    await site.web.start(HOST, 0)
    assert (await site.ask("/metrics")).status == 200
    assert (await site.ask(f"{HEARTBEATS}/backup")).status == 404
    assert (await site.ask(f"{HEARTBEATS}/backup/{quote(BACKUP)}")).status == 200
    assert site.refused() == {"missing": 1}
    await site.web.stop()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
async def test_nothing_can_be_changed(site: Site, path: str, method: str) -> None:
    """405 with what is allowed, with every token and without."""
    for headers in ([], RIGHT["operator bearer"], RIGHT["scrape bearer"], WRONG["wrong bearer"]):
        answer = await site.ask(path, headers, method)
        assert answer.status == 405
        assert {word.strip() for word in answer.headers["allow"].split(",")} == {"GET", "HEAD"}


async def test_a_method_cannot_be_swapped_by_a_header(site: Site) -> None:
    answer = await site.ask("/metrics", [b"X-HTTP-Method-Override: GET", *RIGHT["scrape bearer"]], "POST")
    assert answer.status == 405


@pytest.fixture
async def guarded() -> AsyncIterator[Site]:
    site = Site(Tokens(scrape=Secret(SCRAPE)), Allowance(each=3, together=5), on_render=True)
    await site.web.start(HOST, 0)
    yield site
    await site.web.stop()


def coming_from(client: str) -> bytes:
    return f"X-Forwarded-For: {client}, 172.70.247.28, 10.19.6.53".encode()


async def test_too_many_wrong_tokens_close_the_door_for_a_while(guarded: Site) -> None:
    """429 with the seconds to wait, for a right token as well, else guessing could go on; then all is as before."""
    for _ in range(3):
        assert (await guarded.ask("/metrics", [bearer("wrong")])).status == 401
    await guarded.clock.advance(timedelta(seconds=17.5))
    for headers in ([bearer("wrong")], [bearer(SCRAPE)]):
        answer = await guarded.ask("/metrics", headers)
        assert (answer.status, answer.headers["retry-after"]) == (429, "43")
        assert b"monitor_" not in answer.body
    assert (await guarded.ask("/healthz")).status == 200
    await guarded.clock.advance(timedelta(seconds=42.5))
    assert (await guarded.ask("/metrics", [bearer(SCRAPE)])).status == 200
    assert guarded.refused() == {"wrong": 3, "limited": 2}


async def test_others_shut_nobody_out(guarded: Site) -> None:
    """One client's wrong tokens, and those of many, leave the scraper's right one alone."""
    for client in ("203.0.113.1", "203.0.113.1", "203.0.113.1", "203.0.113.2", "203.0.113.3"):
        assert (await guarded.ask("/metrics", [coming_from(client), bearer("wrong")])).status == 401
    for client in ("203.0.113.1", "203.0.113.2", "203.0.113.3"):
        assert (await guarded.ask("/metrics", [coming_from(client), bearer("wrong")])).status == 429
    assert (await guarded.ask("/metrics", [coming_from("198.51.100.1"), bearer(SCRAPE)])).status == 200


async def test_a_client_cannot_pass_for_another(guarded: Site) -> None:
    """What he writes into the header himself stands before what the proxies add."""
    for number in range(3):
        forged = f"X-Forwarded-For: 198.51.100.{number}".encode()
        headers = [forged, coming_from("203.0.113.1"), bearer("wrong")]
        assert (await guarded.ask("/metrics", headers)).status == 401
    headers = [b"X-Forwarded-For: 198.51.100.9", coming_from("203.0.113.1"), bearer("wrong")]
    assert (await guarded.ask("/metrics", headers)).status == 429


async def test_who_brings_no_token_is_told_so_and_not_counted(guarded: Site) -> None:
    """A scraper that was not given its token yet must not be shut out when it gets it."""
    for _ in range(10):
        assert (await guarded.ask("/metrics")).status == 401
    assert (await guarded.ask("/metrics", [bearer(SCRAPE)])).status == 200
    assert guarded.refused() == {"missing": 10}


async def test_without_a_token_set_nothing_is_counted() -> None:
    """On this machine only, everything is open, whatever is brought."""
    site = Site(Tokens(), Allowance(each=1, together=1))
    await site.web.start(HOST, 0)
    for _ in range(3):
        assert (await site.ask("/metrics", [bearer("wrong")])).status == 200
    assert site.refused() == {}
    await site.web.stop()

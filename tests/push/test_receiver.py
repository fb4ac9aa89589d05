"""One request over real sockets: what is sent, what each answer means, and that nothing secret comes back out of it."""

from __future__ import annotations

import base64
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor import __version__
from monitor.channels.posting import open_session
from monitor.network import Resolver, TlsContexts
from monitor.push import REASONS, Receiver, receiver, wire
from monitor.push.series import Shown
from monitor.secrets import Redactor, Secret
from tests.peers import Talk, free_port, hangs_up, resets, says, silence, tcp_peer
from tests.push.peers import Taker, taker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from monitor.push.receiver import Reason, Refusal

    Make = Callable[..., Receiver]

BODY = wire.compress(Shown().add([b"up 1"])[0] + wire.tail(wire.EARLIEST))
OTHER = "secret-of-another-part"


@pytest.fixture(scope="module")
def tls() -> TlsContexts:
    return TlsContexts()


@pytest.fixture
async def to(tls: TlsContexts) -> AsyncIterator[Make]:
    """Return what makes a receiver at an address."""
    resolver = Resolver()
    async with open_session(resolver, tls, keep=True) as session:
        hide = Redactor([Secret(OTHER)])
        yield lambda url, token="": Receiver(Secret(url), Secret(token) if token else None, session, hide)
    await resolver.close()


@pytest.fixture
async def peer() -> AsyncIterator[Taker]:
    async with taker() as made:
        yield made


async def refused(to: Receiver) -> Refusal:
    refusal = await to.send(BODY)
    assert refusal
    assert refusal.reason in REASONS
    return refusal


async def test_a_request_is_what_the_specification_wants(peer: Taker, to: Make) -> None:
    assert await to(f"{peer.url}/api/v1/write?tenant=a%20b#part").send(BODY) is None
    (got,) = peer.got
    assert got.path == "/api/v1/write?tenant=a%20b"
    assert got.headers["Content-Type"] == "application/x-protobuf"
    assert got.headers["Content-Encoding"] == "snappy"
    assert got.headers["X-Prometheus-Remote-Write-Version"] == "0.1.0"
    assert got.headers["User-Agent"] == f"runbook-monitor/{__version__}"
    assert "Authorization" not in got.headers
    assert [(point.name, point.value) for point in got.points] == [("up", 1)]


async def test_user_and_password_of_the_address_are_sent_as_basic(peer: Taker, to: Make) -> None:
    """As a provider's console shows them, with what an address cannot hold written as it must be."""
    await to(peer.url.replace("//", "//12345:glc_p%40ss%2Fw%C3%B6rd@")).send(BODY)
    assert peer.got[0].headers["Authorization"] == f"Basic {base64.b64encode('12345:glc_p@ss/wörd'.encode()).decode()}"


async def test_a_token_is_sent_as_bearer(peer: Taker, to: Make) -> None:
    await to(peer.url, "hunter2").send(BODY)
    assert peer.got[0].headers["Authorization"] == "Bearer hunter2"


async def test_one_connection_serves_many_requests(peer: Taker, to: Make) -> None:
    """A handshake for each of a dozen requests would cost more than the requests."""
    one = to(peer.url)
    assert [await one.send(BODY) for _ in range(5)] == [None] * 5
    assert len(peer.connections) == 1


@pytest.mark.parametrize(
    ("status", "reason", "final"),
    [
        (302, "rejected", True),
        (400, "rejected", True),
        (401, "rejected", True),
        (404, "rejected", True),
        (408, "rejected", True),
        (413, "rejected", True),
        (429, "rate_limited", False),
        (500, "server_error", False),
        (503, "server_error", False),
    ],
)
async def test_only_429_and_5xx_are_worth_another_try(
    peer: Taker, to: Make, status: int, reason: Reason, *, final: bool
) -> None:
    peer.status, peer.headers = status, {"Location": "/elsewhere"}
    refusal = await refused(to(peer.url))
    assert (refusal.reason, refusal.final, refusal.kind) == (reason, final, f"status {status}")
    assert len(peer.got) == 1


async def test_retry_after_is_told(peer: Taker, to: Make) -> None:
    peer.headers = {"Retry-After": "17"}
    for peer.status in (429, 503):
        assert (await refused(to(peer.url))).after == timedelta(seconds=17)
    peer.headers = {"Retry-After": "soon"}
    assert (await refused(to(peer.url))).after is None


@pytest.mark.parametrize(
    ("talk", "detail"),
    [
        (hangs_up, "closed the connection without an answer|reset"),
        (resets(), "reset"),
        (says(b"HTTP/1.1 20", close=True), "closed the connection|no valid answer|reset"),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", close=True), "no valid answer"),
    ],
)
async def test_a_broken_exchange_is_worth_another_try(to: Make, talk: Talk, detail: str) -> None:
    async with tcp_peer(talk) as broken:
        refusal = await refused(to(f"http://127.0.0.1:{broken.port}/"))
    assert (refusal.reason, refusal.final) == ("network", False)
    assert re.search(detail, refusal.detail)


async def test_nobody_there_is_worth_another_try(to: Make) -> None:
    refusal = await refused(to(f"http://127.0.0.1:{free_port()}/"))
    assert (refusal.reason, refusal.kind, refusal.final) == ("network", "refused", False)


@pytest.mark.parametrize("talk", [silence, says(b"HTTP/1.1 200 OK\r\nContent-Le")])
async def test_silence_ends_at_the_deadline(to: Make, talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "DEADLINE", timedelta(milliseconds=100))
    async with tcp_peer(talk) as silent:
        refusal = await refused(to(f"http://127.0.0.1:{silent.port}/"))
    assert (refusal.reason, refusal.final) == ("timeout", False)


async def test_a_success_counts_whatever_becomes_of_its_body(to: Make) -> None:
    async with tcp_peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")) as half:
        assert await to(f"http://127.0.0.1:{half.port}/").send(BODY) is None


async def test_an_address_that_is_none_is_a_refusal_that_does_not_show_it(to: Make) -> None:
    refusal = await refused(to("http://example.com:hunter2/"))
    assert refusal.reason == "network"
    assert "hunter2" not in str(refusal)


async def test_what_nobody_expects_is_worth_another_try(tls: TlsContexts) -> None:
    """A fault of our own must not end the monitoring; its text is not shown, for who knows what it holds."""
    resolver = Resolver()
    async with open_session(resolver, tls) as session:
        pass
    refusal = await refused(Receiver(Secret("http://127.0.0.1/hunter2"), None, session, Redactor()))
    assert refusal == ("network", "RuntimeError", "RuntimeError", None)
    await resolver.close()


async def test_what_an_answer_says_is_cut_and_holds_no_secret(peer: Taker, to: Make) -> None:
    """It repeats all that it was asked with, at every place where a cut could hide half a secret from us."""
    login, basic = "12345:glc-abcdefgh", base64.b64encode(b"12345:glc-abcdefgh").decode()
    secrets = ("glc-abcdefgh", basic, "in-the-path-4711", "in-the-query-4711", OTHER)
    peer.status = 400
    url = peer.url.replace("//", f"//{login}@") + "/in-the-path-4711?key=in-the-query-4711"
    made = to(url)
    for shift in range(0, 40, 3):
        peer.text = "out of order " + "." * shift + " ".join(secrets) * 50
        said = (await refused(made)).detail
        assert said.startswith("answered 400: out of order")
        assert len(said) < 250
        assert not [secret for secret in secrets if secret[:6] in said]

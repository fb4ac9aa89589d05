from __future__ import annotations

import asyncio
import errno
import gc
import socket
import ssl
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from monitor.model import Failure, Reason, State
from monitor.network import Resolver, TlsContexts, connect, conversation, failure_of, peer_certificate, peer_text
from tests.peers import drips, free_port, hangs_up, resets, says, silence, tcp_peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.peers import Authority, NameServer, Talk

BOTH_LOOPS = True
SECOND = timedelta(seconds=1)


class Notes(dict[str, float]):
    def note(self, name: str, value: float, **label: str) -> None:
        assert name == "phase"
        self[label["phase"]] = value


@pytest.fixture
async def resolver(names: NameServer) -> AsyncIterator[Resolver]:
    made = Resolver([names.address])
    yield made
    await made.close()


async def test_a_connection_is_made_and_its_phases_noted(
    names: NameServer, resolver: Resolver, late: Callable[[], float]
) -> None:
    names.has("peer.test", "A", socket.inet_aton("127.0.0.1"))
    names.delay = 0.05
    notes = Notes()
    async with tcp_peer(says(b"220 hello\r\n")) as peer:
        connected, _ = await connect(resolver, "peer.test", peer.port, SECOND, notes.note)
        async with conversation(connected) as (reader, _):
            assert await reader.readline() == b"220 hello\r\n"
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert list(notes) == ["dns", "connect"]
    assert 0.05 <= notes["dns"] < 0.3 + late()
    assert 0 <= notes["connect"] < 0.05 + late()


async def test_the_next_address_is_tried_after_one_that_fails(names: NameServer, resolver: Resolver) -> None:
    names.has("peer.test", "A", socket.inet_aton("127.0.0.2"), socket.inet_aton("127.0.0.1"))
    async with tcp_peer(silence) as peer:
        connected, address = await connect(resolver, "peer.test", peer.port, SECOND, Notes().note)
        assert address == connected.getpeername()[0] == "127.0.0.1"
        connected.close()


async def test_what_is_down_outweighs_what_we_could_not_try(names: NameServer, resolver: Resolver) -> None:
    """A host without IPv6, asked for a name with both kinds of addresses whose server is gone."""
    names.has("ours.test", "A", socket.inet_aton("255.255.255.255"))
    names.has("both.test", "A", socket.inet_aton("255.255.255.255"), socket.inet_aton("127.0.0.1"))
    with pytest.raises(Failure) as raised:
        await connect(resolver, "ours.test", 9, SECOND, Notes().note)
    assert raised.value.state is State.UNKNOWN
    with pytest.raises(Failure) as raised:
        await connect(resolver, "both.test", free_port(), SECOND, Notes().note)
    assert (raised.value.reason, raised.value.state) == (Reason.REFUSED, State.DOWN)


async def test_cancelling_while_connecting_leaves_no_socket(resolver: Resolver) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [asyncio.create_task(connect(resolver, "127.0.0.1", port, SECOND, Notes().note)) for _ in range(4)]
        await asyncio.sleep(0.1)
        for task in waiting:
            task.cancel()
        for made in await asyncio.gather(*waiting, return_exceptions=True):
            if isinstance(made, tuple):
                made[0].close()
    gc.collect()  # an unclosed socket would warn here, and warnings are errors


async def test_leaving_a_tls_conversation_says_good_bye_and_does_not_wait(
    authority: Authority, resolver: Resolver, late: Callable[[], float]
) -> None:
    ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listens(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        ended.set_result(await reader.read())

    async with tcp_peer(listens, authority.server("peer.test")) as peer:
        connected, _ = await connect(resolver, "127.0.0.1", peer.port, SECOND, Notes().note)
        context = TlsContexts().get(ca_file=str(authority.path))
        started = perf_counter()
        async with conversation(connected, context, "peer.test"):
            pass
        assert perf_counter() - started < 0.5 + late()
        assert await asyncio.wait_for(ended, 20) == b""


async def handshake(resolver: Resolver, authority: Authority, talk: Talk, server: ssl.SSLContext | None) -> Failure:
    """Shake hands with `talk` as peer.test and return the failure that comes of it."""
    context = TlsContexts().get(ca_file=str(authority.path))
    async with tcp_peer(talk, server) as peer:
        connected, _ = await connect(resolver, "127.0.0.1", peer.port, SECOND, Notes().note)
        with pytest.raises((OSError, EOFError)) as raised:
            async with asyncio.timeout(5), conversation(connected, context, "peer.test"):
                pass
    return failure_of(raised.value, "peer.test:443")


@pytest.mark.parametrize(
    ("starts", "ends", "name", "reason"),
    [
        (-60, -1, "peer.test", Reason.TLS_EXPIRED),
        (1, 60, "peer.test", Reason.TLS_INVALID),
        (-60, 60, "other.test", Reason.TLS_INVALID),
    ],
    ids=["expired", "not yet valid", "of another name"],
)
async def test_a_certificate_that_is_not_valid(
    resolver: Resolver, authority: Authority, starts: int, ends: int, name: str, reason: Reason
) -> None:
    server = authority.server(name, starts=timedelta(days=starts), ends=timedelta(days=ends))
    failure = await handshake(resolver, authority, silence, server)
    assert (failure.reason, failure.state) == (reason, State.DOWN)


async def test_an_authority_that_nobody_trusts_is_invalid(
    resolver: Resolver, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = type(authority)(tmp_path_factory.mktemp("other"), "Other Authority")
    failure = await handshake(resolver, authority, silence, other.server("peer.test"))
    assert (failure.reason, failure.state) == (Reason.TLS_INVALID, State.DOWN)


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), Reason.PROTOCOL),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), Reason.PROTOCOL),
        (says(b"\0" * 64), Reason.PROTOCOL),
        (says(b"\x16\x03\x03\xff\xff" + b"\0" * 64), Reason.PROTOCOL),
        (says(b"\x15\x03\x03\x00\x02\x02\x46"), Reason.TLS_INVALID),
        (says(b"\x15\x03\x03\x00\x02\x02\x28"), Reason.TLS_INVALID),
        (hangs_up, Reason.RESET),
        (says(b"\x16\x03\x03\x00\x7a\x02", close=True), Reason.RESET),
        (resets(b"\x16\x03\x03\x00\x7a\x02"), Reason.RESET),
    ],
    ids=[
        "http",
        "ssh",
        "zeros",
        "huge record",
        "too old",
        "nothing in common",
        "closed at once",
        "closed half-way",
        "reset half-way",
    ],
)
async def test_a_peer_that_does_not_speak_tls_as_we_do(
    resolver: Resolver, authority: Authority, talk: Talk, reason: Reason
) -> None:
    failure = await handshake(resolver, authority, talk, None)
    assert (failure.reason, failure.state) == (reason, State.DOWN)
    assert "peer.test:443" in failure.detail


async def test_an_invalid_certificate_can_be_read_all_the_same(authority: Authority) -> None:
    server = authority.server("peer.test", starts=timedelta(days=-60), ends=timedelta(days=-1))
    async with tcp_peer(silence, server) as peer:
        certificate = await peer_certificate("127.0.0.1", peer.port, "peer.test", TlsContexts())
        await asyncio.wait_for(peer.quiet.wait(), 20)
    assert certificate
    assert certificate.names == ("peer.test",)


@pytest.mark.parametrize("talk", [silence, hangs_up, drips(b"\x16\x03\x03\x40\x00"), says(b"HTTP/1.1 400 \r\n\r\n")])
async def test_no_certificate_to_be_had_is_none_in_time(talk: Talk, late: Callable[[], float]) -> None:
    async with tcp_peer(talk) as peer:
        started = perf_counter()
        assert await peer_certificate("127.0.0.1", peer.port, "x.test", TlsContexts(), timedelta(seconds=0.2)) is None
        assert perf_counter() - started < 0.5 + late()
    assert await peer_certificate("127.0.0.1", peer.port, "x.test", TlsContexts()) is None


@pytest.mark.parametrize(
    ("error", "reason", "state"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "no"), Reason.REFUSED, State.DOWN),
        (ConnectionResetError(errno.ECONNRESET, "no"), Reason.RESET, State.DOWN),
        (ConnectionResetError("Connection lost"), Reason.RESET, State.DOWN),
        (ConnectionAbortedError(errno.ECONNABORTED, "no"), Reason.RESET, State.DOWN),
        (BrokenPipeError(errno.EPIPE, "no"), Reason.RESET, State.DOWN),
        (asyncio.IncompleteReadError(b"half", 10), Reason.RESET, State.DOWN),
        (EOFError(), Reason.RESET, State.DOWN),
        (ssl.SSLEOFError(8, "EOF"), Reason.RESET, State.DOWN),
        (ssl.SSLZeroReturnError(6, "closed"), Reason.RESET, State.DOWN),
        (OSError(errno.EHOSTUNREACH, "no"), Reason.UNREACHABLE, State.DOWN),
        (TimeoutError(errno.ETIMEDOUT, "no"), Reason.TIMEOUT, State.DOWN),
        (TimeoutError(), Reason.TIMEOUT, State.DOWN),
        (ssl.SSLError(1, "odd"), Reason.TLS_INVALID, State.DOWN),
        (OSError(errno.ENETUNREACH, "no"), Reason.UNREACHABLE, State.UNKNOWN),
        (OSError(errno.ENETDOWN, "no"), Reason.UNREACHABLE, State.UNKNOWN),
        (OSError(errno.EMFILE, "no"), Reason.UNKNOWN, State.UNKNOWN),
        (OSError(errno.ENFILE, "no"), Reason.UNKNOWN, State.UNKNOWN),
        (OSError(errno.ENOMEM, "no"), Reason.UNKNOWN, State.UNKNOWN),
        (OSError(errno.EADDRNOTAVAIL, "no"), Reason.UNKNOWN, State.UNKNOWN),
        (OSError("odd"), Reason.UNKNOWN, State.UNKNOWN),
        (ValueError("odd"), Reason.UNKNOWN, State.UNKNOWN),
    ],
    ids=repr,
)
def test_whose_fault_an_error_is(error: Exception, reason: Reason, state: State) -> None:
    failure = failure_of(error, "peer.test:443")
    assert (failure.reason, failure.state) == (reason, state)
    assert "peer.test:443" in failure.detail


def test_a_peer_is_written_as_in_an_address() -> None:
    assert peer_text("peer.test", 443) == "peer.test:443"
    assert peer_text("::1", 443) == "[::1]:443"

"""A conversation with peers that are not Redis, or are no longer: each ends in a clear failure, at a bounded cost."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from redis import exceptions

from monitor.keyvalue import LONGEST_ANSWER, Info, failure_of, number, parse, talk
from monitor.model import Failure, Reason, State
from monitor.network import Resolver, TlsContexts
from tests.peers import hangs_up, resets, says, tcp_peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.keyvalue import Talk as Conversation
    from tests.peers import NameServer, Talk

BOTH_LOOPS = True

WITHIN = timedelta(seconds=20)
ANY = TypeAdapter(list[Any])


@pytest.fixture
async def resolver(names: NameServer) -> AsyncIterator[Resolver]:
    made = Resolver([names.address])
    yield made
    await made.close()


@asynccontextmanager
async def talking(resolver: Resolver, url: str) -> AsyncIterator[tuple[Conversation, list[str]]]:
    """Yield a conversation, and the phases that are noted."""
    phases: list[str] = []

    def note(name: str, value: float, **label: str) -> None:
        assert (name, value >= 0) == ("phase", True)
        phases.append(label["phase"])

    async with asyncio.timeout(WITHIN.total_seconds()):
        async with talk(parse(url), resolver, TlsContexts(), WITHIN, note) as conversation:
            yield conversation, phases


async def failed(resolver: Resolver, peer: Talk, login: str = "") -> Failure:
    async with tcp_peer(peer) as server:
        with pytest.raises(Failure) as caught:
            async with talking(resolver, f"redis://{login}127.0.0.1:{server.port}") as (conversation, _):
                await conversation.need(ANY, ("PING",))
        await asyncio.wait_for(server.quiet.wait(), 20)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


async def test_replies_come_in_the_order_of_the_commands_and_a_refusal_ends_nothing(resolver: Resolver) -> None:
    replies = (
        b"+PONG\r\n-ERR unknown",
        b" command 'X'\r\n:7\r\n$-1\r\n*2\r\n$1\r\na\r\n:1\r\n-NOPERM no\r\n$2\r\nok\r\n",
    )
    async with (
        tcp_peer(says(*replies)) as server,
        talking(resolver, f"redis://127.0.0.1:{server.port}") as (conversation, phases),
    ):
        told = await conversation.ask(*([("X",)] * 7))
    assert [type(told[1]), type(told[5])] == [Failure, Failure]
    assert [told[0], *told[2:5], told[6]] == [b"PONG", 7, None, [b"a", 1], b"ok"]
    assert (told[5].reason, told[5].state) == (Reason.AUTH, State.UNKNOWN)
    assert phases == ["dns", "connect"]


@pytest.mark.parametrize(
    ("peer", "reason", "state"),
    [
        (says(b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n"), Reason.PROTOCOL, State.DOWN),
        (says(b"220 mail.example.com ESMTP\r\n"), Reason.PROTOCOL, State.DOWN),
        (says(b"* OK IMAP4rev1\r\n"), Reason.PROTOCOL, State.DOWN),
        (says(b"$x\r\n"), Reason.PROTOCOL, State.DOWN),
        (says(b":one\r\n"), Reason.PROTOCOL, State.DOWN),
        (says(b"\r\n"), Reason.PROTOCOL, State.DOWN),
        (says(b"*1\r\n" * 5_000), Reason.PROTOCOL, State.DOWN),
        (says(b"+" * 200_000), Reason.PROTOCOL, State.DOWN),
        (says(b"$99999999999\r\n"), Reason.PROTOCOL, State.UNKNOWN),
        (says(b"$%d\r\n" % LONGEST_ANSWER), Reason.PROTOCOL, State.UNKNOWN),
        (says(b"*400000\r\n" + b":1\r\n" * 400_000), Reason.PROTOCOL, State.UNKNOWN),
        (hangs_up, Reason.RESET, State.DOWN),
        (says(b"+PO", close=True), Reason.RESET, State.DOWN),
        (says(b"$9\r\nhalf", close=True), Reason.RESET, State.DOWN),
        (says(b"*2\r\n:1\r\n", close=True), Reason.RESET, State.DOWN),
        (resets(), Reason.RESET, State.DOWN),
        (resets(b"$9\r\nhalf"), Reason.RESET, State.DOWN),
        (says(b"-ERR max number of clients reached\r\n", close=True), Reason.SATURATED, State.DOWN),
        (says(b"-ERR max number of clients + cluster connections reached\r\n"), Reason.SATURATED, State.DOWN),
        (says(b"-DENIED Redis is running in protected mode\r\n", close=True), Reason.AUTH, State.DOWN),
        (says(b"-NOAUTH Authentication required.\r\n"), Reason.AUTH, State.DOWN),
        (says(b"-NOPERM this user has no permissions\r\n"), Reason.AUTH, State.UNKNOWN),
        (says(b"-LOADING Redis is loading the dataset in memory\r\n"), Reason.STARTING, State.DOWN),
        (says(b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"), Reason.SATURATED, State.DOWN),
        (says(b"-MISCONF Redis is configured to save RDB snapshots\r\n"), Reason.SATURATED, State.DOWN),
        (says(b"-BUSY Redis is busy running a script.\r\n"), Reason.SATURATED, State.DOWN),
        (says(b"-MASTERDOWN Link with MASTER is down\r\n"), Reason.UNREACHABLE, State.DOWN),
        (says(b"-CLUSTERDOWN The cluster is down\r\n"), Reason.UNREACHABLE, State.DOWN),
        (says(b"-NOGROUP No such key 'x' or consumer group 'y'\r\n"), Reason.MISSING, State.DOWN),
        (says(b"-WRONGTYPE Operation against a key\r\n"), Reason.UNKNOWN, State.UNKNOWN),
        (says(b"-MOVED 1 127.0.0.1:7000\r\n"), Reason.UNKNOWN, State.UNKNOWN),
    ],
)
async def test_what_a_peer_answers_is_understood(resolver: Resolver, peer: Talk, reason: Reason, state: State) -> None:
    failure = await failed(resolver, peer)
    assert (failure.reason, failure.state) == (reason, state), failure.detail
    assert failure.detail.startswith("Redis at 127.0.0.1:")


async def test_what_does_not_speak_redis_is_not_quoted(resolver: Resolver) -> None:
    failure = await failed(resolver, says(b"HTTP/1.1 200 OK\r\nSet-Cookie: session=hunter2\r\n\r\n"))
    assert failure.detail.endswith("does not speak the protocol of Redis")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"-WRONGPASS invalid username-password pair or user is disabled.\r\n", Reason.AUTH),
        (b"-ERR invalid password\r\n", Reason.AUTH),
        (b"-ERR Client sent AUTH, but no password is set\r\n", Reason.AUTH),
        (b"-ERR max number of clients reached\r\n", Reason.SATURATED),
        (b"HTTP/1.1 400 Bad Request\r\n", Reason.PROTOCOL),
        (b"$-1\r\n", Reason.AUTH),
    ],
)
async def test_a_login_that_is_refused_says_why_and_not_with_what(
    resolver: Resolver, answer: bytes, reason: Reason
) -> None:
    failure = await failed(resolver, says(answer), login="me:hunter2@")
    assert (failure.reason, failure.state) == (reason, State.DOWN)
    assert "hunter2" not in repr(failure.args)


async def test_a_server_before_release_6_knows_only_a_password(resolver: Resolver) -> None:
    replies = b"-ERR wrong number of arguments for 'auth' command\r\n", b"+OK\r\n", b"+OK\r\n", b"+PONG\r\n"
    async with (
        tcp_peer(says(*replies)) as server,
        talking(resolver, f"redis://me:hunter2@127.0.0.1:{server.port}/3") as (conversation, phases),
    ):
        assert await conversation.need(ANY, ("PING",)) == [b"PONG"]
    assert phases == ["dns", "connect", "login"]


async def test_replies_of_another_shape_are_said_to_be_and_not_quoted(resolver: Resolver) -> None:
    async with tcp_peer(says(b"$7\r\nhunter2\r\n", b":1\r\n")) as server:
        with pytest.raises(Failure) as caught:
            async with talking(resolver, f"redis://127.0.0.1:{server.port}") as (conversation, _):
                await conversation.need(TypeAdapter(tuple[int, int]), ("LLEN", "x"), ("XLEN", "x"))
    assert (caught.value.reason, caught.value.state) == (Reason.PROTOCOL, State.DOWN)
    assert caught.value.detail.endswith(" answers LLEN, XLEN in another shape than Redis")


async def test_no_connection_shows_its_password(resolver: Resolver) -> None:
    async with (
        tcp_peer(says(b"+OK\r\n")) as server,
        talking(resolver, f"redis://me:hunter2@127.0.0.1:{server.port}") as (conversation, _),
    ):
        assert "hunter2" not in repr((conversation, vars(conversation)))


async def test_a_bug_of_ours_is_no_finding(resolver: Resolver) -> None:
    """What cannot be sent was never said, so no server is to blame."""
    async with tcp_peer(says(b"+PONG\r\n")) as server:
        with pytest.raises(exceptions.DataError):
            async with talking(resolver, f"redis://127.0.0.1:{server.port}") as (conversation, _):
                await conversation.ask(("GET", {}))  # type: ignore[arg-type]
        await asyncio.wait_for(server.quiet.wait(), 20)


async def test_what_the_caller_raises_comes_as_it_is(resolver: Resolver) -> None:
    async with tcp_peer(says(b"+PONG\r\n")) as server:
        with pytest.raises(ValueError, match="mine"):
            async with talking(resolver, f"redis://127.0.0.1:{server.port}"):
                raise ValueError("mine")
        await asyncio.wait_for(server.quiet.wait(), 20)


async def test_a_name_is_resolved_by_us(names: NameServer, resolver: Resolver) -> None:
    names.has("cache.test", "A", socket.inet_aton("127.0.0.1"))
    async with (
        tcp_peer(says(b"+PONG\r\n")) as server,
        talking(resolver, f"redis://cache.test:{server.port}") as (conversation, _),
    ):
        assert await conversation.need(ANY, ("PING",)) == [b"PONG"]
    assert ("cache.test", "A") in names.asked


def test_every_error_of_the_client_means_something() -> None:
    """A release that adds one gets at least: unknown, with its words."""
    kinds: set[type[Exception]] = {exceptions.RedisError, *_below(exceptions.RedisError)}
    for kind in kinds - {exceptions.DataError}:
        error = kind.__new__(kind, "some words")
        found = failure_of(error, "Redis at cache")
        assert found is not None
        assert found.detail.startswith("Redis at cache")


def _below(kind: type[Exception]) -> set[type[Exception]]:
    return {below for child in kind.__subclasses__() for below in (child, *_below(child))}


def test_info_tells_what_is_there() -> None:
    info = Info(
        "# Server\r\nrole:master\r\nos:Linux 6.1 x\r\npath:a:b\r\n\r\n# Keyspace\r\ndb0:keys=3,expires=0\r\njunk"
    )
    assert (info.word("role"), info.word("path"), info.word("none")) == ("master", "a:b", "")
    assert (info.has("keyspace"), info.has("cluster")) == (True, False)
    assert (info.parts("db0"), info.parts("db1"), info.parts("role")) == ({"keys": "3", "expires": "0"}, {}, {})
    assert list(info.names()) == ["role", "os", "path", "db0"]


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3.0), ("-1.5", -1.5), (b"7", 7.0), ("nan", None), ("inf", None), ("", None), ("3x", None)]
)
def test_a_number_is_one_or_nothing(text: str, value: float | None) -> None:
    assert number(text) == value


@given(st.text())
def test_any_text_can_be_read_as_info(text: str) -> None:
    info = Info(text)
    assert all(isinstance(info.word(name), str) for name in info.names())

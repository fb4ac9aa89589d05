"""What a server says is followed before the driver sees it: garbage and floods break off, and stall nobody."""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.databases import Databases, failure_of, parse
from monitor.databases.framing import LARGEST, Framing, GarbledError
from monitor.model import Failure, Reason, State
from monitor.network import Resolver
from tests.peers import passes_on, tcp_peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.peers import Authority, NameServer, Talk
    from tests.postgres import Cluster

BOTH_LOOPS = True
GARBAGE = b"\0\xff" * 64
ENDLESS = b"\0\0\0\0\4"
"""The shortest message on which the driver alone would turn for ever."""
TOO_LONG = b"D" + struct.pack("!i", LARGEST + 1)
MESSAGES = st.lists(st.tuples(st.sampled_from("RSKZTDC123ntEN"), st.binary(max_size=40)), max_size=8)


def wire(kind: str, body: bytes) -> bytes:
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


@given(MESSAGES, st.lists(st.integers(1, 9), max_size=60))
def test_messages_are_handed_on_as_they_came_however_they_are_cut(
    messages: list[tuple[str, bytes]], sizes: list[int]
) -> None:
    whole = b"".join(wire(*message) for message in messages)
    heard: list[bytes] = []
    framing, at = Framing(heard.append), 0
    for size in (*sizes, len(whole)):
        framing(whole[at : at + size])
        at += size
    assert b"".join(heard) == whole


@given(
    MESSAGES,
    st.sampled_from([GARBAGE, ENDLESS, TOO_LONG, b"HTTP/1.1 400 Bad Request", b"D\0\0\0\3", b"D\xff\xff\xff\xff"]),
)
def test_what_is_no_message_is_never_handed_on(messages: list[tuple[str, bytes]], garbage: bytes) -> None:
    whole = b"".join(wire(*message) for message in messages)
    heard: list[bytes] = []
    framing = Framing(heard.append)
    framing(whole)
    with pytest.raises(GarbledError):
        framing(garbage)
    assert heard == [whole]


def test_a_message_of_the_largest_size_is_taken() -> None:
    Framing(lambda _: None)(b"D" + struct.pack("!i", LARGEST))


async def asked(port: int, names: NameServer, options: str = "", query: str = "SELECT 1") -> object:
    """Return what a query gives at the server on `port`; whoever stalls the loop fails the test by its time."""
    resolver = Resolver([names.address])
    databases = Databases(resolver)
    address = parse(f"postgresql://monitor:pass-of-the-store@127.0.0.1:{port}/postgres{options}")
    try:
        async with asyncio.timeout(20):
            return await databases.read(
                address, lambda connection: connection.fetchval(query), lambda *_, **__: None, timedelta(seconds=20)
            )
    finally:
        databases.close()
        await resolver.close()


def says_after_n(text: bytes) -> Talk:
    """Refuse TLS as a server does, then say `text`."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"N")
        await reader.read(1)
        writer.write(text)

    return talk


def says(text: bytes) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(text)

    return talk


@pytest.mark.parametrize("text", [GARBAGE, ENDLESS, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
@pytest.mark.parametrize(
    ("talk", "options"), [(says, "?sslmode=disable"), (says_after_n, "")], ids=["plain", "TLS refused"]
)
async def test_a_server_of_something_else_is_told_as_such(
    talk: Callable[[bytes], Talk], options: str, text: bytes, names: NameServer
) -> None:
    """A proxy that speaks HTTP on 5432, and what would stall the loop for ever."""
    async with tcp_peer(talk(text)) as peer:
        with pytest.raises(Failure, match="does not speak PostgreSQL's protocol") as caught:
            await asked(peer.port, names, options)
    assert (caught.value.reason, caught.value.state) == (Reason.PROTOCOL, State.DOWN)


def secured(authority: Authority, talk: Talk) -> Talk:
    """Take TLS as a server does, then `talk`."""

    async def secure(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)
        writer.write(b"S")
        with suppress(OSError):
            await writer.start_tls(authority.server("db.test"))
            await talk(reader, writer)

    return secure


async def test_a_server_behind_tls_is_followed_too(authority: Authority, postgres: Cluster, names: NameServer) -> None:
    async with tcp_peer(secured(authority, passes_on(postgres.port))) as peer:
        assert await asked(peer.port, names, "?sslmode=require") == 1
    async with tcp_peer(secured(authority, says(ENDLESS))) as peer:
        with pytest.raises(Failure, match="does not speak PostgreSQL's protocol"):
            await asked(peer.port, names, "?sslmode=require")


async def test_an_answer_beyond_all_sense_is_not_gathered(postgres: Cluster, names: NameServer) -> None:
    """No query of ours gives one; the driver would hold it all."""
    with pytest.raises(Failure, match="sent a row of more than 16 MiB") as caught:
        await asked(postgres.port, names, "?sslmode=disable", "SELECT repeat('x', 20000000)")
    assert caught.value.reason is Reason.PROTOCOL
    assert await asked(postgres.port, names, "?sslmode=disable", "SELECT repeat('x', 10000000)") == "x" * 10_000_000


def test_what_the_server_said_before_it_closed_is_not_lost() -> None:
    error = asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation: too many")
    error.__cause__ = asyncpg.TooManyConnectionsError("too many clients already")
    failure = failure_of(error, "PostgreSQL at db/shop")
    assert failure is not None
    assert (failure.reason, failure.detail) == (Reason.SATURATED, "PostgreSQL at db/shop: too many clients already")


@pytest.mark.parametrize(
    ("error", "reason", "state", "said"),
    [
        (asyncpg.ConnectionDoesNotExistError("gone"), Reason.RESET, State.DOWN, "here: gone"),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
            Reason.PROTOCOL,
            State.UNKNOWN,
            "here sent a text that is not UTF-8",
        ),
        (
            asyncpg.InternalClientError("what?"),
            Reason.PROTOCOL,
            State.DOWN,
            "here does not speak PostgreSQL's protocol",
        ),
        (asyncpg.InFailedSQLTransactionError("aborted"), Reason.UNKNOWN, State.UNKNOWN, "here: aborted"),
        (
            asyncpg.IdleInTransactionSessionTimeoutError("too long"),
            Reason.TIMEOUT,
            State.DOWN,
            "here: too long",
        ),
        (
            asyncpg.CheckViolationError("row (eve)"),
            Reason.UNKNOWN,
            State.UNKNOWN,
            "here: the query failed with SQLSTATE 23514",
        ),
    ],
)
def test_what_errors_mean(error: Exception, reason: Reason, state: State, said: str) -> None:
    failure = failure_of(error, "here")
    assert failure is not None
    assert (failure.reason, failure.state, failure.detail) == (reason, state, said)

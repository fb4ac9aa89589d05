"""What the driver is connected by: sockets to addresses that our own resolver finds, and no byte that would harm it.

The driver (asyncpg 0.32) believes what a message says of its length. A negative one keeps it in a loop for ever, and
with it every check; a huge one makes it gather as much. Whatever stands at the other end, a proxy that speaks HTTP as
well, is therefore held to the form of PostgreSQL's messages before the driver sees it.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import asyncpg

from monitor.databases.refusal import NOT_OURS
from monitor.model import Failure, Reason
from monitor.network import connect
from monitor.units import Unit, show

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable
    from datetime import timedelta

    from monitor.network import Note, Resolver

TYPES = frozenset(b"RKZEDTCISNAt123nsGHWdcvV")
"""How a message of the server begins (PostgreSQL's documentation, Message Formats)."""
HEAD = 5
LONGEST_FIRST = 64 * 1024
"""The first message asks who we are, or is an error."""
LONGEST = 16 * 1024 * 1024
"""A row, most likely: more than any check has use for."""


class Framing:
    """Follows a stream of messages: where one ends, the next begins."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0
        self._longest = LONGEST_FIRST

    def fault(self, data: bytes) -> str:
        """Return what is wrong with the part of the stream that came next, or nothing."""
        at = 0
        while at < len(data):
            if self._left:
                passed = min(self._left, len(data) - at)
                at, self._left = at + passed, self._left - passed
                continue
            missing = HEAD - len(self._head)
            self._head += data[at : at + missing]
            at += missing
            if fault := self._fault():
                return fault
        return ""

    def _fault(self) -> str:
        """Return what is wrong with the head of a message, as far as it came; when it is all there, begin the rest."""
        if self._head[0] not in TYPES:
            return NOT_OURS
        if len(self._head) < HEAD:
            return ""
        length = int.from_bytes(self._head[1:], "big", signed=True)
        if length < HEAD - 1 or self._longest == LONGEST_FIRST < length:
            return NOT_OURS
        if length > self._longest:
            return f"sent more than {show(LONGEST, Unit.BYTES)} in one message, such as a row"
        self._head, self._left, self._longest = b"", length - (HEAD - 1), LONGEST
        return ""


class Answer:
    """Follows the answer to our wish for TLS, which is one letter."""

    def fault(self, data: bytes) -> str:
        """Return what is wrong with the answer, or nothing."""
        return "" if data in (b"S", b"N") else NOT_OURS


class Dialling:
    """The event loop as the driver sees it: it connects to the addresses that our own resolver finds.

    The driver would have the loop's resolver look names up, in threads that no deadline ends. `took` is the time that
    went into connections, in seconds.
    """

    def __init__(self, resolver: Resolver, note: Note, within: timedelta, place: str) -> None:
        self.took = 0.0
        self._loop = asyncio.get_running_loop()
        self._resolver = resolver
        self._note = note
        self._within = within
        self._place = place

    async def create_connection(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[_Transport, asyncio.Protocol]:
        """Connect, and note the phases dns and connect."""
        started = perf_counter()
        connected: socket.socket
        connected, _ = await connect(self._resolver, host, port, self._within, self._note)
        self.took += perf_counter() - started
        transport, guarded = await self._loop.create_connection(
            lambda: _Guarded(factory(), self._place), sock=connected
        )
        return _Transport(transport, self._place), guarded.inner

    async def start_tls(
        self, transport: _Transport, protocol: asyncio.Protocol, context: ssl.SSLContext, *, server_hostname: str
    ) -> _Transport:
        """Shake hands."""
        secure = await self._loop.start_tls(transport.inner, protocol, context, server_hostname=server_hostname)
        if secure is None:
            raise ConnectionResetError
        return _Transport(secure, self._place)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the loop's own
        return getattr(self._loop, name)


class _Transport:
    """A transport as the driver sees it: what takes over what arrives is guarded."""

    def __init__(self, inner: asyncio.Transport, place: str) -> None:
        self.inner = inner
        self._place = place

    def set_protocol(self, protocol: asyncio.Protocol) -> None:
        """Let `protocol`, which knows its transport already, have what arrives from now on."""
        self.inner.set_protocol(_Guarded(protocol, self._place, self.inner))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the transport's own
        return getattr(self.inner, name)


class _Guarded(asyncio.Protocol):
    """Stands before a protocol of the driver, and breaks off what is not PostgreSQL's."""

    def __init__(self, inner: asyncio.Protocol, place: str, transport: asyncio.Transport | None = None) -> None:
        self.inner = inner
        self._place = place
        self._transport = transport
        self._following = Framing() if isinstance(inner, asyncpg.protocol.Protocol) else Answer()
        self._broken: Failure | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self._broken is None and (fault := self._following.fault(data)):
            self._broken = Failure(Reason.PROTOCOL, f"{self._place} {fault}")
            cast("asyncio.Transport", self._transport).abort()
        if self._broken is None:
            self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self.inner.eof_received()

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self.inner.connection_lost(self._broken or error)

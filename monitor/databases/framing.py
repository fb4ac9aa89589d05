"""The messages of a server, followed by their lengths before the driver sees them.

The driver (asyncpg 0.32) never takes a message of the type 0 out of its buffer, and looks for the next one for ever:
that one byte would stall the whole daemon. And it gathers messages of any size. So what is no message, or one larger
than any query of ours has for an answer, breaks the connection off.
"""

from __future__ import annotations

import string
import struct
from typing import TYPE_CHECKING, Any, TypeVar

from asyncpg.protocol import Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

T = TypeVar("T")

HEAD = struct.Struct("!BI")
"""A type of one byte, and a length of four that counts itself."""
KINDS = frozenset(f"{string.digits}{string.ascii_letters}".encode())
ROW = ord("D")
LEAST = 4
LARGEST = 16 * 2**20


FOREIGN = "does not speak PostgreSQL's protocol"
FLOODS = f"sent a row of more than {LARGEST // 2**20} MiB"


class GarbledError(ConnectionError):
    """What came is not PostgreSQL's protocol, or too much; says what the server did."""


class Framing:
    """Follows where messages begin, and hands on to `receive` what it was given."""

    def __init__(self, receive: Callable[[bytes], None]) -> None:
        self._receive = receive
        self._head = b""
        self._left = 0

    def __call__(self, data: bytes) -> None:
        """Take the next bytes; raises `GarbledError`."""
        text = self._head + data if self._head else data
        at = self._left
        while at + HEAD.size <= len(text):
            kind, size = HEAD.unpack_from(text, at)
            if kind not in KINDS or not LEAST <= size <= LARGEST:
                raise GarbledError(FLOODS if kind == ROW and size > LARGEST else FOREIGN)
            at += 1 + size
        self._head, self._left = text[at:], max(at - len(text), 0)
        self._receive(data)


class Framed:
    """A transport whose protocol, whenever that is set, is followed."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Set who receives what comes."""
        self.transport.set_protocol(framed(protocol))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the transport's own
        return getattr(self.transport, name)


def framed(protocol: T) -> T:
    """Return `protocol`, the driver's, followed from now on; another one as it is."""
    if isinstance(protocol, Protocol):
        protocol.data_received = Framing(protocol.data_received)  # its loop looks it up there
    return protocol

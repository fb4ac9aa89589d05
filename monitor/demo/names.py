"""A name server for one name, which answers what the demo's world says. The format is that of RFC 1035, section 4."""

from __future__ import annotations

import asyncio
import struct
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = struct.Struct("!6H")
TYPE_AND_CLASS = struct.Struct("!2H")
RECORD = struct.Struct("!3HIH")
ANSWERED, NO_SUCH_NAME = 0x8580, 0x8583
"""The flags of an answer by a server that should know."""
POINTER = 0xC00C
"""The name that was asked for, as a record refers to it: where the question stands."""
A, IN = 1, 1
SECONDS = 0
"""How long an answer may be remembered: not at all."""


def answer(data: bytes, name: str, address: str) -> bytes:
    """Return the answer to a question, where `name` is the only name and `address` its only record.

    What is no question has no answer: it is empty.
    """
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    question = data[HEADER.size : HEADER.size + len(labels) + TYPE_AND_CLASS.size]
    if len(data) < HEADER.size + TYPE_AND_CLASS.size:
        return b""
    number = HEADER.unpack_from(data)[0]
    if question[: len(labels)].lower() != labels or len(question) < len(labels) + TYPE_AND_CLASS.size:
        return HEADER.pack(number, NO_SUCH_NAME, 0, 0, 0, 0)
    records = b""
    if TYPE_AND_CLASS.unpack_from(question, len(labels)) == (A, IN):
        records = RECORD.pack(POINTER, A, IN, SECONDS, 4) + IPv4Address(address).packed
    return HEADER.pack(number, ANSWERED, 1, int(bool(records)), 0, 0) + question + records


class Names(asyncio.DatagramProtocol):
    """Answers over UDP."""

    def __init__(self, name: str, address: Callable[[], str]) -> None:
        """Make one that knows `name`, and its `address` of the moment."""
        self._name = name
        self._address = address

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what answers are sent by."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """Answer one question."""
        if said := answer(data, self._name, self._address()):
            self._transport.sendto(said, addr)

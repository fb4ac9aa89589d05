"""A short conversation with a server: connect, log in, ask, hang up. No connection outlives the run that made it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from pydantic import ValidationError
from redis import exceptions
from redis._parsers import _AsyncRESP2Parser  # hiredis, where it is installed, would be taken for the default one
from redis.asyncio.connection import AbstractConnection

from monitor.keyvalue.refusal import failure_of
from monitor.model import Failure, Reason, State
from monitor.network import connect, conversation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from datetime import timedelta

    from pydantic import TypeAdapter

    from monitor.keyvalue.address import Address
    from monitor.network import Note, Resolver, TlsContexts

T = TypeVar("T")

LONGEST_ANSWER = 1 << 18
"""How many bytes are read in one conversation: what a server tells of itself takes six thousand, a thousand ids of jobs
forty thousand. As many of nothing but small numbers keep the loop busy for a tenth of a second."""

REFUSED = (exceptions.ResponseError, exceptions.AuthenticationError, exceptions.BusyLoadingError)
"""Errors that are the reply to one command, and end nothing."""

Command: TypeAlias = tuple[str | bytes | int | float, ...]
Reply: TypeAlias = Any
"""What a command is answered with: bytes, a whole number, a list of replies, or None where there is nothing."""


class Talk:
    """What can be asked in a conversation with the server at `place`."""

    def __init__(self, line: _Line, place: str) -> None:
        self._line = line
        self._place = place

    async def ask(self, *commands: Command) -> list[Reply]:
        """Send `commands` together and return their replies in order; for one that is refused, a `Failure`.

        Raises `Failure` when the conversation cannot go on.
        """
        with _understood(self._place):
            await self._send(commands)
            return [await self._reply() for _ in commands]

    async def need(self, shape: TypeAdapter[T], *commands: Command) -> T:
        """Send `commands` together and return their replies in order, as what `shape` makes of the list of them.

        Raises `Failure`: that of the first command which is refused, or protocol for replies of another shape. After
        that the conversation cannot go on.
        """
        replies = []
        with _understood(self._place):
            await self._send(commands)
            for _ in commands:
                reply = await self._reply()
                if isinstance(reply, Failure):
                    raise reply
                replies.append(reply)
        try:
            return shape.validate_python(replies)
        except ValidationError:
            asked = ", ".join(sorted({str(command[0]) for command in commands}))
            raise Failure(Reason.PROTOCOL, f"{self._place} answers {asked} in another shape than Redis") from None

    async def _send(self, commands: Sequence[Command]) -> None:
        await self._line.send_packed_command(self._line.pack_commands(commands), check_health=False)

    async def _reply(self) -> Reply:
        try:
            return await self._line.read_response(disconnect_on_error=False)
        except REFUSED as error:
            return failure_of(error, self._place)


class _Line(AbstractConnection):
    """The client's connection on streams that are open already: its commands, its parser and its login."""

    def __init__(self, address: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(
            db=address.database,
            username=address.user or None,
            password=address.password or None,
            lib_name=None,
            lib_version=None,
            parser_class=_AsyncRESP2Parser,
        )
        self._streams = cast("asyncio.StreamReader", _Measured(reader, address.shown)), writer

    async def _connect(self) -> None:
        self._reader, self._writer = self._streams

    async def disconnect(self, nowait: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - as the client has it
        """Forget the streams; they are closed by whoever opened them, without waiting for the other side."""
        await super().disconnect(nowait=True)

    def repr_pieces(self) -> list[tuple[str, str]]:
        return []

    def _host_error(self) -> str:
        return ""


class _Measured:
    """As much of a stream as the client's parser uses, up to `LONGEST_ANSWER` bytes."""

    def __init__(self, reader: asyncio.StreamReader, place: str) -> None:
        self._reader = reader
        self._place = place
        self._left = LONGEST_ANSWER

    async def readline(self) -> bytes:
        line = await self._reader.readline()
        self._take(len(line))
        return line

    async def readexactly(self, count: int) -> bytes:
        self._take(count)
        return await self._reader.readexactly(count)

    def _take(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise Failure(Reason.PROTOCOL, f"{self._place} answers with more than is read of it", State.UNKNOWN)


@asynccontextmanager
async def talk(
    address: Address, resolver: Resolver, contexts: TlsContexts, within: timedelta, note: Note
) -> AsyncIterator[Talk]:
    """Connect to the server at `address` and log in; closed at once on leaving.

    `within` is the caller's deadline, which only the caller keeps. The phases dns, connect, tls and login are noted,
    the last two where there is such a thing. Raises `Failure`.
    """
    async with AsyncExitStack() as stack:
        with _understood(address.shown):
            tls = address.tls and contexts.get(**address.tls._asdict())
            connected = await _connected(address, resolver, within, note)
            started = perf_counter()
            reader, writer = await stack.enter_async_context(conversation(connected, tls, address.host))
            if tls:
                note("phase", perf_counter() - started, phase="tls")
            line = _Line(address, reader, writer)
            stack.push_async_callback(line.disconnect)
            started = perf_counter()
            await line.connect()  # type: ignore[no-untyped-call]
            if address.logs_in:
                note("phase", perf_counter() - started, phase="login")
        yield Talk(line, address.shown)


async def _connected(address: Address, resolver: Resolver, within: timedelta, note: Note) -> socket.socket:
    if address.port:
        return (await connect(resolver, address.host, address.port, within, note))[0]
    started = perf_counter()
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(0)
    try:
        await asyncio.get_running_loop().sock_connect(made, address.host)
    except BaseException as error:
        made.close()
        if isinstance(error, FileNotFoundError):
            raise Failure(Reason.MISSING, f"{address.shown}: there is no such socket") from None
        raise
    note("phase", perf_counter() - started, phase="connect")
    return made


@contextmanager
def _understood(place: str) -> Iterator[None]:
    """Turn an error within into the `Failure` that it means at `place`."""
    try:
        yield
    except Exception as error:
        failure = failure_of(error, place)
        if failure is None:
            raise
        raise failure from None

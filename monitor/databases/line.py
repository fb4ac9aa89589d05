"""The one connection to a database: made when it is needed, kept between runs, read only.

What a run does is one transaction with limits on the server's side too, and nothing outlives it, so that PgBouncer may
stand between.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

import asyncpg

from monitor.databases.breaking_off import breakable
from monitor.databases.framing import Framed, framed
from monitor.databases.refusal import failure_of
from monitor.network import connect

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

    from monitor.databases.address import Address
    from monitor.network import Note, Resolver

T = TypeVar("T")
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

CLOSING = timedelta(seconds=1)
LOCK_TIMEOUT = timedelta(seconds=1)
SHARE = 0.9
"""Of our own deadline, what a statement is given by the server: it then ends before us, and spares the connection."""
LOST = (asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, OSError)
"""How a connection that was kept shows that the server, or what stands between, has forgotten it."""


class Line:
    """A database and the connection to it. `idle`: how long that is kept unused."""

    def __init__(self, address: Address, resolver: Resolver, idle: timedelta) -> None:
        self._address = address
        self._resolver = resolver
        self._idle = idle
        self._turn = asyncio.Lock()
        self._kept: Connection | None = None
        self._expiry: asyncio.TimerHandle | None = None

    async def read(
        self, work: Callable[[Connection], Awaitable[T]], note: Note, within: timedelta, *, keep: bool = True
    ) -> T:
        """Run `work` in a transaction when it is its turn; see `Databases.read`."""
        held: list[Connection] = []
        async with self._turn:
            try:
                return await breakable(self._transact(work, note, within, held, keep=keep), held)
            except Exception as error:
                failure = failure_of(error, self._address.shown)
                if failure is None:
                    raise
                raise failure from None

    def hang_up(self) -> None:
        """Close the connection at once."""
        if self._expiry is not None:
            self._expiry.cancel()
        if self._kept is not None:
            self._kept.terminate()
        self._kept = self._expiry = None

    async def _transact(
        self,
        work: Callable[[Connection], Awaitable[T]],
        note: Note,
        within: timedelta,
        held: list[Connection],
        *,
        keep: bool,
    ) -> T:
        if not keep:
            self.hang_up()
        connection = await self._begun(note, within, held)
        started = perf_counter()
        try:
            result = await work(connection)
            note("phase", perf_counter() - started, phase="query")
        finally:
            await self._end(connection, keep=keep)
        return result

    async def _begun(self, note: Note, within: timedelta, held: list[Connection]) -> Connection:
        """Return a connection on which a transaction has begun: the kept one, or where that is dead, a new one."""
        opening = _opening(within)
        kept = self._take()
        if kept is not None:
            held.append(kept)
            try:
                # Half the time, so that one which something between us dropped in silence costs no outage.
                async with asyncio.timeout(within.total_seconds() / 2):
                    await kept.execute(opening)
            except (*LOST, TimeoutError):
                kept.terminate()
                held.remove(kept)
            else:
                return kept
        connection = await self._connect(note, within)
        held.append(connection)
        await connection.execute(opening)
        return connection

    def _take(self) -> Connection | None:
        """Return the kept connection, which is no longer kept then."""
        if self._expiry is not None:
            self._expiry.cancel()
        kept, self._kept, self._expiry = self._kept, None, None
        return None if kept is None or kept.is_closed() else kept

    async def _end(self, connection: Connection, *, keep: bool) -> None:
        """End the transaction, and keep the connection, or close it."""
        try:
            await connection.execute("ROLLBACK")
            if not keep:
                await connection.close(timeout=CLOSING.total_seconds())
        except (*LOST, asyncpg.PostgresError, TimeoutError):
            connection.terminate()
        if not connection.is_closed():
            self._kept = connection
            self._expiry = asyncio.get_running_loop().call_later(self._idle.total_seconds(), self.hang_up)

    async def _connect(self, note: Note, within: timedelta) -> Connection:
        """Connect; our resolver finds the address, and the phases dns, connect and login are noted."""
        dialling = _Dialling(self._resolver, note, within)
        started = perf_counter()
        connection: Connection = await asyncpg.connect(
            **self._address.options,
            statement_cache_size=0,
            timeout=None,
            loop=cast("asyncio.AbstractEventLoop", dialling),
        )
        note("phase", perf_counter() - started - dialling.took, phase="login")
        return connection


class _Dialling:
    """The event loop as the driver sees it: it connects to the addresses that our own resolver finds.

    The driver would have the loop's resolver look names up, in threads that no deadline ends.
    """

    def __init__(self, resolver: Resolver, note: Note, within: timedelta) -> None:
        self._loop = asyncio.get_running_loop()
        self._resolver = resolver
        self._note = note
        self._within = within
        self.took = 0.0

    async def create_connection(self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int) -> Any:  # noqa: ANN401 - a transport and whatever the factory makes
        started = perf_counter()
        connected: socket.socket
        connected, _ = await connect(self._resolver, host, port, self._within, self._note)
        self.took += perf_counter() - started
        transport, protocol = await self._loop.create_connection(lambda: framed(factory()), sock=connected)
        return Framed(transport), protocol

    async def start_tls(self, transport: Framed, *arguments: Any, **options: Any) -> Framed | None:  # noqa: ANN401 - the loop's own
        secured = await self._loop.start_tls(transport.transport, *arguments, **options)
        return Framed(secured) if secured else None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the loop's own
        return getattr(self._loop, name)


def _opening(within: timedelta) -> str:
    """Return what begins a transaction that cannot write and cannot last, in one message."""
    limit = round(within.total_seconds() * SHARE * 1_000)
    return (
        f"BEGIN READ ONLY; SET LOCAL statement_timeout = {limit};"
        f" SET LOCAL idle_in_transaction_session_timeout = {limit};"
        f" SET LOCAL lock_timeout = {min(limit, LOCK_TIMEOUT // timedelta(milliseconds=1))}"
    )

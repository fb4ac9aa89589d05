"""The store's home in a PostgreSQL database.

At most three connections: one writes, one reads beside it, one is for whoever needs a word apart. Nothing outlives a
transaction on any of them: statements are unnamed, settings are local, locks are of the transaction. So PgBouncer may
stand between in transaction mode. Work that is late is broken off by closing its connection, without asking a server
that may be silent to cancel it; the server's own limits end what it was doing there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from sqlalchemy import event, exc, text
from sqlalchemy.ext.asyncio import create_async_engine

from monitor.databases import AddressError, parse
from monitor.databases.breaking_off import breakable
from monitor.store import schema
from monitor.store.base import StoreUnavailable, StoreUnusable
from monitor.store.migrations import found_version, migrate, require_readable
from monitor.store.refusal import FOREIGN, meaning
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg
    from sqlalchemy import Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.ext.asyncio import AsyncConnection

    from monitor.databases import Address
    from monitor.store.database import Work

T = TypeVar("T")

WRITE_DEADLINE = timedelta(seconds=2)
ROWS_A_DEADLINE = 5_000
READ_DEADLINE = timedelta(seconds=10)
MIGRATION_DEADLINE = timedelta(seconds=60)
CLOSE_DEADLINE = timedelta(seconds=2)
CONNECTIONS = 3
RENEWED_AFTER = timedelta(minutes=5)
"""How old a connection becomes: what stands between may forget an idle one without telling us."""

MIGRATION_LOCK = 0x52424D4E
"""`RBMN`: two instances that start together migrate one after the other."""

COUNTED_PAGES = 1_000
PAGE_SIZE = 8_192
TOTAL = "SELECT pg_total_relation_size(CAST(:name AS regclass))"
PAGES = f"SELECT pg_relation_size(CAST(:name AS regclass)) / {PAGE_SIZE}"
LIVING = (  # MAXALIGN and a line pointer for each row
    "SELECT coalesce(sum(pg_column_size(samples.*) / 8 * 8 + 12), 0)"
    " FROM samples TABLESAMPLE SYSTEM ({percent}) REPEATABLE (1)"
)

ENCODINGS = ("UTF8", "SQL_ASCII")


async def open_postgres(url: str, *, reading: bool = False) -> PostgresDatabase:
    """Open the store at `url`, or make it; its schema is up to date then. With `reading`, nothing is made or changed.

    Raises `StoreUnusable`, with everything left as it is, when something else is there, when its schema is of a newer
    release, or when we are not let in; raises `StoreUnavailable` when it cannot be reached now.
    """
    try:
        database = PostgresDatabase(parse(url))
    except AddressError as error:
        raise StoreUnusable(str(error)) from None
    try:
        await (database.look() if reading else database.prepare())
    except BaseException:
        await database.close()
        raise
    return database


class PostgresDatabase:
    """A `Database` on a server.

    `found` is the number of the schema that it had when it was opened, 0: none.
    """

    def __init__(self, address: Address) -> None:
        """Use the database at `address`; connect when that is needed."""
        self.found = 0
        self._name = address.shown
        self._turn = asyncio.Semaphore(1)
        self._reads = asyncio.Semaphore(1)
        self._apart = asyncio.Semaphore(1)
        self._opened = False
        self._closed = False
        self._drivers: WeakSet[asyncpg.Connection[Any]] = WeakSet()
        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            isolation_level="AUTOCOMMIT",  # transactions begin and end here, not in SQLAlchemy
            skip_autocommit_rollback=True,
            hide_parameters=True,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_recycle=int(RENEWED_AFTER.total_seconds()),
            connect_args={**address.options, "statement_cache_size": 0, "prepared_statement_cache_size": 0},
        )
        self.dialect = self._engine.dialect
        event.listen(self._engine.sync_engine, "connect", self._note)
        event.listen(self._engine.sync_engine, "checkout", _refuse_closed)

    async def prepare(self) -> None:
        """Bring the schema up to date; see `open_postgres`."""
        self.found = await self.read(lambda connection: connection.run_sync(_recognise))
        if self.found != schema.CURRENT:
            opening = begin(MIGRATION_DEADLINE, MIGRATION_DEADLINE)
            self.found = await self._in_time(MIGRATION_DEADLINE, self._turn, opening, _migrate)
        self._opened = True

    async def look(self) -> None:
        """See that the schema can be read as it is; see `open_postgres`."""
        self.found = await self.read(lambda connection: connection.run_sync(require_readable))
        self._opened = True

    async def write(self, work: Work[T], rows: int = 0) -> T:
        """Run `work` as one transaction, the only one at a time, and return its result once it is durable."""
        deadline = WRITE_DEADLINE * (1 + rows // ROWS_A_DEADLINE)
        return await self._in_time(deadline, self._turn, begin(deadline), work)

    async def apart(self, work: Work[T]) -> T:
        """Run `work` as one transaction beside that of `write`, not waiting for others' turns."""
        return await self._in_time(WRITE_DEADLINE, self._apart, begin(WRITE_DEADLINE), work)

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, beside whatever is being written; each statement sees one state."""
        return await self._in_time(READ_DEADLINE, self._reads, begin(READ_DEADLINE, mode=" READ ONLY"), work)

    async def many(self, connection: AsyncConnection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a compiled `statement` for each of `rows`: all are sent before the first answer is read."""
        await _driver(connection).executemany(statement, rows)

    async def once(self, statement: str, row: tuple[Any, ...]) -> None:
        """Run a compiled `statement` as a transaction of its own, beside whoever writes."""
        await self.apart(lambda connection: self.many(connection, statement, [row]))

    async def used(self) -> int:
        """Return the bytes that our tables take up, without what they can use again.

        Deleting gives a table no smaller file, so what lives in `samples` is counted, on some of its pages, always the
        same: within some percent where it is large, and exact where it is small. (Partitions that are dropped would be
        exact, but have to be made in advance for every moment that a late sample may come from.)
        """
        return await self.read(_used)

    async def shrink(self) -> None:
        """Do nothing: autovacuum lets new rows have the room of deleted ones, and a table seldom gives any back."""

    async def close(self) -> None:
        """Close, within 2 s even when the server is silent; harmless when called twice."""
        if self._closed:
            return
        self._closed = True
        with suppress(TimeoutError, *FOREIGN):
            async with asyncio.timeout(CLOSE_DEADLINE.total_seconds()), self._turn, self._reads, self._apart:
                await self._engine.dispose()
        for driver in list(self._drivers):
            driver.terminate()

    async def _in_time(self, deadline: timedelta, turn: asyncio.Semaphore, opening: str, work: Work[T]) -> T:
        """Run `work` as a transaction when it is its `turn`, and return its result if that comes in time."""
        try:
            async with asyncio.timeout(deadline.total_seconds()), turn:
                self._require_open()
                held: list[asyncpg.Connection[Any]] = []
                return await breakable(self._transact(opening, work, held), held)
        except TimeoutError as error:
            msg = f"{self._name} did not answer within {show_duration(deadline.total_seconds())}"
            raise StoreUnavailable(msg) from error
        except FOREIGN as error:
            told = meaning(error, self._name, opened=self._opened)
            if told is None:
                raise
            raise told from error

    async def _transact(self, opening: str, work: Work[T], held: list[asyncpg.Connection[Any]]) -> T:
        async with self._engine.connect() as connection:
            driver = _driver(connection)
            held.append(driver)
            try:
                await driver.execute(opening)
                result = await work(connection)
                await self._commit(driver)
            except BaseException:
                await _undo(connection)
                raise
            return result

    async def _commit(self, driver: asyncpg.Connection[Any]) -> None:
        """Commit; what failed before and was passed over makes PostgreSQL roll back without calling that an error."""
        if await driver.execute("COMMIT") != "COMMIT":
            msg = f"{self._name} rolled back"
            raise StoreUnavailable(msg)

    def _require_open(self) -> None:
        if self._closed:
            msg = f"{self._name} was closed"
            raise StoreUnavailable(msg)

    def _note(self, connection: DBAPIConnection, _: object) -> None:
        self._drivers.add(connection.driver_connection)


def begin(statements: timedelta, locks: timedelta = timedelta(milliseconds=1_500), mode: str = "") -> str:
    """Return what begins a transaction and limits it on the server's side too, in one message.

    A statement ends a little before our own deadline, which spares its connection. The limits also hold when we stand
    still or are gone: nobody else then waits for our locks for longer.
    """
    limit = statements * 9 // 10 // timedelta(milliseconds=1)
    return (
        f"BEGIN{mode}; SET LOCAL statement_timeout = {limit}; SET LOCAL idle_in_transaction_session_timeout = {limit};"
        f" SET LOCAL lock_timeout = {locks // timedelta(milliseconds=1)}; SET LOCAL synchronous_commit = on"
    )


def _recognise(connection: Connection) -> int:
    """Return the number of the schema that is there; raises `StoreUnusable` when it cannot be, or is not, ours."""
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding not in ENCODINGS:
        msg = f"the database keeps its text as {encoding}, which cannot hold all characters; make one with UTF8"
        raise StoreUnusable(msg)
    return found_version(connection)


async def _used(connection: AsyncConnection) -> int:
    sizes = {name: await _scalar(connection, TOTAL, name) for name in schema.metadata.tables}
    pages = await _scalar(connection, PAGES, schema.samples.name)
    if pages:
        share = min(COUNTED_PAGES / pages, 1)
        living = await _scalar(connection, LIVING.format(percent=100 * share)) / share
        sizes[schema.samples.name] *= min(living / (pages * PAGE_SIZE), 1)
    return round(sum(sizes.values()))


async def _scalar(connection: AsyncConnection, query: str, name: str = "") -> float:
    return float((await connection.execute(text(query), {"name": name} if name else {})).scalar_one())


async def _migrate(connection: AsyncConnection) -> int:
    await connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
    return await connection.run_sync(migrate)


def _refuse_closed(connection: DBAPIConnection, *_: object) -> None:
    """Let the pool connect anew instead of handing out what the server has closed."""
    if connection.driver_connection.is_closed():
        raise exc.DisconnectionError


def _driver(connection: AsyncConnection) -> asyncpg.Connection[Any]:
    """Return what SQLAlchemy stands on."""
    driver: asyncpg.Connection[Any] = connection.sync_connection.connection.driver_connection  # type: ignore[union-attr]
    return driver


async def _undo(connection: AsyncConnection) -> None:
    """Leave nothing half done: roll back, or close the connection, which does the same."""
    if connection.invalidated:
        return
    driver = _driver(connection)
    try:
        await driver.execute("ROLLBACK")
    except FOREIGN:
        driver.terminate()
        await connection.invalidate()

"""The store's home in an SQLite file.

One connection writes, in its own thread (aiosqlite), and others read beside it (WAL). A commit is durable when it
returns (`synchronous=FULL`). Work that was begun is never broken off: when it is late, whoever waits is told so, and
the next one waits for its turn. So a disk that hangs costs one thread, and changes arrive in their order even after it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import structlog
from sqlalchemy import URL, event, exc
from sqlalchemy.ext.asyncio import create_async_engine

from monitor.store.base import StoreUnavailable, StoreUnusable
from monitor.store.connection import KEEPS_CONNECTION, FileGone, OwnFile, cause, code, may_pass
from monitor.store.migrations import migrate, require_readable
from monitor.store.recognise import APPLICATION_ID, recognise
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from pathlib import Path

    import aiosqlite
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.ext.asyncio import AsyncConnection

    from monitor.store.database import Work

log = structlog.get_logger()

T = TypeVar("T")

WRITE_DEADLINE = timedelta(seconds=2)
ROWS_A_DEADLINE = 5_000
READ_DEADLINE = timedelta(seconds=10)
CLOSE_DEADLINE = timedelta(seconds=2)
READERS = 2
SHRINK_STEP = 256
"""Pages given back in one transaction: 1 MB."""

_PRAGMAS: Mapping[str, str | int] = {
    "busy_timeout": 1_500,  # ms: less than the deadline, so that the answer is `locked` and not `late`
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "foreign_keys": "ON",
    "journal_size_limit": 64 * 1024**2,
    "cache_size": -8_192,  # KiB
}
_READING: Mapping[str, str | int] = {name: _PRAGMAS[name] for name in ("busy_timeout", "cache_size")} | {
    "query_only": "ON"
}


async def open_sqlite(path: Path) -> SqliteDatabase:
    """Open the store at `path`, or make it; its schema is up to date then.

    Raises `StoreUnusable`, with the file untouched, when something else is there or it cannot be used, and
    `StoreUnavailable` when it is locked or the disk is full.
    """
    try:
        async with asyncio.timeout(READ_DEADLINE.total_seconds()):
            identity = await asyncio.to_thread(_prepare, path)
    except TimeoutError as error:
        raise StoreUnavailable(
            f"{path} did not answer within {show_duration(READ_DEADLINE.total_seconds())}"
        ) from error
    database = SqliteDatabase(path, identity)
    try:
        database.found = await database.write(lambda connection: connection.run_sync(migrate))
    except BaseException:
        await database.close()
        raise
    return database


async def read_sqlite(path: Path) -> SqliteDatabase:
    """Open the store at `path` for reading, also while the daemon writes: it is neither made nor changed.

    Raises `StoreUnusable` when there is none, or none that this release can read, and `StoreUnavailable` when it is
    locked or damaged.
    """
    uri, identity = await asyncio.to_thread(_find, path)
    return await _looked_at(SqliteDatabase(path, identity, uri, _READING))


async def visit_sqlite(path: Path) -> SqliteDatabase:
    """Open the store at `path` to read it and to ask for something, also while the daemon writes; as `read_sqlite`."""
    await asyncio.to_thread(_find, path)
    await asyncio.to_thread(recognise, path)
    return await _looked_at(SqliteDatabase(path, await asyncio.to_thread(path.stat)))


async def _looked_at(database: SqliteDatabase) -> SqliteDatabase:
    try:
        database.found = await database.read(lambda connection: connection.run_sync(require_readable))
    except BaseException:
        await database.close()
        raise
    return database


def _find(path: Path) -> tuple[dict[str, str], os.stat_result]:
    """Return how the file is opened for reading, and what tells it from others. All of it is blocking work.

    Where we may not write, nobody's log can be followed; but where there is none, the file alone is all there is.
    """
    if not recognise(path, reading=True):
        raise StoreUnusable(f"there is no store at {path}")
    alone = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    return {"mode": "ro"} | ({"immutable": "1"} if alone else {}), path.stat()


def _prepare(path: Path) -> os.stat_result:
    """Make the file if there is none, and return what tells it from others. All of it is blocking work."""
    if not recognise(path):
        try:
            _make(path)
        except sqlite3.Error as error:
            if not recognise(path):  # another process may have been quicker
                msg = f"{path} cannot be made: {error}"
                raise StoreUnavailable(msg) from error
    return path.stat()


def _make(path: Path) -> None:
    """Make an empty file of ours, in one transaction, so that no crash leaves one that we would not recognise."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("COMMIT")


class SqliteDatabase:
    """A `Database` in a file. `found` is the number of the schema that it had when it was opened, 0: none."""

    def __init__(
        self,
        path: Path,
        identity: os.stat_result,
        how: Mapping[str, str] = MappingProxyType({"mode": "rw"}),
        pragmas: Mapping[str, str | int] = _PRAGMAS,
    ) -> None:
        """Use the file at `path`, which has our header and that `identity` tells from others; open it when needed.

        `how` are parameters of its URI, `pragmas` are set on each connection.
        """
        self.found = 0
        self._path = path
        self._identity = identity
        self._turn = asyncio.Semaphore()
        self._reads = asyncio.Semaphore(READERS)
        self._begun: set[asyncio.Task[Any]] = set()
        self._writer: AsyncConnection | None = None
        self._closed = False
        self._engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=f"file:{quote(str(path))}", query={**how, "uri": "true"}),
            isolation_level="AUTOCOMMIT",  # transactions begin and end here, not in SQLAlchemy
            skip_autocommit_rollback=True,
            pool_size=1 + READERS,
            max_overflow=0,
            connect_args={"isolation_level": None, "factory": self._connect},
        )
        self.dialect = self._engine.dialect
        event.listen(self._engine.sync_engine, "connect", partial(_set_up, pragmas))

    async def write(self, work: Work[T], rows: int = 0) -> T:
        """Run `work` as one transaction, the only one at a time, and return its result once it is durable."""
        deadline = WRITE_DEADLINE * (1 + rows // ROWS_A_DEADLINE)
        return await self._in_time(deadline, self._turn, partial(self._transact, work))

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, beside whatever is being written; each statement sees one state."""
        return await self._in_time(READ_DEADLINE, self._reads, partial(self._look, work))

    async def many(self, connection: AsyncConnection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a compiled `statement` for each of `rows`: past SQLAlchemy, whose cursors cost turns of the thread."""
        await _driver(connection).executemany(statement, rows)

    async def once(self, statement: str, row: tuple[Any, ...]) -> None:
        """Run a compiled `statement` as a transaction of its own, beside whoever writes.

        It is one step of SQLite's, so that we hold its lock, which others wait for, for no longer than the disk takes:
        no pause of ours lies within.
        """
        await self._in_time(WRITE_DEADLINE, self._turn, partial(self._at_once, statement, row))

    async def used(self) -> int:
        """Return the bytes that the file takes up, without its free pages."""
        return await self.read(_used)

    async def shrink(self) -> None:
        """Give free pages back to the disk while they are more than a fifth of the file; a few are always kept."""
        while await self.write(_give_back):
            continue

    async def close(self) -> None:
        """Close, within 4 s even when the disk hangs; harmless when called twice."""
        if self._closed:
            return
        self._closed = True
        if self._begun and (await asyncio.wait(self._begun, timeout=CLOSE_DEADLINE.total_seconds()))[1]:
            log.error("store_not_closed", path=str(self._path), why="it does not answer")
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_DEADLINE.total_seconds()):
                await self._drop_connections()

    async def _in_time(
        self, deadline: timedelta, turn: asyncio.Semaphore, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> T:
        """Begin `work` when it is its `turn`, and return its result if it comes before the `deadline`."""
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                await turn.acquire()
                task = asyncio.create_task(work())
                self._begun.add(task)
                task.add_done_callback(partial(self._ended, turn))
                return await asyncio.shield(task)
        except TimeoutError as error:
            msg = f"{self._path} did not answer within {show_duration(deadline.total_seconds())}"
            raise StoreUnavailable(msg) from error
        except (exc.DBAPIError, sqlite3.Error) as error:
            found = cause(error)
            if not may_pass(found):
                raise
            msg = f"{self._path}: {found}"
            raise StoreUnavailable(msg) from error

    def _ended(self, turn: asyncio.Semaphore, task: asyncio.Task[Any]) -> None:
        self._begun.discard(task)
        turn.release()
        if not task.cancelled():
            task.exception()  # Asked for, because nobody may be waiting for it any more.

    async def _transact(self, work: Work[T]) -> T:
        connection = await self._writing()
        driver = _driver(connection)
        try:
            await driver.execute("BEGIN IMMEDIATE")
            result = await work(connection)
            await driver.commit()
        except BaseException as error:
            await self._undo(driver, error)
            raise
        return result

    async def _at_once(self, statement: str, row: tuple[Any, ...]) -> None:
        driver = _driver(await self._writing())
        try:
            await driver.execute(statement, row)
            await driver.commit()  # nothing is open any more: it only looks whether the file is still there
        except BaseException as error:
            await self._undo(driver, error)
            raise

    async def _undo(self, driver: aiosqlite.Connection, error: BaseException) -> None:
        """Leave nothing half done, and no connection that saw its file go or its disk fail."""
        try:
            await driver.rollback()
        finally:
            found = cause(error)
            if may_pass(found) and code(found) not in KEEPS_CONNECTION:
                await self._drop_connections()

    async def _look(self, work: Work[T]) -> T:
        self._require_open()
        async with self._engine.connect() as connection:
            return await work(connection)

    async def _writing(self) -> AsyncConnection:
        self._require_open()
        if self._writer is None:
            self._writer = await self._engine.connect()
        return self._writer

    def _require_open(self) -> None:
        if self._closed:
            msg = f"{self._path} was closed"
            raise StoreUnavailable(msg)

    async def _drop_connections(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.close()
        await self._engine.dispose()

    def _connect(self, *args: Any, **kwargs: Any) -> OwnFile:  # noqa: ANN401 - as sqlite3.connect
        connection = OwnFile(*args, **kwargs)
        connection.watched = self._path, self._identity
        try:
            connection.verify()
        except FileGone:
            connection.close()
            raise
        return connection


def _set_up(pragmas: Mapping[str, str | int], connection: DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    for name, value in pragmas.items():
        cursor.execute(f"PRAGMA {name} = {value}")
    cursor.close()


def _driver(connection: AsyncConnection) -> aiosqlite.Connection:
    """Return what SQLAlchemy stands on; `connection` has been used, so nothing needs to be awaited."""
    driver: aiosqlite.Connection = connection.sync_connection.connection.driver_connection  # type: ignore[union-attr, assignment]
    return driver


async def _pragma(connection: AsyncConnection, name: str) -> int:
    value: int = (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
    return value


async def _used(connection: AsyncConnection) -> int:
    pages = await _pragma(connection, "page_count") - await _pragma(connection, "freelist_count")
    return pages * await _pragma(connection, "page_size")


async def _give_back(connection: AsyncConnection) -> bool:
    """Give some free pages back; return whether there may be more that are too many."""
    if await _pragma(connection, "freelist_count") <= await _pragma(connection, "page_count") // 5 + SHRINK_STEP:
        return False
    await _driver(connection).execute_fetchall(f"PRAGMA incremental_vacuum({SHRINK_STEP})")
    return True

"""The store in an SQLite file: what it refuses to touch, and what it says when the file fails it."""

# ruff: noqa: ASYNC221, ASYNC240 - the test itself may wait for its disk

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import threading
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.model import Change
from monitor.store import LEASE, Retention, StoreUnavailable, open_store, sqlite
from monitor.store.flock import FileLease, FileLock
from monitor.store.lease import RowLease
from monitor.store.recognise import APPLICATION_ID, recognise
from monitor.store.rollup import read_facts
from monitor.store.sql import SqlStore
from monitor.store.sqlite import SqliteDatabase, open_sqlite
from tests.fakes import START
from tests.store.files import content, filled, leading, still_whole
from tests.store.values import BEGINNING, HOUR, SECOND, SITE, sample, step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

    from monitor.store import Store


@pytest.fixture
async def database(path: Path) -> AsyncIterator[SqliteDatabase]:
    """Open a database with our tables."""
    opened = await open_sqlite(path)
    yield opened
    await opened.close()


async def store_on(database: SqliteDatabase, path: Path, retention: Retention | None = None) -> SqlStore:
    """Return a store on an open database that leads."""
    lease = FileLease(FileLock(path), RowLease(database, LEASE, database.write))
    store = SqlStore(database, lease, retention or Retention())
    assert await store.lead()
    return store


async def fill_up(store: Store, first: int = 0) -> int:
    """Write from a number on until nothing more goes in; return the number that did not."""
    for number in range(first, 200):
        try:
            await store.write([step(number), Change(samples=padding(number))])
        except StoreUnavailable:
            return number
    pytest.fail("it was never full")


def padding(number: int) -> tuple[Any, ...]:
    """Return samples of another check that need room."""
    check = SITE._replace(check="padding")
    at = START + number * SECOND
    return tuple(sample(at + index * timedelta(milliseconds=1), index * 0.1, check) for index in range(500))


async def test_a_full_disk_is_unavailable_and_nothing_is_half_written(small_disk: Path) -> None:
    store = await leading(small_disk / "monitor.db")
    steps = await fill_up(store)
    assert steps > 1
    await still_whole(store, steps)
    with pytest.raises(StoreUnavailable, match=r"full|I/O"):
        await store.write([step(steps), Change(samples=padding(steps))])
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    await store.write([step(steps), Change(samples=padding(steps))])
    await still_whole(store, steps + 1)
    await store.close()


async def test_a_store_cannot_be_made_on_a_full_disk(small_disk: Path) -> None:
    (small_disk / "rest").write_bytes(bytes(1024**2))
    with pytest.raises(StoreUnavailable, match=r"full|I/O"):
        await open_store(small_disk / "monitor.db")
    (small_disk / "rest").unlink()
    store = await leading(small_disk / "monitor.db")
    await store.write([step(0)])
    await still_whole(store, 1)
    await store.close()


async def test_a_limit_on_pages_is_a_full_disk_too(database: SqliteDatabase, path: Path) -> None:
    async def limit(connection: AsyncConnection, pages: int) -> None:
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    store = await store_on(database, path)
    await store.write([step(0)])
    await database.write(lambda connection: limit(connection, 80))
    steps = await fill_up(store, 1)
    with pytest.raises(StoreUnavailable, match="full"):
        await store.write([step(steps), Change(samples=padding(steps))])
    await still_whole(store, steps)
    await database.write(lambda connection: limit(connection, 10_000))
    await store.write([step(steps)])
    await still_whole(store, steps + 1)


async def test_a_locked_file_is_unavailable_in_time_and_then_taken(path: Path) -> None:
    store = await leading(path)
    await store.write([step(0)])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        started = asyncio.get_running_loop().time()
        with pytest.raises(StoreUnavailable, match="locked"):
            await store.write([step(1)])
        assert asyncio.get_running_loop().time() - started < 2.2
        await still_whole(store, 1)
        other.execute("ROLLBACK")
    await store.write([step(1)])
    await still_whole(store, 2)
    await store.close()


async def test_a_store_that_is_locked_at_start_is_unavailable(path: Path) -> None:
    await filled(path, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await open_store(path)
        other.execute("ROLLBACK")


async def test_a_deleted_file_is_unavailable_and_not_made_anew(path: Path) -> None:
    """A commit into a file that nobody will find is not one."""
    store = await leading(path)
    await store.write([step(0)])
    path.unlink()
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=r"deleted or replaced|unable to open"):
            await store.write([step(1)])
    assert not path.exists()
    await store.close()
    assert not path.exists()


async def test_a_file_that_was_deleted_before_the_first_use_is_not_made_anew(path: Path) -> None:
    await filled(path, 1)
    database = SqliteDatabase(path, path.stat())
    path.unlink()
    with pytest.raises(StoreUnavailable, match="unable to open"):
        await read_facts(database)
    assert not path.exists()
    await database.close()


async def test_a_replaced_file_is_unavailable_and_left_alone(path: Path) -> None:
    other = path.parent.parent / "other.db"
    await filled(other, 3)
    store = await leading(path)
    await store.write([step(0)])
    before = other.read_bytes()
    other.rename(path)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="deleted or replaced"):
            await store.write([step(1)])
    await store.close()
    assert path.read_bytes() == before


async def test_a_file_that_is_destroyed_under_us_is_unavailable(path: Path) -> None:
    store = await leading(path)
    await store.write([step(number) for number in range(30)])
    await store.close()
    store = await leading(path)
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (path.stat().st_size - 100))
    with pytest.raises(StoreUnavailable, match=r"malformed|not a database"):
        await store.write([step(31)])
    await store.close()


async def test_a_bug_is_not_taken_for_an_absent_store(database: SqliteDatabase) -> None:
    async def wrong(connection: AsyncConnection) -> None:
        await database.many(connection, "INSERT INTO no_such_table VALUES (?)", [(1,)])

    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await database.write(wrong)
    assert (await read_facts(database))["oldest_leader"] == 1


async def test_work_that_fails_leaves_nothing(database: SqliteDatabase) -> None:
    async def half(connection: AsyncConnection) -> None:
        await database.many(connection, "INSERT INTO facts VALUES (?, ?)", [("half", 1)])
        raise KeyError

    with pytest.raises(KeyError):
        await database.write(half)
    assert "half" not in await read_facts(database)


class Hanging:
    """A disk that does not answer until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    async def insert(self, connection: AsyncConnection, database: SqliteDatabase, name: str) -> None:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.create_function("hang", 0, lambda: self.go.wait(10))
        await database.many(connection, "INSERT INTO facts VALUES (?, hang())", [(name,)])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the deadlines, which are real time."""
    monkeypatch.setattr(sqlite, "WRITE_DEADLINE", timedelta(seconds=0.2))
    monkeypatch.setattr(sqlite, "CLOSE_DEADLINE", timedelta(seconds=0.2))


async def test_a_disk_that_hangs_is_unavailable_and_costs_one_thread(
    database: SqliteDatabase, request: pytest.FixtureRequest
) -> None:
    """Who comes meanwhile waits no longer than the deadline, and what was begun arrives before what comes after."""
    disk = Hanging()
    await read_facts(database)
    request.getfixturevalue("impatient")
    with pytest.raises(StoreUnavailable, match="did not answer within 200 ms"):
        await database.write(lambda connection: disk.insert(connection, database, "first"))
    threads = threading.active_count()
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="did not answer"):
            await database.write(lambda connection: disk.insert(connection, database, "second"))
    assert threading.active_count() == threads
    assert "first" not in await read_facts(database), "reading goes on"
    disk.go.set()
    await database.write(lambda connection: disk.insert(connection, database, "third"))
    assert {"first", "third"} == set(await read_facts(database)) - {"oldest_leader", "rolled_to", "samples_from"}


async def test_closing_does_not_wait_for_a_disk_that_hangs(path: Path, request: pytest.FixtureRequest) -> None:
    disk = Hanging()
    database = await open_sqlite(path)
    request.getfixturevalue("impatient")  # a busy machine may take longer to open it
    with pytest.raises(StoreUnavailable):
        await database.write(lambda connection: disk.insert(connection, database, "first"))
    await asyncio.wait_for(database.close(), 20)
    disk.go.set()
    (begun,) = database._begun
    await begun
    await database._drop_connections()


async def test_a_caller_that_is_cancelled_breaks_nothing_off(database: SqliteDatabase) -> None:
    disk = Hanging()
    task = asyncio.create_task(database.write(lambda connection: disk.insert(connection, database, "begun")))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    disk.go.set()
    await database.write(lambda connection: disk.insert(connection, database, "next"))
    assert {"begun", "next"} <= set(await read_facts(database))


async def test_the_file_is_durable_shared_and_marked_as_ours(database: SqliteDatabase, path: Path) -> None:
    async def pragmas(connection: AsyncConnection) -> dict[str, object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "auto_vacuum", "application_id")
        return {name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in names}

    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 1_500,
        "auto_vacuum": 2,
        "application_id": APPLICATION_ID,
    }
    assert await database.read(pragmas) == wanted
    assert await database.write(pragmas) == wanted
    assert recognise(path)


async def test_a_closed_store_leaves_its_file_and_an_empty_lock(path: Path) -> None:
    await filled(path)
    left = content(path.parent)
    assert set(left) == {path.name, f"{path.name}.lock"}
    assert left[f"{path.name}.lock"] == b""


async def test_the_oldest_samples_go_when_the_file_is_too_big(database: SqliteDatabase, path: Path) -> None:
    """Never those of the present and the last whole hour, however little is allowed; hours stay, the file shrinks."""
    store = await store_on(database, path, Retention(size=2_000_000))
    made = [sample(START + number * timedelta(milliseconds=400), number) for number in range(45_000)]
    for first in range(0, len(made), 5_000):
        await store.write([Change(samples=tuple(made[first : first + 5_000]))])
    now = START + 5 * HOUR
    assert await database.used() > 2_000_000
    await store.tidy(now)
    left = await store.samples(SITE, BEGINNING)
    assert await database.used() <= 2_000_000
    assert 10_000 < len(left) < len(made)
    assert left == made[-len(left) :]
    assert sum(hour.up for hour in await store.hours(SITE, BEGINNING)) == len(made)
    size = await file_size(database)
    await store.resign()
    store = await store_on(database, path, Retention(size=1))
    await store.tidy(now)
    assert await store.samples(SITE, BEGINNING) == [found for found in made if found.at >= START + 4 * HOUR]
    assert await file_size(database) < size


async def file_size(database: SqliteDatabase) -> int:
    """Return the bytes of the file, free pages among them."""

    async def pages(connection: AsyncConnection) -> int:
        found: int = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        return found * 4_096

    return await database.read(pages)


async def test_a_disk_that_hangs_at_start_is_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    monkeypatch.setattr(sqlite, "READ_DEADLINE", timedelta(seconds=0.1))
    monkeypatch.setattr(sqlite, "recognise", lambda _: go.wait(10))
    with pytest.raises(StoreUnavailable, match="did not answer within 100 ms"):
        await open_store(path)
    go.set()


async def test_a_store_without_its_facts_leaves_nothing_open(path: Path) -> None:
    await filled(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM facts WHERE name = 'rolled_to'")
        connection.commit()
    with pytest.raises(KeyError):
        await leading(path)
    assert set(content(path.parent)) == {path.name, f"{path.name}.lock"}


async def test_work_that_ends_with_its_loop_leaves_nothing(database: SqliteDatabase) -> None:
    """As when the loop is closed: every task is cancelled, also those that nobody else may cancel."""
    disk = Hanging()
    waiting = asyncio.create_task(database.write(lambda connection: disk.insert(connection, database, "half")))
    await asyncio.sleep(0.05)
    (begun,) = database._begun
    begun.cancel()
    disk.go.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert "half" not in await read_facts(database)
    await database.write(lambda connection: disk.insert(connection, database, "next"))

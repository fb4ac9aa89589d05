"""What is taken for a store of ours, and what is refused and left as it is."""

# ruff: noqa: ASYNC221, ASYNC240 - the test itself may wait for its disk

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from monitor.store import StoreUnavailable, StoreUnusable, open_store, sqlite
from monitor.store.recognise import APPLICATION_ID, recognise
from tests.store.files import content, filled, leading, still_whole
from tests.store.values import step

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.store import Store


def without_facts(path: Path) -> None:
    """Make a database with our header that does not say who may lead on it."""
    oddly_versioned(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE facts (name TEXT, value INTEGER)")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()


def foreign(path: Path) -> None:
    """Make another program's database."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE samples (at INTEGER); INSERT INTO samples VALUES (1);")


def garbage(path: Path) -> None:
    """Make a file that is no database."""
    path.write_bytes(b"not a database, but somebody's work\n" * 200)


def short(path: Path) -> None:
    """Make a file that ends within a header."""
    path.write_bytes(b"SQLite format 3\0\x10\0")


def torn(path: Path) -> None:
    """Make a file with our header and nothing that fits it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 4_000)


def oddly_versioned(path: Path) -> None:
    """Make a database with our header whose version is none of ours."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('a1b2')")
        connection.commit()


REFUSED: list[tuple[Callable[[Path], Any], str]] = [
    (garbage, "is not an SQLite database"),
    (foreign, "not one of this program"),
    (short, "not one of this program"),
    (torn, "is damaged"),
    (oddly_versioned, "its version cannot be read"),
    (without_facts, "its version cannot be read"),
    (Path.mkdir, "is not a regular file"),
    (os.mkfifo, "is not a regular file"),
]


@pytest.mark.parametrize(("make", "why"), REFUSED, ids=[make.__name__ for make, _ in REFUSED])
async def test_what_is_not_ours_is_refused_and_left_as_it_is(path: Path, make: Callable[[Path], Any], why: str) -> None:
    make(path)
    before = path.stat(), content(path.parent)
    with pytest.raises(StoreUnusable, match=why):
        await open_store(path)
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (before[0].st_mtime_ns, before[0].st_size)
    assert content(path.parent) == before[1]


@pytest.mark.parametrize("left", [8_192, 4_096, 1_000, 101])
async def test_a_file_that_was_cut_off_is_refused_and_left_as_it_is(path: Path, left: int) -> None:
    await filled(path)
    os.truncate(path, left)
    before = content(path.parent)
    with pytest.raises(StoreUnusable, match="is damaged"):
        await open_store(path)
    assert content(path.parent) == before


async def test_a_file_that_was_cut_off_under_its_log_is_refused_and_left_as_it_is(path: Path) -> None:
    """As `kill -9` and then a full disk or a bad copy leave it: the log is there, and half of what it belongs to."""
    store = await leading(path)
    await store.write([step(number) for number in range(20)])
    copy = path.parent.parent / "copy"
    shutil.copytree(path.parent, copy)
    await store.close()
    os.truncate(path, 8_192)
    (copy / path.name).write_bytes(path.read_bytes())
    (copy / f"{path.name}-wal").write_bytes(b"\0" * 5_000)
    before = content(copy)
    with pytest.raises(StoreUnusable, match="is damaged"):
        await open_store(copy / path.name)
    assert content(copy) == before


async def test_a_store_that_was_killed_is_read_from_its_log(path: Path) -> None:
    """With and without the file of shared memory that SQLite keeps beside it."""
    store = await leading(path)
    await store.write([step(number) for number in range(20)])
    for number, forgotten in enumerate(("", "-shm")):
        copy = path.parent.parent / f"copy{number}"
        shutil.copytree(path.parent, copy)
        (copy / f"{path.name}{forgotten}").unlink() if forgotten else None
        again = await leading(copy / path.name)
        assert len(await again.owed()) == 20
        await again.close()
    await store.close()


async def test_a_missing_folder_is_refused(path: Path) -> None:
    with pytest.raises(StoreUnusable, match="is not a folder that this process may write in"):
        await open_store(path.parent / "none" / "monitor.db")
    assert content(path.parent) == {}


async def test_a_name_that_is_too_long_is_refused(path: Path) -> None:
    with pytest.raises(StoreUnusable, match="too long"):
        await open_store(path.parent / ("x" * 300))


async def test_a_file_system_that_cannot_be_written_is_refused(small_disk: Path) -> None:
    path = small_disk / "monitor.db"
    await filled(path, 3)
    before = content(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreUnusable, match="may write in"):
        await open_store(path)
    assert content(small_disk) == before


async def test_a_file_that_may_not_be_written_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everything, so the answer of the system is given by hand."""
    await filled(path, 1)
    monkeypatch.setattr(os, "access", lambda which, _: Path(which).is_dir())
    with pytest.raises(StoreUnusable, match="may not be read and written"):
        await open_store(path)


@pytest.mark.parametrize("left", [b"", None])
async def test_an_empty_file_and_a_link_to_nothing_become_a_store(path: Path, left: bytes | None) -> None:
    if left is None:
        path.symlink_to(path.parent / "elsewhere.db")
    else:
        path.write_bytes(left)
    await filled(path, 2)
    store = await leading(path)
    await still_whole(store, 2)
    await store.close()


async def eventually(path: Path) -> Store:
    """Open a store as the daemon does: again while it is unavailable."""
    for _ in range(100):
        try:
            return await open_store(path)
        except StoreUnavailable:
            await asyncio.sleep(0.01)
    pytest.fail("it never opened")


async def test_several_that_begin_at_once_make_one_store(path: Path) -> None:
    stores = await asyncio.gather(*(eventually(path) for _ in range(4)))
    for number, store in enumerate(stores):
        assert await store.lead()
        await store.write([step(number)])
        await store.resign()
    await still_whole(stores[0], 4)
    for store in stores:
        await store.close()


async def test_a_file_that_was_left_while_it_was_made_is_made_again(path: Path) -> None:
    """A journal of the old kind stands only beside a file whose making was cut short."""
    await filled(path, 2)
    path.with_name(f"{path.name}-journal").touch()
    assert not recognise(path)
    store = await leading(path)
    await still_whole(store, 2)
    await store.close()


async def test_a_file_that_another_process_has_made_meanwhile_is_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sqlite._make

    def too_late(where: Path) -> None:
        made(where)
        raise sqlite3.OperationalError

    monkeypatch.setattr(sqlite, "_make", too_late)
    await filled(path, 1)


async def test_a_file_that_is_being_recovered_by_another_process_is_not_called_damaged(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: sqlite3.Connection) -> None:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    await filled(path, 1)
    monkeypatch.setattr("monitor.store.recognise._check", busy)
    with pytest.raises(StoreUnavailable, match="locked by another process"):
        await open_store(path)

"""A store that is only read: beside whoever leads, never made, changed or led."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from monitor.model import Change
from monitor.store import LeaseLost, StoreUnavailable, StoreUnusable, open_database, read_store, schema
from tests.acceptance.forks import ROOT
from tests.store.files import content, filled
from tests.store.values import BEGINNING, SITE, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.store import Store
    from tests.store.databases import Databases

READ = """
import asyncio, os, sys
from datetime import UTC, datetime
from monitor.store import read_store

async def read(path):
    store = await read_store(path)
    print(len(await store.journal(datetime(1990, 1, 1, tzinfo=UTC))))
    await store.close()

asyncio.run(read(sys.argv[1]))
os.setuid(65534)
asyncio.run(read(sys.argv[2]))
"""
LEAVE = """
import asyncio, os, sys
from tests.store.files import leading
from tests.store.values import step

async def leave():
    store = await leading("sqlite:///" + sys.argv[1])
    await store.write([step(1), step(2)])
    os._exit(0)

asyncio.run(leave())
"""


async def test_it_sees_what_the_leader_has_written_and_takes_nothing_from_it(store: Store, address: str) -> None:
    """Also what comes after it was opened; whoever reads can neither lead nor write."""
    await store.write([step(1)])
    reader = await read_store(address)
    assert await reader.alerts() == await store.alerts()
    await store.write([step(2)])
    assert await reader.journal(BEGINNING) == await store.journal(BEGINNING)
    assert await reader.dispatches(BEGINNING) == await store.dispatches(BEGINNING)
    assert len(await reader.samples(SITE, BEGINNING)) == 2
    assert not await reader.lead()
    assert reader.owner == ""
    with pytest.raises(LeaseLost):
        await reader.write([step(3)])
    await reader.resign()
    await reader.close()
    await store.write([step(4)])
    assert await store.lead()


async def test_where_none_is_none_is_made(
    address_of: Callable[[Path], str], tmp_path: Path, databases: Databases
) -> None:
    """Neither a file nor a table."""
    sqlite = address_of(tmp_path).startswith("sqlite")
    empty = address_of(tmp_path) if sqlite else databases.fresh()
    with pytest.raises(StoreUnusable, match="there is no store"):
        await read_store(empty)
    assert content(tmp_path) == {}
    if not sqlite:
        name = empty.rpartition("/")[2]
        assert databases.cluster.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", name).strip() == "0"


@pytest.mark.parametrize(("version", "oldest", "told"), [
    (schema.CURRENT - 1, 1, "monitor migrate"),
    (schema.CURRENT + 1, schema.CURRENT + 1, "newer release"),
    (schema.CURRENT + 1, 1, ""),
])  # fmt: skip
async def test_a_schema_of_another_release(
    address_of: Callable[[Path], str], tmp_path: Path, databases: Databases, version: int, oldest: int, told: str
) -> None:
    """An older one is left as it is and the way told; a newer one is read where its release says that it may be."""
    sqlite = address_of(tmp_path).startswith("sqlite")
    address = address_of(tmp_path) if sqlite else databases.fresh()
    database = await open_database(address)

    async def alter(connection: object) -> None:
        facts = update(schema.facts).where(schema.facts.c.name == "oldest_leader").values(value=oldest)
        await connection.execute(facts)  # type: ignore[attr-defined]
        await connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")  # type: ignore[attr-defined]

    await database.write(alter)
    await database.close()
    if told:
        with pytest.raises(StoreUnusable, match=told):
            await read_store(address)
    else:
        await (await read_store(address)).close()


async def test_reading_changes_no_byte_of_a_file(path: Path) -> None:
    """What is beside it may come and go: SQLite keeps its locks there."""
    await filled(path)
    before = content(path.parent)[path.name]
    reader = await read_store(path)
    assert len(await reader.journal(BEGINNING)) == 50
    await reader.close()
    after = content(path.parent)
    assert after[path.name] == before
    assert not after.get(f"{path.name}-wal")


async def test_what_a_killed_leader_left_in_its_log_is_read(path: Path) -> None:
    """Without bringing it into the file."""
    await python(LEAVE, path)
    before = content(path.parent)
    assert before[f"{path.name}-wal"]
    reader = await read_store(path)
    assert len(await reader.journal(BEGINNING)) == 2
    await reader.close()
    after = content(path.parent)
    assert [after[name] for name in (path.name, f"{path.name}-wal")] == [
        before[name] for name in (path.name, f"{path.name}-wal")
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_somebody_who_may_not_write_there_can_read() -> None:
    """Neither in the folder nor in the file."""
    with TemporaryDirectory() as made:  # not in a folder of pytest's, which nobody else may enter
        folder = Path(made)
        await filled(folder / "a.db", 2)
        await filled(folder / "b.db", 3)
        os.chmod(folder, 0o755)  # noqa: PTH101, S103 - it is blocking and public, for a moment
        assert await python(READ, folder / "a.db", folder / "b.db") == "2\n3\n"


async def test_another_program_s_file_is_refused(path: Path) -> None:
    path.write_bytes(b"no database")  # noqa: ASYNC240 - a few bytes
    with pytest.raises(StoreUnusable, match="not an SQLite database"):
        await read_store(path)


async def test_a_file_that_goes_while_it_is_read(path: Path) -> None:
    await filled(path, 1)
    reader = await read_store(path)
    path.unlink()  # noqa: ASYNC240 - as above
    with pytest.raises(StoreUnavailable):
        await (await read_store_again(reader)).alerts()
    await reader.close()


async def python(text: str, *arguments: Path) -> str:
    """Run a program in another process, and return what it prints."""
    command = [sys.executable, "-c", text, *map(str, arguments)]
    run = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.stderr == ""
    return run.stdout


async def read_store_again(reader: Store) -> Store:
    """Let go of the connections, so that the next look opens the file anew."""
    await reader._database._engine.dispose()  # type: ignore[attr-defined]
    return reader


async def test_nothing_is_written_through_a_reader_even_by_mistake(path: Path) -> None:
    await filled(path, 1)
    reader = await read_store(path)
    with pytest.raises(StoreUnavailable, match="readonly"):
        await reader._database.write(lambda connection: connection.exec_driver_sql("DELETE FROM alerts"))  # type: ignore[attr-defined]
    with pytest.raises(LeaseLost):
        await reader.write([Change()])
    await reader.close()

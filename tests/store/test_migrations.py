"""The schema's history: what it leads to, and who may work on what."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from monitor.store import StoreUnusable, migrations, open_store, schema
from monitor.store.migrations import found_version, may_lead, migrate
from tests.fakes import START
from tests.store.files import leading
from tests.store.values import BEGINNING, SITE, step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


@contextmanager
def in_memory() -> Iterator[Connection]:
    """Open an empty database that nothing stays of."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def tables(connection: Connection) -> dict[str, str]:
    """Return how each table and index was made, written alike."""
    made = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'")
    )
    return {name: " ".join(sql.split()) for name, sql in made}


def _is_for_sqlite(_thing: object, name: str | None, *_: object) -> bool:
    return name != "ix_samples_check_id"


def test_the_migrations_lead_to_exactly_the_tables_of_the_schema() -> None:
    with in_memory() as migrated, in_memory() as created:
        migrate(migrated)
        schema.metadata.create_all(created)
        here = MigrationContext.configure(migrated, opts={"include_object": _is_for_sqlite})
        assert compare_metadata(here, schema.metadata) == []
        assert tables(migrated) == tables(created)
        assert len(tables(migrated)) > len(schema.metadata.tables)


def test_the_newest_migration_is_the_schema_that_the_release_knows() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    script = ScriptDirectory.from_config(config)
    revisions = [revision.revision for revision in script.walk_revisions()][::-1]
    assert revisions == [f"{number:04}" for number in range(1, schema.CURRENT + 1)]


def test_migrating_again_changes_nothing() -> None:
    with in_memory() as connection:
        assert found_version(connection) == 0
        migrate(connection)
        before = tables(connection)
        migrate(connection)
        assert (found_version(connection), tables(connection)) == (schema.CURRENT, before)


@given(version=st.integers(1, 9), oldest=st.integers(1, 9), known=st.integers(1, 9))
def test_a_release_leads_on_newer_schemas_that_admit_it_and_on_no_other(version: int, oldest: int, known: int) -> None:
    if version <= known or oldest <= known:
        may_lead(version, oldest, known)
    else:
        with pytest.raises(StoreUnusable, match=f"with schema {version}; this one knows schema {known}"):
            may_lead(version, oldest, known)


def alter(path: Path, *statements: str) -> None:
    """Do what a later release's migration would do."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(";".join(statements))


EXPANDED = (
    f"UPDATE alembic_version SET version_num = '{schema.CURRENT + 1:04}'",
    "ALTER TABLE samples ADD COLUMN extra TEXT",
    "ALTER TABLE notifications ADD COLUMN urgency INTEGER NOT NULL DEFAULT 1",
    "CREATE TABLE new_things (id INTEGER PRIMARY KEY)",
)
OURS_NO_MORE = f"UPDATE facts SET value = {schema.CURRENT + 1} WHERE name = 'oldest_leader'"


async def left_behind(path: Path) -> None:
    """Leave a store behind, with one change in it."""
    store = await leading(path)
    await store.write([step(1)])
    await store.close()


async def test_this_release_works_on_the_schema_of_the_next(tmp_path: Path) -> None:
    """Promise 4: columns and tables may be added under it, and what it writes is right there."""
    path = tmp_path / "monitor.db"
    await left_behind(path)
    alter(path, *EXPANDED)
    store = await leading(path)
    await store.write([step(2)])
    await store.tidy(START)
    assert len(await store.owed()) == len(await store.samples(SITE, BEGINNING)) == 2
    assert len([found async for found in store.replay(BEGINNING)]) == 2
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (f"{schema.CURRENT + 1:04}",)
        ]


async def test_a_schema_that_this_release_cannot_use_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    await left_behind(path)
    alter(path, *EXPANDED, OURS_NO_MORE)
    before = path.read_bytes()
    with pytest.raises(StoreUnusable, match=f"only releases from schema {schema.CURRENT + 1} on"):
        await open_store(path)
    assert path.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["monitor.db", "monitor.db.lock"]  # noqa: PTH208 - one call, no loop


def test_what_was_not_seen_before_opening_is_refused_when_migrating() -> None:
    with in_memory() as connection:
        migrate(connection)
        for statement in (*EXPANDED, OURS_NO_MORE):
            connection.execute(text(statement))
        with pytest.raises(StoreUnusable, match=f"only releases from schema {schema.CURRENT + 1} on"):
            migrate(connection)


async def test_a_migration_that_fails_leaves_an_empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one transaction, so the next start begins it anew."""
    path = tmp_path / "monitor.db"

    def broken(connection: Connection) -> None:
        migrate(connection)
        assert found_version(connection) == schema.CURRENT
        raise KeyError

    monkeypatch.setattr("monitor.store.sqlite.migrate", broken)
    with pytest.raises(KeyError):
        await open_store(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    monkeypatch.undo()
    await left_behind(path)


async def test_an_unreadable_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    await left_behind(path)
    bodies: list[tuple[str, Any]] = [("alerts", "alerts"), ("notifications", "owed")]
    for body in ("{", '{"key": 1}'):
        for table, _ in bodies:
            alter(path, f"UPDATE {table} SET body = '{body}'")
        store = await leading(path)
        for table, method in bodies:
            with pytest.raises(StoreUnusable, match=f"an unreadable {table[:-1]}"):
                await getattr(store, method)()
        await store.close()


async def test_an_unreadable_hour_is_named(tmp_path: Path) -> None:
    """Whatever is wrong with it: no JSON, not a list, too few figures."""
    path = tmp_path / "monitor.db"
    await left_behind(path)
    store = await leading(path)
    await store.tidy(START + timedelta(hours=9))
    await store.close()
    for body in ("{", "[1]", "5", '[["duration", []]]', '[["duration", 1, 2, 3, 4, 5]]'):
        alter(path, f"UPDATE hours SET measures = '{body}'")
        store = await leading(path)
        with pytest.raises(StoreUnusable, match="an unreadable hour of shop/site"):
            await store.hours(SITE, BEGINNING)
        with pytest.raises(StoreUnusable, match="an unreadable hour of shop/site"):
            [hour async for hour in store.replay_hours(SITE, BEGINNING, {"duration"})]
        await store.close()


async def test_what_the_next_release_sums_up_besides_is_left_out(tmp_path: Path) -> None:
    """So that it may say more of a measure, while this one still leads."""
    path = tmp_path / "monitor.db"
    await left_behind(path)
    store = await leading(path)
    await store.tidy(START + timedelta(hours=9))
    before = await store.hours(SITE, BEGINNING)
    await store.close()
    alter(path, """UPDATE hours SET measures = json_set(measures, '$[0][#]', 7.5)""")
    store = await leading(path)
    assert await store.hours(SITE, BEGINNING) == before
    assert before
    await store.close()


async def test_fields_of_the_next_release_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    await left_behind(path)
    store = await leading(path)
    before = await store.alerts(), await store.owed()
    await store.close()
    for table in ("alerts", "notifications"):
        alter(path, f"UPDATE {table} SET body = json_set(body, '$.new_field', json('[1]'))")
    store = await leading(path)
    assert (await store.alerts(), await store.owed()) == before
    await store.close()

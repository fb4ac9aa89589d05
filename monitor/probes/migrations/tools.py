"""What each migration tool keeps in the database, and how it is read.

The tables are those that the tools' own sources make (alembic/ddl/impl.py; golang-migrate database/postgres; Prisma's
schema engine; django/db/migrations/recorder.py), the locks those that they take.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Failure, Reason, State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from monitor.databases import Connection

SALT = 1_486_364_155
"""By which golang-migrate multiplies the checksum that is its lock's number (database/util.go)."""
PRISMA_LOCK = 72_707_369

TABLE = """
SELECT n.nspname, c.relname, current_database(), extract(epoch FROM statement_timestamp())::float8,
       ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.oid = to_regclass($1)
"""
LOCKED = """
SELECT count(*) FROM pg_locks
 WHERE locktype = 'advisory' AND classid = 0 AND objsubid = 1 AND objid = ANY($1::oid[])
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# Texts are cut where no message reaches: a secret that was cut in two would not be found in it.
ALEMBIC = "SELECT left(version_num::text, 400) FROM {table} ORDER BY 1 LIMIT 20"
GOLANG_MIGRATE = "SELECT version::text, dirty::boolean FROM {table} ORDER BY 1 LIMIT 20"
UNFINISHED = """
SELECT left(migration_name::text, 400), extract(epoch FROM statement_timestamp() - started_at)::float8 FROM {table}
 WHERE finished_at IS NULL AND rolled_back_at IS NULL ORDER BY started_at, 1 LIMIT 20
"""
APPLIED = "SELECT count(*), array_agg({name}) FILTER (WHERE {name} = ANY($1)) FROM {table} WHERE {done}"


class Table(NamedTuple):
    """The table as it was found: `name` is quoted, `parts` are database, schema and table; `at` is the database's time.

    `at` is in seconds since 1970.
    """

    name: str
    parts: tuple[str, str, str]
    at: float
    columns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in the table.

    `revisions`: the heads of alembic, the version of golang-migrate, and of the others those of the expected migrations
    that are applied. `unfinished`: migrations that began and did not end, oldest first, with the seconds since.
    `locked`: whether the tool's lock is held.
    """

    revisions: tuple[str, ...] = ()
    applied: int = 0
    dirty: bool = False
    unfinished: tuple[tuple[str, float], ...] = ()
    locked: bool = False


class Tool(NamedTuple):
    """A tool: its default table, the columns by which that is known to be its own, and what reads it."""

    table: str
    columns: tuple[str, ...]
    read: Callable[[Connection, Table, Sequence[str]], Awaitable[Found]]
    single: bool = False
    locks: bool = False
    lists: bool = False


def quoted(*parts: str) -> str:
    """Return the name of a table, or of a schema and a table, as SQL writes it."""
    return ".".join('"{}"'.format(part.replace('"', '""')) for part in parts)


async def find(connection: Connection, table: str, tool: str, place: str) -> Table:
    """Return `table` as it is; raises `Failure`: missing, and unknown if another tool made it."""
    row = await connection.fetchrow(TABLE, quoted(*table.split(".")))
    if row is None:
        raise Failure(Reason.MISSING, f"{place} has no table {table}, or this user may not use its schema")
    schema, name, database, at, columns = row
    lacking = [column for column in TOOLS[tool].columns if column not in columns]
    if lacking:
        detail = f"the table {table} is not that of {tool}: it has no column {' or '.join(lacking)}"
        if tool == GOLANG and "version" in columns:
            detail += "; Rails, for one, calls its own the same"
        raise Failure(Reason.MISSING, detail, State.UNKNOWN)
    return Table(quoted(schema, name), (database, schema, name), at, frozenset(columns))


async def _alembic(connection: Connection, table: Table, _: Sequence[str]) -> Found:
    heads = await connection.fetch(ALEMBIC.format(table=table.name))
    return Found(tuple(str(head) for (head,) in heads))


async def _golang(connection: Connection, table: Table, _: Sequence[str]) -> Found:
    rows = await connection.fetch(GOLANG_MIGRATE.format(table=table.name))
    return Found(
        tuple(str(version) for version, _ in rows),
        dirty=any(dirty for _, dirty in rows),
        locked=await _locked(connection, golang_locks(table.parts)),
    )


async def _prisma(connection: Connection, table: Table, expected: Sequence[str]) -> Found:
    done = "finished_at IS NOT NULL AND rolled_back_at IS NULL"
    there, applied = await _applied(connection, table, "migration_name::text", done, expected)
    unfinished = await connection.fetch(UNFINISHED.format(table=table.name))
    return Found(
        there,
        applied,
        unfinished=tuple((str(name), float(age)) for name, age in unfinished),
        locked=await _locked(connection, (PRISMA_LOCK,)),
    )


async def _django(connection: Connection, table: Table, expected: Sequence[str]) -> Found:
    return Found(*await _applied(connection, table, "app || '.' || name", "true", expected))


async def _applied(
    connection: Connection, table: Table, name: str, done: str, expected: Sequence[str]
) -> tuple[tuple[str, ...], int]:
    """Return which of the `expected` migrations are applied, and how many are in all."""
    query = APPLIED.format(table=table.name, name=name, done=done)
    count, names = await connection.fetchrow(query, expected)
    return tuple(map(str, names or ())), int(count)


async def _locked(connection: Connection, numbers: Sequence[int]) -> bool:
    return bool(await connection.fetchval(LOCKED, numbers))


def golang_locks(parts: tuple[str, ...]) -> tuple[int, int]:
    """Return the numbers that golang-migrate's lock may have: it takes the database's name from its URL, or asks."""
    database, *others = parts
    return _golang_lock(database, others), _golang_lock(f"/{database}", others)


def _golang_lock(database: str, others: Sequence[str]) -> int:
    return zlib.crc32("\0".join((database, *others)).encode()) * SALT % 2**32


GOLANG = "golang-migrate"
TOOLS: Mapping[str, Tool] = {
    "alembic": Tool("alembic_version", ("version_num",), _alembic),
    GOLANG: Tool("schema_migrations", ("version", "dirty"), _golang, single=True, locks=True),
    "prisma": Tool(
        "_prisma_migrations",
        ("migration_name", "started_at", "finished_at", "rolled_back_at"),
        _prisma,
        locks=True,
        lists=True,
    ),
    "django": Tool("django_migrations", ("app", "name"), _django, lists=True),
}

"""How much room the database takes, and what takes it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from monitor.probes.base import MeasureSpec
from monitor.units import Unit, show

if TYPE_CHECKING:
    from monitor.databases import Connection
    from monitor.probes.base import Run
    from monitor.probes.postgres import PostgresCheck

SIZES = (
    MeasureSpec("size", Unit.BYTES, "the database's size on disk"),
    MeasureSpec("size_share", Unit.RATIO, "that size, of `size_limit`", exceeds=True),
)
TABLES = (MeasureSpec("table_size", Unit.BYTES, "the ten largest tables, indexes and all", ("table",)),)
DEAD_ROWS = (
    MeasureSpec("dead_share", Unit.RATIO, "dead rows of a table of 1,000 rows or more, the ten worst", ("table",)),
)

MOST_TABLES = 10
MOST_SHOWN = 3
LEAST_ROWS = 1_000
LARGEST = r"""
SELECT largest.name, pg_total_relation_size(largest.oid) AS bytes
  FROM (SELECT c.oid, n.nspname || '.' || c.relname AS name
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
           AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
           AND NOT EXISTS (SELECT FROM pg_locks l WHERE l.relation = c.oid AND l.mode = 'AccessExclusiveLock'
                 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
         ORDER BY pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) DESC NULLS LAST
         LIMIT 3 * $1) largest
 ORDER BY 2 DESC NULLS LAST LIMIT $1
"""
"""To measure a table takes a lock on it: one that is being altered would keep us waiting, and others behind us."""
DEAD = """
SELECT schemaname || '.' || relname AS name, n_dead_tup AS dead, n_live_tup + n_dead_tup AS rows,
       coalesce(to_char(greatest(last_vacuum, last_autovacuum), 'YYYY-MM-DD'), 'never') AS vacuumed
  FROM pg_stat_user_tables WHERE n_live_tup + n_dead_tup >= $1
 ORDER BY n_dead_tup::float8 / (n_live_tup + n_dead_tup) DESC LIMIT $2
"""


async def take_size(connection: Connection, run: Run, check: PostgresCheck) -> None:
    """Note the database's size; which tables are largest goes with it."""
    size = await connection.fetchval("SELECT pg_database_size(current_database())")
    run.note("size", size)
    tables = f"the largest tables are {_shown(await _largest(connection)) or 'empty'}"
    run.remark("size", tables)
    if check.size_limit:
        run.note("size_share", size / check.size_limit)
        run.remark("size_share", f"{show(size, Unit.BYTES)} of {show(check.size_limit, Unit.BYTES)}; {tables}")


async def take_tables(connection: Connection, run: Run, _check: PostgresCheck) -> None:
    """Note the sizes of the largest tables."""
    largest = await _largest(connection)
    for name, size in largest.items():
        run.note("table_size", size, table=name)
    run.remark("table_size", _shown(largest))


async def take_dead_rows(connection: Connection, run: Run, _check: PostgresCheck) -> None:
    """Note the tables with the greatest share of dead rows."""
    rows = await connection.fetch(DEAD, LEAST_ROWS, MOST_TABLES)
    for row in rows:
        run.note("dead_share", row["dead"] / row["rows"], table=row["name"])
    worst = [f"{row['name']} {row['dead']:,} of {row['rows']:,} (vacuumed {row['vacuumed']})" for row in rows]
    if worst:
        run.remark("dead_share", f"dead rows: {', '.join(worst[:MOST_SHOWN])}")


async def _largest(connection: Connection) -> dict[str, int]:
    rows = await connection.fetch(LARGEST, MOST_TABLES)
    return {row["name"]: row["bytes"] for row in rows if row["bytes"] is not None}  # None: dropped meanwhile


def _shown(largest: dict[str, int]) -> str:
    return ", ".join(f"{name} {show(size, Unit.BYTES)}" for name, size in islice(largest.items(), MOST_SHOWN))

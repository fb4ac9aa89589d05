"""Indexes that cost every write and serve no read, and those that serve nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.probes.base import MeasureSpec
from monitor.probes.postgres.storage import LEAST_ROWS
from monitor.units import Unit, show

if TYPE_CHECKING:
    from monitor.databases import Connection
    from monitor.probes.base import Run
    from monitor.probes.postgres import PostgresCheck

MEASURES = (
    MeasureSpec("unused_indexes", Unit.NUMBER, "indexes never read that hold no rule, of tables of 1,000 rows or more"),
    MeasureSpec("unused_index_size", Unit.BYTES, "the room that these take"),
    MeasureSpec("invalid_indexes", Unit.NUMBER, "indexes that a failed CREATE INDEX CONCURRENTLY has left"),
)
MOST_SHOWN = 3
INDEXES = """
SELECT s.schemaname || '.' || s.indexrelname AS name, i.indisvalid AS valid, pg_relation_size(i.indexrelid) AS bytes
  FROM pg_stat_user_indexes s
  JOIN pg_index i ON i.indexrelid = s.indexrelid
  JOIN pg_stat_user_tables t ON t.relid = i.indrelid
 WHERE NOT EXISTS (SELECT FROM pg_locks l WHERE l.relation = i.indexrelid AND l.mode = 'AccessExclusiveLock'
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
   AND (NOT i.indisvalid AND NOT EXISTS (
             SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
     OR i.indisvalid AND s.idx_scan = 0 AND t.n_live_tup >= $1
        AND NOT i.indisunique AND NOT i.indisexclusion AND NOT i.indisreplident AND NOT i.indisclustered)
 ORDER BY 3 DESC NULLS LAST, 1
"""
"""What is unique, excludes or identifies rows holds a rule, read or not. One that is being made is not invalid yet."""


async def take(connection: Connection, run: Run, _check: PostgresCheck) -> None:
    """Note them, and name the largest."""
    rows = await connection.fetch(INDEXES, LEAST_ROWS)
    unused = [row for row in rows if row["valid"]]
    invalid = [row for row in rows if not row["valid"]]
    run.note("unused_indexes", len(unused))
    run.note("unused_index_size", sum(row["bytes"] or 0 for row in unused))
    run.note("invalid_indexes", len(invalid))
    if unused:
        named = ", ".join(f"{row['name']} ({show(row['bytes'] or 0, Unit.BYTES)})" for row in unused[:MOST_SHOWN])
        run.remark("unused_indexes", f"never read since the statistics began: {named}")
        run.remark("unused_index_size", f"never read since the statistics began: {named}")
    if invalid:
        run.remark("invalid_indexes", ", ".join(row["name"] for row in invalid[:MOST_SHOWN]))

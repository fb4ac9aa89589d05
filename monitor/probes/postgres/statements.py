"""The slowest statements, from pg_stat_statements. Their texts may hold anybody's data: they are never fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import Failure, Reason
from monitor.probes.base import MeasureSpec
from monitor.units import Unit, show_duration

if TYPE_CHECKING:
    from monitor.databases import Connection
    from monitor.probes.base import Run
    from monitor.probes.postgres import PostgresCheck

MEASURES = (
    MeasureSpec("statement_mean", Unit.SECONDS, "the mean time of the ten slowest statements", ("queryid",)),
    MeasureSpec("statement_calls", Unit.NUMBER, "how often these were called; a counter", ("queryid",)),
)
NAME = "pg_stat_statements"
MOST_STATEMENTS = 10
TOTAL = ("total_exec_time", "total_time")
"""The time of all calls in milliseconds: since the extension's 1.8, and before, as an upgraded server may have it."""
EXTENSION = """
SELECT quote_ident(n.nspname) AS schema, array_agg(a.attname::text) AS columns
  FROM pg_extension e
  JOIN pg_namespace n ON n.oid = e.extnamespace
  JOIN pg_attribute a ON a.attrelid = to_regclass(quote_ident(n.nspname) || '.pg_stat_statements')
 WHERE e.extname = 'pg_stat_statements' AND a.attnum > 0 AND NOT a.attisdropped
 GROUP BY 1
"""
STATEMENTS = """
SELECT s.queryid::text AS queryid, sum(s.calls)::float8 AS calls, sum(s.{total}) / sum(s.calls) / 1000 AS mean
  FROM {schema}.pg_stat_statements(false) s
 WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND s.calls > 0
 GROUP BY s.queryid HAVING s.queryid IS NULL OR sum(s.calls) >= {least}
 ORDER BY s.queryid IS NULL DESC, mean DESC LIMIT {most}
"""
"""`false`: without the texts. The id of a statement that our role may not see is NULL."""


async def take(connection: Connection, run: Run, check: PostgresCheck) -> None:
    """Note the slowest; raises `Failure` where there are none to be had."""
    extension = await connection.fetchrow(EXTENSION)
    if extension is None:
        raise Failure(Reason.MISSING, "statements: this database lacks its part: CREATE EXTENSION pg_stat_statements")
    total = next(name for name in TOTAL if name in extension["columns"])
    query = STATEMENTS.format(total=total, schema=extension["schema"], least=check.min_calls, most=MOST_STATEMENTS + 1)
    rows = await connection.fetch(query)
    if rows and rows[0]["queryid"] is None:
        raise Failure(Reason.AUTH, "statements: those of other roles are hidden from ours, which needs pg_monitor")
    for row in rows[:MOST_STATEMENTS]:
        run.note("statement_mean", row["mean"], queryid=row["queryid"])
        run.note("statement_calls", row["calls"], queryid=row["queryid"])
    if rows:
        worst = rows[0]
        calls = f"{worst['calls']:,.0f} call{'' if worst['calls'] == 1 else 's'}"
        mean = show_duration(worst["mean"])
        run.remark("statement_mean", f"the slowest has queryid {worst['queryid']}: {calls}, {mean} in the mean")

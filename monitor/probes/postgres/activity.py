"""What the database has done since its statistics began, and what it stands on: counters, age, uptime."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from monitor.probes.base import MeasureSpec
from monitor.units import Unit, show_duration

if TYPE_CHECKING:
    from monitor.databases import Connection
    from monitor.probes.base import Run
    from monitor.probes.postgres import PostgresCheck

COUNTERS = {
    "commits": ("xact_commit", Unit.NUMBER, "transactions that were committed; a counter"),
    "rollbacks": ("xact_rollback", Unit.NUMBER, "transactions that were rolled back; a counter"),
    "deadlocks": ("deadlocks", Unit.NUMBER, "deadlocks; a counter"),
    "temp_files": ("temp_files", Unit.NUMBER, "files that queries wrote for want of work_mem; a counter"),
    "temp_bytes": ("temp_bytes", Unit.BYTES, "the bytes in these; a counter"),
    "conflicts": ("conflicts", Unit.NUMBER, "queries on a standby that recovery cancelled; a counter"),
    "checksum_failures": ("checksum_failures", Unit.NUMBER, "pages that were found damaged; a counter"),
}
"""Counters of pg_stat_database by its columns, of which a server has those of its version."""
ENDS = ("abandoned", "fatal", "killed")
WRAPAROUND = 2**31
"""So many transactions may lie between the oldest row and the newest before the server stops to write."""

MEASURES = (
    *(
        MeasureSpec(name, unit, meaning, metric=f"monitor_postgres_{name}")
        for name, (_, unit, meaning) in COUNTERS.items()
    ),
    MeasureSpec("sessions_ended", Unit.NUMBER, "sessions that ended badly, from PostgreSQL 14 on; a counter", ("how",)),
    MeasureSpec("buffer_hit_share", Unit.RATIO, "blocks found in the server's memory, of all since the last run"),
    MeasureSpec("wraparound_share", Unit.RATIO, "the age of the server's oldest row, of what wraps around"),
    MeasureSpec("oldest_prepared", Unit.SECONDS, "the age of the oldest prepared transaction in the database"),
    MeasureSpec("uptime", Unit.SECONDS, "since when the server runs"),
    MeasureSpec("standby", Unit.NUMBER, "1 on a server that follows another one, else 0"),
)
ACTIVITY = """
SELECT (SELECT to_jsonb(s) FROM pg_stat_database s WHERE s.datname = current_database())::text AS counters,
       extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS uptime,
       pg_is_in_recovery()::int AS standby,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - min(p.prepared)) FROM pg_prepared_xacts p
                  WHERE p.database = current_database()), 0)::float8 AS oldest_prepared,
       old.datname::text AS oldest, old.age
  FROM (SELECT d.datname, greatest(age(d.datfrozenxid), mxid_age(d.datminmxid)) AS age FROM pg_database d
         ORDER BY 2 DESC LIMIT 1) old
"""


async def take(connection: Connection, run: Run, _check: PostgresCheck) -> None:
    """Note them all, by the columns that there are."""
    row = await connection.fetchrow(ACTIVITY)
    counters: dict[str, Any] = json.loads(row["counters"])
    for name, (column, _, _) in COUNTERS.items():
        if counters.get(column) is not None:
            run.note(name, counters[column])
    for how in ENDS:
        if counters.get(f"sessions_{how}") is not None:
            run.note("sessions_ended", counters[f"sessions_{how}"], how=how)
    _note_hits(run, counters["blks_hit"], counters["blks_read"])
    for name in ("uptime", "standby", "oldest_prepared"):
        run.note(name, max(row[name], 0))
    run.note("wraparound_share", row["age"] / WRAPAROUND)
    run.remark("wraparound_share", f"the oldest row of the database {row['oldest']} is {row['age']:,} transactions old")
    if row["oldest_prepared"]:
        age = show_duration(row["oldest_prepared"])
        run.remark("oldest_prepared", f"prepared {age} ago: see pg_prepared_xacts, and COMMIT or ROLLBACK PREPARED")


def _note_hits(run: Run, hit: int, read: int) -> None:
    """Note the share of hits since the last run, if there was one and the statistics did not begin again since."""
    before_hit, before_read = run.memory.get("blocks", (hit, read))
    run.memory["blocks"] = hit, read
    hits, reads = hit - before_hit, read - before_read
    if min(hits, reads) >= 0 and hits + reads:
        run.note("buffer_hit_share", hits / (hits + reads))

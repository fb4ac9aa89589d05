"""Who blocks whom."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from monitor.probes.base import MeasureSpec
from monitor.units import Unit

if TYPE_CHECKING:
    from monitor.databases import Connection
    from monitor.probes.base import Run
    from monitor.probes.postgres import PostgresCheck

MEASURES = (
    MeasureSpec("blocking", Unit.NUMBER, "sessions that wait for a lock of this application", ("application",)),
)
MOST_WAITING = 50
MOST_SHOWN = 3
BLOCKING = """
SELECT w.pid AS waiting, w.application AS waiter, b.pid AS blocker,
       CASE WHEN b.pid = 0 THEN 'a prepared transaction'
            ELSE coalesce(nullif(a.application_name, ''), 'role ' || a.usename, a.backend_type, 'unnamed')
       END AS application
  FROM (SELECT pid, coalesce(nullif(application_name, ''), 'role ' || usename, backend_type) AS application
          FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
         ORDER BY query_start LIMIT $1) w
 CROSS JOIN LATERAL (SELECT DISTINCT unnest(pg_blocking_pids(w.pid)) AS pid) b
  LEFT JOIN pg_stat_activity a ON a.pid = b.pid
 ORDER BY w.pid
"""
"""`pg_blocking_pids` holds the server's lock table still for a moment, so it is asked of those that wait only."""


async def take(connection: Connection, run: Run, _check: PostgresCheck) -> None:
    """Note who blocks how many, and remark who waits for whom."""
    applications: defaultdict[str, set[int]] = defaultdict(set)
    blockers: defaultdict[tuple[str, int], dict[str, list[int]]] = defaultdict(dict)
    for row in await connection.fetch(BLOCKING, MOST_WAITING):
        applications[row["application"]].add(row["waiting"])
        blockers[row["application"], row["blocker"]].setdefault(row["waiter"], []).append(row["waiting"])
    for application, waiting in applications.items():
        run.note("blocking", len(waiting), application=application)
    worst = sorted(blockers.items(), key=lambda item: -sum(map(len, item[1].values())))
    said = "; ".join(f"{_one(*blocker)} blocks {_all(waiting)}" for blocker, waiting in worst[:MOST_SHOWN])
    if said:
        run.remark("waiting", said)
        run.remark("blocking", said)


def _one(application: str, pid: int) -> str:
    return f"{application} (pid {pid})" if pid else application


def _all(waiting: dict[str, list[int]]) -> str:
    return ", ".join(f"{application} (pid {', '.join(map(str, pids))})" for application, pids in waiting.items())

"""What fills up: the connections of databases and poolers, the memory of Redis, the jobs of queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards import annotation, pgbouncer, postgres, queue, redis, variable
from dashboards.colour import BAD, GOOD, WARNING, steps
from dashboards.layout import Board, Row
from dashboards.panel import About, Look
from dashboards.query import CHOSEN, Query
from dashboards.stat import stat

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Dashboard, Panel

BOARD = Board(
    "monitor-pools",
    "Databases, pools and queues",
    "Connections against their limits, who waits, what grows old, locks, replication; poolers, Redis and queues.",
    "6h",
    [variable.systems()],
    [*annotation.alerts(CHOSEN), annotation.deploys(CHOSEN)],
)
FILLING = steps((0.7, WARNING), (0.9, BAD), best=GOOD)


def board() -> Dashboard:
    """Return the dashboard."""
    parts = [*postgres.rows(), *pgbouncer.rows(), *redis.rows(), *queue.rows()]
    return BOARD.of([Row("Now: the fullest of each", [_fullest()]), *parts])


def _fullest() -> list[Panel]:
    def fullest(title: str, metric: str, meaning: str) -> Panel:
        asked = Query(f"max (monitor_{metric}{{{CHOSEN}}})", "")
        return stat(About(title, meaning, "percentunit", "not watched"), asked, look=Look(FILLING))

    return [
        fullest(
            "PostgreSQL connections",
            "postgres_connection_share_ratio",
            "The share of the tightest limit that is used, of the fullest database. At 100 % nobody gets in: see who "
            "holds them, below.",
        ),
        fullest(
            "PgBouncer pool",
            "pgbouncer_pool_share_ratio",
            "Busy server connections of the pool's size, of the fullest pool. High: clients begin to wait; find the "
            "long transaction, or enlarge the pool.",
        ),
        fullest(
            "Redis memory",
            "redis_memory_share_ratio",
            "The share of the limit that is used, of the fullest server. High: writes are refused or keys dropped "
            "soon; see what grows, or take the next plan.",
        ),
        fullest(
            "Queue workers",
            "queue_busy_share_ratio",
            "Running jobs of what the workers can run at once, of the busiest queue. High for long: add a worker, or "
            "find the job that hangs.",
        ),
    ]

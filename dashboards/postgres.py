"""PostgreSQL: connections against their limit, who waits and for how long, storage, replication."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.layout import Row
from dashboards.lines import lines, stacked
from dashboards.measure import LOOK, SHARE, counted, gauge
from dashboards.panel import About
from dashboards.query import CHOSEN, figures

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel


def rows() -> list[Row]:
    """Return the rows of the dashboard of pools that show it."""
    return [
        Row("PostgreSQL: connections", [[_connections(), _share()], [_held(), _budget()]]),
        Row("PostgreSQL: who waits, and for how long", [[_ages(), _waiting()], [_transactions(), _trouble()]]),
        Row("PostgreSQL: storage and replication", [[_size(), _hits()], [_replicas(), _retained()]]),
    ]


def _connections() -> Panel:
    return stacked(
        About(
            "Connections by state",
            "Client connections of the server by what they do, and the limit. Near the limit: see who holds them; "
            "many `idle in transaction`: an application forgets to end its transactions.",
        ),
        gauge("postgres_connections", "state"),
        gauge("postgres_connection_limit", legend="limit")._replace(figures=True),
        look=LOOK,
    )


def _share() -> Panel:
    return lines(
        About(
            "Share of the limit",
            "How much of the tightest limit is used; dashed, the figures. Above them: lower pool sizes or put "
            "PgBouncer before the database, before it is full.",
            "percentunit",
        ),
        gauge("postgres_connection_share_ratio"),
        figures("connection_share", CHOSEN, "postgres"),
        look=SHARE,
    )


def _held() -> Panel:
    return stacked(
        About(
            "Who holds them",
            "Connections by application, the ten with most. One that grows: it leaks connections; restart it and look "
            "at its newest deploy.",
        ),
        gauge("postgres_held", "application"),
        look=LOOK,
    )


def _budget() -> Panel:
    return lines(
        About(
            "The worst case",
            "The connections that all `clients` open at the worst, against the limit. Above it: one busy hour away "
            "from refusals; lower a pool, or the number of processes.",
            empty="no check knows its `clients`",
        ),
        gauge("postgres_budget", legend="worst case"),
        gauge("postgres_connection_limit", legend="limit")._replace(figures=True),
        look=LOOK,
    )


def _ages() -> Panel:
    return lines(
        About(
            "Oldest of each",
            "Ages of the oldest transaction, the oldest idle one and the longest query; dashed, the figures. High: "
            "VACUUM and locks wait for it; find it in pg_stat_activity and end it.",
            "s",
        ),
        gauge("postgres_oldest_transaction_seconds", legend="transaction"),
        gauge("postgres_oldest_idle_in_transaction_seconds", legend="idle in transaction"),
        gauge("postgres_longest_query_seconds", legend="query"),
        figures("oldest_transaction|oldest_idle_in_transaction|longest_query", CHOSEN, "postgres"),
        look=LOOK,
    )


def _waiting() -> Panel:
    return lines(
        About(
            "Waiting for locks",
            "Sessions that wait for a lock, and for which application's. More than a few: end or wait for the one "
            "that blocks; often a migration or a forgotten transaction.",
            empty="nobody waits",
        ),
        gauge("postgres_waiting", legend="waiting"),
        gauge("postgres_blocking", "application", legend="wait for"),
        figures("waiting", CHOSEN, "postgres"),
        look=LOOK,
    )


def _transactions() -> Panel:
    return lines(
        About(
            "Transactions a minute",
            "Committed and rolled back. Many rollbacks: the application fails in its transactions; look at its errors.",
            "cpm",
        ),
        counted("postgres_commits", "committed"),
        counted("postgres_rollbacks", "rolled back"),
        look=LOOK,
    )


def _trouble() -> Panel:
    return lines(
        About(
            "Trouble a minute",
            "Deadlocks, files written for want of work_mem, sessions that ended badly. Deadlocks: take locks in one "
            "order; files: a query sorts too much.",
            "cpm",
        ),
        counted("postgres_deadlocks", "deadlocks"),
        counted("postgres_temp_files", "temporary files"),
        counted("postgres_sessions_ended", "ended", "how"),
        look=LOOK,
    )


def _size() -> Panel:
    return lines(
        About(
            "Size, and the largest tables",
            "The database on disk, and its ten largest tables. Growing fast: see which table; delete, archive or "
            "partition before the plan's limit.",
            "bytes",
            "size is not measured",
        ),
        gauge("postgres_size_bytes"),
        gauge("postgres_table_size_bytes", "table"),
        look=LOOK,
    )


def _hits() -> Panel:
    return lines(
        About(
            "Found in memory, and age to wraparound",
            "Blocks found in memory: low means that the work no longer fits, or a scan without an index. Age of the "
            "oldest row of what wraps around: above a half, VACUUM is held back.",
            "percentunit",
        ),
        gauge("postgres_buffer_hit_share_ratio", legend="in memory"),
        gauge("postgres_wraparound_share_ratio", legend="to wraparound"),
        look=SHARE,
    )


def _replicas() -> Panel:
    return lines(
        About(
            "Replication lag",
            "How long ago what a replica shows was written, told by the primary and by the standby itself. High: "
            "readers see old data, and a failover loses it; look at the standby's disk and network.",
            "s",
            "no replica",
        ),
        gauge("postgres_replica_lag_seconds", "replica"),
        gauge("postgres_replay_lag_seconds", legend="as the standby says"),
        look=LOOK,
    )


def _retained() -> Panel:
    return lines(
        About(
            "Kept for replicas",
            "What replicas have still to replay, and what slots keep on the disk. A slot that only grows fills the "
            "disk: start its reader, or drop it.",
            "bytes",
            "no replica, no slot",
        ),
        gauge("postgres_replica_behind_bytes", "replica", legend="behind:"),
        gauge("postgres_slot_retained_bytes", "slot", legend="slot"),
        look=LOOK,
    )

"""PgBouncer: clients and server connections of its pools, and who waits for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.colour import YES_OR_NO
from dashboards.layout import Row
from dashboards.lines import lines, stacked
from dashboards.measure import BOTH, LOOK, SHARE, gauge
from dashboards.panel import About, Look
from dashboards.query import CHOSEN, figures
from dashboards.timeline import timeline

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel


def rows() -> list[Row]:
    """Return the rows of the dashboard of pools that show it."""
    return [
        Row("PgBouncer", [[_clients(), _servers()], [_pool_share(), _pool_waits()], [_paused(), _times()]]),
    ]


def _clients() -> Panel:
    return stacked(
        About(
            "Clients by state",
            "Clients of each pool. Waiting ones: all server connections are busy; see the pool's share and the "
            "longest wait.",
        ),
        gauge("pgbouncer_clients", "database, user, state"),
        look=LOOK,
    )


def _servers() -> Panel:
    return stacked(
        About(
            "Server connections by state",
            "Connections to the server behind. Only active ones: the pool is full; find the long transaction before "
            "you enlarge the pool.",
        ),
        gauge("pgbouncer_servers", "database, user, state"),
        look=LOOK,
    )


def _pool_share() -> Panel:
    return lines(
        About(
            "Share of pools and of clients",
            "Busy server connections of each pool, clients of max_client_conn; dashed, the figures. Above them: "
            "clients wait, and are refused at last.",
            "percentunit",
        ),
        gauge("pgbouncer_pool_share_ratio", "database", legend="pool"),
        gauge("pgbouncer_client_share_ratio", legend="clients"),
        figures("pool_share|client_share", CHOSEN, "pgbouncer"),
        look=SHARE,
    )


def _pool_waits() -> Panel:
    return lines(
        About(
            "Longest wait",
            "How long the client has waited that waits longest; dashed, the figures. Seconds: users wait as long; a "
            "long transaction holds the pool.",
            "s",
        ),
        gauge("pgbouncer_longest_wait_seconds", "database"),
        figures("longest_wait", CHOSEN, "pgbouncer"),
        look=LOOK,
    )


def _paused() -> Panel:
    return timeline(
        About(
            "Paused or disabled",
            "A lane that says yes takes no queries: somebody said PAUSE or DISABLE, and RESUME or ENABLE ends it.",
            "none",
        ),
        gauge("pgbouncer_paused", "database", legend="paused:"),
        gauge("pgbouncer_disabled", "database", legend="disabled:"),
        look=Look(words=YES_OR_NO, links=BOTH),
    )


def _times() -> Panel:
    return lines(
        About(
            "Average times",
            "An average query, transaction and wait of PgBouncer's last period. Transactions much longer than "
            "queries: the application does other things inside them.",
            "s",
        ),
        gauge("pgbouncer_query_time_seconds", "database", legend="query"),
        gauge("pgbouncer_transaction_time_seconds", "database", legend="transaction"),
        gauge("pgbouncer_wait_time_seconds", "database", legend="wait"),
        look=LOOK,
    )

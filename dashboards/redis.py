"""Redis and Valkey: memory and connections against their limits, and what is lost for want of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboards.layout import Row
from dashboards.lines import lines
from dashboards.measure import LOOK, SHARE, counted, gauge
from dashboards.panel import About
from dashboards.query import CHOSEN, figures

if TYPE_CHECKING:
    from grafana_foundation_sdk.models.dashboard import Panel


def rows() -> list[Row]:
    """Return the rows of the dashboard of pools that show it."""
    return [
        Row("Redis", [[_memory(), _memory_share()], [_redis_clients(), _lost()], [_ping(), _redis_hits()]]),
    ]


def _memory() -> Panel:
    return lines(
        About(
            "Memory",
            "What data and server take, and the limit. Growing without end: keys without an expiry; look with `redis- "
            "cli --bigkeys`.",
            "bytes",
        ),
        gauge("redis_memory_bytes", legend="used"),
        gauge("redis_memory_limit_bytes", legend="limit")._replace(figures=True),
        look=LOOK,
    )


def _memory_share() -> Panel:
    return lines(
        About(
            "Share of the limit",
            "Memory of its limit, connections of maxclients; dashed, the figures. Above them: writes are refused or "
            "keys dropped, or nobody gets in.",
            "percentunit",
        ),
        gauge("redis_memory_share_ratio", legend="memory"),
        gauge("redis_client_share_ratio", legend="clients"),
        figures("memory_share|client_share", CHOSEN, "redis"),
        look=SHARE,
    )


def _redis_clients() -> Panel:
    return lines(
        About(
            "Connections",
            "All of them, and those that wait in a blocking command, as idle workers do; replicas. All growing: a "
            "client leaks them; none blocked: the workers are gone.",
        ),
        gauge("redis_clients"),
        gauge("redis_blocked", legend="blocked"),
        gauge("redis_replicas", legend="replicas"),
        look=LOOK,
    )


def _lost() -> Panel:
    return lines(
        About(
            "Lost a minute",
            "Keys dropped, writes refused for want of memory, connections refused. Any: the server is full; a queue "
            "loses jobs where keys are dropped.",
            "cpm",
        ),
        counted("redis_evicted", "dropped"),
        counted("redis_refused", "refused writes"),
        counted("redis_rejected", "refused connections"),
        look=LOOK,
    )


def _ping() -> Panel:
    return lines(
        About(
            "From PING to PONG",
            "How long the server takes for the least it can do; dashed, the figures. High: a slow command holds all "
            "others (SLOWLOG), or the machine swaps.",
            "s",
        ),
        gauge("redis_ping_seconds"),
        figures("ping", CHOSEN, "redis"),
        look=LOOK,
    )


def _redis_hits() -> Panel:
    return lines(
        About(
            "Lookups that found their key",
            "Of all lookups since the run before. Low: the cache was emptied, or keys expire before they are used.",
            "percentunit",
            "no lookups",
        ),
        gauge("redis_hit_share_ratio"),
        look=SHARE,
    )

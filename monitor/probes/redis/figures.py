"""What the lines of INFO mean. Pure.

The names are those of genRedisInfoString in server.c; each may be absent: a provider hides some, a release lacks some.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from monitor.keyvalue import number
from monitor.units import Unit, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.keyvalue import Info

AS_THEY_ARE: Mapping[str, str] = {
    "memory": "used_memory",
    "fragmentation": "mem_fragmentation_ratio",
    "evicted": "evicted_keys",
    "clients": "connected_clients",
    "blocked": "blocked_clients",
    "rejected": "rejected_connections",
    "hits": "keyspace_hits",
    "misses": "keyspace_misses",
    "uptime": "uptime_in_seconds",
}
"""Measures, and what the server calls them."""

OUTCOMES = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
KEEPS_ALL = "noeviction"
_REPLICA = re.compile(r"slave\d+")


class Counted(NamedTuple):
    """What a server had counted by some moment, None where it does not tell; `run` is another after each start."""

    run: str
    hits: float | None
    misses: float | None
    refused: float | None


def figures(info: Info, limit: float | None, policy: str | None, database: int) -> dict[str, float]:
    """Return the measures that `info` holds; `limit` is the plan's memory and `policy` what is wanted, if given."""
    found = {name: value for name, source in AS_THEY_ARE.items() if (value := info.number(source)) is not None}
    found |= _memory(info, limit) | _replication(info) | _persistence(info)
    if "clients" in found and (most := info.number("maxclients")):
        found["client_share"] = found["clients"] / most
    if info.has("keyspace"):
        found["keys"] = number(info.parts(f"db{database}").get("keys", "")) or 0.0
    if (refused := counted(info).refused) is not None:
        found["refused"] = refused
    if policy and (actual := info.word("maxmemory_policy")):
        found["policy_wrong"] = float(actual != policy)
    return found


def counted(info: Info) -> Counted:
    """Return what the server has counted."""
    refused = number(info.parts("errorstat_OOM").get("count", "")) or 0.0 if info.has("errorstats") else None
    return Counted(info.word("run_id"), info.number("keyspace_hits"), info.number("keyspace_misses"), refused)


def hit_share(before: Counted | None, now: Counted) -> float | None:
    """Return the share of hits in what was looked up from `before` to `now`; None if that cannot be told."""
    hits, misses = _more(before, now, "hits"), _more(before, now, "misses")
    return hits / (hits + misses) if hits is not None and misses is not None and hits + misses else None


def full(info: Info, before: Counted | None, now: Counted) -> str:
    """Return what shows that the server refuses writes for lack of memory; empty if nothing does.

    A write is refused while more is used than maxmemory, the write itself counted in (evict.c): a look that comes
    between two of them may find a little less. So does one that finds the errors counted.
    """
    if more := _more(before, now, "refused"):
        return f"{more:,.0f} refused since the run before"
    used, limit = info.number("used_memory"), info.number("maxmemory")
    spared = info.number("mem_not_counted_for_evict") or 0.0
    if used and limit and used - spared > limit and info.word("maxmemory_policy") == KEEPS_ALL:
        return "over its maxmemory, evicts nothing"
    return ""


def _more(before: Counted | None, now: Counted, name: str) -> float | None:
    """Return by how much a count has grown; None over a restart, or where counts began anew."""
    one, other = getattr(before, name, None), getattr(now, name)
    if before is None or before.run != now.run or one is None or other is None or one > other:
        return None
    return float(other - one)


def remarks(info: Info, found: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Yield the measures that need words with them, for whoever is told of one, and these words."""
    policy = info.word("maxmemory_policy") or "unknown"
    if "memory_share" in found:
        used, limit = (show(found[name], Unit.BYTES) for name in ("memory", "memory_limit"))
        yield "memory_share", f"{used} of {limit} are used; maxmemory_policy is {policy}."
    if "evicted" in found:
        yield "evicted", f"{found['evicted']:,.0f} keys were evicted since the start; maxmemory_policy is {policy}."
    if "policy_wrong" in found:
        yield "policy_wrong", f"maxmemory_policy is {policy}."
    if "client_share" in found:
        yield "client_share", f"{found['clients']:,.0f} of {info.word('maxclients')} connections are used."
    if found.get("persistence_failed"):
        failed = ", ".join(name for name in OUTCOMES if info.word(name) not in {"", "ok"})
        yield "persistence_failed", f"Not ok: {failed}."


def _memory(info: Info, limit: float | None) -> dict[str, float]:
    limit, used = limit or info.number("maxmemory"), info.number("used_memory")
    if not limit:
        return {}
    return {"memory_limit": limit} | ({} if used is None else {"memory_share": used / limit})


def _persistence(info: Info) -> dict[str, float]:
    found = {}
    outcomes = [word for name in OUTCOMES if (word := info.word(name))]
    if outcomes:
        found["persistence_failed"] = float(any(word != "ok" for word in outcomes))
    now, saved = info.number("server_time_usec"), info.number("rdb_last_save_time")
    if now and saved:
        found["save_age"] = max(0.0, now / 1e6 - saved)
    return found


def _replication(info: Info) -> dict[str, float]:
    match info.word("role"):
        case "slave" | "replica":
            lag = info.number("master_last_io_seconds_ago")
            heard = {} if lag is None or lag < 0 else {"replication_lag": lag}
            return {"replication_up": float(info.word("master_link_status") == "up")} | heard
        case "master":
            lags = [number(info.parts(name).get("lag", "")) for name in info.names() if _REPLICA.fullmatch(name)]
            known = [lag for lag in lags if lag is not None]
            count = info.number("connected_slaves")
            found = {} if count is None else {"replicas": count}
            return found | ({"replication_lag": max(known)} if known else {})
        case _:
            return {}

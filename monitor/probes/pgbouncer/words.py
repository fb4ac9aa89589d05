"""What the figures of a PgBouncer mean, in a line each: who waits where, and the arithmetic of the pool. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from monitor.probes.pgbouncer.pools import Bouncer, Database, Pool

MOST_SAID = 3
"""How many pools or databases are named."""


def remarks(bouncer: Bouncer) -> Iterator[tuple[str, str]]:
    """Yield the measures that say something is not well, each with what it means."""
    databases = list(bouncer.databases.values())
    if waiting := _waiting(databases):
        yield "waiting", waiting
        yield "longest_wait", waiting
    full = max(databases, key=lambda database: database.share or 0.0, default=None)
    if full and full.share and (pool := full.fullest):
        yield "pool_share", f"{full.name}, {pool.user}: {_taken(pool, full)}, {full.waiting:,} clients wait"
    if bouncer.share is not None:
        yield "client_share", f"{bouncer.clients:,} of {bouncer.most:,} clients (max_client_conn)"
    if paused := _names(each.name for each in databases if each.paused):
        yield "paused", f"{paused}: clients wait until RESUME on the console"
    if disabled := _names(each.name for each in databases if each.disabled):
        yield "disabled", f"{disabled}: new clients are refused until ENABLE on the console"


def _waiting(databases: Sequence[Database]) -> str:
    pools = [(pool, database) for database in databases for pool in database.pools if pool.waiting]
    pools.sort(key=lambda found: (found[0].longest or 0.0, found[0].waiting), reverse=True)
    said = [_wait(pool, database) for pool, database in pools[:MOST_SAID]]
    return "; ".join([*said, *_more(len(pools) - MOST_SAID, "pools")])


def _wait(pool: Pool, database: Database) -> str:
    who = f"{pool.waiting:,} clients of {pool.user} wait" if pool.waiting > 1 else f"a client of {pool.user} waits"
    longest = "" if pool.longest is None else f", the first for {show_duration(pool.longest)}"
    why = f"{database.name} is paused" if database.paused else _taken(pool, database)
    return f"{who} for {database.name}{longest}: {why}"


def _taken(pool: Pool, database: Database) -> str:
    if not database.size:
        return f"{pool.busy:,} server connections are busy"
    if database.most and database.busy >= database.most:
        return f"{database.busy:,} of {database.most:,} server connections are busy (max_db_connections)"
    total = database.size + database.reserve
    reserve = f" + reserve {database.reserve:,}" if database.reserve else ""
    return f"{pool.busy:,} of {total:,} server connections are busy (pool_size {database.size:,}{reserve})"


def _names(names: Iterable[str]) -> str:
    found = sorted(names)
    return ", ".join([*found[:MOST_SAID], *_more(len(found) - MOST_SAID, "databases")])


def _more(count: int, noun: str) -> list[str]:
    return [f"and {count:,} more {noun}"] if count > 0 else []

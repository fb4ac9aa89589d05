"""From the console's answers to what they say of each pool and database. Pure.

Columns are read by their names, since each version has others: what is not there is not known, what is new is passed
over. The names are those of src/admin.c and src/stats.c of PgBouncer 1.12 to 1.25, their meaning that of doc/usage.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    Rows = Sequence[Mapping[str, str]]

INTERNAL = "pgbouncer"
"""The console's own database."""
CLIENTS: Mapping[str, Sequence[str]] = {
    "active": ("cl_active",),
    "waiting": ("cl_waiting",),
    "cancelling": ("cl_active_cancel_req", "cl_waiting_cancel_req", "cl_cancel_req"),
}
SERVERS: Mapping[str, Sequence[str]] = {
    "active": ("sv_active",),
    "idle": ("sv_idle",),
    "used": ("sv_used",),
    "tested": ("sv_tested",),
    "login": ("sv_login",),
    "cancelling": ("sv_active_cancel", "sv_being_canceled"),
}
FREE = frozenset({"idle", "used"})
"""States of a server connection that a waiting client can have: `used` is one that has been idle for a while."""
TIMES: Mapping[str, str] = {
    "query_time": "avg_query_time",
    "transaction_time": "avg_xact_time",
    "wait_time": "avg_wait_time",
}
MICROSECOND = 1e-6
LONGEST_NUMBER = 18


@dataclass(frozen=True, slots=True)
class Answers:
    """What the console answered to each SHOW; nothing where its version does not know that one."""

    pools: Rows = ()
    databases: Rows = ()
    stats: Rows = ()
    lists: Rows = ()
    config: Rows = ()
    state: Rows = ()


@dataclass(frozen=True, slots=True)
class Pool:
    """The connections of one user to one database. `longest`: how many seconds the first waiting client has waited."""

    database: str
    user: str
    longest: float | None = None
    clients: Mapping[str, int] = field(default_factory=dict)
    servers: Mapping[str, int] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Return how many clients wait for a server connection."""
        return self.clients.get("waiting", 0)

    @property
    def busy(self) -> int:
        """Return how many server connections no waiting client can have now."""
        return sum(count for state, count in self.servers.items() if state not in FREE)


@dataclass(frozen=True, slots=True)
class Database:
    """One database and its pools. `most` is a limit over all of these, 0: none. What is None is not known."""

    name: str
    pools: tuple[Pool, ...] = ()
    size: int = 0
    reserve: int = 0
    most: int = 0
    paused: bool | None = None
    disabled: bool | None = None
    times: Mapping[str, float] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Return how many clients wait for a server connection."""
        return sum(pool.waiting for pool in self.pools)

    @property
    def longest(self) -> float | None:
        """Return how many seconds the client has waited that waits longest."""
        return max((pool.longest for pool in self.pools if pool.longest is not None), default=None)

    @property
    def busy(self) -> int:
        """Return how many server connections no waiting client can have now."""
        return sum(pool.busy for pool in self.pools)

    @property
    def fullest(self) -> Pool | None:
        """Return the pool in which most server connections are busy."""
        return max(self.pools, key=lambda pool: pool.busy, default=None)

    @property
    def share(self) -> float | None:
        """Return the share that is busy: of the fullest pool, or of all connections where those are the fewer."""
        fullest = self.fullest
        if fullest is None or not fullest.servers or not self.size:
            return None
        whole = self.busy / self.most if self.most else 0.0
        return max(fullest.busy / (self.size + self.reserve), whole)


@dataclass(frozen=True, slots=True)
class Bouncer:
    """The whole process. `clients`: all there are, without ourselves; `most`: how many it takes. None: not known."""

    databases: Mapping[str, Database]
    clients: int | None = None
    most: int | None = None

    @property
    def share(self) -> float | None:
        """Return the share of its clients that it has."""
        return None if self.clients is None or not self.most else self.clients / self.most


def read(answers: Answers, only: Collection[str] = ()) -> Bouncer:
    """Return what `answers` say of the databases named in `only`, or of all but the console's own."""
    known, times = _by(answers.databases, "name"), _by(answers.stats, "database")
    pools: dict[str, list[Pool]] = {name: [] for name in known}
    for row in answers.pools:
        if {"database", "user"} <= row.keys():
            pools.setdefault(row["database"], []).append(_pool(row))
    stopped = _by(answers.state, "key")
    all_paused = any(stopped.get(key, {}).get("value") == "yes" for key in ("paused", "suspended"))
    databases = {
        name: _database(name, tuple(found), known.get(name, {}), times.get(name, {}), all_paused=all_paused)
        for name, found in pools.items()
        if name != INTERNAL and (not only or name in only)
    }
    clients = _number(_by(answers.lists, "list").get("used_clients", {}), "items")
    most = _number(_by(answers.config, "key").get("max_client_conn", {}), "value")
    return Bouncer(databases, None if clients is None else max(clients - 1, 0), most)


def _by(rows: Rows, column: str) -> dict[str, Mapping[str, str]]:
    return {row[column]: row for row in rows if column in row}


def _pool(row: Mapping[str, str]) -> Pool:
    whole, part = _number(row, "maxwait"), _number(row, "maxwait_us")
    longest = None if whole is None else whole + (part or 0) * MICROSECOND
    return Pool(row["database"], row["user"], longest, _states(row, CLIENTS), _states(row, SERVERS))


def _states(row: Mapping[str, str], columns: Mapping[str, Sequence[str]]) -> dict[str, int]:
    found = {
        state: [number for name in names if (number := _number(row, name)) is not None]
        for state, names in columns.items()
    }
    return {state: sum(numbers) for state, numbers in found.items() if numbers}


def _database(
    name: str, pools: tuple[Pool, ...], row: Mapping[str, str], times: Mapping[str, str], *, all_paused: bool
) -> Database:
    paused, disabled = _number(row, "paused"), _number(row, "disabled")
    found = {measure: _number(times, column) for measure, column in TIMES.items()}
    return Database(
        name,
        pools,
        size=_number(row, "pool_size") or 0,
        reserve=_number(row, "reserve_pool_size") or _number(row, "reserve_pool") or 0,  # the name before 1.24
        most=_number(row, "max_connections") or 0,
        paused=True if all_paused else None if paused is None else paused > 0,
        disabled=None if disabled is None else disabled > 0,
        times={measure: number * MICROSECOND for measure, number in found.items() if number is not None},
    )


def _number(row: Mapping[str, str], name: str) -> int | None:
    text = row.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else None

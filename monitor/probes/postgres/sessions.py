"""Who is connected, and what they have been doing for how long.

A role without pg_monitor sees that sessions of others exist, whose they are and in which database, and nothing else of
them: `backend_type` is NULL (PostgreSQL 13 to 18, seen on each). A count by state would then count little but us.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.probes.base import MeasureSpec
from monitor.probes.postgres.limits import UNLIMITED, Held, holders, limits, tightest
from monitor.units import Unit, show_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.databases import Connection
    from monitor.probes.base import Run
    from monitor.probes.postgres.limits import Limit

MOST_HOLDERS = 10
ORDINARY = ("active", "idle", "idle in transaction", "idle in transaction (aborted)")
AGES = {
    "oldest_transaction": "in a transaction for",
    "oldest_idle_in_transaction": "idle in a transaction for",
    "longest_query": "in a query for",
}
"""Each age, and what the session has been in meanwhile."""
OF_STATES = ("connections", *AGES, "waiting", "blocking")
"""What cannot be told while sessions are hidden."""

MEASURES = (
    MeasureSpec("connections", Unit.NUMBER, "client connections of the whole server by what they do", ("state",)),
    MeasureSpec("hidden", Unit.NUMBER, "client connections of which our role may not see what they do"),
    MeasureSpec("connection_limit", Unit.NUMBER, "how many connections the tightest limit allows"),
    MeasureSpec("connection_share", Unit.RATIO, "how much of that limit is used; at 100 % we are down", exceeds=True),
    MeasureSpec(
        "held",
        Unit.NUMBER,
        "client connections of the whole server, of the ten applications with most and all `other`",
        ("application",),
    ),
    MeasureSpec("oldest_transaction", Unit.SECONDS, "the age of the oldest transaction in the database"),
    MeasureSpec("oldest_idle_in_transaction", Unit.SECONDS, "how long a session has done nothing in a transaction"),
    MeasureSpec("longest_query", Unit.SECONDS, "how long the longest query has been running"),
    MeasureSpec("waiting", Unit.NUMBER, "sessions that wait for a lock"),
)

SESSIONS = """
SELECT coalesce(a.datid = d.oid, false) AS here, coalesce(a.usename::text, '') AS role,
       coalesce(r.rolconnlimit, -1) AS role_limit, coalesce(r.rolsuper, false) AS superuser,
       coalesce(nullif(a.application_name, ''), 'role ' || a.usename, 'unnamed') AS application,
       a.backend_type IS NULL AS hidden, a.pid = pg_backend_pid() AS ours, coalesce(a.state, '') AS state,
       d.datconnlimit AS database_limit,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - coalesce(current_setting('reserved_connections', true)::int, 0) AS slots,
       count(*) AS sessions, count(*) FILTER (WHERE a.wait_event_type = 'Lock') AS waiting,
       min(a.xact_start) AS oldest_transaction,
       (array_agg(a.pid ORDER BY a.xact_start))[1] AS oldest_transaction_pid,
       min(a.state_change) FILTER (WHERE a.state LIKE 'idle in transaction%') AS oldest_idle_in_transaction,
       (array_agg(a.pid ORDER BY a.state_change))[1] AS oldest_idle_in_transaction_pid,
       min(a.query_start) FILTER (WHERE a.state = 'active') AS longest_query,
       (array_agg(a.pid ORDER BY a.query_start))[1] AS longest_query_pid,
       clock_timestamp() AS now
  FROM pg_stat_activity a
  JOIN pg_database d ON d.datname = current_database()
  LEFT JOIN pg_roles r ON r.oid = a.usesysid
 WHERE a.backend_type = 'client backend' OR (a.backend_type IS NULL AND a.datid IS NOT NULL AND a.usesysid IS NOT NULL)
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""
"""Sessions that are alike, counted. `reserved_connections` is there from PostgreSQL 16 on. To a role that may not see
more, a parallel worker looks like a client: its count errs upwards.
"""


class Age(NamedTuple):
    """The oldest of something: whose it is, and since how many seconds."""

    seconds: float = 0.0
    application: str = ""
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Sessions:
    """What is known of all sessions at one moment. `waiting` and `ages` are of this database alone."""

    held: tuple[Held, ...]
    states: Mapping[str, int]
    slots: int
    database_limit: int
    waiting: int
    ages: Mapping[str, Age]

    @property
    def hidden(self) -> int:
        """Return how many are hidden from our role."""
        return sum(held.sessions for held in self.held if held.hidden)

    @property
    def role(self) -> str:
        """Return our own role."""
        return next(held.role for held in self.held if held.ours)

    @property
    def allowed(self) -> int:
        """Return how many connections the server and the database allow, whoever asks."""
        return min(self.slots, self.database_limit) if self.database_limit > UNLIMITED else self.slots

    def limit(self, plan: int | None) -> Limit:
        """Return the limit that is nearest, that of a `plan` among them if there is one."""
        return tightest(limits(self.held, self.slots, self.database_limit, plan))


async def read_sessions(connection: Connection) -> Sessions:
    """Ask who is connected."""
    rows = await connection.fetch(SESSIONS)
    states = Counter[str]()
    for row in rows:
        states[row["state"]] += row["sessions"]
    here = [row for row in rows if row["here"] and not row["ours"]]
    return Sessions(
        held=tuple(Held(*(row[name] for name in Held._fields)) for row in rows),
        states=states,
        slots=rows[0]["slots"],
        database_limit=rows[0]["database_limit"],
        waiting=sum(row["waiting"] for row in here),
        ages={name: _oldest(here, name) for name in AGES},
    )


def _oldest(rows: Sequence[Any], name: str) -> Age:
    oldest = min((row for row in rows if row[name]), key=lambda row: row[name], default=None)
    if oldest is None:
        return Age()
    seconds = (oldest["now"] - oldest[name]).total_seconds()
    return Age(max(seconds, 0.0), oldest["application"], oldest[f"{name}_pid"])


def note_sessions(run: Run, sessions: Sessions, limit: Limit) -> None:
    """Note everything that can be told of them."""
    run.note("connection_limit", limit.size)
    run.note("connection_share", limit.share)
    run.remark("connection_share", f"{'at most ' if sessions.hidden else ''}{limit}")
    for application, count in holders(sessions.held, MOST_HOLDERS).items():
        run.note("held", count, application=application)
    run.note("hidden", sessions.hidden)
    if sessions.hidden:
        run.leave_out(*OF_STATES)
        run.remark("hidden", _hidden(sessions))
    else:
        _note_states(run, sessions)


def _note_states(run: Run, sessions: Sessions) -> None:
    for state in sorted({*ORDINARY, *sessions.states}):
        run.note("connections", sessions.states.get(state, 0), state=state or "unknown")
    run.note("waiting", sessions.waiting)
    for name, age in sessions.ages.items():
        run.note(name, age.seconds)
        if age.pid:
            run.remark(name, f"{age.application} (pid {age.pid}) has been {AGES[name]} {show_duration(age.seconds)}")


def _hidden(sessions: Sessions) -> str:
    total = sum(held.sessions for held in sessions.held)
    return (
        f"what {sessions.hidden} of {total} connections do is hidden from the role {sessions.role}, so states, ages and"
        f" locks are not measured: GRANT pg_monitor TO {sessions.role}"
    )

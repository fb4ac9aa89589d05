"""Whether clients wait for PgBouncer's server connections, where, for how long, and how full each pool is."""

from __future__ import annotations

from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from monitor.databases import parse
from monitor.model import Failure, Reason
from monitor.permission import Permission
from monitor.probes.base import Check, MeasureSpec, Run, ThresholdFields
from monitor.probes.database import Dsn
from monitor.probes.pgbouncer.dialling import CONSOLE, connected
from monitor.probes.pgbouncer.pools import Answers, read
from monitor.probes.pgbouncer.words import remarks
from monitor.units import Unit

if TYPE_CHECKING:
    from monitor.databases import Address
    from monitor.probes.pgbouncer.console import Console
    from monitor.probes.pgbouncer.pools import Bouncer, Database, Pool
    from monitor.secrets import Secret

MOST = 50
"""How many pools, and how many databases, are measured by name: more would not fit into one sample."""
WHO_HOLDS = (
    "In the database, look for long queries and for sessions that are idle in transaction: each holds a connection of "
    "the pool. If none is odd, the pool is too small for the load: raise its size as far as the database has room."
)


def _of_the_console(dsn: Secret) -> Secret:
    if parse(dsn.reveal()).options["database"] != CONSOLE:
        raise ValueError(f"the console is the database {CONSOLE}: postgresql://user:password@host:6432/{CONSOLE}")
    return dsn


class PgbouncerCheck(Check):
    """Asks PgBouncer's console how its pools are. Any version from 1.12 on; it never changes anything.

    It connects as a user of `stats_users` or `admin_users`, on a connection of its own for each run: the limit on
    clients keeps nobody from the console, so a full PgBouncer is seen as full.
    """

    kind: str = "pgbouncer"
    dsn: Annotated[Dsn, AfterValidator(_of_the_console)]
    """The console: `postgresql://user:password@host:6432/pgbouncer`."""
    databases: list[Annotated[str, Field(min_length=1)]] = Field(default=[])
    """Look at these databases only; default: at all. One that PgBouncer does not have is a failure."""

    measures: ClassVar[tuple[MeasureSpec, ...]] = (
        MeasureSpec("duration", Unit.SECONDS, "the whole run, if it succeeded"),
        MeasureSpec("phase", Unit.SECONDS, "each part of a run: dns, connect, login, query", ("phase",)),
        MeasureSpec("waiting", Unit.NUMBER, "clients that wait for a server connection", ("database", "user")),
        MeasureSpec(
            "longest_wait", Unit.SECONDS, "how long the client has waited that waits longest now", ("database",)
        ),
        MeasureSpec(
            "clients", Unit.NUMBER, "clients by state: active, waiting, cancelling", ("database", "user", "state")
        ),
        MeasureSpec(
            "servers",
            Unit.NUMBER,
            "server connections by state: active, idle, used (idle for a while), tested, login, cancelling",
            ("database", "user", "state"),
        ),
        MeasureSpec(
            "pool_share",
            Unit.RATIO,
            "busy server connections (neither idle nor used) of pool_size and reserve, in the fullest pool of the"
            " database; or of max_db_connections, where that is fuller",
            ("database",),
        ),
        MeasureSpec("client_share", Unit.RATIO, "clients of max_client_conn, over all databases, without ourselves"),
        MeasureSpec("paused", Unit.NUMBER, "1 while the database is paused, or all are", ("database",)),
        MeasureSpec("disabled", Unit.NUMBER, "1 while new clients are refused by DISABLE", ("database",)),
        MeasureSpec("query_time", Unit.SECONDS, "an average query of the last stats_period", ("database",)),
        MeasureSpec("transaction_time", Unit.SECONDS, "an average transaction of that time", ("database",)),
        MeasureSpec("wait_time", Unit.SECONDS, "an average wait for a server connection in that time", ("database",)),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset(
        {
            Reason.TIMEOUT,
            Reason.DNS,
            Reason.REFUSED,
            Reason.RESET,
            Reason.UNREACHABLE,
            Reason.TLS_INVALID,
            Reason.SATURATED,
            Reason.STARTING,
            Reason.AUTH,
            Reason.PROTOCOL,
            Reason.MISSING,
            Reason.UNKNOWN,
        }
    )

    @cached_property
    def address(self) -> Address:
        """Return the console's address."""
        return parse(self.dsn.reveal())

    @property
    def host(self) -> str:
        """Return the host that is connected to."""
        return self.address.host

    @property
    def alone(self) -> str:
        """Return the console: its checks take turns."""
        return self.address.key

    def permissions(self) -> tuple[Permission, ...]:
        """Return the setting that lets its user look, and do nothing else."""
        user = self.address.options.get("user", "monitor")
        at = f"PgBouncer at {self.host}, pgbouncer.ini"
        return (Permission(at, f"stats_users = {user}", "and a line for it in auth_file"),)

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the thresholds on clients that wait and on databases that an operator has stopped."""
        told = (
            {"watch": "waiting", "name": "clients wait", "warning": "> 0", "for": "1m", "remedy": WHO_HOLDS},
            {"watch": "longest_wait", "name": "longest wait", "critical": "> 5s", "remedy": WHO_HOLDS},
            {"watch": "paused", "name": "paused", "warning": "> 0", "for": "5m"},
            {"watch": "disabled", "name": "disabled", "warning": "> 0", "for": "5m"},
        )
        return tuple(ThresholdFields.model_validate(fields) for fields in told)

    async def probe(self, run: Run) -> None:
        """Ask the console, and note what it says; what is measured stays, also when no more clients are taken."""
        started = perf_counter()
        async with connected(self.address, run) as console:
            asked = perf_counter()
            answers = await _ask(console)
            run.note("phase", perf_counter() - asked, phase="query")
        bouncer = read(answers, self.databases)
        _note(run, bouncer)
        for measure, text in remarks(bouncer):
            run.remark(measure, text)
        self._judge(bouncer)
        run.note("duration", perf_counter() - started)

    def _judge(self, bouncer: Bouncer) -> None:
        if missing := [name for name in self.databases if name not in bouncer.databases]:
            raise Failure(Reason.MISSING, f"PgBouncer has no database {', '.join(missing)}")
        if bouncer.share is not None and bouncer.share >= 1:
            taken = f"{bouncer.clients:,} of {bouncer.most:,} clients (max_client_conn)"
            raise Failure(Reason.SATURATED, f"PgBouncer takes no more clients: it has {taken}")


async def _ask(console: Console) -> Answers:
    """Ask for what every user of the console may see. Never SHOW FDS, which stops all of PgBouncer meanwhile."""
    pools = await console.rows("SHOW POOLS")  # its own is always there
    if not pools or not all({"database", "user", "cl_waiting"} <= row.keys() for row in pools):
        raise Failure(Reason.PROTOCOL, f"{console.place} is no PgBouncer: its SHOW POOLS has other columns")
    return Answers(
        pools,
        await console.rows("SHOW DATABASES"),
        await console.rows("SHOW STATS"),
        await console.rows("SHOW LISTS"),
        await console.rows("SHOW CONFIG"),
        await console.rows("SHOW STATE", optional=True),  # from 1.19 on
    )


def _note(run: Run, bouncer: Bouncer) -> None:
    if bouncer.share is not None:
        run.note("client_share", bouncer.share)
    databases = bouncer.databases.values()
    for pool in sorted((pool for database in databases for pool in database.pools), key=_worst_pool)[:MOST]:
        _note_pool(run, pool)
    for database in sorted(databases, key=_worst)[:MOST]:
        _note_database(run, database)


def _note_pool(run: Run, pool: Pool) -> None:
    run.note("waiting", pool.waiting, database=pool.database, user=pool.user)
    for measure, counts in (("clients", pool.clients), ("servers", pool.servers)):
        for state, count in counts.items():
            run.note(measure, count, database=pool.database, user=pool.user, state=state)


def _note_database(run: Run, database: Database) -> None:
    flags = {"paused": database.paused, "disabled": database.disabled}
    found = {"longest_wait": database.longest, "pool_share": database.share, **flags, **database.times}
    for measure, value in found.items():
        if value is not None:
            run.note(measure, float(value), database=database.name)


def _worst_pool(pool: Pool) -> tuple[float, float, int, str, str]:
    return -pool.waiting, -(pool.longest or 0.0), -pool.busy, pool.database, pool.user


def _worst(database: Database) -> tuple[bool, int, int, str]:
    return not (database.paused or database.disabled), -database.waiting, -database.busy, database.name

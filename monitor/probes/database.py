"""What checks of a PostgreSQL database share: its address, and its one connection."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, ClassVar, Self, TypeVar

from pydantic import AfterValidator, model_validator

from monitor.databases import parse, read_rights
from monitor.model import Reason
from monitor.probes.base import Check, MeasureSpec
from monitor.probes.neon import NEON_KEY, Neon
from monitor.secrets import Secret
from monitor.units import Unit, show_duration

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from monitor.databases import Address, Connection
    from monitor.permission import Permission, Reads
    from monitor.probes.base import Run

T = TypeVar("T")

SUSPENDING = (".neon.tech",)
"""Ends of the names of hosts that stop a database which nobody is connected to."""
SUSPENDED_AFTER = timedelta(minutes=5)
"""How long such a database must have been idle; fixed on Neon's free plan."""
AWAKE_ALL_MONTH = "about 182 CU-hours a month at 0.25 CU, where Neon's free plan has 100"
OWNERS = frozenset(
    {
        "admin",
        "avnadmin",
        "azure_pg_admin",
        "cloudsqlsuperuser",
        "default",
        "doadmin",
        "master",
        "neondb_owner",
        "pgadmin",
        "postgres",
        "rdsadmin",
        "root",
        "supabase_admin",
    }
)
"""What providers call the role that owns a database or may do everything; Supabase's pooler has `postgres.project`."""


def _readable(dsn: Secret) -> Secret:
    parse(dsn.reveal())
    return dsn


Dsn = Annotated[Secret, AfterValidator(_readable)]


class DatabaseCheck(Check):
    """A check that reads from a PostgreSQL database, over the one connection that all checks of that `dsn` share."""

    dsn: Dsn
    """The database: `postgresql://user:password@host:5432/database`, as its provider gives it."""
    keep: bool | None = None
    """Whether the connection is kept for the next run; default: yes, but not on a host that suspends idle databases.
    Without it every run shows whether the database takes new connections, and costs it a process."""
    neon: Neon | None = None
    """For a database at Neon: look only while its compute is awake, and leave the run out while it sleeps."""
    wake: bool = False
    """Look even if that wakes the database: with `neon`, without asking first. It then costs as if it never slept."""

    measures: ClassVar[tuple[MeasureSpec, ...]] = (
        MeasureSpec("duration", Unit.SECONDS, "the whole run, if it succeeded"),
        MeasureSpec(
            "phase",
            Unit.SECONDS,
            "each part of a run: query; of a new connection dns, connect, login also; api, the question of `neon`",
            ("phase",),
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset(
        {
            Reason.TIMEOUT,
            Reason.DNS,
            Reason.REFUSED,
            Reason.RESET,
            Reason.UNREACHABLE,
            Reason.TLS_INVALID,
            Reason.TLS_EXPIRED,
            Reason.SATURATED,
            Reason.STARTING,
            Reason.AUTH,
            Reason.PROTOCOL,
            Reason.MISSING,
            Reason.STATUS,
            Reason.BODY,
            Reason.RATE_LIMITED,
            Reason.UNKNOWN,
        }
    )

    @model_validator(mode="after")
    def _let_it_sleep(self) -> Self:
        if self.neon and self.keep and not self.wake:
            raise ValueError(
                "a connection that is kept would keep the compute from sleeping: keep does not go with neon"
            )
        return self

    @cached_property
    def address(self) -> Address:
        """Return the database's address."""
        return parse(self.dsn.reveal())

    @property
    def host(self) -> str:
        """Return the host that is connected to."""
        return self.address.host

    @property
    def alone(self) -> str:
        """Return the database: its checks share one connection."""
        return self.address.key

    @property
    def subject(self) -> str:
        """Return the database: what a kind watches of it by itself is watched by one of its checks."""
        return self.address.key

    @property
    def suspends(self) -> bool:
        """Return whether the host stops a database that nobody is connected to."""
        return self.neon is not None or self.host.endswith(SUSPENDING)

    def reads(self) -> tuple[Reads, ...]:
        """Return what it reads there, besides what every role may read."""
        return ()

    def permissions(self) -> tuple[Permission, ...]:
        """Return that of the vendor's API which is asked before the database."""
        return (NEON_KEY,) if self.neon else ()

    def doubts(self) -> Iterator[str]:
        """Yield that our role is one that may do everything, and that a database will never be suspended."""
        user = str(self.address.options.get("user", ""))
        if user.partition(".")[0] in OWNERS:
            yield f"it connects as {user}, who may do more than look: make a role of its own that may not"
        if self.suspends and not self.wake and self.every < SUSPENDED_AFTER:
            awake = "once awake, it never sleeps again" if self.neon else "this one stays awake all month"
            yield (
                f"it asks every {show_duration(self.every.total_seconds())}, and its host suspends a database that has"
                f" been idle for {show_duration(SUSPENDED_AFTER.total_seconds())}: {awake}, {AWAKE_ALL_MONTH}"
            )

    async def inspect(self, run: Run) -> list[str]:
        """Return what our role may do besides looking."""
        rights = await self.read(run, read_rights)
        if not rights.beyond:
            return []
        return [f"its role {rights.role} may do more than look: it {', '.join(rights.beyond)}"]

    async def read(self, run: Run, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` in a read-only transaction and return its result; raises as `Databases.read` does.

        When the database is to be left alone it raises what `Neon.ask` does, and nothing is connected to.
        """
        started = perf_counter()
        if self.neon and not self.wake and not run.awake:
            await self.neon.ask(run, self.host)
            run.awake = True
        left = run.timeout - timedelta(seconds=perf_counter() - started)
        keep = not self.suspends if self.keep is None else self.keep
        return await run.resources.databases.read(self.address, work, run.note, left, keep=keep)

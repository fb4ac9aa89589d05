"""Whether a PostgreSQL database takes connections and answers, and how near it is to its limits."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import cached_property, partial
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field, model_validator

from monitor.databases import Full, apart
from monitor.fields import Size
from monitor.model import Failure, Reason
from monitor.permission import Reads
from monitor.probes.base import MeasureSpec, ThresholdFields
from monitor.probes.database import DatabaseCheck
from monitor.probes.postgres import activity, budget, indexes, locks, replication, sessions, statements, storage
from monitor.probes.postgres.budget import Client, arithmetic, worst_case
from monitor.probes.postgres.sessions import note_sessions, read_sessions
from monitor.units import Unit
from monitor.watch import parse_watch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from monitor.databases import Connection
    from monitor.probes.base import Run
    from monitor.probes.postgres.sessions import Sessions

GroupName = Literal["size", "tables", "dead_rows", "indexes", "statements"]
SHARE = 0.8
"""The part of the deadline within which the last statement must have ended."""

LET_IT_SEE = "Grant it what it lacks, as the message says: until then nobody watches what is hidden."
VACUUM = (
    "Find what holds VACUUM back: a transaction that stays open, a prepared one, a slot that nobody reads, a standby's "
    "feedback, autovacuum turned off. End it, then VACUUM that database, the tables of the greatest age first."
)
SHRINK = (
    "Before they meet: a smaller pool_size or max_overflow, fewer processes, PgBouncer before the database, or a plan "
    "with more connections."
)


class Group(NamedTuple):
    """Measures that are taken together, by `take`."""

    name: str
    measures: tuple[MeasureSpec, ...]
    take: Callable[[Connection, Run, PostgresCheck], Awaitable[None]]


STATEMENTS = Group("statements", statements.MEASURES, statements.take)
LOCKS = Group("locks", locks.MEASURES, locks.take)
ALWAYS = (
    Group("activity", activity.MEASURES, activity.take),
    Group("replication", replication.MEASURES, replication.take),
)
ASKED_FOR = (
    Group("size", storage.SIZES, storage.take_size),
    Group("tables", storage.TABLES, storage.take_tables),
    Group("dead_rows", storage.DEAD_ROWS, storage.take_dead_rows),
    Group("indexes", indexes.MEASURES, indexes.take),
    STATEMENTS,
)
"""What costs the server more than a millisecond or two, the more the more tables there are."""


class PostgresCheck(DatabaseCheck):
    """Asks a PostgreSQL database (13 to 18) who is connected, for how long they have been at what, and how it is.

    It is down, `saturated`, when no connection is left: when the server refuses us for that reason, or when all that
    the tightest limit allows are in use. What is measured is noted then, too.

    Our role needs to be a member of `pg_monitor`. One that is not sees of other sessions that they exist and whose they
    are. The check is still up then, because the database is: a share counted from these (which errs upwards), an outage
    and all that needs no privilege are watched as before, and *unknown* would put an end to that. States, ages and
    locks are left out; `hidden` says of how many sessions, and an implied threshold warns of it. So it is with anything
    else that could not be measured, under `unmeasured`.
    """

    kind: str = "postgres"
    limit: Annotated[int, Field(ge=1)] | None = None
    """The connections that the plan allows; default: what the server says: `max_connections` less what it reserves, the
    limit of the database, those of the roles that are connected to it. The one that is nearest counts in any case."""
    size_limit: Size | None = None
    """The size that the plan allows, such as `1GB`: what `size_share` is a share of."""
    clients: list[Client] = Field(default=[])
    """The programs that keep pools of connections to it: their worst case, and ours of one connection, must fit."""
    measure: list[GroupName] = Field(default=[])
    """Groups of measures to take that cost the server more, though no threshold of the check watches them: `size`
    (`size`, `size_share`), `tables` (`table_size`), `dead_rows`, `indexes`, `statements`."""
    min_calls: Annotated[int, Field(ge=1)] = 5
    """How often a statement must have been called for its mean to count."""

    measures: ClassVar = (
        *DatabaseCheck.measures,
        *sessions.MEASURES,
        *(spec for group in (LOCKS, *ALWAYS, *ASKED_FOR) for spec in group.measures),
        *budget.MEASURES,
        MeasureSpec("unmeasured", Unit.NUMBER, "1 for a group of measures that could not be taken", ("group",)),
    )

    not_shared: ClassVar = frozenset({"unmeasured"})  # others may take other groups

    @model_validator(mode="after")
    def _agree(self) -> PostgresCheck:
        if "size_share" in self._watched and self.size_limit is None:
            raise ValueError("size_share is watched: give a size_limit that it is a share of")
        if self._watched & {"budget", "budget_share"} and not self.clients:
            raise ValueError("the budget is watched: give the clients that make it up")
        return self

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the thresholds on what nobody should have to think of."""
        unmeasured = {"watch": "unmeasured", "warning": "> 0", "for": "10m", "remedy": LET_IT_SEE}
        always = (
            ThresholdFields(watch="hidden", name="hidden sessions", warning="> 0", remedy=LET_IT_SEE),
            ThresholdFields.model_validate(unmeasured),
            ThresholdFields(
                watch="wraparound_share", name="wraparound", warning="> 40%", critical="> 75%", remedy=VACUUM
            ),
        )
        fits = ThresholdFields(watch="budget_share", name="pool budget", warning="> 100%", remedy=SHRINK)
        return (*always, fits) if self.clients else always

    def reads(self) -> tuple[Reads, ...]:
        """Return the role that sees what other sessions do, and the extension that a group needs."""
        extensions = [Reads(extension=statements.NAME)] if STATEMENTS in self._wanted else []
        return (Reads(role="pg_monitor"), *extensions)

    def doubts(self) -> Iterator[str]:
        """Yield what the address tells, and whether the clients' worst case exceeds the plan."""
        yield from super().doubts()
        if self.limit:
            yield from self._budget_doubts(self.limit)

    async def inspect(self, run: Run) -> list[str]:
        """Return what is doubtful about our rights, what cannot be measured, and whether the clients fit."""
        found = await super().inspect(run)
        allowed = (await self._observe(run)).allowed
        found += [run.remarks[name] for name in ("hidden", "unmeasured") if name in run.remarks]
        if self.limit and self.limit > allowed:
            found.append(f"its limit is {self.limit}, but the server takes no more than {allowed} connections")
        return [*found, *self._budget_doubts(min(allowed, self.limit or allowed))]

    async def probe(self, run: Run) -> None:
        """Look at everything that is cheap, and at what is asked for; see the class for what it takes to be down."""
        started = perf_counter()
        await self._observe(run)
        run.note("duration", perf_counter() - started)

    async def _observe(self, run: Run) -> Sessions:
        try:
            return await self.read(run, partial(self._look, run, perf_counter()))
        except Full:
            run.note("connection_share", 1.0)
            if seen := run.memory.get("limit"):
                run.note("connection_limit", seen.size)
                run.remark("connection_share", f"no slot is free; when we were last let in, {seen}")
            raise

    async def _look(self, run: Run, started: float, connection: Connection) -> Sessions:
        found = await read_sessions(connection)
        limit = run.memory["limit"] = found.limit(self.limit)
        note_sessions(run, found, limit)
        self._note_budget(run, min(found.allowed, self.limit or found.allowed))
        groups = (*ALWAYS, *self._wanted)
        for group in (LOCKS, *groups) if found.waiting and not found.hidden else groups:
            left = self.timeout * SHARE - timedelta(seconds=perf_counter() - started)
            await self._take(group, connection, run, left)
        if limit.share >= 1:
            raise Failure(Reason.SATURATED, f"{self.address.shown}: {limit}")
        return found

    async def _take(self, group: Group, connection: Connection, run: Run, left: timedelta) -> None:
        """Take the measures of `group`; that it cannot be done is no outage, but must not go unseen."""
        try:
            await apart(connection, lambda ours: group.take(ours, run, self), group.name, left)
        except Failure as failure:
            run.note("unmeasured", 1, group=group.name)
            run.leave_out(*(spec.name for spec in group.measures))
            said = run.remarks.get("unmeasured")
            run.remark("unmeasured", f"{said}; {failure.detail}" if said else failure.detail)

    def _note_budget(self, run: Run, limit: int) -> None:
        if self.clients:
            worst = worst_case(self.clients)
            run.note("budget", worst)
            run.note("budget_share", worst / limit)
            run.remark("budget", arithmetic(self.clients, limit))
            run.remark("budget_share", arithmetic(self.clients, limit))

    def _budget_doubts(self, limit: int) -> Iterator[str]:
        if self.clients and worst_case(self.clients) > limit:
            yield f"its clients may open more connections than there are: {arithmetic(self.clients, limit)}"

    @cached_property
    def _watched(self) -> frozenset[str]:
        """Return the measures that thresholds of the file watch."""
        found = set()
        for fields in self.thresholds:
            with suppress(ValueError):  # told where the threshold is compiled
                found.add(parse_watch(fields.watch).measure)
        return frozenset(found)

    @cached_property
    def _wanted(self) -> tuple[Group, ...]:
        """Return the groups that are asked for, by name or by a threshold."""
        return tuple(
            group
            for group in ASKED_FOR
            if group.name in self.measure or not self._watched.isdisjoint(spec.name for spec in group.measures)
        )

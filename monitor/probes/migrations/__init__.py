"""Whether the database's schema is the one that the code expects, by the table of the tool that migrates it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from monitor.model import Failure, Reason
from monitor.permission import Reads
from monitor.probes.base import MeasureSpec, Run, ThresholdFields
from monitor.probes.database import DatabaseCheck
from monitor.probes.migrations.findings import HANGS, Expected, Finding, findings, held_since, measured
from monitor.probes.migrations.tools import GOLANG, TOOLS, Found, Table, find
from monitor.units import Unit
from monitor.watch import parse_watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.databases import Connection
    from monitor.probes.migrations.tools import Tool

LIMIT = f"{HANGS // timedelta(minutes=1)}m"
GAP = 3
"""Runs that may fail before a lock that is held again counts as another one."""
RELEASE = (
    "See whether a migration runs. If none does, a killed deploy or a pooler in transaction mode left the lock behind: "
    "end the session that holds it (pg_locks, locktype advisory), and migrate over a direct connection."
)
_ONE = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
_MANY = {"anyOf": [*_ONE["anyOf"], {"type": "array", "items": _ONE}]}


class MigrationsCheck(DatabaseCheck):
    """Reads the table in which a migration tool keeps what it has applied, and holds it against what is expected.

    Drift, a dirty version and a migration that hangs make it down, unless a threshold with a figure watches `drift`,
    `dirty` or `unfinished`: then that alone tells of it, with its own severity and patience. A table that is not there
    is down, one that another tool made is unknown.
    """

    kind: str = "migrations"
    tool: Literal["alembic", "golang-migrate", "prisma", "django"]
    """The tool that migrates."""
    table: Annotated[str, Field(pattern=r"^([^.\x00]{1,63}\.)?[^.\x00]{1,63}$")] = ""
    """Its table, with or without its schema, as the database writes it; default: what the tool calls it."""
    expected: Annotated[tuple[str, ...], WithJsonSchema(_MANY)] = ()
    """What must be applied. Of alembic the revision, or all heads: these and no others; needed. Of golang-migrate the
    version. Of prisma the names of migrations, of django `app.name`: these, whatever else. Quote what reads as a
    number. Default: the last of `revisions`."""
    revisions: Annotated[tuple[str, ...], WithJsonSchema({"type": "array", "items": _ONE})] = ()
    """The known revisions of alembic or versions of golang-migrate, oldest first: drift is then told as *behind by 2*,
    *ahead by 1* or *unknown revision*."""

    measures: ClassVar = (
        *DatabaseCheck.measures,
        MeasureSpec("drift", Unit.NUMBER, "1 if what is applied is not what is expected"),
        MeasureSpec("behind", Unit.NUMBER, "how many known or expected migrations are not applied"),
        MeasureSpec("dirty", Unit.NUMBER, "golang-migrate: 1 if a migration failed half-way; 0 while one runs"),
        MeasureSpec(
            "unfinished", Unit.SECONDS, "prisma: how long ago the oldest migration began that has not finished; else 0"
        ),
        MeasureSpec("applied", Unit.NUMBER, "prisma, django: how many migrations are applied"),
        MeasureSpec(
            "locked", Unit.SECONDS, "golang-migrate, prisma: for how long the tool's lock was seen to be held; else 0"
        ),
    )
    reasons: ClassVar = DatabaseCheck.reasons | {Reason.BODY}
    sees_schema: ClassVar = True
    settled: ClassVar = 1

    @field_validator("expected", "revisions", mode="before")
    @classmethod
    def _texts(cls, value: Any, info: ValidationInfo) -> tuple[str, ...]:  # noqa: ANN401 - whatever the file holds
        """Take one or several, and no number where zeros in front of it would be lost."""
        listed = value if isinstance(value, list | tuple) else [] if value in (None, "") else [value]
        return tuple(_version(each) if info.data.get("tool") == GOLANG else _revision(each) for each in listed)

    @model_validator(mode="after")
    def _agree(self) -> MigrationsCheck:
        tool = self._tool
        if self.revisions and tool.lists:
            raise ValueError(f"{self.tool} has no order of revisions: name under expected what must be applied")
        if self.tool == "alembic" and not self._expected.revisions:
            raise ValueError(
                "expected is needed: the revision that the deployed code needs, as `alembic heads` says it"
            )
        if tool.single and len(self.expected) > 1:
            raise ValueError(f"{self.tool} has one version")
        if self.tool == "django" and not all("." in name for name in self.expected):
            raise ValueError("a migration of django is written app.name, such as auth.0001_initial")
        if self.revisions and not set(self._expected.revisions) <= set(self.revisions):
            raise ValueError("what is expected is not among the revisions")
        return self

    def declared(self) -> tuple[MeasureSpec, ...]:
        """Return the measures that the tool has."""
        names = measured(self._tool, self._expected)
        return tuple(spec for spec in self.measures if spec in DatabaseCheck.measures or spec.name in names)

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the threshold on a lock that nobody gives back."""
        if not self._tool.locks:
            return ()
        return (ThresholdFields(watch="locked", name="migration lock", warning=f"> {LIMIT}", remedy=RELEASE),)

    def reads(self) -> tuple[Reads, ...]:
        """Return the tool's columns that are looked at; never prisma's `logs`, which hold parts of statements."""
        return (Reads(table=self.table or self._tool.table, columns=self._tool.columns),)

    async def probe(self, run: Run) -> None:
        """Read the table, note what it says, and fail for what no threshold of the file tells."""
        started = perf_counter()
        table, found = await self.read(run, self._ask)
        run.runs(f"{found.applied} migrations" if self._tool.lists else " and ".join(found.revisions))
        faults = [finding for finding in self._note(run, found, self._held(run, table, found)) if finding.reason]
        if faults:
            raise Failure(faults[0].reason or Reason.BODY, "; ".join(fault.text for fault in faults))
        run.note("duration", perf_counter() - started)

    async def _ask(self, connection: Connection) -> tuple[Table, Found]:
        table = await find(connection, self.table or self._tool.table, self.tool, self.address.shown)
        return table, await self._tool.read(connection, table, self._expected.revisions)

    def _held(self, run: Run, table: Table, found: Found) -> float:
        """Return for how many seconds the lock was seen to be held, by this run and those before it."""
        if not found.locked:
            run.memory.pop("lock", None)
            return 0.0
        since = held_since(run.memory.get("lock"), table.at, GAP * self.every.total_seconds())
        run.memory["lock"] = since, table.at
        return table.at - since

    def _note(self, run: Run, found: Found, held: float) -> Iterator[Finding]:
        """Note every finding; yield those that the file watches by no threshold of its own."""
        watched = set(self._watched())
        for finding in findings(self._tool, self._expected, found, held):
            run.note(finding.measure, finding.value)
            if finding.text:
                run.remark(finding.measure, finding.text)
            if finding.measure not in watched:
                yield finding

    def _watched(self) -> Iterator[str]:
        for fields in self.thresholds:
            if fields.info or fields.warning or fields.critical:
                with suppress(ValueError):
                    yield parse_watch(fields.watch).measure

    @property
    def _tool(self) -> Tool:
        return TOOLS[self.tool]

    @property
    def _expected(self) -> Expected:
        return Expected(self.expected or self.revisions[-1:], self.revisions)


def _version(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).isdecimal():
        raise ValueError(f"{value!r} is not a version of golang-migrate, such as 42")
    return str(int(value))


def _revision(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is not the name of a revision; quote it: zeros in front of a number count")
    return value

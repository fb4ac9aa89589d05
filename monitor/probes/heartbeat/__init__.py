"""Whether a job runs when it should: judged by what it reports over HTTP, or notes in its database."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, model_validator

from monitor.databases.statement import one_statement
from monitor.fields import Duration, PositiveDuration, Zone
from monitor.model import DOWN, Failure, Heard, LeftOut, State
from monitor.permission import Reads
from monitor.probes.base import Down, MeasureSpec, Run
from monitor.probes.database import DatabaseCheck, Dsn
from monitor.probes.heartbeat.journal import Journal
from monitor.probes.heartbeat.rows import Noted, read_noted
from monitor.probes.heartbeat.verdict import Rules, Verdict
from monitor.secrets import Secret
from monitor.timetable import Timetable, cron_fault
from monitor.units import Unit
from monitor.watch import parse_watch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.model import Keepsake, Report

TOPIC = "heartbeat"
SHORTEST_TOKEN = 16
LONGEST_QUERY = 20_000
AGE, LATE = "age", "late"
SILENCE = frozenset({AGE, LATE})
"""The measures whose figures say how long a job may be silent."""
OF_A_DATABASE = frozenset({"keep", "neon", "wake", "query"})


def _long_enough(token: Secret) -> Secret:
    if len(token.reveal()) < SHORTEST_TOKEN:
        raise ValueError(f"a token has at least {SHORTEST_TOKEN} characters: make one with openssl rand -hex 16")
    return token


def _cron(text: str) -> str:
    if fault := cron_fault(text):
        raise ValueError(fault)
    return text


class HeartbeatCheck(DatabaseCheck):
    """Judges a job, such as a backup or whatever cron runs, by what it reports of its runs.

    It reports over HTTP, with a `token`, or writes a row into a database, which `dsn` and `query` read. Told apart are
    runs that failed, take too long, came too late or never. Where a threshold watches `age` or `late`, its figures say
    how long the job may be silent, and silence alone does not make the check down.
    """

    kind: str = "heartbeat"
    token: Annotated[Secret, AfterValidator(_long_enough)] | None = None
    """What the job reports with, at least 16 characters: to `/api/v1/heartbeats/<system>/<check>` of this daemon."""
    dsn: Dsn = Field(default=Secret(""), json_schema_extra={"default": ""})
    """Instead of a token, the database in which the job notes its runs: `postgresql://user:password@host/database`."""
    query: Annotated[str, Field(max_length=LONGEST_QUERY), AfterValidator(one_statement)] = ""
    """What reads them there, the newest first: a row for each run, of which 100 are read. `finished` is when it ended.
    Columns that it may have besides: `started`, `ok` (a boolean) or `status` (0 is success), `run` (its name, where
    start and end are rows of their own), `text` (shown when it failed)."""
    period: PositiveDuration | None = None
    """The time from one success to the next."""
    cron: Annotated[str, AfterValidator(_cron)] = ""
    """Or when it runs, as cron has it: `0 3 * * *`."""
    zone: Zone = "UTC"
    """The time zone of `cron`; default: that of the system."""
    grace: Duration | None = None
    """How much later than expected a success may come, the run itself included; default: 1h, or the time between two
    runs if that is shorter."""
    longest: PositiveDuration | None = None
    """How long a run may take that has reported its start."""
    every: PositiveDuration = timedelta(minutes=1)
    """How often it is judged; what is reported over HTTP, at once."""
    down: Down = Down(critical=1)
    up: Annotated[int, Field(ge=1)] = 1
    """Consecutive successes that end an outage."""

    measures: ClassVar = (
        *DatabaseCheck.measures,
        MeasureSpec("age", Unit.SECONDS, "the time since the last success; before the first, since it was first seen"),
        MeasureSpec("late", Unit.SECONDS, "how long a success has been expected; 0 while none is"),
        MeasureSpec("took", Unit.SECONDS, "how long the run that ended last has taken, if its start was reported"),
        MeasureSpec("running", Unit.SECONDS, "how long a run has been going on, the longest of them; 0: there is none"),
        MeasureSpec("exit_status", Unit.NUMBER, "that of the run that ended last; if it told none, 0 or 1"),
    )
    silence: ClassVar[State] = State.UNKNOWN

    @model_validator(mode="after")
    def _agree(self) -> HeartbeatCheck:
        if bool(self.token) == bool(self.dsn):
            raise ValueError(
                "a job reports over HTTP with a token, or in a database with dsn and query: give one of them"
            )
        if bool(self.dsn) != bool(self.query):
            raise ValueError("dsn and query go together")
        if self.token and (beside := sorted(OF_A_DATABASE & self.model_fields_set)):
            raise ValueError(f"{', '.join(beside)} is of a database, and this job reports with a token")
        if self.period is not None and self.cron:
            raise ValueError("it runs by period or by cron: leave one out")
        if self.rules.timetable is None and not self.rules.figures:
            raise ValueError("nothing says when it must report: give it a period, a cron, or a figure on age")
        if self.rules.timetable is None and LATE in self._figures:
            raise ValueError("late is measured from when it must report: give it a period or a cron")
        if self.grace is not None and (self.rules.timetable is None or self.rules.figures):
            raise ValueError("grace belongs to a period or a cron, and not to figures on age or late, which need none")
        return self

    @cached_property
    def rules(self) -> Rules:
        """Return what is expected of the job."""
        scheduled = self.period is not None or self.cron
        timetable = Timetable(self.period, self.cron, self.zone) if scheduled else None
        return Rules(timetable, self.grace, self.longest, self.zone, figures=bool(self._figures))

    @property
    def _figures(self) -> frozenset[str]:
        """Return the measures with figures that say how long the job may be silent."""
        found = set()
        for fields in self.thresholds:
            with suppress(ValueError):  # told of where thresholds are compiled
                if fields.info or fields.warning or fields.critical:
                    found.add(parse_watch(fields.watch).measure)
        return SILENCE & found

    @property
    def host(self) -> str:
        """Return the database's host; nothing, where the job reports by itself."""
        return super().host if self.dsn else ""

    @property
    def alone(self) -> str:
        """Return the database, if there is one."""
        return super().alone if self.dsn else ""

    @property
    def subject(self) -> str:
        """Return the database, if there is one."""
        return super().subject if self.dsn else ""

    @property
    def retry_every(self) -> timedelta:
        """Return the time from the end of a failed run to the next run: what is reported is so, and no lost packet."""
        return self.retry.every or self.every

    @property
    def reported_with(self) -> Secret | None:
        """Return the token of the job."""
        return self.token

    def reads(self) -> tuple[Reads, ...]:
        """Return whatever the query names, if there is one."""
        return (Reads(query=self.query),) if self.dsn else ()

    def doubts(self) -> Iterator[str]:
        """Yield what is doubtful about the database."""
        return super().doubts() if self.dsn else iter(())

    async def inspect(self, run: Run) -> list[str]:
        """Return what our role may do in the database besides looking."""
        return await super().inspect(run) if self.dsn else []

    def hear(self, report: Report, at: datetime, memory: Mapping[str, Any]) -> tuple[str, str]:
        """Return the job's journal with one more report."""
        known = Journal.read(memory.get(TOPIC, ""))
        journal = known.not_later(at) if known else Journal(since=at, schedule=self._schedule)
        return TOPIC, journal.hear(report, at).body

    def heard(self, memory: Mapping[str, Any]) -> Heard:
        """Return what the job's journal tells; nothing where it notes its runs in a database."""
        journal = Journal.read(memory.get(TOPIC, "")) if self.token else None
        if journal is None:
            return Heard()
        running = min(journal.running.values(), default=None)
        if journal.end is None:
            return Heard(running=running)
        end = journal.end
        return Heard(journal.success, end.at, end.good, end.status, end.took, running)

    def rejoin(self, kept: Keepsake, present: str) -> str:
        """Return what the journal that was read late and the present one know together."""
        past, new = Journal.read(kept.body), Journal.read(present)
        return past.joined(new).body if past and new else present

    async def probe(self, run: Run) -> None:
        """Judge what is known of the job."""
        started, now = perf_counter(), run.clock.now()
        known = Journal.read(run.memory.get(TOPIC, ""))
        journal = (known or Journal(since=now, schedule=self._schedule)).not_later(now).expected(self._schedule, now)
        if journal.body != run.memory.get(TOPIC):
            await run.keep(TOPIC, journal.body)
        noted = await self._noted(run)
        verdict = Verdict(noted.told_to(journal), self.rules, noted.at or now)
        if verdict.waits or not (known or noted.reports):
            raise LeftOut(verdict.waiting)
        self._note(run, verdict)
        if found := list(verdict.findings()):
            raise Failure(found[0].reason, "; ".join(each.text for each in found))
        if self.dsn:
            run.note("duration", perf_counter() - started)

    def _note(self, run: Run, verdict: Verdict) -> None:
        """Note what can be measured. That no row tells of a success does not mean that there was none."""
        for name, value in verdict.measures():
            if name == AGE and self.dsn and verdict.journal.end and not verdict.journal.success:
                run.leave_out(name)
            else:
                run.note(name, value)
        silence = verdict.silence
        for name in SILENCE:
            run.remark(name, silence)
        run.remark(DOWN, f"{silence[0].upper()}{silence[1:]}.")

    @property
    def _schedule(self) -> str:
        return self.rules.timetable.text if self.rules.timetable else ""

    async def _noted(self, run: Run) -> Noted:
        """Return what the job has noted in its database. One that cannot be read says nothing of the job."""
        if not self.dsn:
            return Noted()
        try:
            return await self.read(run, lambda connection: read_noted(connection, self.query))
        except Failure as failure:
            raise Failure(failure.reason, failure.detail, State.UNKNOWN) from None

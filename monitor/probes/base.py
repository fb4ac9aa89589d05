"""What every kind of check shares: its fields, what a run may use, and the one place of deadline and failure."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

import structlog
from pydantic import Field

from monitor.fields import Duration, Fields, PositiveDuration
from monitor.model import CheckId, Failure, Keepsake, LeftOut, Measure, Reason, Sample, Severity, State, labels
from monitor.plain import plain
from monitor.units import Unit, show_duration
from monitor.vendors import Accounts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.databases import Databases
    from monitor.model import Report
    from monitor.network import Resolver, TlsContexts
    from monitor.secrets import Redactor, Secret

LONGEST_DETAIL = 300
LONGEST_VERSION = 60

log = structlog.get_logger()


class MeasureSpec(NamedTuple):
    """A measure that a kind declares: its name in `watch`, its base unit, what it means, and the labels it may carry.

    `metric` overrides the exported name, which otherwise is `monitor_<kind>_<name>_<unit>`. `exceeds`: a share that may
    be more than 100 %.
    """

    name: str
    unit: Unit
    meaning: str
    labels: tuple[str, ...] = ()
    metric: str = ""
    exceeds: bool = False


class Retry(Fields):
    """The pace after a failed run."""

    every: PositiveDuration | None = None
    """From the failed run's end to the next one; default: 10s, or `every` if that is shorter."""


class Down(Fields):
    """How many consecutive failures open an alert of each severity."""

    info: Annotated[int, Field(ge=1)] | None = None
    """How many make an info alert."""
    warning: Annotated[int, Field(ge=1)] | None = None
    """How many make a warning."""
    critical: Annotated[int, Field(ge=1)] | None = None
    """How many make a critical alert."""

    def counts(self) -> dict[Severity, int]:
        """Return the failures that each severity needs."""
        named = ((severity, getattr(self, str(severity))) for severity in Severity)
        return {severity: count for severity, count in named if count is not None}


class LevelDurations(Fields):
    """A duration for each severity of a threshold."""

    info: Duration = timedelta()
    """Before an info alert."""
    warning: Duration = timedelta()
    """Before a warning."""
    critical: Duration = timedelta()
    """Before a critical alert."""


class Step(Fields):
    """One step of a remedy."""

    do: str
    """What to do, in one sentence."""


RemedyText = str | list[str | Step]


class ThresholdFields(Fields):
    """A figure at which somebody is told: a measure over a window, against a warning and a critical figure."""

    watch: str
    """A measure, or `function(measure, window)`: `p95(duration, 5m)`, `connections{state="active"}`."""
    name: str = ""
    """What the alert is called; default: the text of `watch`."""
    target: str = ""
    """The figure that is good, such as `< 200ms`; shown, never fires."""
    info: str = ""
    """The figure at which an info alert fires."""
    warning: str = ""
    """The figure at which a warning fires, such as `> 300ms`."""
    critical: str = ""
    """The figure at which a critical alert fires."""
    for_: Annotated[Duration | LevelDurations, Field(alias="for")] = timedelta()
    """How long the figure must stay crossed, for all levels or for each."""
    keep: Duration | None = None
    """How long the alert stays firing until quiet; default: as `for`."""
    remedy: RemedyText = ""
    """What to do; default: the check's remedy."""
    source: str = ""
    """Where in the runbook the figure stands."""


class Check(Fields, ABC):
    """The fields that every kind of check has. A kind adds its own, declares its measures and implements `probe`."""

    kind: str
    title: str = ""
    """What the check is called in messages; default: its name."""
    every: PositiveDuration = timedelta(seconds=30)
    """How often it runs."""
    timeout: PositiveDuration = timedelta(seconds=10)
    """The hard deadline of one run."""
    retry: Retry = Retry()
    down: Down = Down(critical=3)
    up: Annotated[int, Field(ge=1)] = 2
    """Consecutive successes that end an outage."""
    if_set: str = ""
    """An environment variable; where it is not set, the check is skipped and listed as skipped."""
    remedy: RemedyText = ""
    """What to do: a text, or a list of steps."""
    remedy_for: dict[Reason, RemedyText] = Field(default_factory=dict)
    """Remedies by reason, shown before the general one."""
    needs: list[str] = Field(default_factory=list)
    """Checks of the same system whose failure explains this one's: its alerts are held back meanwhile."""
    thresholds: list[ThresholdFields] = Field(default_factory=list)
    """Figures at which somebody is told of what the check measures."""
    source: str = ""
    """Where in the runbook the check stands."""
    writes: bool = False
    """Allows a check to change something outside, where it would; without that, it is skipped."""

    measures: ClassVar[tuple[MeasureSpec, ...]] = ()
    reasons: ClassVar[frozenset[Reason]] = frozenset()
    """The reasons its failures can have: their counters start at 0."""
    settled: ClassVar[int] = 3
    """How often in a row another version must be seen before it counts as a deploy; see `monitor.versions`."""
    tells_of_vendor: ClassVar[bool] = False
    """Whether its alerts are incidents of a vendor, which may explain others of the system."""
    sees_schema: ClassVar[bool] = False
    """Whether the versions that are seen are those of a database's schema: one that moves is no deploy by itself."""
    silence: ClassVar[State] = State.DOWN
    """What no answer by the deadline says of the target: nothing, where a vendor was asked about it."""

    @property
    @abstractmethod
    def host(self) -> str:
        """Return the host that limits how many probes run at once: a name or address, without a port."""

    @property
    def changes(self) -> str:
        """Return what a run changes outside, in a few words; empty: nothing."""
        return ""

    @property
    def scheduled(self) -> bool:
        """Return whether it runs by itself; otherwise only when somebody asks for it, and until it is up again."""
        return True

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        """Return what one run asks over HTTP at most, a method and an address each: what rate limits count."""
        return ()

    @property
    def alone(self) -> str:
        """Return what only one run at a time may use, such as a database; empty: nothing."""
        return ""

    @abstractmethod
    async def probe(self, run: Run) -> None:
        """Look once. Return if the target is up; raise `Failure` if it is not, or if that cannot be told.

        Raise `LeftOut` to look at nothing on purpose.

        Note each measure on `run` as soon as it is known: what was measured before a failure or the deadline counts.
        """

    def declared(self) -> tuple[MeasureSpec, ...]:
        """Return the measures of this check: those of its kind, and any that its fields add."""
        return self.measures

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the thresholds that come with the kind unless the file watches the same measure itself."""
        return ()

    def doubts(self) -> Iterable[str]:
        """Return what is allowed and yet probably not meant, a sentence each, as far as the fields alone tell."""
        return ()

    def doubts_at(self, now: datetime) -> Iterable[str]:  # noqa: ARG002 - for kinds that hold days
        """Return what is doubtful at this moment, a sentence each, as far as the fields tell."""
        return ()

    async def inspect(self, run: Run) -> Sequence[str]:  # noqa: ARG002 - for kinds that have something to ask
        """Ask the target, and return what is doubtful about it: for `monitor validate --connect`.

        Raises `Failure` when it cannot be asked. Nothing that is noted on `run` counts.
        """
        return ()

    @property
    def after_deploy(self) -> bool:
        """Return whether it runs after each deploy of its system, without being named there."""
        return False

    def unfinished(self, memory: Mapping[str, Any]) -> bool:  # noqa: ARG002 - for kinds that leave something behind
        """Return whether `memory` tells of an earlier run that has something to finish, so that it should run soon."""
        return False

    @property
    def reported_with(self) -> Secret | None:
        """Return the token with which jobs report to it over HTTP; none: they do not."""
        return None

    def hear(self, report: Report, at: datetime, memory: Mapping[str, Any]) -> tuple[str, str]:  # noqa: ARG002 - see above
        """Return a topic and what `memory` must hold under it from now on, because a job reported `at` that moment."""
        return "", ""

    def rejoin(self, kept: Keepsake, present: str) -> str:  # noqa: ARG002 - for kinds that change it before it was read
        """Return what must stand under a topic: `kept` was read late, when `present` stood there already."""
        return kept.body

    @property
    def subject(self) -> str:
        """Return what the implied thresholds are about, if several checks may look at it: one of them watches it."""
        return ""

    @property
    def retry_every(self) -> timedelta:
        """Return the time from the end of a failed run to the next run."""
        return self.retry.every or min(timedelta(seconds=10), self.every)

    @property
    def closer(self) -> timedelta:
        """Return how often it runs while its system is watched closely, such as after a deploy."""
        return max(CLOSEST, self.every / CLOSER)


async def in_memory(_: Keepsake) -> bool:
    """Keep nothing beyond the process, and say that all is well: where there is no store there is no next process."""
    return True


@dataclass(frozen=True, slots=True)
class Resources:
    """What probes share: made once at start by `app`, handed to every run."""

    resolver: Resolver
    tls: TlsContexts
    databases: Databases
    redact: Redactor
    memories: dict[tuple[CheckId, str], dict[str, Any]] = field(default_factory=dict)
    """What the runs of each check, of each kind, note for the next one."""
    accounts: Accounts = field(default_factory=Accounts)
    """What is known of each key to a vendor's API, over all checks that use it."""
    keep: Callable[[Keepsake], Awaitable[bool]] = in_memory
    """Makes a keepsake durable; false: not now."""


@dataclass(slots=True)
class Run:
    """One run of a probe: what it may use, and where it notes what it measures as it goes."""

    resources: Resources
    timeout: timedelta
    clock: Clock
    memory: dict[str, Any] = field(default_factory=dict)
    """What the check's runs note for the next one, such as counters: empty at first, and lost with the process."""
    asking: str = ""
    """What is being waited for, in a few words, where a run asks for several things: told if the deadline ends it."""
    measures: list[Measure] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)
    unmeasured: set[str] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    awake: bool = False
    """Whether what may sleep is known to be awake, so that it is asked for once in a run."""
    keeps: Callable[[str, str], Awaitable[bool]] | None = None
    """Makes what is remembered of a topic durable; none: there is nothing to make it durable in."""

    def note(self, name: str, value: float, **label: str) -> None:
        """Note a measure in its base unit."""
        self.measures.append(Measure(name, value, labels(label) if label else ()))

    async def keep(self, topic: str, body: str) -> bool:
        """Let `body` stand under `topic` in the memory, also for a later process; return whether that is durable.

        An empty `body` takes it out. What cannot be made durable now will be as soon as the store is back.
        """
        if body:
            self.memory[topic] = body
        else:
            self.memory.pop(topic, None)
        return self.keeps is None or await self.keeps(topic, body)

    def remark(self, name: str, text: str) -> None:
        """Say in one line what a measure that crosses a figure means: it becomes part of the message."""
        self.remarks[name] = text

    def runs(self, version: str, part: str = "") -> None:
        """Say which version of the product, or of a part of it, was seen to run."""
        self.versions[part] = version

    def leave_out(self, *names: str) -> None:
        """Say that measures could not be taken this time, though the target is up: what they showed may still be so."""
        self.unmeasured.update(names)


CLOSER = 3
CLOSEST = timedelta(seconds=5)
STARVED = timedelta(seconds=1)
"""A run beside a stall of so long says nothing of its target."""


def starved(sample: Sample, stalled: timedelta) -> Sample:
    """Return `sample`, or that nothing can be known of it, when we ourselves stood still for `stalled` meanwhile.

    What a stopped process or a busy machine takes for slow, or for silence, is our fault and not the target's.
    """
    if stalled < STARVED or sample.left_out:
        return sample
    detail = f"the monitor itself stood still for {show_duration(stalled.total_seconds())}"
    return replace(sample, state=State.UNKNOWN, reason=Reason.UNKNOWN, detail=detail, measures=(), remarks={})


async def observe(check_id: CheckId, check: Check, resources: Resources, clock: Clock) -> Sample:
    """Run `check` once within its deadline and return what it found. Never raises, except when cancelled.

    An exception that is not a `Failure` is a bug of ours: it is logged with its traceback and makes the sample unknown.
    """
    started = clock.now()
    memory = resources.memories.setdefault((check_id, check.kind), {})
    run = Run(resources, check.timeout, clock, memory, keeps=partial(_keep, resources, check_id))
    state, reason, detail = State.UP, None, ""
    try:
        async with asyncio.timeout(check.timeout.total_seconds()):
            await check.probe(run)
    except TimeoutError:
        what = f" to {run.asking}" if run.asking else ""
        detail = f"no answer{what} within {show_duration(check.timeout.total_seconds())}"
        state, reason = check.silence, Reason.TIMEOUT
    except Failure as failure:
        state, reason, detail = failure.state, failure.reason, failure.detail
    except LeftOut as why:
        state, detail = State.UNKNOWN, str(why)
    except Exception as error:
        log.exception("probe_crashed", check=str(check_id))
        state, reason, detail = State.UNKNOWN, Reason.UNKNOWN, f"the probe itself failed: {type(error).__name__}"
    ended = clock.now()
    said = plain(resources.redact(detail), LONGEST_DETAIL)
    remarks = {name: plain(resources.redact(text), LONGEST_DETAIL) for name, text in run.remarks.items()}
    versions = {part: plain(resources.redact(text), LONGEST_VERSION) for part, text in run.versions.items()}
    measures, missing = tuple(run.measures), frozenset(run.unmeasured)
    return Sample(check_id, ended, ended - started, state, reason, said, measures, remarks, missing, versions)


async def _keep(resources: Resources, check: CheckId, topic: str, body: str) -> bool:
    return await resources.keep(Keepsake(check, topic, body))

"""The fields that every kind of check has, and what a kind may say of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import Field

from monitor.fields import Fields, PositiveDuration
from monitor.model import Reason, State
from monitor.probes.base.terms import Down, RemedyText, Retry, ThresholdFields

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from monitor.model import Heard, Keepsake, Report
    from monitor.permission import Permission
    from monitor.probes.base.run import Run
    from monitor.secrets import Secret
    from monitor.units import Unit

CLOSER = 3
CLOSEST = timedelta(seconds=5)


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
    not_shared: ClassVar[frozenset[str]] = frozenset()
    """Measures that say something else in each check of the same subject: each watches them for itself."""
    silence: ClassVar[State] = State.DOWN
    """What no answer by the deadline says of the target: nothing, where a vendor was asked about it."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other fields, as pydantic does, and nothing that was computed from the former ones."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields:
            del copy.__dict__[name]
        return copy

    @property
    @abstractmethod
    def host(self) -> str:
        """Return the host that limits how many probes run at once: a name or address, without a port."""

    @property
    def tells_of(self) -> str:
        """Return the vendor that tells what it finds, as it is called; empty: none."""
        return ""

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

    def permissions(self) -> tuple[Permission, ...]:
        """Return what must be allowed to us before it can look, besides what it reads of a PostgreSQL database."""
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

    def heard(self, memory: Mapping[str, Any]) -> Heard | None:  # noqa: ARG002 - see above
        """Return what `memory` holds of the runs that a job has reported; None: no job reports to such a check."""
        return None

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

"""What people are shown of systems and checks: on the page, in the API, on a badge. Values; nothing here is secret.

An `Overview` is made from memory and is there at once; a `CheckDetail` and a `Plot` are read from the store.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from monitor.uptime import Uptime

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from monitor.live import Live
    from monitor.model import CheckId, Labels, Reason, Sample, Severity, State
    from monitor.units import Unit


class Condition(enum.StrEnum):
    """How a check stands, in one word; the members are ordered from the worst to the best."""

    CRITICAL = "critical"
    """An alert of that severity fires; so do the next two."""
    WARNING = "warning"
    INFO = "info"
    FAILING = "failing"
    """The newest run found it down, and nothing fires yet."""
    UNKNOWN = "unknown"
    """Nobody can tell, for a reason that is not the product's."""
    WAITING = "waiting"
    """It was not looked at yet."""
    LEFT_OUT = "left out"
    """The newest run was left out on purpose."""
    UP = "up"
    SKIPPED = "skipped"
    """It is not run, for a reason that the file gives."""

    @property
    def rank(self) -> int:
        """Return 0 for the worst, more for better ones."""
        return list(Condition).index(self)


class Cell(NamedTuple):
    """One hour of a strip: its runs by state, and the worst alert that fired in it. No run at all is a gap."""

    at: datetime
    up: int = 0
    down: int = 0
    unknown: int = 0
    worst: Severity | None = None


@dataclass(frozen=True, slots=True)
class FigureView:
    """One threshold and one of its series: the newest value against its figures.

    `value` is in the base unit of `unit`, None: there is none to judge; `shown` the same for people, such as `412 ms`.
    `figures` are the levels as they are written, such as `> 500ms`. `firing`: the severity that fires now.
    """

    name: str
    watch: str
    unit: Unit
    labels: Labels = ()
    value: float | None = None
    shown: str = ""
    target: str = ""
    figures: Mapping[Severity, str] = field(default_factory=dict)
    firing: Severity | None = None
    remedy: tuple[str, ...] = ()
    source: str = ""
    implied: bool = False


@dataclass(frozen=True, slots=True)
class CheckView:
    """How one check stands. `state`, `reason`, `detail`, `at` and `took` are those of its newest run, if there was one.

    `detail` may hold text of the target. `strip` has the last 24 hours, oldest first, the present one last. `skipped`
    says why it is not run. `since`: when the worst of its alerts began. `scheduled`: it runs every `every`, not only
    when somebody or something asks for it.
    """

    id: CheckId
    title: str
    kind: str
    condition: Condition
    every: timedelta
    state: State | None = None
    reason: Reason | None = None
    detail: str = ""
    at: datetime | None = None
    took: timedelta | None = None
    since: datetime | None = None
    figures: tuple[FigureView, ...] = ()
    alerts: tuple[Live, ...] = ()
    strip: tuple[Cell, ...] = ()
    day: Uptime = Uptime()  # noqa: RUF009 - frozen
    month: Uptime = Uptime()  # noqa: RUF009 - frozen
    skipped: str = ""
    scheduled: bool = True

    @property
    def name(self) -> str:
        """Return its name within the system."""
        return self.id.check


@dataclass(frozen=True, slots=True)
class SystemView:
    """How one system stands. `maintenance`: until when it is worked on, None: it is not.

    `public`: everybody may see its title, condition and uptime, and nothing else.
    """

    name: str
    title: str
    condition: Condition
    checks: tuple[CheckView, ...] = ()
    runbook: str = ""
    public: bool = False
    day: Uptime = Uptime()  # noqa: RUF009 - frozen
    month: Uptime = Uptime()  # noqa: RUF009 - frozen
    strip: tuple[Cell, ...] = ()
    maintenance: datetime | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything at `at`. `leads`: whether this instance watches; else `leader` says who does, as far as is known.

    `problems` are what the daemon itself suffers from, one sentence each.
    """

    at: datetime
    systems: tuple[SystemView, ...] = ()
    leads: bool = True
    leader: str = ""
    problems: tuple[str, ...] = ()


class Point(NamedTuple):
    """What was measured around a moment: the mean, the least and the greatest of the values that a point stands for."""

    at: datetime
    mean: float
    least: float
    greatest: float


class Mark(NamedTuple):
    """Something that happened: a deploy, or an alert that began (`severity` says how bad) or ended (None)."""

    at: datetime
    kind: str
    text: str
    severity: Severity | None = None


class Line(NamedTuple):
    """A figure of a threshold, or its target (`severity` is None), in the base unit of the plot."""

    value: float
    text: str
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Plot:
    """One measure over time.

    `series` are the points by label set; where nothing was measured for longer than `gap`, nothing may be drawn. `dark`
    are the spans in which the check was down, or nobody could tell.
    """

    check: CheckId
    measure: str
    unit: Unit
    meaning: str
    since: datetime
    until: datetime
    gap: timedelta
    series: Mapping[Labels, tuple[Point, ...]] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()
    dark: tuple[tuple[datetime, datetime, State], ...] = ()


@dataclass(frozen=True, slots=True)
class CheckDetail:
    """Everything there is to see of one check besides its plots.

    `samples` are the newest ones, newest first. `phases` are the parts of the newest measured exchange, in seconds, in
    order. `configuration` is the effective one, defaults included, without secrets. `measures` says by name which unit
    a measure has and what it means: those that can be plotted.
    """

    view: CheckView
    samples: tuple[Sample, ...] = ()
    phases: Mapping[str, float] = field(default_factory=dict)
    remedy: tuple[str, ...] = ()
    remedy_for: Mapping[Reason, tuple[str, ...]] = field(default_factory=dict)
    needs: tuple[CheckId, ...] = ()
    configuration: Mapping[str, object] = field(default_factory=dict)
    measures: Mapping[str, tuple[Unit, str]] = field(default_factory=dict)

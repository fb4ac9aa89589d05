"""How a threshold judges samples, the state that follows from it, and the journal of its changes."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.model.act import Acknowledgement
from monitor.model.identity import stable_id
from monitor.model.sample import CheckId, Labels, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping


class AlertKey(NamedTuple):
    """Names one alert: a check, what is watched (`down`, `no data` or a threshold's name) and one label set."""

    check: CheckId
    name: str
    labels: Labels = ()

    @property
    def fingerprint(self) -> str:
        """Return 16 hex digits that stay the same for this alert over restarts, incidents and machines."""
        return stable_id(*self.check, self.name, *(text for pair in self.labels for text in pair))


DOWN = "down"


NO_DATA = "no data"


BLIND = "blind"


DRILL = "drill"
"""The name of the alert that a drill is."""


class Outcome(enum.StrEnum):
    """What a verdict says of one level: its figure is crossed, is not crossed, or could not be judged."""

    BREACH = "breach"
    CLEAR = "clear"
    BLIND = "blind"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one threshold judges one label set at one moment: the value seen and the outcome for each level."""

    key: AlertKey
    at: datetime
    outcomes: Mapping[Severity, Outcome]
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one level waits: crossed so many runs and so long before it fires, quiet as long before it ends."""

    breaches: int = 1
    for_: timedelta = timedelta()
    clears: int = 1
    keep: timedelta = timedelta()


class Phase(enum.StrEnum):
    """Where one level of an alert stands. `KEEPING`: no longer crossed, still firing until quiet for long enough."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    KEEPING = "keeping"

    @property
    def fires(self) -> bool:
        """Return whether an alert counts as firing in this phase."""
        return self in {Phase.FIRING, Phase.KEEPING}


@dataclass(frozen=True, slots=True)
class Level:
    """The position of one severity of an alert: its phase, and the runs and the time that count towards leaving it."""

    phase: Phase
    count: int
    dwell: timedelta


@dataclass(frozen=True, slots=True)
class Told:
    """A channel that was told of an incident, the severity it heard last and when (the reminder clock)."""

    channel: str
    severity: Severity
    at: datetime


@dataclass(frozen=True, slots=True)
class Drill:
    """What makes an alert a drill: nothing is broken, and somebody should take it `within` so long after `at`.

    `act` is the id of the act that asked for it, `who` did. Once it is over, at `over_at`, `taken_by` says who took it
    (nobody: empty) and `told` who was told; it is remembered until each of them has answered. `named` are the channels
    of which it was reported that they did not take it; `reported`: so was that nobody took the drill.
    """

    act: str
    who: str
    at: datetime
    within: timedelta
    severity: Severity
    over_at: datetime | None = None
    taken_by: str = ""
    told: tuple[Told, ...] = ()
    named: tuple[str, ...] = ()
    reported: bool = False

    @property
    def until(self) -> datetime:
        """Return the moment from which on it is too late to take it."""
        return self.at + self.within


@dataclass(frozen=True, slots=True)
class Alert:
    """The whole remembered state of one alert. Two equal alerts mean that nothing needs to be written.

    `title` is what messages call it, the same for as long as it is remembered, even if the file is changed meanwhile.
    `severity` is the worst level that fires (None: not firing) and `since` when the present incident began; `announced`
    is the severity that people were last told of (None: nobody was told). `judged_at` is the moment up to which time
    counts towards `for` and `keep`; None after a gap, and whenever no level is waiting for time to pass. `rung_at` is
    when the announced severity was first told, from which escalation counts. `changes` are the moments of the last hour
    at which it opened or ended; while it is `flapping`, nothing is told until it has been stable.
    `drill`: it is one, and nothing is broken.
    """

    key: AlertKey
    title: str = ""
    levels: Mapping[Severity, Level] = field(default_factory=dict)
    judged_at: datetime | None = None
    severity: Severity | None = None
    since: datetime | None = None
    announced: Severity | None = None
    told: tuple[Told, ...] = ()
    rung_at: datetime | None = None
    acknowledged: Acknowledgement | None = None
    changes: tuple[datetime, ...] = ()
    flapping: bool = False
    drill: Drill | None = None

    @property
    def incident(self) -> str:
        """Return the id of the present incident: the same in every message about it, and after every restart."""
        return stable_id(self.key.fingerprint, self.since.isoformat() if self.since else "")

    @property
    def live(self) -> bool:
        """Return whether it fires, may fire soon, or somebody must still hear of its end."""
        return bool(self.levels) or self.severity is not None or self.announced is not None

    @property
    def idle(self) -> bool:
        """Return whether there is nothing to remember."""
        return not self.live and not self.changes and self.drill is None


class EventKind(enum.StrEnum):
    """What changed; also the reason that a notification gives for being sent."""

    PENDING = "pending"
    CANCELLED = "cancelled"
    OPENED = "opened"
    WORSENED = "worsened"
    EASED = "eased"
    RESOLVED = "resolved"
    REMOVED = "removed"
    REPEATED = "repeated"
    HELD = "held"
    FELL_BACK = "fell back"
    REPORTED = "reported"
    ESCALATED = "escalated"
    FLAPPING = "flapping"
    ACKNOWLEDGED = "acknowledged"
    LAPSED = "lapsed"
    SILENCED = "silenced"
    LIFTED = "lifted"
    ANNOUNCED = "announced"
    ANSWERED = "answered"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an alert's journal: what changed, when, to which severity, and why in words."""

    key: AlertKey
    at: datetime
    kind: EventKind
    severity: Severity | None = None
    value: float | None = None
    detail: str = ""

    @property
    def id(self) -> str:
        """Return an id that is the same if the same change is written twice."""
        return stable_id(self.key.fingerprint, self.at.isoformat(), self.kind, self.detail)

"""The nouns that travel along the flow: frozen values, no behaviour that acts, no I/O.

A `Sample` is what one run of a probe found. A `Verdict` is how one threshold judges it. An `Alert` is the state of one
threshold (or of a check being down) for one label set. An `Event` is one change of an alert, as the journal keeps it. A
`Notification` is one message owed to one channel; a `Delivery` is what a channel is asked to send at once.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Labels = tuple[tuple[str, str], ...]
"""Label names and values, sorted by name: hashable, and equal whatever the order they came in."""


def labels(values: Mapping[str, str]) -> Labels:
    """Return `values` as `Labels`."""
    return tuple(sorted(values.items()))


OURS = "monitor"
"""The system whose checks are the daemon itself; no file may name one so."""


class CheckId(NamedTuple):
    """Names one check over all systems; prints as `system/check`, the form that commands take."""

    system: str
    check: str

    def __str__(self) -> str:
        return f"{self.system}/{self.check}"


class State(enum.StrEnum):
    """What a run says of its target. `UNKNOWN` is our own fault or a third party's: it decides nothing."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class Reason(enum.StrEnum):
    """Why a run did not find its target up: the closed list that metrics, messages and `remedy_for` use."""

    TIMEOUT = "timeout"
    DNS = "dns"
    REFUSED = "refused"
    RESET = "reset"
    UNREACHABLE = "unreachable"
    TLS_INVALID = "tls_invalid"
    TLS_EXPIRED = "tls_expired"
    STATUS = "status"
    BODY = "body"
    HEADER = "header"
    SATURATED = "saturated"
    STARTING = "starting"
    AUTH = "auth"
    RATE_LIMITED = "rate_limited"
    PROTOCOL = "protocol"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Severity(enum.IntEnum):
    """How bad; ordered, so that `max` is the worst. Prints as the word that files and labels use."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    def __str__(self) -> str:
        return self.name.lower()


class Failure(Exception):  # noqa: N818 - a finding, not a programming error
    """Ends a run that did not find its target up.

    Raised by probes and by what they stand on; `probes.base.observe` turns it into a sample. `detail` is one line for
    people: what was expected and what came. It may hold text from the target, so whoever shows it must escape it.
    """

    def __init__(self, reason: Reason, detail: str, state: State = State.DOWN) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.state = state


class LeftOut(Exception):  # noqa: N818 - a decision, not a programming error
    """Ends a run that is left out on purpose: nothing was looked at, and that is as it should be.

    Raised by probes before they look; its text says why in a few words. It opens and resolves nothing, and is no gap.
    """


class Measure(NamedTuple):
    """One number that a run found, in the base unit (seconds, bytes, ratio 0 to 1) that its kind declares."""

    name: str
    value: float
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run of a check found.

    `at` is when the run ended, `took` how long it lasted. `reason` is None when `state` is up, and when the run was
    left out: then the state is unknown, and `detail` says why. `detail` is at most a few hundred characters, with
    secrets already removed. `remarks` explain measures by name in a line each, for whoever reads of a figure that is
    crossed: the arithmetic, who holds what; that of `down` says how a target is that is up. `unmeasured` names the
    measures that this run could not take though it should have: their figures are not judged. `versions` says by part
    what of the product was seen to run. None of these three is stored.
    """

    check: CheckId
    at: datetime
    took: timedelta
    state: State
    reason: Reason | None = None
    detail: str = ""
    measures: tuple[Measure, ...] = ()
    remarks: Mapping[str, str] = field(default_factory=dict, hash=False)
    unmeasured: frozenset[str] = frozenset()
    versions: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def left_out(self) -> bool:
        """Return whether nothing was looked at on purpose: unknown, and no reason for it to be anything else."""
        return self.state is State.UNKNOWN and self.reason is None


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
class Alert:
    """The whole remembered state of one alert. Two equal alerts mean that nothing needs to be written.

    `title` is what messages call it, the same for as long as it is remembered, even if the file is changed meanwhile.
    `severity` is the worst level that fires (None: not firing) and `since` when the present incident began; `announced`
    is the severity that people were last told of (None: nobody was told). `judged_at` is the moment up to which time
    counts towards `for` and `keep`; None after a gap, and whenever no level is waiting for time to pass.
    """

    key: AlertKey
    title: str = ""
    levels: Mapping[Severity, Level] = field(default_factory=dict)
    judged_at: datetime | None = None
    severity: Severity | None = None
    since: datetime | None = None
    announced: Severity | None = None
    told: tuple[Told, ...] = ()

    @property
    def incident(self) -> str:
        """Return the id of the present incident: the same in every message about it, and after every restart."""
        return stable_id(self.key.fingerprint, self.since.isoformat() if self.since else "")

    @property
    def idle(self) -> bool:
        """Return whether there is nothing to remember."""
        return not self.levels and self.severity is None and self.announced is None


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


@dataclass(frozen=True, slots=True)
class Page:
    """What a message says, as plain text that may be hostile: every channel escapes it for its own format.

    `title` never changes over an alert's life. `trend` is the shape of the last hour in block characters. `beside`
    names what else began at that time. `links` are label and address.
    """

    title: str
    summary: str
    system: str
    check: str
    alert: str
    labels: Labels = ()
    value: str = ""
    figure: str = ""
    since: datetime | None = None
    until: datetime | None = None
    trend: str = ""
    beside: tuple[str, ...] = ()
    remedy: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """One message owed to one channel. `quiet` ones must not ring anybody: resolves, easings, updates.

    `id` stays the same over retries and restarts, as soon as the decision is durable.
    `missed`: it ends an incident whose first message this channel never accepted, so it must tell the whole story.
    `fallback_for` names the channel that should have taken it.
    """

    id: str
    channel: str
    incident: str
    key: AlertKey
    kind: EventKind
    severity: Severity
    at: datetime
    page: Page
    quiet: bool = False
    missed: bool = False
    fallback_for: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a channel is asked to send at once: one notification, or several collected into one message.

    `id` is stable over retries. `uncertain`: it was decided while the store could not be reached, so it may be
    repeated.
    """

    id: str
    notifications: tuple[Notification, ...]
    uncertain: bool = False

    @property
    def severity(self) -> Severity:
        """Return the worst severity among the notifications."""
        return max(notification.severity for notification in self.notifications)


class AttemptResult(enum.StrEnum):
    """How an attempt to deliver stands. `BEGUN` and `RETRY` leave it owed, the others settle it.

    `BEGUN` is written before a send, so that whoever restarts after a crash repeats that delivery under the same id.
    `SUPERSEDED`: a newer message says more.
    """

    BEGUN = "begun"
    DELIVERED = "delivered"
    RETRY = "retry"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One step of delivering a notification, in the delivery of that id. `due`: when to try again, after `RETRY`."""

    notification: str
    at: datetime
    result: AttemptResult
    delivery: str = ""
    reason: str = ""
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """A notification that its channel has not accepted yet: how often it was refused, when it may be tried again.

    `delivery` is the id of the delivery that it went into last; empty while it was never tried.
    """

    notification: Notification
    attempts: int = 0
    due: datetime | None = None
    delivery: str = ""


class Said(enum.StrEnum):
    """What a job says of one of its runs: that it begins, or how it ended."""

    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"


class Report(NamedTuple):
    """What a job tells us of one of its runs, over HTTP.

    `status` is the exit status, where it told one; `run` the name that it has for this run, so that starts and ends
    find each other; `text` a line of its own, which may hold anything.
    """

    said: Said
    status: int | None = None
    run: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A notification and every attempt to deliver it, in the order in which they were written."""

    notification: Notification
    attempts: tuple[Attempt, ...] = ()

    @property
    def delivered_at(self) -> datetime | None:
        """Return when the channel accepted it; None: it did not, or not yet."""
        return next((attempt.at for attempt in self.attempts if attempt.result is AttemptResult.DELIVERED), None)


@dataclass(frozen=True, slots=True)
class Keepsake:
    """What a check must remember beyond the process, such as what it has to remove again.

    There is one for each `topic` of a check: the last one counts, and one without a `body` is gone. It holds no secret.
    """

    check: CheckId
    topic: str
    body: str = ""


@dataclass(frozen=True, slots=True)
class Deploy:
    """A release of a system, as it was noticed. `steps`: each part that changed, its version before, and now.

    It is watched closely until `until`. `back`: it went back to an earlier version. `protocol`: how the checks that are
    run after a deploy ended, a line each; `failed` says whether one of them did, None before they ran. `reports`: how
    many reports of it were made.
    """

    system: str
    at: datetime
    until: datetime
    steps: tuple[tuple[str, str, str], ...] = ()
    back: bool = False
    protocol: tuple[str, ...] = ()
    failed: bool | None = None
    reports: int = 0

    @property
    def id(self) -> str:
        """Return what it is known by, whatever else is learned of it."""
        return stable_id(self.system, self.at.isoformat())

    @property
    def version(self) -> str:
        """Return what runs now, in words."""
        named = [f"{part} {now}" if part else now for part, _, now in self.steps]
        return ", ".join(filter(None, named)) or "a new version"


@dataclass(frozen=True, slots=True)
class Change:
    """What must become durable together: one transaction, harmless when written twice.

    An alert that is `idle` is forgotten; an attempt that is final settles its notification.
    """

    samples: tuple[Sample, ...] = ()
    alerts: tuple[Alert, ...] = ()
    events: tuple[Event, ...] = ()
    owed: tuple[Notification, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    keepsakes: tuple[Keepsake, ...] = ()
    deploys: tuple[Deploy, ...] = ()


def stable_id(*parts: Any) -> str:  # noqa: ANN401 - anything that prints
    """Return 16 hex digits that depend only on `parts`."""
    text = "\0".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

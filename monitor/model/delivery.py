"""What is owed to a channel, how that is tried, and what it says."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.model.act import Acknowledgement
from monitor.model.alert import AlertKey, EventKind
from monitor.model.sample import Labels, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Page:
    """What a message says, as plain text that may be hostile: every channel escapes it for its own format.

    `title` never changes over an alert's life. `trend` is the shape of the last hour in block characters. `beside`
    names what else began at that time. `links` are label and address.

    `answers` are what the steps of `remedy` found out by themselves, in their order, empty where nothing was asked;
    `before` is what ended it the last times, newest first. `shares` is what it may have in common with other alerts: a
    word of `monitor.kinship` and a value, such as `("host", "shop.example.com")`. `taken` says who has taken it, or
    had until it lapsed. It rings since `rung`, and opened or ended `changes` times within the last hour; nothing more
    is said of it until it `settles`, which is to be stable for so long.
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
    answers: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    shares: tuple[tuple[str, str], ...] = ()
    taken: Acknowledgement | None = None
    rung: datetime | None = None
    changes: int = 0
    settles: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """One message owed to one channel. `quiet` ones must not ring anybody: resolves, easings, updates.

    `id` stays the same over retries and restarts, as soon as the decision is durable.
    `missed`: it ends an incident whose first message this channel never accepted, so it must tell the whole story.
    `fallback_for` names the channel that should have taken it. `batch`: it waits, at most until `leaves`, for others of
    that name, to leave together with them; empty: it leaves at once.
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
    batch: str = ""
    leaves: datetime | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """Where the message about an incident stands in a channel that can change it: `reference` is the channel's own."""

    channel: str
    incident: str
    reference: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a channel is asked to send at once: one notification, or several collected into one message.

    `id` is stable over retries. `uncertain`: it was decided while the store could not be reached, so it may be
    repeated. `posted` are the references of earlier messages here about the same incidents, by incident.
    """

    id: str
    notifications: tuple[Notification, ...]
    uncertain: bool = False
    posted: Mapping[str, str] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A notification and every attempt to deliver it, in the order in which they were written."""

    notification: Notification
    attempts: tuple[Attempt, ...] = ()

    @property
    def delivered_at(self) -> datetime | None:
        """Return when the channel accepted it; None: it did not, or not yet."""
        return next((attempt.at for attempt in self.attempts if attempt.result is AttemptResult.DELIVERED), None)

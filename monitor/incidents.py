"""The journal → incidents: what belongs to one outage, from its first change to its last, with every message. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import DRILL, Alert, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from monitor.model import AlertKey, Dispatch, Event, Severity

ENDS = frozenset({EventKind.RESOLVED, EventKind.REMOVED})
SILENT = frozenset({EventKind.SILENCED, EventKind.LIFTED})
ASIDE = SILENT | {EventKind.REPORTED, EventKind.ANNOUNCED, EventKind.PENDING, EventKind.CANCELLED}
"""What is no part of an incident by itself."""
_TAKEN = re.compile(r"(?P<who>.*?) until (?P<until>\d{4}-\d\d-\d\d \d\d:\d\d UTC)(?:: (?P<why>.*))?", re.DOTALL)


class Taken(NamedTuple):
    """Who took an incident, when, until when in words (empty: not known), and why."""

    who: str
    at: datetime
    until: str = ""
    why: str = ""


def taken(event: Event) -> Taken:
    """Return what an event of the kind *acknowledged* tells."""
    found = _TAKEN.fullmatch(event.detail)
    if found is None:
        return Taken(event.detail, event.at)
    return Taken(found["who"], event.at, found["until"], found["why"] or "")


@dataclass(frozen=True, slots=True)
class Incident:
    """One alert from its opening to its end.

    `opened_at` is None if it began before what was read, and nothing read tells when. `ended_at` is None while it
    `goes_on`; if it does not, its end was not noted. `resolved`: it was seen to recover.
    """

    key: AlertKey
    title: str
    opened_at: datetime | None
    ended_at: datetime | None = None
    resolved: bool = False
    goes_on: bool = False
    changes: tuple[Event, ...] = ()
    messages: tuple[Dispatch, ...] = ()

    @property
    def severity(self) -> Severity | None:
        """Return the worst that it was, as far as is known."""
        known = [change.severity for change in self.changes if change.severity and change.kind is not EventKind.PENDING]
        known += [one.notification.severity for one in self.messages]
        return max(known, default=None)

    @property
    def id(self) -> str:
        """Return the id that every message about it bears; of one whose beginning is not known, one of its own."""
        return Alert(self.key, since=self.opened_at).incident

    @property
    def began(self) -> datetime:
        """Return when it began, as far as is known."""
        return self.opened_at or self.changes[0].at

    @property
    def drill(self) -> bool:
        """Return whether nothing was broken, and it was only to be seen who takes it."""
        return self.key.name == DRILL

    @property
    def lasted(self) -> timedelta | None:
        """Return how long it lasted until it was resolved; None if it was not, if nobody knows, and for a drill."""
        if self.drill or not self.resolved or self.opened_at is None or self.ended_at is None:
            return None
        return max(self.ended_at - self.opened_at, timedelta())

    @property
    def taken(self) -> tuple[Taken, ...]:
        """Return who acknowledged it, in their order."""
        return tuple(taken(change) for change in self.changes if change.kind is EventKind.ACKNOWLEDGED)

    @property
    def reached_at(self) -> datetime | None:
        """Return when a channel first accepted a message about it; None: nobody was reached."""
        return min((at for one in self.messages if (at := one.delivered_at) is not None), default=None)

    @property
    def waited(self) -> timedelta | None:
        """Return how long it took from then until somebody acknowledged it; None if nobody did, and for a drill."""
        if self.drill or not self.taken or self.reached_at is None:
            return None
        return max(self.taken[0].at - self.reached_at, timedelta())


@dataclass(slots=True)
class _Draft:
    """An incident that is being put together."""

    key: AlertKey
    opened_at: datetime | None
    changes: list[Event] = field(default_factory=list)
    end: Event | None = None


def incidents(events: Iterable[Event], dispatches: Sequence[Dispatch], alerts: Iterable[Alert]) -> list[Incident]:
    """Return the incidents that `events` (oldest first) tell of, and those of `alerts` that go on, oldest first.

    `dispatches`, in any order, are the messages of that time, `alerts` what is live now.
    """
    firing = {alert.key: alert for alert in alerts if alert.severity is not None and alert.since}
    drafts = _drafts(events)
    open_keys = {draft.key for draft in drafts if draft.end is None}
    drafts += [_Draft(key, alert.since) for key, alert in firing.items() if key not in open_keys]
    ordered = sorted(dispatches, key=lambda one: (one.notification.at, one.notification.id))
    told: defaultdict[str, list[Dispatch]] = defaultdict(list)
    for one in ordered:
        told[one.notification.incident].append(one)
    for draft in drafts:
        if draft.opened_at is None:
            draft.opened_at = _told_since(draft, ordered)
    made = [_incident(draft, told, firing.get(draft.key) if draft.end is None else None) for draft in drafts]
    return sorted(made, key=_began)


def mean_to_resolve(found: Iterable[Incident]) -> timedelta | None:
    """Return the mean of the times to resolve, of those that are known; None: of none."""
    return _mean([one.lasted for one in found if one.lasted is not None])


def mean_to_acknowledge(found: Iterable[Incident]) -> timedelta | None:
    """Return the mean of the times to acknowledge, of those that were; None: of none."""
    return _mean([one.waited for one in found if one.waited is not None])


def left_alone(found: Iterable[Incident]) -> list[Incident]:
    """Return those that reached somebody and that nobody acknowledged."""
    return [one for one in found if one.reached_at is not None and not one.taken and not one.drill]


def asides(events: Iterable[Event], found: Iterable[Incident]) -> list[Event]:
    """Return the silences among `events`, and notes that belong to none of the incidents `found`, oldest first."""
    told = {change.id for incident in found for change in incident.changes}
    return [one for one in events if one.kind in SILENT or (one.kind is EventKind.NOTED and one.id not in told)]


def _mean(known: Sequence[timedelta]) -> timedelta | None:
    return sum(known, timedelta()) / len(known) if known else None


def others(dispatches: Iterable[Dispatch], found: Iterable[Incident]) -> list[Dispatch]:
    """Return the messages that belong to no incident, such as reports of deploys, oldest first."""
    told = {one.notification.id for incident in found for one in incident.messages}
    left = [one for one in dispatches if one.notification.id not in told]
    return sorted(left, key=lambda one: (one.notification.at, one.notification.id))


def _drafts(events: Iterable[Event]) -> list[_Draft]:
    drafts: list[_Draft] = []
    going_on: dict[AlertKey, _Draft] = {}
    newest: dict[AlertKey, _Draft] = {}
    pending: dict[AlertKey, Event] = {}
    for event in events:
        key = event.key
        before = pending.pop(key, None)
        if event.kind is EventKind.PENDING:
            pending[key] = event
        elif event.kind in ASIDE or (event.kind is EventKind.REMOVED and key not in going_on):
            continue
        elif event.kind is EventKind.NOTED:
            if key in newest:  # what fixed it is said when it is over
                newest[key].changes.append(event)
        elif event.kind is EventKind.OPENED or key not in going_on:
            opened = event.at if event.kind is EventKind.OPENED else None
            going_on[key] = newest[key] = _Draft(key, opened, [before, event] if before else [event])
            drafts.append(going_on[key])
        else:
            going_on[key].changes.append(event)
        if event.kind in ENDS and key in going_on:
            going_on.pop(key).end = event
    return drafts


def _incident(draft: _Draft, told: Mapping[str, Sequence[Dispatch]], alert: Alert | None) -> Incident:
    """Return what `draft` came to; `told` are messages by incident, `alert` is what is live of it."""
    opened = draft.opened_at or (alert.since if alert else None)
    messages = tuple(told.get(Alert(draft.key, since=opened).incident, ())) if opened else ()
    titles = [one.notification.page.title for one in messages if one.notification.page.title]
    title = alert.title if alert and alert.title else next(iter(titles), f"{draft.key.check}: {draft.key.name}")
    end = draft.end
    return Incident(
        draft.key,
        title,
        opened,
        ended_at=end.at if end else None,
        resolved=end is not None and end.kind is EventKind.RESOLVED,
        goes_on=end is None and alert is not None and alert.since == opened,
        changes=tuple(draft.changes),
        messages=messages,
    )


def _told_since(draft: _Draft, dispatches: Iterable[Dispatch]) -> datetime | None:
    """Return since when messages say that it lasted: those from its first known change to its end."""
    first, last = draft.changes[0].at, draft.end.at if draft.end else None
    fitting = (
        one.notification.page.since
        for one in dispatches
        if one.notification.key == draft.key
        and one.notification.kind is not EventKind.REPORTED
        and first <= one.notification.at
        and one.notification.page.since is not None
        and one.notification.page.since <= (last or one.notification.at)
    )
    return next(fitting, None)


def _began(incident: Incident) -> tuple[float, str]:
    return incident.began.timestamp(), incident.key.fingerprint

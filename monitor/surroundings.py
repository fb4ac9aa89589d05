"""What is owed for an alert that somebody must hear of: the notification, with all that is known around it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor import drill
from monitor.model import EventKind, Notification, stable_id
from monitor.page import Around, compose
from monitor.situation import LOUD

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.model import Alert, Page
    from monitor.routing import Call
    from monitor.situation import Situation

WHOLE = LOUD | {EventKind.ESCALATED, EventKind.ANSWERED}
"""What tells all that is known: somebody may hear of it for the first time."""


def notification(
    situation: Situation, alert: Alert, call: Call, now: datetime, happened: Iterable[str] = ()
) -> Notification:
    """Return what is owed for `call`; a loud one also tells what else `happened`, and what began, at that time."""
    return Notification(
        id=stable_id(alert.incident, call.channel, call.kind, call.severity, now.isoformat()),
        channel=call.channel,
        incident=alert.incident,
        key=alert.key,
        kind=call.kind,
        severity=call.severity,
        at=now,
        page=_page(situation, alert, call.kind, happened, now),
        quiet=call.quiet,
        batch=call.batch,
        leaves=call.leaves,
    )


def _page(situation: Situation, alert: Alert, kind: EventKind, happened: Iterable[str], now: datetime) -> Page:
    if alert.drill is not None:
        return drill.page(alert, alert.drill, now)
    around = _around(situation, alert, kind, happened, now)
    return compose(alert, kind, situation.watched.get(alert.key.check), around, now)


def _around(situation: Situation, alert: Alert, kind: EventKind, happened: Iterable[str], now: datetime) -> Around:
    """Return what is known around `alert`; what else happened at that time only where all is told."""
    incidents = _incidents(situation, alert) if kind in WHOLE else []
    vendors = dict.fromkeys(situation.watched[one.key.check].plan.check.tells_of for one in incidents)
    incident, answers = situation.answers.get(alert.key, ("", {}))
    return Around(
        value=situation.values.get(alert.key),
        beside=(*happened, *_beside(situation, alert, incidents)) if kind in WHOLE else (),
        vendors=tuple(filter(None, vendors)),
        answers=answers if incident == alert.incident else {},
        before=situation.noted.of(alert.key, now),
        settles=situation.flapping.stable,
    )


def _incidents(situation: Situation, alert: Alert) -> list[Alert]:
    """Return the incidents of the system's vendors, but for the alert itself."""
    telling = situation.vendors.get(alert.key.check.system, ())
    found = (other for check in telling if check != alert.key.check for other in situation.board.of(check))
    return [incident for incident in found if incident.severity is not None and incident.drill is None]


def _beside(situation: Situation, alert: Alert, incidents: Iterable[Alert]) -> list[str]:
    """Return what else is known of the time of `alert`: incidents of its system's vendors, then what began then."""
    told = {incident.title: _told(situation, incident) for incident in incidents}
    return [*told.values(), *(title for title in situation.board.beside(alert) if title not in told)]


def _told(situation: Situation, incident: Alert) -> str:
    """Return an incident of a vendor in its own words, if it has any."""
    watched = situation.watched[incident.key.check]
    threshold = watched.plan.threshold(incident.key.name)
    remarks = watched.newest.remarks if watched.newest and threshold else {}
    said = remarks.get(threshold.watch.measure, "") if threshold else ""
    return f"{incident.title} ({said})" if said else incident.title

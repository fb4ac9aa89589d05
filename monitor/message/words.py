"""The words of a message: what happened, since when, and what is unusual about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import DRILL, EventKind, Severity
from monitor.plain import plain
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from monitor.model import Acknowledgement, Notification, Page

LONGEST_TITLE = 200
LONGEST_NAME = 60
LONGEST_SAYING = 200
MOST_BEFORE = 3
ENDED = frozenset({EventKind.RESOLVED, EventKind.REMOVED})
ASIDE = frozenset({EventKind.ACKNOWLEDGED, EventKind.SILENCED, EventKind.LIFTED, EventKind.ANSWERED, EventKind.NOTED})
"""What is told about an alert that is neither better nor worse for it, and so rings nobody, whatever its severity."""
TOLD_ONCE = frozenset({EventKind.REPORTED, EventKind.ANNOUNCED})
"""What tells of no alert that goes on, and is never resolved."""
COUNTED: Mapping[EventKind, str] = {
    EventKind.RESOLVED: "resolved",
    EventKind.REMOVED: "removed",
    EventKind.FLAPPING: "flapping",
    EventKind.ACKNOWLEDGED: "taken",
    EventKind.LAPSED: "no longer taken",
    EventKind.SILENCED: "silenced",
    EventKind.LIFTED: "no longer silenced",
    EventKind.ANNOUNCED: "announced",
    EventKind.ANSWERED: "answered",
    EventKind.NOTED: "noted",
}
"""What a collected message counts otherwise than by severity."""
UPDATES = frozenset(COUNTED) - ENDED - {EventKind.FLAPPING}
"""What changes nothing of how bad it is."""
BEGINNINGS: Mapping[EventKind, str] = {
    EventKind.REMOVED: "Removed from the configuration",
    EventKind.LAPSED: "No longer taken",
    EventKind.SILENCED: "Silenced",
    EventKind.LIFTED: "No longer silenced",
    EventKind.ANNOUNCED: "Announced",
    EventKind.ANSWERED: "Found",
    EventKind.NOTED: "Noted",
}


def headline(notification: Notification) -> str:
    """Return what happened, and to what; the title in it never changes."""
    title = plain(notification.page.title, LONGEST_TITLE)
    changes = notification.page.changes
    if notification.kind is EventKind.FLAPPING:
        return f"Flapping: {title} ({changes} changes in an hour)" if changes else f"Flapping: {title}"
    return f"{_beginning(notification)}: {title}"


def _beginning(notification: Notification) -> str:
    severity, lasted = notification.severity, _lasted(notification)
    after = f" after {lasted}" if lasted else ""
    waited = _between(notification.page.rung, notification.at)
    word = loud(severity)
    over = "Over" if notification.page.alert == DRILL else "Resolved"
    said = {
        **BEGINNINGS,
        EventKind.RESOLVED: f"{over}{after}",
        EventKind.REPEATED: f"Still {severity}{after}",
        EventKind.WORSENED: f"Worse, now {word}",
        EventKind.EASED: f"Eased to {severity}",
        EventKind.ESCALATED: f"Escalated, nobody took it{f' for {waited}' if waited else ''}",
        EventKind.ACKNOWLEDGED: f"Taken{_by(notification)}",
    }
    return said.get(notification.kind, f"{word[0].upper()}{word[1:]}")


def _by(notification: Notification) -> str:
    taken = notification.page.taken
    if taken is None:
        return ""
    return f" by {plain(taken.who, LONGEST_NAME) or 'somebody'} until {_moment(taken.until, notification.at)}"


def when(notification: Notification) -> str:
    """Return since when, from when to when, or at which moment; in UTC, with the date unless it is the decision's."""
    since, at, until = notification.page.since, notification.at, notification.page.until
    if since is None:
        return f"at {_moment(at, at)} UTC"
    if notification.kind in ENDED or (notification.kind is EventKind.ANNOUNCED and until):
        return f"from {_span(since, until or at, at)} UTC"
    lasted = _lasted(notification)
    told = lasted and notification.kind not in {EventKind.REPEATED, EventKind.ANNOUNCED}
    return f"since {_moment(since, at)} UTC" + (f" ({lasted})" if told else "")


def as_of(notification: Notification) -> str:
    """Return the moment of the decision."""
    return f"as of {_moment(notification.at, notification.at)} UTC"


def notes(notification: Notification) -> tuple[str, ...]:
    """Return what is unusual about how `notification` comes, who has taken it, and what helped the last times."""
    return tuple(_notes(notification))


def _notes(notification: Notification) -> Iterator[str]:
    page = notification.page
    if notification.missed:
        yield f"This is the first you hear of it: it was {notification.severity}, but no earlier message got through."
    if notification.fallback_for:
        yield f"You get this because {plain(notification.fallback_for, LONGEST_NAME)} did not accept it."
    if page.settles:
        stable = show_duration(page.settles.total_seconds())
        yield f"Nothing more is said of it until it has been stable for {stable}."
    if page.taken:
        yield _taken(page.taken, notification)
    said = [plain(text, LONGEST_SAYING) for text in page.before[:MOST_BEFORE]]
    if helped := "; ".join(text for text in said if text):
        yield f"Last time: {helped}."


def _taken(taken: Acknowledgement, notification: Notification) -> str:
    at = notification.at
    who, why = plain(taken.who, LONGEST_NAME) or "somebody", plain(taken.why, LONGEST_SAYING)
    said = f": {why}" if why else ""
    if notification.kind is EventKind.LAPSED:
        return f"It was taken by {who} from {_span(taken.at, taken.until, at)} UTC, and goes on{said}"
    return f"Taken by {who} since {_moment(taken.at, at)} until {_moment(taken.until, at)} UTC{said}"


def name_of(page: Page) -> str:
    """Return the short name of an alert: `shop/site down`."""
    return plain(f"{page.system}/{page.check} {page.alert}", 120)


def loud(severity: Severity) -> str:
    """Return a severity; the worst in capitals."""
    return str(severity).upper() if severity is Severity.CRITICAL else str(severity)


def _lasted(notification: Notification) -> str:
    """Return how long it has gone on, or went on; nothing if that is not known or not a second."""
    return _between(notification.page.since, notification.page.until or notification.at)


def _between(since: datetime | None, until: datetime) -> str:
    seconds = round((until - since).total_seconds()) if since else 0
    return show_duration(seconds) if seconds > 0 else ""


def _span(since: datetime, until: datetime, today: datetime) -> str:
    """Return two moments, the second without its date where that is the first one's."""
    same = until.date() == since.date()
    return f"{_moment(since, today)} to {_moment(until, until if same else today)}"


def _moment(moment: datetime, today: datetime) -> str:
    if moment.date() == today.date():
        return f"{moment:%H:%M}"
    year = f" {moment.year}" if moment.year != today.year else ""
    return f"{moment.day} {moment:%b}{year} {moment:%H:%M}"

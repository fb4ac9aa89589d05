"""What happened, in words: incidents with their changes and messages, deploys. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.incidents import taken
from monitor.live import stamp
from monitor.model import AttemptResult, EventKind
from monitor.plain import plain
from monitor.units import show_duration

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from monitor.incidents import Incident
    from monitor.model import Attempt, Deploy, Dispatch, Event

WORDS = {
    EventKind.LAPSED: "no longer taken by {}: the time was over",
    EventKind.SILENCED: "silenced: {}",
    EventKind.LIFTED: "no longer silenced: {}",
    EventKind.NOTED: "noted: {}",
    EventKind.ANSWERED: "steps answered: {}",
}
"""How changes read whose text is worth more than their severity."""


def deploy_line(deploy: Deploy) -> str:
    """Return a deploy in words."""
    before = ", ".join(filter(None, (was for _, was, _ in deploy.steps)))
    came = f"deploy of {deploy.version}" + (f", before {before}" if before else "")
    ended = {None: "", True: ", a check after it failed", False: ", the checks after it were fine"}[deploy.failed]
    return plain(came + (", back to an earlier version" if deploy.back else "") + ended)


def outcome(incident: Incident, now: datetime) -> str:
    """Return in words how an incident ended, or that it goes on."""
    if incident.drill and incident.resolved:
        return f"over: {plain(incident.changes[-1].detail)}"
    if incident.lasted is not None:
        return f"resolved after {span_text(incident.lasted)}"
    if incident.resolved:
        return "resolved; it began before what is kept"
    if incident.ended_at is not None:
        return "removed from the configuration, not seen to recover"
    if incident.goes_on and incident.opened_at is not None:
        return f"goes on for {span_text(now - incident.opened_at)}"
    return "its end was not noted"


def journal(incident: Incident) -> list[tuple[datetime, str]]:
    """Return everything that is known of an incident, its changes and its messages, oldest first."""
    parts = [(change.at, 0, change_line(change)) for change in incident.changes]
    parts += [(one.notification.at, 1, message_line(one)) for one in incident.messages]
    parts.sort(key=lambda part: part[:2])
    return [(at, text) for at, _, text in parts]


def change_line(change: Event) -> str:
    """Return a change in words."""
    if change.kind in WORDS:
        return WORDS[change.kind].format(plain(change.detail))
    if change.kind is EventKind.ACKNOWLEDGED:
        by = taken(change)
        until = f" until {by.until}" if by.until else ""
        return f"acknowledged by {plain(by.who)}{until}" + (f": {plain(by.why)}" if by.why else "")
    about = [str(change.severity) if change.severity else "", f"{change.value:g}" if change.value is not None else ""]
    said = ", ".join(part for part in (*about, plain(change.detail)) if part)
    return f"{change.kind} ({said})" if said else str(change.kind)


def message_line(one: Dispatch) -> str:
    """Return in words to whom a message went, what it said and what became of it."""
    note = one.notification
    value = f", {plain(note.page.value)}" if note.page.value else ""
    instead = f", instead of {plain(note.fallback_for)}" if note.fallback_for else ""
    return f"to {plain(note.channel)}: {note.kind} {note.severity}{value}{instead}; {attempts(one)}"


def attempts(one: Dispatch) -> str:
    """Return in words what became of a message: every attempt that had an end."""
    ended = [attempt for attempt in one.attempts if attempt.result is not AttemptResult.BEGUN]
    if ended:
        return ", ".join(_attempt(attempt) for attempt in ended)
    return "begun, its end was not noted" if one.attempts else "not tried yet"


def span_text(span: timedelta) -> str:
    """Return a span in words, to the second."""
    seconds = round(span.total_seconds())
    return show_duration(seconds) if seconds > 0 else "0 s"


def _attempt(attempt: Attempt) -> str:
    word = {AttemptResult.RETRY: "refused", AttemptResult.SUPERSEDED: "needless"}.get(attempt.result, attempt.result)
    return f"{word} {stamp(attempt.at)}" + (f" ({plain(attempt.reason)})" if attempt.reason else "")

"""What `monitor history` prints: incidents with their changes and messages, deploys, times to resolve, uptime. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.incidents import left_alone, mean_to_acknowledge, mean_to_resolve, taken
from monitor.live import iso, stamp
from monitor.model import AttemptResult, EventKind
from monitor.plain import plain
from monitor.record import change_record, deploy_record, incident_record, message_record
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime, timedelta

    from monitor.incidents import Incident
    from monitor.model import Attempt, Deploy, Dispatch, Event
    from monitor.uptime import Uptime

Line = tuple[str, str]
"""A line of text, and how bad what it tells of is: the name of a severity, or nothing."""
WORDS = {
    EventKind.LAPSED: "no longer taken by {}: the time was over",
    EventKind.SILENCED: "silenced: {}",
    EventKind.LIFTED: "no longer silenced: {}",
    EventKind.NOTED: "noted: {}",
    EventKind.ANSWERED: "steps answered: {}",
}
"""How changes read whose text is worth more than their severity."""


@dataclass(frozen=True, slots=True)
class Chronicle:
    """What happened to `subject` (a system, or `system/check`) after `since`, as seen at `now`.

    `messages` are those that belong to no incident, `asides` are silences and loose notes. `uptime` is that of each
    month, by what it is the uptime of, the system first. `cut`: there was more than was read, so that what is older is
    missing.
    """

    subject: str
    since: datetime
    now: datetime
    incidents: Sequence[Incident]
    deploys: Sequence[Deploy] = ()
    messages: Sequence[Dispatch] = ()
    asides: Sequence[Event] = ()
    uptime: Mapping[str, Mapping[date, Uptime]] = field(default_factory=dict)
    cut: bool = False


def as_lines(told: Chronicle) -> list[Line]:
    """Return the history as text, the newest last, then what it adds up to."""
    blocks: list[tuple[datetime, list[Line]]] = [(_began(one), _incident(one, told.now)) for one in told.incidents]
    blocks += [(one.at, [(f"{stamp(one.at)}  {deploy_line(one)}", "")]) for one in told.deploys]
    blocks += [(one.notification.at, [(f"{stamp(one.notification.at)}  {_report(one)}", "")]) for one in told.messages]
    blocks += [(one.at, [(f"{stamp(one.at)}  {_aside(one)}", "")]) for one in told.asides]
    blocks.sort(key=lambda block: block[0])
    cut = [("older changes or messages were left out: there are too many; take a shorter --since", "warning")]
    return [*(cut if told.cut else []), *(line for _, block in blocks for line in block), *_sums(told)]


def deploy_line(deploy: Deploy) -> str:
    """Return a deploy in words."""
    before = ", ".join(filter(None, (was for _, was, _ in deploy.steps)))
    came = f"deploy of {deploy.version}" + (f", before {before}" if before else "")
    ended = {None: "", True: ", a check after it failed", False: ", the checks after it were fine"}[deploy.failed]
    return plain(came + (", back to an earlier version" if deploy.back else "") + ended)


def _incident(incident: Incident, now: datetime) -> list[Line]:
    severity = str(incident.severity or "")
    parts = [(change.at, 0, _change(change)) for change in incident.changes]
    parts += [(one.notification.at, 1, _message(one)) for one in incident.messages]
    parts.sort(key=lambda part: part[:2])
    word = "drill" if incident.drill else severity or "firing"
    head = f"{stamp(_began(incident))}  {word}: {plain(incident.title)}, {outcome(incident, now)}"
    return [(head, "" if incident.drill else severity), *((f"  {stamp(at)}  {text}", "") for at, _, text in parts)]


def outcome(incident: Incident, now: datetime) -> str:
    """Return in words how an incident ended, or that it goes on."""
    if incident.drill and incident.resolved:
        return f"over: {plain(incident.changes[-1].detail)}"
    if incident.lasted is not None:
        return f"resolved after {_span(incident.lasted)}"
    if incident.resolved:
        return "resolved; it began before what is kept"
    if incident.ended_at is not None:
        return "removed from the configuration, not seen to recover"
    if incident.goes_on and incident.opened_at is not None:
        return f"goes on for {_span(now - incident.opened_at)}"
    return "its end was not noted"


def _change(change: Event) -> str:
    if change.kind in WORDS:
        return WORDS[change.kind].format(plain(change.detail))
    if change.kind is EventKind.ACKNOWLEDGED:
        by = taken(change)
        until = f" until {by.until}" if by.until else ""
        return f"acknowledged by {plain(by.who)}{until}" + (f": {plain(by.why)}" if by.why else "")
    about = [str(change.severity) if change.severity else "", f"{change.value:g}" if change.value is not None else ""]
    said = ", ".join(part for part in (*about, plain(change.detail)) if part)
    return f"{change.kind} ({said})" if said else str(change.kind)


def _aside(event: Event) -> str:
    """Return in words what is no part of an incident: a silence, or a note about what does not fire."""
    if event.kind is EventKind.NOTED:
        return f"{plain(str(event.key.check))} {plain(event.key.name)}, {_change(event)}"
    return _change(event)


def _message(one: Dispatch) -> str:
    note = one.notification
    value = f", {plain(note.page.value)}" if note.page.value else ""
    instead = f", instead of {plain(note.fallback_for)}" if note.fallback_for else ""
    return f"to {plain(note.channel)}: {note.kind} {note.severity}{value}{instead}; {attempts(one)}"


def _report(one: Dispatch) -> str:
    note = one.notification
    word = note.kind if note.kind is EventKind.ANNOUNCED else note.severity
    return f"{word}: {plain(note.page.title)}; to {plain(note.channel)}: {attempts(one)}"


def attempts(one: Dispatch) -> str:
    """Return in words what became of a message: every attempt that had an end."""
    ended = [attempt for attempt in one.attempts if attempt.result is not AttemptResult.BEGUN]
    if ended:
        return ", ".join(_attempt(attempt) for attempt in ended)
    return "begun, its end was not noted" if one.attempts else "not tried yet"


def _attempt(attempt: Attempt) -> str:
    word = {AttemptResult.RETRY: "refused", AttemptResult.SUPERSEDED: "needless"}.get(attempt.result, attempt.result)
    return f"{word} {stamp(attempt.at)}" + (f" ({plain(attempt.reason)})" if attempt.reason else "")


def _sums(told: Chronicle) -> Iterator[Line]:
    known = [one.lasted for one in told.incidents if one.lasted is not None]
    mean = mean_to_resolve(told.incidents)
    count = sum(not one.drill for one in told.incidents)
    counted = f"{count} incident{'s' * (count != 1)} of {told.subject} since {stamp(told.since)}, {len(known)} resolved"
    yield counted + (f" after {_span(mean)} on average, {_span(max(known))} at most" if mean is not None else ""), ""
    yield from ((line, "") for line in _taken_sums(told.incidents))
    width = max(map(len, told.uptime), default=0)
    for subject, months in told.uptime.items():
        for month, uptime in months.items():
            spans = f"up {_span(uptime.up)}, down {_span(uptime.down)}"
            yield f"uptime {month:%Y-%m}  {subject:<{width}}  {uptime!s:>9}  ({spans})", ""


def _taken_sums(found: Sequence[Incident]) -> Iterator[str]:
    """Yield how many were acknowledged, how soon, and how many reached somebody and were not."""
    real = [one for one in found if not one.drill]
    count, alone = sum(bool(one.taken) for one in real), len(left_alone(real))
    if count or alone:
        mean = mean_to_acknowledge(found)
        soon = f" after {_span(mean)} on average" if mean is not None else ""
        untold = len(real) - count - alone
        yield f"{count} acknowledged{soon}, {alone} not" + (f", {untold} reached nobody" if untold else "")


def as_json(told: Chronicle) -> str:
    """Return the history as one JSON object."""
    mean, waited = mean_to_resolve(told.incidents), mean_to_acknowledge(told.incidents)
    record = {
        "subject": told.subject,
        "since": iso(told.since),
        "now": iso(told.now),
        "complete": not told.cut,
        "incidents": [incident_record(one) for one in told.incidents],
        "deploys": [deploy_record(one) for one in told.deploys],
        "messages": [message_record(one) for one in told.messages],
        "others": [
            {"system": one.key.check.system, "check": one.key.check.check, "alert": one.key.name, **change_record(one)}
            for one in told.asides
        ],
        "resolved": sum(one.lasted is not None for one in told.incidents),
        "mean_seconds_to_resolve": mean.total_seconds() if mean is not None else None,
        "acknowledged": sum(bool(one.taken) for one in told.incidents if not one.drill),
        "not_acknowledged": len(left_alone(told.incidents)),
        "mean_seconds_to_acknowledge": waited.total_seconds() if waited is not None else None,
        "uptime": [
            {
                "month": f"{month:%Y-%m}",
                "of": subject,
                "ratio": uptime.ratio,
                "up_seconds": uptime.up.total_seconds(),
                "down_seconds": uptime.down.total_seconds(),
            }
            for subject, months in told.uptime.items()
            for month, uptime in months.items()
        ],
    }
    return json.dumps(record, indent=2)


def _began(incident: Incident) -> datetime:
    return incident.opened_at or incident.changes[0].at


def _span(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    return show_duration(seconds) if seconds > 0 else "0 s"

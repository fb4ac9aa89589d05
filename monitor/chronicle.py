"""What `monitor history` prints: incidents with their changes and messages, deploys, times to resolve, uptime. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.incidents import left_alone, mean_to_acknowledge, mean_to_resolve
from monitor.live import iso, stamp
from monitor.model import EventKind
from monitor.plain import plain
from monitor.record import change_record, deploy_record, incident_record, message_record
from monitor.wording import attempts, change_line, deploy_line, journal, outcome, span_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from monitor.incidents import Incident
    from monitor.model import Deploy, Dispatch, Event
    from monitor.uptime import Uptime

Line = tuple[str, str]
"""A line of text, and how bad what it tells of is: the name of a severity, or nothing."""


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
    blocks: list[tuple[datetime, list[Line]]] = [(one.began, _incident(one, told.now)) for one in told.incidents]
    blocks += [(one.at, [(f"{stamp(one.at)}  {deploy_line(one)}", "")]) for one in told.deploys]
    blocks += [(one.notification.at, [(f"{stamp(one.notification.at)}  {_report(one)}", "")]) for one in told.messages]
    blocks += [(one.at, [(f"{stamp(one.at)}  {_aside(one)}", "")]) for one in told.asides]
    blocks.sort(key=lambda block: block[0])
    cut = [("older changes or messages were left out: there are too many; take a shorter --since", "warning")]
    return [*(cut if told.cut else []), *(line for _, block in blocks for line in block), *_sums(told)]


def _incident(incident: Incident, now: datetime) -> list[Line]:
    severity = str(incident.severity or "")
    word = "drill" if incident.drill else severity or "firing"
    head = f"{stamp(incident.began)}  {word}: {plain(incident.title)}, {outcome(incident, now)}"
    told = ((f"  {stamp(at)}  {text}", "") for at, text in journal(incident))
    return [(head, "" if incident.drill else severity), *told]


def _aside(event: Event) -> str:
    """Return in words what is no part of an incident: a silence, or a note about what does not fire."""
    if event.kind is EventKind.NOTED:
        return f"{plain(str(event.key.check))} {plain(event.key.name)}, {change_line(event)}"
    return change_line(event)


def _report(one: Dispatch) -> str:
    note = one.notification
    word = note.kind if note.kind is EventKind.ANNOUNCED else note.severity
    return f"{word}: {plain(note.page.title)}; to {plain(note.channel)}: {attempts(one)}"


def _sums(told: Chronicle) -> Iterator[Line]:
    known = [one.lasted for one in told.incidents if one.lasted is not None]
    mean = mean_to_resolve(told.incidents)
    count = sum(not one.drill for one in told.incidents)
    counted = f"{count} incident{'s' * (count != 1)} of {told.subject} since {stamp(told.since)}, {len(known)} resolved"
    spans = f" after {span_text(mean)} on average, {span_text(max(known))} at most" if mean is not None else ""
    yield counted + spans, ""
    yield from ((line, "") for line in _taken_sums(told.incidents))
    width = max(map(len, told.uptime), default=0)
    for subject, months in told.uptime.items():
        for month, uptime in months.items():
            spans = f"up {span_text(uptime.up)}, down {span_text(uptime.down)}"
            yield f"uptime {month:%Y-%m}  {subject:<{width}}  {uptime!s:>9}  ({spans})", ""


def _taken_sums(found: Sequence[Incident]) -> Iterator[str]:
    """Yield how many were acknowledged, how soon, and how many reached somebody and were not."""
    real = [one for one in found if not one.drill]
    count, alone = sum(bool(one.taken) for one in real), len(left_alone(real))
    if count or alone:
        mean = mean_to_acknowledge(found)
        soon = f" after {span_text(mean)} on average" if mean is not None else ""
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

"""What JSON says of incidents, their messages, and deploys: in `monitor history` as in the API. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.live import iso

if TYPE_CHECKING:
    from monitor.incidents import Incident
    from monitor.model import Deploy, Dispatch, Event


def incident_record(one: Incident) -> dict[str, object]:
    """Return what JSON says of an incident, with its changes and messages."""
    key = one.key
    return {
        "title": one.title,
        "system": key.check.system,
        "check": key.check.check,
        "alert": key.name,
        "labels": dict(key.labels),
        "severity": str(one.severity) if one.severity is not None else None,
        "opened_at": iso(one.opened_at),
        "ended_at": iso(one.ended_at),
        "resolved": one.resolved,
        "goes_on": one.goes_on,
        "seconds_to_resolve": one.lasted.total_seconds() if one.lasted is not None else None,
        "seconds_to_acknowledge": one.waited.total_seconds() if one.waited is not None else None,
        "acknowledged": [
            {"who": by.who, "at": iso(by.at), "until": by.until or None, "why": by.why} for by in one.taken
        ],
        "changes": [change_record(change) for change in one.changes],
        "messages": [message_record(message) for message in one.messages],
    }


def change_record(change: Event) -> dict[str, object]:
    """Return what JSON says of a line of the journal."""
    return {
        "at": iso(change.at),
        "kind": str(change.kind),
        "severity": str(change.severity) if change.severity is not None else None,
        "value": change.value,
        "detail": change.detail,
    }


def message_record(one: Dispatch) -> dict[str, object]:
    """Return what JSON says of a message, and what became of it."""
    note = one.notification
    return {
        "at": iso(note.at),
        "channel": note.channel,
        "kind": str(note.kind),
        "severity": str(note.severity),
        "title": note.page.title,
        "value": note.page.value or None,
        "fallback_for": note.fallback_for or None,
        "delivered_at": iso(one.delivered_at),
        "attempts": [
            {"at": iso(attempt.at), "result": str(attempt.result), "reason": attempt.reason} for attempt in one.attempts
        ],
    }


def deploy_record(deploy: Deploy) -> dict[str, object]:
    """Return what JSON says of a deploy."""
    return {
        "at": iso(deploy.at),
        "version": deploy.version,
        "steps": [{"part": part, "before": before, "now": now} for part, before, now in deploy.steps],
        "back": deploy.back,
        "failed": deploy.failed,
        "protocol": list(deploy.protocol),
    }

"""What `monitor alerts` prints: the alerts that are live, as the store has them. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.plain import plain
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from monitor.model import Acknowledgement, Alert, Dispatch, Severity, Silence

PENDING = "pending"
FIRING = "firing"


@dataclass(frozen=True, slots=True)
class Heard:
    """A channel that is told of an alert: at which severity, when that was decided, and when it took the message.

    `delivered_at` is None while it has taken none of this incident.
    """

    channel: str
    severity: Severity
    at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Live:
    """A live alert, and what messages have said of it last: `value` and `figure` are empty where none did.

    `silenced_until`: nothing new is told of it until then, because of `silenced_by`.
    """

    alert: Alert
    value: str
    figure: str
    heard: tuple[Heard, ...]
    silenced_until: datetime | None = None
    silenced_by: str = ""

    @property
    def word(self) -> str:
        """Return how bad it is, or that it does not fire yet."""
        return str(self.alert.severity) if self.alert.severity is not None else PENDING


def live(
    alerts: Iterable[Alert],
    dispatches: Sequence[Dispatch],
    silences: Iterable[Silence] = (),
    now: datetime | None = None,
) -> list[Live]:
    """Return the alerts with what `dispatches` (newest first) tell of them, the worst first, then the oldest.

    With the `silences` that hold `now`.
    """
    known = [_live(alert, dispatches) for alert in alerts]
    quiet = list(silences) if now is not None else []
    return sorted((_silenced(one, quiet, now) for one in known), key=_weight)


def as_line(one: Live, width: int, now: datetime) -> str:
    """Return one line: how bad, since when, the value, the title (padded to `width`), who was told of it and when."""
    alert = one.alert
    since = "" if alert.since is None else f"since {stamp(alert.since)} ({_ago(alert.since, now)})"
    fires = alert.severity is not None
    taken = taken_by(alert.acknowledged) if alert.acknowledged and fires else ""
    quiet = f"silenced until {stamp(one.silenced_until)}" if one.silenced_until else ""
    parts = (since, plain(one.value), told(one.heard) if fires else "", taken, quiet)
    return f"{one.word:<10}{title(alert):<{width}}  {'; '.join(part for part in parts if part)}".rstrip()


def title(alert: Alert) -> str:
    """Return what an alert is called, as it may be printed."""
    return plain(alert.title or f"{alert.key.check}: {alert.key.name}")


def told(heard: Sequence[Heard]) -> str:
    """Return in words who was told, and when."""
    parts = [
        f"{plain(one.channel)} {stamp(one.delivered_at)}"
        if one.delivered_at
        else f"{plain(one.channel)} owed since {stamp(one.at)}"
        for one in heard
    ]
    return f"told: {', '.join(parts)}" if parts else "nobody was told"


def taken_by(acknowledged: Acknowledgement) -> str:
    """Return in words who takes an alert, and until when."""
    why = f" ({plain(acknowledged.why)})" if acknowledged.why else ""
    return f"acknowledged by {plain(acknowledged.who)} until {stamp(acknowledged.until)}{why}"


def stamp(moment: datetime) -> str:
    """Return a moment in UTC, to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def as_json(alerts: Iterable[Live]) -> str:
    """Return all of them as one JSON list."""
    return json.dumps([as_record(one) for one in alerts], indent=2)


def as_record(one: Live) -> dict[str, object]:
    """Return what JSON says of one alert."""
    alert = one.alert
    key = alert.key
    return {
        "severity": str(alert.severity) if alert.severity is not None else None,
        "state": FIRING if alert.severity is not None else PENDING,
        "title": alert.title,
        "system": key.check.system,
        "check": key.check.check,
        "alert": key.name,
        "labels": dict(key.labels),
        "since": iso(alert.since),
        "value": one.value or None,
        "figure": one.figure or None,
        "incident": alert.incident if alert.since else None,
        "acknowledged": _acknowledged(alert.acknowledged),
        "silenced_until": iso(one.silenced_until),
        "told": [
            {
                "channel": heard.channel,
                "severity": str(heard.severity),
                "at": iso(heard.at),
                "delivered_at": iso(heard.delivered_at),
            }
            for heard in one.heard
        ],
    }


def iso(moment: datetime | None) -> str | None:
    """Return a moment as JSON has it."""
    return moment.isoformat() if moment else None


def _live(alert: Alert, dispatches: Sequence[Dispatch]) -> Live:
    ours = [one for one in dispatches if one.notification.incident == alert.incident] if alert.since else []
    pages = [one.notification.page for one in ours]
    taken: dict[str, datetime] = {}
    for one in ours:
        if one.delivered_at is not None:
            taken.setdefault(one.notification.channel, one.delivered_at)
    return Live(
        alert,
        value=next((page.value for page in pages if page.value), ""),
        figure=next((page.figure for page in pages if page.figure), ""),
        heard=tuple(Heard(one.channel, one.severity, one.at, taken.get(one.channel)) for one in alert.told),
    )


def _acknowledged(by: Acknowledgement | None) -> dict[str, object] | None:
    if by is None:
        return None
    return {"who": by.who, "why": by.why, "at": iso(by.at), "until": iso(by.until), "severity": str(by.severity)}


def _silenced(one: Live, silences: Iterable[Silence], now: datetime | None) -> Live:
    """Return a live alert with the silence that holds longest, if any does."""
    holding = [silence for silence in silences if now is not None and silence.holds(one.alert.key, now)]
    longest = max(holding, key=lambda silence: silence.until, default=None)
    return replace(one, silenced_until=longest.until, silenced_by=longest.who) if longest else one


def _ago(since: datetime, now: datetime) -> str:
    return show_duration(max(round((now - since).total_seconds()), 0))


def _weight(one: Live) -> tuple[int, bool, float, str]:
    """Order the worst first, then the oldest, then by name."""
    since = one.alert.since
    return -(one.alert.severity or 0), since is None, since.timestamp() if since else 0.0, title(one.alert)

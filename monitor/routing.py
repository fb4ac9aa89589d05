"""Alerts → who is told. Pure.

Telling follows from state, not from events: an alert remembers the severity that was last announced and to whom.
Whenever the two differ, somebody is owed a message. So whatever was held back, lost in a crash or decided while nobody
could be told is made up for as soon as it may be, and nothing is ever told twice. Everybody who was told of an incident
hears how it ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import EventKind, Told

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.model import Alert, CheckId, Severity


@dataclass(frozen=True, slots=True)
class Route:
    """Who is told of what. An empty `severities` or `systems` matches all. `repeat`: the reminder while it goes on."""

    notify: tuple[str, ...]
    severities: frozenset[Severity] = frozenset()
    systems: frozenset[str] = frozenset()
    repeat: timedelta = timedelta(hours=4)

    def matches(self, check: CheckId, severity: Severity) -> bool:
        """Return whether this route takes an alert of `check` at `severity`."""
        return (not self.severities or severity in self.severities) and (
            not self.systems or check.system in self.systems
        )


@dataclass(frozen=True, slots=True)
class Call:
    """One channel that is to be told now, and why. `quiet`: it must not ring."""

    channel: str
    kind: EventKind
    severity: Severity
    quiet: bool


def reminders(routes: Iterable[Route], check: CheckId, severity: Severity) -> dict[str, timedelta]:
    """Return the channels that hear of `check` at `severity`, each with the time after which it is reminded."""
    found: dict[str, timedelta] = {}
    for route in routes:
        if route.matches(check, severity):
            for channel in route.notify:
                found[channel] = min(route.repeat, found.get(channel, route.repeat))
    return found


def tell(alert: Alert, routes: Iterable[Route], now: datetime, *, held: bool) -> tuple[Alert, tuple[Call, ...]]:
    """Return who must be told of `alert` now, and the alert as it is once they are owed the message.

    While `held`, nothing new is told and nobody is reminded; easing and resolves of what was told still are.
    """
    severity, announced = alert.severity, alert.announced
    if severity is None:
        return _resolve(alert)
    if announced is not None and severity < announced:
        return _tell(alert, now, {told.channel: True for told in alert.told}, EventKind.EASED, severity)
    if held:
        return alert, ()
    routed = reminders(routes, alert.key.check, severity)
    if announced == severity:
        due = {told.channel: False for told in alert.told if _due(told, routed, now)}
        return _tell(alert, now, due, EventKind.REPEATED, severity)
    kind = EventKind.OPENED if announced is None else EventKind.WORSENED
    channels = {told.channel: True for told in alert.told} | dict.fromkeys(routed, False)
    return _tell(alert, now, channels, kind, severity)


def also_tell(alert: Alert, channel: str, now: datetime) -> Alert:
    """Return `alert` with `channel` among those who were told: a fallback hears the end as well."""
    if alert.severity is None:
        return alert
    others = tuple(told for told in alert.told if told.channel != channel)
    return replace(alert, told=(*others, Told(channel, alert.severity, now)))


def rejoin(remembered: Alert, present: Alert | None) -> Alert:
    """Return an alert as it was `remembered`, with what was seen and told `present`ly while that could not be read."""
    if present is None:
        return remembered
    told = {told.channel: told for told in (*remembered.told, *present.told)}
    announced = [severity for severity in (remembered.announced, present.announced) if severity is not None]
    return replace(
        present,
        title=remembered.title,
        since=remembered.since or present.since,
        announced=max(announced, default=None),
        told=tuple(told.values()),
    )


def _resolve(alert: Alert) -> tuple[Alert, tuple[Call, ...]]:
    calls = tuple(Call(told.channel, EventKind.RESOLVED, told.severity, quiet=True) for told in alert.told)
    return replace(alert, announced=None, told=(), since=None), calls


def _due(told: Told, routed: dict[str, timedelta], now: datetime) -> bool:
    repeat = routed.get(told.channel)
    return repeat is not None and now - told.at >= repeat


def _tell(
    alert: Alert, now: datetime, channels: dict[str, bool], kind: EventKind, severity: Severity
) -> tuple[Alert, tuple[Call, ...]]:
    """Owe a message to `channels` (name → quiet)."""
    calls = tuple(Call(channel, kind, severity, quiet) for channel, quiet in channels.items())
    others = tuple(told for told in alert.told if told.channel not in channels)
    heard = tuple(Told(channel, severity, now) for channel in channels)
    if kind is EventKind.REPEATED and not calls:
        return alert, ()
    return replace(alert, announced=severity, told=others + heard), calls

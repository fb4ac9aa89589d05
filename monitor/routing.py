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

from monitor.model import OURS, EventKind, Phase, Told

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
        """Return whether this route takes an alert of `check` at `severity`. What concerns ourselves concerns all."""
        ours = check.system == OURS
        return (not self.severities or severity in self.severities) and (
            ours or not self.systems or check.system in self.systems
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
        return _remind(alert, now, routed, severity)
    kind = EventKind.OPENED if announced is None else EventKind.WORSENED
    channels = {told.channel: True for told in alert.told} | dict.fromkeys(routed, False)
    return _tell(alert, now, channels, kind, severity)


def also_tell(alert: Alert, channel: str, now: datetime) -> Alert:
    """Return `alert` with `channel` among those who were told: a fallback hears the end as well."""
    if alert.severity is None:
        return alert
    others = tuple(told for told in alert.told if told.channel != channel)
    return replace(alert, told=(*others, Told(channel, alert.severity, now)))


def not_later(alert: Alert, now: datetime) -> Alert:
    """Return `alert` with no moment later than `now`: such a one was told by a clock that has been set back since."""
    told = tuple(replace(told, at=min(told.at, now)) for told in alert.told)
    return replace(alert, told=told) if told != alert.told else alert


def rejoin(remembered: Alert, present: Alert | None) -> Alert:
    """Return an alert as it was `remembered`, with what was seen and told `present`ly while that could not be read."""
    if present is None:
        return remembered
    told = {told.channel: told for told in (*remembered.told, *present.told)}
    levels = dict(present.levels)
    for severity, level in remembered.levels.items():
        begun_anew = severity not in levels or levels[severity].phase is Phase.PENDING
        if level.phase.fires and begun_anew:
            levels[severity] = level
    announced = [severity for severity in (remembered.announced, present.announced) if severity is not None]
    return replace(
        present,
        title=remembered.title,
        levels=levels,
        severity=max((severity for severity, level in levels.items() if level.phase.fires), default=None),
        since=remembered.since or present.since,
        announced=max(announced, default=None),
        told=tuple(told.values()),
    )


def _resolve(alert: Alert) -> tuple[Alert, tuple[Call, ...]]:
    calls = tuple(Call(told.channel, EventKind.RESOLVED, told.severity, quiet=True) for told in alert.told)
    return replace(alert, announced=None, told=(), since=None), calls


def _remind(
    alert: Alert, now: datetime, routed: dict[str, timedelta], severity: Severity
) -> tuple[Alert, tuple[Call, ...]]:
    """Remind those whose time has come; whoever the routes name and who was never told hears of it now."""
    heard = {told.channel: told.at for told in alert.told}
    news = [channel for channel in routed if channel not in heard]
    if news:
        return _tell(alert, now, dict.fromkeys(news, False), EventKind.OPENED, severity)
    due = [channel for channel, repeat in routed.items() if now - heard[channel] >= repeat]
    return _tell(alert, now, dict.fromkeys(due, False), EventKind.REPEATED, severity) if due else (alert, ())


def _tell(
    alert: Alert, now: datetime, channels: dict[str, bool], kind: EventKind, severity: Severity
) -> tuple[Alert, tuple[Call, ...]]:
    """Owe a message to `channels` (name → quiet). To one that never heard of it, it is new, even if it got worse."""
    known = {told.channel for told in alert.told}
    calls = tuple(
        Call(channel, kind if channel in known else EventKind.OPENED, severity, quiet)
        for channel, quiet in channels.items()
    )
    others = tuple(told for told in alert.told if told.channel not in channels)
    heard = tuple(Told(channel, severity, now) for channel in channels)
    return replace(alert, announced=severity, told=others + heard), calls

"""Alerts → who is told. Pure.

Telling follows from state, not from events: an alert remembers the severity that was last announced and to whom.
Whenever the two differ, somebody is owed a message. So whatever was held back, lost in a crash or decided while nobody
could be told is made up for as soon as it may be, and nothing is ever told twice. Everybody who was told of an incident
hears how it ends.

While somebody has acknowledged an alert, nobody is reminded and nothing escalates; that ends when it gets worse. What
flaps is said once; then nothing but getting worse is told until it has been stable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import EventKind, Phase, Told
from monitor.routing.flapping import USUAL
from monitor.routing.route import terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from monitor.model import Acknowledgement, Alert, Severity
    from monitor.routing.flapping import Flapping
    from monitor.routing.route import Route, Terms


FIRST = frozenset({EventKind.ESCALATED, EventKind.FLAPPING})
"""What is said so also to a channel that never heard of the alert."""


@dataclass(frozen=True, slots=True)
class Call:
    """One channel that is to be told now, and why. `quiet`: it must not ring.

    `batch`: it may wait until `leaves`, for others of that name.
    """

    channel: str
    kind: EventKind
    severity: Severity
    quiet: bool
    batch: str = ""
    leaves: datetime | None = None


class News(NamedTuple):
    """What is said of an alert, at which severity, and on what terms the routes name their channels."""

    kind: EventKind
    severity: Severity
    routed: Mapping[str, Terms]

    @property
    def at_first(self) -> News:
        """Return how it is said to a channel that never heard of the alert."""
        return self if self.kind in FIRST else self._replace(kind=EventKind.OPENED)


def tell(
    alert: Alert, routes: Sequence[Route], now: datetime, *, held: bool, flapping: Flapping = USUAL
) -> tuple[Alert, tuple[Call, ...]]:
    """Return who must be told of `alert` now, and the alert as it is once they are owed the message.

    While `held`, nothing new is told and nobody is reminded; easing and resolves of what was told still are.
    """
    alert = flapping.recent(_lapsed(alert, now), now)
    if flapping.begins(alert) and not held and (alert.told or alert.severity is not None):
        return _flap(alert, routes, now)
    if alert.flapping:
        if not flapping.is_stable(alert, now):
            return _tell_worse(alert, routes, now, held=held)
        return _tell_stable(replace(alert, flapping=False, changes=()), routes, now, held=held)
    return _tell_change(alert, routes, now, held=held)


def acknowledge(
    alert: Alert, taken: Acknowledgement, routes: Sequence[Route], now: datetime
) -> tuple[Alert, tuple[Call, ...]]:
    """Return `alert` as somebody has taken it, and who hears of that: quietly, whoever was told of it."""
    return _tell(
        replace(alert, acknowledged=taken),
        now,
        {told.channel: True for told in alert.told},
        News(EventKind.ACKNOWLEDGED, taken.severity, terms(routes, alert, taken.severity, now)),
    )


def also_tell(alert: Alert, channel: str, now: datetime) -> Alert:
    """Return `alert` with `channel` among those who were told: a fallback hears the end as well."""
    if alert.severity is None:
        return alert
    others = tuple(told for told in alert.told if told.channel != channel)
    return replace(alert, told=(*others, Told(channel, alert.severity, now)))


def not_later(alert: Alert, now: datetime) -> Alert:
    """Return `alert` with no moment later than `now`: such a one was told by a clock that has been set back since."""
    return replace(
        alert,
        told=tuple(replace(told, at=min(told.at, now)) for told in alert.told),
        rung_at=min(alert.rung_at, now) if alert.rung_at else None,
        changes=tuple(min(change, now) for change in alert.changes),
    )


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
        rung_at=remembered.rung_at or present.rung_at,
        acknowledged=present.acknowledged or remembered.acknowledged,
        changes=(*remembered.changes, *present.changes),
        flapping=remembered.flapping or present.flapping,
        drill=present.drill or remembered.drill,
    )


def _lapsed(alert: Alert, now: datetime) -> Alert:
    """Return `alert` without an acknowledgement that no longer counts; escalation then counts from now on."""
    taken = alert.acknowledged
    if taken is None:
        return alert
    if alert.severity is None or alert.severity > taken.severity:
        return replace(alert, acknowledged=None)
    return replace(alert, acknowledged=None, rung_at=now) if now >= taken.until else alert


def _tell_change(alert: Alert, routes: Sequence[Route], now: datetime, *, held: bool) -> tuple[Alert, tuple[Call, ...]]:
    """Tell what has changed since it was told last, and remind of what goes on."""
    severity, announced = alert.severity, alert.announced
    if severity is None:
        return _resolve(alert, routes, now)
    routed = terms(routes, alert, severity, now, waited=_waited(alert, now))
    if announced is not None and severity < announced:
        return _tell(alert, now, {told.channel: True for told in alert.told}, News(EventKind.EASED, severity, routed))
    if held:
        return alert, ()
    if announced == severity:
        return _remind(alert, now, routed, severity)
    kind = EventKind.OPENED if announced is None else EventKind.WORSENED
    channels = {told.channel: True for told in alert.told} | dict.fromkeys(routed, False)
    return _tell(alert, now, channels, News(kind, severity, routed))


def _tell_worse(alert: Alert, routes: Sequence[Route], now: datetime, *, held: bool) -> tuple[Alert, tuple[Call, ...]]:
    """Tell of a flapping alert only that it got worse."""
    worse = alert.severity is not None and (alert.announced is None or alert.severity > alert.announced)
    return _tell_change(alert, routes, now, held=held) if worse else (alert, ())


def _tell_stable(alert: Alert, routes: Sequence[Route], now: datetime, *, held: bool) -> tuple[Alert, tuple[Call, ...]]:
    """Tell how an alert stands that was flapping, which nobody has heard since."""
    severity = alert.severity
    if severity is None or held or severity != alert.announced:
        return _tell_change(alert, routes, now, held=held)
    routed = terms(routes, alert, severity, now)
    channels = {told.channel: True for told in alert.told} | dict.fromkeys(routed, False)
    return _tell(alert, now, channels, News(EventKind.REPEATED, severity, routed))


def _flap(alert: Alert, routes: Sequence[Route], now: datetime) -> tuple[Alert, tuple[Call, ...]]:
    """Say that it flaps, to whoever was told and to whom the routes name; it rings only while it fires."""
    heard = [told.severity for told in alert.told]
    severity = alert.severity if alert.severity is not None else max(heard)
    routed = terms(routes, alert, severity, now)
    channels = {told.channel: alert.severity is None for told in alert.told}
    if alert.severity is not None:
        channels |= dict.fromkeys(routed, False)
    noted = replace(alert, flapping=True)
    return _tell(noted, now, channels, News(EventKind.FLAPPING, severity, routed))


def _resolve(alert: Alert, routes: Sequence[Route], now: datetime) -> tuple[Alert, tuple[Call, ...]]:
    calls = []
    for told in alert.told:
        how = terms(routes, alert, told.severity, now).get(told.channel)
        batch, leaves = (how.batch, how.leaves) if how else ("", None)
        calls.append(Call(told.channel, EventKind.RESOLVED, told.severity, quiet=True, batch=batch, leaves=leaves))
    return replace(alert, announced=None, told=(), since=None, rung_at=None), tuple(calls)


def _remind(
    alert: Alert, now: datetime, routed: Mapping[str, Terms], severity: Severity
) -> tuple[Alert, tuple[Call, ...]]:
    """Remind those whose time has come; whoever the routes name and who was never told hears of it now."""
    heard = {told.channel: told.at for told in alert.told}
    late = [name for name, how in routed.items() if how.escalated is not None and _is_due(alert, how, heard.get(name))]
    if late:
        return _tell(alert, now, dict.fromkeys(late, False), News(EventKind.ESCALATED, severity, routed))
    news = [name for name, how in routed.items() if name not in heard and how.escalated is None]
    if news:
        return _tell(alert, now, dict.fromkeys(news, False), News(EventKind.OPENED, severity, routed))
    if alert.acknowledged is not None:
        return alert, ()
    due = [name for name, how in routed.items() if name in heard and now - heard[name] >= how.repeat]
    return (
        _tell(alert, now, dict.fromkeys(due, False), News(EventKind.REPEATED, severity, routed)) if due else (alert, ())
    )


def _waited(alert: Alert, now: datetime) -> timedelta | None:
    """Return for how long nobody has taken `alert` at its severity; None if somebody has, or nobody was told."""
    if alert.acknowledged is not None or alert.rung_at is None or alert.announced != alert.severity:
        return None
    return now - alert.rung_at


def _is_due(alert: Alert, how: Terms, heard: datetime | None) -> bool:
    """Return whether a channel to which it escalates has not heard of it since that was due."""
    if how.escalated is None or alert.rung_at is None:
        return False
    return heard is None or heard < alert.rung_at + how.escalated


def _tell(alert: Alert, now: datetime, channels: Mapping[str, bool], news: News) -> tuple[Alert, tuple[Call, ...]]:
    """Owe a message to `channels` (name → quiet). To one that never heard of it, it is new, even if it got worse."""
    known = {told.channel for told in alert.told}
    calls = tuple(
        _call(channel, news if channel in known else news.at_first, quiet=quiet) for channel, quiet in channels.items()
    )
    if news.kind is EventKind.ACKNOWLEDGED:
        return alert, calls
    others = tuple(told for told in alert.told if told.channel not in channels)
    heard = tuple(Told(channel, news.severity, now) for channel in channels)
    rings_on = alert.announced == news.severity and alert.rung_at is not None
    rung_at = alert.rung_at if rings_on else now if channels else None
    return replace(alert, announced=news.severity, told=others + heard, rung_at=rung_at), calls


def _call(channel: str, news: News, *, quiet: bool) -> Call:
    how = news.routed.get(channel)
    batch, leaves = (how.batch, how.leaves) if how else ("", None)
    return Call(channel, news.kind, news.severity, quiet, batch, leaves)

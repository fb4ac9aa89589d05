"""Routes: whom they name for an alert, at this moment, and on what terms. Pure.

Every route that matches applies, in the order of the file, until one that says `stop`. One whose hours are closed does
not apply. But a critical always reaches somebody: if no route takes it now, those count whose hours are closed, and if
there is none either, every channel that any route names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import OURS, Alert, Labels, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from monitor.routing.hours import Digest, Hours

WITHIN = "within"


class Escalation(NamedTuple):
    """Who hears of an alert that nobody has acknowledged `after` so long."""

    after: timedelta
    notify: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Who is told of what.

    Empty `severities`, `systems`, `checks` (globs of `check` or `system/check`), `alert` (a glob of its name or title)
    and `labels` match all. `repeat`: the reminder while it goes on. `within`: what is no critical may wait so long for
    others, `digest`: until then. `place` is its position in the file, the same for the parts of a route that was split.
    """

    notify: tuple[str, ...]
    severities: frozenset[Severity] = frozenset()
    systems: frozenset[str] = frozenset()
    repeat: timedelta = timedelta(hours=4)
    checks: tuple[str, ...] = ()
    alert: str = ""
    labels: Labels = ()
    stop: bool = False
    within: timedelta = timedelta()
    digest: Digest | None = None
    hours: Hours | None = None
    escalate: tuple[Escalation, ...] = ()
    place: int = 0

    def matches(self, alert: Alert, severity: Severity) -> bool:
        """Return whether this route takes `alert` at `severity`, its hours aside. What is ours concerns all systems."""
        system, check = alert.key.check
        return (
            (not self.severities or severity in self.severities)
            and (system == OURS or not self.systems or system in self.systems)
            and (not self.checks or any(fnmatchcase(name, glob) for glob in self.checks for name in _names(alert)))
            and (not self.alert or any(_alike(text, self.alert) for text in (alert.key.name, alert.title)))
            and set(self.labels) <= {*alert.key.labels, ("system", system), ("check", check)}
        )

    def open_at(self, now: datetime) -> bool:
        """Return whether its hours are open."""
        return self.hours is None or self.hours.open_at(now)


@dataclass(frozen=True, slots=True)
class Terms:
    """How one channel hears of an alert: from which route, how soon, how often, and whether only by escalation."""

    route: Route
    repeat: timedelta
    batch: str = ""
    leaves: datetime | None = None
    escalated: timedelta | None = None

    def sooner(self, other: Terms) -> Terms:
        """Return the terms of a channel that two routes name."""
        first, second = sorted((self, other), key=_haste)
        return Terms(first.route, min(first.repeat, second.repeat), first.batch, first.leaves, first.escalated)


def applying(routes: Iterable[Route], alert: Alert, severity: Severity, now: datetime) -> list[Route]:
    """Return the routes that apply to `alert` at `severity` now."""
    matching = [route for route in routes if route.matches(alert, severity)]
    applies = list(_until_stop(route for route in matching if route.open_at(now)))
    if applies or severity is not Severity.CRITICAL:
        return applies
    return list(_until_stop(matching)) or _anybody(routes)


def terms(
    routes: Sequence[Route], alert: Alert, severity: Severity, now: datetime, *, waited: timedelta | None = None
) -> dict[str, Terms]:
    """Return the channels that hear of `alert` at `severity` now, and how.

    `waited`: for so long nobody has acknowledged it; None: nothing escalates.
    """
    found: dict[str, Terms] = {}
    for route in applying(routes, alert, severity, now):
        batch, leaves = _waits(route, severity, now)
        named = [(channel, Terms(route, route.repeat, batch, leaves)) for channel in route.notify]
        for after, channels in route.escalate if waited is not None else ():
            if waited is not None and waited >= after:
                named += [(channel, Terms(route, route.repeat, escalated=after)) for channel in channels]
        for channel, these in named:
            found[channel] = found[channel].sooner(these) if channel in found else these
    return found


def told_of(routes: Sequence[Route], alert: Alert, severity: Severity, now: datetime) -> set[str]:
    """Return the channels that hear of `alert` at `severity` now, before anything escalates."""
    return set(terms(routes, alert, severity, now))


def _until_stop(routes: Iterable[Route]) -> Iterator[Route]:
    """Yield `routes` until one says stop, with all the parts of that one."""
    stopped: int | None = None
    for route in routes:
        if stopped is None or route.place == stopped:
            yield route
        if route.stop and stopped is None:
            stopped = route.place


def _anybody(routes: Iterable[Route]) -> list[Route]:
    names = dict.fromkeys(name for route in routes for name in route.notify)
    return [Route(tuple(names), place=-1)] if names else []


def _waits(route: Route, severity: Severity, now: datetime) -> tuple[str, datetime | None]:
    """Return the name of what it is collected with, and when that leaves at the latest; a critical never waits."""
    if severity is Severity.CRITICAL:
        return "", None
    if route.digest is not None:
        return f"digest {route.digest.text}", route.digest.after(now)
    return (WITHIN, now + route.within) if route.within else ("", None)


def _haste(one: Terms) -> tuple[bool, float, bool]:
    """Order what leaves at once before what waits, and what is routed before what only escalates."""
    return one.leaves is not None, one.leaves.timestamp() if one.leaves else 0.0, one.escalated is not None


def _names(alert: Alert) -> tuple[str, str]:
    return alert.key.check.check, str(alert.key.check)


def _alike(text: str, glob: str) -> bool:
    return fnmatchcase(text.casefold(), glob.casefold())

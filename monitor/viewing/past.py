"""What happened before this process, read from the store into strips: the runs of 30 days, and what fired in 24 hours.

Of each check the hours are read that the store has summed up, and the single runs of those that it has not. It goes on
beside everything else: some seconds for 1,000 checks.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from monitor.model import DRILL, EventKind
from monitor.showing import Hours, Span, Strip
from monitor.uptime import AN_HOUR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

    from monitor.model import AlertKey, CheckId, Event, Severity
    from monitor.store import Store

MOST_EVENTS = 20_000
"""Changes of alerts within 24 hours that are read."""
MOST_OF_ONE = 100
"""Earlier changes of one alert that are read, to know how bad it was when the 24 hours began."""
MOMENT = timedelta(microseconds=1)
KEPT = timedelta(days=400)
FIRES = frozenset({EventKind.OPENED, EventKind.WORSENED, EventKind.EASED})
ENDS = frozenset({EventKind.RESOLVED, EventKind.REMOVED})


async def read_past(store: Store, strips: Mapping[CheckId, Strip], now: datetime) -> dict[CheckId, Strip]:
    """Return what happened until `now` to each check of `strips`, but for the runs that were counted there already.

    Raises `StoreUnavailable`.
    """
    hours = Hours.until(now)
    earlier = {check: Strip(check) for check in strips}
    last = await _read_hours(store, strips, earlier, hours)
    begin = max(last.values(), default=_month(hours))
    silences = await store.silences(begin)
    async for sample in store.replay(begin - MOMENT):
        strip = strips.get(sample.check)
        if strip is not None and sample.at <= now and not strip.counted(sample.at):
            earlier[sample.check].add(sample, silences)
    for check, at in last.items():
        if earlier[check].newest is None:
            found = await store.samples(check, at - MOMENT, 1, at + AN_HOUR)
            earlier[check].newest = next(iter(found), None)
    async for key, span in _fired(store, hours):
        if key.check in earlier:
            earlier[key.check].paint(span)
    return earlier


async def read_hours(store: Store, strips: Mapping[CheckId, Strip], now: datetime) -> None:
    """Put into `strips` what the store has summed up meanwhile of the last 24 hours. Raises `StoreUnavailable`."""
    hours = Hours.until(now)
    for check, strip in strips.items():
        for hour in [hour async for hour in store.replay_hours(check, hours.first, ())]:
            strip.sum_up(hour, hours)


async def _read_hours(
    store: Store, strips: Mapping[CheckId, Strip], earlier: Mapping[CheckId, Strip], hours: Hours
) -> dict[CheckId, datetime]:
    """Read the hours of a month; return the newest one of each check."""
    last: dict[CheckId, datetime] = {}
    for check, strip in strips.items():
        async for hour in store.replay_hours(check, _month(hours), ()):
            if hour.at > hours.now or (hour.at < hours.first and strip.counted(hour.at + AN_HOUR)):
                continue
            earlier[check].sum_up(hour, hours)
            last[check] = hour.at
    return last


def _month(hours: Hours) -> datetime:
    return datetime.combine(hours.first_day, time(), UTC)


async def _fired(store: Store, hours: Hours) -> AsyncIterator[tuple[AlertKey, Span]]:
    """Yield what fired in the time of `hours`, and when."""
    changes: defaultdict[AlertKey, list[Event]] = defaultdict(list)
    for event in reversed(await store.journal(hours.first, limit=MOST_EVENTS)):
        if event.kind in FIRES | ENDS and event.at <= hours.now:
            changes[event.key].append(event)
    firing = {alert.key: alert.severity for alert in await store.alerts() if alert.severity is not None}
    for key in {*changes, *firing}:
        if key.name == DRILL:
            continue
        before = None
        if key not in changes:
            before = firing[key]
        elif changes[key][0].kind is not EventKind.OPENED:
            before = await _before(store, key, hours)
        for span in spans(before, changes[key], hours, goes_on=key in firing):
            yield key, span


async def _before(store: Store, key: AlertKey, hours: Hours) -> Severity | None:
    """Return at which severity an alert fired when the time of `hours` began."""
    known = await store.journal(hours.now - KEPT, key, MOST_OF_ONE)
    earlier = (event for event in known if event.at <= hours.first and event.kind in FIRES | ENDS)
    newest = next(earlier, None)
    return newest.severity if newest is not None and newest.kind in FIRES else None


def spans(before: Severity | None, changes: Iterable[Event], hours: Hours, *, goes_on: bool) -> Iterator[Span]:
    """Yield when an alert fired and how badly, from how it stood `before`, and its changes. Pure.

    One whose end was not noted, and that does not go on, is not known to have fired after its last change.
    """
    severity, since = before, hours.first
    for event in changes:
        if severity is not None:
            yield Span(severity, since, event.at)
        severity, since = event.severity if event.kind in FIRES else None, event.at
    if severity is not None:
        yield Span(severity, since, hours.now if goes_on else since)

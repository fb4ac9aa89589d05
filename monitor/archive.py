"""What the store remembers of a system or a check, gathered for whoever asks: only by reading."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from monitor.chronicle import Chronicle
from monitor.deeds import EVERY
from monitor.faults import ConfigError, unknown
from monitor.incidents import SILENT, asides, incidents, others
from monitor.live import Live, live
from monitor.model import OURS
from monitor.replay import NOT_REPLAYED, Replayed, judge_again, needed, reach
from monitor.uptime import by_month, month_of, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from monitor.config import Config
    from monitor.model import CheckId, Event
    from monitor.store import Store
    from monitor.uptime import Uptime

EVERYTHING = 200_000
"""Rows that are read at most: years of a busy store."""
SAMPLES = 500_000
"""Of each check: a month of one that runs every 5 s."""
MOMENT = timedelta(microseconds=1)


async def read_live(store: Store, now: datetime, system: str = "") -> list[Live]:
    """Return the alerts that are live, of all systems or of one; raises `ConfigError` for one the store never saw."""
    known = [alert for alert in await store.alerts() if alert.live]
    wanted = [alert for alert in known if not system or is_of(alert.key.check, system)]
    if system and not wanted:
        await _require(store, system)
    since = min((alert.since for alert in wanted if alert.since), default=None)
    messages = await store.dispatches(since - MOMENT, EVERYTHING) if since else []
    return live(wanted, messages, await store.silences(now), now)


async def read_history(store: Store, name: str, since: datetime, now: datetime, most: int = EVERYTHING) -> Chronicle:
    """Return what happened after `since` to a system, or to `system/check`; of the newest `most` changes and messages.

    Raises `ConfigError` for a name of which the store knows nothing.
    """
    system = name.partition("/")[0]
    events = await store.journal(since, limit=most)
    messages = await store.dispatches(since, most)
    alerts = [alert for alert in await store.alerts() if alert.live and is_of(alert.key.check, name)]
    checks = [check for check in await store.checks() if is_of(check, name)]
    ours = [event for event in events[::-1] if is_of(event.key.check, name) or _hushes(event, name)]
    if not (checks or alerts or any(is_of(event.key.check, name) for event in ours)):
        await _require(store, name)
    sent = [one for one in messages if is_of(one.notification.key.check, name)]
    found = incidents(ours, sent, alerts)
    return Chronicle(
        name,
        since,
        now,
        found,
        deploys=[deploy for deploy in (await store.deploys(since))[::-1] if deploy.system == system],
        messages=others(sent, found),
        asides=asides(ours, found),
        uptime=await _uptime(store, name, checks, since),
        cut=most in {len(events), len(messages)},
    )


async def read_replay(
    store: Store, check: CheckId, config: Config, since: datetime, now: datetime, most: int = SAMPLES
) -> Replayed:
    """Return what `config` makes of the stored samples of `check` after `since`, beside what really happened.

    Of each check the newest `most` samples are read.
    """
    plans = needed(check, config.plans)
    begin = since - reach(plans.values())
    found = {one: await store.samples(one, begin, most) for one in plans}
    samples = sorted((sample for one in found.values() for sample in one), key=lambda one: (one.at, one.check == check))
    would, moments = judge_again(check, plans, config.routes, samples, since)
    real = await read_history(store, str(check), moments[0] - MOMENT, now) if moments else None
    return Replayed(
        check,
        since,
        now,
        first=moments[0] if moments else None,
        count=len(moments),
        would=would,
        did=[one for one in real.incidents if one.key.name not in NOT_REPLAYED] if real else [],
        cut=len(found[check]) == most,
        compared=tuple(one.name for one in plans[check].thresholds if one.watch.looks_back),
        every=plans[check].check.every,
    )


def is_of(check: CheckId, name: str) -> bool:
    """Return whether `check` is the one called `name`, or one of the system of that name."""
    return name in {check.system, str(check)}


def _hushes(event: Event, name: str) -> bool:
    """Return whether `event` is a silence of more than what is called `name`: of its whole system, or of all."""
    system, check = event.key.check
    return event.kind in SILENT and (system == OURS or (system == name.partition("/")[0] and check == EVERY))


async def _uptime(
    store: Store, name: str, checks: Sequence[CheckId], since: datetime
) -> dict[str, Mapping[date, Uptime]]:
    """Return the uptime of each month from that of `since` on: of the system, if it is asked for, and of each check."""
    begin = datetime.combine(month_of(since), time(), UTC)
    each: dict[str, Mapping[date, Uptime]] = {}
    for check in checks:
        hours = [hour async for hour in store.replay_hours(check, begin, ())]
        each[str(check)] = by_month(hours)
    return each if "/" in name else {name: together(each.values()), **each}


async def _require(store: Store, name: str) -> None:
    """Raise `ConfigError` unless the store knows of a system or a check that is called `name`."""
    checks = await store.checks()
    known = [*sorted({check.system for check in checks}), *map(str, checks)]
    if name not in known:
        raise ConfigError([unknown(name, known)])

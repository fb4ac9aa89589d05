"""What is allowed and yet probably not meant: `monitor validate` says it, and `--strict` refuses it. And notes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Failure, LeftOut
from monitor.plain import plain
from monitor.probes.base import Run
from monitor.route_doubts import doubts_of_routes
from monitor.settings import unknown_variables
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.config import Config
    from monitor.plan import Plan
    from monitor.probes.base import Check, Resources
    from monitor.settings import Settings

MOST_VALUES = 20_000
"""How many values a window may hold before its memory, some MB for each series, is probably not meant."""


class Doubt(NamedTuple):
    """One doubtful thing. `key` names the check, channel or variable; `where` is a `file:line`, if there is one."""

    message: str
    key: str = ""
    where: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.key, self.message) if part)


def doubts(config: Config, settings: Settings, environ: Mapping[str, str], now: datetime) -> list[Doubt]:
    """Return everything doubtful in `config` and `settings` at the moment `now`, in a stable order."""
    found = [*_of_checks(config, now), *_of_telling(config), *_of_settings(config, settings, environ)]
    return list(dict.fromkeys(found))


def notes(config: Config) -> list[str]:
    """Return what is as it should be, and yet worth knowing: what is switched off, what is silent for a while."""
    switched_off = [
        f"{skip.name} is skipped: {skip.reason}" for skip in config.skipped if "/" in skip.name or skip.spare
    ]
    silent = [
        f"{plan.id}: {threshold.watch.text} is silent until there are two weeks of history"
        for plan in config.plans.values()
        for threshold in plan.thresholds
        if threshold.watch.looks_back
    ]
    return [*switched_off, *silent]


async def doubts_of_targets(config: Config, resources: Resources, clock: Clock) -> list[Doubt]:
    """Ask the targets themselves, all at once, and return what is doubtful about them, in the order of the file.

    Each check has its deadline. One that cannot be asked is doubtful for that; of those on one database, others are not
    tried then.
    """
    targets: dict[str, list[Plan]] = {}
    for plan in config.plans.values():
        targets.setdefault(plan.check.alone or str(plan.id), []).append(plan)
    found = await asyncio.gather(*(_of_target(plans, resources, clock) for plans in targets.values()))
    return [doubt for doubts in found for doubt in doubts]


async def _of_target(plans: Sequence[Plan], resources: Resources, clock: Clock) -> list[Doubt]:
    """Return the doubts of checks that look at the same target, each doubt once."""
    found: dict[str, Doubt] = {}
    for plan in plans:
        asked, messages = await _asked(plan.check, resources, clock)
        for message in messages:
            found.setdefault(message, Doubt(plain(resources.redact(message)), str(plan.id), plan.where))
        if not asked:
            break
    return list(found.values())


async def _asked(check: Check, resources: Resources, clock: Clock) -> tuple[bool, Sequence[str]]:
    """Return whether the target of `check` could be asked, and what is doubtful about it, or why it could not."""
    try:
        async with asyncio.timeout(check.timeout.total_seconds()):
            return True, await check.inspect(Run(resources, check.timeout, clock))
    except TimeoutError:
        return False, [f"could not be asked: no answer within {show_duration(check.timeout.total_seconds())}"]
    except LeftOut as why:
        return False, [f"could not be asked: {why}"]
    except Failure as failure:
        return False, [f"could not be asked: {failure.reason}: {failure.detail}"]


def _of_checks(config: Config, now: datetime) -> Iterator[Doubt]:
    for plan in config.plans.values():
        for message in _of_plan(plan, now):
            yield Doubt(message, str(plan.id), plan.where)


def _of_plan(plan: Plan, now: datetime) -> Iterator[str]:
    check = plan.check
    yield from check.doubts()
    yield from check.doubts_at(now)
    if check.timeout > check.every:
        yield "its timeout is longer than the time between two runs, so runs are missed while it does not answer"
    for threshold in plan.thresholds:
        if threshold.watch.window / check.every > MOST_VALUES:
            yield f"{threshold.watch.text} holds more than {MOST_VALUES:,} values of each series: run it less often"
    if not plan.down and not any(threshold.figures for threshold in plan.thresholds):
        yield "nothing that it finds alerts anybody"


def _of_telling(config: Config) -> Iterator[Doubt]:
    for skip in config.skipped:
        if "/" not in skip.name and not skip.spare:
            yield Doubt(f"is skipped: {skip.reason}", skip.name)
    yield from (Doubt(message, name) for name, channel in config.channels.items() for message in channel.doubts())
    for message, key in doubts_of_routes(config):
        yield Doubt(message, key)


def _of_settings(config: Config, settings: Settings, environ: Mapping[str, str]) -> Iterator[Doubt]:
    if not config.channels:
        yield Doubt("there is no channel, so nobody is told of anything", "channels")
    if settings.deadman_url is None:
        yield Doubt("is not set: when the daemon itself stops, nobody is told", "MONITOR_DEADMAN_URL")
    if settings.confined:
        yield Doubt("PORT is set and this is not, so only this machine can reach the daemon", "MONITOR_TOKEN")
    for name in unknown_variables(config.variables, environ):
        yield Doubt("is set and means nothing to this daemon", name)

"""How a system fared after a deploy, told from what the store holds."""

from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, cast

from monitor.comparison import Stretch, compare
from monitor.model import EventKind
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from monitor.comparison import Shift
    from monitor.model import CheckId, Deploy, Sample
    from monitor.plan import Plan
    from monitor.store import Store

HOUR = timedelta(hours=1)
LONG = timedelta(hours=3)
"""What is longer is told from whole hours: single runs would be too many to hold."""
MOST_LINES = 12

Stretches = dict["CheckId", tuple[Stretch, Stretch]]


class Aftermath(NamedTuple):
    """Whether anything got worse, and in words what."""

    worse: bool
    text: str


async def aftermath(store: Store, deploy: Deploy, span: timedelta, plans: Sequence[Plan]) -> Aftermath:
    """Return how `plans`, all of the system, fared in the time `span` after a deploy, held against as long before it.

    Raises `StoreUnavailable`.
    """
    stretches = await (_hours if span > LONG else _samples)(store, deploy, span, plans)
    shifts = [shift for plan in plans if plan.id in stretches for shift in compare(plan, *stretches[plan.id])]
    return _told(deploy, span, shifts, await _opened(store, deploy))


async def _samples(store: Store, deploy: Deploy, span: timedelta, plans: Sequence[Plan]) -> Stretches:
    found: Stretches = {plan.id: (Stretch(), Stretch()) for plan in plans}
    async for sample in store.replay(deploy.at - span):
        if sample.check in found and sample.at <= deploy.at + span:
            found[sample.check][sample.at >= deploy.at].add(sample)
    return found


async def _hours(store: Store, deploy: Deploy, span: timedelta, plans: Sequence[Plan]) -> Stretches:
    """Return what whole hours tell; of the hour that the deploy divides only the runs are counted, one by one."""
    found: Stretches = {plan.id: (Stretch(), Stretch()) for plan in plans}
    divided = deploy.at.replace(minute=0, second=0, microsecond=0)
    for plan in plans:
        for hour in await store.hours(plan.id, deploy.at - span):
            if hour.at != divided and hour.at <= deploy.at + span:
                found[plan.id][hour.at > divided].add_hour(hour)
    async with aclosing(cast("AsyncGenerator[Sample, None]", store.replay(divided))) as samples:
        async for sample in samples:
            if sample.at >= divided + HOUR:
                break
            if sample.check in found:
                found[sample.check][sample.at >= deploy.at].count(sample)
    return found


async def _opened(store: Store, deploy: Deploy) -> list[str]:
    """Return the alerts of the system that began since, in their order."""
    events = [event for event in reversed(await store.journal(deploy.at)) if event.kind is EventKind.OPENED]
    keys = [event.key for event in events if event.key.check.system == deploy.system]
    return list(dict.fromkeys(f"{key.check.check} {key.name}" for key in keys))


def _told(deploy: Deploy, span: timedelta, shifts: Sequence[Shift], opened: Sequence[str]) -> Aftermath:
    worse = [shift.text for shift in shifts if shift.worse]
    after = f"after {show_duration(span.total_seconds())}"
    if not (worse or opened or deploy.failed):
        same = "; ".join(shift.text for shift in shifts[:MOST_LINES])
        return Aftermath(worse=False, text=f"Fine: {after} nothing got worse. {same}".strip())
    lines = [*worse[:MOST_LINES], *[f"{len(worse) - MOST_LINES} more"] * (len(worse) > MOST_LINES)]
    if opened:
        lines.append(f"alerts began: {', '.join(opened[:MOST_LINES])}")
    if deploy.failed:
        lines.append("checks that follow the deploy failed")
    return Aftermath(worse=True, text=f"Worse {after}: {'; '.join(lines)}.")

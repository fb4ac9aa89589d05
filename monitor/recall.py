"""What a daemon that begins to lead takes up from the one before it: windows, alerts, what is owed, what is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from monitor.model import EventKind
from monitor.owed import GIVE_UP_AFTER
from monitor.trend import SPAN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from monitor.model import CheckId, Keepsake
    from monitor.outbox import Outbox
    from monitor.pipeline import Pipeline
    from monitor.plan import Plan
    from monitor.store import Store

MOST_EVENTS = 100_000
SEEN_TO = timedelta(days=7)
"""A silence that ended so long ago, while nobody was there, is still seen to."""


async def recall(store: Store, plans: Iterable[Plan], pipeline: Pipeline, outbox: Outbox, now: datetime) -> None:
    """Let `pipeline` and `outbox` know what `store` remembers. Raises `StoreUnavailable`."""
    windows = [threshold.watch.reach for plan in plans for threshold in plan.thresholds]
    async for sample in store.replay(now - max([SPAN, *windows])):
        pipeline.recall(sample)
    pipeline.restore_silences(await store.silences(now - SEEN_TO))
    alerts = await store.alerts()
    pipeline.restore(alerts)
    events = await store.journal(now - GIVE_UP_AFTER, limit=MOST_EVENTS)
    fell_back = {event.detail.split(" ")[0] for event in events if event.kind is EventKind.FELL_BACK}
    owed = await store.owed()
    going_on = {alert.incident for alert in alerts if alert.severity is not None or alert.announced is not None}
    outbox.restore_posts(await store.posts(), going_on | {item.notification.incident for item in owed})
    outbox.restore(owed, fell_back)


async def recall_keepsakes(
    store: Store,
    plans: Mapping[CheckId, Plan],
    memory: Callable[[Plan], dict[str, Any]],
    remind: Callable[[Keepsake], Keepsake | None],
) -> tuple[Keepsake, ...]:
    """Put what checks must remember into the memory of their runs. Raises `StoreUnavailable`.

    `remind` takes what is no memory of a run, and returns how that stands now; else None. Return what must be written,
    because something stood there already and both were joined.
    """
    joined = []
    for kept in await store.keepsakes():
        plan = plans.get(kept.check)
        if (noted := remind(kept)) is not None:
            joined += [noted] if noted != kept else []
            continue
        if plan is None:
            continue
        remembered = memory(plan)
        present = remembered.get(kept.topic, "")
        remembered[kept.topic] = plan.check.rejoin(kept, present) if present else kept.body
        if present:
            joined.append(replace(kept, body=remembered[kept.topic]))
    return tuple(joined)

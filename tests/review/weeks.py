"""A week of a shop, made by the daemon's own pipeline and written to a real store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import Act as Deeds
from monitor.model import Attempt, AttemptResult, Change, CheckId, Deed, Measure, Sample, Scope, State
from tests.examples import SITE, sample
from tests.fakes import START
from tests.test_replay import Daemon

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from monitor.plan import Plan
    from monitor.store import Store

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
END = START + 6 * DAY
"""Sunday, 11 January 2026, 12:00: when the week is reviewed."""


def runs(hour: float, *durations: float, state: State = State.UP, check: CheckId = SITE) -> list[Sample]:
    """Return runs every 10 s of which these took so long, from that hour of the week on, with ordinary ones around."""
    around = [0.1] * 10
    begin = START + hour * HOUR
    told = [(each, State.UP) for each in around] + [(each, state) for each in durations]
    told += [(each, State.UP) for each in around]
    return [
        sample(begin + n * MINUTE / 6, how, Measure("duration", took), check=check)
        for n, (took, how) in enumerate(told)
    ]


async def lived(store: Store, plan: Plan, samples: Sequence[Sample], taken: Iterable[datetime] = ()) -> Daemon:
    """Let the pipeline see `samples` and the store have what follows; at the moments `taken` ana takes what fires."""
    daemon = Daemon({plan.id: plan})
    acts = sorted(taken)
    for one in samples:
        while acts and acts[0] < one.at:
            at = acts.pop(0)
            daemon.clock.skip(at - daemon.clock.now())
            await daemon.pipeline.carry_out(Deeds(f"act {at}", at, Deed.ACKNOWLEDGE, "ana", Scope(*plan.id)))
        daemon.clock.skip(one.at - daemon.clock.now())
        await daemon.pipeline.take(one)
    attempts = [Attempt(note.id, note.at + MINUTE / 60, AttemptResult.DELIVERED, "d") for note in daemon.owed]
    await store.write([*daemon.changes, Change(samples=tuple(samples), attempts=tuple(attempts))])
    return daemon

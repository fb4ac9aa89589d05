"""What is held against the past, on every real store: written, summed up, read again, and kept when the store goes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.history import History
from monitor.lookback import PACE, Lookback
from monitor.model import Change, Measure, Sample, State, labels
from monitor.watch import parse_watch
from tests.fakes import START, FakeClock
from tests.store.values import SITE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from monitor.baseline import Baseline
    from monitor.model import CheckId
    from monitor.store import Store

WATCH = parse_watch("unseen(x by type)")
OLD, NEW = (Measure("x", 1.0, labels({"type": name, "shop": "a"})) for name in ("old", "new"))


class Held:
    """A check that is held against its past, as the pipeline has it."""

    def __init__(self) -> None:
        self.history = History([WATCH])
        self.depths: Mapping[str, timedelta] = {}

    def pasts(self) -> dict[CheckId, Baseline]:
        return {SITE: self.history.past}

    def look_back(self, _: CheckId, before: Baseline, past: Baseline) -> None:
        assert before is self.history.past
        self.history.past = past

    def show(self, _: CheckId, depths: Mapping[str, timedelta]) -> None:
        self.depths = depths


def seen(at: datetime, *measures: Measure) -> Sample:
    return Sample(SITE, at, timedelta(seconds=1), State.UP, measures=measures)


async def test_the_past_is_read_from_the_store_and_kept_when_it_goes(store: Store) -> None:
    """A run a day for three weeks; then something new beside what was always there."""
    held, clock = Held(), FakeClock(START)
    lookback = Lookback(store, clock, held, held.show)  # type: ignore[arg-type] # all that is asked for
    await store.write([Change(samples=tuple(seen(START - timedelta(days=days), OLD) for days in range(21, 0, -1)))])
    await store.tidy(START)
    await lookback.refresh()
    assert held.depths == {WATCH.text: timedelta(days=20, hours=1)}
    held.history.add(seen(START, OLD, NEW))
    assert held.history.read(WATCH) == {labels({"type": "new"}): 1.0}
    await store.close()
    await clock.advance(timedelta(hours=1) + PACE)
    await lookback.refresh()
    held.history.add(seen(clock.now(), OLD))
    assert not held.history.blind(WATCH)
    assert held.history.read(WATCH) == {}

"""An instance that leads, or waits, on a real store: a pipeline that is fed by hand, and what shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.config import Config, System
from monitor.model import Change
from monitor.pipeline import Pipeline
from monitor.showing import Picture
from monitor.store import StoreUnavailable
from monitor.viewing import Feed, Means, Viewing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.config import Skipped
    from monitor.model import Alert, CheckId, Notification, Sample
    from monitor.plan import Plan
    from monitor.store import Store
    from monitor.view import CheckView
    from tests.fakes import FakeClock

HOUR = timedelta(hours=1)


@dataclass
class Direct:
    """Writes into a store without delay."""

    store: Store
    kept: list[Change] = field(default_factory=list)

    def keep(self, sample: Sample) -> None:
        self.kept.append(Change(samples=(sample,)))

    def post(self, change: Change) -> None:
        self.kept.append(change)

    async def commit(self, change: Change) -> bool:
        self.kept.append(change)
        return True

    async def write(self) -> None:
        kept, self.kept = self.kept, []
        await self.store.write(kept)


class Dark:
    """Shows nothing."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    def sample(self, sample: Sample) -> None:
        self.seen.append(sample)

    def alert(self, alert: Alert) -> None:
        self.seen.append(alert)

    def left_out(self, check: CheckId, count: int) -> None:
        self.seen.append((check, count))


class Instance:
    """One instance on `store`; whoever makes another on the same has restarted."""

    def __init__(
        self, store: Store, clock: FakeClock, *plans: Plan, skipped: tuple[Skipped, ...] = (), leads: bool = True
    ) -> None:
        self.store, self.clock, self.leads = store, clock, leads
        self.away = ""
        self.opened = 0
        self.problems: list[str] = []
        self.config = Config({plan.id: plan for plan in plans}, {"shop": System("shop", "The shop")}, skipped=skipped)
        self.writer, self.beyond = Direct(store), Dark()
        feed = Feed(self.beyond, clock, lambda: self.picture)
        self.pipeline = Pipeline(clock, self.writer, feed, self.owe, self.run_now)
        self.picture = Picture(self.pipeline.situation)
        self.pipeline.configure(self.config.plans, ())
        self.pipeline.begin()
        self.viewing = Viewing(clock, self.picture, self.means())

    def means(self) -> Means:
        return Means(
            config=lambda: self.config,
            leads=lambda: self.leads,
            leader=lambda: "host-7",
            problems=lambda: self.problems,
            look=self.look,
            hide=lambda text: text,
        )

    async def look(self) -> Store:
        self.opened += 1
        if self.away:
            raise StoreUnavailable(self.away)
        return self.store

    def owe(self, _owed: Sequence[Notification], _uncertain: bool) -> None:
        """Nobody is told."""

    async def run_now(self, check: CheckId) -> None:
        raise AssertionError(check)

    async def take(self, *samples: Sample) -> None:
        """Let runs end, each at its own moment."""
        for sample in samples:
            self.clock.skip(max(sample.at - self.clock.now(), timedelta()))
            await self.pipeline.take(sample)
        await self.writer.write()

    async def tick(self, later: timedelta = timedelta(seconds=3)) -> None:
        """Let time pass, and the viewer do what is due."""
        self.clock.skip(later)
        await self.viewing.tick()

    def view(self, number: int = 0) -> CheckView:
        return self.viewing.overview().systems[0].checks[number]

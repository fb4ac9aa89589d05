"""Reading the past: beside everything else, once an hour, wholly or not at all, and back again when the store is."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from monitor.baseline.drift import MOST_VALUES
from monitor.lookback import PACE, SETTLED, Lookback
from monitor.model import CheckId
from monitor.pipeline import Pipeline
from monitor.store import StoreUnavailable, StoreUnusable, Writer
from monitor.units import Unit
from tests.baseline.hours import DAY, HOUR, WEEK, each_hour, hour, measure, of
from tests.examples import SITE
from tests.fakes import START, FakeClock
from tests.plans import plan, threshold

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping
    from datetime import datetime

    from monitor.hour import Hour
    from monitor.model import Alert, Sample
    from monitor.plan import Plan

BASE = CheckId("shop", "base")
USUAL = threshold("usual(x, 1h)", unit=Unit.NUMBER, warning="> 3")
NEW = threshold("unseen(x by type)", unit=Unit.NUMBER, info="> 0")
MIX = threshold("drift(x by type, 1d)", unit=Unit.RATIO, info="> 30%")
PLAIN = threshold("avg(x, 1h)", unit=Unit.NUMBER, warning="> 3")


class Hours:
    """A store that holds hours, may be away, and may go while it is being read."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.kept: dict[CheckId, list[Hour]] = defaultdict(list)
        self.asked: list[tuple[CheckId, datetime]] = []
        self.broken: Exception | None = None
        self.breaks_after = 0

    async def replay_hours(self, check: CheckId, since: datetime, measures: Collection[str]) -> AsyncIterator[Hour]:
        self.asked.append((check, since))
        assert measures
        for number, one in enumerate(one for one in self.kept[check] if one.at >= since):
            if self.broken and number >= self.breaks_after:
                raise self.broken
            yield one
        if self.broken:
            raise self.broken


class Dark:
    """Shows nothing."""

    def sample(self, _: Sample) -> None:
        pass

    def alert(self, _: Alert) -> None:
        pass

    def left_out(self, _: CheckId, __: int) -> None:
        pass


class Bench:
    """A pipeline, and what reads the past for it."""

    def __init__(self, *plans: Plan, weeks: float = 4) -> None:
        self.clock = FakeClock()
        self.store = Hours(self.clock)
        self.begun = self.clock.now() - weeks * WEEK
        self.store.kept[SITE] = each_hour(weeks, lambda _: [measure(1, of("a"))], self.begun)
        writer = Writer(self.store, self.clock)  # type: ignore[arg-type] # nothing is written
        self.pipeline = Pipeline(self.clock, writer, Dark(), lambda *_: None, _never)
        self.shown: dict[CheckId, Mapping[str, timedelta]] = {}
        self.lookback = Lookback(self.store, self.clock, self.pipeline, self.show)  # type: ignore[arg-type] # as above
        self.configure(*plans)

    def configure(self, *plans: Plan) -> None:
        self.pipeline.configure({plan.id: plan for plan in plans}, ())

    def show(self, check: CheckId, depths: Mapping[str, timedelta]) -> None:
        self.shown[check] = depths

    def blind(self, check: CheckId = SITE) -> bool:
        watched = self.pipeline._situation.watched[check]
        return any(watched.history.blind(threshold.watch) for threshold in watched.plan.thresholds)

    async def later(self, by: timedelta) -> None:
        await self.clock.advance(by)
        await self.lookback.refresh()


async def _never(check: CheckId) -> None:
    raise AssertionError(check)


async def test_what_is_held_against_the_past_can_be_judged_once_that_was_read() -> None:
    bench = Bench(plan(USUAL))
    assert bench.blind()
    await bench.lookback.refresh()
    assert not bench.blind()
    assert bench.shown == {SITE: {"usual(x, 1h)": 4 * WEEK}}


async def test_only_what_looks_back_is_read() -> None:
    """A thousand plain checks cost nothing."""
    bench = Bench(plan(PLAIN), plan(check=BASE))
    await bench.lookback.refresh()
    assert bench.store.asked == []
    assert bench.shown == {}


async def test_amounts_are_read_for_eight_weeks_and_label_values_for_ever() -> None:
    bench = Bench(plan(USUAL, MIX), plan(NEW, check=BASE))
    await bench.lookback.refresh()
    (_, amounts), (_, values) = bench.store.asked
    assert bench.clock.now() - amounts == 8 * WEEK + 2 * DAY
    assert values.year == 1970


async def test_each_hour_is_read_once_when_it_has_been_summed_up() -> None:
    """A quarter of an hour after its end, and from where the last reading ended."""
    bench = Bench(plan(USUAL))
    for minute in range(181):
        if minute % 60 == 10:
            end = bench.clock.now().replace(minute=0)
            bench.store.kept[SITE].append(hour(end - HOUR, measure(1, of("a"))))
        await bench.later(timedelta(minutes=minute > 0))
    assert [since for _, since in bench.store.asked[1:]] == [START, START, START + HOUR]
    assert bench.shown[SITE]["usual(x, 1h)"] == 4 * WEEK + 2 * HOUR
    assert timedelta(minutes=15) == SETTLED


async def test_the_reader_runs_beside_the_rest_until_it_is_cancelled() -> None:
    bench = Bench(plan(USUAL), weeks=0)
    running = asyncio.create_task(bench.lookback.run())
    await bench.clock.advance(5 * PACE)
    assert len(bench.store.asked) == 1
    bench.configure(plan(USUAL, PLAIN, fingerprint="2"))
    await bench.clock.advance(PACE)
    assert len(bench.store.asked) == 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_while_the_store_is_away_it_is_blind_and_says_so_once_and_comes_back() -> None:
    bench = Bench(plan(USUAL))
    bench.store.broken = StoreUnavailable("not now")
    with capture_logs() as logs:
        for _ in range(3):
            await bench.later(PACE)
    assert bench.blind()
    assert bench.shown == {}
    assert [(line["event"], line["check"], line["why"]) for line in logs] == [("past_not_known", str(SITE), "not now")]
    bench.store.broken = None
    await bench.later(PACE)
    assert not bench.blind()
    bench.store.broken = StoreUnavailable("again")
    with capture_logs() as logs:
        for _ in range(90):
            await bench.later(PACE)
    assert len(logs) == 1
    assert not bench.blind()


async def test_a_past_that_was_read_in_half_is_not_used() -> None:
    """Else half of what is known would be called new."""
    bench = Bench(plan(NEW))
    bench.store.broken, bench.store.breaks_after = StoreUnavailable("gone"), 400
    await bench.lookback.refresh()
    assert bench.blind()
    bench.store.broken = None
    await bench.later(PACE)
    assert not bench.blind()


async def test_a_past_that_cannot_be_read_at_all_stops_nobody_else() -> None:
    bench = Bench(plan(USUAL), plan(USUAL, check=BASE))
    bench.store.kept[BASE] = bench.store.kept[SITE]
    replay = bench.store.replay_hours

    async def unreadable(check: CheckId, since: datetime, measures: Collection[str]) -> AsyncIterator[Hour]:
        async for one in replay(check, since, measures):
            if check == SITE:
                raise StoreUnusable("an unreadable hour")
            yield one

    bench.store.replay_hours = unreadable  # type: ignore[method-assign]
    with capture_logs() as logs:
        for _ in range(3):
            await bench.later(PACE)
    assert (bench.blind(SITE), bench.blind(BASE)) == (True, False)
    assert [line["why"] for line in logs] == ["an unreadable hour"]


async def test_a_reload_reads_anew_only_what_is_watched_in_another_way() -> None:
    bench = Bench(plan(USUAL))
    await bench.lookback.refresh()
    bench.configure(plan(USUAL, fingerprint="2", remedy=("Call.",)))
    await bench.later(PACE)
    assert (len(bench.store.asked), bench.blind()) == (1, False)
    bench.configure(plan(USUAL, MIX, fingerprint="3"))
    assert bench.blind()
    await bench.later(PACE)
    assert (len(bench.store.asked), bench.blind()) == (2, False)
    bench.configure(plan(USUAL, MIX, fingerprint="4", zone="Europe/Berlin"))
    assert bench.blind()
    bench.configure()
    await bench.later(PACE)
    assert len(bench.store.asked) == 2


async def test_a_reload_while_the_past_is_read_is_not_given_that_of_before() -> None:
    bench = Bench(plan(USUAL))
    replay = bench.store.replay_hours

    async def reloading(check: CheckId, since: datetime, measures: Collection[str]) -> AsyncIterator[Hour]:
        async for one in replay(check, since, measures):
            yield one
        if len(bench.store.asked) == 1:
            bench.configure(plan(NEW, fingerprint="2"))

    bench.store.replay_hours = reloading  # type: ignore[method-assign]
    await bench.lookback.refresh()
    assert bench.blind()
    await bench.later(PACE)
    assert not bench.blind()


async def test_a_check_with_another_name_has_no_past() -> None:
    """Its history stays with the old name; it begins anew, and is silent for two weeks."""
    bench = Bench(plan(USUAL, check=BASE))
    await bench.lookback.refresh()
    assert bench.blind(BASE)
    assert bench.shown == {BASE: {"usual(x, 1h)": timedelta()}}


async def test_hours_of_a_clock_that_was_ahead_are_passed_over() -> None:
    bench = Bench(plan(USUAL))
    bench.store.kept[SITE].append(hour(bench.clock.now() + 52 * WEEK, measure(1)))
    await bench.lookback.refresh()
    assert bench.shown[SITE]["usual(x, 1h)"] == 4 * WEEK
    bench.store.kept[SITE].insert(-1, hour(bench.clock.now(), measure(1)))
    await bench.later(HOUR + SETTLED)
    assert bench.shown[SITE]["usual(x, 1h)"] == 4 * WEEK + HOUR


async def test_a_clock_that_is_set_back_reads_again_and_harms_nothing() -> None:
    bench = Bench(plan(USUAL))
    await bench.lookback.refresh()
    bench.clock._now -= 5 * HOUR
    await bench.later(PACE)
    await bench.later(PACE)
    assert len(bench.store.asked) == 2
    assert not bench.blind()


async def test_a_label_with_too_many_values_is_logged_once_and_shown_as_no_past() -> None:
    bench = Bench(plan(MIX))
    many = [measure(1, of(str(number))) for number in range(MOST_VALUES + 1)]
    bench.store.kept[SITE][-1] = hour(bench.clock.now() - HOUR, *many)
    with capture_logs() as logs:
        for _ in range(3):
            await bench.later(HOUR)
    assert [line["why"] for line in logs] == ["more label values than can be remembered: drift(x by type, 1d)"]
    assert bench.shown == {SITE: {"drift(x by type, 1d)": timedelta()}}

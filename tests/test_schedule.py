"""When checks run: exact arithmetic, no overlap, no bursts, quick retries, limits."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import CheckId, Reason, Sample, State
from monitor.schedule import TICK, Grid, Limits, Scheduler
from tests.fakes import START, FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

SECOND = timedelta(seconds=1)
checks = st.builds(CheckId, st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))
periods = st.timedeltas(min_value=timedelta(milliseconds=1), max_value=timedelta(days=2))
moments = st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)).map(lambda at: at.replace(tzinfo=START.tzinfo))  # noqa: DTZ001


@given(check=checks, every=periods, now=moments)
def test_the_grid_is_exact(check: CheckId, every: timedelta, now: datetime) -> None:
    """Due within one period, and a due moment leads to the next one, a period later: nothing fires twice."""
    grid = Grid.of(check, every)
    due = grid.after(now)
    assert now < due <= now + every
    assert grid.after(due) == due + every
    assert timedelta() <= grid.phase < every
    assert grid == Grid.of(check, every)


@given(check=checks, every=periods, start=moments, runs=st.floats(0, 20))
def test_missed_runs_are_the_grid_points_that_passed(
    check: CheckId, every: timedelta, start: datetime, runs: float
) -> None:
    """A run that ends before the next point missed nothing."""
    grid = Grid.of(check, every)
    due = grid.after(start)
    assert grid.missed(due, due + runs * every) == int((runs * every) // every)


def test_checks_spread_over_their_period() -> None:
    """A thousand checks do not begin together."""
    phases = [Grid.of(CheckId("s", f"c{n}"), 10 * SECOND).phase // SECOND for n in range(1000)]
    counts = [phases.count(second) for second in range(10)]
    assert min(counts) > 60
    assert max(counts) < 140


@dataclass
class Gauges:
    """Keeps what the scheduler reports."""

    lags: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    flights: list[int] = field(default_factory=list)
    left_out: defaultdict[CheckId, int] = field(default_factory=lambda: defaultdict(int))

    def lag(self, seconds: float) -> None:
        self.lags.append(seconds)

    def waited(self, seconds: float) -> None:
        self.waits.append(seconds)

    def in_flight(self, count: int) -> None:
        self.flights.append(count)

    def missed(self, check: CheckId, count: int) -> None:
        self.left_out[check] += count


def plan(
    name: str,
    every: float = 10,
    retry: float = 10,
    host: str = "",
    print_: str = "1",
    alone: str = "",
    *,
    scheduled: bool = True,
) -> Any:  # noqa: ANN401 - as much of a plan as the scheduler needs
    host = host or f"host of {name}"
    check = SimpleNamespace(
        every=every * SECOND, retry_every=retry * SECOND, host=host, alone=alone, scheduled=scheduled
    )
    closer = max(every / 3, 5) * SECOND
    return SimpleNamespace(id=CheckId("s", name), check=check, fingerprint=print_, closer=closer)


class Bench:
    """A scheduler on a clock moved by hand, with probes that take as long and find what the test says."""

    def __init__(self, clock: FakeClock, limits: Limits) -> None:
        self.clock, self.gauges = clock, Gauges()
        self.began: defaultdict[str, list[float]] = defaultdict(list)
        self.takes: Callable[[str], float] = lambda _name: 0.0
        self.finds: Callable[[str], State] = lambda _name: State.UP
        self.taken: list[Sample] = []
        self.unsettled: set[int] = set()
        self.active: defaultdict[str, int] = defaultdict(int)
        self.most_active: defaultdict[str, int] = defaultdict(int)
        self.scheduler = Scheduler(clock, self.observe, self.take, limits, self.gauges)

    async def observe(self, plan: Any) -> Sample:  # noqa: ANN401
        name, host = plan.id.check, plan.check.host
        self.began[name].append((self.clock.now() - START).total_seconds())
        for key in (name, host, "all"):
            self.active[key] += 1
            self.most_active[key] = max(self.active[key], self.most_active[key])
        try:
            if (takes := self.takes(name)) > 0:
                await self.clock.sleep_until(self.clock.now() + takes * SECOND)
        finally:
            for key in (name, host, "all"):
                self.active[key] -= 1
        state = self.finds(name)
        reason = None if state is State.UP else Reason.STATUS
        return Sample(plan.id, self.clock.now(), takes * SECOND, state, reason)

    async def take(self, sample: Sample) -> bool:
        self.taken.append(sample)
        return len(self.taken) in self.unsettled

    def plans(self, *plans: Any) -> None:  # noqa: ANN401
        self.scheduler.replace({plan.id: plan for plan in plans})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
async def bench(clock: FakeClock, limits: Limits) -> AsyncIterator[Bench]:
    bench = Bench(clock, limits)
    running = asyncio.create_task(bench.scheduler.run())
    yield bench
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_runs_on_its_grid_and_nowhere_else(bench: Bench, clock: FakeClock) -> None:
    """Every ten seconds, three virtual hours long."""
    bench.plans(plan("a"), plan("b"))
    await clock.advance(timedelta(hours=1))
    for name in "ab":
        first = (Grid.of(CheckId("s", name), 10 * SECOND).after(START) - START).total_seconds()
        assert [round(at - first, 6) for at in bench.began[name]] == pytest.approx(
            [10 * n for n in range(360)], abs=0.02
        )


async def test_a_long_run_is_never_overlapped_and_what_it_missed_is_counted(bench: Bench, clock: FakeClock) -> None:
    """A 25 s run of a 10 s check leaves two points out each time."""
    bench.takes = lambda _name: 25.0
    bench.plans(plan("a"))
    await clock.advance(timedelta(minutes=5))
    assert bench.most_active["a"] == 1
    gaps = {round(b - a) for a, b in zip(bench.began["a"], bench.began["a"][1:], strict=False)}
    assert gaps == {30}
    assert bench.gauges.left_out[CheckId("s", "a")] == 2 * len(bench.taken)


async def test_a_failed_run_is_repeated_soon_after_its_end(bench: Bench, clock: FakeClock) -> None:
    """A 60 s check that fails with a 10 s timeout has its third failure 40 s after the first ended."""
    bench.takes, bench.finds = lambda _name: 10.0, lambda _name: State.DOWN
    bench.plans(plan("a", every=60))
    await clock.advance(timedelta(minutes=3))
    ends = [(sample.at - START).total_seconds() for sample in bench.taken]
    assert ends[2] - ends[0] == pytest.approx(40, abs=0.2)


async def test_a_check_is_looked_at_soon_until_it_is_seen_to_be_well(bench: Bench, clock: FakeClock) -> None:
    """A slow check confirms its recovery at the pace of retries, too."""
    bench.unsettled = {1, 2}
    bench.plans(plan("a", every=3600))
    await clock.advance(timedelta(hours=1))
    times = [(sample.at - START).total_seconds() for sample in bench.taken]
    assert [round(later - times[0]) for later in times[1:]] == [10, 20]


async def test_hurrying_brings_a_run_forward_and_never_puts_it_off(bench: Bench, clock: FakeClock) -> None:
    """After a restart an outage is looked at as soon as it would have been."""
    bench.plans(plan("slow", every=3600), plan("quick", every=1))
    for name in ("slow", "quick", "nobody"):
        bench.scheduler.hurry(CheckId("s", name))
    await clock.advance(12 * SECOND)
    assert len(bench.began["slow"]) == 1
    assert len(bench.began["quick"]) >= 11


async def test_what_is_stirred_looks_at_once(bench: Bench, clock: FakeClock) -> None:
    """Within a second and a bit, whatever its usual pace; the next run is at the usual time."""
    bench.plans(plan("slow", every=3600), plan("other", every=3600))
    bench.scheduler.stir(CheckId("s", "slow"))
    bench.scheduler.stir(CheckId("s", "nobody"))
    await clock.advance(1.3 * SECOND)
    assert [sample.check.check for sample in bench.taken] == ["slow"]
    await clock.advance(timedelta(hours=1))
    assert len(bench.began["slow"]) == 2


async def test_what_is_stirred_while_it_runs_looks_again(bench: Bench, clock: FakeClock) -> None:
    """The run that was under way may not have seen what is new; one more sees all of it."""
    bench.takes = lambda _name: 5.0
    bench.plans(plan("a", every=3600))
    bench.scheduler.stir(CheckId("s", "a"))
    await clock.advance(2 * SECOND)
    for _ in range(3):
        bench.scheduler.stir(CheckId("s", "a"))
    await clock.advance(timedelta(minutes=1))
    assert len(bench.taken) == 2
    assert bench.most_active["a"] == 1


async def test_thousands_that_stir_are_a_few_runs_and_no_queue(bench: Bench, clock: FakeClock) -> None:
    bench.plans(plan("a", every=3600))
    for _ in range(100):
        for _ in range(100):
            bench.scheduler.stir(CheckId("s", "a"))
        await clock.advance(SECOND / 50)
    await clock.advance(2 * SECOND)
    assert 1 <= len(bench.taken) <= 12
    assert len(bench.scheduler._due) < 30


async def test_what_is_not_scheduled_runs_when_asked_for_and_until_it_is_well(bench: Bench, clock: FakeClock) -> None:
    """Nothing that it leaves out is missed."""
    bench.plans(plan("a", scheduled=False))
    await clock.advance(timedelta(minutes=10))
    assert bench.taken == []
    bench.unsettled = {1, 2}
    await bench.scheduler.run_now(CheckId("s", "a"))
    await clock.advance(timedelta(minutes=10))
    assert len(bench.taken) == 3
    assert bench.gauges.left_out == {}
    bench.scheduler.hurry(CheckId("s", "a"), SECOND)
    await clock.advance(2 * SECOND)
    assert len(bench.taken) == 4


async def test_after_a_deploy_a_systems_checks_run_more_often_for_a_while(bench: Bench, clock: FakeClock) -> None:
    """Three times as often, none more often than every 5 s; then as before. Nothing is missed by that."""
    bench.plans(plan("slow", every=60), plan("quick", every=6))
    await clock.advance(timedelta(minutes=2))
    before = {name: len(began) for name, began in bench.began.items()}
    bench.scheduler.quicken("s", clock.now() + timedelta(minutes=10))
    await clock.advance(timedelta(minutes=10))
    during = {name: len(began) - before[name] for name, began in bench.began.items()}
    assert during == {"slow": pytest.approx(30, abs=1), "quick": pytest.approx(120, abs=1)}
    await clock.advance(timedelta(minutes=10))
    after = {name: len(began) - before[name] - during[name] for name, began in bench.began.items()}
    assert after == {"slow": pytest.approx(10, abs=1), "quick": pytest.approx(100, abs=1)}
    assert bench.gauges.left_out == {}
    bench.scheduler.quicken("another", clock.now() + timedelta(minutes=10))
    await clock.advance(timedelta(minutes=10))
    assert len(bench.began["slow"]) - sum((before["slow"], during["slow"], after["slow"])) == pytest.approx(10, abs=1)


async def test_unknown_keeps_the_usual_pace(bench: Bench, clock: FakeClock) -> None:
    """What is our own fault, or a limit of a vendor's, is not hammered."""
    bench.finds = lambda _name: State.UNKNOWN
    bench.plans(plan("a", every=60))
    await clock.advance(timedelta(minutes=10))
    assert len(bench.taken) == 10


async def test_fifty_targets_that_never_answer_cost_a_healthy_one_nothing(bench: Bench, clock: FakeClock) -> None:
    """A 1 s check runs 300 times in five minutes, each within a tick of its time."""
    bench.takes = lambda name: 10.0 if name.startswith("hole") else 0.0
    bench.finds = lambda name: State.DOWN if name.startswith("hole") else State.UP
    bench.plans(plan("healthy", every=1, retry=1), *(plan(f"hole{n}", every=10) for n in range(50)))
    await clock.advance(2 * SECOND)
    bench.gauges.lags.clear()
    await clock.advance(timedelta(minutes=5))
    assert len(bench.began["healthy"]) == 302
    assert max(bench.gauges.lags) <= TICK.total_seconds() + 0.001


@pytest.mark.parametrize("limits", [Limits(in_flight=4, per_host=2)])
async def test_limits_hold_in_all_and_per_host(bench: Bench, clock: FakeClock) -> None:
    """Runs wait for a slot, the wait is told, and everybody gets a turn."""
    bench.takes = lambda _name: 30.0
    bench.plans(*(plan(f"c{n}", every=60, host=f"h{n % 3}") for n in range(12)))
    await clock.advance(timedelta(minutes=3))
    assert bench.most_active["all"] <= 4
    assert max(bench.most_active[f"h{n}"] for n in range(3)) <= 2
    assert max(bench.gauges.waits) > 0
    assert all(bench.began[f"c{n}"] for n in range(12))


@pytest.mark.parametrize("limits", [Limits(in_flight=10, per_host=1)])
async def test_a_busy_host_delays_no_other(bench: Bench, clock: FakeClock) -> None:
    """Waiting for a host takes no slot from the rest."""
    bench.takes = lambda name: 50.0 if name.startswith("slow") else 0.0
    bench.plans(plan("quick", every=1, retry=1), *(plan(f"slow{n}", every=10, host="one") for n in range(30)))
    await clock.advance(timedelta(minutes=2))
    assert len(bench.began["quick"]) == 120


async def test_what_only_one_may_use_is_used_by_one(bench: Bench, clock: FakeClock) -> None:
    """Checks of one database run one after the other, each in its turn, and take no slot while they wait."""
    bench.takes = lambda name: 4.0 if name.startswith("db") else 0.0
    bench.plans(plan("other", every=1, retry=1), *(plan(f"db{n}", every=20, host="db", alone="db") for n in range(4)))
    await clock.advance(timedelta(minutes=2))
    assert bench.most_active["db"] == 1
    assert all(len(bench.began[f"db{n}"]) >= 5 for n in range(4))
    assert len(bench.began["other"]) == 120


async def test_a_look_uses_the_slots_and_leaves_the_schedule_alone(bench: Bench, clock: FakeClock) -> None:
    """It waits for its turn as any run does, and neither hands a sample on nor moves a run."""
    one = plan("a", every=3600, alone="key")
    bench.plans(one)
    bench.takes = lambda _name: 1.0
    looks = [asyncio.create_task(bench.scheduler.look(one, bench.observe)) for _ in range(2)]
    await clock.advance(3 * SECOND)
    assert [look.result().state for look in looks] == [State.UP, State.UP]
    assert bench.most_active["a"] == 1
    assert bench.taken == []
    due = (Grid.of(CheckId("s", "a"), timedelta(hours=1)).after(START) - START).total_seconds()
    await clock.advance(timedelta(hours=1))
    assert bench.began["a"][2:] == [pytest.approx(due, abs=0.1)]


async def test_run_now_runs_at_once_and_leaves_the_grid_alone(bench: Bench, clock: FakeClock) -> None:
    """Two callers share one run; the next run is at the usual time, once."""
    bench.takes = lambda _name: 1.0
    bench.plans(plan("a", every=60))
    asked = [asyncio.create_task(bench.scheduler.run_now(CheckId("s", "a"))) for _ in range(2)]
    await clock.advance(2 * SECOND)
    await asyncio.gather(*asked)
    assert len(bench.taken) == 1
    await clock.advance(timedelta(minutes=5))
    assert len(bench.taken) == 6
    await bench.scheduler.run_now(CheckId("s", "nobody"))


async def test_a_reload_disturbs_only_what_changed(bench: Bench, clock: FakeClock) -> None:
    """The unchanged check's run goes on; the removed one's is stopped; the changed one begins anew."""
    bench.takes = lambda _name: 30.0
    bench.plans(plan("same"), plan("gone"), plan("changed"))
    await clock.advance(15 * SECOND)
    bench.plans(plan("same"), plan("changed", print_="2"), plan("new"))
    await clock.advance(timedelta(minutes=2))
    assert [sample.check.check for sample in bench.taken].count("gone") == 0
    assert bench.taken[0].check.check == "same"
    assert {"same", "changed", "new"} <= {sample.check.check for sample in bench.taken}
    assert bench.most_active["changed"] <= 1


async def test_what_was_due_before_the_start_is_not_made_up_for() -> None:
    """The store was waited for a minute: nobody was late, nothing was missed, nothing starts in a burst."""
    bench = Bench(FakeClock(), Limits())
    bench.plans(*(plan(f"c{n}") for n in range(20)))
    await bench.clock.advance(timedelta(minutes=1))
    running = asyncio.create_task(bench.scheduler.run())
    await bench.clock.advance(SECOND)
    assert len(bench.taken) < 10
    assert bench.gauges.left_out == {}
    assert max(bench.gauges.lags) <= TICK.total_seconds() + 0.001
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_bug_while_taking_a_sample_stops_nothing(bench: Bench, clock: FakeClock) -> None:
    """It is logged, and the check runs again."""

    async def broken(_sample: Sample) -> bool:
        bench.taken.append(_sample)
        raise ZeroDivisionError

    bench.scheduler._take = broken
    bench.plans(plan("a"))
    await clock.advance(timedelta(minutes=1))
    assert len(bench.taken) == 6


async def test_stopping_ends_the_runs_under_way(bench: Bench, clock: FakeClock) -> None:
    """Nothing is left behind."""
    bench.takes = lambda _name: 1000.0
    bench.plans(plan("a"))
    await clock.advance(15 * SECOND)
    assert bench.active["a"] == 1
    await bench.scheduler._stop()
    assert bench.active["a"] == 0

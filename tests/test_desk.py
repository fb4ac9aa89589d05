"""The desk: each act once, in order, by who leads; whatever comes twice, hangs, fails or is away."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import structlog

from monitor.desk import FAILED, LATER, MOST_KNOWN, Desk, Means
from monitor.model import Act, Change, CheckId, Deed, Sample, Scope, State
from monitor.store import LeaseLost, StoreUnavailable
from tests.examples import SITE, left_out, sample
from tests.fakes import START, FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BASKET = CheckId("shop", "basket")


def act(identity: str, deed: Deed = Deed.ACKNOWLEDGE, scope: Scope = Scope(*SITE)) -> Act:  # noqa: B008 - it is a value
    return Act(identity, START, deed, "anna", scope)


class World:
    """A desk, and everything around it: a store, alerts, checks."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.leads = self.reached = True
        self.error: Exception | None = None
        self.asked: dict[str, Act] = {}
        self.done: list[str] = []
        self.order: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.ran: list[CheckId] = []
        self.finds: Sample | None = sample(0)
        self.polls = 0
        means = Means(leads=lambda: self.leads, checks=lambda: {SITE}, run_now=self.run_now, post=self.post)
        self.desk = Desk(self.clock, self, self, means)

    async def ask(self, one: Act) -> None:
        self._fail()
        self.asked.setdefault(one.id, one)

    async def acts(self) -> list[Act]:
        self.polls += 1
        self._fail()
        return [one for one in self.asked.values() if one.id not in self.done]

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error

    async def carry_out(self, one: Act) -> str:
        await self.open.wait()
        self.order.append(one.id)
        if one.why == "break":
            raise ZeroDivisionError
        if one.why != "lost":
            self.done.append(one.id)
        return f"{one.deed} {one.scope}"

    async def run_now(self, check: CheckId) -> None:
        self.ran.append(check)
        await self.open.wait()
        if self.finds is not None:
            self.desk.see(self.finds)

    def post(self, change: Change) -> None:
        self.done += [one.id for one in change.done]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    before = asyncio.all_tasks()
    running = asyncio.create_task(made.desk.run())
    await made.clock.settle()
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert asyncio.all_tasks() - {asyncio.current_task()} <= before


async def second(world: World) -> None:
    await world.clock.advance(timedelta(seconds=1))


async def test_who_leads_carries_out_what_is_said_to_it_at_once(world: World) -> None:
    assert await world.desk.hear(act("1")) == "acknowledge shop/site"
    assert (world.order, world.asked) == (["1"], {})


async def test_what_others_ask_for_is_carried_out_within_a_second_in_order(world: World) -> None:
    for number in range(5):
        await world.ask(act(f"{number}"))
    await second(world)
    assert world.order == ["0", "1", "2", "3", "4"]
    await second(world)
    assert len(world.order) == 5


async def test_who_waits_leaves_word_for_who_leads(world: World) -> None:
    """And fails where it cannot."""
    world.leads = False
    assert await world.desk.hear(act("1")) == LATER
    assert list(world.asked) == ["1"]
    world.error = StoreUnavailable("away")
    with pytest.raises(StoreUnavailable):
        await world.desk.hear(act("2"))
    assert world.order == []


async def test_an_act_that_comes_twice_is_carried_out_once(world: World) -> None:
    """At the same time, afterwards, and by way of the store; everybody hears the same. Also if it is not noted yet."""
    world.open.clear()
    both = [asyncio.create_task(world.desk.take(replace(act("1"), why="lost"))) for _ in range(2)]
    await world.ask(act("1"))
    await second(world)
    world.open.set()
    first, other = await asyncio.gather(*both)
    assert first == other == await world.desk.take(act("1"))
    await second(world)
    assert world.order == ["1"]


async def test_whoever_goes_away_stops_nothing(world: World) -> None:
    world.open.clear()
    asking = asyncio.create_task(world.desk.hear(act("1")))
    await world.clock.settle()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    world.open.set()
    await second(world)
    assert world.done == ["1"]


async def test_one_poll_at_a_time_and_a_store_that_is_away_is_told_once(world: World) -> None:
    world.error = StoreUnavailable("away")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            await second(world)
        world.error = None
        await world.ask(act("1"))
        await second(world)
        world.error = StoreUnavailable("away")
        await second(world)
    assert [line["event"] for line in logs] == ["acts_not_read", "act", "acts_not_read"]
    assert world.done == ["1"]
    world.error = None
    world.open.clear()
    await world.ask(act("2"))
    await second(world)
    polls = world.polls
    for _ in range(5):
        await second(world)
    assert world.polls == polls


async def test_a_store_that_was_never_reached_is_not_asked(world: World) -> None:
    world.reached, polls = False, world.polls
    await second(world)
    assert world.polls == polls


async def test_a_lost_lead_ends_it() -> None:
    world = World()
    world.error = LeaseLost("another leads")
    with pytest.raises(LeaseLost):
        await world.desk.run()


async def test_what_cannot_be_carried_out_keeps_nobody_from_the_rest(world: World) -> None:
    """It is logged, tried once by this process, and whoever asked is told."""
    broken = replace(act("1"), why="break")
    with structlog.testing.capture_logs() as logs:
        await world.ask(broken)
        await world.ask(act("2"))
        for _ in range(3):
            await second(world)
    assert world.order == ["1", "2"]
    assert [line["event"] for line in logs] == ["act_failed", "act"]
    assert await world.desk.take(broken) == (False, FAILED)


async def test_only_the_last_acts_are_remembered(world: World) -> None:
    for number in range(MOST_KNOWN + 1):
        await world.desk.hear(act(f"{number}"))
    await world.desk.hear(act(f"{MOST_KNOWN}"))
    assert len(world.order) == MOST_KNOWN + 1
    await world.desk.hear(act("0"))
    assert len(world.order) == MOST_KNOWN + 2


@pytest.mark.parametrize(
    ("finds", "said"),
    [
        (sample(0), "up, in 100 ms"),
        (sample(0, State.DOWN, detail="got \x1b[31m502"), "down, got 502"),
        (sample(0, State.UNKNOWN), "unknown, dns"),
        (left_out(0), "left out, it sleeps"),
        (None, "it has not ended yet"),
        (sample(0, check=BASKET), "it has not ended yet"),
    ],
)
async def test_a_run_says_what_it_saw(world: World, finds: Sample | None, said: str) -> None:
    """It is noted as done before it begins: a run that is lost does no harm, one that comes twice may."""
    world.finds = finds
    assert await world.desk.hear(act("1", Deed.RUN)) == f"shop/site was run: {said}"
    assert (world.ran, world.done, world.order) == ([SITE], ["1"], [])


async def test_a_check_is_run_once_in_ten_seconds_whoever_asks(world: World) -> None:
    await world.desk.hear(act("1", Deed.RUN))
    await world.clock.advance(timedelta(seconds=4))
    assert await world.desk.hear(act("2", Deed.RUN)) == "shop/site was run 4 s ago: up, in 100 ms"
    await world.clock.advance(timedelta(seconds=6))
    assert await world.desk.hear(act("3", Deed.RUN)) == "shop/site was run: up, in 100 ms"
    assert world.ran == [SITE, SITE]


@pytest.mark.parametrize("scope", [Scope(*BASKET), Scope("shop"), Scope()])
async def test_what_is_no_check_is_not_run(world: World, scope: Scope) -> None:
    assert (await world.desk.hear(act("1", Deed.RUN, scope))).startswith("there is no check ")
    assert world.ran == []


async def test_a_run_that_takes_long_is_not_waited_for_and_holds_nobody_up(world: World) -> None:
    """Neither whoever asked for more than ten seconds, nor other acts."""
    world.open.clear()
    await world.ask(act("1", Deed.RUN))
    asking = asyncio.create_task(world.desk.hear(act("2", Deed.RUN)))
    await second(world)
    world.open.set()
    await world.ask(act("3"))
    await second(world)
    assert world.order == ["3"]
    assert await asking == "shop/site was run: up, in 100 ms"
    assert world.ran == [SITE]


async def test_a_run_that_never_ends_is_given_up_on(world: World) -> None:
    world.open.clear()
    asking = asyncio.create_task(world.desk.hear(act("1", Deed.RUN)))
    await world.clock.advance(timedelta(seconds=10))
    assert await asking == "shop/site was run: it has not ended yet"


async def test_what_is_under_way_at_the_end_is_left_for_the_next_one(world: World) -> None:
    world.open.clear()
    asking = asyncio.create_task(world.desk.hear(act("1")))
    await world.clock.settle()
    (running,) = [task for task in asyncio.all_tasks() if "Desk.run" in str(task)]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert world.done == []

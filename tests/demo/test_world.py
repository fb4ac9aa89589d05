"""The demo's world goes by its script, or by hand, and says what it is up to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from structlog.testing import capture_logs

from monitor.demo.index import BY_HAND
from monitor.demo.script import FAULTS, LENGTH, SCRIPT, Dials
from monitor.demo.stage import staged
from monitor.demo.world import World
from tests.demo.stages import SECOND, watched
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.demo.stages import Watched

FIRST = SCRIPT[0]
BROWSER = {"Accept": "text/html,application/xhtml+xml"}


@pytest.fixture
async def demo() -> AsyncIterator[Watched]:
    async with watched() as demo:
        yield demo


def test_the_script_goes_on_by_itself() -> None:
    """And is over after its time; what is ahead is known."""
    clock = FakeClock()
    world = World(clock)
    assert world.coming[0] == (FIRST, FIRST.begins // SECOND)
    clock.skip(FIRST.begins)
    assert list(world.going_on) == [FIRST.name]
    assert world.now != Dials()
    assert FIRST not in [coming.fault for coming in world.coming]
    clock.skip(LENGTH)
    assert (world.going_on, world.coming, world.over, world.now) == ({}, [], True, Dials())


def test_what_somebody_heals_does_not_come_back_and_the_rest_of_the_script_comes() -> None:
    clock = FakeClock()
    world = World(clock)
    clock.skip(FIRST.begins)
    world.heal()
    assert world.now == Dials()
    clock.skip(SECOND)
    assert not world.going_on
    clock.skip(SCRIPT[1].begins - FIRST.begins)
    assert list(world.going_on) == [SCRIPT[1].name]


def test_by_hand_all_is_well_until_somebody_breaks_it() -> None:
    """And again once it is healed; a fault can be broken again then."""
    clock = FakeClock()
    world = World(clock, by_hand=True)
    clock.skip(FIRST.begins)
    assert (world.going_on, world.coming, world.over) == ({}, [], True)
    for _ in range(2):
        world.happen("pool-fills")
        clock.skip(30 * SECOND)
        assert world.now.shop_pool == 0.95
        world.heal("pool-fills")
        assert world.now == Dials()


def test_what_is_broken_by_hand_goes_on_when_the_script_has_ended_its_own() -> None:
    clock = FakeClock()
    world = World(clock)
    world.happen(FIRST.name)
    clock.skip(LENGTH)
    assert list(world.going_on) == [FIRST.name]


@pytest.mark.parametrize("act", ["happen", "heal"])
def test_there_are_no_other_faults(act: str) -> None:
    with pytest.raises(KeyError):
        getattr(World(FakeClock()), act)("flood")


async def test_it_tells_each_beginning_and_end_once_and_that_it_is_over() -> None:
    """So that who watches knows what to expect."""
    clock = FakeClock()
    with capture_logs() as lines:
        telling = asyncio.create_task(World(clock).tell())
        await clock.advance(LENGTH + 10 * SECOND)
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    told = [line for line in lines if line["event"] == "demo_world"]
    in_script = [fault.name for fault in SCRIPT if fault.scripted]
    assert [line["begins"] for line in told if "begins" in line] == in_script
    assert sorted(line["ends"] for line in told if "ends" in line) == sorted(in_script)
    assert "POST /break" in told[-1]["what"]
    assert len(told) == 2 * len(in_script) + 1


async def test_it_breaks_and_heals_over_http(demo: Watched) -> None:
    """The shop, as always; by its name any fault; what does not exist is not found."""
    async with aiohttp.ClientSession(demo.stage.address) as session:
        for action, status, words in (("heal", 200, "healthy"), ("break", 502, "failing"), ("heal", 200, "healthy")):
            async with session.post(f"/{action}") as answer:
                assert answer.status == 200
            async with session.get("/shop/health") as answer:
                assert (answer.status, (await answer.json())["status"]) == (status, words)
        async with session.post("/break/outage") as answer:
            assert (await answer.json())["happens"] == "outage"
        async with session.get("/dojo/") as answer:
            assert answer.status == 502
        async with session.post("/heal/outage") as answer:
            assert await answer.json() == {"healed": ["outage"]}
        for action in ("break", "heal"):
            async with session.post(f"/{action}/flood") as answer:
                assert answer.status == 404
                assert "outage" in (await answer.json())["detail"]


async def test_the_page_says_what_happens_and_what_comes_next() -> None:
    """With a countdown, a button for each fault, and where the monitor is; a form leads back to it."""
    async with watched(by_hand=False) as demo, aiohttp.ClientSession(demo.stage.address) as session:
        demo.stage.index.monitor = "http://127.0.0.1:8080"
        async with session.get("/") as answer:
            page = await answer.text()
            assert "script-src" not in page + answer.headers["Content-Security-Policy"]
        assert "All is well." in page
        assert f"in 0 min {FIRST.begins // SECOND} s, {FIRST.system}: {FIRST.words}" in page
        assert 'href="http://127.0.0.1:8080/"' in page
        assert all(f'action="/break/{name}"' in page for name in FAULTS)
        async with session.post(f"/break/{BY_HAND}", headers=BROWSER) as answer:
            assert (answer.status, answer.url.path) == (200, "/")
            page = await answer.text()
        assert FAULTS[BY_HAND].words in page
        assert f'action="/heal/{BY_HAND}"' in page
        demo.clock.skip(LENGTH)
        async with session.get("/") as answer:
            assert "The script is over" in await answer.text()


async def test_a_taken_port_is_an_error_and_leaves_nothing_behind(demo: Watched) -> None:
    """The second world cannot have it."""
    port = int(demo.stage.address.rpartition(":")[2])
    before = asyncio.all_tasks()
    with pytest.raises(OSError, match="address already in use"):
        async with staged(World(FakeClock()), "127.0.0.1", port, {}):
            pytest.fail("it answers on a port that is taken")
    assert asyncio.all_tasks() == before


async def test_what_is_signed_is_taken_and_what_is_made_up_refused(demo: Watched) -> None:
    """The receiver of webhooks verifies as Stripe's libraries do; a header that makes no sense is no signature."""
    async with aiohttp.ClientSession(demo.stage.address) as session:
        for header in ("", "t=", "t=x,v1=y", "v1=00", f"t={demo.clock.now().timestamp():.0f},v1=é"):
            async with session.post(
                "/staging/webhooks/payments", data=b"{}", headers={"Stripe-Signature": header}
            ) as answer:
                assert answer.status == 400, header


async def test_the_flow_takes_no_more_customers_than_it_can_hold(demo: Watched) -> None:
    """Whoever plays with it by hand fills no memory."""
    async with aiohttp.ClientSession(demo.stage.address) as session:
        statuses = []
        for _ in range(101):
            async with session.post("/cashflow/api/customers", json={"name": "ana"}) as answer:
                statuses.append(answer.status)
        assert (set(statuses[:-1]), statuses[-1]) == ({201}, 503)
        async with session.get("/cashflow/api/customers/1") as answer:
            assert await answer.json() == {"name": "ana"}
        async with session.delete("/cashflow/api/customers/777") as answer:
            assert answer.status == 404

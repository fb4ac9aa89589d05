"""The bundled shop misbehaves on its script, and when it is told to."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest
from structlog.testing import capture_logs

from monitor.clock import SystemClock
from monitor.demo.script import LENGTH, SCRIPT, mood_at
from monitor.demo.shop import Shop, serve_shop
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def test_the_script_slows_down_fills_up_fails_and_recovers() -> None:
    """In about three minutes, beginning and ending well."""
    moods = [mood_at(second) for second in range(int(LENGTH))]
    assert moods[0] == moods[-1] == SCRIPT[0][1]
    assert max(mood.delay for mood in moods) > 0.5
    assert max(mood.pool for mood in moods) > 0.9
    assert {mood.status for mood in moods} == {200, 502}
    assert mood_at(LENGTH).status == mood_at(LENGTH * 99).status == 200
    assert "POST /break" in mood_at(LENGTH).words


@pytest.fixture
async def address() -> AsyncIterator[str]:
    async with serve_shop(Shop(SystemClock(), scripted=False), "127.0.0.1", 0) as address:
        yield address


async def test_it_breaks_and_heals_by_hand(address: str) -> None:
    """Both its addresses show it."""
    async with aiohttp.ClientSession(address) as session:
        for action, status, words in (("heal", 200, "healthy"), ("break", 502, "failing"), ("heal", 200, "healthy")):
            async with session.post(f"/{action}") as answer:
                assert answer.status == 200
            async with session.get("/health") as answer:
                assert (answer.status, (await answer.json())["status"]) == (status, words)
            async with session.get("/") as answer:
                assert (answer.status, answer.content_type) == (status, "text/html")


async def test_a_taken_port_is_an_error_and_leaves_nothing_behind(address: str) -> None:
    """The second shop cannot have it."""
    port = int(address.rpartition(":")[2])
    with pytest.raises(OSError, match="address already in use"):
        async with serve_shop(Shop(SystemClock()), "127.0.0.1", port):
            pytest.fail("it answers on a port that is taken")


async def test_it_tells_each_change_of_mood_once() -> None:
    """So that who watches knows what to expect."""
    clock = FakeClock()
    with capture_logs() as lines:
        telling = asyncio.create_task(Shop(clock).tell())
        await clock.advance(timedelta(seconds=LENGTH + 10))
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
    told = [line["is_"] for line in lines if line["event"] == "demo_shop"]
    assert len(told) == len(SCRIPT) + 1

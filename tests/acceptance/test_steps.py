"""Steps that answer themselves, as the real process asks and tells them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from tests.acceptance import peers
from tests.acceptance.peers import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.acceptance.peers import Receiver, Shop
    from tests.acceptance.process import Monitor

FILE = """
channels: {hook: "${HOOK_URL}"}
systems:
  shop:
    title: The shop
    defaults: {every: 1s, timeout: 20s, retry: {every: 200ms}, down: {critical: 2}}
    checks:
      site:
        url: "${SHOP_URL}/"
        title: Front page
        remedy:
          - {do: See the other page., run: other/status}
          - {do: See the one that hangs., run: slow}
          - Restart the shop.
      other: {url: "${OTHER_URL}/", expect: {status: 200}, every: 1h}
      slow: {url: "${SLOW_URL}/", every: 1h}
"""
SAMPLES = "SELECT * FROM samples JOIN checks ON id = check_id WHERE name = 'other'"
EVENTS = "SELECT body FROM events ORDER BY number"


def answered(daemon: Monitor) -> list[dict[str, Any]]:
    """Return what the journal tells of answers."""
    events = [json.loads(body) for (body,) in daemon.stored(EVENTS)]
    return [event for event in events if event["kind"] == "answered"]


async def test_a_quick_answer_comes_with_the_page_and_a_hung_one_delays_nothing(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """The page leaves at once with what is known by then; after five seconds the journal has all of it."""
    async with peers.shop() as other, peers.shop() as slow:
        slow.delay = 30
        async with watching(FILE, OTHER_URL=other.url, SLOW_URL=slow.url) as daemon:
            await until(lambda: daemon.stored("SELECT * FROM samples"), "a sample")
            shop.breaks()
            told = await hook.hears("firing", within=15)
            heard = time.monotonic()
            assert told.alerts[0]["annotations"]["remedy"] == (
                "1. See the other page.\n   → 200\n2. See the one that hangs.\n3. Restart the shop."
            )
            await until(lambda: len(answered(daemon)) == 2, "all answers", within=15)
            assert time.monotonic() - heard < 10
            assert [event["detail"] for event in answered(daemon)] == ["200", "200; no answer within 5 s"]
            assert len(daemon.stored(SAMPLES)) == other.asked - 1, "what a step asks is no sample"
            assert await daemon.stop() == 0


async def test_a_process_that_is_stopped_waits_for_no_step(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    async with peers.shop() as other, peers.shop() as slow:
        slow.delay = 30
        async with watching(FILE, OTHER_URL=other.url, SLOW_URL=slow.url) as daemon:
            shop.breaks()
            await hook.hears("firing", within=15)
            began = time.monotonic()
            assert await daemon.stop() == 0
            assert time.monotonic() - began < 3

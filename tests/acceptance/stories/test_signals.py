"""SIGTERM ends the daemon without losing a message; SIGHUP takes up a changed file, if it is without a fault."""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import DELIVERED, SITE, Monitor
from tests.peers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.acceptance.peers import Post, Receiver, Shop

RUNS = 'monitor_probe_runs_total{{system="shop",check="{}"}}'
MISSED = 'monitor_probe_missed_runs_total{system="shop",check="site"}'
SAMPLES_OF_SITE = "SELECT at FROM samples JOIN checks ON check_id = id WHERE name = 'site'"
OWED = "SELECT * FROM notifications WHERE settled_at IS NULL"
UNKNOWN = 'monitor_probe_unknown_total{system="shop",check="site"}'
FAILED = 'monitor_probe_failures_total{system="shop",check="site",reason="timeout"}'
RELOADED = "monitor_config_last_reload_successful"


async def test_sigterm_finishes_the_send_under_way_and_resolves_nothing(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """The receiver takes two seconds: its answer is waited for and kept; the alert stays open for the next start."""
    shop.breaks()
    hook.delay = 2
    async with watching() as daemon:
        await hook.hears("firing")
        asked, began = shop.asked, time.monotonic()
        assert await daemon.stop() == 0
        assert time.monotonic() - began < 8
        assert [post.answered for post in hook.posts] == [True]
        assert len(daemon.stored(DELIVERED)) == len(daemon.stored("SELECT * FROM alerts")) == 1
        assert shop.asked <= asked + 1
        assert not hook.said("resolved")
        assert daemon.log[-1]["event"] == "stopped"


@dataclass
class End:
    """How an end went that a silent receiver held up: its status and seconds, what was owed then, what came later."""

    status: int
    seconds: float
    owed: int
    posts: list[Post]


async def held_up(folder: Path) -> End:
    """End the daemon while a receiver is silent, then start it again with one that speaks."""
    async with peers.shop() as shop, peers.receiver() as hook:
        shop.breaks()
        hook.open.clear()
        async with Monitor(folder, SITE, SHOP_URL=shop.url, HOOK_URL=hook.url) as daemon:
            await hook.hears("firing")
            began = time.monotonic()
            status = await daemon.stop()
            end = End(status, time.monotonic() - began, len(daemon.stored(OWED)), hook.posts)
            hook.open.set()
            await daemon.start()
            await until(lambda: daemon.stored(DELIVERED), "the delivery in the store")
        return end


@pytest.mark.story(tell=held_up)
def test_sigterm_waits_ten_seconds_for_a_silent_receiver_and_not_longer(told: End) -> None:
    """What was not accepted is owed, and delivered under the same key after the next start."""
    assert told.status == 0
    assert told.seconds < 15
    assert told.owed == 1
    assert len({post.key for post in told.posts}) == 1


async def test_sighup_changes_nothing_for_a_bad_file_and_says_why(watching: Callable[..., Monitor]) -> None:
    """The log names file and line, the metrics say that it failed, and what was watched is watched on."""
    bad = SITE + "      pay: {url: 'http://127.0.0.1:1/', evry: 1s}\n"
    async with watching() as daemon:
        daemon.file.write_text(bad)
        daemon.signal(signal.SIGHUP)
        refused = await daemon.logs("reload_refused")
        (fault,) = refused["faults"]
        assert fault.startswith(
            f"{daemon.file}:{len(bad.splitlines())}: shop/pay.evry: unknown key; did you mean every?"
        )
        seen = daemon.read(await daemon.page())
        assert seen[RELOADED] == 0
        assert RUNS.format("pay") not in seen
        ran = seen[RUNS.format("site")]

        async def goes_on() -> bool:
            return (await daemon.shows(RUNS.format("site")) or 0) > ran

        await until(goes_on, "another run")


async def test_sighup_takes_up_what_changed_and_disturbs_nothing_else(
    hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """A new check runs, one that was firing is closed as removed, one that did not change keeps its pace and counts."""
    cart = f"      cart: {{kind: tcp, host: 127.0.0.1, port: {free_port()}}}\n"
    site, pay = RUNS.format("site"), RUNS.format("pay")
    async with watching(SITE + cart) as daemon:
        told = await hook.hears("firing", "cart")
        await until(lambda: daemon.stored(DELIVERED), "the delivery in the store")
        await daemon.stop()
        before = len(daemon.stored(SAMPLES_OF_SITE))
        await daemon.start()  # which ends the minute in which messages are collected
        await until(lambda: len(daemon.stored(SAMPLES_OF_SITE)) >= before + 4, "four runs")

        daemon.file.write_text(SITE + "      pay: {url: '${SHOP_URL}/pay'}\n")
        daemon.signal(signal.SIGHUP)
        await daemon.logs("reloaded")
        removed = await hook.hears("resolved", "cart")
        assert removed.incidents == told.incidents
        assert "no longer in the configuration" in removed.alerts[0]["annotations"]["description"]
        await until(lambda: daemon.shows(pay), "a run of what is new")
        seen = daemon.read(await daemon.page())
        assert seen[RELOADED] == 1
        assert not [series for series in seen if 'check="cart"' in series]
        assert seen[MISSED] == 0
        await daemon.stop()
        ran = len(daemon.stored(SAMPLES_OF_SITE)) - before
        assert ran - 2 <= seen[site] <= ran  # it was counted before the last ones, and from the start on


async def test_a_daemon_that_stood_still_blames_nobody(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """Stopped in the midst of runs, far beyond their deadline: they could not tell, and no page is sent."""
    shop.delay = 0.8  # so that a run is under way nearly always
    text = SITE.replace("down: {critical: 2}", "down: {critical: 1}")
    async with watching(text) as daemon:
        await until(lambda: shop.asked >= 2, "two looks")
        for _ in range(3):
            daemon.signal(signal.SIGSTOP)
            await asyncio.sleep(3)
            daemon.signal(signal.SIGCONT)
            await asyncio.sleep(2)
        await until(lambda: daemon.shows(UNKNOWN), "a run that could not tell")
        assert await daemon.shows(FAILED) == 0
    assert "down" not in [alert["labels"]["alertname"] for post in hook.posts for alert in post.alerts]

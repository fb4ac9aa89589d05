"""The process pushes what it shows to a real Prometheus; when it ends, or cannot reach it, nobody else feels it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import SITE, Monitor
from tests.peers import free_port, silence, tcp_peer
from tests.push.prometheus import PUSHED, SCRAPED, prometheus

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.model import Labels

LAST = "monitor_remote_write_last_success_timestamp_seconds"


class Seen(NamedTuple):
    """The series that Prometheus knew by push and by scrape, and those by push after the end."""

    pushed: set[Labels]
    scraped: set[Labels]
    left: set[Labels]


async def pushed_and_scraped(folder: Path) -> Seen:
    """Run the daemon until Prometheus has it both ways; then end it."""
    listen = free_port()
    async with peers.shop() as shop, prometheus(folder, listen) as known:
        variables = {
            "MONITOR_LISTEN": f"127.0.0.1:{listen}",
            "MONITOR_REMOTE_WRITE_URL": known.write,
            "MONITOR_REMOTE_WRITE_EVERY": "1s",
        }
        async with Monitor(folder, SITE, SHOP_URL=shop.url, HOOK_URL=shop.url, **variables) as daemon:

            async def both() -> tuple[set[Labels], set[Labels]] | None:
                pushed, scraped = [set(await known.knows(query)) for query in (PUSHED, SCRAPED)]
                names = [{dict(series)["__name__"] for series in found} for found in (pushed, scraped)]
                settled = all({LAST, "monitor_probe_success"} <= found for found in names)
                return (pushed, scraped) if settled else None

            pushed, scraped = await until(both, "all series from both")
            await daemon.stop()
            return Seen(pushed, scraped, set(await known.knows(PUSHED)))


@pytest.mark.story(tell=pushed_and_scraped)
def test_prometheus_knows_the_same_series_by_push_as_by_scrape(told: Seen) -> None:
    """And when the daemon has ended, none that was pushed goes on for five minutes more."""
    assert told.pushed == told.scraped
    assert len(told.pushed) > 100
    assert told.left == set()


async def silent_for_ever(folder: Path) -> float:
    """End a daemon whose receiver never says a word; return how many seconds that took."""
    async with peers.shop() as shop, peers.receiver() as hook, tcp_peer(silence) as silent:
        write = f"http://127.0.0.1:{silent.port}/api/v1/write"
        variables = {"MONITOR_REMOTE_WRITE_URL": write, "MONITOR_REMOTE_WRITE_EVERY": "1s"}
        async with Monitor(folder, SITE, SHOP_URL=shop.url, HOOK_URL=hook.url, **variables) as daemon:
            await silent.heard.wait()
            shop.breaks()
            await hook.hears("firing")
            assert (await daemon.shows("monitor_remote_write_pending_samples") or 0) > 0
            began = time.monotonic()
            assert await daemon.stop() == 0
            assert "remote_write_not_finished" in str(daemon.log)
            return time.monotonic() - began


@pytest.mark.story(tell=silent_for_ever)
def test_a_silent_receiver_costs_the_end_three_seconds(told: float) -> None:
    """And the page that was due meanwhile nothing."""
    assert told < 8

"""A database that somebody else keeps locked stops neither probing nor paging, and misses nothing afterwards."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import SITE, Monitor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.acceptance.peers import Post, Receiver, Shop

RUNS = 'monitor_probe_runs_total{system="shop",check="site"}'


async def test_a_locked_store_delays_no_page_and_gets_everything_in_the_end(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """The critical comes, marked as possibly repeated; once the lock is gone, all of it is in the store."""
    async with watching() as daemon:
        await until(lambda: daemon.stored("SELECT * FROM samples"), "a sample")
        with closing(sqlite3.connect(daemon.store, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            shop.breaks()
            told = await hook.hears("firing")
            assert "Possibly repeated" in told.alerts[0]["annotations"]["note"]
            assert "memory only" in await daemon.page("/readyz")
            assert await daemon.shows("monitor_store_available") == 0
            assert daemon.stored("SELECT * FROM events") == []
            other.execute("ROLLBACK")
        await daemon.logs("store_available")
        assert (await daemon.page("/readyz")).strip() == "ok"
        ran = await daemon.shows(RUNS)
        assert ran
        assert await daemon.stop() == 0
        assert len(daemon.stored("SELECT * FROM samples")) >= ran
        assert daemon.stored("SELECT result FROM notifications") == [("delivered",)]
        assert len(daemon.stored("SELECT * FROM alerts")) == 1
        delivered = daemon.stored("SELECT delivery FROM attempts WHERE result = 'delivered'")
        assert delivered == [(told.key,)]
        assert [post.key for post in hook.posts] == [told.key]


@dataclass
class Start:
    """What was seen after a start that a lock held up."""

    series: dict[str, float]
    journal: list[tuple[str]]
    posts: list[Post]


async def locked_start(folder: Path) -> Start:
    """Start with a locked store, for longer than a check may be silent."""
    file = SITE.replace("timeout: 2s", "timeout: 500ms")
    async with peers.shop() as shop, peers.receiver() as hook:
        async with Monitor(folder, file, SHOP_URL=shop.url, HOOK_URL=hook.url) as daemon:
            await daemon.stop()
            with closing(sqlite3.connect(daemon.store, isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                began, begun = time.monotonic(), len(daemon.log)
                await daemon.spawn()
                await daemon.logs("store_unavailable", since=begun)
                await until(lambda: time.monotonic() - began > 6, "six seconds later")
                other.execute("ROLLBACK")
            await daemon.watches(since=begun)
            await until(lambda: len(daemon.stored("SELECT * FROM samples")) > 3, "samples")
            series, journal = daemon.read(await daemon.page()), daemon.stored("SELECT body FROM events")
        return Start(series, journal, hook.posts)


@pytest.mark.story(tell=locked_start)
def test_a_store_that_is_locked_at_the_start_makes_nothing_late_and_nothing_silent(told: Start) -> None:
    """Watching begins when the lock is gone: none of six runs was missed before, and no check gives no data."""
    assert told.series['monitor_probe_missed_runs_total{system="shop",check="site"}'] < 3
    assert told.series["monitor_schedule_lag_seconds_sum"] < 3
    assert (told.journal, told.posts) == ([], [])

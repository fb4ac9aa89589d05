"""Jobs that report to the real process: what they said outlives it, failures page in seconds, a success ends them."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import Monitor
from tests.peers import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.peers import Post

TOKEN = "0123456789abcdef-of-the-backup"
FILE = """
channels: {hook: "${HOOK_URL}"}
systems:
  shop:
    checks:
      backup: {kind: heartbeat, token: "${TOKEN}", period: 1h, every: 30s, remedy: Look at the backup host.}
      forgotten: {kind: heartbeat, token: "${TOKEN}", period: 2s, grace: 1s, every: 1s, if_set: FORGOTTEN}
"""
KEPT = "SELECT body FROM keepsakes WHERE name = 'backup'"
AGE = 'monitor_heartbeat_age_seconds{system="shop",check="backup"}'
UP = 'monitor_probe_success{system="shop",check="backup",kind="heartbeat"}'


async def report(daemon: Monitor, rest: str = "", said: str = "") -> int:
    """Report as a job does; return the status of the answer."""
    url = f"{daemon.url}/api/v1/heartbeats/shop/backup/{TOKEN}{rest}"
    async with aiohttp.ClientSession() as session, session.post(url, data=said) as answer:
        return answer.status


async def _is_known(daemon: Monitor) -> bool:
    return await daemon.shows(UP) is not None


async def test_what_was_reported_outlives_the_process(tmp_path: Path) -> None:
    """200 means that it is on the disk: killed right after, the next process knows it."""
    hook = "http://127.0.0.1:9/"
    async with Monitor(tmp_path, FILE, HOOK_URL=hook, TOKEN=TOKEN) as daemon:
        assert await report(daemon, "/start?rid=one") == 200
        assert await report(daemon, "/0?rid=one") == 200
        assert await report(daemon, "/start?rid=two") == 200
        await daemon.kill()
        (body,) = daemon.stored(KEPT)[0]
        kept = json.loads(body)
        assert kept["end"]["status"] == 0
        assert list(kept["running"]) == ["two"]
        assert TOKEN not in body
        await daemon.start()
        assert await report(daemon, "/0?rid=two") == 200
        await until(lambda: _is_known(daemon), "a look at it")
        assert await daemon.shows(UP) == 1
        assert await daemon.shows(AGE) is not None
        after = json.loads(daemon.stored(KEPT)[0][0])
        assert after["since"] == kept["since"]
        assert "running" not in after
        assert await daemon.stop() == 0
    assert TOKEN not in str(daemon.log)


async def test_while_the_store_is_away_a_report_is_in_memory_and_later_on_the_disk(tmp_path: Path) -> None:
    async with Monitor(tmp_path, FILE, HOOK_URL="http://127.0.0.1:9/", TOKEN=TOKEN) as daemon:
        assert await report(daemon) == 200
        with closing(sqlite3.connect(daemon.store, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            assert await report(daemon, "/7", "disk full\n") == 202
            other.execute("ROLLBACK")
        await until(lambda: "disk full" in daemon.stored(KEPT)[0][0], "the report on the disk")
        assert await daemon.stop() == 0


async def test_whoever_leads_next_knows_what_was_reported(tmp_path: Path) -> None:
    """An instance that waits takes nothing and says so; once it leads, it has what the other was told."""
    settings = {"HOOK_URL": "http://127.0.0.1:9/", "TOKEN": TOKEN, "MONITOR_DATA": str(tmp_path / "data")}
    other = tmp_path / "other"
    other.mkdir()
    port = free_port()
    async with Monitor(tmp_path, FILE, **settings) as old:
        new = Monitor(other, FILE, MONITOR_LISTEN=f"127.0.0.1:{port}", **settings)
        await new.spawn()
        await new.logs("lease_not_had")
        new.url = f"http://127.0.0.1:{port}"
        assert await report(old, "/3", "no space") == 200
        assert await report(new) == 503
        assert await old.stop() == 0
        await new.watches(since=0)
        await until(lambda: _is_known(new), "a look at it")
        assert await new.shows(UP) == 0, "it knows of the failure"
        assert await report(new) == 200
        assert await new.stop() == 0


@dataclass
class Seen:
    """What was told of a job that failed and then succeeded, how soon, and of one that never came."""

    failed: Post
    failed_after: float
    over: Post
    never: Post


async def failing(folder: Path) -> Seen:
    async with peers.receiver() as hook, peers.receiver() as late:
        async with Monitor(folder, FILE, HOOK_URL=hook.url, TOKEN=TOKEN) as daemon:
            assert await report(daemon) == 200
            begun = time.monotonic()
            assert await report(daemon, "/3", f"tar: no space left\nlogin {TOKEN} failed\n") == 200
            failed = await hook.hears("firing", "backup")
            took = time.monotonic() - begun
            assert await report(daemon, "/0") == 200
            over = await hook.hears("resolved", "backup")
        (folder / "late").mkdir()
        async with Monitor(folder / "late", FILE, HOOK_URL=late.url, TOKEN=TOKEN, FORGOTTEN="1") as daemon:
            never = await late.hears("firing", "forgotten")
        return Seen(failed, took, over, never)


@pytest.mark.story(tell=failing)
def test_a_failure_pages_within_seconds_and_a_success_ends_it(told: Seen) -> None:
    (alert,) = told.failed.alerts
    assert told.failed_after < 10
    assert "it failed with exit status 3" in alert["annotations"]["description"]
    assert "login ••• failed" in alert["annotations"]["description"]
    assert "Look at the backup host." in str(alert["annotations"])
    assert told.over.incidents == told.failed.incidents
    assert "Last success" in str(told.over.alerts[0]["annotations"])
    assert "it has never reported" in str(told.never.alerts[0]["annotations"])

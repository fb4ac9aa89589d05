"""The commands that tell what the store remembers, on a file and on a server, with and without a daemon."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import pty
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.clock import SystemClock
from monitor.model import Change, State
from tests import story
from tests.acceptance.forks import ROOT
from tests.acceptance.peers import until
from tests.acceptance.process import SITE, command, environment
from tests.examples import sample
from tests.store.files import leading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.acceptance.peers import Receiver, Shop
    from tests.acceptance.process import Monitor
    from tests.postgres import Cluster

NAMES = ("alerts", "history")
FILE = """
channels: {ops: https://hooks.example.com/token}
systems: {shop: {checks: {site: {url: "${URL}", down: {critical: 2}}, pay: {url: "${PAY}", if_set: PAY}}}}
"""
NUMBERS = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
async def told(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Return the environment of a store that holds the story."""
    where: str = f"sqlite:///{tmp_path / 'story.db'}"
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres")
        name = f"story_{next(NUMBERS)}"
        await asyncio.to_thread(cluster.psql, f"CREATE DATABASE {name} TEMPLATE template0")
        where = cluster.dsn(name)
    store = await leading(where)
    await store.write([story.CHANGE])
    await store.close()
    return {"MONITOR_DATABASE_URL": where}


async def test_alerts_says_what_is_live(tmp_path: Path, told: dict[str, str]) -> None:
    """The worst first, plain in a pipe, as JSON for machines; of one system, and of none that there is."""
    text, as_json, shop, none = await asyncio.gather(
        command(tmp_path, "alerts", **told),
        command(tmp_path, "alerts", "--output", "json", **told),
        command(tmp_path, "alerts", "--system", "shop", **told),
        command(tmp_path, "alerts", "--system", "shed", **told),
    )
    assert [ended.status for ended in (text, as_json, shop, none)] == [0, 0, 0, 2]
    first, second = text.out.splitlines()
    assert first.startswith("critical  Shop: Database: connections  since 2026-01-05 11:00:00 (")
    assert first.endswith("; 96 %; told: ops 2026-01-05 11:20:02, oncall owed since 2026-01-05 11:20:00")
    assert second == "pending   Shop: Site: down"
    assert shop.out.split("(")[0] == text.out.split("(")[0]
    assert [one["title"] for one in json.loads(as_json.out)] == ["Shop: Database: connections", "Shop: Site: down"]
    assert none.err == "there is no system 'shed'; allowed: shop, shop/database, shop/site\n"


async def test_history_tells_what_happened(tmp_path: Path, told: dict[str, str]) -> None:
    """Of a system or a check, as far back as asked; 2 for a name that is none, and for a span that is none."""
    ever = "3650d"
    whole, one, as_json, recent, none, wrong = await asyncio.gather(
        command(tmp_path, "history", "shop", "--since", ever, **told),
        command(tmp_path, "history", "shop/site", "--since", ever, **told),
        command(tmp_path, "history", "shop/site", "--since", ever, "--output", "json", **told),
        command(tmp_path, "history", "shop/site", "--since", "1s", **told),
        command(tmp_path, "history", "shop/sight", **told),
        command(tmp_path, "history", "shop", "--since", "soon", **told),
    )
    assert [ended.status for ended in (whole, one, as_json, recent, none, wrong)] == [0, 0, 0, 0, 2, 2]
    assert [line for line in whole.out.splitlines() if not line.startswith("  ")][:2] == [
        "2026-01-05 02:05:00  deploy of api 1.4.2, before 1.4.1",
        "2026-01-05 02:12:10  critical: Shop: Site: down, resolved after 13 min 30 s",
    ]
    assert "Database" in whole.out
    assert "refused 2026-01-05 02:12:12 (answered 503), delivered 2026-01-05 02:12:16" in one.out
    assert "Database" not in one.out
    assert json.loads(as_json.out)["mean_seconds_to_resolve"] == 810
    assert "0 incidents of shop/site since " in recent.out
    assert none.err.startswith("there is no check 'shop/sight'; did you mean shop/site?")
    assert wrong.err.startswith("--since: 'soon' is not a duration")


async def test_replay_judges_by_another_file(tmp_path: Path, told: dict[str, str]) -> None:
    """The samples of the story are three runs that failed; down after two, not after nine; 2 for what is no check."""
    store = await leading(told["MONITOR_DATABASE_URL"])
    moments = [SystemClock().now() - timedelta(minutes=n) for n in (4, 3, 2)]
    await store.write([Change(samples=tuple(sample(at, State.DOWN, check=story.SITE) for at in moments))])
    await store.close()
    (tmp_path / "monitor.yaml").write_text(FILE)
    (tmp_path / "patient.yaml").write_text(FILE.replace("critical: 2", "critical: 9"))
    here = {**told, "URL": "http://localhost/", "MONITOR_CONFIG": str(tmp_path / "monitor.yaml")}
    patient = ("-c", str(tmp_path / "patient.yaml"))
    text, as_json, spared, system, skipped, unset = await asyncio.gather(
        command(tmp_path, "replay", "shop/site", **here),
        command(tmp_path, "replay", "shop/site", "--output", "json", **here),
        command(tmp_path, "replay", "shop/site", *patient, **here),
        command(tmp_path, "replay", "shop", **here),
        command(tmp_path, "replay", "shop/pay", **here),
        command(tmp_path, "replay", "shop/site", *patient, **told),
    )
    assert [ended.status for ended in (text, as_json, spared, system, skipped, unset)] == [0, 0, 0, 2, 2, 2]
    late, new, counted = text.out.splitlines()
    assert late.startswith("samples begin at ")
    assert new.startswith("new   ")
    assert "critical: shop: site: down, goes on for " in new
    assert new.endswith("; ops 1 message")
    assert counted.endswith(": 1 would have paged, 0 did; 1 new, 0 gone, 0 the same")
    assert [one["paged"] for one in json.loads(as_json.out)["new"]] == [True]
    assert ": 0 would have paged, 0 did; " in spared.out
    assert "is a system; name one check of it" in system.err
    assert "PAY is not set" in skipped.err
    assert "URL is not set" in unset.err


@pytest.mark.parametrize("name", NAMES)
async def test_a_store_that_cannot_be_read_is_status_1_and_none_is_made(tmp_path: Path, name: str) -> None:
    """Not there; a server that is away, whose password is not said; a file of somebody else's."""
    (tmp_path / "text.db").write_text("hello")
    arguments = (name, *(["shop"] if name != "alerts" else []))
    ended = await asyncio.gather(
        *(
            command(tmp_path, *arguments, **variables)
            for variables in (
                {},
                {"MONITOR_DATABASE_URL": "postgres://me:hunter2@127.0.0.1:1/store"},
                {"MONITOR_DATABASE_URL": f"sqlite:///{tmp_path}/text.db"},
            )
        )
    )
    assert [(one.status, one.out) for one in ended] == [(1, "")] * 3
    missing, away, strange = (one.err for one in ended)
    assert missing == f"there is no store at {tmp_path}/data/monitor.db\n"
    assert away.startswith("PostgreSQL at 127.0.0.1:1/store: ")
    assert "hunter2" not in away
    assert "not an SQLite database" in strange
    assert sorted(os.listdir(tmp_path)) == ["text.db"]  # noqa: PTH208 - not a path of it


async def test_a_daemon_that_leads_is_not_disturbed(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """It is asked while it pages: what it wrote is seen, and it goes on to lead in its first term."""
    shop.breaks()
    async with watching(SITE) as daemon:
        await hook.hears("firing")
        taken = "SELECT * FROM notifications WHERE result = 'delivered'"
        await until(lambda: daemon.stored(taken), "noted that it was delivered")
        ended = await command(daemon.folder, "alerts", "--output", "json")
        assert (ended.status, ended.err) == (0, "")
        (found,) = json.loads(ended.out)
        assert (found["title"], found["severity"], found["state"]) == (
            "The shop: Front page: down",
            "critical",
            "firing",
        )
        assert [one["channel"] for one in found["told"] if one["delivered_at"]] == ["hook"]
        assert await daemon.shows("monitor_leader") == 1
        assert daemon.stored("SELECT token FROM leases") == [(1,)]


async def test_it_is_coloured_on_a_terminal(tmp_path: Path) -> None:
    """And only there: what is piped is plain."""
    store = await leading(tmp_path / "story.db")
    await store.write([story.CHANGE])
    await store.close()
    ours, theirs = pty.openpty()
    variables = {"MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'story.db'}", "TERM": "xterm"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "alerts"),
        env=environment(tmp_path, **variables),
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    assert await process.wait() == 0
    assert "\x1b[31mcritical  Shop: Database" in os.read(ours, 1 << 16).decode()
    os.close(ours)
    piped = await command(tmp_path, "alerts", **variables)
    assert "\x1b" not in piped.out

"""`monitor demo` as a newcomer meets it: what it prints first, each fault of its script seen and over, by real probes.

Faults are broken and healed by hand, several at a time, so that nobody waits for ten minutes; when the script lets
them happen is data, which tests/demo holds against the figures.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp
import pytest

from monitor.demo.script import SCRIPT
from tests.acceptance.peers import until
from tests.acceptance.process import Monitor, command

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from monitor.demo.script import Fault

HIDING = {"database-away", "outage", "shop-down"}
"""What holds others back, or hides them, comes by itself."""
WAVES = tuple([fault for fault in SCRIPT if (fault.name in HIDING) is hiding] for hiding in (False, True))
WARM = 'monitor_metrics_hit_share_ratio{system="shop",check="traffic"}'
WELL = 'monitor_probe_success{system="shop",check="front",kind="http"}'
DEPLOYED = 'monitor_deploy_timestamp_seconds{system="cashflow"}'
LOOK = 0.3
RUNS = 12
"""So many runs of the front page a 90th percentile needs."""


def series(fault: Fault) -> set[str]:
    """Return the beginnings of the series that show its alerts, at their worst."""
    return {
        f'monitor_alert{{system="{fault.system}",check="{one.check}",alert="{one.alert}",'
        f'severity="{one.severity}",state="firing"'
        for one in fault.shows
        if one.told
    }


@dataclass
class Demo:
    """What the demo printed: first, until a page was there, and until its end; and which alerts opened and ended.

    `owed`: the titles of what anybody was or will be told.
    """

    first: list[str] = field(default_factory=list)
    page: str = ""
    resolve: str = ""
    meant: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    world: str = ""
    deployed: bool = False
    owed: set[str] = field(default_factory=set)


async def demo(folder: Path) -> Demo:
    """Run `monitor demo`, break the shop by hand and heal it."""
    daemon = Monitor(folder, "", "demo", "--by-hand", "--world", "127.0.0.1:0")
    async with daemon, aiohttp.ClientSession() as session:
        await until(lambda: len(daemon.out) > 2, "its first lines")
        seen = Demo(first=daemon.out[:3])
        address = seen.first[0].split()[3]
        await until(lambda: daemon.shows(WELL), "well")
        await session.post(f"{address}/break")
        await until(lambda: "What to do" in daemon.out, "a printed page")
        seen.page = "\n".join(daemon.out)
        await session.post(f"{address}/heal")
        await until(lambda: any("Resolved" in line for line in daemon.out), "a printed resolve")
    seen.resolve = "\n".join(daemon.out).removeprefix(seen.page)
    return seen


async def faults(folder: Path) -> Demo:
    """Break everything by hand, in two waves, and heal it."""
    daemon = Monitor(folder, "", "demo", "--by-hand", "--world", "127.0.0.1:0")
    seen = Demo()
    async with daemon, aiohttp.ClientSession() as session:
        await until(lambda: len(daemon.out) > 2, "its first lines")
        address = daemon.out[0].split()[3]
        await until(lambda: watched(daemon), "enough runs to judge")
        for wave in WAVES:
            await happen(session, address, wave)
            meant = {one for fault in wave for one in series(fault)}
            seen.meant |= meant
            seen.opened |= await firing(daemon, meant)
            seen.deployed = seen.deployed or await daemon.shows(DEPLOYED) is not None
            async with session.post(f"{address}/heal") as answer:
                assert answer.status == 200
            seen.left |= await gone(daemon, meant)
        async with session.get(address) as answer:
            seen.world = await answer.text()
    seen.owed = {title for (title,) in daemon.stored("SELECT json_extract(body, '$.page.title') FROM notifications")}
    return seen


async def slowly(daemon: Monitor) -> str:
    """Return the page of metrics, not more often than anything on it changes."""
    await asyncio.sleep(LOOK)
    return await daemon.page()


async def watched(daemon: Monitor) -> bool:
    page = Monitor.read(await slowly(daemon))
    return WARM in page and page.get('monitor_probe_runs_total{system="shop",check="front"}', 0) >= RUNS


async def happen(session: aiohttp.ClientSession, address: str, wave: Iterable[Fault]) -> None:
    for fault in wave:
        async with session.post(f"{address}/break/{fault.name}") as answer:
            assert answer.status == 200


async def firing(daemon: Monitor, meant: set[str]) -> set[str]:
    """Wait until each of `meant` has been seen, were it for a moment; return which were."""
    seen: set[str] = set()

    async def all_of_them() -> bool:
        page = await slowly(daemon)
        seen.update(one for one in meant if f"\n{one}" in page)
        return seen == meant

    await until(all_of_them, f"every one of {len(meant)} alerts")
    return seen


async def gone(daemon: Monitor, meant: set[str]) -> set[str]:
    """Wait until none of `meant` is there; return those that are."""
    present = set(meant)

    async def none_of_them() -> bool:
        page = await slowly(daemon)
        present.intersection_update({one for one in meant if f"\n{one}" in page})
        return not present

    await until(none_of_them, f"an end of {present}")
    return present


@pytest.mark.story(tell=demo)
def test_the_demo_prints_a_page_and_its_end(told: Demo) -> None:
    """It says where its world is, and how to break the shop: that is one page, and healing it the end."""
    world, again, monitor = told.first
    assert world.startswith("The demo's world: http://127.0.0.1:")
    assert "curl -X POST http://127.0.0.1:" in again
    assert "http://127.0.0.1:" in monitor
    assert told.page.count("CRITICAL") == 1
    assert "CRITICAL: Demo shop: Front page: down, since" in told.page
    assert "1. See what the newest deploy changed." in told.page
    assert "Resolved after" in told.resolve
    assert "Demo shop: Front page: down" in told.resolve


@pytest.mark.story(tell=faults)
def test_each_fault_of_the_demo_opens_its_alerts_which_end_with_it(told: Demo) -> None:
    """At the severity that the script names; the deploy is noticed, and in the end all is well."""
    assert told.opened == told.meant
    assert len(told.meant) > 15
    assert not told.left
    assert told.deployed
    assert "All is well." in told.world


@pytest.mark.story(tell=faults)
def test_the_demo_tells_nobody_of_what_another_fault_explains(told: Demo) -> None:
    """What needs a database that is away, or a page that is down, is held back."""
    assert {"Demo shop: Front page: down", "Demo cash flow: Database: down"} <= told.owed
    held = {"Demo shop: Health: down", "Demo cash flow: Back end: down", "Demo cash flow: MCP server: down"}
    assert not held & told.owed


@pytest.mark.parametrize("where", ["8081", "localhost:", "127.0.0.1:http"])
async def test_what_is_no_address_is_a_fault_of_the_command(tmp_path: Path, where: str) -> None:
    ended = await command(tmp_path, "demo", "--world", where)
    assert ended.status == 2
    assert f"'{where}' is not an address such as 127.0.0.1:8081" in ended.err

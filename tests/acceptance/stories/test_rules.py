"""The demo and a real Prometheus with the rules that `monitor rules` wrote for it: both judge the same shop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.acceptance.forks import ROOT
from tests.acceptance.peers import until
from tests.acceptance.process import Monitor, command
from tests.peers import free_port
from tests.push.prometheus import Prometheus, prometheus

if TYPE_CHECKING:
    from pathlib import Path

FIRING = {
    "ours": 'monitor_alert{alert="down",state="firing",system="shop"}',
    "theirs": 'ALERTS{alertname="down",alertstate="firing",system="shop"}',
}
CHECKS = {"front", "health"}
WELL = 'monitor_probe_success{system="shop",check=~"front|health"} == 1'


async def broken_and_healed(folder: Path) -> list[set[str]]:
    """Break the shop until both say that its checks are down, heal it until neither does; return who did."""
    shop, listen = free_port(), free_port()
    url = f"http://127.0.0.1:{shop}"
    rules = await command(folder, "rules", "-c", str(ROOT / "monitor/demo/demo.yaml"), "--interval", "1s", DEMO_URL=url)
    assert rules.status == 0, rules.err
    (folder / "rules.yml").write_text(rules.out)
    options = ("demo", "--by-hand", "--world", f"127.0.0.1:{shop}")
    daemon = Monitor(folder, "", *options, MONITOR_LISTEN=f"127.0.0.1:{listen}")
    said: list[set[str]] = []
    async with daemon, prometheus(folder, listen, rules="rules.yml") as judging:
        await _name(judging, WELL, CHECKS)
        said.append(await judging_both(judging, set()))
        for act, down in (("break", CHECKS), ("heal", set[str]())):
            async with aiohttp.ClientSession() as session, session.post(f"{url}/{act}") as answer:
                assert answer.ok
            said.append(await judging_both(judging, down))
    return said


async def judging_both(judging: Prometheus, checks: set[str]) -> set[str]:
    """Return who fires for exactly `checks`, once both do."""
    return {who for who, query in FIRING.items() if await _name(judging, query, checks)}


async def _name(judging: Prometheus, query: str, checks: set[str]) -> bool:
    """Return once `query` names exactly `checks`."""

    async def so() -> bool:
        return {dict(labels)["check"] for labels in await judging.knows(query)} == checks

    return bool(await until(so, query))


@pytest.mark.story(tell=broken_and_healed)
def test_prometheus_fires_and_resolves_with_us(told: list[set[str]]) -> None:
    """Nothing before, both checks of the shop while it is broken, nothing once it is healed: in both."""
    assert told == [{"ours", "theirs"}] * 3

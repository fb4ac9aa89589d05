"""Uptime per month, of a system whose real probes were run and whose samples the real store has kept."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.archive import read_history
from monitor.chronicle import as_json, as_lines
from monitor.model import Change, State
from monitor.store import read_store
from tests.baseline.hours import whole_hour
from tests.store.files import leading
from tests.systems.bench import bench
from tests.systems.ecomdash import EcomDash

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers import Authority

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(("well", "failed"), [pytest.param(9, 3, id="ED-21")])
async def test_uptime_per_month_is_shown_and_reported(
    well: int, failed: int, authority: Authority, tmp_path: Path
) -> None:
    """Three of twelve runs of an hour failed: 15 min of the check are down, an eighth of the system's time."""
    async with bench(EcomDash, authority) as running:
        running.clock.skip(whole_hour(running.clock.now()) + HOUR - running.clock.now())
        begin = running.clock.now()
        await running.run("api", times=well - 2)
        running.stand_in.stops()
        assert (await running.run("api", times=failed)).state is State.DOWN
        running.stand_in.heal()
        await running.run("api", times=2)
        await running.run("ready", times=well + failed)
        now = running.clock.now() + 3 * HOUR
        store = await leading(tmp_path / "monitor.db")
        await store.write([Change(samples=tuple(running.kept), events=tuple(running.events))])
        await store.tidy(now)
        await store.close()
    reader = await read_store(tmp_path / "monitor.db")
    told = await read_history(reader, "ecomdash", begin - HOUR, now)
    await reader.close()
    month = f"uptime {begin:%Y-%m}"
    assert [line.split("%")[0].split() for line, _ in as_lines(told) if line.startswith(month)] == [
        [*month.split(), "ecomdash", "87.500"],
        [*month.split(), "ecomdash/api", "75.000"],
        [*month.split(), "ecomdash/ready", "100.000"],
    ]
    assert [one["ratio"] for one in json.loads(as_json(told))["uptime"]] == [0.875, 0.75, 1.0]
    (outage,) = told.incidents
    assert outage.resolved
    assert outage.lasted is not None
    assert outage.lasted < 5 * timedelta(minutes=1)

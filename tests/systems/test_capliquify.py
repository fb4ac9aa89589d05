"""CapLiquify: every line of its runbook that HTTP can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.model import State
from tests.systems.bench import bench
from tests.systems.capliquify import CapLiquify
from tests.systems.proof import CRITICAL, WARNING, Case, params, prove

if TYPE_CHECKING:
    from tests.peers import Authority

CASES = params(
    Case("CL-01", "backend", CapLiquify.loses_its_database, CRITICAL, 'got "disconnected"', "Look at PostgreSQL"),
    Case("CL-01", "backend", CapLiquify.is_degraded, CRITICAL, 'got "degraded"', "Rollback to the last good version"),
    Case("CL-01", "backend", CapLiquify.tells_no_uptime, CRITICAL, "expected a number at uptime", "Sentry"),
    Case("CL-01", "backend", CapLiquify.uses_up_its_rate_limit, CRITICAL, "RATE_LIMIT_MAX", "Sentry"),
    Case(
        "CL-02", "mcp", CapLiquify.mcp_loses_its_database, CRITICAL, "database.connected to be true", "own DATABASE_URL"
    ),
    Case("CL-02", "mcp", CapLiquify.mcp_stops, CRITICAL, "Render reaches no instance", "restart the service"),
    Case(
        "CL-03", "frontend", CapLiquify.front_end_is_empty, CRITICAL, "Site not found", "newest build of the front end"
    ),
    Case("CL-03", "frontend", CapLiquify.front_end_is_gone, CRITICAL, "got 404", "VITE_CLERK_PUBLISHABLE_KEY"),
)


@pytest.mark.parametrize("case", CASES)
async def test_requirement(case: Case, authority: Authority) -> None:
    """Told to the right people with the remedy when it fails, and to them again when it is over."""
    await prove(CapLiquify, authority, case)


@pytest.mark.parametrize("seconds", [pytest.param(0.52, id="CL-05")])
async def test_latency_as_seen_from_here(seconds: float, authority: Authority) -> None:
    """p95 over 300 ms for a minute warns, over 500 ms is critical; every duration is that of a real exchange."""
    async with bench(CapLiquify, authority) as running:
        await running.run("backend", times=22)
        running.stand_in.slows_down(seconds)
        assert (await running.run("backend", times=7)).state is State.UP
        assert running.told() == []
        await running.run("backend")
        running.assert_told("backend", WARNING, "slow", "warning > 300ms", "If they are high, scale out")
        await running.run("backend")
        running.assert_told("backend", CRITICAL, "slow", "critical > 500ms", "If they are high, scale out")
        running.stand_in.heal()
        await running.run("backend", times=45)
        ended = [message.channel for message in running.told() if "resolved" in message.headline.lower()]
        assert sorted(ended) == running.hears("backend", CRITICAL)

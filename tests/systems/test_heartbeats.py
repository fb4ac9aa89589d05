"""Jobs that report in: silent too long, failed, stuck; each told, and over once they succeed."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest

from monitor.model import State
from tests.systems.bench import bench
from tests.systems.capliquify import CapLiquify
from tests.systems.proof import CRITICAL, WARNING, prove_down, prove_figure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.model import Severity
    from tests.peers import Authority
    from tests.systems.bench import Bench

HOUR = timedelta(hours=1)
TOKEN = "tok_trial_0123456789"
JOB = "trial-expiration"


@dataclass
class Job:
    """The trial expiration job, as far as it is seen from here."""

    running: Bench[CapLiquify]
    url: str

    async def reports(self, rest: str = "", said: str = "") -> None:
        url = f"{self.url}/api/v1/heartbeats/capliquify/{JOB}{rest}"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with aiohttp.ClientSession(headers=headers) as session, session.post(url, data=said) as answer:
            assert (answer.status, await answer.text()) == (200, "ok\n")

    async def is_silent(self, hours: float) -> None:
        self.running.clock.skip(hours * HOUR)


@asynccontextmanager
async def capliquify(authority: Authority) -> AsyncIterator[tuple[Bench[CapLiquify], Job]]:
    async with (
        bench(CapLiquify, authority, CAPLIQUIFY_TRIAL_TOKEN=TOKEN) as running,
        running.listens() as url,
    ):
        yield running, Job(running, url)


@pytest.mark.parametrize(
    ("hours", "severity"),
    [pytest.param(26, WARNING, id="CL-15 warning"), pytest.param(50, CRITICAL, id="CL-15 critical")],
)
@pytest.mark.parametrize("ever", [True, False], ids=["reported", "never"])
async def test_silence(hours: int, severity: Severity, authority: Authority, *, ever: bool) -> None:
    """Also where the job has never reported since it is looked for."""
    async with capliquify(authority) as (running, job):
        if ever:
            await job.reports("/0")
        said = "last success" if ever else "(looked for since"
        await prove_figure(
            running, JOB, "silent", severity, lambda: job.is_silent(hours), job.reports, said, "run it by hand"
        )


@pytest.mark.parametrize("hours", [pytest.param(25.9, id="CL-15")])
async def test_silence_gets_worse(hours: float, authority: Authority) -> None:
    """Nobody is told before 26 h; then it is one alert, a warning that becomes critical."""
    async with capliquify(authority) as (running, job):
        await job.reports("/0")
        await job.is_silent(hours)
        assert (await running.run(JOB)).state is State.UP
        assert running.told() == []
        await job.is_silent(0.1)
        await running.run(JOB)
        running.assert_told(JOB, WARNING, "silent", "warning > 26h")
        await job.is_silent(24)
        await running.run(JOB)
        running.assert_told(JOB, CRITICAL, "silent", "critical > 50h")
        await job.reports("/0")
        assert (await running.run(JOB)).state is State.UP
        assert any("resolved" in message.headline.lower() for message in running.told())


@pytest.mark.parametrize("status", [pytest.param(22, id="CL-15 failed")])
async def test_failed(status: int, authority: Authority) -> None:
    """With its exit status, and the last line of what it said."""
    async with capliquify(authority) as (running, job):
        await job.reports("/0")

        async def fails() -> None:
            await job.reports(f"/{status}", "curl: (22) The requested URL returned error: 401\n")

        said = (f"it failed with exit status {status}", "returned error: 401", "Is CRON_SECRET the same")
        await prove_down(running, JOB, WARNING, fails, job.reports, *said)


@pytest.mark.parametrize("hours", [pytest.param(1.5, id="CL-15 stuck")])
async def test_stuck(hours: float, authority: Authority) -> None:
    async with capliquify(authority) as (running, job):
        await job.reports("/0?rid=one")

        async def hangs() -> None:
            await job.reports("/start?rid=two")
            await job.is_silent(hours)

        await prove_down(
            running, JOB, WARNING, hangs, lambda: job.reports("/0?rid=two"), "has not ended", "may take 1 h"
        )


@pytest.mark.parametrize("system", [pytest.param(CapLiquify, id="CL-15 off")])
async def test_off_without_a_token(system: type[CapLiquify], authority: Authority) -> None:
    async with bench(system, authority) as running:
        skipped = {each.name: each.reason for each in running.config.skipped}
        assert "is not set" in skipped[f"capliquify/{JOB}"]

"""Real Staging AI's Redis, and the list from which its worker takes jobs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.redis import server
from tests.systems.bench import bench
from tests.systems.proof import CRITICAL, WARNING, prove_down, prove_figure
from tests.systems.realstaging import RealStaging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.model import Severity
    from tests.peers import Authority
    from tests.redis import Server

QUEUE = "staging:jobs"


@pytest.fixture(scope="module")
def cache() -> Iterator[Server]:
    """Run a server of our own, since it is stopped."""
    with server() as running:
        yield running


@pytest.mark.parametrize("check", [pytest.param("redis", id="RS-03")])
async def test_redis_is_gone(check: str, cache: Server, authority: Authority) -> None:
    """No PONG is critical."""
    async with bench(RealStaging, authority, REALSTAGING_REDIS_URL=cache.url()) as running:

        async def stop() -> None:
            cache.stop()

        async def start() -> None:
            cache.start()

        await prove_down(running, check, CRITICAL, stop, start, "refused the connection", "No picture is staged")


@pytest.mark.parametrize(
    ("minutes", "severity"), [pytest.param(6, WARNING, id="RS-07 warning"), pytest.param(16, CRITICAL, id="RS-07")]
)
async def test_the_oldest_job(minutes: int, severity: Severity, cache: Server, authority: Authority) -> None:
    """Waits for over five minutes, over fifteen; its own words say since when."""
    settings = {"REALSTAGING_REDIS_URL": cache.url(), "REALSTAGING_QUEUE": QUEUE}
    async with bench(RealStaging, authority, **settings) as running:
        came = datetime.now(UTC) - timedelta(minutes=minutes)

        async def wait() -> None:
            cache.client().lpush(QUEUE, json.dumps({"image": 7, "enqueued_at": came.isoformat()}))

        async def drain() -> None:
            cache.client().delete(QUEUE)

        await prove_figure(running, "jobs", "oldest job", severity, wait, drain, "did it crash, or does it wait")


@pytest.mark.parametrize("threshold", [pytest.param("no worker", id="RS-07 worker")])
async def test_nobody_takes_a_job(threshold: str, cache: Server, authority: Authority) -> None:
    """The figure is that of how long the same job has been the next, by the server's clock."""
    settings = {"REALSTAGING_REDIS_URL": cache.url(), "REALSTAGING_QUEUE": QUEUE}
    async with bench(RealStaging, authority, **settings) as running:
        watched = running.plan("jobs").threshold(threshold)
        assert watched
        assert [(figure.severity, figure.text) for figure in watched.figures] == [(CRITICAL, "> 10m")]
        cache.client().lpush(QUEUE, json.dumps({"enqueued_at": datetime.now(UTC).isoformat()}))
        await running.run("jobs")
        sample = await running.run("jobs")
        assert [each.value > 0 for each in sample.measures if each.name == "stuck"] == [True]
        cache.client().delete(QUEUE)
        sample = await running.run("jobs")
        assert [each.value for each in sample.measures if each.name == "stuck"] == [0]

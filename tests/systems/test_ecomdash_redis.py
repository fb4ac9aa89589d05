"""EcomDash's Redis and its job queue: memory, evictions, hits; the oldest job, the worker, its slots and failures."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from arq.connections import RedisSettings

from tests.arq_worker import Worker, pool
from tests.redis import server
from tests.systems.bench import bench
from tests.systems.ecomdash import EcomDash
from tests.systems.proof import CRITICAL, INFO, WARNING, prove_down, prove_figure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from monitor.model import Severity
    from tests.peers import Authority
    from tests.redis import Server
    from tests.systems.bench import Bench

QUEUE, HEALTH = "arq:queue", "arq:queue:health-check"
HEALTHY = "Nov-21 09:00:00 j_complete=1 j_failed=0 j_retried=0 j_ongoing=0 queued=1"
PATIENCE = 20.0


@pytest.fixture(scope="module")
def cache() -> Iterator[Server]:
    """Run a server of our own, since its memory and its counters are what is looked at."""
    with server(maxmemory_policy="allkeys-lru") as running:
        yield running


@asynccontextmanager
async def ecomdash(cache: Server, authority: Authority, **settings: str) -> AsyncIterator[Bench[EcomDash]]:
    """Run EcomDash with an empty Redis."""
    cache.client().flushall()
    cache.client().config_set("maxmemory", 0)
    async with bench(EcomDash, authority, ECOMDASH_REDIS_URL=cache.url(), **settings) as running:
        yield running


def used_memory(cache: Server) -> int:
    told: Any = cache.client().info("memory")
    return int(told["used_memory"])


def said(cache: Server) -> str:
    """Return what the worker's health key says."""
    told: Any = cache.client().get(HEALTH)
    return told.decode() if told else ""


def enqueue(cache: Server, *ages: float) -> None:
    """Have jobs in the queue that have been due for so many seconds, as arq's keys say it."""
    now = time.time() * 1000
    cache.client().zadd(QUEUE, {f"job-{number}": now - 1000 * age for number, age in enumerate(ages)})


def starts(cache: Server, jobs: int) -> None:
    """Have the first `jobs` run."""
    for number in range(jobs):
        cache.client().psetex(f"arq:in-progress:job-{number}", 310_000, 1)


@pytest.mark.parametrize("check", [pytest.param("redis", id="ED-07 gone")])
async def test_redis_is_gone(check: str, cache: Server, authority: Authority) -> None:
    """No PONG is critical."""
    async with ecomdash(cache, authority) as running:

        async def stop() -> None:
            cache.stop()

        async def start() -> None:
            cache.start()

        await prove_down(running, check, CRITICAL, stop, start, "refused the connection", "No job runs")


@pytest.mark.parametrize(
    ("megabytes", "severity"),
    [pytest.param(21, WARNING, id="ED-07 warning"), pytest.param(24, CRITICAL, id="ED-07 critical")],
)
async def test_memory(megabytes: int, severity: Severity, cache: Server, authority: Authority) -> None:
    """80 % and 90 % of the 25 MB of the free plan."""
    async with ecomdash(cache, authority) as running:

        async def fill() -> None:
            cache.client().set("results", b"x" * (megabytes * 1_000_000 - used_memory(cache)))

        async def empty() -> None:
            cache.client().flushall()

        await prove_figure(running, "redis", "memory", severity, fill, empty, "keep_result")


@pytest.mark.parametrize("keys", [pytest.param(200, id="ED-07 evictions")])
async def test_evictions(keys: int, cache: Server, authority: Authority) -> None:
    """Any eviction warns, since it may have been a job."""
    async with ecomdash(cache, authority) as running:

        async def overfill() -> None:
            client = cache.client()
            client.config_set("maxmemory", used_memory(cache) + 100_000)
            for number in range(keys):
                client.set(f"key-{number}", b"x" * 2_000)
            client.config_set("maxmemory", 0)

        async def nothing() -> None:
            """Let the five minutes pass."""

        await prove_figure(running, "redis", "evictions", WARNING, overfill, nothing, "that does not drain")


@pytest.mark.parametrize("misses", [pytest.param(50, id="ED-33")])
async def test_cache_hits(misses: int, cache: Server, authority: Authority) -> None:
    """Under 90 % of hits over an hour are told for information."""
    async with ecomdash(cache, authority) as running:
        client = cache.client()
        client.set("dashboard", "1")
        await running.run("redis")
        for _ in range(misses):
            client.get("nothing")
        await running.run("redis")
        running.assert_told("redis", INFO, "cache hits", "time to live")
        for _ in range(122):
            client.get("dashboard")
            await running.run("redis")
        running.assert_resolved("redis", INFO)


@pytest.mark.parametrize(
    ("seconds", "severity"),
    [pytest.param(6 * 60, WARNING, id="ED-05 warning"), pytest.param(16 * 60, CRITICAL, id="ED-05 critical")],
)
async def test_the_oldest_job(seconds: int, severity: Severity, cache: Server, authority: Authority) -> None:
    """Waits for over five minutes, over fifteen."""
    async with ecomdash(cache, authority) as running:
        cache.client().psetex(HEALTH, 3_600_000, HEALTHY)

        async def wait() -> None:
            enqueue(cache, seconds)

        async def drain() -> None:
            cache.client().delete(QUEUE)

        await prove_figure(running, "jobs", "oldest job", severity, wait, drain, "render logs ecomdash-worker")


@pytest.mark.parametrize("jobs", [pytest.param(10, id="ED-06 slots")])
async def test_all_slots_are_busy(jobs: int, cache: Server, authority: Authority) -> None:
    """All ten for ten minutes warn; nine do not."""
    async with ecomdash(cache, authority) as running:
        enqueue(cache, *[1.0] * jobs)
        starts(cache, jobs - 1)
        await running.run("jobs", times=25)
        assert "all slots busy" not in " ".join(message.text for message in running.told())
        starts(cache, jobs)
        await running.run("jobs", times=21)
        assert any("all slots busy" in message.text for message in running.told())
        cache.client().delete(QUEUE, *(f"arq:in-progress:job-{number}" for number in range(jobs)))
        await running.run("jobs", times=25)
        assert any("resolved" in message.headline.lower() for message in running.told())


@asynccontextmanager
async def worker(cache: Server, **settings: Any) -> AsyncIterator[Worker]:  # noqa: ANN401 - any setting of arq
    """Run the real worker."""
    made = Worker(RedisSettings(port=cache.port), health_check_interval=1, poll_delay=0.05, **settings)
    try:
        yield made
    finally:
        await made.kill()


@pytest.mark.parametrize("tries", [pytest.param(3, id="ED-31")])
async def test_a_job_that_failed_for_good(tries: int, cache: Server, authority: Authority) -> None:
    """The real worker gives a job up after its tries: a warning, over once fifteen minutes have passed."""
    async with (
        ecomdash(cache, authority, ECOMDASH_WORKER_HEALTH_CHECK_INTERVAL="1s") as running,
        worker(cache, max_tries=tries),
        pool(RedisSettings(port=cache.port)) as jobs,
    ):
        await _until(cache, "j_complete")
        await running.run("jobs", times=2)
        await jobs.enqueue_job("gives_up")
        await _until(cache, "j_failed=1")
        await running.run("jobs")
        running.assert_told("jobs", WARNING, "failed jobs", "ask for the job again")
        for _ in range(32):
            await running.run("jobs")
        running.assert_resolved("jobs", WARNING)


async def _until(cache: Server, words: str) -> None:
    """Return when the worker's health key says so."""
    async with asyncio.timeout(PATIENCE):
        while words not in said(cache):  # noqa: ASYNC110 - another process is waited for
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("check", [pytest.param("jobs", id="ED-06 worker")])
async def test_no_worker(check: str, cache: Server, authority: Authority) -> None:
    """The real worker dies while a job waits: critical after two minutes, over when another one has come."""
    settings = {"ECOMDASH_WORKER_HEALTH_CHECK_INTERVAL": "1s", "ECOMDASH_WORKER_GRACE": "1s"}
    async with ecomdash(cache, authority, **settings) as running:
        async with worker(cache):
            await _until(cache, "j_complete")
            await running.run(check, times=2)
        enqueue(cache, 1.0)
        async with asyncio.timeout(PATIENCE):
            while await _alive(running):  # noqa: ASYNC110 - a key of Redis is waited for
                await asyncio.sleep(0.2)
        assert running.told() == []
        await running.run(check, times=5)
        running.assert_told(check, CRITICAL, "no worker", "Restart it in Render")
        cache.client().delete(QUEUE)
        async with worker(cache):
            await _until(cache, "j_complete")
            await running.run(check, times=8)
            running.assert_resolved(check, CRITICAL)


async def _alive(running: Bench[EcomDash]) -> float:
    sample = await running.run("jobs")
    return next((each.value for each in sample.measures if each.name == "worker_alive"), 1.0)


@pytest.mark.parametrize("limit", [pytest.param(300, id="ED-06 limit")])
async def test_a_job_over_its_limit(limit: int, cache: Server, authority: Authority) -> None:
    """It runs longer than 300 s: its key has less left than the ten seconds that arq adds to the limit."""
    async with ecomdash(cache, authority) as running:
        cache.client().psetex(HEALTH, 3_600_000, HEALTHY)
        await running.run("jobs", times=2)
        enqueue(cache, limit + 5.0)
        cache.client().psetex("arq:in-progress:job-0", 5_000, 1)
        await running.run("jobs")
        running.assert_told("jobs", WARNING, "jobs over their limit", "longer than its 300 s")
        cache.client().delete(QUEUE, "arq:in-progress:job-0")
        await running.run("jobs", times=2)
        running.assert_resolved("jobs", WARNING)

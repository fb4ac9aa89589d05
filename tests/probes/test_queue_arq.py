"""The kind `queue` beside the real worker of arq, a process of its own that is stopped, killed and replaced."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from arq.connections import RedisSettings

from monitor.clock import SystemClock
from monitor.model import CheckId, State
from monitor.probes.base import Resources, observe
from monitor.probes.queue import QueueCheck
from tests.acceptance.peers import until
from tests.arq_worker import Worker, pool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from redis import Redis

    from tests.redis import Server

CHECK = CheckId("shop", "jobs")
PATIENCE = 40
KEY = "arq:queue:health-check"


class Desk:
    """A queue, its workers, and what the check says of them."""

    def __init__(self, resources: Resources, client: Redis, settings: RedisSettings) -> None:
        self.client = client
        self.settings = settings
        self.grace = "1s"
        self._resources = resources

    async def look(self) -> dict[str, float]:
        """Return the measures of one run."""
        url = f"redis://{self.settings.host}:{self.settings.port}/{self.settings.database}"
        fields = {"url": url, "health_check_interval": "1s", "grace": self.grace, "max_jobs": 2, "timeout": "20s"}
        check = QueueCheck.model_validate(fields)
        sample = await observe(CHECK, check, self._resources, SystemClock())
        assert sample.state is State.UP, sample.detail
        return {measure.name: measure.value for measure in sample.measures if not measure.labels}

    async def sees(self, what: str, condition: Callable[[dict[str, float]], bool]) -> dict[str, float]:
        """Look until `condition` holds, and return what was seen then."""

        async def seen() -> dict[str, float] | None:
            found = await self.look()
            return found if condition(found) else None

        found: dict[str, float] = await until(seen, what, PATIENCE)
        return found

    async def enqueue(self, *job: object) -> None:
        """Put a job into the queue, as an application does."""
        name, *arguments = job
        async with pool(self.settings) as arq:
            assert await arq.enqueue_job(str(name), *arguments)

    @asynccontextmanager
    async def worker(self, **settings: object) -> AsyncIterator[Worker]:
        """Run a worker of two jobs at once until the block ends."""
        worker = Worker(self.settings, **{"max_jobs": 2, "health_check_interval": 1, "poll_delay": 0.1, **settings})
        try:
            yield worker
        finally:
            await worker.kill()


@pytest.fixture
def desk(resources: Resources, redis: Server) -> Iterator[Desk]:
    database = redis.own()
    with redis.client(database) as client:
        yield Desk(resources, client, RedisSettings(host="127.0.0.1", port=redis.port, database=database))


async def test_a_worker_is_followed_from_its_first_job_to_its_death(desk: Desk) -> None:
    for _ in range(3):
        await desk.enqueue("sleeps", 3_600)
    before = await desk.look()
    assert (before["due"], before["waiting"], before["running"]) == (3, 3, 0)
    assert "worker_alive" not in before
    async with desk.worker() as worker:
        busy = await desk.sees("a worker", lambda found: found.get("worker_alive") == 1 and found["running"] == 2)
        assert (busy["due"], busy["waiting"], busy["busy_share"]) == (3, 1, 1)
        assert busy["worker_seen"] <= 2
        assert 0 <= busy["longest_running"] < PATIENCE
        assert (busy["over_limit"], busy["stuck"]) == (0, 0)
        await worker.kill()
    dead = await desk.sees("its death", lambda found: found["worker_alive"] == 0)
    assert desk.client.exists(KEY) == 0
    assert (dead["running"], dead["waiting"], dead["over_limit"]) == (2, 1, 0)
    for key in desk.client.scan_iter("arq:in-progress:*"):
        desk.client.pexpire(key, 1)  # five minutes later
    # One look asks for the keys and for the jobs in turn: a key may end in between.
    lost = await desk.sees("the end of the keys", lambda found: (found["running"], found["waiting"]) == (0, 3))
    assert lost["busy_share"] == 0
    async with desk.worker():
        await desk.sees("another worker", lambda found: found["worker_alive"] == 1 and found["running"] == 2)


async def test_jobs_that_fail_and_that_give_up_after_three_tries_are_counted(desk: Desk) -> None:
    async with desk.worker(max_tries=3):
        await desk.sees("a worker", lambda found: found.get("worker_alive") == 1)
        await desk.enqueue("fails")
        await desk.enqueue("gives_up")
        await desk.enqueue("sleeps", 0)
        found = await desk.sees("the end of all", lambda found: found["complete"] == 1 and found["failed"] == 2)
    assert (found["retried"], found["length"], found["oldest_waiting"]) == (3, 0, 0)


async def test_a_job_that_waits_for_its_time_is_deferred(desk: Desk) -> None:
    async with pool(desk.settings) as arq:
        await arq.enqueue_job("sleeps", 0, _defer_by=3_600)
    async with desk.worker():
        found = await desk.sees("a worker", lambda found: found.get("worker_alive") == 1)
    assert (found["length"], found["due"], found["deferred"], found["waiting"]) == (1, 0, 1, 0)


async def test_in_a_rolling_restart_the_key_vanishes_and_nobody_is_taken_for_gone(desk: Desk) -> None:
    """The worker that stays renews it at its next turn."""
    desk.grace = "1m"
    async with desk.worker() as old, desk.worker() as new:
        await desk.sees("workers", lambda found: found.get("worker_alive") == 1)
        await desk.enqueue("sleeps", 3_600)
        await desk.enqueue("sleeps", 3_600)
        await desk.enqueue("sleeps", 3_600)
        await desk.sees("both at work", lambda found: found["running"] == 3)
        new.pause()
        await old.stop()
        desk.client.delete(KEY)  # as it did itself, unless a renewal of the other's was still on its way
        assert (await desk.look())["worker_alive"] == 1
        new.resume()
        verdicts = set()

        async def renewed() -> bool:
            verdicts.add((await desk.look())["worker_alive"])
            return bool(desk.client.exists(KEY))

        await until(renewed, "a renewal", PATIENCE)
        assert verdicts == {1}

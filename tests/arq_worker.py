"""A worker of arq, as a process: the real one, with jobs that do as they are told."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arq import Retry
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.worker import run_worker

import monitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(monitor.__file__).parent.parent
PATIENCE = 20.0


async def sleeps(_: dict[str, Any], seconds: float) -> None:
    """Take so long."""
    await asyncio.sleep(seconds)


async def fails(_: dict[str, Any]) -> None:
    """Fail, as a try that will not be repeated."""
    raise ValueError


async def gives_up(_: dict[str, Any]) -> None:
    """Ask to be tried again at once, for ever."""
    raise Retry(defer=0)


class Worker:
    """A process that works on a queue; `settings` are those of `arq.Worker`."""

    def __init__(self, redis: RedisSettings, **settings: Any) -> None:  # noqa: ANN401 - any setting
        address = {"host": redis.host, "port": redis.port, "database": redis.database}
        command = [sys.executable, "-m", "tests.arq_worker", json.dumps(address), json.dumps(settings)]
        self._running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    async def stop(self) -> None:
        """Stop it in good order: it gives its jobs back and deletes its key."""
        self._running.terminate()
        await self._ended()

    async def kill(self) -> None:
        """End it as a lack of memory does."""
        self._running.kill()
        await self._ended()

    def pause(self) -> None:
        """Let it stand still, so that nothing changes meanwhile."""
        self._running.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._running.send_signal(signal.SIGCONT)

    async def _ended(self) -> None:
        await asyncio.wait_for(asyncio.to_thread(self._running.wait), PATIENCE)


@asynccontextmanager
async def pool(redis: RedisSettings) -> AsyncIterator[ArqRedis]:
    """Yield what enqueues jobs."""
    made = await create_pool(redis)
    try:
        yield made
    finally:
        await made.aclose()


if __name__ == "__main__":
    logging.disable()
    run_worker(
        {"functions": [sleeps, fails, gives_up], **json.loads(sys.argv[2])},
        redis_settings=RedisSettings(**json.loads(sys.argv[1])),
    )

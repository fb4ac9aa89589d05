from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from monitor.trial.clock import VirtualClock
from tests.fakes import START

SECOND = timedelta(seconds=1)


async def test_whoever_waits_for_a_moment_runs_when_the_clock_is_moved_there() -> None:
    clock = VirtualClock(START)
    seen: list[timedelta] = []

    async def wait(seconds: int) -> None:
        await clock.sleep_until(START + seconds * SECOND)
        await asyncio.sleep(0)  # a task may take several turns
        seen.append(clock.now() - START)

    tasks = [asyncio.create_task(wait(seconds)) for seconds in (3, 1, 2, 0)]
    await clock.settle()
    assert seen == [0 * SECOND]
    await clock.move(START + 2 * SECOND)
    assert seen == [0 * SECOND, 2 * SECOND, 2 * SECOND]
    await clock.move(START + 5 * SECOND, wake=False)
    assert len(seen) == 3
    await clock.move(START + SECOND)
    assert (seen[3:], clock.now(), clock.wall()) == ([5 * SECOND], START + 5 * SECOND, START + 5 * SECOND)
    await asyncio.gather(*tasks)


async def test_a_task_that_waits_for_anything_else_is_an_error_and_no_hang() -> None:
    clock = VirtualClock(START)
    task = asyncio.create_task(asyncio.Event().wait())
    with pytest.raises(RuntimeError, match="more than the clock"):
        await clock.move(START + SECOND)
    task.cancel()


async def test_a_sleeper_that_is_cancelled_is_forgotten() -> None:
    clock = VirtualClock(START)
    task = asyncio.create_task(clock.sleep_until(START + SECOND))
    await clock.settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await clock.move(START + 2 * SECOND)
    assert clock.now() == START + 2 * SECOND

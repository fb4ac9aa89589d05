"""Who leads, asked of a store that answers, refuses and goes away."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from monitor.leadership import Leadership
from monitor.store import LeaseLost, StoreUnavailable
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable

SECOND = timedelta(seconds=1)


@dataclass
class Lease:
    """A store that answers with `says`: whether we lead, or that it is away."""

    says: bool | None
    owner: str = "host, process 7"
    asked: int = 0
    resigned: list[bool] = field(default_factory=list)

    async def lead(self) -> bool:
        self.asked += 1
        if self.says is None:
            raise StoreUnavailable("away")
        return self.says

    async def resign(self) -> None:
        self.resigned.append(self.says is not None)
        if self.says is None:
            raise StoreUnavailable("away")


async def after(clock: FakeClock, task: asyncio.Task[None], seconds: float) -> bool:
    """Return whether `task` ended within so many seconds."""
    await clock.advance(timedelta(seconds=seconds))
    return task.done()


async def gaining(lease: Lease, script: Callable[[FakeClock, asyncio.Task[None], Leadership], object]) -> None:
    clock = FakeClock()
    leadership = Leadership(lease, clock)
    task = asyncio.create_task(leadership.gain())
    await clock.settle()
    try:
        await script(clock, task, leadership)  # type: ignore[misc]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_free_lease_is_ours_at_once() -> None:
    async def script(_: FakeClock, task: asyncio.Task[None], leadership: Leadership) -> None:
        assert task.done()
        assert leadership.leads
        assert leadership.reached

    await gaining(Lease(says=True), script)


async def test_whoever_waits_takes_over_within_a_second() -> None:
    """And says once whom it waits for."""
    lease = Lease(says=False)

    async def script(clock: FakeClock, task: asyncio.Task[None], leadership: Leadership) -> None:
        assert not await after(clock, task, 3_600)
        assert leadership.reached
        assert not leadership.leads
        lease.says = True
        assert await after(clock, task, 1)
        assert leadership.leads

    with capture_logs() as logs:
        await gaining(lease, script)
    assert [line["why"] for line in logs] == ["host, process 7 leads", ""]


async def test_whoever_never_reached_the_store_goes_on_alone_after_a_minute() -> None:
    async def script(clock: FakeClock, task: asyncio.Task[None], leadership: Leadership) -> None:
        assert not await after(clock, task, 59)
        assert await after(clock, task, 2)
        assert leadership.leads
        assert not leadership.reached

    await gaining(Lease(says=None), script)


async def test_whoever_saw_another_lead_waits_however_long_the_store_is_away() -> None:
    """That other one goes on from memory; two would page twice."""
    lease = Lease(says=False)

    async def script(clock: FakeClock, task: asyncio.Task[None], _: Leadership) -> None:
        await clock.advance(SECOND)
        lease.says = None
        assert not await after(clock, task, 3_600)

    await gaining(lease, script)


async def test_the_lease_is_renewed_long_before_it_ends_and_an_outage_does_not_end_it() -> None:
    lease, clock = Lease(says=True), FakeClock()
    leadership = Leadership(lease, clock)
    await leadership.gain()
    task = asyncio.create_task(leadership.keep())
    await clock.advance(10 * SECOND)
    assert lease.asked >= 4
    lease.says = None
    assert not await after(clock, task, 60)
    assert leadership.leads
    lease.says = True
    assert not await after(clock, task, 60)
    lease.says = False
    assert await after(clock, task, 3)
    with pytest.raises(LeaseLost):
        await task
    assert not leadership.leads


@pytest.mark.parametrize("says", [True, None], ids=["there", "away"])
async def test_resigning_never_fails(says: bool | None) -> None:
    """Without a store the lease runs out by itself."""
    lease = Lease(says=True)
    leadership = Leadership(lease, FakeClock())
    await leadership.gain()
    lease.says = says
    await leadership.resign()
    assert lease.resigned == [says is not None]
    assert not leadership.leads

"""A clock that is moved by hand, and knows when everybody waits for it again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

MOST_ROUNDS = 10_000


class VirtualClock:
    """Stands still until `move`. Must be made where the event loop runs: what ran before is none of its business."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._sleeping: dict[asyncio.Task[object], tuple[datetime, asyncio.Future[None]]] = {}
        self._others = asyncio.all_tasks()

    def now(self) -> datetime:
        """Return the moment to which it was moved last."""
        return self._now

    def wall(self) -> datetime:
        """Return the same."""
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        """Return once the clock was moved to `moment` or beyond."""
        task = asyncio.current_task()
        if moment <= self._now or task is None:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleeping[task] = (moment, woken)
        try:
            await woken
        finally:
            self._sleeping.pop(task, None)

    async def move(self, moment: datetime, *, wake: bool = True) -> None:
        """Move on to `moment`. With `wake`, whoever waits for it or for an earlier one runs until all wait again."""
        self._now = max(self._now, moment)
        if not wake:
            return
        for task, (wanted, woken) in list(self._sleeping.items()):
            if wanted <= self._now and not woken.done():
                self._sleeping.pop(task)
                woken.set_result(None)
        await self.settle()

    async def settle(self) -> None:
        """Let every task run that was begun since this clock was made, until all of them wait for it."""
        for _ in range(MOST_ROUNDS):
            await asyncio.sleep(0)
            if not asyncio.all_tasks() - self._others - self._sleeping.keys():
                return
        raise RuntimeError("something waits for more than the clock")

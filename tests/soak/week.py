"""A week, or a part of one: runs the script of a seed on the virtual clock and returns the ledger."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.soak.assembly import Process
from tests.soak.ledger import Ledger, judge
from tests.soak.loop import VirtualLoop
from tests.soak.script import CALM, MINUTE, Death, Reload, draw
from tests.soak.world import World

if TYPE_CHECKING:
    from monitor.model import CheckId
    from tests.soak.script import Script

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of a random name is made in it
"""Where files cost no disk, which is half of the time: this soak kills processes, not machines."""
NEVER_THERE = 5 * MINUTE
"""After so long a kill no longer waits for its seam."""


def week(seed: int, days: float, pace: float = 1.0) -> Ledger:
    """Run the script of `seed`."""
    where = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=where) as folder, asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        return runner.run(_Week(loop, draw(seed, days, pace), Path(folder)).run())


class _Week:
    """One run of a script, process after process on one store."""

    def __init__(self, loop: VirtualLoop, script: Script, folder: Path) -> None:
        self.world = World(loop, script)
        self._path = folder / "monitor.db"
        self._without: frozenset[CheckId] = frozenset()
        self._number = 0

    async def run(self) -> Ledger:
        """Do what the script says, then let it be calm, and judge."""
        process, running = self._start()
        for act in self.world.script.acts:
            await self._until(act.at, running)
            if isinstance(act, Reload):
                self._without = act.without
                process.configure(act.without)
                continue
            await self._end(process, running, act)
            await asyncio.sleep(act.pause)
            process, running = self._start()
        await self._until(self.world.script.end + CALM, running)
        await self._end(process, running, Death(self.world.now, 0))
        return await judge(self.world, self._path, len(asyncio.all_tasks()) - 1)

    def _start(self) -> tuple[Process, asyncio.Task[None]]:
        self._number += 1
        self.world.lives.append((self.world.now, float("inf")))
        process = Process(self.world, self._path, self._number, self._without)
        return process, asyncio.create_task(process.run())

    async def _until(self, moment: float, running: asyncio.Task[None]) -> None:
        """Wait until `moment`; raise what the process ends with, if it ends."""
        left = moment - self.world.now
        if left > 0:
            await asyncio.wait({running}, timeout=left)
        if running.done():
            running.result()

    async def _end(self, process: Process, running: asyncio.Task[None], death: Death) -> None:
        world = self.world
        if death.seam:
            world.struck.clear()
            world.strike = (death.seam, death.turns)
            with suppress(TimeoutError):
                async with asyncio.timeout(NEVER_THERE):
                    await world.struck.wait()
            world.strike = None
            process.outside.die()
            await process.close()
        else:
            await process.stop()
        world.lives[-1] = (world.lives[-1][0], world.now)
        for belief in world.beliefs.values():
            belief.die(world.now)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others if death.seam else {running}:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

"""`python -m tests.soak.real --minutes 30 --seed 1 --store sqlite`: real daemons, real faults; 1 if a page is lost."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.soak.real.books import Books, Outage
from tests.soak.real.fleet import fleet, home
from tests.soak.real.street import CHANNELS, TARGETS, street

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tests.soak.real.fleet import Fleet
    from tests.soak.real.street import Street

CALM = 75.0
"""Seconds at the end in which everything is well, so that what was collected or put off arrives."""
QUIET = 1 / 3
"""The last part of the run, in which no process ends: memory is measured there."""
OVERLAP = 15.0
MOODS = ("refuses", "hangs", "slow", "deaf", "shut")


@dataclass
class Trouble:
    """Breaks things at random until `until`; processes and the store only until `quiet`."""

    chance: random.Random
    street: Street
    fleet: Fleet
    books: Books
    quiet: float
    until: float

    async def all(self) -> None:
        """Let every kind of trouble run beside the others."""
        kinds: list[Coroutine[None, None, None]] = [self._target(name) for name in TARGETS]
        kinds += [self._channel(name) for name in CHANNELS]
        async with asyncio.TaskGroup() as group:
            for kind in (*kinds, self._process(), self._store()):
                group.create_task(kind)

    async def _target(self, name: str) -> None:
        while await self._rest(5, 40, self.until):
            begun = time.time()
            self.street.broken.add(name)
            self.books.injected[f"target {'slow' if name == 'slow' else 'down'}"] += 1
            await self._last(0.5, 60)
            self.street.broken.discard(name)
            self.books.outages.append(Outage(name, begun, time.time()))

    async def _channel(self, name: str) -> None:
        while await self._rest(20, 60, self.until):
            mood = self.chance.choice(MOODS)
            self.books.injected[f"channel {mood}"] += 1
            self.street.moods[name] = mood
            if mood == "shut":
                await self.street.shut(name)
            await self._last(2, 40)
            self.street.moods.pop(name)
            await self.street.open(name)

    async def _process(self) -> None:
        while await self._rest(10, 45, self.quiet):
            kind = self.chance.choice(("kill", "kill", "deploy", "freeze"))
            self.books.injected[kind] += 1
            begun = time.time()
            match kind:
                case "kill":
                    await self.fleet.kill()
                case "deploy":
                    await self.fleet.deploy(OVERLAP)
                case _:
                    await self.fleet.freeze(self.chance.uniform(1, 12))
                    self.books.disturbed.append((begun, time.time()))

    async def _store(self) -> None:
        store = self.fleet.store
        while await self._rest(30, 80, self.quiet):
            how = self.chance.choice(store.hows)
            self.books.injected[f"store {how}"] += 1
            begun = time.time()
            await asyncio.to_thread(store.away, how) if store.together else store.away(how)
            await self._last(3, 40)
            await asyncio.to_thread(store.back) if store.together else store.back()
            self.books.away.append((begun, time.time() + 16))

    async def _rest(self, least: float, most: float, until: float) -> bool:
        """Wait a while; return whether there is time for more."""
        await asyncio.sleep(min(self.chance.uniform(least, most), max(until - time.time(), 0)))
        return time.time() < until

    async def _last(self, least: float, most: float) -> None:
        """Let it last a while, short ones more often than long ones."""
        await asyncio.sleep(least * (most / least) ** self.chance.random())


async def soak(minutes: float, seed: int, store: str) -> Books:
    """Run for so long, and return the books."""
    began, books = time.time(), Books(store)
    quiet, until = began + 60 * minutes * (1 - QUIET), began + 60 * minutes - CALM
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        where = stack.enter_context(home(store, folder))
        around = await stack.enter_async_context(street())
        running = await stack.enter_async_context(fleet(folder, around, where))
        await Trouble(random.Random(seed), around, running, books, quiet, until).all()
        await asyncio.sleep(max(began + 60 * minutes - time.time(), CALM))
        books.judge(running, around, quiet + 60)
        await running.end(running.newest)
    sys.stdout.write(f"seed {seed}, {store}, {minutes:g} min: {books.show(len(around.heard), around.refused)}\n")
    return books


def main() -> None:
    """Run, print the ledger, and exit 1 when it does not balance."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.real", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    given = parser.parse_args()
    if not asyncio.run(soak(given.minutes, given.seed, given.store)).balanced:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

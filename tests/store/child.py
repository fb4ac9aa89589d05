"""A process that kills its children while they write; run by `test_killed`.

Arguments: the store's path, a file for what was acknowledged, and one death for each child, one after the other:
`before 3` or `after 3`, the third statement or commit; `open 0.1`, seconds after the store was opened; `made 0.001`,
seconds after its file appeared. Each child first checks what its forerunner left, then writes one numbered change after
the other. Children are forked before there is any thread or loop, which spares each of them a second of imports.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monitor.model import Severity
from monitor.store import StoreUnavailable
from monitor.store.connection import OwnFile
from tests.fakes import START
from tests.store.files import leading
from tests.store.values import BEGINNING, HOUR, SECOND, SITE, step

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.store import Store

OPENED = "open"


def die_at(number: int, *, before: bool) -> None:
    """Let the process die before or after a statement or commit, counted from here."""
    left = number

    def mortal(act: Any) -> Any:  # noqa: ANN401 - any method of a connection
        def counted(self: OwnFile, *args: Any) -> Any:  # noqa: ANN401 - as the method
            nonlocal left
            left -= 1
            if before and not left:
                os.kill(os.getpid(), signal.SIGKILL)
            result = act(self, *args)
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return counted

    for name in ("execute", "executemany", "commit"):
        setattr(OwnFile, name, mortal(getattr(OwnFile, name)))


def acknowledged(out: Path) -> int:
    """Return how many changes were acknowledged so far."""
    return sum(line != OPENED for line in out.read_text().split()) if out.exists() else 0


async def whole(store: Store, at_least: int) -> int:
    """Check that the first changes are there, at least so many, each of them wholly; return how many."""
    owed = await store.owed()
    count = len(owed)
    assert count >= at_least, f"{at_least} were acknowledged, {count} are there"
    assert [found.notification for found in owed] == [step(number).owed[0] for number in range(count)]
    assert all(found.attempts == 1 for found in owed)
    events = await store.journal(BEGINNING, limit=10**6)
    assert events[::-1] == [step(number).events[0] for number in range(count)]
    alerts = [found.levels[Severity.CRITICAL].count for found in await store.alerts()]
    assert alerts == ([count - 1] if count else [])
    samples = await store.samples(SITE, BEGINNING)
    assert samples == [step(number).samples[0] for number in range(count - len(samples), count)]
    await store.tidy(START + 2 * HOUR + count * SECOND)
    hours = await store.hours(SITE, BEGINNING)
    assert sum(hour.up for hour in hours if hour.at == START) == min(count, 3_600)
    return count


async def opened(path: Path) -> Store:
    """Open the store; the one that was killed may not have let go yet."""
    while True:
        try:
            return await leading(path)
        except StoreUnavailable:
            await asyncio.sleep(0.05)


async def write(path: Path, out: Path, kind: str, when: str) -> None:
    """Write for ever, tidying up now and then."""
    store = await opened(path)
    number = await whole(store, acknowledged(out))
    with out.open("a") as file:
        print(OPENED, file=file, flush=True)
        if kind in {"before", "after"}:
            die_at(int(when), before=kind == "before")
        while True:
            await store.write([step(number)])
            print(number, file=file, flush=True)
            number += 1
            if number % 20 == 0:
                await store.tidy(START + 2 * HOUR + number * SECOND)


def openings(out: Path) -> int:
    """Return how often the store was opened so far."""
    return out.read_text().count(OPENED) if out.exists() else 0


def kill(child: int, reached: Callable[[], bool], delay: float) -> None:
    """Kill a child so long after a moment was `reached`; end it otherwise if that does not come."""
    late = time.monotonic() + 20
    while not reached():
        time.sleep(0.000_2)
        if time.monotonic() > late:
            os.kill(child, signal.SIGTERM)
            return
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)


def main(path: Path, out: Path, deaths: list[str]) -> int:
    """Run one child for each death; return 0 if all died as they should."""
    for death in deaths:
        kind, when = death.split()
        before = openings(out)
        child = os.fork()
        if not child:
            asyncio.run(write(path, out, kind, when))
        if kind == "open":
            kill(child, lambda before=before: openings(out) > before, float(when))  # type: ignore[misc]
        elif kind == "made":
            kill(child, path.exists, float(when))
        _, status = os.waitpid(child, 0)
        if not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))

"""Time that passes as fast as there is nothing to do: an event loop that jumps to the next timer, and clocks on it.

Only a thread (SQLite's) has to be waited for: whoever calls it says so with `busy`, and time stands still meanwhile.
"""

from __future__ import annotations

import asyncio
import selectors
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from monitor.clock import EPOCH, LONGEST_NAP, SteadyTime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = datetime(2026, 1, 5, tzinfo=UTC)
PATIENCE = 60.0
"""Real seconds that a thread may need for one thing."""
GRAIN = 1e-9
SECOND = timedelta(seconds=1)


class _Jumping(selectors.DefaultSelector):
    """Never waits: lets time jump instead. What a thread does is waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.busy = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.busy:
            events = super().select(0 if timeout == 0 else PATIENCE)
            assert events or timeout == 0, "a thread does not come to an end"
            return events
        if timeout is None:
            return super().select(PATIENCE)
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose seconds cost nothing."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)
        self._clock_resolution = GRAIN

    def time(self) -> float:
        return self._jumping.now

    async def shutdown_default_executor(self, *_: float | None) -> None:
        """Wait for the threads however long the real time is: its limit would pass here at once."""
        with self.busy():
            await super().shutdown_default_executor()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Let time stand still while a thread is waited for."""
        self._jumping.busy += 1
        try:
            yield
        finally:
            self._jumping.busy -= 1


class VirtualClock:
    """`SystemClock` for one process on a `VirtualLoop`: its wall clock is wrong by `wrong()`, and steadied as there."""

    def __init__(self, loop: VirtualLoop, wrong: Callable[[], timedelta]) -> None:
        self._loop = loop
        self._wrong = wrong
        self._time = SteadyTime(self._wall(), self._monotonic())

    def now(self) -> datetime:
        return EPOCH + timedelta(microseconds=self._time.advance(self._monotonic(), self._wall()))

    async def sleep_until(self, moment: datetime) -> None:
        while (left := moment - self.now()) > timedelta():  # noqa: ASYNC110 - time is what is waited for
            await asyncio.sleep(min(left, LONGEST_NAP).total_seconds())

    def wall(self) -> datetime:
        return EPOCH + timedelta(microseconds=self._wall())

    def _monotonic(self) -> int:
        return round(self._loop.time() * 1e6)

    def _wall(self) -> int:
        return (START - EPOCH + self._wrong()) // timedelta(microseconds=1) + self._monotonic()


class Coarse:
    """A clock that wakes whoever sleeps on whole seconds only, or on whole grains, as on a busy machine.

    A week has fewer moments so.
    """

    def __init__(self, clock: VirtualClock, grain: timedelta = SECOND) -> None:
        self._clock = clock
        self._grain = grain

    def now(self) -> datetime:
        return self._clock.now()

    def wall(self) -> datetime:
        return self._clock.wall()

    async def sleep_until(self, moment: datetime) -> None:
        await self._clock.sleep_until(moment + (EPOCH - moment) % self._grain)

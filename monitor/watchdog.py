"""A stalled event loop ends the process, so that whoever supervises it starts a fresh one.

Nothing that runs in Python can watch the loop: a thread starves with it when the stall holds the GIL (a backtracking
regular expression does; measured). `faulthandler` waits in C without the GIL, prints where every thread stands (file,
line and function, no values) and exits with status 1. The loop's part is to put that off again and again.
"""

from __future__ import annotations

import asyncio
import faulthandler
import sys
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

PATIENCE = timedelta(seconds=30)
BEAT = timedelta(milliseconds=500)
REARMS = 6
"""How many times within its patience the watchdog is put off: each time costs a thread's start."""
REMEMBERED = 100
"""Beats that came late, of which it is remembered by how much."""


class Watchdog:
    """Ends the process when the loop has not come round for `patience`, and reports how late it comes."""

    def __init__(
        self,
        lag: Callable[[float], None],
        *,
        patience: timedelta = PATIENCE,
        beat: timedelta = BEAT,
        file: TextIO | None = None,
    ) -> None:
        """Make a watchdog that does not watch yet.

        `lag` takes the seconds by which the loop woke a task too late, at every beat. `file` gets the traceback and
        needs a file descriptor; None is stderr.
        """
        self._lag = lag
        self._patience = patience.total_seconds()
        self._beat = min(beat, patience / REARMS).total_seconds()
        self._file = file
        self._begun = 0.0
        self._late: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)

    async def run(self) -> None:
        """Watch until cancelled; then the process may take as long as it likes."""
        loop = asyncio.get_running_loop()
        armed = -self._patience
        try:
            while True:
                begun = self._begun = loop.time()
                if begun - armed >= self._patience / REARMS:
                    self._arm()
                    armed = begun
                await asyncio.sleep(self._beat)
                late = self._lateness(loop.time())
                self._late.append((loop.time(), late))
                self._lag(late)
        finally:
            faulthandler.cancel_dump_traceback_later()

    def stalled(self, within: timedelta) -> timedelta:
        """Return by how much the latest beat of the last `within` came too late, or is too late now."""
        now = asyncio.get_running_loop().time()
        beats = [late for ended, late in self._late if now - ended <= within.total_seconds()]
        return timedelta(seconds=max([*beats, self._lateness(now) if self._begun else 0.0]))

    def _lateness(self, now: float) -> float:
        return max(now - self._begun - self._beat, 0.0)

    def _arm(self) -> None:
        faulthandler.dump_traceback_later(self._patience, exit=True, file=self._file or sys.stderr)

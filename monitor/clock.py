"""The only module that asks what time it is.

Whatever decides takes `now` as an argument; whatever waits takes a `Clock`, whose verb is `sleep_until(moment)`. The
system's clock can be set back or forward under a running daemon, which must neither stop probing for an hour nor
believe that an hour has passed. So time here advances with the monotonic clock and only *leans* towards the wall clock,
by at most a tenth of its own pace: it never goes back and never jumps, and small corrections are followed within
seconds.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
LEAN = 10
LONGEST_NAP = timedelta(seconds=10)


class Clock(Protocol):
    """Tells the time and waits for it. Moments are aware datetimes in UTC."""

    def now(self) -> datetime:
        """Return the present moment; never earlier than one returned before."""
        ...

    async def sleep_until(self, moment: datetime) -> None:
        """Return at `moment`, or at once if it has passed."""
        ...

    def wall(self) -> datetime:
        """Return what the machine's own clock shows, for others to compare with theirs. It may jump."""
        ...


@dataclass(slots=True)
class SteadyTime:
    """Turns readings of a monotonic and of a wall clock into time that only moves forward. Pure.

    All are whole microseconds; `shown` and the wall's count from `EPOCH`. It is asked a dozen times in each run.
    """

    shown: int
    monotonic: int

    def advance(self, monotonic: int, wall: int) -> int:
        """Return the present moment for a reading of both clocks."""
        elapsed = max(monotonic - self.monotonic, 0)
        lean = elapsed // LEAN
        behind = wall - (self.shown + elapsed)
        self.shown += elapsed + min(max(behind, -lean), lean)
        self.monotonic = max(monotonic, self.monotonic)
        return self.shown


class SystemClock:
    """The real clock, steadied. Time spent suspended counts where the system can tell (`CLOCK_BOOTTIME`)."""

    def __init__(self) -> None:
        self._time = SteadyTime(_wall(), _monotonic())

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return EPOCH + timedelta(microseconds=self._time.advance(_monotonic(), _wall()))

    def wall(self) -> datetime:
        """Return what the system's wall clock shows, in UTC."""
        return EPOCH + timedelta(microseconds=_wall())

    def offset(self) -> timedelta:
        """Return how far the system's wall clock is ahead of the time this daemon uses."""
        return timedelta(microseconds=_wall() - self._time.shown)

    async def sleep_until(self, moment: datetime) -> None:
        """Wait until `moment`, in naps, because the event loop's clock stands still while the machine is suspended."""
        while (left := moment - self.now()) > timedelta():  # noqa: ASYNC110 - time is what is waited for
            await asyncio.sleep(min(left, LONGEST_NAP).total_seconds())


def _wall() -> int:
    return time.time_ns() // 1_000


def _monotonic() -> int:
    return time.clock_gettime_ns(MONOTONIC) // 1_000

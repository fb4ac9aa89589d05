"""The loop: every quarter of a minute all series at one moment, sent in order, until somebody has taken them.

Two tasks: one writes requests in steps of a fraction of a millisecond, so that nothing that is being timed feels it;
the other sends them, and waits where the receiver is away. What waits meanwhile is bounded (`backlog.py`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor.push.backlog import Backlog
from monitor.push.filling import Filling
from monitor.push.series import Shown, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.push.backlog import Batch
    from monitor.push.receiver import Refusal

STEP = 150
"""How many ends of series are put into a request without a pause."""
TICK = timedelta(milliseconds=1)
"""By how much two moments of one series must differ at least."""
FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(minutes=1)
LAST = timedelta(seconds=3)
"""What `close` may take."""
SAME_NEWS = timedelta(hours=1)
"""A refusal of the same kind is logged again only after that long."""

log = structlog.get_logger()


class Source(Protocol):
    """Where the series come from: parts of whole lines in Prometheus' text format, quickly made."""

    def watched(self) -> Iterator[bytes]:
        """Yield the series of what is watched, which go on whichever instance shows them."""
        ...

    def own(self) -> bytes:
        """Return the series of this very instance."""
        ...


class Remote(Protocol):
    """Takes requests: `receiver.Receiver`."""

    async def send(self, body: bytes) -> Refusal | None:
        """Send one request; return None once it is taken, else why it was not."""
        ...


class Tally(Protocol):
    """What counts how pushing goes."""

    def sent(self, samples: int, at: datetime) -> None:
        """Count samples that were taken."""

    def failed(self, reason: str) -> None:
        """Count a request that was not taken."""

    def dropped(self, samples: int) -> None:
        """Count samples that nobody will get."""

    def pending(self, samples: int) -> None:
        """Show how many samples wait."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to push; and numbers from 0 to 1, which spread repetitions."""

    every: timedelta
    jitter: Callable[[], float]


class Pusher:
    """Pushes every series until it is taken."""

    def __init__(self, source: Source, instance: str, receiver: Remote, clock: Clock, tally: Tally, pace: Pace) -> None:
        """Make one that does nothing yet. What is `source`'s own gets a label `instance`."""
        self._source = source
        self._receiver = receiver
        self._clock = clock
        self._tally = tally
        self._pace = pace
        self._watched = Shown()
        self._own = Shown((("instance", instance),))
        self._backlog = Backlog()
        self._waiting = asyncio.Event()
        self._at: datetime | None = None
        self._well = True
        self._told: dict[str, datetime] = {}

    async def run(self) -> None:
        """Push until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._writing(), name="remote write, writing")
            tasks.create_task(self._sending(), name="remote write, sending")

    async def close(self) -> None:
        """After `run` was cancelled: send what waits, then the end of every series. Takes at most three seconds.

        The first request that is not answered well ends it: readers then show the last values for some minutes, as
        they do after a crash.
        """
        try:
            async with asyncio.timeout(LAST.total_seconds()):
                if self._at is not None:
                    await self._finish()
        except TimeoutError:
            pass  # what is left is told below
        if self._backlog:
            log.warning("remote_write_not_finished", samples=self._backlog.samples)

    async def _finish(self) -> None:
        filling = Filling(self._moment())
        for shown in (self._watched, self._own):
            await self._end(filling, shown.end())
        self._queue(filling.seal())
        while self._backlog:
            refusal = await self._send(self._backlog.oldest)
            if refusal and not refusal.final:
                return

    async def _writing(self) -> None:
        due = self._clock.now()
        while True:
            await self.push()
            due = max(due + self._pace.every, self._clock.now())  # what was missed is not made up for
            await self._clock.sleep_until(due)

    async def push(self) -> None:
        """Write requests of what is shown now; `run` sends them."""
        filling = Filling(self._moment())
        for text in self._source.watched():
            await self._show(filling, self._watched, text)
        await self._show(filling, self._own, self._source.own())
        for shown in (self._watched, self._own):
            await self._end(filling, shown.settle())
        self._queue(filling.seal())

    async def _show(self, filling: Filling, shown: Shown, text: bytes) -> None:
        for lines in pieces(text):
            self._queue(filling.add(shown.add(lines)))
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # a part without text was work, too

    async def _end(self, filling: Filling, ends: Sequence[bytes]) -> None:
        for start in range(0, len(ends), STEP):
            self._queue(filling.add(ends[start : start + STEP]))
            await asyncio.sleep(0)

    def _moment(self) -> datetime:
        """Return the present moment, or one after the push before."""
        now = self._clock.now()
        self._at = now if self._at is None else max(now, self._at + TICK)
        return self._at

    def _queue(self, batch: Batch | None) -> None:
        if batch is None:
            return
        if dropped := self._backlog.add(batch):
            self._tally.dropped(dropped)
        self._tally.pending(self._backlog.samples)
        self._waiting.set()

    async def _sending(self) -> None:
        wait = FIRST_WAIT
        while True:
            await self._waiting.wait()
            refusal = await self._send(self._backlog.oldest)
            if refusal is None or refusal.final:
                wait = FIRST_WAIT
            else:
                pause = (refusal.after or wait / 2) + wait / 2 * self._pace.jitter()
                wait = min(2 * wait, LONGEST_WAIT)
                await self._clock.sleep_until(self._clock.now() + pause)

    async def _send(self, batch: Batch) -> Refusal | None:
        """Send one request, and settle it unless it may be sent again."""
        refusal = await self._receiver.send(batch.body)
        if refusal is None:
            self._tally.sent(batch.samples, self._clock.now())
        else:
            self._tally.failed(refusal.reason)
        self._note(refusal)
        if refusal is None or refusal.final:
            waited = self._backlog.settle(batch)
            if refusal and waited:
                self._tally.dropped(batch.samples)
            self._tally.pending(self._backlog.samples)
            if not self._backlog:
                self._waiting.clear()
        return refusal

    def _note(self, refusal: Refusal | None) -> None:
        """Log the change from well to ill and back, and each kind of a final refusal once an hour."""
        if refusal and refusal.final:
            now = self._clock.now()
            if now - self._told.get(refusal.kind, now - SAME_NEWS) >= SAME_NEWS:
                self._told[refusal.kind] = now
                log.error("remote_write_rejected", reason=refusal.detail)
        elif refusal and self._well:
            log.warning("remote_write_unreachable", reason=refusal.detail)
        elif not refusal and not self._well:
            log.info("remote_write_reached")
        if refusal is None or not refusal.final:
            self._well = refusal is None

"""The one way into the store for a running daemon: what is urgent at once, the rest together within a second.

Everything queued becomes one transaction, so whoever waits shares it with all others that wait. While the store is
away, what was to be written stays in memory, is tried again every few seconds, and arrives in the same order under the
same ids. Once another instance leads, nothing is written any more: what is left here has been overtaken.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from monitor.store.backlog import Backlog
from monitor.store.base import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.model import Change, Sample

LINGER = timedelta(milliseconds=900)
"""How long a sample waits for company: with the write itself, less than a second."""

PATIENCE = timedelta(seconds=2)
"""How long a commit waits before its caller goes on without."""

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(seconds=15)
CLOSE_DEADLINE = timedelta(seconds=3)
MOST_AT_ONCE = 5_000
"""Samples in one transaction, so that catching up does not outlast the store's deadline."""

log = structlog.get_logger()


class Writable(Protocol):
    """The part of a store that a writer needs."""

    async def write(self, changes: Sequence[Change]) -> None:
        """As `Store.write`."""
        ...


class Writer:
    """Queues what must become durable, and writes it while `run` is running.

    `overtaken`: another instance leads, so that nothing is written any more.
    """

    def __init__(self, store: Writable, clock: Clock) -> None:
        """Make a writer into `store`, which stays the caller's to close, after this was."""
        self._store = store
        self._clock = clock
        self._backlog = Backlog()
        self._waiting: list[asyncio.Future[bool]] = []
        self._due: datetime | None = None
        self._stirred = asyncio.Event()
        self._writing = asyncio.Lock()
        self._ending = asyncio.Event()
        self.overtaken = False
        self.unavailable_since: datetime | None = None
        self.committed_at: datetime | None = None

    @property
    def available(self) -> bool:
        """Return whether the last write succeeded, or none was needed yet."""
        return self.unavailable_since is None

    @property
    def ends(self) -> bool:
        """Return whether what is queued now may never be written: closed, or overtaken."""
        return self.overtaken or self._ending.is_set()

    @property
    def lost_samples(self) -> int:
        """Return how many samples were dropped because the store was away for too long."""
        return self._backlog.lost_samples

    @property
    def lost_others(self) -> int:
        """Return how many events, notifications and attempts were dropped for the same reason."""
        return self._backlog.lost_others

    def keep(self, sample: Sample) -> None:
        """Write `sample` within a second, together with others."""
        self._backlog.keep(sample)
        self._write_by(sample.at + LINGER)

    def post(self, change: Change) -> None:
        """Queue `change` and write it at once, without waiting for it."""
        self._backlog.add(change)
        self._write_by(self._clock.now())

    async def commit(self, change: Change) -> bool:
        """Queue `change` before the first pause, write it at once, and return True when it is durable.

        False after 2 s, or at once while the store is known to be away or this is closed: the change stays queued and
        is written later. It stays queued too when the caller is cancelled. Once another instance leads it is False at
        once, and the change is never written.
        """
        self._backlog.add(change)
        self._write_by(self._clock.now())
        if self.ends or not self.available:
            return False
        durable: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(durable)
        await self._first_of(durable, self._clock.now() + PATIENCE)
        return durable.done() and durable.result()

    async def run(self) -> None:
        """Write what is queued until closed. A store that is away is waited for; any other exception is raised.

        `LeaseLost` is one of those: whoever runs this must stop then.
        """
        wait = FIRST_WAIT
        while not self._ending.is_set():
            await self._until_due()
            if await self._write_due():
                wait = FIRST_WAIT
            else:
                await self._until(self._ending, self._clock.now() + wait)
                wait = min(wait * 2, LONGEST_WAIT)

    async def close(self) -> None:
        """Write what is queued, while we lead and within 3 s, and end `run`; harmless when called twice."""
        self._ending.set()
        self._stirred.set()
        if self.overtaken:
            self._due = None
        elif self._backlog:
            self._due = self._clock.now()
        last = asyncio.create_task(self._write_due())
        try:
            await self._first_of(last, self._clock.now() + CLOSE_DEADLINE)
        finally:
            last.cancel()
        await asyncio.wait({last})
        self._answer(self._waiting, durable=False)
        if self._backlog:
            why = "another instance leads" if self.overtaken else "the store was away until the end"
            log.error("changes_not_written", why=why)
        if not (last.cancelled() or isinstance(last.exception(), LeaseLost)):
            last.result()

    def _write_by(self, moment: datetime) -> None:
        """See that what is queued is written at `moment` or earlier."""
        if self._due is None or moment < self._due:
            self._due = moment
            self._stirred.set()

    def _is_due(self) -> bool:
        return self._due is not None and self._due <= self._clock.now()

    async def _until_due(self) -> None:
        while not (self._is_due() or self._ending.is_set()):
            self._stirred.clear()
            if self._due is None:
                await self._stirred.wait()
            else:
                await self._until(self._stirred, self._due)

    async def _write_due(self) -> bool:
        """Write until nothing is due; return False when the store is away."""
        async with self._writing:
            while self._is_due():
                if not await self._write_once():
                    return False
            return True

    async def _write_once(self) -> bool:
        """Write as much as one transaction takes, and tell those who wait for it; return whether that succeeded."""
        change = self._backlog.take(MOST_AT_ONCE)
        waiting: list[asyncio.Future[bool]] = []
        if self._backlog:
            self._due = self._clock.now()
        else:
            waiting, self._waiting, self._due = self._waiting, [], None
        try:
            await self._store.write([change])
        except BaseException as error:
            self._backlog.put_back(change)
            self._waiting[:0] = waiting
            self._due = self._clock.now()
            if isinstance(error, LeaseLost):
                self.overtaken = True
                self._answer(self._waiting, durable=False)
            if not isinstance(error, StoreUnavailable):
                raise
            self._away(error)
            return False
        self._back()
        self._answer(waiting, durable=True)
        return True

    def _away(self, error: StoreUnavailable) -> None:
        if self.available:
            self.unavailable_since = self._clock.now()
            log.error("store_unavailable", why=str(error))
        self._answer(self._waiting, durable=False)

    def _back(self) -> None:
        self.committed_at = self._clock.now()
        if not self.available:
            log.info("store_available", lost_samples=self.lost_samples, lost_others=self.lost_others)
        self.unavailable_since = None

    @staticmethod
    def _answer(waiting: list[asyncio.Future[bool]], *, durable: bool) -> None:
        for future in waiting:
            future.set_result(durable)
        waiting.clear()

    async def _until(self, event: asyncio.Event, moment: datetime) -> None:
        """Wait for `event`, but no longer than until `moment`."""
        happened = asyncio.ensure_future(event.wait())
        try:
            await self._first_of(happened, moment)
        finally:
            happened.cancel()

    async def _first_of(self, other: asyncio.Future[Any], moment: datetime) -> None:
        """Wait until `other` is done or the `moment` has come; neither is cancelled if the caller is."""
        timer = asyncio.ensure_future(self._clock.sleep_until(moment))
        try:
            await asyncio.wait({other, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()

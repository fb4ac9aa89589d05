"""A store that could not be reached yet: opened when first it can be, so that watching need not wait for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from monitor.store.base import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from datetime import datetime

    from monitor.model import Alert, AlertKey, Change, CheckId, Event, Owed, Sample
    from monitor.store.base import Hour, Store


class LateStore:
    """Opens its store at the first call that can, and passes everything on; until then it is `StoreUnavailable`."""

    def __init__(self, open_it: Callable[[], Awaitable[Store]], opened: Callable[[Store], Awaitable[None]]) -> None:
        """Make a store that is opened by `open_it`; `opened` is awaited with it before anything else is done."""
        self._open_it = open_it
        self._opened = opened
        self._store: Store | None = None
        self._opening = asyncio.Lock()

    @property
    def reached(self) -> bool:
        """Return whether the store was opened."""
        return self._store is not None

    async def open(self) -> Store:
        """Return the store itself; raises as `open_store` does."""
        async with self._opening:
            if self._store is None:
                store = await self._open_it()
                try:
                    await self._opened(store)
                except BaseException:
                    await store.close()
                    raise
                self._store = store
            return self._store

    async def write(self, changes: Sequence[Change]) -> None:
        """As `Store.write`; but what was to be written before the store was read is refused once.

        For it knows nothing of what is remembered there, and must be written together with what `opened` makes of both.
        """
        unread = not self.reached
        store = await self.open()
        if unread:
            raise StoreUnavailable("it was read only now")
        await store.write(changes)

    async def alerts(self) -> list[Alert]:
        """As `Store.alerts`."""
        return await (await self.open()).alerts()

    async def owed(self) -> list[Owed]:
        """As `Store.owed`."""
        return await (await self.open()).owed()

    async def samples(self, check: CheckId, since: datetime, limit: int = 100_000) -> list[Sample]:
        """As `Store.samples`."""
        return await (await self.open()).samples(check, since, limit)

    async def replay(self, since: datetime) -> AsyncIterator[Sample]:
        """As `Store.replay`."""
        async for sample in (await self.open()).replay(since):
            yield sample

    async def hours(self, check: CheckId, since: datetime) -> list[Hour]:
        """As `Store.hours`."""
        return await (await self.open()).hours(check, since)

    async def journal(self, since: datetime, key: AlertKey | None = None, limit: int = 1_000) -> list[Event]:
        """As `Store.journal`."""
        return await (await self.open()).journal(since, key, limit)

    async def tidy(self, now: datetime) -> None:
        """As `Store.tidy`."""
        await (await self.open()).tidy(now)

    async def close(self) -> None:
        """Close what was opened."""
        if self._store is not None:
            await self._store.close()

"""A store that could not be reached yet: opened when first it can be, so that watching need not wait for it.

What it holds is taken up once we lead and not before, since whoever leads until then still changes it. A term that was
lost is not followed by another here: what this process remembers has been overtaken, and must never be written.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from monitor.store.base import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
    from datetime import datetime

    from monitor.hour import Hour
    from monitor.model import (
        Act,
        Alert,
        AlertKey,
        Change,
        CheckId,
        Deploy,
        Dispatch,
        Event,
        Keepsake,
        Owed,
        Post,
        Sample,
        Silence,
    )
    from monitor.store.base import Store


class LateStore:
    """Opens its store at the first call that can, and passes everything on; until then it is `StoreUnavailable`."""

    def __init__(self, open_it: Callable[[], Awaitable[Store]], opened: Callable[[Store], Awaitable[None]]) -> None:
        """Make a store that is opened by `open_it`; once it leads, `opened` is awaited before anything else is done."""
        self._open_it = open_it
        self._opened = opened
        self._store: Store | None = None
        self._ready: Store | None = None
        self._lost: LeaseLost | None = None
        self._opening = asyncio.Lock()

    @property
    def reached(self) -> bool:
        """Return whether the store was opened, leads, and what it holds was taken up."""
        return self._ready is not None

    @property
    def owner(self) -> str:
        """As `Store.owner`; empty while the store was not reached."""
        return self._store.owner if self._store is not None else ""

    async def open(self) -> Store:
        """Return the store itself, leading; raises as `open_store` and `lead` do, `LeaseLost` if another leads."""
        if self._ready is None and not await self.lead():
            raise LeaseLost(f"{self.owner or 'another instance'} leads")
        if self._ready is None:
            raise LeaseLost("this instance has resigned")
        return self._ready

    async def open_to_look(self) -> Store:
        """Return the store itself, whoever leads; raises as `open_store` does. It is not to be written to."""
        async with self._opening:
            return await self._open()

    async def lead(self) -> bool:
        """As `Store.lead`; raises as `open_store` too. After `LeaseLost` or `resign` it always raises `LeaseLost`."""
        async with self._opening:
            if self._lost is not None:
                raise LeaseLost(str(self._lost))
            try:
                return await self._lead()
            except LeaseLost as error:
                self._ready, self._lost = None, error
                raise

    async def resign(self) -> None:
        """As `Store.resign`, and for good."""
        async with self._opening:
            self._ready, self._lost = None, LeaseLost("this instance has resigned")
            if self._store is not None:
                await self._store.resign()

    async def _lead(self) -> bool:
        store = await self._open()
        if not await store.lead():
            return False
        if self._ready is None:
            await self._take_up(store)
        return True

    async def _open(self) -> Store:
        if self._store is None:
            self._store = await self._open_it()
        return self._store

    async def _take_up(self, store: Store) -> None:
        try:
            await self._opened(store)
        except BaseException:
            self._store = None
            await store.close()
            raise
        self._ready = store

    async def write(self, changes: Sequence[Change]) -> None:
        """As `Store.write`; but what was to be written before the store was read is refused once.

        For it knows nothing of what is remembered there, and must be written together with what `opened` makes of both.
        """
        unread = not self.reached
        store = await self.open()
        if unread:
            raise StoreUnavailable("it was read only now")
        await store.write(changes)

    async def ask(self, act: Act) -> None:
        """As `Store.ask`, whoever leads; raises as `open_store` too."""
        await (await self.open_to_look()).ask(act)

    async def acts(self) -> list[Act]:
        """As `Store.acts`."""
        return await (await self.open()).acts()

    async def silences(self, since: datetime) -> list[Silence]:
        """As `Store.silences`."""
        return await (await self.open()).silences(since)

    async def posts(self) -> list[Post]:
        """As `Store.posts`."""
        return await (await self.open()).posts()

    async def alerts(self) -> list[Alert]:
        """As `Store.alerts`."""
        return await (await self.open()).alerts()

    async def owed(self) -> list[Owed]:
        """As `Store.owed`."""
        return await (await self.open()).owed()

    async def checks(self) -> list[CheckId]:
        """As `Store.checks`."""
        return await (await self.open()).checks()

    async def samples(
        self, check: CheckId, since: datetime, limit: int = 100_000, until: datetime | None = None
    ) -> list[Sample]:
        """As `Store.samples`."""
        return await (await self.open()).samples(check, since, limit, until)

    async def replay(self, since: datetime) -> AsyncIterator[Sample]:
        """As `Store.replay`."""
        async for sample in (await self.open()).replay(since):
            yield sample

    async def hours(self, check: CheckId, since: datetime) -> list[Hour]:
        """As `Store.hours`."""
        return await (await self.open()).hours(check, since)

    async def replay_hours(self, check: CheckId, since: datetime, measures: Collection[str]) -> AsyncIterator[Hour]:
        """As `Store.replay_hours`."""
        async for hour in (await self.open()).replay_hours(check, since, measures):
            yield hour

    async def deploys(self, since: datetime) -> list[Deploy]:
        """As `Store.deploys`."""
        return await (await self.open()).deploys(since)

    async def keepsakes(self) -> list[Keepsake]:
        """As `Store.keepsakes`."""
        return await (await self.open()).keepsakes()

    async def journal(self, since: datetime, key: AlertKey | None = None, limit: int = 1_000) -> list[Event]:
        """As `Store.journal`."""
        return await (await self.open()).journal(since, key, limit)

    async def dispatches(self, since: datetime, limit: int = 1_000) -> list[Dispatch]:
        """As `Store.dispatches`."""
        return await (await self.open()).dispatches(since, limit)

    async def tidy(self, now: datetime) -> None:
        """As `Store.tidy`."""
        await (await self.open()).tidy(now)

    async def close(self) -> None:
        """Close what was opened."""
        if self._store is not None:
            self._ready = None
            await self._store.close()

"""Which of several instances leads: it alone probes, judges, tells and writes, until it resigns or loses the lease.

A deploy on Render runs two instances for a minute. The lease (`store`) decides between them, and the store's fence
keeps whoever lost it from writing. Here is when it is asked for, and what a store that cannot be reached means: whoever
leads goes on, because nobody else can take over meanwhile; whoever has never reached it goes on alone after a minute,
since nobody may be watching at all; whoever has seen another lead waits.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor.store import LEASE_POLL, LEASE_RENEWAL, LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.clock import Clock

ALONE_AFTER = timedelta(seconds=60)

log = structlog.get_logger()


class Leasable(Protocol):
    """The part of a store that leadership needs."""

    @property
    def owner(self) -> str:
        """As `Store.owner`."""
        ...

    async def lead(self) -> bool:
        """As `Store.lead`."""
        ...

    async def resign(self) -> None:
        """As `Store.resign`."""
        ...


class Leadership:
    """Asks for the lease, keeps it, and gives it up.

    `leads`: whether the work is ours, by the lease or for want of a store; `reached`: whether the store ever answered.
    """

    def __init__(self, store: Leasable, clock: Clock) -> None:
        """Make one that does not lead."""
        self._store = store
        self._clock = clock
        self._why = ""
        self.leads = False
        self.reached = False

    async def gain(self) -> None:
        """Return once we lead, or must go on without a store.

        Raises `StoreUnusable` when what is there is not a store of ours.
        """
        alone_at: datetime | None = self._clock.now() + ALONE_AFTER
        while not self.leads:
            try:
                self.leads = await self._store.lead()
                self._tell("" if self.leads else f"{self._store.owner or 'another instance'} leads")
                self.reached, alone_at = True, None
            except StoreUnavailable as error:
                self._tell(str(error))
                self.leads = alone_at is not None and self._clock.now() >= alone_at
            if not self.leads:
                await self._clock.sleep_until(self._clock.now() + LEASE_POLL)

    async def keep(self) -> None:
        """Renew the lease until cancelled; raises `LeaseLost` when another instance has it."""
        while True:
            await self._clock.sleep_until(self._clock.now() + LEASE_RENEWAL)
            try:
                self.leads = await self._store.lead()
            except StoreUnavailable as error:
                self._tell(str(error))
                continue
            self.reached = True
            self._tell("")
            if not self.leads:
                raise LeaseLost(f"{self._store.owner or 'another instance'} leads")

    async def resign(self) -> None:
        """Give the lease up, so that another instance takes over at once; without a store it runs out by itself."""
        self.leads = False
        try:
            await self._store.resign()
        except StoreUnavailable as error:
            log.warning("lease_not_released", reason=str(error))

    def _tell(self, why: str) -> None:
        """Log what keeps us from the lease, once for each reason; empty: nothing does."""
        if why != self._why:
            log.info("leads" if not why else "lease_not_had", why=why)
        self._why = why

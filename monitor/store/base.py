"""What a store promises, whatever stands behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence
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

LEASE = timedelta(seconds=10)
"""How long a lease lasts on a server from the moment `lead` was called. In a file it lasts as long as the process."""

LEASE_RENEWAL = timedelta(seconds=3)
"""How often whoever leads calls `lead`."""

LEASE_POLL = timedelta(milliseconds=500)
"""How often whoever waits calls `lead`."""


class StoreUnavailable(Exception):  # noqa: N818 - a state that passes, not a programming error
    """The store cannot be reached or written to now: locked, full, damaged, gone.

    What was to be written is there wholly or not at all; not at all is the rule, but if the store answered too late it
    may still arrive. So whoever tries again writes the same change under the same ids.
    """


class StoreUnusable(Exception):  # noqa: N818 - see above
    """What stands where the store should be is not a store of ours, or of a newer release. It is left untouched."""


class LeaseLost(Exception):  # noqa: N818 - see above
    """Another instance leads, or nobody was asked to: nothing of what was to be written is durable, nor ever will be.

    What this process remembers may be out of date: it must not go on with it.
    """


class Store(Protocol):
    """Remembers alerts, their journal, what is owed and what was measured.

    Several instances may have it open and read; only the one that leads writes, except for what it is asked to do.

    All methods raise `StoreUnavailable` when the store cannot be reached within their deadline: 2 s for a usual `write`
    and for each step of `tidy`, 10 s for a read. Moments come back in UTC, to the microsecond.
    """

    @property
    def owner(self) -> str:
        """Return who led when `lead` last looked, in words for a log; empty: nobody."""
        ...

    async def lead(self) -> bool:
        """Take the lease if it is free, or renew it; return whether we lead. False: another instance does.

        Raises `LeaseLost` when we led and another has taken over since: only the next call may begin a new term. A
        lease that ran out while nobody else wanted it goes on. One call at a time.
        """
        ...

    async def resign(self) -> None:
        """Let another instance lead at once; harmless when we do not lead."""
        ...

    async def write(self, changes: Sequence[Change]) -> None:
        """Make all of `changes` durable in one transaction, in order. Writing the same change twice does no harm.

        Raises `LeaseLost` unless we lead, and have led without a break since it was called.

        A sample is known by its check and moment, an event and a notification by its id, an attempt by its
        notification, moment and result: the first one written stays. Of an alert, a keepsake, a deploy, a silence and a
        post the last state written stays. An act that is done stays so.
        """
        ...

    async def ask(self, act: Act) -> None:
        """Ask whoever leads, or will, to carry `act` out: it is durable when this returns.

        It may be called without leading, beside whoever does. An act is known by its id: one that was asked for before,
        or is done, stays as it is. Raises `StoreUnavailable` when this store was opened only to be read.
        """
        ...

    async def acts(self) -> list[Act]:
        """Return the acts that were asked for and not done, oldest first; one that cannot be read is left out."""
        ...

    async def silences(self, since: datetime) -> list[Silence]:
        """Return the silences that ended after `since`, or will end, in the order in which they begin."""
        ...

    async def posts(self) -> list[Post]:
        """Return where messages about incidents stand, oldest first."""
        ...

    async def alerts(self) -> list[Alert]:
        """Return every alert that is not idle."""
        ...

    async def owed(self) -> list[Owed]:
        """Return the notifications that are not settled, oldest first."""
        ...

    async def checks(self) -> list[CheckId]:
        """Return every check that ever had a sample here, in the order of their names."""
        ...

    async def samples(
        self, check: CheckId, since: datetime, limit: int = 100_000, until: datetime | None = None
    ) -> list[Sample]:
        """Return the samples of `check` after `since`, and until `until` if it is given; the newest `limit` of them.

        The oldest comes first. In SQLite this reads through the samples of all checks in that time: to read those of
        many checks, use `replay`.
        """
        ...

    def replay(self, since: datetime) -> AsyncIterator[Sample]:
        """Yield the samples of all checks after `since`, oldest first, without holding them all in memory."""
        ...

    async def hours(self, check: CheckId, since: datetime) -> list[Hour]:
        """Return the hours of `check` that begin at or after `since`, oldest first; an hour without a run is left out.

        An hour appears with the first `tidy` after its end.
        """
        ...

    def replay_hours(self, check: CheckId, since: datetime, measures: Collection[str]) -> AsyncIterator[Hour]:
        """Yield the same, each with only these of its measures, without holding them all in memory."""
        ...

    async def deploys(self, since: datetime) -> list[Deploy]:
        """Return the deploys after `since`, newest first."""
        ...

    async def keepsakes(self) -> list[Keepsake]:
        """Return what checks must remember."""
        ...

    async def journal(self, since: datetime, key: AlertKey | None = None, limit: int = 1_000) -> list[Event]:
        """Return the events after `since`, newest first; the newest `limit` of them."""
        ...

    async def dispatches(self, since: datetime, limit: int = 1_000) -> list[Dispatch]:
        """Return the notifications that were decided after `since`, settled or not, newest first; the newest `limit`.

        Each has its attempts, as far as they are still kept.
        """
        ...

    async def tidy(self, now: datetime) -> None:
        """Roll finished hours up and delete what is past its retention; short steps, so that writers are not held up.

        May be ended at any moment and called again; one call at a time. Raises `LeaseLost` as `write` does.
        """
        ...

    async def close(self) -> None:
        """Resign, as far as that succeeds, and close; harmless when called twice."""
        ...

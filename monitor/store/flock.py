"""The lease on an SQLite file: the system frees it the moment that its holder is gone.

Beside the database stands a lock file, and whoever has it locked (`flock`) leads: a restart after `kill -9` waits for
nobody. The row of `lease` is claimed besides, for its token. If the lock file is deleted or replaced, another instance
can lock what stands there then: the token fences the first one off. The lock file itself is never deleted, since
nobody could tell which of two was locked. On a network file system nothing is promised, as SQLite promises nothing.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

from monitor.store.base import LeaseLost, StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

    from monitor.store.lease import RowLease

DEADLINE = timedelta(seconds=2)


class FileLock:
    """An exclusive lock on a file. Its methods block as a disk does; threads may share it."""

    def __init__(self, path: Path) -> None:
        """Lock the file `<name>.lock` beside the database at `path`, wherever a link leads; it is made if need be."""
        self._database = path
        self._held: int | None = None
        self._one_at_a_time = Lock()

    def acquire(self) -> bool:
        """Return whether we have the file locked that stands at the path now; raises OSError if it cannot be opened."""
        path = self._database.resolve()
        path = path.with_name(f"{path.name}.lock")
        with self._one_at_a_time:
            if self._held is not None and not _stands(self._held, path):
                self._let_go()
            if self._held is None:
                self._held = _locked(path)
            return self._held is not None

    def release(self) -> None:
        """Unlock it; harmless when it is not locked."""
        with self._one_at_a_time:
            self._let_go()

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            os.close(held)


class FileLease:
    """A `Lease` that is held by a lock, and fenced by the token of a row."""

    def __init__(self, lock: FileLock, row: RowLease) -> None:
        """Lead while `lock` is held, in the terms of `row`."""
        self._lock = lock
        self._row = row

    @property
    def owner(self) -> str:
        """Return who leads, as far as is known."""
        return self._row.owner

    async def take(self) -> int | None:
        """As `Lease.take`; raises `StoreUnavailable` when the lock file cannot be opened."""
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                locked = await asyncio.to_thread(self._lock.acquire)
        except (OSError, TimeoutError) as error:
            raise StoreUnavailable(f"the lock file cannot be used: {str(error) or 'no answer'}") from error
        if locked:
            return await self._begin()
        if lost := self._row.end():
            raise lost
        await self._row.look()
        return None

    async def give(self) -> None:
        """As `Lease.give`."""
        try:
            await self._row.give()
        finally:
            self._lock.release()

    async def guard(self, token: int, connection: AsyncConnection) -> None:
        """As `Lease.guard`."""
        await self._row.guard(token, connection)

    async def _begin(self) -> int | None:
        try:
            return await self._row.take()
        except LeaseLost:
            self._lock.release()
            raise


def _stands(held: int, path: Path) -> bool:
    """Return whether the open file is the one at `path`."""
    try:
        return os.path.samestat(os.fstat(held), path.stat())
    except FileNotFoundError:
        return False


def _locked(path: Path) -> int | None:
    """Return the file at `path`, open and locked; None when another has it locked, or has just replaced it."""
    opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    kept = False
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        kept = _stands(opened, path)
    except BlockingIOError:
        return None
    finally:
        if not kept:
            os.close(opened)
    return opened if kept else None

"""What is remembered over restarts: samples, alerts, their journal, and what is owed to whom."""

from __future__ import annotations

from pathlib import Path

from monitor.store.base import (
    LEASE,
    LEASE_POLL,
    LEASE_RENEWAL,
    Hour,
    HourMeasure,
    LeaseLost,
    Store,
    StoreUnavailable,
    StoreUnusable,
)
from monitor.store.flock import FileLease, FileLock
from monitor.store.lease import RowLease
from monitor.store.retention import Retention
from monitor.store.sql import SqlStore
from monitor.store.sqlite import open_sqlite
from monitor.store.writer import Writer

__all__ = [
    "LEASE",
    "LEASE_POLL",
    "LEASE_RENEWAL",
    "Hour",
    "HourMeasure",
    "LeaseLost",
    "Retention",
    "Store",
    "StoreUnavailable",
    "StoreUnusable",
    "Writer",
    "open_store",
]

_SQLITE = "sqlite:///"


async def open_store(where: str | Path, retention: Retention | None = None) -> Store:
    """Open the store at `where`, a path or `sqlite:///path` (four slashes: an absolute one), or make it there.

    Its schema is up to date then, and it can be read; to write, `lead` first. Raises `StoreUnusable` when something else stands there, and leaves it untouched;
    raises `StoreUnavailable` when the store is locked or the disk is full, which may pass.
    """
    path = _path(where)
    database = await open_sqlite(path)
    lease = FileLease(FileLock(path), RowLease(database, LEASE, database.write))
    return SqlStore(database, lease, retention or Retention())


def _path(where: str | Path) -> Path:
    """Return the path that `where` names; messages repeat only its scheme, since the rest may hold a password."""
    if isinstance(where, Path):
        return where.absolute()
    scheme, separator, _ = where.partition("://")
    if scheme.startswith("postgres"):
        msg = "this release keeps its store in an SQLite file only; PostgreSQL comes with a later one"
        raise StoreUnusable(msg)
    if (separator and not where.startswith(_SQLITE)) or where in {"", _SQLITE}:
        msg = (
            f"the store is a path or {_SQLITE}path, not {scheme}{separator}…" if separator else "the store has no path"
        )
        raise StoreUnusable(msg)
    return Path(where.removeprefix(_SQLITE)).absolute()

"""What is remembered over restarts: samples, alerts, their journal, and what is owed to whom."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from monitor.databases import is_postgres
from monitor.hour import Hour, HourMeasure
from monitor.store.base import (
    LEASE,
    LEASE_POLL,
    LEASE_RENEWAL,
    LeaseLost,
    Store,
    StoreUnavailable,
    StoreUnusable,
)
from monitor.store.flock import FileLease, FileLock
from monitor.store.lease import NoLease, RowLease
from monitor.store.postgres import PostgresDatabase, open_postgres
from monitor.store.retention import Retention
from monitor.store.sql import SqlStore
from monitor.store.sqlite import SqliteDatabase, open_sqlite, read_sqlite, visit_sqlite
from monitor.store.writer import Writer

if TYPE_CHECKING:
    from datetime import timedelta

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
    "open_database",
    "open_store",
    "read_store",
    "visit_store",
]

_SQLITE = "sqlite:///"


async def open_store(where: str | Path, retention: Retention | None = None, lease: timedelta = LEASE) -> Store:
    """Open the store at `where`, or make it there.

    `where` is a path, `sqlite:///path` (four slashes: an absolute one) or `postgresql://user:password@host/database`.
    The schema is up to date then, and it can be read; to write, `lead` first. On a server a lease lasts as long as
    `lease` says. Raises `StoreUnusable` when something else stands there, and leaves it untouched;
    raises `StoreUnavailable` when the store is locked, full or cannot be reached, which may pass.
    """
    database = await open_database(where)
    if isinstance(database, PostgresDatabase):
        return SqlStore(database, RowLease(database, lease, database.apart), retention or Retention())
    row = RowLease(database, lease, database.write)
    return SqlStore(database, FileLease(FileLock(_path(where)), row), retention or Retention())


async def read_store(where: str | Path) -> Store:
    """Open the store at `where` for reading, also while another leads: it is never made, changed or led.

    Raises `StoreUnusable` when there is none that this release can read, `StoreUnavailable` as `open_store` does.
    """
    if isinstance(where, str) and is_postgres(where):
        return SqlStore(await open_postgres(where, reading=True), NoLease(), Retention())
    return SqlStore(await read_sqlite(_path(where)), NoLease(), Retention())


async def visit_store(where: str | Path) -> Store:
    """Open the store at `where` to read it and to `ask`, beside whoever leads: it is never made, migrated or led.

    Raises as `read_store` does, and `StoreUnusable` for a file that may not be written to.
    """
    if isinstance(where, str) and is_postgres(where):
        return SqlStore(await open_postgres(where, reading=True), NoLease(), Retention())
    return SqlStore(await visit_sqlite(_path(where)), NoLease(), Retention())


async def open_database(where: str | Path) -> SqliteDatabase | PostgresDatabase:
    """Open what a store at `where` stands on; as `open_store`."""
    if isinstance(where, str) and is_postgres(where):
        return await open_postgres(where)
    return await open_sqlite(_path(where))


def _path(where: str | Path) -> Path:
    """Return the path that `where` names; messages repeat only its scheme, since the rest may hold a password."""
    if isinstance(where, Path):
        return where.absolute()
    scheme, separator, _ = where.partition("://")
    if (separator and not where.startswith(_SQLITE)) or where in {"", _SQLITE}:
        msg = (
            f"the store is a path, {_SQLITE}path or postgresql://…, not {scheme}{separator}…"
            if separator
            else "the store has no path"
        )
        raise StoreUnusable(msg)
    return Path(where.removeprefix(_SQLITE)).absolute()

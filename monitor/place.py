"""The place that the settings give to the store: a file, whose folder is made if need be, or a database on a server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.store import StoreUnusable, open_database, open_store, read_store, visit_store
from monitor.store.schema import CURRENT

if TYPE_CHECKING:
    from monitor.secrets import Secret
    from monitor.store import Retention, Store


async def open_at(where: Path | Secret, retention: Retention) -> Store:
    """Open the store at `where`; raises as `open_store` does."""
    return await open_store(await asyncio.to_thread(_place, where), retention)


async def open_to_read(where: Path | Secret) -> Store:
    """Open the store at `where` for reading; raises as `read_store` does."""
    return await read_store(_address(where))


async def open_to_ask(where: Path | Secret) -> Store:
    """Open the store at `where` to read it and to ask for something; raises as `visit_store` does."""
    return await visit_store(_address(where))


async def upgrade(where: Path | Secret) -> tuple[int, int]:
    """Bring the schema of the store at `where` up to date; return its number before, 0 for a new one, and now.

    Raises as `open_store` does.
    """
    database = await open_database(await asyncio.to_thread(_place, where))
    await database.close()
    return database.found, max(database.found, CURRENT)


def _address(where: Path | Secret) -> Path | str:
    return where if isinstance(where, Path) else where.reveal()


def _place(where: Path | Secret) -> Path | str:
    """Return `where` as the store takes it; a file's folder is made if need be."""
    if not isinstance(where, Path):
        return where.reveal()
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnusable(f"the folder {where.parent} cannot be made: {error.strerror or error}") from error
    return where

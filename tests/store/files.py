"""Files that the store's tests look at."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from monitor.store import open_store
from tests.store.values import BEGINNING, SITE, step

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.store import Retention, Store


def content(folder: Path) -> dict[str, bytes]:
    """Return every file in a folder, byte for byte."""
    return {found.name: found.read_bytes() if found.is_file() else b"" for found in folder.iterdir()}


async def leading(where: str | Path, retention: Retention | None = None) -> Store:
    """Open a store that may be written to."""
    store = await open_store(where, retention)
    try:
        assert await store.lead(), f"{store.owner} leads"
    except BaseException:
        await store.close()
        raise
    return store


async def filled(path: Path, changes: int = 50) -> None:
    """Leave a store with some changes in it behind."""
    store = await leading(path)
    await store.write([step(number) for number in range(changes)])
    await store.close()


async def still_whole(store: Store, steps: int) -> None:
    """Say so unless exactly the first `steps` changes are there, each wholly."""
    owed = await store.owed()
    assert [one.notification.id for one in owed] == [f"note {number}" for number in range(steps)]
    assert len(await store.samples(SITE, BEGINNING)) == len(await store.journal(BEGINNING)) == steps
    assert all(one.attempts == 1 for one in owed)


def mounted(folder: Path, options: str) -> bool:
    """Mount an empty file system in memory on `folder`; return whether this process may."""
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    return (
        shutil.which("mount") is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )

"""The stores that the contract holds for."""

from __future__ import annotations

import asyncio
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.store.databases import Databases
from tests.store.files import leading, mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from monitor.store import Store
    from tests.postgres import Cluster


def sqlite_url(folder: Path) -> str:
    """Return the address of a store in a file that does not exist yet."""
    return f"sqlite:///{folder / 'monitor.db'}"


@pytest.fixture(scope="session")
def databases(postgres: Cluster) -> Databases:
    """Make databases on the server that tests share."""
    return Databases(postgres)


@pytest.fixture(params=["sqlite", "postgresql"])
def address_of(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], str]]:
    """Return how an empty store is addressed; afterwards nothing of ours may be connected to it."""
    if request.param == "sqlite":
        yield sqlite_url
    else:
        databases: Databases = request.getfixturevalue("databases")
        yield lambda _: databases.emptied()
        databases.left(databases.shared)


@pytest.fixture
def address(address_of: Callable[[Path], str], tmp_path: Path) -> str:
    """Return the address of an empty store."""
    return address_of(tmp_path)


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    """Open an empty store that leads; afterwards none of its tasks may be left."""
    before = asyncio.all_tasks()
    opened = await leading(address)
    yield opened
    await opened.close()
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a store would be, in a folder of its own and with a name that a URL would stumble over."""
    folder = tmp_path / "data"
    folder.mkdir()
    return folder / "50% of? it #1.db"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounted(folder, "size=1m"):
        pytest.skip("this process may not mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)

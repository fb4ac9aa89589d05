"""The stores that the contract holds for."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.store.files import leading, mounted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from monitor.store import Store


def sqlite_url(folder: Path) -> str:
    """Return the address of a store in a file that does not exist yet."""
    return f"sqlite:///{folder / 'monitor.db'}"


ADDRESSES: dict[str, Callable[[Path], str]] = {
    "sqlite": sqlite_url,
}
"""Each returns the address of an empty store; PostgreSQL joins with a line of its own."""


@pytest.fixture(params=list(ADDRESSES.values()), ids=list(ADDRESSES))
def address_of(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Return how an empty store is addressed."""
    found: Callable[[Path], str] = request.param
    return found


@pytest.fixture
def address(address_of: Callable[[Path], str], tmp_path: Path) -> str:
    """Return the address of an empty store."""
    return address_of(tmp_path)


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    """Open an empty store."""
    opened = await leading(address)
    yield opened
    await opened.close()


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

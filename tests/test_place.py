"""Where the settings put the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.place import open_at, upgrade
from monitor.secrets import Secret
from monitor.store import Retention, StoreUnusable
from monitor.store.schema import CURRENT

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_folder_of_a_file_is_made(tmp_path: Path) -> None:
    file = tmp_path / "data" / "of" / "monitor.db"
    store = await open_at(file, Retention())
    assert await store.alerts() == []
    await store.close()
    assert file.exists()


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StoreUnusable, match=r"the folder .*data cannot be made"):
        await open_at(tmp_path / "data" / "monitor.db", Retention())


async def test_an_upgrade_says_what_it_found(tmp_path: Path) -> None:
    assert await upgrade(tmp_path / "monitor.db") == (0, CURRENT)
    assert await upgrade(tmp_path / "monitor.db") == (CURRENT, CURRENT)


async def test_an_address_of_a_server_is_used_as_it_is() -> None:
    """And its password stands in no message."""
    with pytest.raises(StoreUnusable) as raised:
        await open_at(Secret("postgresql://me:hunter2@/?nonsense=1"), Retention())
    assert "nonsense" in str(raised.value)
    assert "hunter2" not in str(raised.value)

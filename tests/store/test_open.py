"""How a store is named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from monitor.store import StoreUnusable, open_store
from tests.store.files import leading

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_store_is_named_by_a_path_or_by_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: list[str | Path] = [
        tmp_path / "a.db",
        str(tmp_path / "b.db"),
        f"sqlite:///{tmp_path}/c.db",
        "sqlite:///d.db",
        "e.db",
    ]
    for name in names:
        await (await open_store(name)).close()
    assert sorted(os.listdir(tmp_path)) == ["a.db", "b.db", "c.db", "d.db", "e.db"]  # noqa: PTH208 - one call, no loop


async def test_a_relative_path_stays_where_it_was_when_the_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = await leading("a.db")
    monkeypatch.chdir("/")
    assert await store.alerts() == []
    await store.close()


@pytest.mark.parametrize("where", ["mysql://root:hunter2@localhost/x", "sqlite://hunter2", "sqlite:///", ""])
async def test_anything_else_is_refused_without_repeating_what_may_be_a_password(where: str) -> None:
    with pytest.raises(StoreUnusable, match="path") as caught:
        await open_store(where)
    assert "hunter2" not in str(caught.value)

"""A shop, a receiver and a daemon for each test.

Bytecode is kept, so that a start of the daemon costs one second and not four.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance import peers
from tests.acceptance.process import SITE, Monitor, command

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.acceptance.peers import Receiver, Shop

HERE = Path(__file__).parent
LONGEST = 300
"""Seconds that a test here may take, for a story the wait for its turn included."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Allow for the patience of those that start a daemon."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(LONGEST))


@pytest.fixture(scope="session", autouse=True)
def _kept_bytecode(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where Python is told to write no bytecode, let the many starts share one folder of it, filled by a first one."""
    with pytest.MonkeyPatch.context() as environment:
        if sys.dont_write_bytecode:
            environment.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("bytecode")))
            asyncio.run(command(tmp_path_factory.mktemp("first"), "--version"))
        yield


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    async with peers.shop() as made:
        yield made


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with peers.receiver() as made:
        yield made


@pytest.fixture
def watching(shop: Shop, hook: Receiver, tmp_path: Path) -> Callable[..., Monitor]:
    """Return what makes a daemon that watches the shop and tells the receiver; without a file of its own by `SITE`."""

    def make(text: str = SITE, **variables: str) -> Monitor:
        return Monitor(tmp_path, text, SHOP_URL=shop.url, HOOK_URL=hook.url, **variables)

    return make

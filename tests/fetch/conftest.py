"""Modules that say `BOTH_LOOPS` run on the default loop and on uvloop, the others on the default one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import uvloop

from monitor.network import Resolver, TlsContexts
from tests.fetch.web import Client
from tests.peers import Authority, name_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping


def pytest_asyncio_loop_factories(item: pytest.Function) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    both = getattr(item.module, "BOTH_LOOPS", False)
    return {"asyncio": asyncio.new_event_loop} | ({"uvloop": uvloop.new_event_loop} if both else {})


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def client(authority: Authority) -> AsyncIterator[Client]:
    async with name_server() as names:
        resolver = Resolver([names.address])
        yield Client(resolver, TlsContexts(), names, str(authority.path))
        await resolver.close()

"""Modules that say `BOTH_LOOPS` run on the default loop and on uvloop, the others on the default one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import uvloop

from monitor.network import Resolver, TlsContexts
from monitor.probes.base import Resources
from monitor.secrets import Redactor, Secret
from tests.peers import Authority, NameServer, name_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

SECRET = 'hunter2/"s&cret'  # with characters that URLs, JSON and repr write in another way


def pytest_asyncio_loop_factories(item: pytest.Function) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    both = getattr(item.module, "BOTH_LOOPS", False)
    return {"asyncio": asyncio.new_event_loop} | ({"uvloop": uvloop.new_event_loop} if both else {})


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    async with name_server() as server:
        yield server


@pytest.fixture
async def resources(names: NameServer) -> AsyncIterator[Resources]:
    resolver = Resolver([names.address])
    yield Resources(resolver, TlsContexts(), Redactor([Secret(SECRET)]))
    await resolver.close()

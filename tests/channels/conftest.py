"""What channels share, made for a test. Modules that say `BOTH_LOOPS` run on the default loop and on uvloop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import uvloop

from monitor.channels.base import Resources
from monitor.channels.posting import open_session
from monitor.network import Resolver, TlsContexts
from monitor.secrets import Redactor
from tests.channels.peers import Mails, Posts, mails, posts
from tests.channels.rigs import RIGS, Rig
from tests.peers import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping


def pytest_asyncio_loop_factories(item: pytest.Function) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    both = getattr(item.module, "BOTH_LOOPS", False)
    return {"asyncio": asyncio.new_event_loop} | ({"uvloop": uvloop.new_event_loop} if both else {})


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest) -> Rig:
    return RIGS[request.param]


@pytest.fixture
async def web_peer() -> AsyncIterator[Posts]:
    async with posts() as server:
        yield server


@pytest.fixture(scope="session")
def tls() -> TlsContexts:
    return TlsContexts()


@pytest.fixture
async def resources(tls: TlsContexts) -> AsyncIterator[Resources]:
    """Yield what channels share; nothing but a channel's own fields is known to be secret."""
    resolver = Resolver()
    async with open_session(resolver, tls) as session:
        yield Resources(session, resolver, tls, Redactor())
    await resolver.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def mail_peer() -> AsyncIterator[Mails]:
    async with mails() as server:
        yield server

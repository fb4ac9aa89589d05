"""What channels share, made for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.channels.base import Resources
from monitor.channels.posting import open_session
from monitor.network import Resolver, TlsContexts
from monitor.secrets import Redactor
from tests.channels.examples import NOW
from tests.channels.peers import Mails, Posts, mails, posts
from tests.channels.rigs import RIGS, Rig
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


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
    """Yield what channels share, at NOW; nothing but a channel's own fields is known to be secret."""
    resolver = Resolver()
    async with open_session(resolver, tls) as session:
        yield Resources(session, resolver, tls, Redactor(), FakeClock(NOW))
    await resolver.close()


@pytest.fixture
async def mail_peer() -> AsyncIterator[Mails]:
    async with mails() as server:
        yield server

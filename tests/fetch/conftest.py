"""What these tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.network import Resolver, TlsContexts
from tests.fetch.web import Client
from tests.peers import Authority, name_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def client(authority: Authority) -> AsyncIterator[Client]:
    async with name_server() as names:
        resolver = Resolver([names.address])
        yield Client(resolver, TlsContexts(), names, str(authority.path))
        await resolver.close()

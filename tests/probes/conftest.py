"""What these tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.databases import Databases
from monitor.network import Resolver, TlsContexts
from monitor.probes.base import Resources
from monitor.secrets import Redactor, Secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.peers import NameServer

SECRET = 'hunter2/"s&cret'  # with characters that URLs, JSON and repr write in another way


@pytest.fixture
async def resources(names: NameServer) -> AsyncIterator[Resources]:
    resolver = Resolver([names.address])
    databases = Databases(resolver)
    yield Resources(resolver, TlsContexts(), databases, Redactor([Secret(SECRET)]))
    databases.close()
    await resolver.close()

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.secrets import Secret
from tests.web.page.site import HOST, TOKEN, Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def closed() -> AsyncIterator[Site]:
    """Serve with a token."""
    site = Site(Secret(TOKEN))
    await site.web.start(HOST, 0)
    yield site
    await site.web.stop()


@pytest.fixture
async def free() -> AsyncIterator[Site]:
    """Serve without a token, as `make run` does."""
    site = Site()
    await site.web.start(HOST, 0)
    yield site
    await site.web.stop()

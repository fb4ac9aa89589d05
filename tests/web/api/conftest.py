"""A server with the whole API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.api.shop import Site, opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with opened(Site()) as made:
        yield made

"""One Chromium for all tests here, and a fresh profile in it for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright

from monitor.secrets import Secret
from tests.acceptance.process import program
from tests.browser.window import Window
from tests.web.page.site import HOST, TOKEN, Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return where the system's browser is, or skip."""
    return program("chromium", "chromium")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Start it once."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def window(browser: Browser) -> AsyncIterator[Window]:
    """Open windows, and see to it that nothing was refused or failed in any of them."""
    opened = Window(browser)
    yield opened
    await opened.close()
    assert opened.complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncIterator[Site]:
    """Serve without a token."""
    made = Site()
    await made.web.start(HOST, 0)
    yield made
    await made.web.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def closed() -> AsyncIterator[Site]:
    """Serve with a token."""
    made = Site(Secret(TOKEN))
    await made.web.start(HOST, 0)
    yield made
    await made.web.stop()

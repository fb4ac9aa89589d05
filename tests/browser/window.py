"""Windows of a browser, each with a profile of its own, and what the browser complained of in any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

WIDE, PHONE = (1280, 800), (360, 740)


class Window:
    """Opens pages. `expected`: what the console may say, since the test makes it say so."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.expected: tuple[str, ...] = ()

    async def open(self, address: str, size: tuple[int, int] = WIDE, **context: Any) -> Page:  # noqa: ANN401 - playwright's own
        """Open `address` in a profile of its own; its clock stands still until it is moved."""
        width, height = size
        made = await self._browser.new_context(viewport={"width": width, "height": height}, **context)
        self._contexts.append(made)
        page = await made.new_page()
        page.set_default_timeout(10_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        if context.get("java_script_enabled", True):
            await page.clock.install()
        await page.goto(address)
        return page

    async def close(self) -> None:
        """Close all of them."""
        for context in self._contexts:
            await context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if not any(part in message.text for part in self.expected):
            self.complaints.append(message.text)

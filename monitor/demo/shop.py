"""The demo shop: a small web system with a front page, a health address and metrics, that breaks when it is told to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from monitor.demo.script import BROKEN, WELL, Mood, mood_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from monitor.clock import Clock

LOOK = timedelta(milliseconds=500)

log = structlog.get_logger()


class Shop:
    """Answers as its script says, until somebody breaks or heals it by hand."""

    def __init__(self, clock: Clock, *, scripted: bool = True) -> None:
        self._clock = clock
        self._began: datetime | None = clock.now() if scripted else None
        self._by_hand: Mood = WELL

    @property
    def mood(self) -> Mood:
        """Return how the shop is now."""
        if self._began is None:
            return self._by_hand
        return mood_at((self._clock.now() - self._began).total_seconds())

    def application(self) -> web.Application:
        """Return the shop as a web application."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/", self._front),
                web.get("/health", self._health),
                web.post("/break", self._break),
                web.post("/heal", self._heal),
            ]
        )
        return app

    async def tell(self) -> None:
        """Log each change of mood, so that who watches knows what the shop is up to."""
        told = None
        while True:
            if (mood := self.mood) != told:
                log.info("demo_shop", is_=mood.words)
                told = mood
            await self._clock.sleep_until(self._clock.now() + LOOK)

    async def _front(self, _request: web.Request) -> web.Response:
        mood = await self._answering()
        return web.Response(
            status=mood.status, text=f"<!doctype html><title>Demo shop</title><p>{mood.words}", content_type="text/html"
        )

    async def _health(self, _request: web.Request) -> web.Response:
        mood = await self._answering()
        status = "healthy" if mood.status == WELL.status else "failing"
        return web.json_response({"status": status, "pool": {"used": mood.pool}}, status=mood.status)

    async def _break(self, _request: web.Request) -> web.Response:
        self._began, self._by_hand = None, BROKEN
        return web.json_response({"shop": "broken: it answers 502 until POST /heal"})

    async def _heal(self, _request: web.Request) -> web.Response:
        self._began, self._by_hand = None, WELL
        return web.json_response({"shop": "healed"})

    async def _answering(self) -> Mood:
        mood = self.mood
        await self._clock.sleep_until(self._clock.now() + timedelta(seconds=mood.delay))
        return mood


@asynccontextmanager
async def serve_shop(shop: Shop, host: str, port: int) -> AsyncIterator[str]:
    """Let `shop` answer at `host` and `port` (0: any that is free) while the context lasts; yield its address.

    Raises OSError when the port is taken.
    """
    runner = web.AppRunner(shop.application(), access_log=None)
    await runner.setup()
    telling = asyncio.create_task(shop.tell(), name="demo shop")
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await runner.cleanup()

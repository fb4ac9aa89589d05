"""A server that shows a page of metrics: whatever it is told to."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TEXT = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class Pages:
    """What is shown, and what was asked. `answer`: instead, what makes the answer of a request."""

    port: int = 0
    text: str | bytes = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": TEXT})
    compress: bool = False
    answer: Callable[[web.Request], web.Response] | None = None
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/metrics"

    async def show(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        self.bodies.append(await request.read())
        if self.answer:
            return self.answer(request)
        body = self.text.encode() if isinstance(self.text, str) else self.text
        response = web.Response(status=self.status, body=body, headers=self.headers)
        if self.compress:
            response.enable_compression()
        return response


@asynccontextmanager
async def serving(text: str | bytes = "") -> AsyncIterator[Pages]:
    """Serve pages at any path of a port of the loopback."""
    pages = Pages(text=text)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", pages.show)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pages.port = runner.addresses[0][1]
    try:
        yield pages
    finally:
        await runner.cleanup()

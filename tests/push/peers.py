"""A receiver of remote write that keeps what it gets and answers as it is told."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web

from tests.push.decoding import Point, decode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


class Got(NamedTuple):
    """One request."""

    path: str
    headers: Mapping[str, str]
    points: list[Point]


@dataclass
class Taker:
    """Answers with `status`, `text` and `headers`; while `open` is not set, not at all."""

    url: str = ""
    status: int = 204
    text: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)
    connections: set[object] = field(default_factory=set)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(Got(request.path_qs, request.headers, decode(await request.read())))
        self.connections.add(request.transport)
        await self.open.wait()
        return web.Response(status=self.status, text=self.text or None, headers=self.headers)

    @property
    def points(self) -> list[Point]:
        return [point for got in self.got for point in got.points]


@asynccontextmanager
async def taker() -> AsyncIterator[Taker]:
    """Run a receiver on a port of the loopback; it answers."""
    made = Taker()
    made.open.set()
    app = web.Application()
    app.router.add_post("/{path:.*}", made.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        made.open.set()
        await runner.cleanup()

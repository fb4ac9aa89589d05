"""What each address answers."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from monitor.metrics import OPENMETRICS, TEXT
from monitor.web.accept import takes_gzip, wants_openmetrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from monitor.metrics import Metrics
    from monitor.web.door import Door

Ask = Callable[[], Sequence[str]]
"""Says what is wrong, one sentence each; nothing when all is well. It must hold no secret: anybody may read it."""

FASTEST = 1
GZIP = 31
"""What zlib calls the gzip format, with the largest window."""


class Routes:
    """The answers, and what they need."""

    def __init__(self, door: Door, metrics: Metrics, healthy: Ask, ready: Ask) -> None:
        self._door = door
        self._metrics = metrics
        self._healthy = healthy
        self._ready = ready

    def table(self) -> Iterable[web.RouteDef]:
        """Return every route; each `GET` answers `HEAD` too."""
        return [
            web.get("/metrics", self.metrics),
            web.get("/healthz", self.health),
            web.get("/readyz", self.readiness),
        ]

    async def metrics(self, request: web.Request) -> web.Response:
        """Show every series; compressed in a thread, because that takes longer than all the rest."""
        if refusal := self._door.refusal(request):
            return refusal
        openmetrics = wants_openmetrics(_all(request, hdrs.ACCEPT))
        parts = _unhurried(self._metrics.parts(openmetrics=openmetrics))
        headers = {hdrs.CONTENT_TYPE: OPENMETRICS if openmetrics else TEXT, hdrs.VARY: "Accept, Accept-Encoding"}
        if not takes_gzip(_all(request, hdrs.ACCEPT_ENCODING)):
            return web.Response(body=parts, headers=headers)
        body = await asyncio.to_thread(_compress, [part async for part in parts])
        return web.Response(body=body, headers={**headers, hdrs.CONTENT_ENCODING: "gzip"})

    async def health(self, _request: web.Request) -> web.Response:
        """Say whether the daemon does its work."""
        return _verdict(self._healthy())

    async def readiness(self, _request: web.Request) -> web.Response:
        """Say whether the daemon has begun its work."""
        return _verdict(self._ready())


async def _unhurried(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yield each of `parts`, letting everything else go first: the loop stands still for one part, not for the page."""
    for part in parts:
        if part:
            yield part
        await asyncio.sleep(0)


def _compress(parts: Sequence[bytes]) -> bytes:
    """Return `parts` as one gzip member."""
    gzip = zlib.compressobj(FASTEST, wbits=GZIP)
    return b"".join([*map(gzip.compress, parts), gzip.flush()])


def _verdict(problems: Sequence[str]) -> web.Response:
    status = HTTPStatus.SERVICE_UNAVAILABLE if problems else HTTPStatus.OK
    return web.Response(status=status, text="".join(f"{problem}\n" for problem in problems or ["ok"]))


def _all(request: web.Request, header: str) -> str:
    return ",".join(request.headers.getall(header, []))

"""The server: its start, its end, and what every answer has in common."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import structlog
from aiohttp import hdrs, web

from monitor.web.connections import Connections
from monitor.web.guard import failed, lost
from monitor.web.routes import Routes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp.typedefs import Handler

    from monitor.metrics import Metrics
    from monitor.web.door import Door
    from monitor.web.routes import Ask

SERVER = "monitor"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take: the time from one whole request to the next, how many of them, and the time at the end."""

    patience: timedelta = timedelta(seconds=60)
    connections: int = 200
    last_answers: timedelta = timedelta(seconds=2)


class CannotListen(Exception):  # noqa: N818 - a sentence for the operator, not a programming error
    """The address cannot be listened on: taken, not ours, or not allowed. The text says which and why."""


class Web:
    """The HTTP server of the daemon."""

    def __init__(
        self,
        door: Door,
        metrics: Metrics,
        *,
        healthy: Ask,
        ready: Ask,
        more: Iterable[web.AbstractRouteDef] = (),
        limits: Limits = Limits(),
    ) -> None:
        """Make a server that does not listen yet. `healthy` and `ready` return what is wrong, nothing if well.

        `more` are routes besides those that every daemon has; each looks after its own tokens.
        """
        self._connections = Connections(limits.patience, limits.connections)
        self._app = web.Application(middlewares=[self._guard])
        self._app.add_routes([*Routes(door, metrics, healthy, ready).table(), *more])
        self._app.on_response_prepare.append(_harden)
        self._runner = web.AppRunner(
            self._app,
            logger=_deaf(),
            access_log=None,
            lingering_time=1.0,
            keepalive_timeout=limits.patience.total_seconds(),
            shutdown_timeout=limits.last_answers.total_seconds() / 2,  # it waits twice
        )
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Return the port that is listened on, which matters when 0 was asked for; 0 before the start."""
        return self._server.sockets[0].getsockname()[1] if self._server else 0

    async def start(self, host: str, port: int) -> None:
        """Listen; raises `CannotListen` with the reason."""
        await self._runner.setup()
        factory = self._connections.guard(cast("web.Server", self._runner.server))
        try:
            self._server = await asyncio.get_running_loop().create_server(factory, host, port)
        except OSError as error:
            await self.stop()
            raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}") from error

    async def stop(self) -> None:
        """Stop listening, and cut what is still open after two seconds; harmless when called twice."""
        if self._server:
            self._server.close()
            self._server = None
        await self._runner.cleanup()
        self._connections.close()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give the connection more time, and answer a bug of ours without its text."""
        self._connections.renew(request.transport)
        try:
            return await handler(request)
        except web.HTTPException as error:
            if (answer := lost(request, error)) is None:
                raise
            return answer
        except Exception:
            resource = request.match_info.route.resource  # its form: the address itself may hold a token
            log.exception("request_failed", path=resource.canonical if resource else "")
            return failed(request)


async def _harden(_request: web.Request, response: web.StreamResponse) -> None:
    """Give an answer the strictest headers, save where it has its own, as a page and its style sheet do."""
    response.headers[hdrs.SERVER] = SERVER
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def _deaf() -> logging.Logger:
    """Return a logger that says nothing: what aiohttp would report are malformed requests, tokens and all."""
    return logging.Logger("monitor.web.requests", logging.CRITICAL + 1)  # noqa: LOG001 - not in the tree that logs.py routes

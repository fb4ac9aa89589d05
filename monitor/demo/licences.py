"""The demo's licence server: two hosts behind one name, and scripts of other origins that may call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.demo.world import World

ORIGIN = "https://admin.example.com"


class Licences:
    """Says who may use what they bought."""

    def __init__(self, world: World) -> None:
        self._world = world

    def table(self) -> Iterable[web.RouteDef]:
        """Return its routes."""
        return [
            web.get("/licences/health", self._health),
            web.get("/licences/", self._admin),
            web.options("/licences/api", self._preflight),
        ]

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "healthy"}, status=self._world.now.licences_status)

    async def _admin(self, _request: web.Request) -> web.Response:
        page = "<!doctype html><title>Demo licences</title><p>Welcome"
        return web.Response(status=self._world.now.licences_status, text=page, content_type="text/html")

    async def _preflight(self, request: web.Request) -> web.Response:
        allowed = request.headers.get("Origin") == ORIGIN
        headers = (
            {"Access-Control-Allow-Origin": ORIGIN, "Access-Control-Allow-Methods": "GET, POST"} if allowed else {}
        )
        return web.Response(status=self._world.now.licences_status, headers=headers)

"""The demo's championship: five addresses of one host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.demo.world import World

WELL = 200
SECURE = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY"}


class Dojo:
    """Runs a championship: who fights whom, who leads, who may still sign up."""

    def __init__(self, world: World) -> None:
        self._world = world

    def table(self) -> Iterable[web.RouteDef]:
        """Return its routes."""
        return [
            web.get("/dojo/", self._server),
            web.get("/dojo/live", self._live),
            web.get("/dojo/scores", self._scores),
            web.get("/dojo/sign-up", self._sign_up),
        ]

    async def _server(self, _request: web.Request) -> web.Response:
        return web.Response(status=self._world.now.dojo_status, text="OK", headers=SECURE)

    async def _live(self, _request: web.Request) -> web.Response:
        return web.Response(status=self._world.now.dojo_live, text="Mat 1: Ana against Bo")

    async def _scores(self, _request: web.Request) -> web.Response:
        return web.json_response({"fights": 12}, status=self._world.now.dojo_status)

    async def _sign_up(self, _request: web.Request) -> web.Response:
        page = "<!doctype html><title>Sign up</title><form></form>"
        return web.Response(status=self._world.now.dojo_status, text=page, content_type="text/html")

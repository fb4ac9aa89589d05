"""The page of the demo's world: what happens now, what comes next, and what can be broken by hand."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.demo.script import FAULTS, SCRIPT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.demo.world import World

BY_HAND = "shop-down"
"""What `POST /break` alone breaks."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
_PAGE = Environment(loader=PackageLoader("monitor.demo", "."), autoescape=True, undefined=StrictUndefined).get_template(
    "world.html"
)


class Index:
    """Shows the world, and lets faults happen and end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.monitor = ""
        """Where the daemon answers, once that is known."""

    def table(self) -> Iterable[web.RouteDef]:
        """Return its routes."""
        return [
            web.get("/", self._page),
            web.post("/break", self._break),
            web.post("/break/{fault}", self._break),
            web.post("/heal", self._heal),
            web.post("/heal/{fault}", self._heal),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        going_on = self._world.going_on
        text = _PAGE.render(
            present=[FAULTS[name] for name in going_on],
            coming=self._world.coming,
            over=self._world.over,
            faults=SCRIPT,
            names=set(going_on),
            here=str(request.url.origin()),
            monitor=self.monitor,
        )
        return web.Response(text=text, content_type="text/html", headers=HEADERS)

    async def _break(self, request: web.Request) -> web.Response:
        name = request.match_info.get("fault", BY_HAND)
        if name not in FAULTS:
            return _unknown()
        self._world.happen(name)
        return _done(request, {"happens": name, "what": FAULTS[name].words, "until": f"POST /heal/{name}"})

    async def _heal(self, request: web.Request) -> web.Response:
        name = request.match_info.get("fault", "")
        if name and name not in FAULTS:
            return _unknown()
        ended = [name] if name else list(self._world.going_on)
        self._world.heal(name)
        return _done(request, {"healed": ended})


def _done(request: web.Request, said: dict[str, object]) -> web.Response:
    """Return to the page whoever came from there; answer others in JSON."""
    if "text/html" in request.headers.get("Accept", ""):
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": "/"})
    return web.json_response(said)


def _unknown() -> web.Response:
    return web.json_response({"detail": f"there is no such fault; there are {', '.join(FAULTS)}"}, status=404)

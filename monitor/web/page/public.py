"""What everybody may see, without a token: title, state, uptime and strip of the systems that are marked `public`."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from monitor.view import Condition
from monitor.web.page.addresses import PUBLIC
from monitor.web.page.overview import MOODS, worst_first

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.web.page.shell import Shell
    from monitor.web.viewer import Viewer

NOTHING = "There is nothing here."


class PublicView:
    """The routes. A system that is not public and one that does not exist are answered alike."""

    def __init__(self, shell: Shell, viewer: Viewer) -> None:
        self._shell = shell
        self._viewer = viewer

    def table(self) -> Iterable[web.RouteDef]:
        """Return the routes."""
        return [web.get(PUBLIC, self.all), web.get(f"{PUBLIC}/{{system}}", self.one)]

    async def all(self, request: web.Request) -> web.StreamResponse:
        """Show all of them."""
        return self._show(request)

    async def one(self, request: web.Request) -> web.StreamResponse:
        """Show one of them."""
        return self._show(request, request.match_info["system"])

    def _show(self, request: web.Request, name: str = "") -> web.StreamResponse:
        seen = [one for one in self._viewer.public().systems if one.public and name in {"", one.name}]
        if not seen:
            return self._shell.problem(request, HTTPStatus.NOT_FOUND, NOTHING)
        worst = min((one.condition for one in seen), key=lambda one: one.rank)
        well = worst.rank >= Condition.WAITING.rank
        mood = MOODS.get(worst, "up")
        return self._shell.page(request, "public.html", systems=worst_first(seen), well=well, worst=worst, mood=mood)

"""Logging in with the operator's token, and out again."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from monitor.plain import plain
from monitor.web.page import session
from monitor.web.page.addresses import HOME, LOGIN, LOGOUT, here
from monitor.web.page.origin import from_our_page
from monitor.web.page.shell import read_form, see_other

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.web.page.shell import Shell
    from monitor.web.viewer import Viewer

LONGEST_WHO = 60
WRONG = "That is not the token."
LIMITED = "Too many wrong tokens. None is looked at for {} s."
FOREIGN = "Only the form of this page itself is taken. A proxy in between must hand on Host as it was sent."


class Login:
    """The routes of the login."""

    def __init__(self, shell: Shell, viewer: Viewer) -> None:
        self._shell = shell
        self._viewer = viewer

    def table(self) -> Iterable[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(LOGIN, self.show),
            web.post(LOGIN, self.log_in),
            web.post(LOGOUT, self._shell.acting(self.log_out)),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """Show the form; who needs none is led on."""
        place = here(request.query.get("next", HOME))
        return see_other(place) if self._shell.gate.shows(request) else self._form(request, place)

    async def log_in(self, request: web.Request) -> web.Response:
        """Look at the token that was typed."""
        if not from_our_page(request):
            return self._form(request, HOME, HTTPStatus.FORBIDDEN, FOREIGN)
        try:
            fields = await read_form(request)
        except ValueError as error:
            return self._form(request, HOME, HTTPStatus.BAD_REQUEST, f"{error}.")
        place, who = here(fields.get("next", HOME)), plain(fields.get("who", ""), LONGEST_WHO)
        if refusal := self._shell.door.mistyped(request, fields.get("token", "")):
            return self._again(request, refusal.headers.get(hdrs.RETRY_AFTER), place, who)
        response = see_other(place)
        self._shell.gate.log_in(request, response, who)
        return response

    async def log_out(self, _request: web.Request, _fields: Mapping[str, str]) -> web.Response:
        """Take the cookie away."""
        response = see_other(LOGIN)
        session.end(response)
        return response

    def _again(self, request: web.Request, seconds: str | None, place: str, who: str) -> web.Response:
        """Return the form once more; `seconds`: for so long no token is looked at."""
        if seconds is None:
            return self._form(request, place, HTTPStatus.FORBIDDEN, WRONG, who)
        response = self._form(request, place, HTTPStatus.TOO_MANY_REQUESTS, LIMITED.format(seconds), who)
        response.headers[hdrs.RETRY_AFTER] = seconds
        return response

    def _form(
        self, request: web.Request, place: str, status: HTTPStatus = HTTPStatus.OK, wrong: str = "", who: str = ""
    ) -> web.Response:
        public, shut = bool(self._viewer.public().systems), self._shell.gate.shut
        known = {"next": place, "wrong": wrong, "who_typed": who, "public": public, "shut": shut}
        return self._shell.page(request, "login.html", status=status, refresh=None, **known)

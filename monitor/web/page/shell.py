"""The shell of every page: what surrounds it, who may see it, and who may act on it."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from aiohttp import hdrs, web
from markupsafe import Markup

from monitor import __version__
from monitor.faults import ConfigError
from monitor.store import StoreUnavailable, StoreUnusable
from monitor.web.accept import takes_gzip
from monitor.web.body import read_body
from monitor.web.page import said as saying
from monitor.web.page.addresses import ALERTS, HOME, LOGIN, SILENCES, here
from monitor.web.page.files import Files
from monitor.web.page.gate import FIELD, Gate
from monitor.web.page.looks import environment
from monitor.web.page.unhurried import unhurried
from monitor.web.taken import RETRY_AFTER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aiohttp.typedefs import Handler
    from jinja2 import Template

    from monitor.clock import Clock
    from monitor.web.door import Door

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with `no-referrer` a browser sends `Origin: null` with our own forms
}
NAV = ((HOME, "Overview"), (ALERTS, "Alerts"), (SILENCES, "Silences"))
REFRESH = timedelta(seconds=5)
HTML = "text/html"
MOST_FIELDS = 50
TOKEN_FIELD = Markup('<input type="hidden" name="{}" value="{}">')


class Shell:
    """Puts pages together, and lets in whoever may see them."""

    def __init__(self, door: Door, clock: Clock) -> None:
        self.door = door
        self.gate = Gate(door, clock)
        self._clock = clock
        self._files = Files()
        self._templates = environment()
        self._templates.globals |= {"file": self._files.address, "nav": NAV, "version": __version__}

    def table(self) -> list[web.RouteDef]:
        """Return the routes of the style sheet, the script and the icons."""
        return [*self._files.table()]

    def page(
        self,
        request: web.Request,
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        refresh: timedelta | None = REFRESH,
        **context: object,
    ) -> web.Response:
        """Return a page.

        `refresh`: how often it is fetched anew by itself; None: never. Besides `context` every template knows what
        `_known` returns, the filters of looks.py, `file(name)` (the address of a static file), `nav` and `version`.
        """
        text = self.template(template).render(self._known(request, refresh) | context)
        response = web.Response(text=text, status=status, content_type=HTML, headers=HEADERS)
        self._dress(request, response)
        return response

    def flowing(
        self, request: web.Request, template: str, *, refresh: timedelta | None = REFRESH, **context: object
    ) -> web.Response:
        """Return a long page as `page` does, made while it is sent, compressed for who accepts it."""
        gzip = takes_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        pieces = self.template(template).generate(self._known(request, refresh) | context)
        response = web.Response(body=unhurried(pieces, gzip=gzip), headers=HEADERS)
        response.headers[hdrs.CONTENT_TYPE] = f"{HTML}; charset=utf-8"
        response.headers[hdrs.VARY] = hdrs.ACCEPT_ENCODING
        if gzip:
            response.headers[hdrs.CONTENT_ENCODING] = "gzip"
        self._dress(request, response)
        return response

    def template(self, name: str) -> Template:
        """Return a template, compiled once."""
        return self._templates.get_template(name)

    def problem(self, request: web.Request, status: HTTPStatus, said: str) -> web.Response:
        """Return a page that says in a sentence what cannot be shown or done."""
        refresh = REFRESH if status is HTTPStatus.SERVICE_UNAVAILABLE and request.method == hdrs.METH_GET else None
        response = self.page(
            request, "problem.html", status=status, refresh=refresh, status_said=status.phrase, why=said
        )
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers[hdrs.RETRY_AFTER] = str(round(RETRY_AFTER.total_seconds()))
        return response

    def guarded(self, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> Handler:
        """Return `answer` for whoever may see pages; who is not logged in is led to the login, and back after it."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if self.gate.shows(request):
                return await self._answered(request, answer(request))
            if self.gate.open:
                return _not_by_this_name()
            return see_other(f"{LOGIN}?{urlencode({'next': request.path_qs})}")

        return guarded

    def acting(self, answer: Callable[[web.Request, Mapping[str, str]], Awaitable[web.StreamResponse]]) -> Handler:
        """Return `answer` for a form that somebody who may act has sent from our own page; it gets the fields."""

        async def acting(request: web.Request) -> web.StreamResponse:
            if not self.gate.shows(request):
                return _not_by_this_name() if self.gate.open else see_other(LOGIN)
            if against := self.gate.against(request):
                return self.problem(request, HTTPStatus.FORBIDDEN, against)
            try:
                fields = await read_form(request)
            except ValueError as error:
                return self.problem(request, HTTPStatus.BAD_REQUEST, f"{error}.")
            if not self.gate.ours(request, fields.pop(FIELD, "")):
                return self.problem(request, HTTPStatus.FORBIDDEN, "This form is too old. Load its page anew.")
            return await self._answered(request, answer(request, fields))

        return acting

    def back(self, request: web.Request, place: str, said: str) -> web.Response:
        """Return the answer to a form that was taken: on to `place`, a path of ours, where `said` is said once."""
        response = see_other(here(place))
        saying.say(self.gate.seal, response, said, self._clock.now())
        self.gate.keep_in(request, response)
        return response

    def who(self, request: web.Request) -> str:
        """Return who does what is done by a form, for the journal: the name given at the login, or `page`."""
        return self.gate.who(request)

    async def _answered(self, request: web.Request, answer: Awaitable[web.StreamResponse]) -> web.StreamResponse:
        """Return the answer, or a page with the reason why there is none."""
        try:
            return await answer
        except ConfigError as error:
            return self.problem(request, HTTPStatus.NOT_FOUND, str(error))
        except ValueError as error:
            return self.problem(request, HTTPStatus.BAD_REQUEST, str(error))
        except (StoreUnavailable, StoreUnusable):
            return self.problem(request, HTTPStatus.SERVICE_UNAVAILABLE, "The store cannot be reached at the moment.")

    def _known(self, request: web.Request, refresh: timedelta | None) -> dict[str, object]:
        """Return what every template knows."""
        somebody = self.gate.session(request)
        return {
            "now": self._clock.now(),
            "path": request.path,
            "who": somebody.who or "operator" if somebody else None,  # None: nobody is logged in
            "inside": self.gate.shows(request),
            "said": saying.hear(self.gate.seal, request, self._clock.now()),  # what a form led to
            "token_field": TOKEN_FIELD.format(FIELD, self.gate.word(request)),  # belongs into every form
            "refresh": refresh,
        }

    def _dress(self, request: web.Request, response: web.StreamResponse) -> None:
        saying.forget(request, response)
        self.gate.keep_in(request, response)


async def read_form(request: web.Request) -> dict[str, str]:
    """Return the fields of a form; raises ValueError in a sentence. Of a field that comes twice the last counts."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise ValueError("a form is sent as application/x-www-form-urlencoded")
    body = await read_body(request)
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise ValueError("the form cannot be read") from None
    return dict(pairs)


def see_other(place: str) -> web.Response:
    """Return the answer that leads on to `place`, a path of ours, by GET."""
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: place})


def _not_by_this_name() -> web.Response:
    text = "403: without MONITOR_TOKEN this page is shown only on its own machine, as http://localhost or 127.0.0.1\n"
    return web.Response(status=HTTPStatus.FORBIDDEN, text=text)

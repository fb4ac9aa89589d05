"""Who is let in: the tokens, the guesses of whoever has none, and the answers to those who stay outside."""

from __future__ import annotations

import math
from http import HTTPStatus
from ipaddress import ip_address
from secrets import token_hex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import hdrs, web

from monitor.secrets import Secret
from monitor.web.clients import client_of
from monitor.web.guesses import USUAL, Guesses
from monitor.web.tokens import credential, matches

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import timedelta

    from monitor.clock import Clock
    from monitor.web.guesses import Allowance
    from monitor.web.tokens import Tokens

NOBODY = Secret(token_hex(16))
"""What is compared with where there is nothing to compare with, so that this takes no less time."""


class Door:
    """Asks for a token where one is set."""

    def __init__(
        self,
        tokens: Tokens,
        clock: Clock,
        refused: Callable[[str], None],
        *,
        on_render: bool = False,
        allowance: Allowance = USUAL,
    ) -> None:
        """Make a door. `refused` counts by reason: missing, wrong, limited. `on_render`: behind its proxy."""
        self.tokens = tokens
        self.on_render = on_render
        self._clock = clock
        self._refused = refused
        self._guesses = Guesses(allowance)

    def refusal(self, request: web.Request) -> web.Response | None:
        """Return what to answer to a request that may not read the metrics; None if it may.

        Two `Authorization` headers are as wrong as none that fits: a proxy and we might each look at another one.
        """
        given = request.headers.getall(hdrs.AUTHORIZATION, [])
        if self.tokens.open:
            return None
        if not any(given):
            self._refused("missing")
            return _unauthorised()
        return self._judge(request, lambda: len(given) == 1 and self.tokens.may_scrape(given[0]), _unauthorised)

    def closed_to(self, request: web.Request) -> web.Response | None:
        """Return what to answer to a request that may not read how things stand; None if it may.

        It needs the operator's token, unless none is set at all. Then it must have asked this machine by its own name:
        another may lead here, too, and a page of that name in a browser could read our answers as its own.
        """
        if not self.tokens.open:
            return self.kept_out(request)
        return None if names_this_machine(request.host) else _another_name()

    def hidden_from(self, request: web.Request) -> web.Response | None:
        """Return what to answer to a request that may not know whether there is anything; None if it may.

        As `closed_to`, but the answer is that of an address where there is nothing.
        """
        if self.tokens.open:
            return None if names_this_machine(request.host) else _nothing_there()
        operator = self.tokens.operator
        return self.turned_away(request, [operator] if operator else [])

    def kept_out(self, request: web.Request) -> web.Response | None:
        """Return what to answer to a request that may not act for the operator; None if it may.

        It needs the operator's token, on this machine too: any page in a browser there can send requests.
        """
        given = request.headers.getall(hdrs.AUTHORIZATION, [])
        if not self.tokens.operator:
            return web.Response(
                status=HTTPStatus.FORBIDDEN,
                text="403: nobody may act over HTTP before MONITOR_TOKEN is set; commands need no token\n",
            )
        if not any(given):
            self._refused("missing")
            return _unauthorised()
        return self._judge(request, lambda: len(given) == 1 and self.tokens.may_act(given[0]), _unauthorised)

    def turned_away(
        self, request: web.Request, secrets: Collection[Secret], *, in_path: str = ""
    ) -> web.Response | None:
        """Return what to answer to a request that brings none of `secrets`; None if it brings one.

        It is that of an address where there is nothing, and no secret fits. `in_path`: what stands as a token in the
        address, instead of in a header. A token is needed everywhere, on loopback too.
        """
        given = request.headers.getall(hdrs.AUTHORIZATION, [])
        if not in_path and not any(given):
            self._refused("missing")
            return _nothing_there()
        brought = in_path.encode("utf-8", "surrogateescape") if in_path else credential(given[0])
        alone = bool(in_path) or len(given) == 1
        return self._judge(request, lambda: matches(brought, secrets or [NOBODY]) and alone, _nothing_there)

    def mistyped(self, request: web.Request, given: str) -> web.Response | None:
        """Return what to answer to somebody who typed `given` as the operator's token; None if it is that."""
        brought = given.encode("utf-8", "surrogateescape")
        return self._judge(request, lambda: matches(brought, [self.tokens.operator or NOBODY]), _unauthorised)

    def _judge(
        self, request: web.Request, fits: Callable[[], bool], refuse: Callable[[], web.Response]
    ) -> web.Response | None:
        """Return None if the token of a request fits, else what to answer; whoever guesses too often is not judged."""
        client = client_of(
            request.remote or "", request.headers.getall(hdrs.X_FORWARDED_FOR, []), on_render=self.on_render
        )
        now = self._clock.now()
        if wait := self._guesses.wait(client, now):
            return self._too_many(wait)
        if fits():
            return None
        self._guesses.wrong(client, now)
        self._refused("wrong")
        return refuse()

    def _too_many(self, wait: timedelta) -> web.Response:
        self._refused("limited")
        seconds = math.ceil(wait.total_seconds())
        return web.Response(
            status=HTTPStatus.TOO_MANY_REQUESTS,
            text=f"429: too many wrong tokens; none is looked at for {seconds} s\n",
            headers={hdrs.RETRY_AFTER: str(seconds)},
        )


def names_this_machine(host: str) -> bool:
    """Return whether a `Host` header is a name that only this machine has for itself; it may have a port.

    A name of somebody else's may lead to 127.0.0.1 as well, and his page could then read ours as its own.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:
        return False


def _another_name() -> web.Response:
    return web.Response(
        status=HTTPStatus.FORBIDDEN,
        text="403: nobody may read over HTTP by this name before MONITOR_TOKEN is set; use localhost\n",
    )


def _unauthorised() -> web.Response:
    response = web.Response(status=HTTPStatus.UNAUTHORIZED, text="401: a token is needed, as Bearer or as password\n")
    for scheme in ("Bearer", "Basic"):
        response.headers.add(hdrs.WWW_AUTHENTICATE, f'{scheme} realm="runbook-monitor"')
    return response


def _nothing_there() -> web.Response:
    return web.Response(status=HTTPStatus.NOT_FOUND, text="404: Not Found")

"""Who is let in: the tokens, the guesses of whoever has none, and the answers to those who stay outside."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from monitor.web.clients import client_of
from monitor.web.guesses import USUAL, Guesses

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from monitor.clock import Clock
    from monitor.web.guesses import Allowance
    from monitor.web.tokens import Tokens


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
        self._tokens = tokens
        self._clock = clock
        self._refused = refused
        self._on_render = on_render
        self._guesses = Guesses(allowance)

    def refusal(self, request: web.Request) -> web.Response | None:
        """Return what to answer to a request that may not read the metrics; None if it may.

        Two `Authorization` headers are as wrong as none that fits: a proxy and we might each look at another one.
        """
        given = request.headers.getall(hdrs.AUTHORIZATION, [])
        if self._tokens.open:
            return None
        if not any(given):
            return self._unauthorised("missing")
        client = client_of(
            request.remote or "", request.headers.getall(hdrs.X_FORWARDED_FOR, []), on_render=self._on_render
        )
        now = self._clock.now()
        if wait := self._guesses.wait(client, now):
            return self._too_many(wait)
        if len(given) == 1 and self._tokens.may_scrape(given[0]):
            return None
        self._guesses.wrong(client, now)
        return self._unauthorised("wrong")

    def _unauthorised(self, reason: str) -> web.Response:
        self._refused(reason)
        response = web.Response(
            status=HTTPStatus.UNAUTHORIZED, text="401: a token is needed, as Bearer or as password\n"
        )
        for scheme in ("Bearer", "Basic"):
            response.headers.add(hdrs.WWW_AUTHENTICATE, f'{scheme} realm="runbook-monitor"')
        return response

    def _too_many(self, wait: timedelta) -> web.Response:
        self._refused("limited")
        seconds = math.ceil(wait.total_seconds())
        return web.Response(
            status=HTTPStatus.TOO_MANY_REQUESTS,
            text=f"429: too many wrong tokens; none is looked at for {seconds} s\n",
            headers={hdrs.RETRY_AFTER: str(seconds)},
        )

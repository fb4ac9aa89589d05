"""What is said once, on the page after a form: a cookie carries it there, since nothing is kept of a browser here."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.plain import plain

if TYPE_CHECKING:
    from datetime import datetime

    from aiohttp import web

    from monitor.web.page.seal import Seal

COOKIE = "monitor-said"
LASTS = timedelta(minutes=1)
LONGEST = 500


def say(seal: Seal, response: web.StreamResponse, said: str, now: datetime) -> None:
    """Send `said` along to the next page."""
    text = seal.seal(COOKIE, now + LASTS, plain(said, LONGEST))
    seconds = int(LASTS.total_seconds())
    response.set_cookie(COOKIE, text, max_age=seconds, path="/", httponly=True, samesite="Strict")


def hear(seal: Seal, request: web.Request, now: datetime) -> str:
    """Return what is to be said on this page; empty: nothing."""
    fields = seal.open(COOKIE, request.cookies.get(COOKIE, ""), now)
    return fields[0] if fields else ""


def forget(request: web.Request, response: web.StreamResponse) -> None:
    """See to it that it is said once."""
    if COOKIE in request.cookies:
        response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")

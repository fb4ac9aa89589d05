"""Where a request comes from: from a form of our own page, from this very machine, over https."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import hdrs

if TYPE_CHECKING:
    from aiohttp import web

SITE = "Sec-Fetch-Site"
PROTOCOL = "X-Forwarded-Proto"
HTTPS = "https"
PROXIES = (hdrs.FORWARDED, hdrs.X_FORWARDED_FOR, hdrs.X_FORWARDED_HOST, PROTOCOL, hdrs.VIA, "X-Real-Ip")
"""What proxies add; a browser never sends any of them by itself."""


def from_our_page(request: web.Request) -> bool:
    """Return whether a browser says that a page of ours has sent a form.

    `Sec-Fetch-Site` says it behind any proxy, but is sent only over https and to this machine; else `Origin` must name
    the host that was asked. Neither can be written by a page. Who sends neither is no browser of today.
    """
    site = request.headers.get(SITE)
    if site is not None:
        return site == "same-origin"
    scheme, separator, host = _origin(request).partition("://")
    return bool(scheme and separator) and host == request.host


def through_a_proxy(request: web.Request) -> bool:
    """Return whether something stands between us and whoever asks, as far as it says so."""
    return any(name in request.headers for name in PROXIES)


def over_https(request: web.Request, *, on_render: bool) -> bool:
    """Return whether a form was sent over https, so that a cookie may be `Secure`.

    The browser says so in `Origin`, whatever stands in between. Render's proxy says so too.
    """
    protocol = request.headers.get(PROTOCOL, "").rpartition(",")[2].strip()
    return _origin(request).startswith(f"{HTTPS}://") or (on_render and protocol == HTTPS)


def _origin(request: web.Request) -> str:
    given = request.headers.getall(hdrs.ORIGIN, [])
    return given[0] if len(given) == 1 else ""

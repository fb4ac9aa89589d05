"""The cookies of one run, kept as a browser keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import CookieJar

from monitor.fetch import header_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yarl import URL

    from monitor.answer import Answer


class Jar:
    """Keeps what answers set and gives back what belongs to an address (RFC 6265, by aiohttp). Needs a running loop."""

    def __init__(self) -> None:
        self._jar = CookieJar(unsafe=True, quote_cookie=False)  # unsafe: also of hosts that are addresses

    def header(self, url: URL) -> str:
        """Return the Cookie header that goes to `url`; empty: none."""
        pairs = (f"{cookie.key}={cookie.value}" for cookie in self._jar.filter_cookies(url).values())
        return "; ".join(pair for pair in pairs if not header_fault("Cookie", pair))

    def keep(self, answer: Answer) -> None:
        """Take up what `answer` sets."""
        self._jar.update_cookies_from_headers(
            [value for name, value in answer.headers if name == "set-cookie"], answer.url
        )

    def values(self) -> Iterator[str]:
        """Yield the value of every cookie: whoever has one is whom it was given to."""
        return (cookie.value for cookie in self._jar)

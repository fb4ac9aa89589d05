"""Whoever takes what is pushed: one request, and what its answer means.

The rules are those of the remote write 1.0 specification: after 5xx a request is repeated with growing waits, after 429
too, after any other answer without success never.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from monitor import __version__
from monitor.channels.base import secret_parts
from monitor.channels.posting import quote, retry_after, send
from monitor.model import Failure
from monitor.secrets import Redactor, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import aiohttp

    from monitor.channels.posting import Answer

DEADLINE = timedelta(seconds=10)
"""For one request."""
HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
    "User-Agent": f"runbook-monitor/{__version__}",
}

Reason = Literal["timeout", "network", "server_error", "rate_limited", "rejected"]
REASONS: tuple[Reason, ...] = ("timeout", "network", "server_error", "rate_limited", "rejected")


class Refusal(NamedTuple):
    """Why a request was not taken. `kind` tells refusals apart; `after`: do not try again before."""

    reason: Reason
    kind: str
    detail: str
    after: timedelta | None = None

    @property
    def final(self) -> bool:
        """Return whether the same request would be refused again."""
        return self.reason == "rejected"


class Receiver:
    """Takes requests at an address."""

    def __init__(
        self, address: Secret, token: Secret | None, session: aiohttp.ClientSession, redact: Callable[[str], str]
    ) -> None:
        """Send to `address`; user and password in it, or else `token`, say who we are.

        `redact` removes from answers and errors what is secret elsewhere; what is secret here is known.
        """
        self._token = token
        self._address = address
        self._session = session
        login = unquote(urlsplit(address.reveal()).netloc.rpartition("@")[0])
        parts = (*secret_parts(address.reveal()), login, token.reveal() if token else "")
        self._own = Redactor(Secret(part) for part in parts)
        self._others = redact

    async def send(self, body: bytes) -> Refusal | None:
        """Send one request, within ten seconds; return None once it is taken, else why it was not."""
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                answer = await send(self._session, *self._target(), body)
        except TimeoutError:
            return Refusal("timeout", "timeout", f"no answer within {DEADLINE.total_seconds():.0f} s")
        except Failure as failure:
            return Refusal("network", failure.reason, self._redact(failure.detail))
        except Exception as error:  # noqa: BLE001 - a bug here must not end the monitoring; its text may hold the address
            return Refusal("network", type(error).__name__, type(error).__name__)
        return None if answer.accepted else self._refusal(answer)

    def _target(self) -> tuple[str, Mapping[str, str]]:
        """Return the address without user and password, and the headers that stand for them."""
        parts = urlsplit(self._address.reveal())
        login, _, host = parts.netloc.rpartition("@")
        headers = dict(HEADERS)
        if login:
            headers["Authorization"] = f"Basic {base64.b64encode(unquote(login).encode()).decode()}"
        elif self._token:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        return urlunsplit(parts._replace(netloc=host, fragment="")), headers

    def _redact(self, text: str) -> str:
        return self._others(self._own(text))

    def _refusal(self, answer: Answer) -> Refusal:
        # secrets go before the text is cut: half of one would not be found any more
        said = quote(replace(answer, text=self._redact(answer.text)))
        kind = f"status {answer.status}"
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            return Refusal("rate_limited", kind, said, retry_after(answer.headers))
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Refusal("server_error", kind, said, retry_after(answer.headers))
        return Refusal("rejected", kind, said)

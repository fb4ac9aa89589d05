"""One POST over HTTP, and what its answer means: shared by the kinds whose peer takes JSON."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import AfterValidator
from yarl import URL

from monitor.channels.base import DEADLINE, Rejected, Retry
from monitor.model import Failure, Reason
from monitor.network import failure_of
from monitor.plain import plain
from monitor.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from monitor.channels.base import Resources
    from monitor.network import Family, Resolver, TlsContexts

FAMILIES: Mapping[int, Family] = {socket.AF_INET: "ipv4", socket.AF_INET6: "ipv6"}
HERE = frozenset({"127.0.0.1", "::1", "localhost"})
LARGEST_ANSWER = 64 * 1024
PATIENCE = timedelta(seconds=2)
"""For the body of an answer whose status is known: it only says more."""
LONGEST_WAIT = timedelta(minutes=15)
LONGEST_QUOTE = 200
AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})

_SECONDS = re.compile(r"\d+(?:\.\d+)?")


def _http_address(secret: Secret) -> Secret:
    text = secret.reveal()
    try:
        known = urlsplit(text).scheme in {"http", "https"} and bool(URL(text).host) and text == plain(text, len(text))
    except ValueError:
        known = False
    if not known:
        raise ValueError("must be an http:// or https:// address")
    return secret


Address = Annotated[Secret, AfterValidator(_http_address)]
"""A secret http or https address."""


def _endpoint(text: str) -> str:
    try:
        url = URL(text)
        known = url.scheme == "https" or (url.scheme == "http" and url.host in HERE)
        bare = bool(url.host) and not (url.user or url.query_string or url.fragment) and text == plain(text)
    except ValueError:
        known = bare = False
    if not known or not bare:
        raise ValueError("must be an https:// address without user or query; http:// only on this machine")
    return text.rstrip("/")


def _token(secret: Secret) -> Secret:
    if not re.fullmatch("[!-~]+", secret.reveal()):
        raise ValueError("must be printable ASCII without blanks")
    return secret


Endpoint = Annotated[str, AfterValidator(_endpoint)]
"""The address of a vendor's API, which is no secret; a secret is sent there, so never in the clear."""
Token = Annotated[Secret, AfterValidator(_token)]
"""A secret that a vendor gives out: a key, a token, an id."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the text as far as it was read, and whether that is all of it."""

    status: int
    headers: Mapping[str, str]
    text: str = ""
    whole: bool = True

    @property
    def accepted(self) -> bool:
        """Return whether the status is one of success."""
        return HTTPStatus(200) <= self.status < HTTPStatus(300)


def open_session(resolver: Resolver, tls: TlsContexts, *, keep: bool = False) -> aiohttp.ClientSession:
    """Return a session for `Resources`, on the connections of which nothing waits for Python's own resolver.

    It keeps no cookie, and no connection either, unless `keep`: messages are rare, and one must not meet a connection
    that its peer gave up meanwhile.
    """
    connector = aiohttp.TCPConnector(
        resolver=_Names(resolver), use_dns_cache=False, ssl=tls.get(), force_close=not keep, limit=0
    )
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False)


class _Names(AbstractResolver):
    """Our resolver as aiohttp wants one. A name that cannot be resolved is a `Failure`, which aiohttp lets through."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await self._resolver.addresses(host, FAMILIES.get(family, "any"), DEADLINE)
        return [_resolved(host, address, port) for address in addresses]

    async def close(self) -> None:
        """Leave the resolver open: it belongs to whoever made it."""


def _resolved(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=flags)


async def post(
    resources: Resources, url: str, payload: Mapping[str, Any], headers: Mapping[str, str], *, read: bool = False
) -> Answer:
    """Send `payload` as JSON and return the answer, as `send` does."""
    headers = {**headers, "Content-Type": "application/json"}
    return await send(resources.session, url, headers, json.dumps(payload).encode(), read=read)


async def send(
    session: aiohttp.ClientSession, url: str, headers: Mapping[str, str], body: bytes, *, read: bool = False
) -> Answer:
    """Send `body` and return the answer; redirects are not followed.

    The body of an answer of success is left alone unless `read`: what it says changes nothing, so a slow one must not
    turn a success into a failure. Raises `Failure` when no answer came.
    """
    return await _exchange(session.post(url, data=body, **_options(headers)), read=read)


async def ask(session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> Answer:
    """Return what a GET is answered, as `send` does, with the body."""
    return await _exchange(session.get(url, **_options(headers)), read=True)


def _options(headers: Mapping[str, str]) -> dict[str, Any]:
    return {"headers": {**headers, "Accept-Encoding": "identity"}, "allow_redirects": False}


async def _exchange(request: AbstractAsyncContextManager[aiohttp.ClientResponse], *, read: bool) -> Answer:
    try:
        async with request as response:
            answer = Answer(response.status, response.headers)
            if read or not answer.accepted:
                text, whole = await _read(response)
                answer = replace(answer, text=text, whole=whole)
            response.close()  # not to be waited for: what is left of the body changes nothing
            return answer
    except aiohttp.ClientError as error:
        raise _failure(error) from None


async def _read(response: aiohttp.ClientResponse) -> tuple[str, bool]:
    body = bytearray()
    whole = False
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            async for part in response.content.iter_any():
                body += part
                if len(body) >= LARGEST_ANSWER:
                    break
            else:
                whole = True
    except (TimeoutError, aiohttp.ClientError):
        pass  # the status came, and so did some of the text
    return body[:LARGEST_ANSWER].decode("utf-8", "replace"), whole


def _failure(error: aiohttp.ClientError) -> Failure:
    match error:
        case aiohttp.ClientConnectorError():
            return failure_of(error.os_error, error.host)
        case OSError():
            return failure_of(error, "the peer")
        case aiohttp.ServerDisconnectedError():
            return Failure(Reason.RESET, "the peer closed the connection without an answer")
        case _:
            return Failure(Reason.PROTOCOL, f"no valid answer: {type(error).__name__}")


def refusal(answer: Answer) -> Retry | Rejected:
    """Return what an answer without success means: `Retry` where the peer may yet take it, else `Rejected`."""
    said = quote(answer)
    if answer.status in AGAIN or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Retry(said, retry_after(answer.headers))
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return Rejected(f"{said}; redirects are not followed")
    return Rejected(said)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return the wait that `Retry-After` asks for, at most a quarter of an hour; None if it says nothing usable.

    A date counts from the answer's own `Date`, so that neither our clock nor the peer's need be right.
    """
    asked = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(asked):
        return timedelta(seconds=min(float(asked), LONGEST_WAIT.total_seconds()))
    until, now = _date(asked), _date(headers.get("Date", ""))
    if until is None or now is None or until < now:
        return None
    return min(until - now, LONGEST_WAIT)


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def read_object(text: str) -> Mapping[str, Any]:
    """Return the JSON object that `text` holds, or nothing."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def quote(answer: Answer) -> str:
    """Return the status and the first of what a person can read of the body."""
    said = "" if "html" in answer.headers.get("Content-Type", "") else plain(answer.text, LONGEST_QUOTE)
    return f"answered {answer.status}: {said}" if said else f"answered {answer.status}"

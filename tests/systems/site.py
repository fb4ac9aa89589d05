"""What every stand-in is made of: hosts with real names and certificates, on ports of the loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import warnings
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from aiohttp import web

from tests.peers import name_server

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping

    from tests.peers import Authority, NameServer

HTML = '<!doctype html><html><head><script src="/index.js"></script></head><body><div id="root"></div></body></html>'
MONTHS = timedelta(days=80)


@dataclass(frozen=True)
class Answer:
    """What a host says. `delay`: after so many seconds."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0


def says_json(value: Any, status: int = 200) -> Answer:  # noqa: ANN401 - any JSON value
    return Answer(status, json.dumps(value), {"Content-Type": "application/json"})


def page(text: str = HTML, status: int = 200) -> Answer:
    return Answer(status, text, {"Content-Type": "text/html; charset=utf-8"})


class Origins:
    """Which origins may call, as Starlette's CORSMiddleware tells them, with credentials allowed.

    With `*` it echoes whoever sends a preflight, and says `*` only to plain requests.
    """

    def __init__(self, *allowed: str) -> None:
        self.allowed = set(allowed)

    def preflight(self, origin: str) -> Answer:
        if not self.allowed & {origin, "*"}:
            return Answer(400, "Disallowed CORS origin")
        return Answer(200, "OK", {"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Methods": "GET, POST"})

    def simple(self, origin: str) -> dict[str, str]:
        if "*" in self.allowed:
            return {"Access-Control-Allow-Origin": "*"}
        return {"Access-Control-Allow-Origin": origin} if origin in self.allowed else {}


class Site:
    """One host: answers by method and path, 404 for the rest. `instead` is said to every request while it is set.

    An answer may be a function of the request's headers and body.

    `headers` come with every answer. `bearer`: 401 to whoever lacks that token.
    `hangs_up`: connections end without an answer.
    """

    def __init__(self, host: str, authority: Authority | None) -> None:
        """Make a host, over TLS if there is an `authority` to sign its certificate."""
        self.host = host
        self.port = 0
        self._authority = authority
        self._tls = authority.server(host, ends=MONTHS) if authority else None
        self.heal()

    def heal(self) -> None:
        """Have no answer, no fault, and a good certificate."""
        self.answers: dict[tuple[str, str], Answer | Callable[[Mapping[str, str], bytes], Answer]] = {}
        self.instead: Answer | None = None
        self.headers: dict[str, str] = {}
        self.origins: Origins | None = None
        self.bearer = ""
        self.hangs_up = False
        if self._authority:
            self.shows_certificate()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}"

    def shows_certificate(self, *names: str, ends: timedelta = MONTHS) -> None:
        """Show a certificate for `names` (default: its own) that ends so long from now."""
        assert self._authority
        assert self._tls
        _load(self._tls, self._authority, names or (self.host,), ends)

    def speaks_only(self, version: ssl.TLSVersion) -> None:
        """Speak no other version of TLS, with whatever ciphers that takes."""
        assert self._tls
        self._tls.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            self._tls.minimum_version = self._tls.maximum_version = version

    async def answer(self, request: web.Request) -> web.Response:
        found = self.instead or self._answer(request)
        if not isinstance(found, Answer):
            found = found(request.headers, await request.read())
        await asyncio.sleep(found.delay)
        if self.hangs_up and request.transport:
            request.transport.abort()
        headers = {**self._allowing(request), **self.headers, **found.headers}
        return web.Response(status=found.status, body=found.body.encode(), headers=headers)

    def _answer(self, request: web.Request) -> Answer | Callable[[Mapping[str, str], bytes], Answer]:
        if self.bearer and request.headers.get("Authorization") != f"Bearer {self.bearer}":
            return Answer(401, '{"title": "Unauthenticated"}')
        if self.origins and request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return self.origins.preflight(request.headers["Origin"])
        return self.answers.get((request.method, request.path)) or Answer(404, "Not Found")

    def _allowing(self, request: web.Request) -> dict[str, str]:
        origin = request.headers.get("Origin", "")
        return self.origins.simple(origin) if self.origins and origin and request.method != "OPTIONS" else {}

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen until `stack` ends."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self.port = runner.addresses[0][1]


class Api(Site):
    """A host of a vendor, which says in each answer what time it is by `now`."""

    def __init__(self, host: str, authority: Authority | None, now: Callable[[], datetime] | None = None) -> None:
        self.now = now or partial(datetime.now, UTC)
        super().__init__(host, authority)

    async def answer(self, request: web.Request) -> web.Response:
        response = await super().answer(request)
        response.headers.setdefault("Date", self.now().strftime("%a, %d %b %Y %H:%M:%S GMT"))
        return response


class StandIn:
    """A system as the runbook describes it: its hosts, and a name server that knows them.

    A system makes its hosts in `build`, says in `heal` what they answer when all is well, and has a method for each
    thing that goes wrong. `environ` points the system's file at it. `clock` is what its hosts take the time from.
    """

    name: str

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.clock: Callable[[], datetime] = partial(datetime.now, UTC)
        self.names: NameServer
        self.sites: list[Site] = []
        self._stack = AsyncExitStack()
        self.build()

    def build(self) -> None:
        """Make the hosts."""
        raise NotImplementedError

    def heal(self) -> None:
        """Let everything be well; a system goes on with what its hosts answer."""
        for site in self.sites:
            site.heal()
            self.names.has(site.host, "A", socket.inet_aton("127.0.0.1"))

    @property
    def environ(self) -> dict[str, str]:
        raise NotImplementedError

    def now(self) -> datetime:
        """Return what its hosts take for the time."""
        return self.clock()

    def site(self, host: str, *, tls: bool = True) -> Site:
        """Return a new host of this system."""
        made = Site(host, self.authority if tls else None)
        self.sites.append(made)
        return made

    def host(self, name: str) -> Site:
        """Return the host of that name, over TLS."""
        return next(site for site in self.sites if site.host == name)

    async def __aenter__(self) -> Self:
        self.names = await self._stack.enter_async_context(name_server())
        for site in self.sites:
            await site.start(self._stack)
        self.heal()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


def _load(context: ssl.SSLContext, authority: Authority, names: Iterable[str], ends: timedelta) -> None:
    """Show another certificate from the next handshake on."""
    both = authority.path.with_name("shown.pem")
    starts = min(timedelta(days=-10), ends - timedelta(days=90))
    both.write_bytes(b"".join(authority.certificate(*names, starts=starts, ends=ends)))
    context.load_cert_chain(both)

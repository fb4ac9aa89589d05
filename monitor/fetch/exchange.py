"""One HTTP exchange on a fresh connection, redirects included, with every phase of it measured."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from monitor.answer import Answer
from monitor.fetch.line import Line, Tls
from monitor.fetch.reader import LONGEST_BODY, Reader
from monitor.fetch.redirects import onward, permitted, same_origin, target
from monitor.model import Failure, Reason, State
from monitor.network import failure_of, peer_certificate, peer_text
from monitor.secrets import Secret

if TYPE_CHECKING:
    from yarl import URL

    from monitor.fetch.request import Request
    from monitor.network import Certificate, Family, Resolver, TlsContexts

ELSEWHERE = frozenset({Reason.REFUSED, Reason.UNREACHABLE})
"""Only these lead on to a name's next address: any other fault is one that this address's users meet as well."""
SECOND_LOOK = timedelta(seconds=2)
"""At most, and half of what is left: a certificate that was refused must not become a timeout for want of its date."""
UNVERIFIED = frozenset({Reason.TLS_INVALID, Reason.TLS_EXPIRED})


@dataclass(frozen=True, slots=True)
class Options:
    """How an exchange is made. `redirects`: how many are followed. `within`: what the caller has left for all of it.

    `longest`: how many bytes of the body are read, decompressed. `server_name` is asked for in TLS
    instead of the host, but not of another origin that a redirect leads to.
    """

    redirects: int = 10
    family: Family = "any"
    within: timedelta = timedelta(seconds=10)
    verify: bool = True
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    ca_file: str = ""
    server_name: str = ""
    longest: int = LONGEST_BODY


class Cookies(Protocol):
    """What a browser would remember between requests."""

    def header(self, url: URL) -> str:
        """Return the Cookie header that goes to `url`; empty: none."""
        ...

    def keep(self, answer: Answer) -> None:
        """Take up what `answer` sets."""
        ...


class Exchange:
    """One request and its answer. What was measured stays here, also when it failed or was cut off by the deadline.

    `phases`: seconds of dns, connect, tls, processing (asked to first byte) and transfer, added up over redirects; a
    phase that never ended is missing. `certificate`: of those that were shown, the one that expires first.
    `redirects`: how many were followed. `address`: the last one spoken to.
    """

    def __init__(
        self,
        request: Request,
        resolver: Resolver,
        tls: TlsContexts,
        options: Options | None = None,
        cookies: Cookies | None = None,
    ) -> None:
        """Make an exchange that sends and keeps `cookies`, where there are any, with every request of it."""
        self.phases: dict[str, float] = {}
        self.certificate: Certificate | None = None
        self.redirects = 0
        self.address = ""
        self._started = 0.0
        self._request = request
        self._resolver = resolver
        self._contexts = tls
        self._options = options or Options()
        self._cookies = cookies

    async def run(self) -> Answer:
        """Make the exchange and return the answer, whatever its status.

        Raises `Failure` when there is none. It has no deadline: the caller's cancels it, and the connection is closed.
        """
        self._started = perf_counter()
        request = self._request
        while True:
            answer = await self._hop(self._with_cookies(request))
            if self._cookies:
                self._cookies.keep(answer)
            url = target(answer) if self._options.redirects else None
            if url is None:
                return answer
            if self.redirects >= self._options.redirects:
                raise Failure(Reason.STATUS, f"expected at most {self._options.redirects} redirects, got more")
            self.redirects += 1
            request = onward(request, url, answer.status)

    def _with_cookies(self, request: Request) -> Request:
        text = self._cookies.header(request.url) if self._cookies else ""
        if not text or any(name.lower() == "cookie" for name, _ in request.headers):
            return request
        return replace(request, headers=(*request.headers, ("Cookie", Secret(text))))

    async def _hop(self, request: Request) -> Answer:
        url, reader = request.url, Reader(request.method, self._options.longest)
        try:
            line = Line(request.wire, reader, self._tls(url))
        except ValueError as error:
            raise Failure(Reason.PROTOCOL, f"{_peer(url)} cannot be asked: {error}") from None
        addresses = await self._addresses(url.raw_host or "")
        started = perf_counter()
        transport = await self._connected(line, addresses, url)
        try:
            outcome = await reader.done
        finally:
            transport.abort()
            self._measure(started, line, reader)
        if outcome:
            raise await self._failure(outcome, url)
        took = timedelta(seconds=sum(self.phases.values()))
        return Answer(url, reader.status, tuple(reader.headers), reader.body, reader.truncated, took, self.redirects)

    def _tls(self, url: URL) -> Tls | None:
        if url.scheme != "https":
            return None
        options = self._options
        context = self._contexts.get(verify=options.verify, minimum=options.minimum, ca_file=options.ca_file)
        return Tls(context, self._server_name(url))

    def _server_name(self, url: URL) -> str:
        configured = self._options.server_name if same_origin(url, self._request.url) else ""
        return configured or (url.raw_host or "").rstrip(".")

    async def _addresses(self, host: str) -> list[str]:
        started = perf_counter()
        resolved = await self._resolver.addresses(host, self._options.family, self._left(started))
        found = permitted(resolved, self.address, host)
        self._add("dns", perf_counter() - started)
        return found

    async def _connected(self, line: Line, addresses: list[str], url: URL) -> asyncio.Transport:
        failures: list[Failure] = []
        for self.address in addresses:
            try:
                transport, _ = await asyncio.get_running_loop().create_connection(
                    lambda: line, self.address, url.port or 0
                )
            except OSError as error:
                failures.append(failure_of(error, _peer(url)))
                if failures[-1].reason not in ELSEWHERE:
                    break
            else:
                return transport
        raise next((failure for failure in failures if failure.state is State.DOWN), failures[-1])

    def _measure(self, started: float, line: Line, reader: Reader) -> None:
        self._add("connect", line.made_at - started)
        if line.secured_at:
            self._add("tls", line.secured_at - line.made_at)
            self._keep(self._contexts.certificate(line.certificate))
        if reader.first_at:
            self._add("processing", reader.first_at - line.asked_at)
        if reader.ended_at and not reader.done.result():
            self._add("transfer", reader.ended_at - reader.first_at)

    def _add(self, phase: str, seconds: float) -> None:
        self.phases[phase] = self.phases.get(phase, 0.0) + seconds

    def _keep(self, shown: Certificate | None) -> None:
        if shown and (self.certificate is None or shown.expires < self.certificate.expires):
            self.certificate = shown

    async def _failure(self, error: Exception, url: URL) -> Failure:
        if isinstance(error, Failure):
            return Failure(error.reason, f"{_peer(url)} {error.detail}")
        failure = failure_of(error, _peer(url))
        if failure.reason in UNVERIFIED:
            name, within = self._server_name(url), min(SECOND_LOOK, self._left(perf_counter()) / 2)
            self._keep(await peer_certificate(self.address, url.port or 0, name, self._contexts, within))
        return failure

    def _left(self, now: float) -> timedelta:
        return self._options.within - timedelta(seconds=now - self._started)


def _peer(url: URL) -> str:
    return peer_text(url.raw_host or "", url.port or 0)

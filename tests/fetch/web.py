"""Web servers that speak bytes, and a client that trusts them."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from yarl import URL

from monitor.fetch import Exchange, Options, Request
from monitor.secrets import Secret

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from monitor.answer import Answer
    from monitor.network import Resolver, TlsContexts
    from tests.peers import NameServer

LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@dataclass
class Web:
    """Answers each connection with the next of `answers`, the last one for ever, and keeps the requests it got.

    It closes after an answer; with `hold` it leaves that to the client.
    """

    answers: list[bytes]
    hold: bool = False
    requests: list[bytes] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(request)
        self.requests.append(request + await reader.readexactly(int(length[1]) if length else 0))
        writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        await writer.drain()
        if not self.hold:
            writer.close()


def serving(*answers: bytes, hold: bool = False) -> Web:
    return Web(list(answers), hold)


@dataclass
class Client:
    """Makes exchanges, and keeps the last one."""

    resolver: Resolver
    tls: TlsContexts
    names: NameServer
    ca_file: str
    exchange: Exchange | None = None

    def knows(self, *hosts: str) -> None:
        """Have names for the loopback."""
        for host in hosts:
            self.names.has(host, "A", socket.inet_aton("127.0.0.1"))

    def prepare(self, url: str, options: Options | None = None, came_from: str = "", **request: object) -> Exchange:
        headers = request.pop("headers", {})
        assert isinstance(headers, dict)
        asked = Request(URL(url), headers=_secret(headers), **request)  # type: ignore[arg-type]
        options = replace(options or Options(), ca_file=self.ca_file)
        self.exchange = Exchange(asked, self.resolver, self.tls, options)
        self.exchange.address = came_from
        return self.exchange

    async def get(self, url: str, options: Options | None = None, came_from: str = "", **request: object) -> Answer:
        return await self.prepare(url, options, came_from, **request).run()


def _secret(headers: Mapping[str, str]) -> tuple[tuple[str, Secret], ...]:
    return tuple((name, Secret(value)) for name, value in headers.items())

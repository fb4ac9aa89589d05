"""Peers of channels that do as they should, or as they are told: over HTTP and over SMTP."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Mapping
    from email.message import EmailMessage

    from tests.peers import Talk


@dataclass(slots=True)
class Posts:
    """An HTTP server that keeps what it gets and answers as it is told."""

    port: int = 0
    status: int = 200
    body: str = "ok"
    headers: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[int, str]] = field(default_factory=list)
    got: list[Any] = field(default_factory=list)
    asked: list[Mapping[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        form = request.content_type == "application/x-www-form-urlencoded"
        self.got.append(dict(await request.post()) if form else json.loads(await request.text()))
        self.asked.append(request.headers)
        self.paths.append(request.path)
        status, body = self.answers.pop(0) if self.answers else (self.status, self.body)
        return web.Response(status=status, text=body, headers=self.headers)


@asynccontextmanager
async def posts() -> AsyncIterator[Posts]:
    """Run an HTTP server on a port of the loopback."""
    server = Posts()
    app = web.Application()
    app.router.add_post("/{path:.*}", server.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


def converses(*answers: bytes) -> Talk:
    """Say the first of `answers`, then one more for each line heard; after the last, nothing."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, answer in enumerate(answers):
            if number and not await reader.readline():
                return
            writer.write(answer)
            await writer.drain()

    return talk


@dataclass(slots=True)
class Mails:
    """An SMTP server that keeps what it gets, and refuses what it is told to."""

    port: int = 0
    password: str = ""
    refused: dict[str, str] = field(default_factory=dict)
    data_answer: str = "250 taken"
    got: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        assert isinstance(envelope.content, bytes)
        if self.data_answer.startswith("250"):
            self.got.append(message_from_bytes(envelope.content, policy=default))
            self.envelopes.append(envelope)
            self.encrypted.append(session.ssl is not None)
            self.names.append(session.host_name or "")
        return self.data_answer

    def let_in(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=login.password.decode() == self.password, handled=False)


@asynccontextmanager
async def mails(
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    **options: Any,  # noqa: ANN401 - options of aiosmtpd
) -> AsyncIterator[Mails]:
    """Run an SMTP server on a port of the loopback: with STARTTLS, with TLS from the start, or with neither."""
    kept = Mails()
    made: list[SMTP] = []

    def serve() -> SMTP:
        made.append(SMTP(kept, enable_SMTPUTF8=True, tls_context=starttls, authenticator=kept.let_in, **options))
        return made[-1]

    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0, ssl=tls)
    kept.port = server.sockets[0].getsockname()[1]
    try:
        yield kept
    finally:
        server.close()
        for one in made:
            if isinstance(one.transport, asyncio.WriteTransport):
                one.transport.abort()
        await asyncio.sleep(0)

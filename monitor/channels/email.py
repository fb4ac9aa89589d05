"""E-mail: one conversation over SMTP per delivery, encrypted wherever the server can."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, cast
from urllib.parse import unquote, urlsplit

import structlog
from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)
from pydantic import AfterValidator, Field

from monitor.channels.base import DEADLINE, Channel, Delivered, Rejected, Retry
from monitor.channels.mail import MAILBOX, Mailbox, mail_of
from monitor.network import connect, failure_of, hang_up, peer_text
from monitor.plain import plain
from monitor.secrets import Secret

if TYPE_CHECKING:
    import asyncio
    from email.message import EmailMessage

    from monitor.channels.base import Resources, SendResult
    from monitor.model import Delivery

PORTS = {"smtp": 587, "smtps": 465}
STARTTLS = {"": "offered", "starttls=never": "never", "starttls=required": "required"}
SERVER_FORM = (
    "must be smtp://user:password@host:587 or smtps://…, with ?starttls=never or ?starttls=required where wanted; "
    "in a password, write @ as %40, / as %2F, ? as %3F, # as %23 and % as %25"
)
PERMANENT = 500
"""From here on an answer of SMTP means that the same would be refused again (RFC 5321, 4.2.1)."""

log = structlog.get_logger()


class Server(NamedTuple):
    """What `smtp` says. `starttls`: `offered` uses it if the server has it, and needs it before a password is sent."""

    host: str
    port: int
    tls: bool
    starttls: str
    user: str
    password: str


def parse_server(text: str) -> Server:
    """Return what an address such as `smtp://user:password@host:587?starttls=required` says.

    Raises ValueError, without the text, when it is not one.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(SERVER_FORM) from None
    starttls = STARTTLS.get(parts.query, "")
    strange = parts.scheme not in PORTS or parts.path not in {"", "/"} or parts.fragment
    if not host or host != plain(host) or not starttls or strange:
        raise ValueError(SERVER_FORM)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Server(host, port or PORTS[parts.scheme], parts.scheme == "smtps", starttls, user, password)


def _server_address(secret: Secret) -> Secret:
    parse_server(secret.reveal())
    return secret


ServerAddress = Annotated[Secret, AfterValidator(_server_address)]


class EmailChannel(Channel):
    """Sends a mail through your SMTP server."""

    kind: Literal["email"] = "email"
    to: Annotated[list[Mailbox], Field(min_length=1)]
    """Who gets it."""
    smtp: ServerAddress
    """The server: `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://…` (TLS from the start)."""
    from_: Annotated[Mailbox | None, Field(alias="from")] = None
    """The sender; default: the user of `smtp` if that is an address, else `monitor@` its host."""
    ca_file: str = ""
    """A file of certificates to trust besides the system's, for a server of your own."""

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Send once. A mail that at least one recipient's server takes is delivered; the others are logged."""
        server = parse_server(self.smtp.reveal())
        sender = self.from_ or _default_sender(server)
        tls = resources.tls.get(ca_file=self.ca_file)
        connected, _ = await connect(resources.resolver, server.host, server.port, DEADLINE, _unmeasured)
        client = SMTP(
            hostname=server.host,
            sock=connected,
            local_hostname=_own_name(connected),
            use_tls=server.tls,
            start_tls=False,
            tls_context=tls,
            timeout=None,
        )
        try:
            await client.connect()
            return await _introduce(client, server) or await self._hand_over(client, mail_of(delivery, sender, self.to))
        except SMTPException as error:
            return _meaning(error, peer_text(server.host, server.port))
        except OSError as error:
            raise failure_of(error, peer_text(server.host, server.port)) from None
        finally:
            _leave(client)

    async def _hand_over(self, client: SMTP, mail: EmailMessage) -> SendResult:
        refused, _ = await client.send_message(mail)
        if refused:
            log.warning("recipients_refused", refused={one: answer.code for one, answer in refused.items()})
        return Delivered()


async def _introduce(client: SMTP, server: Server) -> Rejected | None:
    """Say hello, encrypt, log in; return why the server cannot be used as it is set."""
    await client.ehlo()
    offered = client.supports_extension("starttls")
    if offered and server.starttls != "never":
        await client.starttls()
    elif not server.tls and server.starttls == "required":
        return Rejected("the server offers no STARTTLS")
    elif not server.tls and server.starttls == "offered" and server.password:
        return Rejected("the server offers no STARTTLS, and without it the password is sent only with ?starttls=never")
    if server.user:
        await client.login(server.user, server.password)
    return None


def _unmeasured(name: str, value: float, **label: str) -> None:
    """Take no note of how long a phase took: only probes measure."""


def _leave(client: SMTP) -> None:
    """Say QUIT, but wait for nothing: what was accepted stays accepted, and no answer may take that back."""
    transport, client.transport = client.transport, None
    client.close()
    if transport is not None and not transport.is_closing():
        writing = cast("asyncio.WriteTransport", transport)
        writing.write(b"QUIT\r\n")
        hang_up(writing)


def _meaning(error: SMTPException, peer: str) -> Retry | Rejected:
    """Return what an error of the conversation means for this mail."""
    match error:
        case SMTPRecipientsRefused():
            last = max(error.recipients, key=lambda refusal: refusal.code < PERMANENT)
            return _judged(last.code, f"no recipient was accepted: {last.code} {last.message}")
        case SMTPAuthenticationError():
            return _judged(error.code, f"the server refuses the user or the password: {error.code} {error.message}")
        case SMTPResponseException() if error.code < 0:
            return Retry(f"{peer} gave no valid answer")
        case SMTPResponseException():
            return _judged(error.code, f"the server answered {error.code} {error.message}")
        case OSError():
            cause = error.__cause__
            return Retry(failure_of(cause if isinstance(cause, OSError) else EOFError(), peer).detail)
        case _:
            return Rejected(error.message)


def _judged(code: int, reason: str) -> Retry | Rejected:
    return Rejected(reason) if code >= PERMANENT else Retry(reason)


def _default_sender(server: Server) -> str:
    if MAILBOX.fullmatch(server.user):
        return server.user
    named = re.search("[a-z]", server.host.rpartition(".")[2]) and ":" not in server.host
    return f"monitor@{server.host if named else 'localhost'}"


def _own_name(connected: socket.socket) -> str:
    """Return what to call ourselves: our full name, or our address, since asking DNS for it could take for ever."""
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    address = connected.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

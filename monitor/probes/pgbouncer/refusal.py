"""What an error of the console, of libpq, or of whatever answers in PgBouncer's place says of it."""

from __future__ import annotations

import errno
import os
import re

from monitor.databases import failure_of_code
from monitor.model import Failure, Reason, State
from monitor.network import failure_of

SERVER_SAYS = re.compile(r"(?:FATAL|ERROR|PANIC): +(?P<said>.*)")
"""libpq hands on no SQLSTATE of a login that failed, and PgBouncer has one for nearly all of them: the text decides."""
NO_CONSOLE = re.compile(r"no such database|database .* does not exist")
SAID: tuple[tuple[str, str], ...] = (
    ("not allowed", "42501"),
    ("too many clients", "53300"),
    ("remaining connection slots", "53300"),
    ("starting up", "57P03"),
    ("not yet accepting", "57P03"),
    ("shutting down", "57P01"),
    ("authentication", "28000"),
    ("no such user", "28000"),
    ("role ", "28000"),
    ("pg_hba.conf", "28000"),
)
"""What a server says when it does not let us in, and the SQLSTATE that means that; the first that fits counts."""
BROKEN = "XX000"
TLS_ONLY = "SSL required"
NO_TLS = "does not support SSL"
NO_PASSWORD = "no password supplied"  # noqa: S105 - libpq's words
ENDED = ("closed the connection", "EOF detected", "socket closed")
OUR_FILES = ("certificate file", "private key file")
UNVERIFIED = ("certificate", "SSL error")
UNKNOWN_PARAMETER = "42704"
"""What PostgreSQL says of a SHOW that it does not know."""
OF_THE_CONSOLE = "08P01"
"""What PgBouncer says of whatever its console does not know or allow; the connection goes on."""


def failure_of_connection(message: str, place: str) -> Failure:
    """Return what it means that there is no connection, or none any more; `message` is libpq's, or a server's in it."""
    message = " ".join(message.split())
    if heard := SERVER_SAYS.search(message):
        return _of_server(heard["said"], place)
    if NO_PASSWORD in message:
        return failure_of_code("28000", "it asks for a password, and the dsn has none", place)
    number = next((number for number in errno.errorcode if os.strerror(number) in message), None)
    if number is not None:
        return failure_of(OSError(number, os.strerror(number)), place)
    if any(text in message for text in ENDED):
        return failure_of(EOFError(), place)
    return _of_tls(message, place) or Failure(Reason.PROTOCOL, f"{place} does not speak PostgreSQL's protocol")


def failure_of_answer(code: str, said: str, command: str, place: str) -> Failure:
    """Return what it means that `command` was refused under a SQLSTATE."""
    if code == UNKNOWN_PARAMETER:
        return Failure(Reason.PROTOCOL, f"{place} is no PgBouncer: asked to {command}, it says {said}")
    if code == OF_THE_CONSOLE:
        return Failure(Reason.PROTOCOL, f"{place} refuses to {command}: {said}")
    return failure_of_code(code, said, place)


def _of_server(said: str, place: str) -> Failure:
    if NO_CONSOLE.search(said):
        return Failure(Reason.MISSING, f"{place} has no console, so it is no PgBouncer, or offers none: {said}")
    if TLS_ONLY in said:
        return Failure(Reason.TLS_INVALID, f"{place} takes only TLS")
    return failure_of_code(next((code for text, code in SAID if text in said), BROKEN), said, place)


def _of_tls(message: str, place: str) -> Failure | None:
    if NO_TLS in message:
        return Failure(Reason.TLS_INVALID, f"{place} takes no TLS")
    if any(text in message for text in OUR_FILES):
        return Failure(Reason.UNKNOWN, f"{place}: a certificate of ours cannot be read", State.UNKNOWN)
    if any(text in message for text in UNVERIFIED):
        why = message.rpartition("failed: ")[2]
        return Failure(Reason.TLS_INVALID, f"no TLS with {place}: {why}")  # libpq never says that one has expired
    return None

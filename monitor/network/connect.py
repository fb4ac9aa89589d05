"""Connections by address, their phases measured, and the one place that says what an error of the network means."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from contextlib import asynccontextmanager
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from monitor.model import Failure, Reason, State
from monitor.network.tls import read_certificate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.network.names import Family, Resolver
    from monitor.network.tls import Certificate, TlsContexts


class Note(Protocol):
    """Takes a measure as soon as it is known; `Run.note` is one."""

    def __call__(self, name: str, value: float, **label: str) -> None:
        """Note `value` under `name` and a label."""


async def connect(
    resolver: Resolver, host: str, port: int, within: timedelta, note: Note, family: Family = "any"
) -> tuple[socket.socket, str]:
    """Return a connected, non-blocking socket and the address that it is connected to.

    The seconds of the phases `dns` and `connect` are noted as `phase`. The addresses are tried in order, the next one
    when an attempt fails: no race, so that a dead address shows.
    `within` is the time the caller has left, as for `Resolver.addresses`; only the caller's deadline ends the rest.
    Raises `Failure`: that of the first address that is down, else that of the last.
    """
    started = perf_counter()
    addresses = await resolver.addresses(host, family, within)
    note("phase", perf_counter() - started, phase="dns")
    failures = []
    started = perf_counter()
    for address in addresses:
        try:
            connected = await _connected(address, port)
        except OSError as error:
            failures.append(failure_of(error, peer_text(host, port)))
        else:
            note("phase", perf_counter() - started, phase="connect")
            return connected, address
    raise next((failure for failure in failures if failure.state is State.DOWN), failures[-1])


async def _connected(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    made.settimeout(0)
    try:
        await asyncio.get_running_loop().sock_connect(made, (address, port))
    except BaseException:
        made.close()
        raise
    return made


@asynccontextmanager
async def conversation(
    connected: socket.socket, tls: ssl.SSLContext | None = None, server_name: str = ""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Take a connected socket over: streams on it, after a handshake if `tls` is given; closed at once on leaving.

    Errors are those of asyncio and ssl, for `failure_of`.
    """
    reader, writer = await asyncio.open_connection(
        sock=connected, ssl=tls, server_hostname=server_name if tls else None
    )
    try:
        yield reader, writer
    finally:
        hang_up(writer.transport)


def hang_up(transport: asyncio.WriteTransport) -> None:
    """Close `transport` now: say good-bye in TLS, but do not wait for an answer, which asyncio would for 30 seconds."""
    transport.close()
    transport.abort()


async def peer_certificate(
    address: str, port: int, server_name: str, contexts: TlsContexts, within: timedelta = timedelta(seconds=2)
) -> Certificate | None:
    """Return the certificate a peer shows, without verifying it; None if none can be had `within` that time.

    For use after a failed verification, which hides the certificate: the peer is asked once more. `address` is numeric.
    """
    try:
        async with asyncio.timeout(within.total_seconds()):
            connected = await _connected(address, port)
            async with conversation(connected, contexts.get(verify=False), server_name) as (_, writer):
                return shown_certificate(writer.transport)
    except (OSError, EOFError):
        return None


def shown_certificate(transport: asyncio.BaseTransport) -> Certificate | None:
    """Return the certificate that the peer of a TLS transport has shown; None if it cannot be read."""
    return read_certificate(transport.get_extra_info("ssl_object").getpeercert(binary_form=True))


def peer_text(host: str, port: int) -> str:
    """Return host and port as people write them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


_DOWN = {
    errno.ECONNREFUSED: (Reason.REFUSED, "refused the connection"),
    errno.ECONNRESET: (Reason.RESET, "reset the connection"),
    errno.ECONNABORTED: (Reason.RESET, "reset the connection"),
    errno.EPIPE: (Reason.RESET, "closed the connection"),
    errno.EHOSTUNREACH: (Reason.UNREACHABLE, "cannot be reached"),
    errno.EHOSTDOWN: (Reason.UNREACHABLE, "cannot be reached"),
    errno.ETIMEDOUT: (Reason.TIMEOUT, "does not answer"),
}
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.ENETDOWN})
_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL's x509_vfy.h."""
_NOT_TLS = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"}
)


def failure_of(error: Exception, peer: str) -> Failure:
    """Return the `Failure` that an error of connecting, handshaking, reading or writing means. `peer` is for the text.

    refused, reset, unreachable, tls_expired, tls_invalid, protocol are down; our own lack of a route, of file
    descriptors, of ports or of memory is unknown, and so is any error that is not known here.
    """
    match error:
        case ssl.SSLError():
            return _tls_failure(error, peer)
        case OSError(errno=int(number)) if number in _DOWN:
            reason, text = _DOWN[number]
            return Failure(reason, f"{peer} {text}")
        case OSError(errno=int(number)) if number in _NO_ROUTE:
            return Failure(Reason.UNREACHABLE, f"we have no route to {peer}", State.UNKNOWN)
        case EOFError() | ConnectionError():
            return Failure(Reason.RESET, f"{peer} closed the connection")
        case TimeoutError():
            return Failure(Reason.TIMEOUT, f"{peer} does not answer")
        case _:
            text = getattr(error, "strerror", None) or type(error).__name__
            return Failure(Reason.UNKNOWN, f"{peer}: {text}", State.UNKNOWN)


def _tls_failure(error: ssl.SSLError, peer: str) -> Failure:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = Reason.TLS_EXPIRED if error.verify_code == _EXPIRED else Reason.TLS_INVALID
        return Failure(reason, f"the certificate of {peer} is not valid: {error.verify_message}")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Failure(Reason.RESET, f"{peer} closed the connection")
    why = getattr(error, "reason", None) or "ERROR"
    if why in _NOT_TLS:
        return Failure(Reason.PROTOCOL, f"{peer} does not speak TLS")
    return Failure(Reason.TLS_INVALID, f"no TLS with {peer}: {why.replace('_', ' ').lower()}")

"""One connection: the TLS handshake, the request out, the bytes of the answer in.

asyncio has TLS of its own; with OpenSSL's memory buffers in our own hands an exchange costs a tenth less CPU on uvloop
and a fifth less on asyncio's loop, each phase can be told apart, and closing never waits for the peer's good-bye.
"""

from __future__ import annotations

import asyncio
import ssl
from time import perf_counter
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from monitor.fetch.reader import Reader

PIECE = 16 * 2**10
"""What is read at once: one TLS record holds no more."""


class Tls:
    """TLS between two memory buffers. Raises ValueError for a server name that cannot be sent."""

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_hostname=server_name)


class Line(asyncio.Protocol):
    """Carries one request and hands what comes back to a reader; every fault ends up in the reader's `done`.

    `made_at`, `secured_at` and `asked_at` are readings of `perf_counter`, 0 before they happen. `certificate` is the
    peer's in DER form, known after the handshake.
    """

    def __init__(self, request: bytes, reader: Reader, tls: Tls | None) -> None:
        self.made_at = self.secured_at = self.asked_at = 0.0
        self.certificate: bytes | None = None
        self._request = request
        self._reader = reader
        self._tls = tls
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: with the handshake, if there is one, else with the request."""
        self.made_at = perf_counter()
        # asyncio hands every protocol of a stream a transport that writes.
        self._transport = cast("asyncio.WriteTransport", transport)
        if self._tls:
            self._advance(self._tls)
        else:
            self.asked_at = self.made_at
            self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Go on with the handshake or the answer."""
        if self._tls:
            self._tls.incoming.write(data)
            self._advance(self._tls)
        else:
            self._reader.feed(data)

    def eof_received(self) -> None:
        """End the answer. A peer that leaves TLS without a good-bye is forgiven, as browsers do."""
        self._reader.eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the answer, with the error if there was one."""
        if exc:
            self._reader.end(exc)
        else:
            self._reader.eof()

    def _advance(self, tls: Tls) -> None:
        try:
            if not self.secured_at:
                self._shake_hands(tls)
            self._read(tls)
        except ssl.SSLError as error:
            if not isinstance(error, ssl.SSLWantReadError):
                self._reader.end(error)
        if tls.outgoing.pending and self._transport:
            self._transport.write(tls.outgoing.read())

    def _read(self, tls: Tls) -> None:
        """Hand on what has come. To be told each time that there is no more costs as much as to read it."""
        while tls.incoming.pending or tls.session.pending():
            data = tls.session.read(PIECE)
            if not data:
                self._reader.eof()
                return
            self._reader.feed(data)

    def _shake_hands(self, tls: Tls) -> None:
        tls.session.do_handshake()
        self.secured_at = self.asked_at = perf_counter()
        self.certificate = tls.session.getpeercert(binary_form=True)
        unsent = memoryview(self._request)
        while unsent:
            unsent = unsent[tls.session.write(unsent) :]

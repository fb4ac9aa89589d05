"""Reads one HTTP/1.1 answer, byte by byte as it comes, with llhttp.

Nothing that a server sends can make this read for ever or keep much: the caller's deadline ends a slow answer, and each
part of a fast one has its limit.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from monitor.fetch.inflate import Identity, coding
from monitor.model import Failure, Reason

if TYPE_CHECKING:
    from monitor.fetch.inflate import Coding

LONGEST_HEAD = 64 * 2**10
"""Of status line and headers, informational answers before them included."""
LONGEST_BODY = 2**20
"""Of a body, decompressed, unless the caller says otherwise; what is longer is cut."""
MOST_AROUND = 7 * LONGEST_BODY
"""On the wire besides a body: enough for 1 MiB in chunks of one byte, but for no endless chunk extension or trailer."""
FIRST_STATUS = 100
SWITCHING = 101
FIRST_FINAL = 200

_FRAMING = frozenset({"content-length", "transfer-encoding", "content-encoding"})


class Reader:
    """One answer as far as it was read.

    `done` ends with None when the answer is whole, else with the error that ended it; nothing changes after that.
    `first_at` (the first byte of the final answer) and `ended_at` are readings of `perf_counter`, 0 before they happen.
    """

    def __init__(self, method: str, longest: int = LONGEST_BODY) -> None:
        """Read the answer to a request of `method`, and of its body so many bytes at most."""
        self.done: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.truncated = False
        self.first_at = self.ended_at = 0.0
        self._method = method
        self._longest = longest
        self._parser = HttpResponseParser(self)
        self._coding: Coding = Identity()
        self._body = bytearray()
        self._received = self._head = 0
        self._in_head = True
        self._framed = self._informational = False

    @property
    def body(self) -> bytes:
        """Return what was read of the body, decompressed."""
        return bytes(self._body)

    def feed(self, data: bytes) -> None:
        """Read on."""
        if self.done.done():
            return
        self.first_at = self.first_at or perf_counter()
        self._received += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._refuse(f"does not speak HTTP: {error}")
        if self._received > (LONGEST_HEAD if self._in_head else self._longest + MOST_AROUND):
            self._refuse("sent too many bytes of headers" if self._in_head else "sent too many bytes around the body")

    def eof(self) -> None:
        """Note that nothing more will come: the end of an answer without a length, a fault of any other."""
        if self.done.done():
            return
        if not self._received:
            self.end(EOFError())
        elif self._in_head:
            self._refuse("closed the connection within the headers")
        elif self._framed:
            self._refuse(f"closed the connection before the end of the body, after {self._received:,} bytes in all")
        else:
            self.on_message_complete()

    def end(self, error: Exception | None) -> None:
        """Take the answer for whole, or for ended by `error`. Only the first end counts."""
        if not self.done.done():
            self.ended_at = perf_counter()
            self.done.set_result(error)
            del self._parser  # it holds us in turn, and to let the collector find such circles costs a tenth

    # The parser calls these.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a header; a trailer is none."""
        if self._in_head:
            self._head += len(name) + len(value) + len(": \r\n")
            self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1").strip()))

    def on_headers_complete(self) -> None:
        """Learn how the body is framed and coded. HEAD has none, and after 101 it is no longer HTTP."""
        if self.done.done():
            return
        self.status = self._parser.get_status_code()
        if FIRST_STATUS <= self.status < FIRST_FINAL and self.status != SWITCHING:
            self._informational = True
            return
        self._in_head = False
        self.first_at = self.first_at or perf_counter()
        self._frame()
        if self._head > LONGEST_HEAD:
            self._refuse("sent too many bytes of headers")
        if self._method == "HEAD" or self.status == SWITCHING:
            self.end(None)

    def on_body(self, data: bytes) -> None:
        """Keep a piece of the body, and stop when that is enough."""
        if self.done.done():
            return
        try:
            self._body += self._coding.feed(data, self._longest + 1 - len(self._body))
        except ValueError as error:
            self._refuse(str(error))
        if len(self._body) > self._longest:
            del self._body[self._longest :]
            self.truncated = True
            self.end(None)

    def on_message_complete(self) -> None:
        """End the answer; after an informational one begin again."""
        if self._informational:
            self._informational = False
            self.headers.clear()
            self.first_at = 0.0
        elif self._body and not self._coding.complete:
            self._refuse("ended the compressed body early")
        else:
            self.end(None)

    def _frame(self) -> None:
        named = {name: value for name, value in self.headers if name in _FRAMING}
        self._framed = "content-length" in named or named.get("transfer-encoding", "").lower().endswith("chunked")
        try:
            self._coding = coding(named.get("content-encoding", ""))
        except ValueError as error:
            self._refuse(str(error))

    def _refuse(self, detail: str) -> None:
        self.end(Failure(Reason.PROTOCOL, detail))

"""Bodies as they were before compression, up to a size: a bomb costs no more than that size."""

from __future__ import annotations

import zlib
from typing import Protocol

import brotli

ACCEPTED = "gzip, deflate, br"
GZIP = 16 + zlib.MAX_WBITS
RAW = -zlib.MAX_WBITS
DEFLATED = 8
"""The method in the low half of a zlib stream's first byte (RFC 1950). A raw stream hardly ever begins with it."""


class Coding(Protocol):
    """Undoes one content coding. Errors are ValueError, with the reason in words."""

    @property
    def complete(self) -> bool:
        """Return whether the compressed stream has come to its end."""
        ...

    def feed(self, data: bytes, room: int) -> bytes:
        """Return what `data` adds to the body, at most about `room` bytes: as much means that there may be more."""
        ...


class Identity:
    """A body that is not compressed: the framing of HTTP alone says whether it is complete."""

    complete = True

    def feed(self, data: bytes, room: int) -> bytes:
        """Return `data`, cut to `room`."""
        return data[:room]


class Zlib:
    """gzip, and deflate as browsers read it: with the zlib header that RFC 9110 asks for, or without."""

    def __init__(self, *, gzip: bool) -> None:
        self._stream = zlib.decompressobj(GZIP) if gzip else None

    @property
    def complete(self) -> bool:
        """Return whether the end of the stream was seen; what follows it is ignored, as browsers do."""
        return self._stream is not None and self._stream.eof

    def feed(self, data: bytes, room: int) -> bytes:
        """Return the next bytes; once `room` bytes came the rest is lost, so the caller must stop there."""
        if self._stream is None:
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if data[0] & 15 == DEFLATED else RAW)
        if self._stream.eof:
            return b""
        try:
            return self._stream.decompress(data, room)
        except zlib.error:
            raise ValueError("the compressed body is damaged") from None


class Brotli:
    """brotli."""

    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    @property
    def complete(self) -> bool:
        """Return whether the end of the stream was seen."""
        return bool(self._stream.is_finished())

    def feed(self, data: bytes, room: int) -> bytes:
        """Return the next bytes; once `room` bytes came the rest is lost, so the caller must stop there."""
        if self._stream.is_finished():
            return b""
        try:
            return bytes(self._stream.process(data, output_buffer_limit=room))[:room]
        except brotli.error:
            raise ValueError("the compressed body is damaged") from None


def coding(name: str) -> Coding:
    """Return what undoes the Content-Encoding `name`; raises ValueError for one that we did not ask for."""
    match name.strip().lower():
        case "" | "identity":
            return Identity()
        case "gzip" | "x-gzip":
            return Zlib(gzip=True)
        case "deflate":
            return Zlib(gzip=False)
        case "br":
            return Brotli()
        case other:
            raise ValueError(f"the body's encoding {other!r} is none of {ACCEPTED}")

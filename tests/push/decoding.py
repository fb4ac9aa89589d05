"""What a remote write request says, read by a decoder of our own from protobuf's encoding and remote.proto alone."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from cramjam import snappy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.model import Labels

STALE_BITS = 0x7FF0000000000002
WIDTHS = {1: 8, 5: 4}


class Point(NamedTuple):
    """One sample of one series; `bits` is the value as it was sent, since no NaN equals another."""

    labels: Labels
    bits: int
    at: int

    @property
    def value(self) -> float:
        number: float = struct.unpack("<d", self.bits.to_bytes(8, "little"))[0]
        return number

    @property
    def stale(self) -> bool:
        return self.bits == STALE_BITS

    @property
    def name(self) -> str:
        return dict(self.labels)["__name__"]


def bits(value: float) -> int:
    """Return `value` as its 64 bits."""
    return int.from_bytes(struct.pack("<d", value), "little")


def decode(body: bytes) -> list[Point]:
    """Return the samples of a request. Fails on what remote.proto does not have, and on labels out of order."""
    points = []
    for number, series in fields(bytes(snappy.decompress_raw(body))):
        assert number == 1
        assert isinstance(series, bytes)
        labels, samples = [], []
        for part, content in fields(series):
            assert isinstance(content, bytes)
            found = dict(fields(content))
            if part == 1:
                name, value = found.pop(1), found.pop(2)
                assert isinstance(name, bytes)
                assert isinstance(value, bytes)
                labels.append((name.decode(), value.decode()))
            else:
                assert part == 2
                samples.append((found.pop(1), found.pop(2)))
            assert not found
        names = [name for name, _ in labels]
        assert names == sorted(set(names))
        assert all(name and value for name, value in labels)
        ((double, at),) = samples
        assert isinstance(double, bytes)
        assert isinstance(at, int)
        points.append(Point(tuple(labels), int.from_bytes(double, "little"), at))
    return points


def fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Yield the number and the content of each field of a message: an int for a varint, else bytes."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        kind = key & 7
        if kind == 0:
            content: bytes | int
            content, at = varint(message, at)
        else:
            assert kind in {1, 2, 5}
            size, at = varint(message, at) if kind == 2 else (WIDTHS[kind], at)
            content = message[at : at + size]
            assert len(content) == size
            at += size
        yield key >> 3, content


def varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at

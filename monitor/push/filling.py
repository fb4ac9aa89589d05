"""A push under way: samples of one moment, put into requests of a size that every receiver takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.push import wire
from monitor.push.backlog import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

MOST_SAMPLES = 2_000
LARGEST = 2**20
"""Bytes of one request before it is compressed: labels can be long."""


class Filling:
    """Fills one request after the other."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._tail = wire.tail(wire.milliseconds(at))
        self._parts: list[bytes] = []
        self._bytes = 0

    def add(self, parts: Sequence[bytes]) -> Batch | None:
        """Take some samples, still without their moment; return the request before if they do not fit into it."""
        size = sum(map(len, parts))
        full = len(self._parts) + len(parts) > MOST_SAMPLES or self._bytes + size > LARGEST
        sealed = self.seal() if full else None
        self._parts += parts
        self._bytes += size
        return sealed

    def seal(self) -> Batch | None:
        """Return the request as far as it is filled, and begin another; None where there is nothing in it."""
        parts, self._parts, self._bytes = self._parts, [], 0
        return Batch(wire.compress(self._tail.join([*parts, b""])), len(parts), self._at) if parts else None

"""What waits to be sent: bounded, so that a receiver that stays away costs at most ten minutes of samples."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

LONGEST = timedelta(minutes=10)
"""How much older than the newest what waits may be."""
LARGEST = 32 * 2**20
"""Bytes, compressed."""


class Batch(NamedTuple):
    """One request: its body, how many samples it holds, and their moment."""

    body: bytes
    samples: int
    at: datetime


class Backlog:
    """Batches in the order of their moments; the oldest goes first, or is dropped where there are too many."""

    def __init__(self) -> None:
        self._batches: deque[Batch] = deque()
        self._bytes = 0
        self.samples = 0

    def __bool__(self) -> bool:
        return bool(self._batches)

    @property
    def oldest(self) -> Batch:
        """Return what is to be sent next. Raises IndexError where nothing waits."""
        return self._batches[0]

    def add(self, batch: Batch) -> int:
        """Append a batch; return how many samples were dropped to make room."""
        self._batches.append(batch)
        self._bytes += len(batch.body)
        self.samples += batch.samples
        dropped = 0
        while self.oldest is not batch and (self._bytes > LARGEST or batch.at - self.oldest.at > LONGEST):
            dropped += self.oldest.samples
            self.settle(self.oldest)
        return dropped

    def settle(self, batch: Batch) -> bool:
        """Forget a batch; return whether it was still waiting, which only the oldest can be."""
        if not self._batches or self._batches[0] is not batch:
            return False
        self._batches.popleft()
        self._bytes -= len(batch.body)
        self.samples -= batch.samples
        return True

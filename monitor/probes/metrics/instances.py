"""Which process answered: one that was restarted, or several behind one address that answer in turns. Pure.

A process is named by a header of its answers, if the file says which, or else by the moment at which it says that it
was started. What comes after another name is its successor, unless it was running for long while the other answered,
or has answered before: then there are several. Without names, counters tell: those of several go down and come back up
by as much.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TWICE = 2
"""So often counters must have come back before that is no burst after a restart."""
MOST = 50
"""Names that are remembered."""


@dataclass(slots=True)
class Instances:
    """What the scrapes of the last `reach` say of who answered. Moments and spans are whole microseconds.

    `apart`: several answer in turns. `named`: they can be told apart.
    """

    reach: int
    shortest: int
    newest: str = ""
    apart: bool = False
    named: bool = False
    _seen: dict[str, int] = field(default_factory=dict)
    _levels: deque[tuple[int, float]] = field(default_factory=deque)

    @property
    def count(self) -> int:
        """Return how many there are at least."""
        return max(len(self._seen), TWICE) if self.apart else 1

    def answered(self, at: int, name: str, started: float | None, level: float) -> None:
        """Take in that `name` answered at `at`.

        `started`: when it says that it was started, in seconds since 1970; `level`: the sum of its counters.
        """
        edge = at - self.reach
        for other in [other for other, seen in self._seen.items() if seen <= edge]:
            del self._seen[other]
        self._levels.append((at, level))
        while self._levels[0][0] <= edge:
            self._levels.popleft()
        self.named = bool(name)
        if not name:
            self.apart = returns(level for _, level in self._levels) >= TWICE
            return
        if self._seen and name != self.newest:
            self.apart = self.apart or name in self._seen or self._ran(at, started)
        elif len(self._seen) <= 1:
            self.apart = False
        self.newest = name
        self._seen.pop(name, None)
        self._seen[name] = at
        if len(self._seen) > MOST:
            del self._seen[next(iter(self._seen))]

    def _ran(self, at: int, started: float | None) -> bool:
        """Return whether a process was there before the shortest window began, so that its counts are not all new."""
        return started is not None and math.isfinite(started) and started * 1e6 < at - self.shortest


def returns(levels: Iterable[float]) -> int:
    """Return how often a level fell and then came back, in one step, to where it had been."""
    found, top, drop = 0, 0.0, 0.0
    for before, now in pairwise(levels):
        if now < before:
            top, drop = before, before - now
        elif drop and now >= top and now - before >= drop:
            found, drop = found + 1, 0.0
    return found

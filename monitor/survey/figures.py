"""From a few samples to the figures that a person would begin with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from statistics import median, quantiles
from typing import TYPE_CHECKING

from monitor.review.rounding import rungs, written
from monitor.units import Unit, show_duration

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST = 5
"""Samples from which a figure may be taken."""
HEADROOM = {"target": (1.5, 0.05), "warning": (3.0, 0.15), "critical": (6.0, 0.35)}
"""How far above the p95: so many times, and by so many seconds at least."""
TIMEOUTS = tuple(timedelta(seconds=seconds) for seconds in (10, 15, 20, 30, 60))
SPARE = 1.5
"""A deadline lies so many times beyond the figure that wakes somebody: what is merely slow is told as slow."""
EVERY = timedelta(seconds=30)
ENOUGH = 30
"""Runs in the window of a p95; it judges from 21."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, in seconds, and what to begin with; `levels` is empty where too little was measured.

    `levels` are the figures as they stand in a file, by level. `window`: over which the p95 is taken.
    """

    count: int
    middle: float
    p95: float
    worst: float
    levels: dict[str, str]
    every: timedelta = EVERY
    timeout: timedelta = TIMEOUTS[0]

    @property
    def window(self) -> timedelta:
        """Return the window that holds enough runs."""
        return ENOUGH * self.every

    @property
    def words(self) -> str:
        """Return what was measured."""
        if self.count == 0:
            return "nothing was measured"
        middle, p95, worst = map(show_duration, (self.middle, self.p95, self.worst))
        return f"{self.count} samples: half within {middle}, p95 {p95}, worst {worst}"


def figures(times: Sequence[float]) -> Figures:
    """Return the figures that follow from answers that took `times` seconds."""
    if not times:
        return Figures(0, 0.0, 0.0, 0.0, {})
    p95 = quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
    seconds = {level: _up(max(p95 * factor, p95 + more)) for level, (factor, more) in HEADROOM.items()}
    timeout = next((each for each in TIMEOUTS if each.total_seconds() >= SPARE * float(seconds["critical"])), None)
    if timeout is None:
        del seconds["critical"]  # no answer at all comes before it
    signs = {"target": "<"}
    levels = {level: f"{signs.get(level, '>')} {written(value, Unit.SECONDS)}" for level, value in seconds.items()}
    deadline = timeout or TIMEOUTS[-1]
    enough = levels if len(times) >= FEWEST else {}
    return Figures(len(times), median(times), p95, max(times), enough, max(EVERY, deadline), deadline)


def _up(seconds: float) -> Decimal:
    """Return the next duration that a person would write."""
    value = Decimal(str(round(seconds, 6)))
    return next(rung for rung in rungs(float(value), Unit.SECONDS) if rung >= value)

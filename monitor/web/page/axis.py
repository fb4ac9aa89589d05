"""Axes that people read: from where to where, which round figures stand at them, and how those are written. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from monitor.units import Unit, show_duration

if TYPE_CHECKING:
    from collections.abc import Collection

STEPS = 6
"""About so many steps a value axis has."""
MOST_MOMENTS = 7
GREATEST = 1e300
"""What is further from zero than that is drawn no better than what is infinite."""
REACH = 2.0
"""A figure stands on the axis if that makes the axis no more than so many times longer than what was measured."""
FINEST = 1e-6
"""The share of a value that an axis shows at least: finer steps would all read alike."""
MINUTE, HOUR, DAY = 60, 3_600, 86_400
SPANS = (30, *(MINUTE * n for n in (1, 2, 5, 10, 15, 30)), *(HOUR * n for n in (1, 2, 3, 6, 12)), DAY, 2 * DAY, 7 * DAY)
PACES = (*(MINUTE * n for n in (1, 2, 5, 10, 15, 30)), *(HOUR * n for n in (1, 2, 4, 6, 12)), DAY, 2 * DAY, 7 * DAY)
MONDAY = 4 * DAY
"""The first Monday, in seconds of the epoch: weeks begin there."""
MOST_DECIMALS = 6
LONGEST_FIGURE = 1e7
LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"))
SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "KB"), (1.0, "B"))
DURATIONS = ((1.0, "s"), (1e-3, "ms"))


class Tick(NamedTuple):
    """A figure at an axis: where it stands (0 is its beginning, 1 its end), and how it reads."""

    share: float
    text: str


class Moment(NamedTuple):
    """A moment at the axis of time: where it stands, how it reads in UTC, and which it is."""

    share: float
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, with its round figures."""

    low: float
    high: float
    ticks: tuple[Tick, ...]

    def share(self, value: float) -> float:
        """Return where a value stands: 0 is the beginning, 1 the end, and nothing stands beyond them."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def holds(self, value: float) -> bool:
        """Return whether a value stands on it."""
        edge = (self.high - self.low) * FINEST
        return self.low - edge <= value <= self.high + edge


def drawable(value: float) -> bool:
    """Return whether a value can stand on an axis."""
    return math.isfinite(value) and abs(value) < GREATEST


def value_axis(values: Collection[float], figures: Collection[float], unit: Unit) -> Axis:
    """Return the axis for what was measured, with those `figures` that are near enough.

    It begins at zero, unless that would hide what happened.
    """
    low, high = _bounds([value for value in values if drawable(value)], figures, unit)
    step = _step((high - low) / STEPS, unit)
    first, last = math.floor(low / step + FINEST), math.ceil(high / step - FINEST)
    low, high = first * step, last * step
    scale = _scale(max(abs(low), abs(high)), unit)
    ticks = (Tick((at - first) / (last - first), _written(at * step, step, scale)) for at in range(first, last + 1))
    return Axis(low, high, tuple(ticks))


def _bounds(values: list[float], figures: Collection[float], unit: Unit) -> tuple[float, float]:
    near = [figure for figure in figures if drawable(figure)]
    if values:
        extent = max(max(values) - min(values), *map(abs, values))
        low, high = min(values) - REACH * extent, max(values) + REACH * extent
        if unit is Unit.RATIO and low >= -1 and max(values) <= 1:
            high = max(high, 1.0)
        near = [figure for figure in near if low <= figure <= high or not extent]
    seen = [*values, *near] or [0.0]
    low, high = min(seen), max(seen)
    size = max(abs(low), abs(high))
    if size < 1 / GREATEST:
        return 0.0, 1.0
    if high - low <= size * FINEST or min(abs(low), abs(high)) < size / 2:
        low, high = min(low, 0.0), max(high, 0.0)
    return low, high


def _step(rough: float, unit: Unit) -> float:
    """Return a round step that is not much smaller than `rough`."""
    if unit in {Unit.SECONDS, Unit.TIMESTAMP}:
        if SPANS[0] / 2 < rough <= SPANS[-1]:
            return float(next(step for step in SPANS if step >= rough))
        if rough > SPANS[-1]:
            return _round(rough / DAY) * DAY
    return _round(rough)


def _round(rough: float) -> float:
    """Return 1, 2 or 5 times a power of ten: the first that is as much as `rough`, or nearly."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - FINEST)) * power


def _scale(size: float, unit: Unit) -> tuple[float, str]:
    """Return what the figures of an axis up to `size` are counted in; 0: each is written as a duration."""
    match unit:
        case Unit.SECONDS | Unit.TIMESTAMP if size >= MINUTE:
            return 0, ""
        case Unit.SECONDS | Unit.TIMESTAMP:
            return next((scale for scale in DURATIONS if size >= scale[0]), DURATIONS[-1])
        case Unit.RATIO:
            return 0.01, "%"
        case Unit.BYTES | Unit.BYTES_PER_SECOND:
            counted, name = next((scale for scale in SIZES if size >= scale[0]), SIZES[-1])
        case _:
            counted, name = next((scale for scale in LARGE if size >= scale[0]), (1.0, ""))
    return counted, f"{name}/s" if unit in {Unit.PER_SECOND, Unit.BYTES_PER_SECOND} else name


def _written(value: float, step: float, scale: tuple[float, str]) -> str:
    counted, name = scale
    if not value:
        return "0"
    if not counted:
        return show_duration(value)
    value, step = value / counted, step / counted
    decimals = max(0, -math.floor(math.log10(step) + FINEST))
    if decimals <= MOST_DECIMALS and abs(value) < LONGEST_FIGURE:
        return f"{value:,.{decimals}f} {name}".rstrip()
    digits = math.floor(math.log10(abs(value))) - math.floor(math.log10(step) + FINEST) + 1
    return f"{value:.{max(digits, 1)}g} {name}".rstrip()


def moments(since: datetime, until: datetime) -> list[Moment]:
    """Return the round moments between two, at most seven, by the clock of UTC; at midnight the date is named."""
    first, last = since.timestamp(), until.timestamp()
    pace = next((pace for pace in PACES if (last - first) / pace <= MOST_MOMENTS), 0)
    if not pace or last <= first:
        return []
    offset = MONDAY if pace == PACES[-1] else 0
    found = range(math.ceil((first - offset) / pace), math.floor((last - offset) / pace) + 1)
    seen = [(index * pace + offset, datetime.fromtimestamp(index * pace + offset, UTC)) for index in found]
    return [Moment((second - first) / (last - first), _read(at, pace), at) for second, at in seen]


def _read(at: datetime, pace: float) -> str:
    return f"{at.day} {at:%b}" if pace >= DAY or (at.hour, at.minute) == (0, 0) else f"{at:%H:%M}"

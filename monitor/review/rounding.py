"""Figures as a person would write them, always on the side of a value on which nothing fires. Pure."""

from __future__ import annotations

import math
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from monitor.units import DURATION, Unit
from monitor.watch import parse_figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.watch import Figure

ABOVE, BELOW = frozenset({">", ">="}), frozenset({"<", "<="})
"""Comparisons whose figure lies above what stays silent, and below it."""
TENTHS = tuple(Decimal(tenth) / 10 for tenth in (*range(10, 20), *range(20, 100, 5)))
"""What is written between 1 and 10."""
PERCENTS = tuple(Decimal(percent) / 100 for percent in range(10, 101))
MINUTE, HOUR, DAY = 60, 3_600, 86_400
SPANS = tuple(
    map(
        Decimal,
        (
            *range(MINUTE, 2 * MINUTE, 5),
            *range(2 * MINUTE, 10 * MINUTE, 30),
            *range(10 * MINUTE, 20 * MINUTE, MINUTE),
            *range(20 * MINUTE, 2 * HOUR, 5 * MINUTE),
            *range(2 * HOUR, 12 * HOUR, HOUR // 2),
            *range(12 * HOUR, 2 * DAY, HOUR),
            *range(2 * DAY, 14 * DAY, DAY // 2),
            *range(14 * DAY, 60 * DAY, DAY),
            *range(60 * DAY, 3_651 * DAY, 5 * DAY),
        ),
    )
)
"""Durations from a minute on."""
SIZES = (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("KB", 10**3), ("B", 1))
WEIGHED = {Unit.BYTES, Unit.BYTES_PER_SECOND}
TIMES = {Unit.SECONDS, Unit.TIMESTAMP}
SMALLEST, LARGEST = 2e-5, 1e18
"""What is nearer to nothing, or further from it, is nothing that a person writes."""


def silent_figure(figure: Figure, worst: float, unit: Unit) -> Figure | None:
    """Return `figure` with the nearest value that a person would write and that `worst` does not cross.

    `worst` is in the base unit `unit`. None: it compares otherwise than by size, or there is no such value.
    """
    if figure.comparison not in ABOVE | BELOW or not _writable(worst, unit):
        return None
    for value in _beyond(figure.comparison, worst, unit):
        text = f"{figure.comparison} {written(value, unit)}"
        found = parse_figure(figure.severity, text, unit)
        if not found.crossed(worst):
            return found
    return None


def longer(span: timedelta) -> timedelta:
    """Return the next duration beyond `span` that a person would write."""
    value = Decimal(str(span.total_seconds()))
    return timedelta(seconds=float(min(each for each in rungs(float(value), Unit.SECONDS) if each > value)))


def rungs(value: float, unit: Unit) -> list[Decimal]:
    """Return what a person would write around `value`, in the base unit, in order."""
    if value < 0:
        return sorted(-rung for rung in rungs(-value, unit))
    if value == 0:
        return [Decimal()] if unit not in TIMES else [Decimal(), Decimal(1)]
    scale = math.floor(math.log10(value))
    around = {Decimal(), *(tenth.scaleb(ten) for ten in range(scale - 1, scale + 2) for tenth in TENTHS)}
    if unit in TIMES:
        around = {*(rung for rung in around if rung < MINUTE), *SPANS}
    elif unit is Unit.RATIO:
        around = {*(rung for rung in around if not PERCENTS[0] <= rung <= PERCENTS[-1]), *PERCENTS}
    elif unit in WEIGHED:
        around = {*(rung for rung in around if rung == int(rung)), Decimal(1)}
    return sorted(around)


def written(value: Decimal, unit: Unit) -> str:
    """Return `value` as it stands in a file: `750ms`, `97%`, `1.2GB`."""
    match unit:
        case Unit.SECONDS | Unit.TIMESTAMP:
            return f"-{_time(-value)}" if value < 0 else _time(value)
        case Unit.RATIO:
            return f"{_digits(value * 100)}%"
        case Unit.BYTES:
            return _size(value)
        case Unit.BYTES_PER_SECOND:
            return f"{_size(value)}/s"
        case Unit.PER_SECOND:
            return f"{_digits(value)}/s"
        case _:
            return _digits(value)


def written_span(span: timedelta) -> str:
    """Return a duration as it stands in a file."""
    return _time(Decimal(str(span.total_seconds())))


def _writable(value: float, unit: Unit) -> bool:
    known = value == 0 or (math.isfinite(value) and SMALLEST <= abs(value) <= LARGEST)
    return known and (value >= 0 or unit not in WEIGHED)


def _beyond(comparison: str, worst: float, unit: Unit) -> Iterable[Decimal]:
    """Return what may be written on the silent side of `worst`, the nearest first.

    It begins with `worst` itself, so that whoever reads the text back decides what lies on which side.
    """
    value, around = Decimal(str(worst)), rungs(worst, unit)
    if comparison in ABOVE:
        return [rung for rung in around if rung >= value]
    return [rung for rung in reversed(around) if rung <= value]


def _time(seconds: Decimal) -> str:
    if seconds < 1:
        return f"{_digits(seconds * 1000)}ms" if seconds >= Decimal("0.001") else f"{_digits(seconds * 1_000_000)}us"
    if seconds < MINUTE:
        return f"{_digits(seconds)}s"
    return "".join(_parts(seconds))


def _parts(seconds: Decimal) -> Iterator[str]:
    left = int(seconds)
    for name in ("d", "h", "m", "s"):
        count, left = divmod(left, int(DURATION[name]))
        if count:
            yield f"{count}{name}"


def _size(value: Decimal) -> str:
    name, size = next((one for one in SIZES if value >= one[1]), SIZES[-1])
    return f"{_digits(value / size)}{name}"


def _digits(value: Decimal) -> str:
    """Return a number without an exponent and without zeros that say nothing."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

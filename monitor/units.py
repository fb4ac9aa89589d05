"""Quantities as people write them (`300ms`, `80%`, `25MB`) and as they read them again.

Inside the program a quantity is a float in its base unit: seconds, bytes, a ratio of 0 to 1, or a plain number.
Durations that decide when something happens are `timedelta`.
"""

from __future__ import annotations

import enum
import math
import re
from datetime import timedelta

DURATION = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
SIZE = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
LONGEST = timedelta(days=3_650)

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)")


class Unit(enum.StrEnum):
    """The base unit of a measure. A `TIMESTAMP` is judged by the time left until it."""

    SECONDS = "seconds"
    BYTES = "bytes"
    RATIO = "ratio"
    NUMBER = ""
    PER_SECOND = "per_second"
    BYTES_PER_SECOND = "bytes_per_second"
    TIMESTAMP = "timestamp_seconds"


COUNTED: dict[str, tuple[Unit, float]] = {
    "number": (Unit.NUMBER, 1),
    "seconds": (Unit.SECONDS, 1),
    "bytes": (Unit.BYTES, 1),
    "ratio": (Unit.RATIO, 1),
    "%": (Unit.RATIO, 0.01),
    "timestamp": (Unit.TIMESTAMP, 1),
    **{word: (Unit.SECONDS, seconds) for word, seconds in DURATION.items()},
    **{word: (Unit.BYTES, size) for word, size in SIZE.items()},
}
"""What a bare number from outside may be counted in: the base unit, and how much of it."""


def in_base(number: object, word: str) -> float | None:
    """Return `number`, counted in `word` of `COUNTED`, in its base unit; None if it is no number, or none that ends."""
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    try:
        value = number * COUNTED[word][1]
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def parse_duration(text: str) -> timedelta:
    """Return the duration that `text` such as `90s`, `1h30m` or `1.5d` names.

    Raises ValueError when it is not one, is negative, or is longer than ten years.
    """
    parts = _PART.findall(text.strip())
    if not parts or _PART.sub("", text).strip() or any(unit not in DURATION for _, unit in parts):
        msg = f"{text!r} is not a duration such as 300ms, 30s, 5m, 1h30m or 2d"
        raise ValueError(msg)
    seconds = sum(float(number) * DURATION[unit] for number, unit in parts)
    if seconds > LONGEST.total_seconds():
        msg = f"{text!r} is longer than ten years"
        raise ValueError(msg)
    return timedelta(microseconds=round(seconds * 1e6))


def parse_size(text: str) -> int:
    """Return the bytes that `text` such as `25MB` or `1GiB` names; raises ValueError when it is no size."""
    match = _PART.fullmatch(text.strip())
    if not match or match[2] not in SIZE:
        msg = f"{text!r} is not a size such as 512KB, 25MB or 1GiB"
        raise ValueError(msg)
    return round(float(match[1]) * SIZE[match[2]])


def parse_quantity(text: str, unit: Unit) -> float:
    """Return `text` in the base unit of `unit`: `300ms` for seconds, `80%` for a ratio, `25MB` for bytes.

    Raises ValueError when the text is in another unit, so that 300 can never be taken for 300 seconds.
    """
    text = text.strip()
    match unit:
        case Unit.SECONDS | Unit.TIMESTAMP:
            sign = -1.0 if text.startswith("-") else 1.0
            return sign * parse_duration(text.lstrip("+-")).total_seconds()
        case Unit.BYTES:
            return float(parse_size(text))
        case Unit.RATIO if text.endswith("%"):
            return _number(text[:-1], "a share such as 80%") / 100
        case Unit.RATIO:
            msg = f"{text!r} is not a share such as 80%"
            raise ValueError(msg)
        case Unit.BYTES_PER_SECOND:
            return float(parse_size(_per_second(text, "a rate such as 25MB/s")))
        case Unit.PER_SECOND:
            return _number(text.removesuffix("/s"), "a rate such as 100/s")
        case _:
            return _number(text, "a plain number")


def show(value: float, unit: Unit) -> str:
    """Return `value` for people: `612 ms`, `81.5 %`, `1.2 GB`, `6 d 4 h`; at most three significant digits."""
    if math.isnan(value):
        return "not a number"
    match unit:
        case Unit.SECONDS | Unit.TIMESTAMP:
            return show_duration(value)
        case Unit.BYTES:
            return _scaled(value, SIZE, ("TB", "GB", "MB", "KB", "B"))
        case Unit.RATIO:
            return f"{_digits(value * 100)} %"
        case Unit.PER_SECOND | Unit.BYTES_PER_SECOND:
            return f"{show(value, Unit.BYTES if unit is Unit.BYTES_PER_SECOND else Unit.NUMBER)}/s"
        case _:
            return _digits(value)


def show_duration(seconds: float) -> str:
    """Return a duration for people, with at most two units: `350 ms`, `12.5 s`, `4 min 10 s`, `6 d 4 h`."""
    if seconds < 0:
        return f"-{show_duration(-seconds)}"
    if not math.isfinite(seconds):
        return "for ever"
    if seconds < 1:
        return f"{_digits(seconds * 1e3)} ms"
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{_digits(seconds)} s"
    names = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    whole = round(seconds)
    first = next(index for index, (_, size) in enumerate(names) if whole >= size)
    parts = []
    for name, size in names[first : first + 2]:
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts)


def _per_second(text: str, wanted: str) -> str:
    if not text.endswith("/s"):
        msg = f"{text!r} is not {wanted}"
        raise ValueError(msg)
    return text.removesuffix("/s")


def _number(text: str, wanted: str) -> float:
    if not _NUMBER.fullmatch(text.strip()):
        msg = f"{text!r} is not {wanted}"
        raise ValueError(msg)
    return float(text)


def _scaled(value: float, sizes: dict[str, int], names: tuple[str, ...]) -> str:
    name = next((name for name in names if abs(value) >= sizes[name]), names[-1])
    return f"{_digits(value / sizes[name])} {name}"


def _digits(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1000 or value == int(value):  # noqa: PLR2004 - whole numbers from here on
        return f"{value:,.0f}"
    return f"{value:.3g}"

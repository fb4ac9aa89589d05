"""Which statuses are expected: `200`, `[200, 404]`, `2xx`, `200-299`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, StrictInt, WithJsonSchema

Status = int | str
LOWEST, HIGHEST = 100, 999

_CLASS = re.compile(r"([1-9])xx", re.IGNORECASE)
_RANGE = re.compile(r"(\d{3})\s*-\s*(\d{3})")
_PATTERN = r"^([1-9][xX]{2}|\d{3}(\s*-\s*\d{3})?)$"


@lru_cache(maxsize=1_000)
def span(status: Status) -> tuple[int, int]:
    """Return the lowest and the highest status that `status` stands for; raises ValueError if it is none."""
    text = str(status).strip()
    if match := _CLASS.fullmatch(text):
        return int(match[1]) * 100, int(match[1]) * 100 + 99
    match = _RANGE.fullmatch(text) or _RANGE.fullmatch(f"{text}-{text}")
    if not match or not LOWEST <= int(match[1]) <= int(match[2]) <= HIGHEST:
        raise ValueError(f"{status!r} is not a status such as 200, 2xx or 200-299")
    return int(match[1]), int(match[2])


def within(status: int, allowed: Statuses) -> bool:
    """Return whether `status` is one of `allowed`."""
    return any(low <= status <= high for low, high in map(span, listed(allowed)))


def listed(allowed: Statuses) -> list[Status]:
    """Return `allowed` as a list."""
    return allowed if isinstance(allowed, list) else [allowed]


def _valid(allowed: Statuses) -> Statuses:
    if not listed(allowed):
        raise ValueError("at least one status is needed")
    for status in listed(allowed):
        span(status)
    return allowed


_ONE = {"anyOf": [{"type": "integer", "minimum": LOWEST, "maximum": HIGHEST}, {"type": "string", "pattern": _PATTERN}]}
Statuses = Annotated[
    StrictInt | str | list[StrictInt | str],
    AfterValidator(_valid),
    WithJsonSchema({"anyOf": [*_ONE["anyOf"], {"type": "array", "items": _ONE, "minItems": 1}]}),
]

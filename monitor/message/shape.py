"""The shape of a row of values, in block characters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
GAP = "·"


def sparkline(values: Sequence[float | None]) -> str:
    """Return the shape of `values`, oldest first: `▁▂·█`; a gap is None or not finite, nothing but gaps is no text."""
    known = [value for value in values if _finite(value)]
    if not known:
        return ""
    low, high = min(known), max(known)
    # Halves, because the distance of two large numbers may be more than a float can hold.
    span = high / 2 - low / 2
    top = len(BLOCKS) - 1

    def block(value: float | None) -> str:
        if not _finite(value):
            return GAP
        return BLOCKS[round((value / 2 - low / 2) / span * top)] if span else BLOCKS[0]

    return "".join(block(value) for value in values)


def _finite(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)

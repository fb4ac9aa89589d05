"""What a step of a remedy found out by itself, in one line. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from monitor.page import found
from monitor.units import Unit, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import Measure, Sample
    from monitor.plan import Question

MOST_SERIES = 5
SUMMED = frozenset({Unit.NUMBER, Unit.BYTES, Unit.PER_SECOND, Unit.BYTES_PER_SECOND})
"""Units whose values over all series make sense as a sum."""


def finding(sample: Sample, question: Question) -> str:
    """Return what `sample` answers: its measure's values, the largest first (`25 in all: api 20, worker 5`), or words.

    Of a measure only labels and values are told. Where it was not measured, the answer is why.
    """
    if not question.measure or question.unit is None:
        return found(sample)
    base = sample.at.timestamp() if question.unit is Unit.TIMESTAMP else 0.0
    measured = [one for one in sample.measures if one.name == question.measure and not math.isnan(one.value)]
    if not measured:
        return f"no {question.measure} was measured" if sample.reason is None else found(sample)
    return _told([one._replace(value=one.value - base) for one in measured], question.unit)


def _told(measured: Sequence[Measure], unit: Unit) -> str:
    ordered = sorted(measured, key=lambda one: -one.value)
    parts = [" ".join((*(value for _, value in one.labels), show(one.value, unit))) for one in ordered[:MOST_SERIES]]
    if len(ordered) > MOST_SERIES:
        parts.append(f"and {len(ordered) - MOST_SERIES} more")
    total = show(math.fsum(one.value for one in ordered), unit) if unit in SUMMED and len(ordered) > 1 else ""
    return f"{total} in all: {', '.join(parts)}" if total else ", ".join(parts)

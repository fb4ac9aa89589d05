"""What a watch yields: in which unit, and from how many values on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.units import Unit
from monitor.watch.figures import quantity
from monitor.watch.nouns import Function

if TYPE_CHECKING:
    from monitor.watch.nouns import Watch

COUNTED = {Unit.NUMBER: Unit.PER_SECOND, Unit.BYTES: Unit.BYTES_PER_SECOND, Unit.SECONDS: Unit.RATIO}
ON_MOMENTS = {Function.LAST, Function.MIN, Function.MAX}


def result_unit(watch: Watch, measure: Unit) -> Unit:
    """Return the unit of what `watch` yields for a measure in the unit `measure`.

    A `TIMESTAMP` stays one and is judged by the time left. `rate` and `increase` need a counter: of things, of bytes
    (their rates are per second) or of seconds (a ratio: seconds in each second). `usual` yields how many times the
    usual, `drift` a ratio, `unseen` a count. Raises ValueError when the function makes no sense for such a measure.
    """
    if watch.function is Function.UNSEEN:
        return Unit.NUMBER
    if watch.inner is not None:
        result_unit(watch.inner, measure)
        return Unit.RATIO if watch.function is Function.DRIFT else Unit.NUMBER
    if measure is Unit.TIMESTAMP and watch.function not in ON_MOMENTS:
        raise ValueError(
            f"{watch.text}: {watch.measure} is a moment, judged by the time left; allowed are itself, min and max"
        )
    if watch.function in {Function.RATE, Function.INCREASE} and measure not in COUNTED:
        raise ValueError(
            f"{watch.text}: {watch.measure} is in {measure} and no counter; allowed are avg, min, max, pNN, change"
        )
    if watch.function is Function.RATE:
        return COUNTED[measure]
    return Unit.RATIO if watch.function is Function.CHANGE else measure


def settled(watch: Watch, measure: Unit) -> Watch:
    """Return `watch` with its `least` read in the unit of what it compares; raises ValueError with what is wrong.

    `usual` compares averages or rates, `drift` adds up a measure in the unit `measure`.
    """
    if not watch.least or watch.inner is None:
        return watch
    unit = measure if watch.function is Function.DRIFT else result_unit(watch.inner, measure)
    floor = quantity(watch.least, unit, watch.text)
    if floor <= 0:
        raise ValueError(f"{watch.text!r}: the least that is compared must be more than 0")
    return replace(watch, floor=floor)


def values_needed(watch: Watch) -> int:
    """Return how many values a window must hold before `watch` judges.

    A percentile needs ceil(1/(1-q))+1, below which it is but another name for the maximum: 21 for p95, 101 for p99.
    """
    match watch.function:
        case Function.QUANTILE:
            return math.ceil(round(1 / (1 - watch.quantile), 6)) + 1  # 1 / (1 - 0.9) is 10.000000000000002
        case Function.RATE | Function.INCREASE | Function.CHANGE:
            return 2
        case _:
            return values_needed(watch.inner) if watch.inner is not None else 1

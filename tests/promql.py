"""An independent reference of what PromQL says, written from its definition and as plainly as possible.

A point is a moment in whole milliseconds, as Prometheus counts, and a value. Windows are open on the left, as since
Prometheus 3.0. Values are finite.
"""

from __future__ import annotations

import itertools
import math
import sys
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Points = Sequence[tuple[int, float]]


def select(points: Points, at: int, window: int) -> Points:
    """Return the points that the range selector `[window]` finds at the moment `at`."""
    return [point for point in points if at - window < point[0] <= at]


def avg_over_time(points: Points) -> float:
    """Return the mean, rounded once."""
    return float(sum(Fraction(value) for _, value in points) / len(points))


def min_over_time(points: Points) -> float:
    """Return the smallest value."""
    return min(value for _, value in points)


def max_over_time(points: Points) -> float:
    """Return the greatest value."""
    return max(value for _, value in points)


def sum_over_time(points: Points) -> float:
    """Return the sum, rounded once."""
    return float(sum(Fraction(value) for _, value in points))


def quantile_over_time(share: Fraction, points: Points) -> float:
    """Return the value below which `share` of the values lie, interpolated between the two that are next to it."""
    values = sorted(Fraction(value) for _, value in points)
    position = share * (len(values) - 1)
    below, above = values[math.floor(position)], values[math.ceil(position)]
    return float(below + (above - below) * (position % 1))


def increase(points: Points, at: int, window: int, *, before_2_51: bool = False) -> float:
    """Return the increase of a counter over the window, extrapolated to its edges.

    Until Prometheus 2.51 the zero point of a counter was looked at before the distance from the left edge was, which
    gives another result where the zero point lies further away than half an interval and the edge further than 1.1.
    """
    first = points[0][1]
    grown = points[-1][1] - first
    for (_, before), (_, after) in itertools.pairwise(points):
        if after < before:
            grown += before
    to_start = (points[0][0] - (at - window)) / 1000
    to_end = (at - points[-1][0]) / 1000
    sampled = (points[-1][0] - points[0][0]) / 1000
    average = sampled / (len(points) - 1)
    threshold = average * 1.1
    to_zero = sampled * (first / grown) if grown > 0 and first >= 0 else math.inf
    if before_2_51 and to_zero < to_start:
        to_start = to_zero
    if to_start >= threshold:
        to_start = average / 2
    if not before_2_51 and to_zero < to_start:
        to_start = to_zero
    if to_end >= threshold:
        to_end = average / 2
    return grown * ((sampled + to_start + to_end) / sampled)


def rate(points: Points, at: int, window: int, *, before_2_51: bool = False) -> float:
    """Return the increase per second of the window."""
    return increase(points, at, window, before_2_51=before_2_51) / (window / 1000)


def change(points: Points) -> float:
    """Return by which share the last value differs from the first, which PromQL has no function for."""
    return points[-1][1] / points[0][1] - 1 if points[0][1] else math.nan


def read(text: str, points: Points, at: int, window: int) -> float:
    """Return what the function `text`, named as in `watch`, yields over the window; NaN with too few points."""
    found = select(points, at, window)
    if text.startswith("p"):
        share = Fraction(text[1:]) / 100
        enough = len(found) > math.ceil(1 / (1 - share))
        return quantile_over_time(share, found) if enough else math.nan
    if text in {"rate", "increase", "change"} and len(found) < 2:
        return math.nan
    if not found:
        return math.nan
    extrapolating: dict[str, Callable[[Points, int, int], float]] = {"rate": rate, "increase": increase}
    if text in extrapolating:
        return extrapolating[text](found, at, window)
    plain: dict[str, Callable[[Points], float]] = {
        "avg": avg_over_time,
        "min": min_over_time,
        "max": max_over_time,
        "sum": sum_over_time,
        "change": change,
    }
    return plain[text](found)


def same(one: float, other: float, points: Points) -> bool:
    """Return whether two results over `points` are equal but for rounding: a part in 1e9 of what was computed with.

    Numbers next to 0, of which a float holds only a few digits, are all alike.
    """
    scale = max((abs(value) for _, value in points), default=0.0)
    least = max(1e-9 * scale, sys.float_info.min)
    return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-9, abs_tol=least)

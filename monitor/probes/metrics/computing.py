"""One figure, computed from what scrapes have shown, for each value of its label. Nothing here is rounded or guessed.

`rate`, `increase` and `ratio` add up what PromQL's functions of those names yield for each series, `quantile` is its
`histogram_quantile` (Prometheus 3.14, promql/quantile.go).
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from monitor.probes.metrics.fields import AGE, BOUND
from monitor.units import Unit, show

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from datetime import datetime

    from monitor.probes.metrics.fields import Combine, Figure
    from monitor.probes.metrics.page import Page, Series
    from monitor.probes.metrics.scrapes import Grown, Scrapes

NEARLY = 1e-12
"""Counts of buckets that differ by no more are equal but for rounding."""
COMBINE: Mapping[Combine, Callable[[list[float]], float]] = {
    "sum": math.fsum,
    "max": max,
    "min": min,
    "avg": lambda values: math.fsum(values) / len(values),
}


class Result(NamedTuple):
    """A value in the base unit, NaN where there is none; how much is in it; and what it is made of, in words."""

    value: float
    weight: float
    told: str = ""


Results = dict[str, Result]
"""By the value of the label that tells apart; under an empty text where there is none."""


def current(figure: Figure, term: int, page: Page, now: datetime) -> Results:
    """Return what the page says of a `value`."""
    found: dict[str, list[float]] = defaultdict(list)
    for series, value in page.values.items():
        if term in series.terms:
            found[group(figure, series)].append(value)
    made = {name: combined(figure.combining, values) * figure.scale for name, values in found.items()}
    if figure.unit == AGE:
        made = {name: now.timestamp() - value for name, value in made.items()}
    return {name: Result(value, abs(value)) for name, value in made.items()}


def combined(how: Combine, values: list[float]) -> float:
    """Return one value of several; what is not a number is passed over by `max` and `min`, as PromQL does."""
    if how in {"max", "min"}:
        values = [value for value in values if not math.isnan(value)] or values
    try:
        return COMBINE[how](values)
    except (OverflowError, ValueError):  # beyond what a float holds, or infinities of both signs
        return math.nan


async def grown(figure: Figure, term: int, scrapes: Scrapes) -> Results:
    """Return what the scrapes of the window say of anything but a `value`; `term` is the number of its first term."""
    if figure.quantile is not None:
        return quantiles(figure, await _buckets(figure, scrapes.increases(term, figure.window)))
    sums = await _sums(figure, scrapes.increases(term, figure.window))
    if figure.ratio is not None:
        return ratios(figure, sums, await _sums(figure, scrapes.increases(term + 1, figure.window)))
    per = figure.window.total_seconds() if figure.rate is not None else 1.0
    return {name: Result(value / per * figure.scale, value) for name, value in sums.items()}


def group(figure: Figure, series: Series) -> str:
    """Return the value of the label that tells apart."""
    return next((value for label, value in series.labels if label == figure.by), "") if figure.by else ""


def ratios(figure: Figure, parts: Mapping[str, float], wholes: Mapping[str, float]) -> Results:
    """Return the quotients; what has no part, though there is a whole, is 0."""
    return {name: _ratio(figure, parts.get(name, 0.0), whole) for name, whole in wholes.items()}


def _ratio(figure: Figure, part: float, whole: float) -> Result:
    enough = whole > 0 and whole >= figure.least
    many = show(whole, Unit.NUMBER)
    share = figure.base is Unit.RATIO
    told = f"{show(part, Unit.NUMBER)} of {many}" if share else f"{show(part * figure.scale, figure.base)} for {many}"
    return Result(part / whole * figure.scale if enough else math.nan, whole, told)


def quantiles(figure: Figure, histograms: Mapping[str, Mapping[float, float]]) -> Results:
    """Return the quantile of each histogram, which is the counts up to each bound."""
    return {name: _quantile(figure, buckets) for name, buckets in histograms.items()}


def _quantile(figure: Figure, buckets: Mapping[float, float]) -> Result:
    count = max(buckets.get(math.inf, 0.0), 0.0)
    value = histogram_quantile(figure.quantile or 0.0, buckets) if count >= figure.least else math.nan
    told = f"{show(count, Unit.NUMBER)} in all"
    if highest(buckets) == value:
        told = f"{told}, and it lies beyond the last bound"
    return Result(value * figure.scale, count, told)


def highest(buckets: Iterable[float]) -> float:
    """Return the last bound, beyond which it is not known how far anything lies."""
    return max((bound for bound in buckets if math.isfinite(bound)), default=math.nan)


def histogram_quantile(share: float, buckets: Mapping[float, float]) -> float:
    """Return the value below which `share` of what was counted lies; NaN where nothing was, or no bound is infinite.

    `buckets`: how much was counted up to each bound.
    """
    bounds = sorted(buckets)
    if len(bounds) < 2 or bounds[-1] != math.inf:  # noqa: PLR2004 - one that is finite, and infinity
        return math.nan
    counts = _rising(buckets[bound] for bound in bounds)
    rank = share * counts[-1]
    if not counts[-1] > 0:
        return math.nan
    index = next((n for n, count in enumerate(counts[:-1]) if count >= rank), len(counts) - 1)
    if index == len(counts) - 1:
        return bounds[-2]
    if index == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[index - 1], counts[index - 1]) if index else (0.0, 0.0)
    return start + (bounds[index] - start) * ((rank - below) / (counts[index] - below))


def _rising(counts: Iterable[float]) -> list[float]:
    """Return `counts` without falls: buckets that were written while they were read, or that rounding let fall."""
    found: list[float] = []
    for count in counts:
        before = found[-1] if found else -math.inf
        found.append(before if count < before or math.isclose(count, before, rel_tol=NEARLY) else count)
    return found


async def _sums(figure: Figure, found: AsyncIterator[Grown]) -> dict[str, float]:
    increases: dict[str, list[float]] = defaultdict(list)
    async for each in found:
        increases[group(figure, each.series)].append(each.increase)
    return {name: combined("sum", values) for name, values in increases.items()}


async def _buckets(figure: Figure, found: AsyncIterator[Grown]) -> dict[str, dict[float, float]]:
    counts: dict[str, dict[float, float]] = defaultdict(lambda: defaultdict(float))
    async for each in found:
        bound = _bound(dict(each.series.labels).get(BOUND, ""))
        if not math.isnan(bound):
            counts[group(figure, each.series)][bound] += each.increase
    return counts


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

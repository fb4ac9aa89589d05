"""From the data of an answer to the series of a measure. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from pydantic import Field, field_validator

from monitor.fields import ShortForm, UnitWord
from monitor.model import Failure, Reason, State, labels
from monitor.units import COUNTED, Unit, show_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from monitor.model import Labels
    from monitor.vendors import Found

LONGEST_QUERY = 20_000
STALE = timedelta(minutes=5)
"""An answer about a moment so far from now comes from a cache, or a clock is wrong."""
OTHERS: Mapping[str, str] = {
    "matrix": "gives many moments of each series: leave a range such as [5m] to a function",
    "string": "gives a text",
}
Label = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]


class Query(ShortForm):
    """A question in PromQL that becomes a measure; a bare text is the question."""

    short: ClassVar[dict[type, str]] = {str: "query"}

    query: Annotated[str, Field(min_length=1, max_length=LONGEST_QUERY)]
    """What is asked, of the present moment."""
    unit: UnitWord = "number"
    """What the answer counts in: `number`, `seconds`, `ms`, `bytes`, `MB`, `ratio`, `%`, `timestamp` …"""
    by: tuple[Label, ...] | Label = ()
    """The label, or labels, that tell several series of the answer apart. Without it there must be one."""
    most: Annotated[int, Field(ge=1, le=500)] = 50
    """How many series there may be, the largest; a message says how many were left out."""
    empty: float | None = None
    """What an empty answer means, such as 0. Default: nothing can be told, `missing`. With `by` an empty answer is one
    without series, if this is given."""

    @field_validator("by", mode="after")
    @classmethod
    def _listed(cls, by: tuple[str, ...] | str) -> tuple[str, ...]:
        return (by,) if isinstance(by, str) else by

    @property
    def base(self) -> Unit:
        """Return the base unit of the measure."""
        return COUNTED[self.unit][0]

    @property
    def scale(self) -> float:
        """Return how much of the base unit a number of the answer is."""
        return COUNTED[self.unit][1]


class Points(NamedTuple):
    """The values by their labels, those that are numbers; `broken`: there were others, such as 0 / 0."""

    values: Mapping[Labels, float]
    broken: bool = False


def read_points(query: Query, data: Found, now: datetime, shown: Callable[[str], str]) -> Points:
    """Return what an answer yields for `query`; `now` is our time, `shown` makes a label's value fit to be shown.

    Raises `Failure` (unknown) for an answer that is empty, stale, of another type, or has series that `by` does not
    tell apart.
    """
    found = dict(_apart(query, data, now, shown))
    if not found:
        if query.empty is None:
            raise _unknown(Reason.MISSING, "the answer is empty; if that means 0, say empty: 0")
        return Points({} if query.by else {(): query.empty * query.scale})
    values = {key: value * query.scale for key, value in found.items() if math.isfinite(value)}
    return Points(values, len(values) < len(found))


def largest(points: Points, most: int) -> tuple[Mapping[Labels, float], Sequence[Labels]]:
    """Return the `most` largest values, and the labels of the others."""
    ordered = sorted(points.values, key=lambda key: (-abs(points.values[key]), key))
    return {key: points.values[key] for key in ordered[:most]}, ordered[most:]


def _apart(query: Query, data: Found, now: datetime, shown: Callable[[str], str]) -> Iterator[tuple[Labels, float]]:
    """Yield each series once."""
    match data["resultType"].text:
        case "scalar":
            series: list[tuple[Labels, float]] = [((), _value(data["result"], now))]
        case "vector":
            series = [(_labels(query, one, shown), _sample(one, now)) for one in data["result"]]
        case other:
            raise _unknown(Reason.PROTOCOL, f"the query {OTHERS.get(other, 'gives what is no number')}")
    seen: set[Labels] = set()
    for key, value in series:
        if key in seen:
            which = f"the same {' and '.join(query.by)}" if query.by else "nothing that `by` tells apart"
            raise _unknown(Reason.UNKNOWN, f"{len(series)} series, and two have {which}: add them up in the query")
        seen.add(key)
        yield key, value


def _labels(query: Query, one: Found, shown: Callable[[str], str]) -> Labels:
    metric = one["metric"]
    return labels({name: shown(found.text) if (found := metric.get(name)) else "" for name in query.by})


def _sample(one: Found, now: datetime) -> float:
    if one.get("histogram") is not None:
        raise _unknown(Reason.PROTOCOL, "the query gives native histograms: use histogram_quantile or the like")
    return _value(one["value"], now)


def _value(pair: Found, now: datetime) -> float:
    moment, number = _two(pair)
    at = datetime.fromtimestamp(min(max(moment.number, 0.0), 1e11), UTC)
    if abs(now - at) > STALE:
        ago = show_duration(abs((now - at).total_seconds()))
        where = "old" if at < now else "ahead of us"
        raise _unknown(Reason.UNKNOWN, f"the answer is {ago} {where}: it is a cache's, or a clock is wrong")
    try:
        return float(number.text)
    except ValueError:
        raise _unknown(Reason.PROTOCOL, "the answer has a value that is no number") from None


def _two(pair: Found) -> tuple[Found, Found]:
    listed = list(pair)
    if len(listed) != 2:  # noqa: PLR2004 - a moment and a value
        raise _unknown(Reason.PROTOCOL, "the answer has a sample that is no moment and value")
    return listed[0], listed[1]


def _unknown(reason: Reason, detail: str) -> Failure:
    return Failure(reason, detail, State.UNKNOWN)

"""What a file can say of one figure that is computed from a page of metrics."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from monitor.fields import PositiveDuration, ShortForm
from monitor.probes.base import MeasureSpec
from monitor.probes.metrics.selector import Selector
from monitor.units import COUNTED, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

AGE = "age"
UNITS = (*COUNTED, AGE)
LONGEST_WINDOW = timedelta(days=1)
BUCKET, BOUND = "_bucket", "le"
FORMS = ("value", "rate", "increase", "ratio", "quantile")
RATES = {Unit.NUMBER: Unit.PER_SECOND, Unit.BYTES: Unit.BYTES_PER_SECOND, Unit.SECONDS: Unit.RATIO}
"""In which unit the rate of a counter is."""
Combine = Literal["sum", "max", "min", "avg"]


def _unit(word: str) -> str:
    if word not in UNITS:
        raise ValueError(f"{word!r} is not a unit: there are {', '.join(UNITS)}")
    return word


def _window(window: timedelta) -> timedelta:
    if window > LONGEST_WINDOW:
        raise ValueError("a window is at most 1d; for longer ones watch the measure over a window")
    return window


Word = Annotated[str, AfterValidator(_unit), WithJsonSchema({"type": "string", "enum": list(UNITS)})]
Window = Annotated[PositiveDuration, AfterValidator(_window)]


class Figure(ShortForm):
    """One of `value`, `rate`, `increase`, `ratio` with `of`, and `quantile` with `histogram`; a bare text is `value`.

    What selects series is written as in PromQL: `http_requests_total{status=~"5..", method!="HEAD"}`. Of several series
    that are selected the sum is meant, unless `by` tells them apart.
    """

    short: ClassVar[dict[type, str]] = {str: "value"}

    value: Selector | None = None
    """The series that say it, as they are now."""
    rate: Selector | None = None
    """The counters whose increase per second it is."""
    increase: Selector | None = None
    """The counters whose increase it is."""
    ratio: Selector | None = None
    """The counters whose increase is divided by that of `of`: errors of requests, seconds of calls."""
    of: Selector | None = None
    """The counters that `ratio` is a part of."""
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = None
    """The share of a histogram's new observations that lie below what is looked for: `0.95`."""
    histogram: Selector | None = None
    """The histogram of `quantile`, without its `_bucket`."""
    window: Window = timedelta(minutes=5)
    """How far back scrapes count, for all but `value`; at most a day."""
    by: Annotated[str, Field(pattern="^([A-Za-z_][A-Za-z0-9_]*)?$")] = ""
    """A label whose values are told apart, a series each."""
    most: Annotated[int, Field(ge=1, le=200)] = 20
    """How many values of `by` there may be: those with the most in them. A message says how many were left out."""
    least: Annotated[float, Field(ge=0)] = 0.0
    """How much of `of`, or how many observations, the window must hold; with less there is no figure."""
    empty: float | None = None
    """What it is where there is nothing to compute from: no such series, or nothing of it in the window. Default: there
    is no figure, and what no page has ever had is down, `missing`."""
    combine: Combine | None = None
    """What is made of several series of a `value`: `sum` (the default), `max` (that of moments), `min`, `avg`."""
    unit: Word | None = None
    """What the series count in: `number`, `seconds`, `ms`, `bytes`, `%`, `timestamp` …; `age` is the time since a
    moment. Default: `number`, of a `ratio` that itself, of a `quantile` `seconds`."""

    @model_validator(mode="after")
    def _agree(self) -> Figure:
        if (count := sum(getattr(self, form) is not None for form in FORMS)) != 1:
            raise ValueError(f"give {'one' if not count else 'only one'} of {', '.join(FORMS)}")
        if (self.ratio is None) is not (self.of is None):
            raise ValueError("ratio and of go together: what is divided, and by what")
        if (self.quantile is None) is not (self.histogram is None):
            raise ValueError("quantile and histogram go together: which share, and of what")
        given = self.model_fields_set
        if self.value is not None and "window" in given:
            raise ValueError("a value is that of now and has no window; watch it over one: avg(name, 5m)")
        if self.value is None and self.combine is not None:
            raise ValueError("combine goes with value; counters are added up")
        if self.least and self.ratio is None and self.quantile is None:
            raise ValueError("least goes with ratio and quantile")
        self._look_at_unit()
        self._look_at_labels()
        return self

    def _look_at_unit(self) -> None:
        if self._counted is Unit.TIMESTAMP and self.value is None:
            raise ValueError("a moment is a value; it has no rate")
        if self.unit == AGE and self.value is None:
            raise ValueError("an age goes with value")
        if self.rate is not None and self._counted not in RATES:
            raise ValueError(f"a rate is of things, bytes or seconds, and not of {self.unit}")

    def _look_at_labels(self) -> None:
        bounded = {matcher.label for matcher in self.histogram.matchers} if self.histogram else set()
        if BOUND in {*bounded, self.by} and self.histogram:
            raise ValueError(f"the buckets of a histogram are told apart by {BOUND}, so it cannot be selected by that")

    @cached_property
    def terms(self) -> Sequence[Selector]:
        """Return what is selected: one selector, or those of `ratio` and `of`."""
        if self.histogram is not None:
            matchers = self.histogram.text.removeprefix(self.histogram.name)
            return (Selector(f"{self.histogram.name}{BUCKET}{matchers}"),)
        named = (self.value, self.rate, self.increase, self.ratio, self.of)
        return tuple(selector for selector in named if selector is not None)

    @property
    def windowed(self) -> bool:
        """Return whether it is computed from several scrapes."""
        return self.value is None

    @property
    def whole(self) -> bool:
        """Return whether it grows with the window, so that it is told only where scrapes fill that."""
        return self.rate is not None or self.increase is not None

    @property
    def combining(self) -> Combine:
        """Return what is made of several series."""
        return self.combine or ("max" if self.unit == AGE or self.base is Unit.TIMESTAMP else "sum")

    @property
    def base(self) -> Unit:
        """Return the unit of the result."""
        return RATES.get(self._counted, Unit.NUMBER) if self.rate is not None else self._counted

    @property
    def scale(self) -> float:
        """Return what a number of the page is multiplied by."""
        return COUNTED[self.unit][1] if self.unit in COUNTED else 1.0

    @property
    def _counted(self) -> Unit:
        if self.unit is None:
            return Unit.RATIO if self.ratio is not None else Unit.SECONDS if self.quantile is not None else Unit.NUMBER
        return Unit.SECONDS if self.unit == AGE else COUNTED[self.unit][0]

    def spec(self, name: str) -> MeasureSpec:
        """Return the measure that it becomes."""
        part = self.ratio is not None and self.of is not None and self.ratio.name == self.of.name
        labels = (self.by,) if self.by else ()
        exceeds = self.base is Unit.RATIO and not part
        return MeasureSpec(name, self.base, self._meaning, labels, exceeds=exceeds)

    @property
    def _meaning(self) -> str:
        form = next(form for form in FORMS if getattr(self, form) is not None)
        share = f" {self.quantile:g}" if self.quantile is not None else ""
        return f"{form}{share} of {' and '.join(map(str, self.terms))}"

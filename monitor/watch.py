"""What a threshold looks at and at which figures: the grammar of `watch`, `info`, `warning` and `critical`.

watch     = measure [selection] | function "(" measure [selection] "," window ")"
selection = "{" name ("=" | "!=") quoted text, … "}"
figure    = (">" | ">=" | "<" | "<=" | "==" | "!=") quantity
"""

from __future__ import annotations

import enum
import math
import operator
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import Labels, labels
from monitor.units import Unit, parse_duration, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.model import Severity


class Function(enum.StrEnum):
    """What is made of the values in a window. `LAST` is the newest sample's own value, without a window."""

    LAST = "last"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    QUANTILE = "quantile"
    RATE = "rate"
    INCREASE = "increase"
    CHANGE = "change"


NAMED = {str(function): function for function in Function if function not in {Function.LAST, Function.QUANTILE}}
ALLOWED = f"{', '.join(NAMED)} and p50, p95, p99, p99.9 and the like"
FORMS = 'measure, measure{label="text"} or function(measure, window)'
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
COUNTED = {Unit.NUMBER: Unit.PER_SECOND, Unit.BYTES: Unit.BYTES_PER_SECOND, Unit.SECONDS: Unit.RATIO}
ON_MOMENTS = {Function.LAST, Function.MIN, Function.MAX}
EXAMPLES = {Unit.SECONDS: "ms", Unit.TIMESTAMP: "d", Unit.BYTES: "MB", Unit.BYTES_PER_SECOND: "MB/s", Unit.RATIO: "%"}
LONGEST_WINDOW = timedelta(days=14)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CALL = re.compile(r"([^({]*)\((.*)\)", re.DOTALL)
_SERIES = re.compile(r"([^{]*)(?:\{(.*)\})?", re.DOTALL)
_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,2})?)")
_MATCHER = re.compile(
    r"""\s*([A-Za-z_][A-Za-z0-9_]*)\s*(!=|=)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\s*(?:,|$)""", re.DOTALL
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Watch:
    """What a threshold looks at: a function of one measure over (t - window, t], for some of its series.

    A series is watched when each label of `selection` has its value there and none of `exclusion` has; a label that a
    series lacks counts as empty. `quantile` lies between 0 and 1 and is 0 for the other functions.
    """

    text: str
    function: Function
    measure: str
    selection: Labels = ()
    window: timedelta = timedelta()
    quantile: float = 0.0
    exclusion: Labels = ()

    def selects(self, series: Labels) -> bool:
        """Return whether the series with these labels is watched."""
        if not self.selection and not self.exclusion:
            return True
        own = dict(series)
        wanted = all(own.get(name, "") == value for name, value in self.selection)
        return wanted and all(own.get(name, "") != value for name, value in self.exclusion)


@dataclass(frozen=True, slots=True)
class Figure:
    """The figure of one level: `comparison` is one of > >= < <= == !=, `value` in the base unit of the watch."""

    severity: Severity
    comparison: str
    value: float
    text: str

    def crossed(self, value: float) -> bool:
        """Return whether the comparison of `value` with this figure holds."""
        return COMPARISONS[self.comparison](value, self.value)


def parse_watch(text: str) -> Watch:
    """Return the watch that `text` writes, such as `size` or `p95(duration{phase="tls"}, 5m)`.

    Raises ValueError saying what is allowed.
    """
    text = text.strip()
    call = _CALL.fullmatch(text)
    if call is None:
        measure, selection, exclusion = _series(text, text)
        return Watch(text, Function.LAST, measure, selection, exclusion=exclusion)
    name = call[1].strip()
    function, quantile = _function(name, text)
    inside, comma, window = call[2].rpartition(",")
    if not comma or '"' in window or "'" in window:
        raise _windowless(name, call[2].strip(), text)
    measure, selection, exclusion = _series(inside, text)
    return Watch(text, function, measure, selection, _window(window, text), quantile, exclusion)


def parse_figure(severity: Severity, text: str, unit: Unit) -> Figure:
    """Return the figure that `text` such as `> 300ms` writes, in `unit`; raises ValueError with what is wrong."""
    text = text.strip()
    quantity = text.lstrip("<>=!~≤≥")
    comparison = text.removesuffix(quantity) if quantity else text
    if not comparison:
        raise ValueError(
            f'{text!r} has no comparison ({" ".join(COMPARISONS)}); if one was meant, quote it: "> {text or "300ms"}"'
        )
    if comparison not in COMPARISONS:
        raise ValueError(f"{text!r}: {comparison!r} is no comparison, which are {' '.join(COMPARISONS)}")
    value = _quantity(quantity.strip(), unit, text)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is too large")
    return Figure(severity, comparison, value, text)


def result_unit(watch: Watch, measure: Unit) -> Unit:
    """Return the unit of what `watch` yields for a measure in the unit `measure`.

    A `TIMESTAMP` stays one and is judged by the time left. `rate` and `increase` need a counter: of things, of bytes
    (their rates are per second) or of seconds (a ratio: seconds in each second). Raises ValueError when the function
    makes no sense for such a measure.
    """
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
            return 1


def _function(name: str, text: str) -> tuple[Function, float]:
    percentile = _PERCENTILE.fullmatch(name)
    if percentile and float(percentile[1]) > 0:
        return Function.QUANTILE, round(float(percentile[1]) / 100, 6)
    if name not in NAMED:
        hint = {"p0": "; p0 is min", "p100": "; p100 is max"}.get(name, "")
        raise ValueError(f"{text!r}: {name!r} is no function; functions are {ALLOWED}{hint}")
    return NAMED[name], 0.0


def _series(part: str, text: str) -> tuple[str, Labels, Labels]:
    match = _SERIES.fullmatch(part.strip())
    name = match[1].strip() if match else part
    if match is None or not _NAME.fullmatch(name):
        raise ValueError(f"{text!r} is no {FORMS}; functions are {ALLOWED}")
    wanted: dict[str, str] = {}
    unwanted: set[tuple[str, str]] = set()
    for label, comparison, value in _matchers(match[2] or "", text):
        if comparison == "!=":
            unwanted.add((label, value))
        elif wanted.setdefault(label, value) != value:
            raise ValueError(f"{text!r}: {label} cannot have two values at once")
    return name, labels(wanted), tuple(sorted(unwanted))


def _matchers(part: str, text: str) -> list[tuple[str, str, str]]:
    found = []
    position = 0
    while part[position:].strip():
        match = _MATCHER.match(part, position)
        if match is None:
            raise ValueError(
                f'{text!r}: {part[position:].strip()!r} is no label selection such as state="idle" or state!="idle"'
            )
        found.append((match[1], match[2], _ESCAPE.sub(_unescape, match[3][1:-1])))
        position = match.end()
    return found


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


def _window(part: str, text: str) -> timedelta:
    try:
        window = parse_duration(part.strip())
    except ValueError as error:
        raise ValueError(f"{text!r}: the window {error}") from None
    if not timedelta() < window <= LONGEST_WINDOW:
        raise ValueError(
            f"{text!r}: a window is longer than 0 and at most {LONGEST_WINDOW.days}d, for which samples are kept"
        )
    return window


def _windowless(function: str, inside: str, text: str) -> ValueError:
    bare, bracket, window = inside.removesuffix("]").rpartition("[")
    if bracket:
        return ValueError(f"{text!r}: write {function}({bare.strip()}, {window.strip()})")
    return ValueError(f"{text!r} lacks a window: write {function}({inside or 'measure'}, 5m)")


def _quantity(text: str, unit: Unit, whole: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if number == 0:  # the one number that is the same in every unit
        return 0.0
    if unit in EXAMPLES and not math.isnan(number):
        raise ValueError(f"{whole!r} needs a unit such as {text}{EXAMPLES[unit]}")
    try:
        return parse_quantity(text, unit)
    except ValueError as error:
        raise ValueError(f"{whole!r}: {error}") from None

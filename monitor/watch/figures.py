"""The figures of a threshold's levels."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.units import Unit, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.model import Severity

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
EXAMPLES = {Unit.SECONDS: "ms", Unit.TIMESTAMP: "d", Unit.BYTES: "MB", Unit.BYTES_PER_SECOND: "MB/s", Unit.RATIO: "%"}


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


def parse_figure(severity: Severity, text: str, unit: Unit) -> Figure:
    """Return the figure that `text` such as `> 300ms` writes, in `unit`; raises ValueError with what is wrong."""
    text = text.strip()
    written = text.lstrip("<>=!~≤≥")
    comparison = text.removesuffix(written) if written else text
    if not comparison:
        raise ValueError(
            f'{text!r} has no comparison ({" ".join(COMPARISONS)}); if one was meant, quote it: "> {text or "300ms"}"'
        )
    if comparison not in COMPARISONS:
        raise ValueError(f"{text!r}: {comparison!r} is no comparison, which are {' '.join(COMPARISONS)}")
    return Figure(severity, comparison, quantity(written.strip(), unit, text), text)


def quantity(text: str, unit: Unit, whole: str) -> float:
    """Return what `text` writes in the base unit of `unit`; raises ValueError that names the `whole` it stands in."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if number == 0:  # the one number that is the same in every unit
        return 0.0
    if unit in EXAMPLES and not math.isnan(number):
        raise ValueError(f"{whole!r} needs a unit such as {text}{EXAMPLES[unit]}")
    try:
        value = parse_quantity(text, unit)
    except ValueError as error:
        raise ValueError(f"{whole!r}: {error}") from None
    if not math.isfinite(value):
        raise ValueError(f"{whole!r} is too large")
    return value

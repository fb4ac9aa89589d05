"""What a `watch` says, once it is read."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.model import Labels


class Function(enum.StrEnum):
    """What is made of the values in a window. `LAST` is the newest sample's own value, without a window.

    The last three hold what is seen now against the past: see `monitor.baseline`.
    """

    LAST = "last"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    SUM = "sum"
    QUANTILE = "quantile"
    RATE = "rate"
    INCREASE = "increase"
    CHANGE = "change"
    USUAL = "usual"
    DRIFT = "drift"
    UNSEEN = "unseen"


PAST = frozenset({Function.USUAL, Function.DRIFT, Function.UNSEEN})
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Watch:
    """What a threshold looks at: a function of one measure over (t - window, t], for some of its series.

    A series is watched when each label of `selection` has its value there and none of `exclusion` has; a label that a
    series lacks counts as empty. `quantile` lies between 0 and 1 and is 0 for the other functions.

    The functions that look back have more: `inner` is what `usual` and `drift` make of the window before they compare
    it, `by` the label by whose values series are told apart (empty: by all their labels), `least` what is too little to
    compare, as it is written, and `floor` the same in the base unit, 0 where nothing is said: see `settled`.
    """

    text: str
    function: Function
    measure: str
    selection: Labels = ()
    window: timedelta = timedelta()
    quantile: float = 0.0
    exclusion: Labels = ()
    inner: Watch | None = None
    by: str = ""
    least: str = ""
    floor: float = 0.0

    @property
    def looks_back(self) -> bool:
        """Return whether this holds the present against the past."""
        return self.inner is not None or self.function is Function.UNSEEN

    @property
    def reach(self) -> timedelta:
        """Return how far back single samples matter.

        A value is first seen at a moment, but known by the hour: so `unseen` must see the whole hour.
        """
        return self.window + HOUR if self.function is Function.UNSEEN else self.window

    def selects(self, series: Labels) -> bool:
        """Return whether the series with these labels is watched."""
        if not self.selection and not self.exclusion:
            return True
        own = dict(series)
        wanted = all(own.get(name, "") == value for name, value in self.selection)
        return wanted and all(own.get(name, "") != value for name, value in self.exclusion)

    def group(self, series: Labels) -> Labels:
        """Return the labels by which this series is told apart from others."""
        if not self.by:
            return series
        return ((self.by, next((value for name, value in series if name == self.by), "")),)

"""What a threshold sees, and when one of its levels fires, in PromQL.

A level fires where its figure is crossed by a value that a run could tell. Where nobody can tell (an unknown run, too
few values, no number, no daemon) it neither begins nor ends: Prometheus's own `ALERTS` holds what fires already. Series
are those of `monitor.metrics`; whatever a scrape adds (`instance`, `job`) is aggregated away, so that an alert has the
labels that the daemon's own has.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from monitor.metrics.text import label_name, metric_name
from monitor.rules.promql import duration, figure, firing, selector
from monitor.units import Unit
from monitor.watch import Function, values_needed

if TYPE_CHECKING:
    from datetime import timedelta

    from monitor.plan import Plan
    from monitor.probes.base import MeasureSpec
    from monitor.thresholds import Threshold
    from monitor.watch import Figure

RANGES = {
    Function.AVG: "avg_over_time({0})",
    Function.MIN: "min_over_time({0})",
    Function.MAX: "max_over_time({0})",
    Function.SUM: "sum_over_time({0})",
    Function.QUANTILE: "quantile_over_time({1}, {0})",
    Function.RATE: "rate({0})",
    Function.INCREASE: "increase({0})",
}
HERE = "on (system, check)"


class Expression:
    """One threshold in PromQL. `interval` is how often is scraped and evaluated."""

    def __init__(self, plan: Plan, threshold: Threshold, interval: timedelta) -> None:
        """Make the parts that its levels share; the watch must not be one that looks back."""
        watch = threshold.watch
        spec = measure_of(plan, threshold)
        self._plan, self._threshold = plan, threshold
        self._by = ", ".join(dict.fromkeys(("system", "check", *map(label_name, spec.labels))))
        series = selector(metric_name(plan.check.kind, spec), plan.id, wanted=watch.selection, unwanted=watch.exclusion)
        window = f"{series}[{duration(watch.window)}]"
        self._success = selector("monitor_probe_success", plan.id)
        self._seen = self._each(f"count_over_time({window})") if watch.window else self._each(series)
        self._value = self._each(self._read(series, window, interval))
        if threshold.unit is Unit.TIMESTAMP:
            self._value += " - time()"
        pace = plan.check.every / interval
        self._enough = ""
        if watch.function is Function.QUANTILE:
            self._enough = f"\n  and {self._seen} >= {math.ceil(values_needed(watch) * pace)}"

    def level(self, level: Figure) -> str:
        """Return the expression of one level, in lines."""
        crossed = f"{self._value} {level.comparison} {figure(level.value)}{self._enough}"
        judged = f"{self._value} >= -Inf{self._enough}\n  and {HERE} {self._success}"
        held = f"NaN * {self._each(firing(self._threshold.name, self._plan.id, level.severity))}"
        return "\n".join(
            (
                f"{crossed}\n  and {HERE} {self._success}",
                f"or {held}\n  and {self._seen}\n  unless ({judged})",
                f"or {held}\n  unless {self._seen}\n  unless {HERE} {self._success} == 1",
            )
        )

    def _each(self, series: str) -> str:
        return f"max by ({self._by}) ({series})"

    def _read(self, series: str, window: str, interval: timedelta) -> str:
        """Return what is made of the series; what counts runs must be told how often each of them is scraped."""
        watch = self._threshold.watch
        if watch.function is Function.LAST:
            return series
        if watch.function is Function.CHANGE:
            before = f"last_over_time({window} offset {duration(max(watch.window - interval, interval))})"
            return f"{series} / ({before} != 0) - 1"
        text = RANGES[watch.function].format(window, figure(watch.quantile))
        share = interval / self._plan.check.every
        return f"{text} * {figure(share)}" if watch.function is Function.SUM and share != 1 else text


def measure_of(plan: Plan, threshold: Threshold) -> MeasureSpec:
    """Return the measure that `threshold` watches, as the check declares it."""
    return next(spec for spec in plan.check.declared() if spec.name == threshold.watch.measure)

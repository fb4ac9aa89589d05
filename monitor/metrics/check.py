"""The series of one check, rendered when they are asked for and a run has changed them.

Rendering everything at each scrape would stall the loop for 150 ms at 1,000 checks (measured with prometheus_client),
in the middle of what is being timed. So lines are kept until a run changes them, and are rendered check by check.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from monitor.metrics.text import Family, label_pairs, label_value, metric_name, number
from monitor.model import Reason, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from monitor.model import CheckId, Labels, Sample
    from monitor.plan import Plan

MOST_SERIES = 1_000
"""How many series one sample may show as measures; the rest is left out, so that no answer can flood the page."""


class CheckFamilies:
    """The families in which every check has lines."""

    def __init__(self) -> None:
        self.success = Family("monitor_probe_success", "gauge", "Whether the newest run found its target up.")
        self.runs = Family("monitor_probe_runs_total", "counter", "Runs of the check.")
        self.failures = Family("monitor_probe_failures_total", "counter", "Runs that found the target down, by reason.")
        self.unknown = Family("monitor_probe_unknown_total", "counter", "Runs that could not tell up from down.")
        self.omitted = Family(
            "monitor_probe_left_out_total", "counter", "Runs that looked at nothing on purpose, as while it sleeps."
        )
        self.duration = Family("monitor_probe_duration_seconds", "histogram", "How long runs took.")
        self.last_run = Family("monitor_probe_last_run_timestamp_seconds", "gauge", "When the newest run ended.")
        self.missed = Family("monitor_probe_missed_runs_total", "counter", "Runs left out: one before took too long.")
        self.left_out = Family(
            "monitor_series_left_out_total", "counter", "Values of series beyond the 1,000 that a threshold can see."
        )
        self.threshold = Family("monitor_threshold", "gauge", "The figure of each level of a threshold, in base units.")
        self.history = Family(
            "monitor_threshold_history_seconds",
            "gauge",
            "How much of the past a threshold knows that is held against it; it judges from two weeks on.",
        )

    def __iter__(self) -> Iterator[Family]:
        return iter(vars(self).values())


class Durations:
    """How long runs took, counted between edges from 0 on."""

    def __init__(self, name: str, labels: str, edges: Sequence[float]) -> None:
        self._edges = edges
        self._counts = [0] * (len(edges) + 1)
        self._sum = 0.0
        labels = labels.replace("%", "%%")
        bounds = [*map(number, edges), "+Inf"]
        lines = [f'{name}_bucket{{{labels},le="{bound}"}} %d\n' for bound in bounds]
        self._lines = "".join([*lines, f"{name}_count{{{labels}}} %d\n{name}_sum{{{labels}}} %r\n"])

    def observe(self, seconds: float) -> None:
        """Count one run."""
        self._sum += seconds
        for index in range(bisect_left(self._edges, seconds), len(self._counts)):
            self._counts[index] += 1

    def render(self) -> bytes:
        """Return the lines of the histogram."""
        return (self._lines % (*self._counts, self._counts[-1], self._sum)).encode()


class CheckSeries:
    """What one check has counted, and its lines in the families."""

    def __init__(self, check: CheckId, families: CheckFamilies, edges: Sequence[float]) -> None:
        """Make the series of a check that has not run."""
        self._id = check
        self._families = families
        self._labels = f'system="{label_value(check.system)}",check="{label_value(check.check)}"'
        self._last_run = f"{families.last_run.name}{{{self._labels}}} "
        self._success = ""
        self._runs = self._unknown = self._omitted = self._missed = self._left_out = 0
        self._failures: dict[Reason, int] = {}
        self._depths: dict[str, float] = {}
        self._durations = Durations(families.duration.name, self._labels, edges)
        self._gauges: dict[str, Family] = {}
        self._series: dict[tuple[str, Labels], tuple[Family | None, str]] = {}
        self._shown: set[Family] = set()
        self._newest: Sample | None = None
        self._failed = False

    def describe(self, plan: Plan, gauge: Callable[[str, str], Family]) -> None:
        """Follow a new or changed plan; what was counted stays. `gauge` yields the family of a name and a meaning."""
        kind = plan.check.kind
        self._success = f'{self._families.success.name}{{{self._labels},kind="{label_value(kind)}"}} '
        self._gauges = {spec.name: gauge(metric_name(kind, spec), spec.meaning) for spec in plan.check.declared()}
        self._series.clear()
        for reason in sorted(plan.check.reasons):
            self._failures.setdefault(reason, 0)
        self._failed = True
        self._show_figures(plan)
        watches = (threshold.watch for threshold in plan.thresholds)
        self._depths = {watch.text: self._depths.get(watch.text, 0.0) for watch in watches if watch.looks_back}
        self.look_back({})
        self._show_counts()
        self.miss(0)
        self.leave_out(0)
        self._put(self._families.duration, self._durations.render())

    def bucket(self, edges: Sequence[float]) -> None:
        """Count durations between `edges` from now on, from 0: Prometheus takes it for a restart."""
        self._durations = Durations(self._families.duration.name, self._labels, edges)
        self._put(self._families.duration, self._durations.render())

    def take(self, sample: Sample) -> None:
        """Count one run; `render` shows it."""
        self._newest = sample
        self._runs += 1
        self._durations.observe(sample.took.total_seconds())
        self._failed |= sample.state is not State.UP
        if sample.left_out:
            self._omitted += 1
        elif sample.state is State.UNKNOWN:
            self._unknown += 1
        if sample.state is State.DOWN:
            reason = sample.reason or Reason.UNKNOWN
            self._failures[reason] = self._failures.get(reason, 0) + 1

    def render(self) -> None:
        """Render what the runs since the last time changed."""
        sample, self._newest = self._newest, None
        if sample is None:
            return
        success = "" if sample.state is State.UNKNOWN else f"{self._success}{sample.state is State.UP:d}\n"
        self._put(self._families.success, success.encode())
        self._show_counts()
        self._put(self._families.duration, self._durations.render())
        self._put(self._families.last_run, f"{self._last_run}{sample.at.timestamp():.3f}\n".encode())
        self._show_measures(sample)

    def miss(self, count: int) -> None:
        """Count runs that were left out."""
        self._missed += count
        self._count(self._families.missed, self._missed)

    def leave_out(self, count: int) -> None:
        """Count values that no threshold sees."""
        self._left_out += count
        self._count(self._families.left_out, self._left_out)

    def look_back(self, depths: Mapping[str, timedelta]) -> None:
        """Show how much of the past each watch knows, by its text; one that is not named stays as it was."""
        for text in self._depths.keys() & depths.keys():
            self._depths[text] = depths[text].total_seconds()
        name = self._families.history.name
        lines = [
            f'{name}{{{self._labels},watch="{label_value(text)}"}} {number(depth)}\n'
            for text, depth in self._depths.items()
        ]
        self._put(self._families.history, "".join(lines).encode())

    def vanish(self) -> None:
        """Take every line off the page."""
        for family in (*self._families, *self._shown):
            family.blocks.pop(self._id, None)

    def _put(self, family: Family, lines: bytes) -> None:
        if lines:
            family.blocks[self._id] = lines
        else:
            family.blocks.pop(self._id, None)

    def _count(self, family: Family, value: int) -> None:
        self._put(family, f"{family.name}{{{self._labels}}} {value}\n".encode())

    def _show_counts(self) -> None:
        self._count(self._families.runs, self._runs)
        if not self._failed:
            return
        self._failed = False
        self._count(self._families.unknown, self._unknown)
        self._count(self._families.omitted, self._omitted)
        name = self._families.failures.name
        lines = [f'{name}{{{self._labels},reason="{reason}"}} {n}\n' for reason, n in self._failures.items()]
        self._put(self._families.failures, "".join(lines).encode())

    def _show_figures(self, plan: Plan) -> None:
        """Show each figure; of two figures for the same watch and level the first."""
        lines: dict[str, float] = {}
        for threshold in plan.thresholds:
            watch = label_value(threshold.watch.text)
            for figure in threshold.figures:
                series = f'{{{self._labels},watch="{watch}",level="{figure.severity}"}}'
                lines.setdefault(series, figure.value)
        text = "".join(f"{self._families.threshold.name}{series} {number(value)}\n" for series, value in lines.items())
        self._put(self._families.threshold, text.encode())

    def _show_measures(self, sample: Sample) -> None:
        """Show the measures of `sample`, and none that it no longer has; of two values for one series the last."""
        lines: dict[Family, dict[str, str]] = {}
        for name, value, labels in sample.measures[:MOST_SERIES]:
            family, prefix = self._series.get((name, labels)) or self._find(name, labels)
            if family in lines:
                lines[family][prefix] = number(value)
            elif family:
                lines[family] = {prefix: number(value)}
        for family in self._shown - lines.keys():
            family.blocks.pop(self._id, None)
        for family, values in lines.items():
            text = "".join([f"{prefix}{value}\n" for prefix, value in values.items()])
            self._put(family, text.encode())
        self._shown = set(lines)

    def _find(self, name: str, labels: Labels) -> tuple[Family | None, str]:
        """Return the family of one series and what stands before its value; remembered, since labels seldom change."""
        if len(self._series) > MOST_SERIES:
            self._series.clear()
        family = self._gauges.get(name)
        more = f",{label_pairs(labels)}" if labels else ""
        found = (family, f"{family.name}{{{self._labels}{more}}} ") if family else (None, "")
        self._series[name, labels] = found
        return found

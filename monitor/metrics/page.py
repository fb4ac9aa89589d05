"""The whole page: families joined from what each run rendered, then the daemon's own series."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, disable_created_metrics, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from monitor import __version__
from monitor.metrics.check import CheckFamilies, CheckSeries
from monitor.metrics.own import DaemonMetrics, DeployMetrics, OutboxMetrics, RemoteWriteMetrics, ScheduleMetrics
from monitor.metrics.text import Family, label_pairs, label_value
from monitor.model import Phase
from monitor.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import timedelta

    from monitor.model import Alert, CheckId, Sample, Severity
    from monitor.plan import Plan

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
EDGES = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
PIECE = 25
"""How many checks are rendered without a pause: about half a millisecond."""
MOST_EDGES = 40
"""How many edges the histogram of durations may have: each one is a series of every check."""


class Metrics:
    """Every series. `schedule`, `outbox` and `daemon` are what those parts report to."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # the library knows no narrower switch
        self._registry = CollectorRegistry()
        self.schedule = ScheduleMetrics(self._registry, self.missed)
        self.outbox = OutboxMetrics(self._registry)
        self.daemon = DaemonMetrics(self._registry, __version__)
        self.deploys = DeployMetrics(self._registry)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._checks: dict[CheckId, CheckSeries] = {}
        self._families = CheckFamilies()
        self._gauges: dict[str, Family] = {}
        self._alerts = Family("monitor_alert", "gauge", "1 for each alert that is pending or firing.")
        self._edges: tuple[float, ...] = EDGES
        self._stale: dict[CheckId, CheckSeries] = {}

    def watch(self, plan: Plan) -> None:
        """Show a check; one that is shown already follows the changed plan and keeps its counts.

        Every figure in seconds becomes an edge of the histogram of durations, the same for all checks. A new edge
        restarts the histograms at 0. An edge stays until the process ends.
        """
        series = self._checks.get(plan.id)
        if series is None:
            series = self._checks[plan.id] = CheckSeries(plan.id, self._families, self._edges)
        series.describe(plan, self._gauge)
        edges = _edges(self._edges, plan)
        if edges != self._edges:
            self._edges = edges
            for other in self._checks.values():
                other.bucket(edges)

    def forget(self, check: CheckId) -> None:
        """Show nothing of a check any more. Its alerts vanish by `alert`, when they are closed."""
        self._stale.pop(check, None)
        if series := self._checks.pop(check, None):
            series.vanish()

    def sample(self, sample: Sample) -> None:
        """Show the newest sample of a check; one that is not watched is ignored."""
        if series := self._checks.get(sample.check):
            series.take(sample)
            self._stale[sample.check] = series

    def missed(self, check: CheckId, count: int) -> None:
        """Count runs of `check` that were left out."""
        if series := self._checks.get(check):
            series.miss(count)

    def left_out(self, check: CheckId, count: int) -> None:
        """Count values of `check` that no threshold sees, because their measure has too many series."""
        if series := self._checks.get(check):
            series.leave_out(count)

    def looks_back(self, check: CheckId, depths: Mapping[str, timedelta]) -> None:
        """Show how much of the past each watch of `check` that is held against it knows, by the watch's text."""
        if series := self._checks.get(check):
            series.look_back(depths)

    def alert(self, alert: Alert) -> None:
        """Show an alert as it is now, or no longer."""
        lines = [_alert_line(alert, severity, state) for severity, state in _states(alert)]
        if lines:
            self._alerts.blocks[alert.key] = "".join(lines).encode()
        else:
            self._alerts.blocks.pop(alert.key, None)

    def parts(self, *, openmetrics: bool = False) -> Iterator[bytes]:
        """Yield every series as text 0.0.4, or as OpenMetrics 1.0: each part is whole families, and quickly made.

        Whoever asks may do other things in between. What changes meanwhile is seen by the parts that follow.
        """
        yield from self.watched(openmetrics=openmetrics)
        yield self.own(openmetrics=openmetrics)

    def watched(self, *, openmetrics: bool = False) -> Iterator[bytes]:
        """Yield the series of checks and alerts: those that go on whichever instance shows them."""
        yield from self._rendered()
        for family in (*self._families, self._alerts, *self._gauges.values()):
            if family.blocks:
                yield b"".join([family.header(openmetrics=openmetrics), *family.blocks.values()])

    def own(self, *, openmetrics: bool = False) -> bytes:
        """Return the series of this very instance."""
        if not openmetrics:
            return generate_latest(self._registry)
        own: bytes = generate_openmetrics(self._registry)  # type: ignore[no-untyped-call]
        return own

    def remote_write(self, reasons: Iterable[str]) -> RemoteWriteMetrics:
        """Return what remote write reports to; its series show from now on. `reasons` are all why a request fails."""
        return RemoteWriteMetrics(self._registry, reasons)

    def _rendered(self) -> Iterator[bytes]:
        """Render what runs have changed, some checks at a time; what changes meanwhile waits for the next scrape."""
        for _ in range(math.ceil(len(self._stale) / PIECE)):
            for check in [*islice(self._stale, PIECE)]:
                self._stale.pop(check).render()
            yield b""

    def page(self, *, openmetrics: bool = False) -> bytes:
        """Return every series at once."""
        return b"".join(self.parts(openmetrics=openmetrics))

    def _gauge(self, name: str, meaning: str) -> Family:
        """Return the gauge of that name; the first meaning given to it holds."""
        family = self._gauges.get(name)
        if family is None:
            family = self._gauges[name] = Family(name, "gauge", meaning)
        return family


def _edges(known: tuple[float, ...], plan: Plan) -> tuple[float, ...]:
    """Return `known` and the figures in seconds of `plan`, ascending, as far as there is room."""
    figures = {
        figure.value for threshold in plan.thresholds if threshold.unit is Unit.SECONDS for figure in threshold.figures
    }
    fresh = sorted(value for value in figures - set(known) if 0 < value < math.inf)
    return tuple(sorted([*known, *fresh[: max(MOST_EDGES - len(known), 0)]]))


def _states(alert: Alert) -> Iterable[tuple[Severity, str]]:
    """Yield the severity that fires, and each worse one that is pending: a sum over what fires counts an alert once."""
    if alert.severity is not None:
        yield alert.severity, "firing"
    for severity, level in sorted(alert.levels.items()):
        if level.phase is Phase.PENDING and (alert.severity is None or severity > alert.severity):
            yield severity, "pending"


def _alert_line(alert: Alert, severity: Severity, state: str) -> str:
    key = alert.key
    own = (("alert", key.name), ("severity", str(severity)), ("state", state), ("series", label_pairs(key.labels)))
    where = f'system="{label_value(key.check.system)}",check="{label_value(key.check.check)}"'
    return f"monitor_alert{{{where},{label_pairs(own)}}} 1\n"

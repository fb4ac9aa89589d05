"""A kind of check to measure with, and a page read back by the library that Prometheus users trust."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from monitor.model import CheckId, Measure, Reason, Sample, Severity, State
from monitor.plan import Plan
from monitor.probes.base import Check, MeasureSpec, Run
from monitor.thresholds import Figure, Threshold, parse_watch
from monitor.units import Unit
from tests.fakes import START

if TYPE_CHECKING:
    from monitor.metrics import Metrics

SITE = CheckId("shop", "site")
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


class Web(Check):
    """A kind with a measure of each sort."""

    measures: ClassVar[tuple[MeasureSpec, ...]] = (
        MeasureSpec("duration", Unit.SECONDS, "How long it took."),
        MeasureSpec("phase", Unit.SECONDS, "How long each\npart took.", ("phase",)),
        MeasureSpec(
            "expiry", Unit.TIMESTAMP, 'When the "certificate" ends.', metric="monitor_tls_expiry_timestamp_seconds"
        ),
        MeasureSpec("size", Unit.BYTES, "How much came."),
        MeasureSpec("used", Unit.RATIO, "How full."),
        MeasureSpec("orders_total", Unit.NUMBER, "Orders."),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset({Reason.TIMEOUT, Reason.DNS})

    @property
    def host(self) -> str:
        return "localhost"

    async def probe(self, run: Run) -> None:
        run.note("duration", 0.1)


def plan(check: CheckId = SITE, *thresholds: Threshold) -> Plan:
    """Return a plan of the kind above."""
    return Plan(check, Web(kind="web"), thresholds)


def threshold(watch: str = "p95(duration, 5m)", unit: Unit = Unit.SECONDS, *values: float) -> Threshold:
    """Return a threshold with a warning and, given two values, a critical figure."""
    levels = zip((Severity.WARNING, Severity.CRITICAL), values, strict=False)
    return Threshold(watch, parse_watch(watch), unit, tuple(Figure(level, ">", value, "") for level, value in levels))


def sample(
    state: State = State.UP, *measures: Measure, check: CheckId = SITE, reason: Reason | None = None, took: float = 0.2
) -> Sample:
    """Return a sample that ended at `START`."""
    return Sample(check, START, timedelta(seconds=took), state, reason, "", measures)


def read(metrics: Metrics, *, openmetrics: bool = False) -> Series:
    """Return every series of the page, parsed; fails on a double series, or a family that is torn apart."""
    text = metrics.page(openmetrics=openmetrics).decode()
    parse = read_openmetrics if openmetrics else read_text
    series: Series = {}
    for family in parse(text):
        for name, labels, value, *_ in family.samples:
            key = (name, frozenset(labels.items()))
            assert key not in series, key
            series[key] = value
    heads = [line.split()[2] for line in text.split("\n") if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))
    return series


def value(series: Series, name: str, check: CheckId | None = SITE, **labels: str) -> float | None:
    """Return the value of one series, None if it is absent."""
    own = {"system": check.system, "check": check.check} if check else {}
    return series.get((name, frozenset({**own, **labels}.items())))

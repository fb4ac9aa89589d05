"""The newest value of each threshold and series against its figures. Pure."""

from __future__ import annotations

import math
from heapq import nsmallest
from typing import TYPE_CHECKING

from monitor.units import Unit, show
from monitor.view import FigureView

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from monitor.model import Alert, Labels, Severity
    from monitor.thresholds import History, Threshold
    from monitor.watched import Watched

MOST_SERIES = 20
"""Series that are shown of a threshold, the worst first."""


def figures(watched: Watched, at: datetime | None, alerts: Sequence[Alert]) -> tuple[FigureView, ...]:
    """Return a view for each threshold and each of its series, at least one; `alerts` are those of the check.

    `at` is when the newest run ended: what is left until a moment counts from there, as where it is judged. An alert
    whose series has gone is among them, without a value.
    """
    return tuple(
        view
        for threshold in watched.plan.thresholds
        for view in _of_threshold(
            threshold,
            _values(threshold, watched.history, at),
            {alert.key.labels: alert.severity for alert in alerts if alert.key.name == threshold.name},
        )
    )


def _values(threshold: Threshold, history: History, at: datetime | None) -> dict[Labels, float | None]:
    """Return the value of each series in the unit of the threshold; None: there is none to judge."""
    if at is None:
        return {}
    base = at.timestamp() if threshold.unit is Unit.TIMESTAMP else 0.0
    read = history.read(threshold.watch)
    return {labels: None if math.isnan(value) else value - base for labels, value in read.items()}


def _of_threshold(
    threshold: Threshold, values: dict[Labels, float | None], firing: Mapping[Labels, Severity | None]
) -> Iterator[FigureView]:
    known = dict.fromkeys(firing) | values
    shown = list(known) or [()]
    if len(shown) > 1:
        ranked = ((_badness(threshold, value, firing.get(labels)), labels) for labels, value in known.items())
        shown = [labels for _, labels in nsmallest(MOST_SERIES, ranked)]
    written = {figure.severity: figure.text for figure in threshold.figures}
    for labels in shown:
        value = known.get(labels)
        yield FigureView(
            threshold.name,
            threshold.watch.text,
            threshold.unit,
            labels,
            value,
            "" if value is None else show(value, threshold.unit),
            threshold.target,
            written,
            firing.get(labels),
            threshold.remedy,
            threshold.source,
            threshold.implied,
        )


def _badness(threshold: Threshold, value: float | None, firing: Severity | None) -> tuple[int, bool, int, float]:
    """Order what fires first, then what crosses a figure, then what lies nearest to one, and what has no value last."""
    if value is None:
        return -(firing or 0), True, 0, 0.0
    crossed = max((figure.severity for figure in threshold.figures if figure.crossed(value)), default=0)
    falls = any(figure.comparison.startswith("<") for figure in threshold.figures)
    return -(firing or 0), False, -crossed, value if falls else -value

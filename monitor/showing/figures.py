"""The newest value of each threshold and series against its figures. Pure."""

from __future__ import annotations

import math
from datetime import timedelta
from heapq import nsmallest
from typing import TYPE_CHECKING

from monitor.units import Unit, show
from monitor.view import FigureView
from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from monitor.model import Alert, Labels, Sample, Severity
    from monitor.thresholds import History, Threshold
    from monitor.watched import Watched

MOST_SERIES = 20
"""Series that are shown of a threshold, the worst first."""


def figures(
    watched: Watched,
    newest: Sample | None,
    alerts: Sequence[Alert],
    hide: Callable[[str], str] = str,
    reach: timedelta = timedelta.max,
) -> tuple[FigureView, ...]:
    """Return a view for each threshold and each of its series, at least one; `alerts` are those of the check.

    `newest` is the newest run, also of an earlier process: what is left until a moment counts from its end, as where it
    is judged. An alert whose series has gone is among them, without a value. The history of `watched` goes back as far
    as `reach`. `hide` removes what is secret from what the file says.
    """
    shown: list[FigureView] = []
    for threshold in watched.plan.thresholds:
        firing = {alert.key.labels: alert.severity for alert in alerts if alert.key.name == threshold.name}
        values = _values(threshold, watched.history, newest if threshold.watch.reach <= reach else None)
        written = {figure.severity: figure.text for figure in threshold.figures}
        remedy = tuple(map(hide, threshold.remedy))
        shown += [
            _view(threshold, written, remedy, labels, values.get(labels), firing.get(labels))
            for labels in _worst_first(threshold, values, firing)
        ]
    return tuple(shown)


def _values(threshold: Threshold, history: History, newest: Sample | None) -> Mapping[Labels, float | None]:
    """Return the value of each series in the unit of the threshold; None: there is none to judge."""
    if newest is None:
        return {}
    base = newest.at.timestamp() if threshold.unit is Unit.TIMESTAMP else 0.0
    watch = threshold.watch
    read = history.read(watch)
    if not read and watch.function is Function.LAST:  # an earlier process has seen it
        read = {
            one.labels: one.value for one in newest.measures if one.name == watch.measure and watch.selects(one.labels)
        }
    return {labels: None if math.isnan(value) else value - base for labels, value in read.items()}


def _worst_first(
    threshold: Threshold, values: Mapping[Labels, float | None], firing: Mapping[Labels, Severity | None]
) -> Iterable[Labels]:
    """Return the series that are shown: the worst of those with a value, or with an alert."""
    if not firing and len(values) <= 1:
        return values or ((),)
    known = dict.fromkeys(firing) | dict(values)
    ranked = ((_badness(threshold, value, firing.get(labels)), labels) for labels, value in known.items())
    return [labels for _, labels in nsmallest(MOST_SERIES, ranked)]


def _view(
    threshold: Threshold,
    written: Mapping[Severity, str],
    remedy: tuple[str, ...],
    labels: Labels,
    value: float | None,
    firing: Severity | None,
) -> FigureView:
    return FigureView(
        threshold.name,
        threshold.watch.text,
        threshold.unit,
        labels,
        value,
        "" if value is None else show(value, threshold.unit),
        threshold.target,
        written,
        firing,
        remedy,
        threshold.source,
        threshold.implied,
    )


def _badness(threshold: Threshold, value: float | None, firing: Severity | None) -> tuple[int, bool, int, float]:
    """Order what fires first, then what crosses a figure, then what lies nearest to one, and what has no value last."""
    if value is None:
        return -(firing or 0), True, 0, 0.0
    crossed = max((figure.severity for figure in threshold.figures if figure.crossed(value)), default=0)
    return -(firing or 0), False, -crossed, value if falls(threshold) else -value


def falls(threshold: Threshold) -> bool:
    """Return whether the lower a value is, the worse."""
    return any(figure.comparison.startswith("<") for figure in threshold.figures)

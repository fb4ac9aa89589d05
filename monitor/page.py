"""What a page says of an alert at one moment: the facts, gathered once, as they were when it was decided."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.message import sparkline
from monitor.model import BLIND, DOWN, NO_DATA, EventKind, Page, State
from monitor.units import show, show_duration

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.model import Alert, AlertKey, Sample, Severity
    from monitor.plan import Plan
    from monitor.thresholds import Threshold
    from monitor.watched import Watched

ENDED = frozenset({EventKind.RESOLVED, EventKind.REMOVED})
BLIND_TITLE = "Monitor: most checks give no data"
BLIND_REMEDY = (
    "Look at the monitor's own host first: its network, its name server, its load. What it watches may be well.",
    "Nothing that is open was resolved, and nothing new can be seen until this ends.",
)


def title(plan: Plan, key: AlertKey) -> str:
    """Return what an alert is called in every message about it, whatever its severity.

    A check's title may be a plural or a phrase, so no verb follows it: `Shop: Security headers: down`.
    """
    text = f"{plan.system_title}: {plan.title}: {key.name}"
    labels = ", ".join(f"{label} {value}" for label, value in key.labels)
    return f"{text} ({labels})" if labels else text


def compose(
    alert: Alert, kind: EventKind, watched: Watched | None, *, value: float | None, beside: Iterable[str], now: datetime
) -> Page:
    """Return the page for `alert`.

    `watched` is None for an alert that no check stands behind (any more); `value` is what its threshold saw last,
    `beside` the titles of what else began at that time.
    """
    key, plan = alert.key, watched.plan if watched else None
    threshold = plan.threshold(key.name) if plan else None
    sample = watched.newest if watched else None
    ended = kind in ENDED
    return Page(
        title=alert.title,
        summary=_summary(alert, kind, watched, threshold, now),
        system=key.check.system,
        check=key.check.check,
        alert=key.name,
        labels=key.labels,
        value=show(value, threshold.unit) if threshold and value is not None else "",
        figure=_figure(threshold, alert.severity) if threshold else "",
        since=alert.since,
        until=now if ended else None,
        trend=sparkline(watched.trend(key, now)) if watched else "",
        beside=tuple(beside),
        remedy=() if kind is EventKind.REMOVED else _remedy(alert, plan, threshold, sample),
        links=(("Runbook", plan.runbook),) if plan and plan.runbook else (),
    )


def _summary(alert: Alert, kind: EventKind, watched: Watched | None, threshold: Threshold | None, now: datetime) -> str:
    sample = watched.newest if watched else None
    if kind is EventKind.REMOVED:
        return "It is no longer in the configuration, and was not seen to recover."
    if alert.key.name == BLIND:
        return "" if kind in ENDED else "Most checks have had nothing but unknown results for several intervals."
    if watched is None or sample is None:
        return ""
    if alert.key.name == NO_DATA and kind not in ENDED:
        return f"No run could tell whether it is up; last tried {show_duration((now - sample.at).total_seconds())} ago."
    if threshold is None or kind in ENDED:
        return _found(sample)
    remarks = (watched.compared(threshold, alert.key.labels), sample.remarks.get(threshold.watch.measure, ""))
    return "; ".join(filter(None, remarks)) or _found(sample)


def _found(sample: Sample) -> str:
    if sample.state is State.UP:
        return sample.remarks.get(DOWN) or f"It answers, in {show_duration(sample.took.total_seconds())}."
    if sample.left_out:
        return f"It was left out on purpose: {sample.detail}."
    return f"{sample.reason}: {sample.detail}" if sample.detail else str(sample.reason)


def _figure(threshold: Threshold, severity: Severity | None) -> str:
    figures = {figure.severity: figure for figure in threshold.figures}
    shown = [figures[severity]] if severity in figures else list(figures.values())
    parts = [f"{figure.severity} {figure.text}" for figure in shown]
    return ", ".join([threshold.watch.text, *parts, *([f"target {threshold.target}"] if threshold.target else [])])


def _remedy(alert: Alert, plan: Plan | None, threshold: Threshold | None, sample: Sample | None) -> tuple[str, ...]:
    if plan is None:
        return BLIND_REMEDY if alert.key.name == BLIND else ()
    if threshold is not None:
        return threshold.remedy or plan.remedy
    by_reason = plan.remedy_for.get(sample.reason, ()) if sample and sample.reason else ()
    return (*by_reason, *plan.remedy)

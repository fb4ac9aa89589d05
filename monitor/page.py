"""What a page says of an alert at one moment: the facts, gathered once, as they were when it was decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.kinship import INCIDENT, REASON
from monitor.message import ENDED, sparkline
from monitor.model import BLIND, DOWN, NO_DATA, EventKind, Page, Reason, State
from monitor.units import show, show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from monitor.model import Acknowledgement, Alert, AlertKey, Sample, Severity
    from monitor.plan import Plan
    from monitor.thresholds import Threshold
    from monitor.watched import Watched

BLIND_TITLE = "Monitor: most checks give no data"
BLIND_REMEDY = (
    "Look at the monitor's own host first: its network, its name server, its load. What it watches may be well.",
    "Nothing that is open was resolved, and nothing new can be seen until this ends.",
)


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around an alert besides itself and its check.

    `value` is what its threshold saw last, `beside` names what else happened at that time, `vendors` those who tell of
    an incident. `answers` are what steps of the remedy found out, by the text of the step; `before` is what ended it
    the last times, newest first; `settles` is how long one that flaps must be stable until it is told of again.
    """

    value: float | None = None
    beside: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    settles: timedelta | None = None


def title(plan: Plan, key: AlertKey) -> str:
    """Return what an alert is called in every message about it, whatever its severity.

    A check's title may be a plural or a phrase, so no verb follows it: `Shop: Security headers: down`.
    """
    text = f"{plan.system_title}: {plan.title}: {key.name}"
    labels = ", ".join(f"{label} {value}" for label, value in key.labels)
    return f"{text} ({labels})" if labels else text


def compose(alert: Alert, kind: EventKind, watched: Watched | None, around: Around, now: datetime) -> Page:
    """Return the page for `alert`; `watched` is None for one that no check stands behind (any more)."""
    key, plan = alert.key, watched.plan if watched else None
    threshold = plan.threshold(key.name) if plan else None
    sample = watched.newest if watched else None
    ended, flaps = kind in ENDED, kind is EventKind.FLAPPING
    remedy = () if kind is EventKind.REMOVED else _remedy(alert, plan, threshold, sample)
    answers = tuple(around.answers.get(step, "") for step in remedy)
    return Page(
        title=alert.title,
        summary=_summary(alert, kind, watched, threshold, now),
        system=key.check.system,
        check=key.check.check,
        alert=key.name,
        labels=key.labels,
        value=show(around.value, threshold.unit) if threshold and around.value is not None else "",
        figure=figure_of(threshold, alert.severity) if threshold else "",
        since=alert.since,
        until=now if ended else None,
        trend=sparkline(watched.trend(key, now)) if watched else "",
        beside=around.beside,
        remedy=remedy,
        links=(("Runbook", plan.runbook),) if plan and plan.runbook else (),
        answers=answers if any(answers) and not ended else (),
        before=() if ended else around.before,
        shares=tuple(_shares(plan, sample, around)),
        taken=_taken(alert, kind, now),
        rung=None if ended else alert.rung_at,
        changes=len(alert.changes) if flaps else 0,
        settles=around.settles if flaps else None,
    )


def _shares(plan: Plan | None, sample: Sample | None, around: Around) -> Iterator[tuple[str, str]]:
    """Yield what the alert may have in common with others."""
    yield from plan.kin if plan else ()
    yield from ((INCIDENT, vendor) for vendor in around.vendors)
    if sample and sample.reason and sample.reason is not Reason.UNKNOWN:
        yield REASON, str(sample.reason)


def _taken(alert: Alert, kind: EventKind, now: datetime) -> Acknowledgement | None:
    """Return who has taken the alert, or had until now."""
    taken = alert.acknowledged
    holds = taken is not None and kind not in ENDED and (kind is EventKind.LAPSED or now < taken.until)
    return taken if holds else None


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
        return found(sample)
    remarks = (watched.compared(threshold, alert.key.labels), sample.remarks.get(threshold.watch.measure, ""))
    return "; ".join(filter(None, remarks)) or found(sample)


def found(sample: Sample) -> str:
    """Return what a run found, in its own words."""
    if sample.state is State.UP:
        return sample.remarks.get(DOWN) or f"It answers, in {show_duration(sample.took.total_seconds())}."
    if sample.left_out:
        return f"It was left out on purpose: {sample.detail}."
    return f"{sample.reason}: {sample.detail}" if sample.detail else str(sample.reason)


def figure_of(threshold: Threshold, severity: Severity | None) -> str:
    """Return what a value is held against: the watch, the figure of that severity (else all), and the target."""
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

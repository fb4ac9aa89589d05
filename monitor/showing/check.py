"""How one check stands: its newest run, what fires, its figures, its strip. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.live import live
from monitor.model import CheckId, Severity, State
from monitor.page import figure_of
from monitor.showing.figures import figures
from monitor.view import CheckView, Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from monitor.config import Skipped
    from monitor.live import Live
    from monitor.model import Alert, Dispatch, Sample, Silence
    from monitor.plan import Plan
    from monitor.showing.strip import Look
    from monitor.view import FigureView
    from monitor.watched import Watched

FIRING = {
    Severity.CRITICAL: Condition.CRITICAL,
    Severity.WARNING: Condition.WARNING,
    Severity.INFO: Condition.INFO,
}
FOUND = {State.UP: Condition.UP, State.DOWN: Condition.FAILING, State.UNKNOWN: Condition.UNKNOWN}


class Heard(NamedTuple):
    """What is known of telling: the messages of these alerts, newest first, and the silences that hold."""

    messages: Sequence[Dispatch] = ()
    silences: Sequence[Silence] = ()


class Seen(NamedTuple):
    """What is known of a check: its newest run, also of an earlier process, and how far back its windows reach.

    `hide` removes what is secret from a text of the configuration.
    """

    watched: Watched
    newest: Sample | None
    look: Look
    reach: timedelta = timedelta.max
    hide: Callable[[str], str] = str


def condition(newest: Sample | None, alerts: Iterable[Alert]) -> Condition:
    """Return how a check stands whose newest run was `newest`, with these `alerts`.

    What fires comes before what the newest run found: it is not over before it was seen to recover. Whether anybody is
    told makes no difference. What is held back because something else explains it, is silenced, or is acknowledged,
    fires all the same and is shown so: people look at how things stand, and what explains it is shown beside it. A
    drill is no outage, and what may fire soon does not fire.
    """
    worst = max((alert.severity for alert in alerts if alert.severity and alert.drill is None), default=None)
    if worst is not None:
        return FIRING[worst]
    if newest is None:
        return Condition.WAITING
    return Condition.LEFT_OUT if newest.left_out else FOUND[newest.state]


def view_of(seen: Seen, alerts: Sequence[Alert], heard: Heard, now: datetime) -> CheckView:
    """Return the view of a check."""
    watched, newest, look, reach, hide = seen
    plan = watched.plan
    shown = figures(watched, newest, alerts, hide, reach)
    lives = _lives(plan, alerts, shown, heard, now) if alerts else ()
    firing = [one.alert for one in lives if one.alert.severity is not None and one.alert.drill is None]
    return CheckView(
        plan.id,
        plan.title,
        plan.check.kind,
        condition(newest, alerts),
        plan.check.every,
        state=newest.state if newest else None,
        reason=newest.reason if newest else None,
        detail=newest.detail if newest else "",
        at=newest.at if newest else None,
        took=newest.took if newest else None,
        since=firing[0].since if firing else None,
        figures=shown,
        alerts=lives,
        strip=look.cells,
        day=look.day,
        month=look.month,
        scheduled=plan.check.scheduled,
    )


def view_of_skipped(skipped: Skipped, look: Look) -> CheckView:
    """Return the view of a check that is not run."""
    check = CheckId(*skipped.name.split("/", 1))
    plan = skipped.plan
    return CheckView(
        check,
        plan.title if plan else check.check,
        plan.check.kind if plan else "",
        Condition.SKIPPED,
        plan.check.every if plan else timedelta(),
        strip=look.cells,
        day=look.day,
        month=look.month,
        skipped=skipped.reason,
    )


def _lives(
    plan: Plan, alerts: Iterable[Alert], shown: Iterable[FigureView], heard: Heard, now: datetime
) -> tuple[Live, ...]:
    """Return the alerts, the worst first, each with the value that is seen now."""
    values: Mapping[tuple[str, object], str] = {(figure.name, figure.labels): figure.shown for figure in shown}
    return tuple(
        replace(one, value=values.get((one.alert.key.name, one.alert.key.labels), ""), figure=_figure(plan, one.alert))
        for one in live((alert for alert in alerts if alert.live), heard.messages, heard.silences, now)
    )


def _figure(plan: Plan, alert: Alert) -> str:
    threshold = plan.threshold(alert.key.name)
    return figure_of(threshold, alert.severity) if threshold else ""

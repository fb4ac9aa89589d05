"""What `monitor explain` prints of one check: what it does, how it is judged, who is told, what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.baseline import WEEKS
from monitor.model import DOWN, Alert, AlertKey, Severity
from monitor.page import title
from monitor.routing import applying, terms
from monitor.units import show_duration
from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime, timedelta

    from monitor.channels.base import Channel
    from monitor.config import Config
    from monitor.plan import Plan
    from monitor.routing import Route, Terms
    from monitor.thresholds import Threshold
    from monitor.watch import Watch

SHARED = ("kind", "title", "remedy", "remedy_for", "thresholds", "needs", "source", "if_set")


def explain(plan: Plan, config: Config, now: datetime) -> str:
    """Return all that the configuration, defaults included, means for one check at `now`; secrets stay hidden."""
    parts = [
        [f"{plan.id}: {plan.system_title}, {plan.title} ({plan.where})"],
        ["Runs", *_indented(_runs(plan))],
        ["Fields", *_indented(_fields(plan))],
        ["Measures", *_indented(_measures(plan))],
        ["Alerts", *_indented(_alerts(plan))],
        ["Who is told now", *_indented(_told(plan, config, now))],
        ["Needs", *_indented(f"{need}: while it fails, alerts of this check are held back" for need in plan.needs)],
        ["Remedy", *_indented(_remedies(plan))],
    ]
    return "\n\n".join("\n".join(part) for part in parts if len(part) > 1 or part is parts[0])


def _indented(lines: Iterator[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _runs(plan: Plan) -> Iterator[str]:
    check = plan.check
    again = f"{_span(check.retry_every)} after a failed run"
    asked = "after each deploy, and when asked for" if check.after_deploy else "only when somebody asks for it"
    when = f"every {_span(check.every)}" if check.scheduled else asked
    yield f"{when}, ended after {_span(check.timeout)}, again {again}"
    for severity, patience in plan.down.items():
        yield (
            f"down ({severity}) after {patience.breaches} failed runs in a row, over after {patience.clears} good ones"
        )


def _fields(plan: Plan) -> Iterator[str]:
    own = {name for name in type(plan.check).model_fields if name not in SHARED}
    shown = plan.check.model_dump(mode="json", include=own, by_alias=True, exclude_defaults=True)
    for name, value in shown.items():
        yield f"{name}: {value}"


def _measures(plan: Plan) -> Iterator[str]:
    for spec in plan.check.declared():
        labels = f" by {', '.join(spec.labels)}" if spec.labels else ""
        yield f"{spec.name} ({spec.unit or 'number'}){labels}: {spec.meaning}"


def _alerts(plan: Plan) -> Iterator[str]:
    for threshold in plan.thresholds:
        target = [f"good {threshold.target}"] if threshold.target else []
        figures = [_figure(threshold, severity) for severity in threshold.patience]
        name = "" if threshold.name == threshold.watch.text else f"{threshold.name}: "
        yield f"{name}{threshold.watch.text}: {', '.join([*target, *figures])}"
        if threshold.watch.looks_back:
            yield f"  {_compared(threshold.watch, plan)}"
    for name, other in plan.elsewhere.items():
        yield f"{name}: watched by {other}, which sees the same"


def _compared(watch: Watch, plan: Plan) -> str:
    """Return with what of the past `watch` compares."""
    by = f"the values of {watch.by}" if watch.by else "the label sets"
    match watch.function:
        case Function.USUAL:
            what = f"times the median of that hour of the week over the last {WEEKS} weeks, hours of {plan.zone}"
        case Function.DRIFT:
            what = f"how much of the mix of {by} is other than on the days of the last {WEEKS} weeks"
        case _:
            what = f"1 for each of {by} that no hour has seen before, for {_span(watch.window)}"
    return f"{what}; silent until there are two weeks of history"


def _figure(threshold: Threshold, severity: Severity) -> str:
    text = next(figure.text for figure in threshold.figures if figure.severity is severity)
    patience = threshold.patience[severity]
    waits = [f"for {_span(patience.for_)}"] if patience.for_ else []
    keeps = [f"until quiet for {_span(patience.keep)}"] if patience.keep else []
    return " ".join([str(severity), text, *waits, *keeps])


def _told(plan: Plan, config: Config, now: datetime) -> Iterator[str]:
    possible = {severity for threshold in plan.thresholds for severity in threshold.patience}
    key = AlertKey(plan.id, DOWN)
    alert = Alert(key, title(plan, key))
    for severity in sorted({*possible, *plan.down, Severity.WARNING}, reverse=True):
        told = terms(config.routes, alert, severity, now)
        names = [_channel(name, how, config.channels) for name, how in told.items()]
        yield f"{severity}: {'; '.join(names) or 'nobody'}"
        yield from (f"  {line}" for line in _otherwise(config.routes, alert, severity, now))
    yield f"a message reads: {alert.title}"


def _channel(name: str, how: Terms, channels: Mapping[str, Channel]) -> str:
    channel = channels[name]
    fallback = f", else {channel.fallback}" if channel.fallback else ""
    route = how.route
    waits = f"with the digest of {route.digest.text}" if route.digest and how.batch else ""
    waits = f"within {_span(route.within)}" if how.batch and not waits else waits
    said = [waits, f"reminded every {_span(how.repeat)}", _place(route)]
    return f"{name} ({channel.kind}{fallback}), {', '.join(part for part in said if part)}"


def _otherwise(routes: Iterable[Route], alert: Alert, severity: Severity, now: datetime) -> Iterator[str]:
    """Yield who hears of it later, or at other hours."""
    applies = applying(routes, alert, severity, now)
    for route in applies:
        for after, names in route.escalate:
            yield f"not acknowledged for {_span(after)}: {', '.join(names)} too ({_place(route)})"
    for route in routes:
        if route.matches(alert, severity) and route not in applies:
            yield f"not now: {', '.join(route.notify)} ({_place(route)}, {_closed(route, now)})"


def _closed(route: Route, now: datetime) -> str:
    """Return why a route that matches does not apply."""
    if route.hours is None or route.open_at(now):
        return "a route before it says stop"
    opens = next((begin for begin, _ in route.hours.around(now)), None)
    return f"{route.hours.text}" + (f", opens {opens:%a %H:%M} UTC" if opens else "")


def _place(route: Route) -> str:
    return f"route {route.place + 1}" if route.place >= 0 else "because no route takes it"


def _remedies(plan: Plan) -> Iterator[str]:
    for reason, steps in plan.remedy_for.items():
        yield f"{reason}: {' '.join(steps)}"
    yield from plan.remedy


def _span(duration: timedelta) -> str:
    return show_duration(duration.total_seconds())

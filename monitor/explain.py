"""What `monitor explain` prints of one check: what it does, how it is judged, who is told, what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.model import DOWN, Alert, AlertKey, Severity
from monitor.page import title
from monitor.routing import applying, terms
from monitor.secrets import Redactor
from monitor.showing import effective, judging
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime, timedelta

    from monitor.channels.base import Channel
    from monitor.config import Config
    from monitor.plan import Plan
    from monitor.routing import Route, Terms

SHARED = ("kind", "title", "remedy", "remedy_for", "thresholds", "needs", "source", "if_set")


def explain(plan: Plan, config: Config, now: datetime) -> str:
    """Return all that the configuration, defaults included, means for one check at `now`; secrets stay hidden."""
    parts = [
        [f"{plan.id}: {plan.system_title}, {plan.title} ({plan.where})"],
        ["Runs", *_indented(_runs(plan))],
        ["Fields", *_indented(_fields(plan, config))],
        ["Measures", *_indented(_measures(plan))],
        ["Alerts", *_indented(judging(plan))],
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


def _fields(plan: Plan, config: Config) -> Iterator[str]:
    for name, value in effective(plan.check, Redactor(config.secrets), SHARED, defaults=False).items():
        yield f"{name}: {value}"


def _measures(plan: Plan) -> Iterator[str]:
    for spec in plan.check.declared():
        labels = f" by {', '.join(spec.labels)}" if spec.labels else ""
        yield f"{spec.name} ({spec.unit or 'number'}){labels}: {spec.meaning}"


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
    for step, question in plan.questions.items():
        measure = f", and tells its {question.measure}" if question.measure else ""
        yield f"runs {question.check}{measure}: {step}"


def _span(duration: timedelta) -> str:
    return show_duration(duration.total_seconds())

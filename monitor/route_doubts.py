"""What is doubtful about who is told. Pure."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from monitor.model import DOWN, Alert, AlertKey, Severity
from monitor.page import title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.config import Config
    from monitor.plan import Plan
    from monitor.routing import Route


def doubts_of_routes(config: Config) -> Iterator[tuple[str, str]]:
    """Yield each doubtful thing about the routes of `config`, and what it is about."""
    for route in config.routes:
        yield from ((message, f"routes[{route.place}]") for message in _of_route(route, config))
    for name in config.review.notify if config.review else ():
        if not config.channels[name].takes(Severity.INFO):
            yield f"{name} takes no info, so it never hears of the week", "review"
    for severity in sorted(Severity, reverse=True):
        for system, plan in _first_with(config, severity).items():
            yield from ((message, system) for message in _of_system(plan, severity, config))


def _of_route(route: Route, config: Config) -> Iterator[str]:
    if route.escalate and not any(config.channels[name].acknowledges for name in route.notify):
        yield "nobody can acknowledge in its channels, so that only the command `monitor ack` stops its escalation"
    if route.severities == {Severity.CRITICAL} and (route.digest or route.within):
        yield "a critical never waits for others, so its digest or within means nothing"
    known = [*map(str, config.plans), *(skip.name for skip in config.skipped if "/" in skip.name)]
    own = [name for name in known if not route.systems or name.partition("/")[0] in route.systems]
    for glob in route.checks if own else ():
        if not any(fnmatchcase(text, glob) for name in own for text in (name, name.partition("/")[2])):
            yield f"no check is called {glob!r}"


def _of_system(plan: Plan, severity: Severity, config: Config) -> Iterator[str]:
    alert = Alert(AlertKey(plan.id, DOWN), title(plan, AlertKey(plan.id, DOWN)))
    matching = [route for route in config.routes if route.matches(alert, severity)]
    if not matching:
        yield f"no route takes a {severity} of this system, such as that of {plan.id.check}"
    elif severity is Severity.CRITICAL:
        if not any(config.channels[name].rings for route in matching for name in route.notify):
            yield "a critical of this system rings no phone: no channel that is told has rings: true"
        if all(route.hours for route in matching):
            yield "every route that takes a critical of this system has hours: it is told outside of them all the same"


def _first_with(config: Config, severity: Severity) -> dict[str, Plan]:
    """Return the first plan of each system that can give an alert of `severity`."""
    found: dict[str, Plan] = {}
    for plan in config.plans.values():
        levels = {figure.severity for threshold in plan.thresholds for figure in threshold.figures}
        if severity in levels or severity in plan.down:
            found.setdefault(plan.id.system, plan)
    return found

"""Who is told, as an Alertmanager's configuration: our routes, what holds back what, and receivers without secrets.

Our routes all apply until one says `stop`; Alertmanager's tree does the same with `continue`. Where they differ, a
comment above the route says so, or one at the end.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from monitor.metrics.text import label_name
from monitor.model import OURS, Severity
from monitor.rules.inhibition import inhibit_rules
from monitor.rules.intervals import Intervals
from monitor.rules.matching import alike, equal, unequal
from monitor.rules.promql import duration
from monitor.rules.receivers import NOBODY, Receivers
from monitor.rules.text import Remarked, as_yaml
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from monitor.config import Config
    from monitor.routing import Route
    from monitor.rules.text import Value

PREAMBLE = (
    "The routes of runbook-monitor as an Alertmanager's configuration, written by `monitor rules --alertmanager`.",
    "It holds no secret: a comment above each receiver says what goes where. Hours need Alertmanager 0.25.",
)
SETTLING = "10s"
"""How long a first message waits: so long may what explains it come later."""
TOGETHER = "1m"
EVERYWHERE = (
    "Where Alertmanager does otherwise:",
    "- Nobody can acknowledge an alert, so nothing escalates, and what flaps is told each time: see the comments.",
    "- A first critical waits 10 s for what explains it; the daemon asks what a check needs anew, and waits 5 s.",
    "- An end is told to those whose hours are open, not to exactly those who were told.",
    "- While its hours are closed a route with stop ends the search here; in the daemon the next one is asked.",
    "- A channel that two routes name is told twice. Channels have neither a fallback nor a limit.",
    "- Maintenance, digests, the weekly review and drills are not there: make silences by hand.",
)


class _Part(NamedTuple):
    """What of one route goes to the same receiver on the same terms."""

    channels: tuple[str, ...]
    wait: timedelta | None
    hours: bool


def alertmanager_file(config: Config, redact: Callable[[str], str]) -> str:
    """Return an Alertmanager's configuration for the alerts of the rules; `redact` takes secrets out of texts."""
    receivers, intervals = Receivers(config.channels, redact), Intervals()
    everybody = receivers.named(name for route in config.routes for name in route.notify)
    routes: list[Value | Remarked] = []
    for _, same in groupby(config.routes, key=lambda route: route.place):
        routes += _routes([*same], config.routes, receivers, intervals)
    remark = "A critical that no route takes reaches everybody; anything else that none takes, nobody."
    routes.append(Remarked({"receiver": NOBODY, "matchers": [unequal("severity", "critical")]}, (remark,)))
    root: dict[str, Value] = {
        "receiver": everybody,
        "group_by": ["system"],
        "group_wait": SETTLING,
        "group_interval": TOGETHER,
        "repeat_interval": "4h",
        "routes": routes,
    }
    parts: dict[str, Value] = {"route": root, "inhibit_rules": inhibit_rules(config), "receivers": receivers.values()}
    if named := intervals.values():
        parts["time_intervals"] = named
    return as_yaml(parts, before=PREAMBLE, after=EVERYWHERE)


def _routes(
    same: Sequence[Route], every: Sequence[Route], receivers: Receivers, intervals: Intervals
) -> Iterator[Remarked]:
    """Yield one route of the file, of which `same` are the parts, so that each alert fits one of them at most."""
    first, found = same[0], defaultdict(list)
    for severity in sorted(Severity, reverse=True):
        taken = [route for route in same if not route.severities or severity in route.severities]
        channels = tuple(dict.fromkeys(name for route in taken for name in route.notify))
        if channels:
            critical = severity is Severity.CRITICAL
            wait = None if critical or not first.within else first.within
            hours = bool(first.hours) and not (critical and not _backed(first, every))
            found[_Part(channels, wait, hours)].append(severity)
    for part, severities in found.items():
        for matchers in _matchers(first):
            levels = [] if len(severities) == len(Severity) else [equal("severity", *map(str, severities))]
            yield _route(first, part, [*levels, *matchers], receivers, intervals)


def _route(route: Route, part: _Part, matchers: list[Value], receivers: Receivers, intervals: Intervals) -> Remarked:
    value: dict[str, Value] = {"receiver": receivers.named(part.channels)}
    value |= {"matchers": matchers} if matchers else {}
    value |= {"group_wait": duration(part.wait), "group_interval": duration(part.wait)} if part.wait else {}
    value["repeat_interval"] = duration(route.repeat)
    if part.hours and route.hours:
        value["active_time_intervals"] = [intervals.open(route.hours)]
        if closed := intervals.holidays(route.hours):
            value["mute_time_intervals"] = [closed]
    if not route.stop:
        value["continue"] = True
    return Remarked(value, (f"route {route.place + 1}", *_otherwise(route, part)))


def _matchers(route: Route) -> Iterator[list[Value]]:
    """Yield what an alert must have: a list for each of the checks that are named with their system."""
    around: list[Value] = [equal("system", *sorted(route.systems), OURS)] if route.systems else []
    around += [
        equal(label_name(name) if name not in {"system", "check"} else name, value) for name, value in route.labels
    ]
    around += [alike("alertname", route.alert, case=False)] if route.alert else []
    near = [glob for glob in route.checks if "/" not in glob]
    if near or not route.checks:
        yield [*around, *([alike("check", *near)] if near else [])]
    for glob in route.checks:
        system, slash, check = glob.partition("/")
        if slash:
            yield [*around, alike("system", system), alike("check", check)]


def _backed(route: Route, every: Sequence[Route]) -> bool:
    """Return whether a critical that `route` takes reaches somebody by another one while its hours are closed."""
    return any(
        other.hours is None
        and (not other.severities or Severity.CRITICAL in other.severities)
        and (not other.systems or (bool(route.systems) and route.systems <= other.systems))
        and other.checks in {(), route.checks}
        and other.alert in {"", route.alert}
        and set(other.labels) <= set(route.labels)
        for other in every
    )


def _otherwise(route: Route, part: _Part) -> Iterator[str]:
    """Yield what this route says that Alertmanager's cannot."""
    for after, channels in route.escalate:
        span = show_duration(after.total_seconds())
        yield f"not said: escalate to {', '.join(channels)} after {span}, as nobody can acknowledge"
    if route.digest:
        yield f"not said: digest {route.digest.text}"
    if route.alert:
        yield f"{route.alert!r} is looked for in the alert's name only, not in its title"
    if route.hours and not part.hours:
        yield f"at any hour, and not only {route.hours.text}: no other route is sure to take a critical then"
    elif route.hours:
        yield f"hours {route.hours.text}; what began outside of them is told when they open"

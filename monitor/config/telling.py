"""Who is told: the channels of the main file and the routes that lead to them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from monitor.config.circles import circles
from monitor.config.kinds import CHANNELS
from monitor.config.names import Skipped, look_at_condition, look_at_name
from monitor.config.routes import LEVELS, RouteFields
from monitor.config.section import Section
from monitor.config.validation import validate
from monitor.faults import allowed
from monitor.model import Severity, labels
from monitor.routing import Escalation, Route, parse_digest, parse_hours

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import date

    from monitor.channels.base import Channel
    from monitor.config.section import Context
    from monitor.config.yaml_file import Document


@dataclass(slots=True)
class Telling:
    """The channels that are used, those that are skipped, the names of both, and the routes to the former.

    `notified` are those that a route names, `spare` those to which one escalates.
    """

    channels: dict[str, Channel] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    skipped: list[Skipped] = field(default_factory=list)
    known: frozenset[str] = frozenset()
    notified: set[str] = field(default_factory=set)
    spare: set[str] = field(default_factory=set)


def read_telling(
    document: Document, context: Context, systems: Collection[str], holidays: Collection[date] = ()
) -> Telling:
    """Return who is told by the main file `document`, on whose `holidays` no route's hours open.

    `systems` are all that there are, selected or not.
    """
    telling = Telling()
    raw = document.data.get("channels")
    known: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    fallbacks = {name: _read_channel(document, name, known[name], context, telling) for name in known}
    _look_at_fallbacks(document, fallbacks, context)
    telling.channels = {
        name: channel.model_copy(update={"fallback": _standing(name, fallbacks, telling)})
        for name, channel in telling.channels.items()
    }
    telling.known = frozenset(known)
    telling.routes = tuple(_routes(document, context, telling, systems, holidays))
    telling.skipped = [replace(skip, spare=skip.name in telling.spare - telling.notified) for skip in telling.skipped]
    return telling


def _read_channel(document: Document, name: str, raw: Any, context: Context, telling: Telling) -> str:  # noqa: ANN401 - any value
    """Take one channel into `telling`; return its fallback."""
    path = ("channels", name)
    look_at_name(document, path, name, context)
    reason = context.skip_reason(raw) if isinstance(raw, dict) else ""
    section = Section(document, path, context, lenient=bool(reason))
    kind = CHANNELS.read(section, raw)
    channel = validate(kind, section) if kind is not None else None
    if channel is not None:
        look_at_condition(section, channel.if_set)
    if reason:
        telling.skipped.append(Skipped(name, reason))
    elif channel is not None:
        telling.channels[name] = channel
    return channel.fallback if channel is not None else ""


def _look_at_fallbacks(document: Document, fallbacks: Mapping[str, str], context: Context) -> None:
    for name, fallback in fallbacks.items():
        if fallback and fallback not in fallbacks:
            hint = allowed(fallback, (other for other in fallbacks if other != name))
            path = ("channels", name, "fallback")
            context.faults.append(document.fault(path, f"there is no channel {fallback!r}", hint))
    for circle in circles({name: [fallback] if fallback else [] for name, fallback in fallbacks.items()}):
        message = f"falls back to itself: {' → '.join((*circle, circle[0]))}"
        context.faults.append(document.fault(("channels", circle[0], "fallback"), message))


def _standing(name: str, fallbacks: Mapping[str, str], telling: Telling) -> str:
    """Return the first channel along the fallbacks of `name` that is not skipped, or nothing."""
    seen = {name}
    while (name := fallbacks.get(name, "")) and name not in telling.channels and name not in seen:
        seen.add(name)
    return name if name in telling.channels else ""


def _routes(
    document: Document, context: Context, telling: Telling, systems: Collection[str], holidays: Collection[date]
) -> Iterator[Route]:
    raw = document.data.get("routes")
    if not raw:
        yield from _sole_route(document, context, telling)
        return
    for index, part in enumerate(raw if isinstance(raw, list) else []):
        section = Section(document, ("routes", index), context)
        if not isinstance(part, dict):
            section.fault((), "must be a mapping such as {severity: critical, notify: [ops]}")
            continue
        section.put_all(part)
        route = validate(RouteFields, section)
        if route is None:
            continue
        _look_at_names(section, ("notify",), route.notify, telling.known, "channel")
        _look_at_names(section, ("system",), route.system or [], systems, "system")
        for number, step in enumerate(route.escalate):
            _look_at_names(section, ("escalate", number, "notify"), step.notify, telling.known, "channel")
        telling.spare |= {name for step in route.escalate for name in step.notify}
        telling.notified |= set(route.notify)
        yield from _taken(_route(route, index, telling, holidays), telling.channels)


def _route(fields: RouteFields, place: int, telling: Telling, holidays: Collection[date]) -> Route:
    """Return the route that stands at `place` of the file, without channels that are skipped."""
    closed = frozenset(fields.holidays if fields.holidays is not None else holidays)
    return Route(
        notify=_used(fields.notify, telling),
        severities=frozenset(
            Severity[level.upper()] for level in fields.severity if set(fields.severity) != set(LEVELS)
        ),
        systems=frozenset(fields.system or ()),
        repeat=fields.repeat,
        checks=tuple(fields.check or ()),
        alert=fields.alert,
        labels=labels(fields.labels),
        stop=fields.stop,
        within=fields.within,
        digest=parse_digest(fields.digest) if fields.digest else None,
        hours=parse_hours(fields.hours, holidays=closed) if fields.hours else None,
        escalate=tuple(Escalation(step.after, _used(step.notify, telling)) for step in fields.escalate),
        place=place,
    )


def _used(names: Iterable[str], telling: Telling) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name in telling.channels))


def _sole_route(document: Document, context: Context, telling: Telling) -> Iterator[Route]:
    if len(telling.known) > 1:
        hint = "with more than one channel, routes say who is told of what"
        context.faults.append(document.fault(("channels",), "no route leads to any of these channels", hint))
    if len(telling.known) == 1 and telling.channels:
        yield from _taken(Route(notify=tuple(telling.channels)), telling.channels)


def _taken(route: Route, channels: Mapping[str, Channel]) -> Iterator[Route]:
    """Yield `route`, in parts where some of its channels do not take all of its severities, or where it escalates."""
    severities = route.severities or frozenset(Severity)
    if route.escalate:
        for severity in sorted(severities):
            one = replace(route, severities=frozenset({severity}), escalate=_steps(route, severity, channels))
            yield from _parts(one, one.severities, channels)
    else:
        yield from _parts(route, severities, channels)


def _parts(route: Route, severities: frozenset[Severity], channels: Mapping[str, Channel]) -> Iterator[Route]:
    parts: dict[frozenset[Severity], list[str]] = {}
    for name in route.notify:
        parts.setdefault(frozenset(filter(channels[name].takes, severities)), []).append(name)
    for taken, names in parts.items():
        if taken:
            yield replace(route, notify=tuple(names), severities=route.severities if taken == severities else taken)


def _steps(route: Route, severity: Severity, channels: Mapping[str, Channel]) -> tuple[Escalation, ...]:
    """Return to whom `route` escalates what is of `severity`."""
    steps = (
        Escalation(after, tuple(name for name in notify if channels[name].takes(severity)))
        for after, notify in route.escalate
    )
    return tuple(step for step in steps if step.notify)


def _look_at_names(
    section: Section, path: tuple[str | int, ...], names: list[str], known: Collection[str], noun: str
) -> None:
    raw: Any = section.data
    for step in path:
        raw = raw.get(step) if isinstance(raw, dict) else raw[int(step)]
    for index, name in enumerate(names):
        if name not in known:
            where = (*path, index) if isinstance(raw, list) else path
            section.fault(where, f"there is no {noun} {name!r}", allowed(name, known))

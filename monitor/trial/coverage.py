"""Which rules the tests have seen fire and end, and by which routes, and steps of escalations, somebody was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.model import DOWN, Alert, EventKind, Severity
from monitor.routing import applying
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.config import Config
    from monitor.model import CheckId
    from monitor.routing import Escalation, Route
    from monitor.trial.ledger import Ledger, Message

ENDS = frozenset({EventKind.RESOLVED, EventKind.REMOVED, EventKind.EASED})


@dataclass(frozen=True, slots=True)
class Rule:
    """One level of an alert."""

    check: CheckId
    name: str
    level: Severity

    def __str__(self) -> str:
        return f"{self.check} {self.name}: {self.level}"


@dataclass(slots=True)
class Coverage:
    """What there is to be covered in one configuration, and what was. `routes`: those are counted too."""

    config: Config
    systems: frozenset[str]
    routes: bool
    seen: set[Rule] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    def add(self, ledger: Ledger) -> None:
        """Count what a test has seen."""
        for key in ledger.alerts:
            for level in Severity:
                turns = ledger.fired(key, level)
                if any(not fires for _, fires in turns):
                    self.seen.add(Rule(key.check, key.name, level))
        for message in ledger.messages:
            self.told.update(_told_by(self.config, message))

    @property
    def rules(self) -> list[str]:
        """Return everything that there is to be covered, in the order of the files."""
        return [text for text, _ in self._all()]

    @property
    def uncovered(self) -> list[str]:
        """Return what no test has seen."""
        return [text for text, covered in self._all() if not covered]

    def _all(self) -> Iterator[tuple[str, bool]]:
        for rule in rules_of(self.config, self.systems):
            yield str(rule), rule in self.seen
        for route in self.config.routes if self.routes else ():
            for text in (_route(route), *(_step(route, step) for step in route.escalate)):
                yield text, text in self.told


def rules_of(config: Config, systems: Iterable[str]) -> Iterator[Rule]:
    """Yield every level of every outage and of every threshold of `systems`."""
    chosen = frozenset(systems)
    for plan in config.plans.values():
        if plan.id.system in chosen:
            yield from (Rule(plan.id, DOWN, level) for level in plan.down)
            for threshold in plan.thresholds:
                yield from (Rule(plan.id, threshold.name, level) for level in threshold.patience)


def _told_by(config: Config, message: Message) -> Iterator[str]:
    """Yield the routes, and the steps of escalations, that led to `message`."""
    note = message.notification
    if note.kind in ENDS:
        return
    for route in applying(config.routes, Alert(note.key, note.page.title), note.severity, note.at):
        if note.channel in route.notify:
            yield _route(route)
        for step in route.escalate:
            if note.channel in step.notify and note.kind is EventKind.ESCALATED:
                yield _step(route, step)


def _route(route: Route) -> str:
    severities = ", ".join(map(str, sorted(route.severities, reverse=True))) or "everything"
    systems = f" of {', '.join(sorted(route.systems))}" if route.systems else ""
    return f"route {route.place + 1}: {severities}{systems} → {', '.join(route.notify)}"


def _step(route: Route, step: Escalation) -> str:
    return f"route {route.place + 1}: after {show_duration(step.after.total_seconds())} → {', '.join(step.notify)}"

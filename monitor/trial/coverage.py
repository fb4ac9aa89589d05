"""Which rules the tests have seen fire and end: every level of every threshold and of every outage, every route."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.model import DOWN, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.config import Config
    from monitor.model import CheckId
    from monitor.routing import Route
    from monitor.trial.ledger import Ledger, Message


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
    told: set[int] = field(default_factory=set)

    def add(self, ledger: Ledger) -> None:
        """Count what a test has seen."""
        for key in ledger.alerts:
            for level in Severity:
                turns = ledger.fired(key, level)
                if any(not fires for _, fires in turns):
                    self.seen.add(Rule(key.check, key.name, level))
        for message in ledger.messages:
            self.told.update(index for index, route in enumerate(self.config.routes) if _told_by(route, message))

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
        for index, route in enumerate(self.config.routes if self.routes else ()):
            yield f"route {index + 1}: {_words(route)}", index in self.told


def rules_of(config: Config, systems: Iterable[str]) -> Iterator[Rule]:
    """Yield every level of every outage and of every threshold of `systems`."""
    chosen = frozenset(systems)
    for plan in config.plans.values():
        if plan.id.system in chosen:
            yield from (Rule(plan.id, DOWN, level) for level in plan.down)
            for threshold in plan.thresholds:
                yield from (Rule(plan.id, threshold.name, level) for level in threshold.patience)


def _told_by(route: Route, message: Message) -> bool:
    """Return whether `route` is one that led to `message`."""
    note = message.notification
    return note.channel in route.notify and route.matches(note.key.check, note.severity)


def _words(route: Route) -> str:
    severities = ", ".join(map(str, sorted(route.severities, reverse=True))) or "everything"
    systems = f" of {', '.join(sorted(route.systems))}" if route.systems else ""
    return f"{severities}{systems} → {', '.join(route.notify)}"

"""A check as the daemon runs it: its fields, thresholds ready to judge, and all that a message about it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from monitor.model import CheckId, Patience, Reason, Severity
    from monitor.probes.base import Check
    from monitor.thresholds import Threshold
    from monitor.units import Unit


class Question(NamedTuple):
    """What a step of a remedy runs when it is needed: a check, and which of its measures is the answer.

    No `measure`: what the run finds, in its own words.
    """

    check: CheckId
    measure: str = ""
    unit: Unit | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """Everything that the configuration says of one check.

    `elsewhere` names the check that watches what this one's kind would imply too, such as its host's certificate, by
    the name of the threshold. `down` is the patience of each level of its own outage. `needs` are the checks whose
    failure explains this one's; those that are skipped are left out. `questions` are what steps of its remedies answer
    by themselves, by the text of the step. `kin` is what it may have in common with others, as in `Page.shares`. `zone`
    names the time zone whose hours its users keep. `limited`: a rate limit counts its requests, so that it never runs
    more often than it says. `where` is the `file:line` at which it stands.
    `fingerprint` is equal exactly when nothing about the check has changed, secrets included, so it must not be shown
    or stored.
    """

    id: CheckId
    check: Check
    thresholds: tuple[Threshold, ...] = ()
    down: Mapping[Severity, Patience] = field(default_factory=dict)
    elsewhere: Mapping[str, CheckId] = field(default_factory=dict)
    remedy: tuple[str, ...] = ()
    remedy_for: Mapping[Reason, tuple[str, ...]] = field(default_factory=dict)
    needs: tuple[CheckId, ...] = ()
    questions: Mapping[str, Question] = field(default_factory=dict)
    kin: tuple[tuple[str, str], ...] = ()
    title: str = ""
    system_title: str = ""
    runbook: str = ""
    zone: str = "UTC"
    limited: bool = False
    where: str = ""
    fingerprint: str = ""

    def __repr__(self) -> str:
        return f"<Plan {self.id} {self.check.kind}>"

    @property
    def closer(self) -> timedelta:
        """Return how often it runs while its system is watched closely."""
        return self.check.every if self.limited else self.check.closer

    @property
    def gap(self) -> timedelta:
        """Return the time without a known run after which the check has no data: three intervals or more."""
        pace = max(self.check.every, self.check.retry_every)
        return max(3 * pace, pace + 2 * self.check.timeout)

    def threshold(self, name: str) -> Threshold | None:
        """Return the threshold called `name`, if there is one."""
        return next((threshold for threshold in self.thresholds if threshold.name == name), None)

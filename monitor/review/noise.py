"""Which rules paged, and which of them for nothing: nobody took what they said. Pure."""

from __future__ import annotations

import statistics
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.replay import begin, end, paged
from monitor.routing import WITHIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from monitor.incidents import Incident
    from monitor.model import CheckId

OFTEN = 3
"""So many pages that nobody acknowledged are noise."""


class Rule(NamedTuple):
    """What can page: a check's own outage, or one of its thresholds, over all labels."""

    check: CheckId
    name: str

    def __str__(self) -> str:
        return f"{self.check} {self.name}"


class Noise(NamedTuple):
    """A rule that paged: `alone` are the incidents that nobody acknowledged, `taken` those that somebody did."""

    rule: Rule
    alone: tuple[Incident, ...]
    taken: tuple[Incident, ...]

    @property
    def pages(self) -> int:
        """Return how often it paged."""
        return len(self.alone) + len(self.taken)

    def lasted(self, now: datetime) -> timedelta:
        """Return how long what nobody took lasted at the median; what goes on lasts until `now`."""
        spans = [(end(one, now) - begin(one)).total_seconds() for one in self.alone]
        return timedelta(seconds=max(statistics.median(spans), 0.0)) if spans else timedelta()


def rang(incident: Incident) -> bool:
    """Return whether an incident paged anybody: not only in a digest, and not only where no message arrived."""
    notes = (one.notification for one in incident.messages)
    return incident.reached_at is not None and paged(incident) and any(one.batch in {"", WITHIN} for one in notes)


def pagers(found: Iterable[Incident]) -> list[Noise]:
    """Return every rule that paged, the most frequent first."""
    by: defaultdict[Rule, list[Incident]] = defaultdict(list)
    for incident in found:
        if rang(incident):
            by[Rule(incident.key.check, incident.key.name)].append(incident)
    made = [Noise(rule, _those(known, taken=False), _those(known, taken=True)) for rule, known in by.items()]
    return sorted(made, key=lambda one: (-one.pages, one.rule))


def noisy(known: Iterable[Noise]) -> list[Noise]:
    """Return those that paged often without that anybody acknowledged it, the noisiest first."""
    return sorted((one for one in known if len(one.alone) >= OFTEN), key=lambda one: (-len(one.alone), one.rule))


def _those(found: Sequence[Incident], *, taken: bool) -> tuple[Incident, ...]:
    return tuple(one for one in found if bool(one.taken) is taken)

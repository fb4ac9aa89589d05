"""What other figures would have done: stored samples judged again, on the clock of the samples themselves. Pure.

It goes the way that `pipeline.py` describes, through the same thresholds, alerts and routes, and sends nothing. What a
check needs is judged along with it, since it may hold pages back. What only passing time says (that there was no data)
is not replayed, and reminders are due with the next sample.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.incidents import Incident, incidents
from monitor.model import NO_DATA, Dispatch
from monitor.situation import LOUD, Situation
from monitor.surroundings import notification

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from monitor.model import CheckId, Event, Sample
    from monitor.plan import Plan
    from monitor.routing import Route

NOT_REPLAYED = frozenset({NO_DATA})


@dataclass(frozen=True, slots=True)
class Match:
    """An incident as it would have been, and those that there really were while it lasted."""

    would: Incident
    did: tuple[Incident, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What would have been otherwise: `same` in both, `new` only with the changed figures, `gone` only really."""

    same: tuple[Match, ...] = ()
    new: tuple[Incident, ...] = ()
    gone: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay of `check` from `since` to `now` came to.

    `first` is the oldest sample that was judged, None if there was none. `count` of them were judged. `cut`: there are
    more samples than were read. `compared` are thresholds that need weeks of a past, which samples do not hold.
    """

    check: CheckId
    since: datetime
    now: datetime
    first: datetime | None
    count: int
    would: Sequence[Incident]
    did: Sequence[Incident]
    cut: bool = False
    compared: tuple[str, ...] = ()
    every: timedelta = timedelta()

    @property
    def difference(self) -> Difference:
        """Return what would have been otherwise."""
        return compare(self.would, self.did, self.now)

    @property
    def short(self) -> bool:
        """Return whether the samples begin later than was asked for."""
        return self.first is None or self.first - self.since > max(3 * self.every, timedelta(minutes=5))


def needed(check: CheckId, plans: Mapping[CheckId, Plan]) -> dict[CheckId, Plan]:
    """Return the plan of `check` and of all that it needs, by way of others too."""
    found: dict[CheckId, Plan] = {}
    left = [check]
    while left:
        one = left.pop()
        if one in plans and one not in found:
            found[one] = plans[one]
            left.extend(plans[one].needs)
    return found


def reach(plans: Iterable[Plan]) -> timedelta:
    """Return how far back the windows of `plans` look."""
    windows = (threshold.watch.reach for plan in plans for threshold in plan.thresholds)
    return max(windows, default=timedelta())


def judge_again(
    check: CheckId, plans: Mapping[CheckId, Plan], routes: Sequence[Route], samples: Iterable[Sample], since: datetime
) -> tuple[list[Incident], list[datetime]]:
    """Return the incidents that `check` would have had after `since`, and the moments at which it was judged.

    `samples` are those of all `plans`, oldest first; those until `since` only fill windows.
    """
    situation = Situation()
    situation.configure(plans, routes, since)
    situation.begin(since)
    events: list[Event] = []
    owed: list[Dispatch] = []
    moments = []
    for sample in samples:
        watched = situation.watched[sample.check]
        if sample.at <= since:
            watched.recall(sample)
            continue
        watched.see(sample)
        decision = situation.decide(sample.check, situation.judged(sample), sample.at)
        watched.judged(sample)
        situation.adopt(decision, sample.at)
        if sample.check == check:
            moments.append(sample.at)
            events += decision.events
            owed += [Dispatch(notification(situation, alert, call, sample.at)) for alert, call in decision.calls]
    return incidents(events, owed, situation.board.of(check)), moments


def paged(incident: Incident) -> bool:
    """Return whether an incident told anybody that it began or got worse, and not quietly."""
    return any(one.notification.kind in LOUD and not one.notification.quiet for one in incident.messages)


def told(incident: Incident) -> dict[str, int]:
    """Return how many messages each channel had of an incident, the end included."""
    return dict(Counter(sorted(one.notification.channel for one in incident.messages)))


def compare(would: Iterable[Incident], did: Iterable[Incident], now: datetime) -> Difference:
    """Return how two pasts differ: incidents of one alert that overlap are the same one."""
    really = [one for one in did if one.key.name not in NOT_REPLAYED]
    matches = [Match(one, tuple(other for other in really if overlap(one, other, now))) for one in would]
    met = {id(other) for match in matches for other in match.did}
    return Difference(
        same=tuple(match for match in matches if match.did),
        new=tuple(match.would for match in matches if not match.did),
        gone=tuple(other for other in really if id(other) not in met),
    )


def overlap(one: Incident, other: Incident, now: datetime) -> bool:
    """Return whether two incidents are of one alert, and of one time."""
    return one.key == other.key and begin(one) <= end(other, now) and begin(other) <= end(one, now)


def begin(one: Incident) -> datetime:
    """Return when it began, or was first heard of."""
    return one.opened_at or one.changes[0].at


def end(one: Incident, now: datetime) -> datetime:
    """Return when it ended; one whose end was not noted ended with its last change."""
    if one.ended_at is not None:
        return one.ended_at
    return now if one.goes_on or not one.changes else max(change.at for change in one.changes)

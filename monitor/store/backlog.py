"""What waits to be written, bounded, with only the last state of what has one."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from monitor.model import Change

if TYPE_CHECKING:
    from monitor.model import (
        Act,
        Alert,
        AlertKey,
        Attempt,
        CheckId,
        Deploy,
        Event,
        Keepsake,
        Notification,
        Post,
        Sample,
        Silence,
    )

MOST_SAMPLES = 50_000
MOST_OTHERS = 10_000
"""Of events, of notifications and of attempts, each."""


class Backlog:
    """Changes that belong together in the order they came in.

    One transaction takes all of it but the samples at once, so that no alert is written without what it owes; of
    samples it takes the oldest. `lost_samples` and `lost_others` count what was dropped, oldest first, because it was
    too much.
    """

    def __init__(self) -> None:
        """Make an empty backlog."""
        self.lost_samples = 0
        self.lost_others = 0
        self._samples: deque[Sample] = deque()
        self._alerts: dict[AlertKey, Alert] = {}
        self._events: deque[Event] = deque()
        self._owed: deque[Notification] = deque()
        self._attempts: deque[Attempt] = deque()
        self._keepsakes: dict[tuple[CheckId, str], Keepsake] = {}
        self._deploys: dict[str, Deploy] = {}
        self._silences: dict[str, Silence] = {}
        self._posts: dict[tuple[str, str], Post] = {}
        self._done: dict[str, Act] = {}

    def __bool__(self) -> bool:
        return any(map(len, (self._samples, *self._others)))

    @property
    def _others(self) -> tuple[deque[Any] | dict[Any, Any], ...]:
        listed = self._events, self._owed, self._attempts
        return (self._alerts, *listed, self._keepsakes, self._deploys, self._silences, self._posts, self._done)

    def keep(self, sample: Sample) -> None:
        """Add one sample."""
        self._samples.append(sample)
        self._bound()

    def add(self, change: Change) -> None:
        """Add `change` after everything else."""
        self._samples.extend(change.samples)
        self._alerts.update((alert.key, alert) for alert in change.alerts)
        self._events.extend(change.events)
        self._owed.extend(change.owed)
        self._attempts.extend(change.attempts)
        self._keepsakes.update(_by_topic(change))
        self._deploys.update((deploy.id, deploy) for deploy in change.deploys)
        self._silences.update((silence.id, silence) for silence in change.silences)
        self._posts.update(_by_place(change))
        self._done.update((act.id, act) for act in change.done)
        self._bound()

    def take(self, most: int) -> Change:
        """Take everything out, but at most `most` samples."""
        samples = tuple(self._samples.popleft() for _ in range(min(most, len(self._samples))))
        change = Change(
            samples,
            alerts=tuple(self._alerts.values()),
            events=tuple(self._events),
            owed=tuple(self._owed),
            attempts=tuple(self._attempts),
            keepsakes=tuple(self._keepsakes.values()),
            deploys=tuple(self._deploys.values()),
            silences=tuple(self._silences.values()),
            posts=tuple(self._posts.values()),
            done=tuple(self._done.values()),
        )
        for part in self._others:
            part.clear()
        return change

    def put_back(self, change: Change) -> None:
        """Put what was taken back in front of what came meanwhile."""
        self._samples.extendleft(reversed(change.samples))
        self._alerts = {alert.key: alert for alert in change.alerts} | self._alerts
        self._events.extendleft(reversed(change.events))
        self._owed.extendleft(reversed(change.owed))
        self._attempts.extendleft(reversed(change.attempts))
        self._keepsakes = _by_topic(change) | self._keepsakes
        self._deploys = {deploy.id: deploy for deploy in change.deploys} | self._deploys
        self._silences = {silence.id: silence for silence in change.silences} | self._silences
        self._posts = _by_place(change) | self._posts
        self._done = {act.id: act for act in change.done} | self._done
        self._bound()

    def _bound(self) -> None:
        self.lost_samples += _drop_oldest(self._samples, MOST_SAMPLES)
        for some in (self._events, self._owed, self._attempts):
            self.lost_others += _drop_oldest(some, MOST_OTHERS)


def _by_topic(change: Change) -> dict[tuple[CheckId, str], Keepsake]:
    return {(one.check, one.topic): one for one in change.keepsakes}


def _by_place(change: Change) -> dict[tuple[str, str], Post]:
    return {(post.channel, post.incident): post for post in change.posts}


def _drop_oldest(some: deque[Any], most: int) -> int:
    """Drop what is too much, and return how many that were."""
    count = max(len(some) - most, 0)
    for _ in range(count):
        some.popleft()
    return count

"""What must have been told, from what was looked at: a second, plain reading of docs/alerts.md, not the daemon's code.

A level fires when the figure was crossed in so many looks in a row and for so long, and ends likewise. What a process
knew when it died is not certain: any of the states since what is surely on disk may be what the next one starts with.
So a belief is a set of states; what holds in all of them must be, what holds in one may be. Moments are microseconds
of the daemon's clock in a look, and seconds of the script everywhere else.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

SURE = 6.0
"""Seconds after which a look has been judged and queued: asking what a check needs takes up to five."""
TOLD_WITHIN = 8.0
"""Seconds from the look to the owed message: judged, and two more for the store."""


class Place(NamedTuple):
    """Where a level may stand: on its way to the other side for `seen` looks and `dwell`; last judged at `judged`."""

    fires: bool = False
    seen: int = 0
    dwell: int = 0
    judged: int | None = None

    @property
    def still(self) -> bool:
        """Return whether nothing is remembered."""
        return not self.fires and not self.seen


IDLE = Place()


@dataclass(frozen=True, slots=True)
class Rule:
    """When a level fires and ends; looks further apart than `gap` have a gap between them that counts for nothing."""

    looks: int = 1
    for_: int = 0
    quiet_looks: int = 1
    keep: int = 0
    gap: int = 0

    def move(self, place: Place, at: int, crossed: bool | None) -> Place:
        """Return where `place` is after a look; None: it could not be judged."""
        if crossed is None:
            return place._replace(judged=None)
        if crossed == place.fires:
            return Place(place.fires)
        past = at - place.judged if place.judged is not None else 0
        dwell = place.dwell + (past if 0 <= past <= self.gap else 0) if place.seen else 0
        seen = place.seen + 1
        looks, wait = (self.quiet_looks, self.keep) if place.fires else (self.looks, self.for_)
        return Place(not place.fires) if seen >= looks and dwell >= wait else Place(place.fires, seen, dwell, at)


class Mark(NamedTuple):
    """From `at` on: whether the level may fire, may be silent, and may remember anything."""

    at: float
    fires: bool
    silent: bool
    stirs: bool


@dataclass
class Belief:
    """What is known of one level of one alert."""

    rule: Rule
    places: frozenset[Place] = frozenset({IDLE})
    disk: frozenset[Place] = frozenset({IDLE})
    blind: bool = False
    since_disk: list[tuple[float, frozenset[Place]]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=lambda: [Mark(-1.0, fires=False, silent=True, stirs=False)])

    def look(self, now: float, at: int, crossed: bool | None) -> None:
        """Note one look."""
        self._become(now, frozenset(self.rule.move(place, at, crossed) for place in self.places))

    def close(self, now: float) -> None:
        """Note that what was watched is gone."""
        self._become(now, frozenset({IDLE}))

    def write(self, began: float) -> None:
        """Note that a write that began then is on the disk."""
        while self.since_disk and self.since_disk[0][0] <= began - SURE:
            self.disk = self.since_disk.pop(0)[1]

    def die(self, now: float) -> None:
        """Note that the process ended, whatever it had written; what comes next begins with nothing."""
        self.disk = self.disk.union(*(places for _, places in self.since_disk))
        self.since_disk, self.blind = [], True
        self.places = frozenset({IDLE})
        self._mark(now, self.disk)

    def remember(self, now: float) -> None:
        """Note that the process has read the disk: what it has seen meanwhile is joined to it."""
        self.blind = False
        if self.places == {IDLE}:
            self.places = self.disk
        else:
            joined = {_join(old, new) for old in self.disk for new in self.places}
            self.places = frozenset(joined) | self.places | self.disk
        self._become(now, self.places)

    def between(self, begin: float, end: float) -> list[Mark]:
        """Return what was believed from `begin` to `end`."""
        first = max(bisect_right(self.marks, begin, key=lambda mark: mark.at) - 1, 0)
        return self.marks[first : bisect_right(self.marks, end, key=lambda mark: mark.at)]

    def _become(self, now: float, places: frozenset[Place]) -> None:
        self.places = places
        if self.blind:
            self._mark(now, places | self.disk)
            return
        if not self.since_disk or self.since_disk[-1][1] != places:
            self.since_disk.append((now, places))
        self._mark(now, places)

    def _mark(self, now: float, places: frozenset[Place]) -> None:
        mark = Mark(
            now,
            fires=any(place.fires for place in places),
            silent=any(not place.fires for place in places),
            stirs=any(not place.still for place in places),
        )
        if mark[1:] != self.marks[-1][1:]:
            self.marks.append(mark)


def _join(old: Place, new: Place) -> Place:
    if new.still:
        return old
    return old if old.fires and not new.fires else new

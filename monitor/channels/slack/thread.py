"""What a delivery does to the messages that stand in a channel already. Pure.

- Each alert has a message of its own, which is edited as it changes; what changed is told in its thread.
- More than `MOST_APART` alerts at once are one message, so that a storm does not make hundreds. What becomes of them
  later is told in the thread of that message, together as well.
- Only what rings calls anybody, and never by an edit, of which Slack tells nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import EventKind, Severity, stable_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from monitor.model import Delivery, Notification

MOST_APART = 3
"""How many alerts of one delivery have a message each."""
MOST_EDITED = 20
"""How many messages one delivery of more than that edits: Slack takes some 50 edits a minute."""
ALONE = frozenset({EventKind.REPORTED, EventKind.ANNOUNCED})
"""What is no state of an alert: it is posted, and never edited."""
UNTOLD = frozenset({EventKind.ANSWERED})
"""What only completes the message: it makes no line in the thread."""


class Place(NamedTuple):
    """Where a message stands: in which channel, and at which moment of Slack's. `shared`: several alerts are in it."""

    channel: str
    ts: str
    shared: bool = False

    def __str__(self) -> str:
        """Return it as a reference."""
        return ":".join((self.channel, self.ts, *(("shared",) if self.shared else ())))

    @classmethod
    def of(cls, reference: str) -> Place | None:
        """Return the place that `reference` names; None if it names none."""
        match reference.split(":"):
            case [channel, ts] if channel and ts:
                return cls(channel, ts)
            case [channel, ts, "shared"] if channel and ts:
                return cls(channel, ts, shared=True)
            case _:
                return None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do about `notes`, by an id that is the same in every repetition.

    `at`: the message that is edited or answered; None: a new one is posted. `edits` or `answers` says which; one that
    `may_fail` is left out if it does not succeed at once: what it says is said elsewhere.
    """

    id: str
    notes: tuple[Notification, ...]
    at: Place | None = None
    edits: bool = False
    answers: bool = False
    may_fail: bool = False

    @property
    def loud(self) -> bool:
        """Return whether anything in it must ring."""
        return rings(self.notes)


def rings(notes: Iterable[Notification]) -> bool:
    """Return whether any of `notes` must ring."""
    return any(note.severity is Severity.CRITICAL and not note.quiet for note in notes)


def plan(delivery: Delivery, channel: str) -> list[Step]:
    """Return what `delivery` does in `channel`; what rings comes first."""
    places = {note.incident: _place(note, delivery.posted, channel) for note in delivery.notifications}
    if len(delivery.notifications) > MOST_APART:
        steps = list(_together(delivery.notifications, places))
    else:
        steps = list(_apart(delivery.notifications, places))
    return sorted(steps, key=lambda step: (not step.loud, step.may_fail))


def _place(note: Notification, posted: Mapping[str, str], channel: str) -> Place | None:
    """Return where the message about `note` stands; one in another channel, named before, is none of ours."""
    place = Place.of(posted.get(note.incident, ""))
    return place if place and place.channel == channel and note.kind not in ALONE else None


def _apart(notes: Iterable[Notification], places: Mapping[str, Place | None]) -> Iterator[Step]:
    shared: dict[Place, list[Notification]] = {}
    for note in notes:
        place = places[note.incident]
        if place is None:
            yield _step("post", [note])
        elif place.shared:
            shared.setdefault(place, []).append(note)
        else:
            yield _step("edit", [note], place)
    for place, some in shared.items():
        yield _step("answer", some, place)


def _together(notes: Iterable[Notification], places: Mapping[str, Place | None]) -> Iterator[Step]:
    """Yield one message about all, but for what goes into the thread of a message that they share already."""
    shared: dict[Place, list[Notification]] = {}
    rest = []
    for note in notes:
        place = places[note.incident]
        if place and place.shared:
            shared.setdefault(place, []).append(note)
        else:
            rest.append(note)
    if len(shared) > MOST_APART:
        rest += [note for some in shared.values() for note in some]
        shared = {}
    for place, some in shared.items():
        yield _step("answer", some, place)
    if len(rest) <= MOST_APART:
        yield from _apart(rest, places)
        return
    yield _step("post", rest)
    own = [(note, place) for note in rest if (place := places[note.incident]) and not place.shared]
    for note, place in own[:MOST_EDITED]:
        yield _step("edit", [note], place, may_fail=True)


def _step(what: str, notes: list[Notification], at: Place | None = None, *, may_fail: bool = False) -> Step:
    identity = stable_id(what, at, *(note.id for note in notes))
    return Step(identity, tuple(notes), at, edits=what == "edit", answers=what == "answer", may_fail=may_fail)

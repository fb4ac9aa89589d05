"""What ended an alert the last times, in the words of those who ended it. Pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import Keepsake
from monitor.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.model import AlertKey, CheckId

TOPIC = "noted "
"""What begins the topic of a keepsake that holds notes; the alert's fingerprint follows."""
MOST = 3
LONGEST_TEXT = 200
LONGEST_WHO = 60


class Note(NamedTuple):
    """What somebody said that had ended an alert."""

    text: str
    who: str
    at: datetime


class Noted:
    """The last three notes of each alert. Each is kept with the alert's check, until another takes its place."""

    def __init__(self) -> None:
        """Know of nothing."""
        self._notes: dict[str, tuple[Note, ...]] = {}

    def add(self, key: AlertKey, text: str, who: str, at: datetime) -> Keepsake:
        """Remember a note, the same one once; return what must be written so that a later process knows it too."""
        note = Note(plain(text, LONGEST_TEXT), plain(who, LONGEST_WHO), at)
        return self._put(key.check, key.fingerprint, note)

    def restore(self, kept: Keepsake) -> Keepsake | None:
        """Take up what an earlier process wrote, beside what is known already; return both, None: it holds no notes."""
        if not kept.topic.startswith(TOPIC):
            return None
        return self._put(kept.check, kept.topic.removeprefix(TOPIC), *_read(kept.body))

    def _put(self, check: CheckId, fingerprint: str, *notes: Note) -> Keepsake:
        known = self._notes[fingerprint] = _newest((*self._notes.get(fingerprint, ()), *notes))
        body = json.dumps([(each.text, each.who, each.at.isoformat()) for each in known])
        return Keepsake(check, f"{TOPIC}{fingerprint}", body)

    def of(self, key: AlertKey, now: datetime) -> tuple[str, ...]:
        """Return the notes of an alert, newest first: `restarted the worker (ana, 3 Nov)`."""
        return tuple(_told(note, now) for note in self._notes.get(key.fingerprint, ()))


def _newest(notes: Iterable[Note]) -> tuple[Note, ...]:
    return tuple(sorted(dict.fromkeys(notes), key=lambda note: note.at, reverse=True)[:MOST])


def _read(body: str) -> list[Note]:
    """Return the notes of a keepsake; what another release wrote otherwise is passed over."""
    try:
        return [Note(str(text), str(who), datetime.fromisoformat(at)) for text, who, at in json.loads(body)]
    except (TypeError, ValueError):
        return []


def _told(note: Note, now: datetime) -> str:
    year = f" {note.at.year}" if note.at.year != now.year else ""
    return f"{note.text} ({', '.join(filter(None, (note.who, f'{note.at.day} {note.at:%b}{year}')))})"

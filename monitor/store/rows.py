"""Between the nouns and the rows of the tables. Pure.

What comes from outside may hold anything that JSON can name, also half a surrogate pair or NUL, which a database
refuses; one such text must not keep a whole change from being written. So JSON is kept in ASCII, and plain text is
cleaned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import TypeAdapter

from monitor.hour import Hour, HourMeasure
from monitor.model import Act, Alert, Attempt, AttemptResult, Deploy, Event, Notification, Post, Silence
from monitor.store.base import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from monitor.model import CheckId, Labels

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1) // MICROSECOND
DAY = 24 * HOUR

to_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode

Noun = TypeVar("Noun", Act, Alert, Deploy, Event, Notification, Silence)


def micros(at: datetime) -> int:
    """Return a moment as the microseconds that the tables hold."""
    return (at - EPOCH) // MICROSECOND


def moment(value: int) -> datetime:
    """Return the moment that a table holds."""
    return EPOCH + value * MICROSECOND


def hour_of(value: int) -> int:
    """Return the beginning of the hour that a moment is in, both in microseconds."""
    return value - value % HOUR


def clean(text: str) -> str:
    """Return `text` as every database takes it: valid Unicode without NUL."""
    return text.replace("\0", "�").encode("utf-8", "replace").decode("utf-8")


def hour_row_of(check: CheckId, row: Sequence[Any], only: Collection[str] | None = None) -> Hour:
    """Return the hour of `check` that a row holds, with all its measures or `only` these.

    What a later release says besides of a measure is left out. Raises `StoreUnusable` when it cannot be read.
    """
    _, at, up, down, unknown, measures = row
    try:
        found = [
            HourMeasure(name, labels_of(pairs), *figures[:4])
            for name, pairs, *figures in (json.loads(measures) if only is None or only else ())
            if only is None or name in only
        ]
    except (TypeError, ValueError) as error:
        msg = f"the store holds an unreadable hour of {check}: {measures[:100]!r}"
        raise StoreUnusable(msg) from error
    return Hour(check, moment(at), up, down, unknown, tuple(found))


def attempt_row(attempt: Attempt) -> tuple[str, int, str, str, str, int | None]:
    """Return `attempt` as a row, without its number."""
    due = micros(attempt.due) if attempt.due is not None else None
    return (
        attempt.notification,
        micros(attempt.at),
        attempt.result.value,
        attempt.delivery,
        clean(attempt.reason),
        due,
    )


def attempt_of(row: Sequence[Any]) -> Attempt:
    """Return the attempt that a row holds."""
    _, notification, at, result, delivery, reason, due = row
    again = moment(due) if due is not None else None
    try:
        return Attempt(notification, moment(at), AttemptResult(result), delivery, reason, again)
    except ValueError as error:
        raise StoreUnusable(f"the store holds an unreadable attempt: {result[:100]!r}") from error


def act_row(act: Act) -> tuple[str, int, str]:
    """Return `act` as a row, without whether it is done."""
    return clean(act.id), micros(act.at), ACT.write(act)


def silence_row(silence: Silence) -> tuple[str, int, int, int, str]:
    """Return `silence` as a row."""
    since, until = micros(silence.since), micros(silence.until)
    return clean(silence.id), since, until, int(silence.maintenance), SILENCE.write(silence)


def post_row(post: Post) -> tuple[str, str, str, int]:
    """Return `post` as a row."""
    return clean(post.channel), clean(post.incident), clean(post.reference), micros(post.at)


def post_of(row: Sequence[Any]) -> Post:
    """Return the post that a row holds."""
    channel, incident, reference, at = row
    return Post(channel, incident, reference, moment(at))


class Body(Generic[Noun]):
    """How one kind of noun is kept as JSON.

    A field that is missing takes its default and one that is unknown is left out, so that two releases that follow each
    other read what the other wrote.
    """

    def __init__(self, noun: type[Noun]) -> None:
        self._name = noun.__name__.lower()
        self._adapter: TypeAdapter[Noun] = TypeAdapter(noun)
        self._adapter.rebuild(_types_namespace={"Mapping": Mapping})

    def write(self, noun: Noun) -> str:
        """Return `noun` as JSON in ASCII."""
        return to_json(self._adapter.dump_python(noun, mode="json"))

    def read(self, text: str) -> Noun:
        """Return the noun that `text` holds; raises `StoreUnusable` when it holds none."""
        try:
            return self._adapter.validate_python(json.loads(text))
        except ValueError as error:
            msg = f"the store holds an unreadable {self._name}: {text[:100]!r}"
            raise StoreUnusable(msg) from error


ACT = Body(Act)
ALERT = Body(Alert)
DEPLOY = Body(Deploy)
EVENT = Body(Event)
NOTIFICATION = Body(Notification)
SILENCE = Body(Silence)


def labels_of(pairs: Sequence[Sequence[str]]) -> Labels:
    """Return label pairs that came from JSON."""
    return tuple([(name, value) for name, value in pairs])

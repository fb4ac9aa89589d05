"""Changes as rows, and the statements that write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, literal_column, update

from monitor.model import AttemptResult
from monitor.store import schema
from monitor.store.database import compiled, insert_once, insert_or_replace
from monitor.store.rows import (
    ALERT,
    DEPLOY,
    EVENT,
    NOTIFICATION,
    act_row,
    attempt_row,
    micros,
    post_row,
    silence_row,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Dialect

    from monitor.model import Change

OPEN = frozenset({AttemptResult.BEGUN, AttemptResult.RETRY})
KEPT_BY = ("system", "name", "topic")
"""What a keepsake is known by."""
DONE = 0
"""When an act was done: since the last tidying. See `schema.acts`."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Several changes as rows. Where only the last state counts, only that is left."""

    forgotten: list[tuple[Any, ...]]
    alerts: list[tuple[Any, ...]]
    events: list[tuple[Any, ...]]
    notifications: list[tuple[Any, ...]]
    attempts: list[tuple[Any, ...]]
    settled: list[tuple[Any, ...]]
    dropped: list[tuple[Any, ...]]
    keepsakes: list[tuple[Any, ...]]
    deploys: list[tuple[Any, ...]]
    silences: list[tuple[Any, ...]]
    posts: list[tuple[Any, ...]]
    done: list[tuple[Any, ...]]

    @property
    def size(self) -> int:
        """Return how many rows will be written."""
        return sum(len(getattr(self, name)) for name in self.__slots__)


def batch(changes: Sequence[Change]) -> Batch:
    """Return `changes` as rows, without their samples."""
    last = {alert.key: alert for change in changes for alert in change.alerts}
    attempts = [attempt for change in changes for attempt in change.attempts]
    owed = [note for change in changes for note in change.owed]
    events = [event for change in changes for event in change.events]
    deploys = {deploy.id: deploy for change in changes for deploy in change.deploys}
    kept = {(*one.check, one.topic): one.body for change in changes for one in change.keepsakes}
    silences = {silence.id: silence for change in changes for silence in change.silences}
    posts = {(post.channel, post.incident): post for change in changes for post in change.posts}
    done = {act.id: act for change in changes for act in change.done}
    return Batch(
        forgotten=[(key.fingerprint,) for key, alert in last.items() if alert.idle],
        alerts=[(key.fingerprint, ALERT.write(alert)) for key, alert in last.items() if not alert.idle],
        events=[(event.id, micros(event.at), event.key.fingerprint, EVENT.write(event)) for event in events],
        notifications=[(note.id, micros(note.at), note.channel, NOTIFICATION.write(note)) for note in owed],
        attempts=[attempt_row(attempt) for attempt in attempts],
        settled=[
            (micros(done.at), done.result.value, done.notification) for done in attempts if done.result not in OPEN
        ],
        dropped=[place for place, body in kept.items() if not body],
        keepsakes=[(*place, body) for place, body in kept.items() if body],
        deploys=[(deploy.id, micros(deploy.at), DEPLOY.write(deploy)) for deploy in deploys.values()],
        silences=[silence_row(silence) for silence in silences.values()],
        posts=[post_row(post) for post in posts.values()],
        done=[(identity, at, DONE, body) for identity, at, body in map(act_row, done.values())],
    )


class Statements:
    """What `write` runs, in the order that it runs it: an attempt settles a notification of the same batch."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile every statement for `dialect`."""
        alerts, notifications, late, kept = schema.alerts, schema.notifications, schema.late, schema.keepsakes
        self.act = insert_once(schema.acts, dialect, ("id", "at", "body"))
        self.check = insert_once(schema.checks, dialect, ("system", "name"))
        self.layout = insert_once(schema.layouts, dialect)
        self.sample = insert_once(schema.samples, dialect)
        self.late = insert_or_replace(late, dialect, writes=late.c.writes + literal_column("1"))
        settle = update(notifications).values(settled_at=bindparam("at"), result=bindparam("how"))
        unsettled = notifications.c.id == bindparam("which"), notifications.c.settled_at.is_(None)
        self._by_rows = {
            "forgotten": compiled(delete(alerts).where(alerts.c.fingerprint == bindparam("which")), dialect),
            "alerts": insert_or_replace(alerts, dialect),
            "events": insert_once(schema.events, dialect, ("id", "at", "fingerprint", "body")),
            "notifications": insert_once(notifications, dialect, ("id", "at", "channel", "body")),
            "attempts": insert_once(
                schema.attempts, dialect, ("notification", "at", "result", "delivery", "reason", "due")
            ),
            "settled": compiled(settle.where(*unsettled), dialect),
            "dropped": compiled(delete(kept).where(*(kept.c[name] == bindparam(name) for name in KEPT_BY)), dialect),
            "keepsakes": insert_or_replace(kept, dialect),
            "deploys": insert_or_replace(schema.deploys, dialect),
            "silences": insert_or_replace(schema.silences, dialect),
            "posts": insert_or_replace(schema.posts, dialect),
            "done": insert_or_replace(schema.acts, dialect),
        }

    def pairs(self, rows: Batch) -> list[tuple[str, list[tuple[Any, ...]]]]:
        """Return each statement with the rows to run it for."""
        return [(statement, getattr(rows, name)) for name, statement in self._by_rows.items()]

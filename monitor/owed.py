"""What is owed to one channel, and what of it may leave when. Pure.

- The first critical leaves within two seconds of the decision. What follows within the next minute is one collected
  message; only a first critical does not wait for messages of less weight.
- A delivery that failed is repeated as it was, under the same id, before anything else.
- A newer notification about an incident makes an older one needless: nobody gets a stale "firing" after its resolve.
- While the store is away only criticals leave, because what is not durable might be sent again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.model import EventKind, Notification, Owed, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SETTLE = timedelta(seconds=1)
COLLECT = timedelta(seconds=60)
GIVE_UP_AFTER = timedelta(days=3)
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=5)
LONGEST_ASKED = timedelta(minutes=15)
MOST_AT_ONCE = 500


@dataclass(slots=True)
class Queue:
    """What is owed to one channel, and the moments that decide when it may leave. `uncertain`: ids not durable yet."""

    owed: dict[str, Owed] = field(default_factory=dict)
    uncertain: set[str] = field(default_factory=set)
    sent_at: datetime | None = None
    critical_at: datetime | None = None
    blocked_until: datetime | None = None

    def sent(self, batch: Sequence[Owed], now: datetime) -> None:
        """Note that `batch` leaves now, which starts the minute of collecting; a repetition starts none."""
        if batch[0].attempts:
            return
        self.sent_at = now
        if any(rings(owed.notification) for owed in batch):
            self.critical_at = now

    def forget(self, batch: Iterable[Owed]) -> None:
        """Take `batch` out: it is settled."""
        for owed in batch:
            self.owed.pop(owed.notification.id, None)
            self.uncertain.discard(owed.notification.id)


def rings(notification: Notification) -> bool:
    """Return whether a notification is to wake somebody."""
    return notification.severity is Severity.CRITICAL and not notification.quiet


def ready(queue: Queue, now: datetime, *, store_away: bool = False) -> list[Owed]:
    """Return what may leave together now."""
    if queue.blocked_until is not None and now < queue.blocked_until:
        return []
    waiting = [owed for owed in queue.owed.values() if not store_away or rings(owed.notification)]
    waiting.sort(key=lambda owed: (owed.notification.at, owed.notification.id))
    begun = next((owed.delivery for owed in waiting if owed.delivery), "")
    if begun:
        return [owed for owed in waiting if owed.delivery == begun]
    settled = [owed for owed in waiting if now - owed.notification.at >= SETTLE]
    last = queue.critical_at if any(rings(owed.notification) for owed in settled) else queue.sent_at
    if not settled or (last is not None and now - last < COLLECT):
        return []
    return waiting[:MOST_AT_ONCE]


def drop_stale(queue: Queue) -> list[Owed]:
    """Take out, and return, what a newer notification about the same incident makes needless.

    A resolve that replaces a message which never arrived is marked `missed`, so that it tells the whole story.
    """
    newest: dict[str, Owed] = {}
    old = []
    for item in sorted(queue.owed.values(), key=lambda owed: owed.notification.at):
        note = item.notification
        if before := newest.get(note.incident):
            old.append(before)
            if note.kind is EventKind.RESOLVED and before.notification.kind is EventKind.OPENED:
                queue.owed[note.id] = replace(item, notification=replace(note, missed=True))
        newest[note.incident] = item
    queue.forget(old)
    return old


def drop_hopeless(queue: Queue, now: datetime) -> list[Owed]:
    """Take out, and return, what was owed for days."""
    old = [owed for owed in queue.owed.values() if now - owed.notification.at > GIVE_UP_AFTER]
    queue.forget(old)
    return old


def wait_after(attempts: int, asked: timedelta | None, jitter: float) -> timedelta:
    """Return the wait before the next attempt, `jitter` being 0 to 1: 2 s doubling to 5 min, plus up to half of it.

    What the channel `asked` for is obeyed, up to a quarter of an hour.
    """
    if asked is not None:
        return min(max(asked, FIRST_WAIT), LONGEST_ASKED)
    doubled: timedelta = FIRST_WAIT * (1 << min(attempts, 10))
    return min(doubled, LONGEST_WAIT) * (1 + jitter / 2)

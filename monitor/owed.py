"""What is owed to one channel, and what of it may leave when. Pure.

- The first critical leaves within two seconds of the decision. What follows within the next minute is one collected
  message; only a first critical does not wait for messages of less weight.
- A delivery that failed is repeated as it was, under the same id, before anything else; but when it failed again and
  again, criticals no longer wait for it.
- A newer notification about an incident makes an older one needless: nobody gets a stale "firing" after its resolve.
- While the store is away only criticals leave, because what is not durable might be sent again.
- What may wait for others leaves with them, as soon as the first of them must.
- What only changes a message that stands there already waits for nobody.
- A channel that got its fill in a while gets one collected message after that: nothing is dropped.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.message import ASIDE
from monitor.model import DRILL, EventKind, Notification, Owed, Severity

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

SETTLE = timedelta(seconds=1)
COLLECT = timedelta(seconds=60)
GIVE_UP_AFTER = timedelta(days=3)
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=5)
LONGEST_ASKED = timedelta(minutes=15)
MOST_AT_ONCE = 500
STUCK_AFTER = 3
OVER = frozenset({EventKind.RESOLVED, EventKind.REMOVED})


class Cap(NamedTuple):
    """At most so many `messages` within the time `per`."""

    messages: int = 10
    per: timedelta = timedelta(minutes=5)


@dataclass(slots=True)
class Queue:
    """What is owed to one channel, and the moments that decide when it may leave.

    `uncertain`: since when each is owed that was not durable then. `replaced`: what a newer notification made needless,
    by the id of the newer one; both are settled together, so that after a restart it is known again what the channel
    never heard. `alone`: what was rejected together with others, and is tried once more by itself. `blocked_until`:
    before then the channel asked to be left in peace. `changed`: something was added since `drop_stale`. `cap`: how
    many messages it may get, `recent` when the last of them left.
    """

    owed: dict[str, Owed] = field(default_factory=dict)
    uncertain: dict[str, datetime] = field(default_factory=dict)
    replaced: dict[str, list[Owed]] = field(default_factory=dict)
    alone: set[str] = field(default_factory=set)
    sent_at: datetime | None = None
    critical_at: datetime | None = None
    blocked_until: datetime | None = None
    changed: bool = False
    cap: Cap = Cap()  # noqa: RUF009 - frozen
    recent: deque[datetime] = field(default_factory=deque)

    def add(self, item: Owed) -> None:
        """Owe `item` from now on."""
        self.owed[item.notification.id] = item
        self.changed = True

    def sent(self, batch: Sequence[Owed], now: datetime) -> None:
        """Note that `batch` leaves now, which starts the minute of collecting; a repetition or no news starts none.

        For criticals a drill starts none either: what is really broken must not wait for it.
        """
        repeated = batch[0].delivery or batch[0].notification.id in self.alone
        if repeated or all(owed.notification.kind in ASIDE for owed in batch):
            return
        self.sent_at = now
        self.recent.append(now)
        if any(rings(owed.notification) and owed.notification.key.name != DRILL for owed in batch):
            self.critical_at = now

    def full(self, now: datetime) -> bool:
        """Return whether the channel has got as many messages as it may; a clock set back counts for nothing."""
        while self.recent and not timedelta() <= now - self.recent[0] < self.cap.per:
            self.recent.popleft()
        return len(self.recent) >= self.cap.messages

    def forget(self, batch: Iterable[Owed]) -> None:
        """Take `batch` out: it is settled."""
        for owed in batch:
            self.owed.pop(owed.notification.id, None)
            self.uncertain.pop(owed.notification.id, None)
            self.alone.discard(owed.notification.id)


def rings(notification: Notification) -> bool:
    """Return whether a notification is to wake somebody."""
    return notification.severity is Severity.CRITICAL and not notification.quiet


def ready(queue: Queue, now: datetime, *, store_away: bool = False, posted: Container[str] = ()) -> list[Owed]:
    """Return what may leave together now. `posted` are the incidents whose message the channel can change."""
    if queue.blocked_until is not None and now < queue.blocked_until:
        return []
    waiting = [owed for owed in queue.owed.values() if not store_away or rings(owed.notification)]
    waiting.sort(key=lambda owed: (not rings(owed.notification), owed.notification.at, owed.notification.id))
    failed = [owed for owed in waiting if owed.delivery]
    due = [owed for owed in failed if owed.due is None or owed.due <= now]
    if due:
        return [owed for owed in failed if owed.delivery == due[0].delivery]
    fresh = [owed for owed in waiting if not owed.delivery]
    if failed:
        stuck = all(owed.attempts >= STUCK_AFTER for owed in failed)
        fresh = [owed for owed in fresh if stuck and rings(owed.notification)]
    single = [owed for owed in fresh if owed.notification.id in queue.alone]
    edits = [owed for owed in fresh if _is_edit(owed.notification, posted) and now - owed.notification.at >= SETTLE]
    if single or queue.full(now):
        return single[:1] or edits
    at_once = [owed for owed in fresh if not owed.notification.batch]
    return _collected(queue, at_once, now) or _gathered(queue, fresh, now) or edits


def _is_edit(notification: Notification, posted: Container[str]) -> bool:
    """Return whether it only changes a message that stands already, so that it need not wait for others."""
    return notification.kind in ASIDE and notification.incident in posted


def leaves_at(notification: Notification) -> datetime:
    """Return when `notification` must leave at the latest: one that waits for nothing, when it was decided."""
    return notification.leaves or notification.at


def _gathered(queue: Queue, fresh: list[Owed], now: datetime) -> list[Owed]:
    """Return what waited together, once the first of it must leave."""
    if queue.sent_at is not None and now - queue.sent_at < COLLECT:
        return []
    due = next((owed for owed in fresh if owed.notification.batch and leaves_at(owed.notification) <= now), None)
    if due is None:
        return []
    return [owed for owed in fresh if owed.notification.batch == due.notification.batch][:MOST_AT_ONCE]


def _collected(queue: Queue, fresh: list[Owed], now: datetime) -> list[Owed]:
    settled = [owed for owed in fresh if now - owed.notification.at >= SETTLE]
    last = queue.critical_at if any(rings(owed.notification) for owed in settled) else queue.sent_at
    if not settled or (last is not None and now - last < COLLECT):
        return []
    return fresh[:MOST_AT_ONCE]


def drop_stale(queue: Queue) -> None:
    """Take out what a newer notification about the same incident makes needless.

    An end of what the channel never heard of is marked `missed`, so that it tells the whole story; an easing of what
    it never heard of is told aloud. What its steps found out comes with what it never heard of, as that would have.
    """
    queue.changed = False
    newest: dict[str, Owed] = {}
    for item in sorted(queue.owed.values(), key=_order):
        note = item.notification
        if before := newest.get(note.incident):
            replaced = [*queue.replaced.pop(before.notification.id, ()), before]
            queue.replaced.setdefault(note.id, []).extend(replaced)
            queue.forget([before])
            queue.owed[note.id] = replace(item, notification=_for_all(note, replaced))
        newest[note.incident] = queue.owed[note.id]


def _order(owed: Owed) -> tuple[bool, datetime]:
    """Return what sorts the messages of one incident: its end is its last, even if the clock was set back before it."""
    return owed.notification.kind in OVER, owed.notification.at


def _for_all(note: Notification, replaced: Sequence[Owed]) -> Notification:
    """Return `note` as it must read, and when it must leave, if it stands for what it replaced as well."""
    last = replaced[-1].notification
    if note.kind in ASIDE and last.kind not in ASIDE:
        return _beside(note, last)
    if note.batch:
        together = [one.notification for one in replaced if one.notification.batch == note.batch]
        note = replace(note, leaves=min(map(leaves_at, (note, *together))))
    unheard = any(one.notification.kind is EventKind.OPENED for one in replaced)
    if unheard and note.kind in OVER:
        return replace(note, missed=True)
    if unheard and note.kind is EventKind.EASED:
        return replace(note, quiet=False)
    if unheard and note.kind is EventKind.REPEATED:
        return replace(note, kind=EventKind.OPENED)
    return note


def _beside(note: Notification, last: Notification) -> Notification:
    """Return `last`, which has not left, with what a `note` that is no news adds; who took it need not be rung for."""
    same = note.page.remedy == last.page.remedy
    answers = note.page.answers if same else last.page.answers
    page = replace(last.page, answers=answers, taken=note.page.taken)
    quiet = last.quiet or note.kind is EventKind.ACKNOWLEDGED
    return replace(last, id=note.id, page=page, quiet=quiet)


def drop_hopeless(queue: Queue, now: datetime) -> list[Owed]:
    """Take out, and return, what was owed for days."""
    old = [owed for owed in queue.owed.values() if now - leaves_at(owed.notification) > GIVE_UP_AFTER]
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

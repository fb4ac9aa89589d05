"""Deliver what is owed: at least once, and no channel waiting for another.

What is owed lives in memory and, through the writer, in the store. A notification leaves the outbox only when its
channel accepted it, when the channel will never accept it, or when a newer one says more (`owed.py` decides what leaves
when). Each channel has at most one send under way, in a task of its own. A critical that its channel rejects, or has
not accepted after a minute, goes to the channel's fallback as well; if nobody accepts it within three minutes, the last
resort (the dead man's switch) is told.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from monitor.channels.base import Delivered, Rejected, Retry
from monitor.model import Attempt, AttemptResult, Change, Delivery, EventKind, Notification, Owed, stable_id
from monitor.owed import (
    LONGEST_ASKED,
    Cap,
    Queue,
    drop_hopeless,
    drop_stale,
    leaves_at,
    ready,
    rings,
    wait_after,
)
from monitor.posts import Posts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Mapping, Sequence
    from datetime import datetime

    from monitor.channels.base import SendResult
    from monitor.clock import Clock
    from monitor.model import Post

FALL_BACK_AFTER = timedelta(seconds=60)
LAST_RESORT_AFTER = timedelta(minutes=3)
PACE = timedelta(milliseconds=200)
SETTLED = frozenset({AttemptResult.DELIVERED, AttemptResult.REJECTED})
ENDS = frozenset({EventKind.RESOLVED, EventKind.REMOVED, EventKind.EASED})

log = structlog.get_logger()


class Writer(Protocol):
    """Where attempts become durable."""

    @property
    def available(self) -> bool:
        """Whether the store takes what is written."""
        ...

    @property
    def overtaken(self) -> bool:
        """Whether another instance leads, so that nothing may be sent from here any more."""
        ...

    @property
    def committed_at(self) -> datetime | None:
        """When something was last written."""
        ...

    async def commit(self, change: Change) -> bool:
        """Queue `change` before the first pause; return whether it is durable."""
        ...


class Counters(Protocol):
    """What the outbox reports of itself."""

    def delivered(self, channel: str, count: int) -> None:
        """Count notifications that were accepted."""

    def failed(self, channel: str, reason: str) -> None:
        """Count an attempt that failed; `reason` is `retry` or `rejected`."""

    def pending(self, count: int, oldest: float) -> None:
        """Show that so many notifications are owed, the oldest since so many seconds."""


class Outbox:
    """Delivers to every channel what is owed to it."""

    def __init__(
        self,
        clock: Clock,
        writer: Writer,
        counters: Counters,
        *,
        fall_back: Callable[[Notification, str], Coroutine[Any, Any, None]],
        last_resort: Callable[[str], Coroutine[Any, Any, None]],
        jitter: Callable[[], float],
    ) -> None:
        """Make an outbox that owes nothing.

        `fall_back` owes a notification to another channel as well; `last_resort` takes the text that no channel took;
        `jitter` yields 0 to 1.
        """
        self._clock = clock
        self._writer = writer
        self._counters = counters
        self._fall_back = fall_back
        self._last_resort = last_resort
        self._jitter = jitter
        self._queues: dict[str, Queue] = {}
        self._sends: Mapping[str, Callable[[Delivery], Awaitable[SendResult]]] = {}
        self._fallbacks: Mapping[str, str] = {}
        self._caps: Mapping[str, Cap] = {}
        self._fell_back: set[str] = set()
        self._unheard: dict[str, Notification] = {}
        self._sending: dict[str, asyncio.Task[None]] = {}
        self._aside: set[asyncio.Task[None]] = set()
        self._began = clock.now()
        self._posts = Posts()

    def configure(
        self,
        sends: Mapping[str, Callable[[Delivery], Awaitable[SendResult]]],
        fallbacks: Mapping[str, str],
        caps: Mapping[str, Cap] = MappingProxyType({}),
    ) -> None:
        """Use exactly these channels from now on: how to send to each, the fallback of those that have one, its cap."""
        self._sends = sends
        self._fallbacks = fallbacks
        self._caps = caps
        for channel, queue in self._queues.items():
            queue.cap = caps.get(channel, Cap())

    def restore(self, owed: Iterable[Owed], fell_back: Collection[str]) -> None:
        """Take up what an earlier process owed; `fell_back` are the ids that went to a fallback already."""
        now = self._clock.now()
        for item in owed:
            note = replace(item.notification, at=min(item.notification.at, now))
            due = min(item.due, now + LONGEST_ASKED) if item.due is not None else None
            self._queue(note.channel).add(replace(item, notification=note, due=due))
            self._listen_for(note)
        self._fell_back.update(fell_back)

    def restore_posts(self, posts: Iterable[Post], going_on: Collection[str]) -> None:
        """Take up where an earlier process posted; `going_on` are the incidents that are not over."""
        self._posts.restore(posts, going_on, self._clock.now())

    def posted(self, channel: str) -> Mapping[str, str]:
        """Return the references of the messages in `channel` about incidents that still go on, by incident."""
        return self._posts.going_on(channel)

    def owe(self, notifications: Sequence[Notification], uncertain: bool) -> None:  # noqa: FBT001 - a callback's form
        """Owe `notifications` from now on; `uncertain` ones are not durable yet."""
        for note in notifications:
            queue = self._queue(note.channel)
            queue.add(Owed(note))
            if uncertain:
                queue.uncertain[note.id] = self._clock.now()
            self._listen_for(note)

    def oldest(self) -> datetime | None:
        """Return when the oldest notification that is still owed was decided, or had to leave."""
        moments = (leaves_at(owed.notification) for queue in self._queues.values() for owed in queue.owed.values())
        return min(moments, default=None)

    async def run(self) -> None:
        """Deliver until cancelled; what is being sent then is left to `drain`."""
        while True:
            now = self._clock.now()
            for channel, queue in self._queues.items():
                if queue.owed and channel not in self._sending:
                    self._look_at(channel, queue, now)
            self._see_to_unheard(now)
            self._count(now)
            await self._clock.sleep_until(now + PACE)

    async def drain(self, within: timedelta) -> None:
        """Wait for the sends under way, but no longer than `within`, then end them."""
        sending = {*self._sending.values(), *self._aside}
        if not sending:
            return
        _, late = await asyncio.wait(sending, timeout=within.total_seconds())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _look_at(self, channel: str, queue: Queue, now: datetime) -> None:
        """Begin to send what may leave on `channel` now."""
        if queue.changed:
            drop_stale(queue)
        written = self._writer.committed_at
        if self._writer.available and written is not None:
            queue.uncertain = {identity: since for identity, since in queue.uncertain.items() if since > written}
        if hopeless := drop_hopeless(queue, now):
            log.warning("notifications_given_up", channel=channel, count=len(hopeless))
            self._spawn(self._record(hopeless, "", AttemptResult.REJECTED, "given up after three days"))
        batch = ready(queue, now, store_away=not self._writer.available, posted=self._posts.going_on(channel))
        if batch:
            queue.sent(batch, now)
            task = asyncio.create_task(self._send(queue, batch), name=f"send to {channel}")
            self._sending[channel] = task
            task.add_done_callback(lambda done: self._finished(channel, done))

    async def _send(self, queue: Queue, batch: Sequence[Owed]) -> None:
        channel = batch[0].notification.channel
        identity = batch[0].delivery or stable_id(*(owed.notification.id for owed in batch))
        send = self._sends.get(channel)
        if send is None:
            await self._settle(queue, batch, identity, Rejected(f"there is no channel {channel} any more"))
            return
        begun = await self._record(batch, identity, AttemptResult.BEGUN)
        if self._writer.overtaken:
            return
        uncertain = not begun or any(owed.notification.id in queue.uncertain for owed in batch)
        notes = tuple(owed.notification for owed in batch)
        result = await send(Delivery(identity, notes, uncertain, self._posts.about(notes)))
        await self._settle(queue, batch, identity, result)

    async def _settle(self, queue: Queue, batch: Sequence[Owed], identity: str, result: SendResult) -> None:
        channel = batch[0].notification.channel
        match result:
            case Delivered(posted):
                queue.blocked_until = None
                queue.forget(batch)
                for owed in batch:
                    if rings(owed.notification):
                        self._unheard.pop(owed.notification.incident, None)
                self._counters.delivered(channel, len(batch))
                notes = [owed.notification for owed in batch]
                posts = self._posts.delivered(channel, notes, posted, self._clock.now())
                await self._record(batch, identity, AttemptResult.DELIVERED, posts=posts)
            case Rejected(reason) if len(batch) > 1:
                log.warning("notifications_rejected_together", channel=channel, reason=reason, count=len(batch))
                self._counters.failed(channel, "rejected")
                await self._separate(queue, batch, identity, reason)
            case Rejected(reason):
                log.warning("notification_rejected", channel=channel, reason=reason, count=len(batch))
                queue.forget(batch)
                self._counters.failed(channel, "rejected")
                await self._record(batch, identity, AttemptResult.REJECTED, reason)
                self._to_fallback(batch[0].notification)
            case Retry(reason):
                log.warning("notification_not_accepted", channel=channel, reason=reason, count=len(batch))
                self._counters.failed(channel, "retry")
                await self._put_off(queue, batch, identity, result)

    async def _put_off(self, queue: Queue, batch: Sequence[Owed], identity: str, result: Retry) -> None:
        due = self._clock.now() + wait_after(max(owed.attempts for owed in batch), result.after, self._jitter())
        queue.blocked_until = due if result.after is not None else None
        for owed in batch:
            again = replace(owed, attempts=owed.attempts + 1, due=due, delivery=identity)
            queue.owed[owed.notification.id] = again
        await self._record(batch, identity, AttemptResult.RETRY, result.reason, due)

    async def _separate(self, queue: Queue, batch: Sequence[Owed], identity: str, reason: str) -> None:
        """Let each of `batch` be tried by itself: one that no channel could take must not take the others along."""
        for owed in batch:
            queue.owed[owed.notification.id] = replace(owed, due=None, delivery="")
            queue.alone.add(owed.notification.id)
        await self._record(batch, identity, AttemptResult.RETRY, reason)

    async def _record(
        self,
        batch: Sequence[Owed],
        identity: str,
        result: AttemptResult,
        reason: str = "",
        due: datetime | None = None,
        posts: tuple[Post, ...] = (),
    ) -> bool:
        """Write down how an attempt stands; return whether that is durable."""
        now = self._clock.now()
        attempts = [Attempt(owed.notification.id, now, result, identity, reason, due) for owed in batch]
        if result in SETTLED:
            replaced = self._queue(batch[0].notification.channel).replaced
            needless = [old for owed in batch for old in replaced.pop(owed.notification.id, ())]
            attempts += [Attempt(old.notification.id, now, AttemptResult.SUPERSEDED) for old in needless]
        return await self._writer.commit(Change(attempts=tuple(attempts), posts=posts))

    def _see_to_unheard(self, now: datetime) -> None:
        """See to criticals that nobody takes."""
        for queue in self._queues.values():
            for owed in queue.owed.values():
                if self._tried_for(owed.notification, now) >= FALL_BACK_AFTER:
                    self._to_fallback(owed.notification)
        for incident, note in list(self._unheard.items()):
            if self._tried_for(note, now) >= LAST_RESORT_AFTER:
                del self._unheard[incident]
                log.error("nobody_took_a_critical", title=note.page.title)
                self._spawn(self._last_resort("\n".join([note.page.title, note.page.summary, *note.page.remedy])))

    def _tried_for(self, note: Notification, now: datetime) -> timedelta:
        """Return for how long its channel could have taken `note`: not while we were away."""
        return now - max(note.at, self._began)

    def _to_fallback(self, note: Notification) -> None:
        channel = self._fallbacks.get(note.channel)
        if channel is None or not rings(note) or note.id in self._fell_back:
            return
        self._fell_back.add(note.id)
        log.warning("notification_falls_back", channel=note.channel, to=channel)
        self._spawn(self._fall_back(note, channel))

    def _queue(self, channel: str) -> Queue:
        if channel not in self._queues:
            self._queues[channel] = Queue(cap=self._caps.get(channel, Cap()))
        return self._queues[channel]

    def _listen_for(self, note: Notification) -> None:
        """Remember a critical until any channel accepted it, or until it is over."""
        if rings(note):
            self._unheard.setdefault(note.incident, note)
        elif note.kind in ENDS:
            self._unheard.pop(note.incident, None)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work, name="outbox")
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)
        task.add_done_callback(_tell_crash)

    def _finished(self, channel: str, task: asyncio.Task[None]) -> None:
        self._sending.pop(channel, None)
        _tell_crash(task)

    def _count(self, now: datetime) -> None:
        oldest = self.oldest()
        count = sum(len(queue.owed) for queue in self._queues.values())
        self._counters.pending(count, (now - oldest).total_seconds() if oldest else 0.0)


def _tell_crash(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("outbox_task_crashed", task=task.get_name(), exc_info=error)

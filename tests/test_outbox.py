"""Delivering: at least once, in order, no channel waiting for another, nobody left unheard."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.channels.base import Delivered, Rejected, Retry
from monitor.model import AttemptResult, EventKind, Owed, Post, Severity, stable_id
from monitor.outbox import Outbox
from tests.examples import SECOND, notification
from tests.fakes import START, FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from monitor.channels.base import SendResult
    from monitor.model import Attempt, Change, Delivery, Notification


@dataclass
class Writer:
    """Keeps what is committed."""

    available: bool = True
    overtaken: bool = False
    committed_at: datetime | None = None
    changes: list[Change] = field(default_factory=list)

    async def commit(self, change: Change) -> bool:
        self.changes.append(change)
        return self.available

    def back(self, now: datetime) -> None:
        """Take what is written again, what was queued first."""
        self.available, self.committed_at = True, now

    def results(self, identity: str) -> list[AttemptResult]:
        return [attempt.result for attempt in self.attempts() if attempt.notification == identity]

    def attempts(self) -> list[Attempt]:
        return [attempt for change in self.changes for attempt in change.attempts]


@dataclass
class Counters:
    """Keeps what is reported."""

    accepted: dict[str, int] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)
    owed: tuple[int, float] = (0, 0.0)

    def delivered(self, channel: str, count: int) -> None:
        self.accepted[channel] = self.accepted.get(channel, 0) + count

    def failed(self, channel: str, reason: str) -> None:
        self.refused.append((channel, reason))

    def pending(self, count: int, oldest: float) -> None:
        self.owed = (count, oldest)


@dataclass
class Channel:
    """A channel that answers as the test says; keeps what it was sent, and when."""

    clock: FakeClock
    answers: list[SendResult] = field(default_factory=list)
    takes: float = 0.0
    sent: list[tuple[float, Delivery]] = field(default_factory=list)

    async def __call__(self, delivery: Delivery) -> SendResult:
        self.sent.append(((self.clock.now() - START).total_seconds(), delivery))
        if self.takes:
            await self.clock.sleep_until(self.clock.now() + self.takes * SECOND)
        return self.answers.pop(0) if self.answers else Delivered()

    @property
    def kinds(self) -> list[list[EventKind]]:
        return [[note.kind for note in delivery.notifications] for _, delivery in self.sent]

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.sent]


class Bench:
    """An outbox with two channels on a clock moved by hand."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.writer, self.counters = clock, Writer(), Counters()
        self.ops, self.mail = Channel(clock), Channel(clock)
        self.last_words: list[tuple[float, str]] = []
        self.outbox = Outbox(
            clock,
            self.writer,
            self.counters,
            fall_back=self.fall_back,
            last_resort=self.last_resort,
            jitter=lambda: 0.0,
        )
        self.outbox.configure({"ops": self.ops, "mail": self.mail}, {"ops": "mail"})

    async def fall_back(self, note: Notification, channel: str) -> None:
        twin = replace(note, id=stable_id(note.id, channel), channel=channel, at=self.clock.now(), fallback_for="ops")
        self.outbox.owe([twin], uncertain=False)

    async def last_resort(self, text: str) -> None:
        self.last_words.append(((self.clock.now() - START).total_seconds(), text))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench(FakeClock())
    running = asyncio.create_task(bench.outbox.run())
    await bench.clock.settle()
    yield bench
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_critical_is_with_its_channel_within_two_seconds(bench: Bench) -> None:
    """And leaves the outbox only then."""
    note = notification()
    bench.outbox.owe([note], uncertain=False)
    await bench.clock.advance(2 * SECOND)
    assert bench.ops.times[0] <= 2
    assert bench.writer.results(note.id) == [AttemptResult.BEGUN, AttemptResult.DELIVERED]
    assert bench.counters.accepted == {"ops": 1}
    assert bench.counters.owed == (0, 0.0)
    assert bench.outbox.oldest() is None


async def test_what_follows_about_an_incident_knows_where_its_message_stands(bench: Bench) -> None:
    """Where it stands is written with the attempt, so that a restart finds the message again."""
    bench.ops.answers = [Delivered({"incident": "C:1"}), Delivered(), Delivered({"incident": "C:2"})]
    for kind in (EventKind.OPENED, EventKind.WORSENED, EventKind.REPEATED, EventKind.RESOLVED):
        bench.outbox.owe([notification(kind=kind, at=len(bench.ops.sent) * 100)], uncertain=False)
        await bench.clock.advance(100 * SECOND)
    assert [dict(sent.posted) for _, sent in bench.ops.sent] == [
        *({}, {"incident": "C:1"}, {"incident": "C:1"}, {"incident": "C:2"}),
    ]
    written = [(change.attempts[0].result, post.reference) for change in bench.writer.changes for post in change.posts]
    assert written == [(AttemptResult.DELIVERED, "C:1"), (AttemptResult.DELIVERED, "C:2")]
    assert bench.outbox.posted("ops") == {}


async def test_a_restart_knows_where_messages_stand(bench: Bench) -> None:
    bench.outbox.restore_posts([Post("ops", one, f"C:{one}", START) for one in ("incident", "over")], {"incident"})
    assert bench.outbox.posted("ops") == {"incident": "C:incident"}
    bench.outbox.owe([notification(kind=EventKind.REPEATED)], uncertain=False)
    await bench.clock.advance(2 * SECOND)
    assert dict(bench.ops.sent[0][1].posted) == {"incident": "C:incident"}


async def test_nothing_is_sent_once_another_instance_leads(bench: Bench) -> None:
    """That other one owes it now. What a sleeper had in mind to send, it learns first, is no longer its own."""
    bench.writer.overtaken = True
    bench.outbox.owe([notification()], uncertain=False)
    await bench.clock.advance(10 * SECOND)
    assert bench.ops.sent == []


async def test_a_refused_delivery_is_repeated_under_the_same_id(bench: Bench) -> None:
    """With growing waits, until it is accepted."""
    bench.ops.answers = [Retry("503"), Retry("503"), Retry("503")]
    bench.outbox.owe([notification(), notification("b")], uncertain=False)
    await bench.clock.advance(40 * SECOND)
    assert len({delivery.id for _, delivery in bench.ops.sent}) == 1
    assert [round(at) for at in bench.ops.times] == [1, 3, 7, 15]
    assert bench.counters.refused == [("ops", "retry")] * 3
    assert len(bench.ops.sent[-1][1].notifications) == 2


async def test_retry_after_is_obeyed(bench: Bench) -> None:
    """Not a moment earlier."""
    bench.ops.answers = [Retry("429", timedelta(seconds=30))]
    bench.outbox.owe([notification()], uncertain=False)
    await bench.clock.advance(50 * SECOND)
    assert [round(at) for at in bench.ops.times] == [1, 31]


async def test_one_slow_channel_delays_no_other(bench: Bench) -> None:
    """Nor does it get a second message while one is under way."""
    bench.ops.takes = 1000
    bench.outbox.owe([notification(), notification(channel="mail")], uncertain=False)
    await bench.clock.advance(2 * SECOND)
    bench.outbox.owe([notification("b", at=2), notification("b", at=2, channel="mail")], uncertain=False)
    await bench.clock.advance(120 * SECOND)
    assert len(bench.ops.sent) == 1
    assert len(bench.mail.sent) >= 2


async def test_no_stale_firing_is_sent_after_its_resolve(bench: Bench) -> None:
    """The channel was away for the whole incident: it gets one message, which tells the whole story."""
    bench.ops.answers = [Retry("503")] * 3
    opened = notification()
    bench.outbox.owe([opened], uncertain=False)
    await bench.clock.advance(8 * SECOND)
    bench.outbox.owe([notification(kind=EventKind.RESOLVED, at=8)], uncertain=False)
    await bench.clock.advance(60 * SECOND)
    assert bench.ops.kinds[-1] == [EventKind.RESOLVED]
    assert bench.ops.sent[-1][1].notifications[0].missed
    assert bench.writer.results(opened.id)[-1] is AttemptResult.SUPERSEDED


async def test_a_rejected_critical_goes_to_the_fallback_at_once(bench: Bench) -> None:
    """A warning does not."""
    bench.ops.answers = [Rejected("no such hook")] * 3
    bench.outbox.owe([notification(), notification("b", severity=Severity.WARNING)], uncertain=False)
    await bench.clock.advance(5 * SECOND)
    assert [[note.incident for note in delivery.notifications] for _, delivery in bench.mail.sent] == [["incident"]]
    assert bench.counters.refused == [("ops", "rejected")] * 3


async def test_what_was_rejected_together_is_tried_alone(bench: Bench) -> None:
    """One that the channel cannot take does not take the others along."""

    async def picky(delivery: Delivery) -> SendResult:
        result = await bench.ops(delivery)
        return Rejected("odd") if any(note.incident == "odd" for note in delivery.notifications) else result

    bench.outbox.configure({"ops": picky}, {})
    notes = [notification("odd"), *(notification(f"n{n}", severity=Severity.WARNING) for n in range(5))]
    bench.outbox.owe(notes, uncertain=False)
    await bench.clock.advance(10 * SECOND)
    assert [len(delivery.notifications) for _, delivery in bench.ops.sent] == [6, 1, 1, 1, 1, 1, 1]
    assert bench.counters.accepted == {"ops": 5}
    assert bench.writer.results(notes[0].id)[-1] is AttemptResult.REJECTED


async def test_a_message_that_is_never_taken_does_not_block_its_channel(bench: Bench) -> None:
    """A later critical overtakes it."""

    async def stuck(delivery: Delivery) -> SendResult:
        result = await bench.ops(delivery)
        return Retry("odd") if delivery.notifications[0].incident == "odd" else result

    bench.outbox.configure({"ops": stuck}, {})
    bench.outbox.owe([notification("odd", severity=Severity.WARNING)], uncertain=False)
    await bench.clock.advance(60 * SECOND)
    bench.outbox.owe([notification("urgent", at=60)], uncertain=False)
    await bench.clock.advance(5 * SECOND)
    assert bench.counters.accepted == {"ops": 1}


async def test_an_accepted_warning_is_no_ear_for_the_critical_that_followed(bench: Bench) -> None:
    """The warning was still being sent when it got worse; the critical is refused for ever."""
    bench.ops.takes = 3.0
    bench.ops.answers = [Delivered(), *[Retry("503")] * 99]
    bench.outbox.configure({"ops": bench.ops}, {})
    bench.outbox.owe([notification(severity=Severity.WARNING)], uncertain=False)
    await bench.clock.advance(2 * SECOND)
    bench.outbox.owe([notification(kind=EventKind.WORSENED, at=2)], uncertain=False)
    await bench.clock.advance(300 * SECOND)
    assert len(bench.last_words) == 1


async def test_what_is_not_known_to_be_durable_stays_marked(bench: Bench) -> None:
    """The commit took too long, though the store is not known to be away."""
    bench.outbox.owe([notification()], uncertain=True)
    await bench.clock.advance(2 * SECOND)
    assert bench.ops.sent[0][1].uncertain


async def test_what_leaves_without_a_note_of_it_is_marked(bench: Bench) -> None:
    """It was durable before the store went away, but that it is being sent is not: whoever restarts sends it again."""
    bench.writer.available = False
    bench.outbox.owe([notification()], uncertain=False)
    await bench.clock.advance(2 * SECOND)
    assert bench.ops.sent[0][1].uncertain


async def test_a_restart_gives_each_channel_its_time_before_the_last_resort(bench: Bench) -> None:
    """What is old because we were away is not yet unheard of."""
    bench.outbox.restore([Owed(notification(at=-3600))], fell_back=())
    await bench.clock.advance(5 * SECOND)
    assert bench.counters.accepted == {"ops": 1}
    assert bench.last_words == []


async def test_a_critical_not_accepted_after_a_minute_goes_to_the_fallback_too(bench: Bench) -> None:
    """Once, and the first channel is still tried."""
    bench.ops.answers = [Retry("503")] * 9
    bench.outbox.owe([notification()], uncertain=False)
    await bench.clock.advance(59 * SECOND)
    assert bench.mail.sent == []
    await bench.clock.advance(200 * SECOND)
    assert len(bench.mail.sent) == 1
    assert 60 <= bench.mail.times[0] <= 62
    assert bench.ops.times[-1] > 62
    assert bench.last_words == []


async def test_what_nobody_accepts_goes_to_the_last_resort(bench: Bench) -> None:
    """After three minutes, once, with title and remedy."""
    bench.ops.answers = [Retry("503")] * 99
    bench.mail.answers = [Retry("451")] * 99
    bench.outbox.owe([notification()], uncertain=False)
    await bench.clock.advance(600 * SECOND)
    ((at, text),) = bench.last_words
    assert 180 <= at <= 181
    assert "Shop: incident: down" in text
    assert "Restart it." in text


async def test_an_incident_that_is_over_needs_no_last_resort(bench: Bench) -> None:
    """It ended before the three minutes were over."""
    bench.ops.answers = [Retry("503")] * 99
    bench.mail.answers = [Retry("451")] * 99
    bench.outbox.owe([notification()], uncertain=False)
    await bench.clock.advance(100 * SECOND)
    bench.outbox.owe([notification(kind=EventKind.RESOLVED, at=100)], uncertain=False)
    await bench.clock.advance(600 * SECOND)
    assert bench.last_words == []


async def test_while_the_store_is_away_criticals_leave_marked(bench: Bench) -> None:
    """The warning waits until it is durable."""
    bench.writer.available = False
    bench.outbox.owe([notification(), notification("b", severity=Severity.WARNING)], uncertain=True)
    await bench.clock.advance(120 * SECOND)
    ((_, delivery),) = bench.ops.sent
    assert delivery.uncertain
    assert [note.incident for note in delivery.notifications] == ["incident"]
    bench.writer.back(bench.clock.now())
    await bench.clock.advance(2 * SECOND)
    assert [note.incident for note in bench.ops.sent[1][1].notifications] == ["b"]
    assert not bench.ops.sent[1][1].uncertain


async def test_a_channel_that_is_gone_rejects_what_it_is_owed(bench: Bench) -> None:
    """It does not stay owed for ever."""
    note = notification(channel="removed")
    bench.outbox.owe([note], uncertain=False)
    await bench.clock.advance(3 * SECOND)
    assert bench.writer.results(note.id) == [AttemptResult.REJECTED]


async def test_what_was_owed_for_three_days_is_given_up_and_recorded(bench: Bench) -> None:
    """It is not sent any more, and does not stay owed."""
    note = notification(severity=Severity.WARNING, at=-3 * 86_400 - 1)
    bench.outbox.owe([note], uncertain=False)
    await bench.clock.advance(2 * SECOND)
    assert bench.ops.sent == []
    assert bench.writer.results(note.id) == [AttemptResult.REJECTED]
    assert bench.outbox.oldest() is None


async def test_a_sender_that_crashes_is_started_again(bench: Bench) -> None:
    """A bug in one channel neither loses a message nor stops the rest."""
    calls = 0

    async def broken(delivery: Delivery) -> SendResult:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ZeroDivisionError
        return await bench.ops(delivery)

    bench.outbox.configure({"ops": broken, "mail": bench.mail}, {})
    bench.outbox.owe([notification()], uncertain=False)
    await bench.clock.advance(120 * SECOND)
    assert len(bench.ops.sent) == 1


async def test_a_restart_repeats_a_begun_delivery_under_its_id() -> None:
    """What was begun and not confirmed is sent again as it was; what came later follows by itself."""
    bench = Bench(FakeClock())
    begun = [Owed(notification(name), delivery="d1") for name in "ab"]
    bench.outbox.restore([*begun, Owed(notification("c", at=-5))], fell_back=())
    running = asyncio.create_task(bench.outbox.run())
    await bench.clock.advance(120 * SECOND)
    assert bench.ops.sent[0][1].id == "d1"
    assert [len(delivery.notifications) for _, delivery in bench.ops.sent] == [2, 1]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_after_a_restart_with_the_clock_set_back_nothing_waits_for_the_old_time() -> None:
    """Moments in the future count as now; waits are bounded; what fell back once does not again."""
    bench = Bench(FakeClock())
    note = notification(at=3600)
    late = notification("b", at=-90)
    due = START + timedelta(hours=1)
    bench.outbox.restore([Owed(note, 1, due, "d1"), Owed(late, 1, due, "d1")], fell_back={late.id})
    running = asyncio.create_task(bench.outbox.run())
    await bench.clock.advance(timedelta(minutes=16))
    assert bench.ops.sent[0][0] <= 15 * 60 + 1
    assert [note.incident for _, delivery in bench.mail.sent for note in delivery.notifications] == ["incident"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_stopping_waits_for_the_send_under_way(bench: Bench) -> None:
    """But no longer than it may; one that does not end is ended."""
    bench.ops.takes = 1000
    bench.outbox.owe([notification()], uncertain=False)
    await bench.clock.advance(2 * SECOND)
    await bench.outbox.drain(timedelta(seconds=0.05))
    assert bench.counters.accepted == {}
    await bench.outbox.drain(timedelta(seconds=0.05))

"""The loop: its pace, what it does while nobody takes what it sends, and its end. Time is moved by hand."""

from __future__ import annotations

import asyncio
import tracemalloc
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.metrics import Metrics
from monitor.model import Measure, State
from monitor.push import REASONS, Pace, Pusher, pusher
from monitor.push.backlog import LONGEST
from monitor.push.receiver import Refusal
from tests.fakes import START, FakeClock
from tests.metrics.reading import plan, read, sample, value
from tests.push.decoding import Point, decode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from datetime import datetime

SECOND = timedelta(seconds=1)
EVERY = 15 * SECOND
DOWN = Refusal("server_error", "status 500", "answered 500: no")
BUSY = Refusal("rate_limited", "status 429", "answered 429", 40 * SECOND)
BAD = Refusal("rejected", "status 400", "answered 400: out of order")
WORSE = Refusal("rejected", "status 401", "answered 401: who are you?")


class Bench:
    """A source that shows `lines`, a receiver that answers with `answer`, and what both have seen."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.metrics = Metrics()
        self.lines = [b'm{check="a"} 1']
        self.mine = [b"monitor_leader 1"]
        self.answer: Refusal | None = None
        self.hangs = False
        self.asked: list[datetime] = []
        self.taken: list[Point] = []
        self.pusher = Pusher(
            self, "one", self, self.clock, self.metrics.remote_write(REASONS), Pace(EVERY, lambda: 1.0)
        )

    def watched(self) -> Iterator[bytes]:
        yield b""
        yield b"".join(line + b"\n" for line in self.lines)

    def own(self) -> bytes:
        return b"# TYPE monitor_leader gauge\n" + b"".join(line + b"\n" for line in self.mine)

    async def send(self, body: bytes) -> Refusal | None:
        self.asked.append(self.clock.now())
        if self.hangs:
            await asyncio.Event().wait()
        if self.answer is None:
            self.taken += decode(body)
        return self.answer

    def count(self, name: str, **labels: str) -> float | None:
        return value(read(self.metrics), f"monitor_remote_write_{name}", None, **labels)

    @property
    def seconds(self) -> list[float]:
        return [(at - START) / SECOND for at in self.asked]

    async def finish(self) -> None:
        """End it as the daemon does."""
        self.running.cancel()
        with suppress(asyncio.CancelledError):
            await self.running
        await self.pusher.close()

    running: asyncio.Task[None]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    made.running = asyncio.create_task(made.pusher.run())
    await made.clock.settle()
    yield made
    made.running.cancel()
    await asyncio.gather(made.running, return_exceptions=True)


async def test_all_samples_of_a_push_have_one_moment_and_come_every_15_seconds(bench: Bench) -> None:
    """The daemon's own series say which instance they are of; a check's go on over a deploy, so they do not."""
    await bench.clock.advance(3 * EVERY)
    assert bench.seconds == [0, 15, 30, 45]
    moments = [point.at for point in bench.taken]
    assert [(at - moments[0]) // 1000 for at in moments] == [0, 0, 15, 15, 30, 30, 45, 45]
    assert {point.labels for point in bench.taken} == {
        (("__name__", "m"), ("check", "a")),
        (("__name__", "monitor_leader"), ("instance", "one")),
    }


async def test_what_it_does_is_counted(bench: Bench) -> None:
    """Taken, refused by reason, given up, waiting, and when it last went well."""
    assert bench.count("samples_total") == 2
    assert [bench.count("failed_total", reason=reason) for reason in REASONS] == [0] * len(REASONS)
    bench.answer = DOWN
    await bench.clock.advance(EVERY)
    assert bench.count("failed_total", reason="server_error") == 1
    assert bench.count("pending_samples") == 2
    bench.answer = BAD
    await bench.clock.advance(EVERY)
    assert bench.count("failed_total", reason="rejected") == 2
    assert bench.count("dropped_samples_total") == 4
    assert bench.count("pending_samples") == 0
    assert bench.count("samples_total") == 2
    assert bench.count("last_success_timestamp_seconds") == START.timestamp()


def test_nothing_shows_before_there_is_something_to_tell() -> None:
    """Without remote write no series of it; before the first success no time of the newest."""
    metrics = Metrics()
    assert b"remote_write" not in metrics.page()
    metrics.remote_write(REASONS)
    assert b"remote_write_samples" in metrics.page()
    assert b"last_success" not in metrics.page()


async def test_waits_grow_up_to_a_minute_and_begin_anew(bench: Bench) -> None:
    """With the whole jitter of this test: 1, 2, 4 … 60 s; each series stays in order when it is taken at last."""
    bench.answer = DOWN
    await bench.clock.advance(timedelta(minutes=5))
    assert bench.seconds == [0, 15, 16, 18, 22, 30, 46, 78, 138, 198, 258]
    bench.answer = None
    await bench.clock.advance(timedelta(minutes=1))
    moments = [point.at for point in bench.taken if point.name == "m"]
    assert moments == sorted(set(moments))
    assert len(moments) == 25
    bench.answer, before = DOWN, bench.seconds[-1]
    await bench.clock.advance(2 * EVERY)
    assert [at - before for at in bench.seconds if at > before] == [15, 16, 18, 22, 30]


async def test_retry_after_is_obeyed(bench: Bench) -> None:
    """Never earlier, whatever is due meanwhile; a little later, so that not all senders come at once."""
    bench.answer = BUSY
    await bench.clock.advance(timedelta(minutes=2))
    assert bench.seconds == [0, 15, 55.5, 96.5]


@settings(max_examples=20)
@given(st.floats(0, 1), st.integers(0, 600))
async def test_a_wait_is_never_shorter_than_half_and_never_than_what_was_asked(jitter: float, asked: int) -> None:
    bench = Bench()
    bench.pusher._pace = Pace(EVERY, lambda: jitter)
    bench.answer = DOWN._replace(after=asked * SECOND)
    running = asyncio.create_task(bench.pusher.run())
    await bench.clock.settle()
    await bench.clock.advance(timedelta(minutes=15))
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    first, second, *_ = bench.seconds
    assert max(asked, 0.5) <= second - first <= max(asked, 0.5) + 0.5


async def test_a_refusal_for_good_holds_nothing_up(bench: Bench) -> None:
    """What is refused is dropped at once, and the next one goes at its own time."""
    bench.answer = BAD
    await bench.clock.advance(2 * EVERY)
    assert bench.seconds == [0, 15, 30]
    bench.answer = None
    await bench.clock.advance(EVERY)
    assert len(bench.taken) == 4


async def test_what_waits_is_bounded_and_what_is_dropped_is_counted(bench: Bench) -> None:
    """After hours without a receiver: the newest ten minutes, in order; memory has not grown."""
    bench.answer = DOWN
    bench.lines = [b'm{n="%d"} 1' % n for n in range(10)]
    await bench.clock.advance(timedelta(minutes=15))
    tracemalloc.start()
    await bench.clock.advance(timedelta(hours=2))
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 100_000
    pushes = LONGEST // EVERY + 1
    assert bench.count("pending_samples") == 11 * pushes
    all_of_them = (timedelta(hours=2, minutes=15) // EVERY) * 11 + 1  # the end of a series
    assert bench.count("dropped_samples_total") == all_of_them - 11 * pushes
    bench.answer, bench.taken = None, []
    await bench.clock.advance(timedelta(minutes=1))
    assert bench.taken[0].at == int((bench.clock.now() - LONGEST - timedelta(minutes=1)).timestamp() * 1000)


async def test_a_receiver_that_hangs_does_not_hold_up_the_next_moments(bench: Bench) -> None:
    """What is due is written while a request is under way, and sent in order afterwards."""
    bench.hangs = True
    await bench.clock.advance(4 * EVERY)
    assert len(bench.asked) == 2
    assert bench.count("pending_samples") == 8


async def test_a_vanished_series_ends_in_the_next_push(bench: Bench) -> None:
    bench.lines = []
    await bench.clock.advance(EVERY)
    assert [(point.name, point.stale) for point in bench.taken[2:]] == [("monitor_leader", False), ("m", True)]
    await bench.clock.advance(EVERY)
    assert [point.name for point in bench.taken[4:]] == ["monitor_leader"]


async def test_the_end_ends_every_series(bench: Bench) -> None:
    """Later than the push before, even at the same moment; a second close has nothing to add."""
    await bench.finish()
    assert [(point.name, point.stale) for point in bench.taken[2:]] == [("m", True), ("monitor_leader", True)]
    assert {point.at for point in bench.taken[2:]} == {bench.taken[0].at + 1}
    before = len(bench.asked)
    await bench.pusher.close()
    assert len(bench.asked) == before


async def test_the_end_sends_first_what_waits(bench: Bench) -> None:
    """Also what was under way, and without the wait that was left; an end before its samples would end nothing."""
    bench.answer = DOWN
    await bench.clock.advance(2 * EVERY)
    bench.answer = None
    await bench.finish()
    mine = [point for point in bench.taken if point.name == "m"]
    assert [point.stale for point in mine] == [False, False, False, True]
    moments = [point.at for point in mine]
    assert moments == sorted(set(moments))


async def test_the_end_gives_up_at_the_first_refusal(bench: Bench) -> None:
    """The receiver is away: the daemon must go."""
    bench.answer = DOWN
    await bench.clock.advance(2 * EVERY)
    before = len(bench.asked)
    with structlog.testing.capture_logs() as logs:
        await bench.finish()
    assert len(bench.asked) == before + 1
    assert logs[-1]["event"] == "remote_write_not_finished"
    assert logs[-1]["samples"] == 6


async def test_the_end_goes_on_after_what_is_refused_for_good(bench: Bench) -> None:
    """Samples that nobody wants must not leave their series without an end."""
    bench.answer = DOWN
    await bench.clock.advance(2 * EVERY)
    bench.answer, before = BAD, len(bench.asked)
    await bench.finish()
    assert len(bench.asked) == before + 3


async def test_the_end_waits_three_seconds_and_no_longer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert timedelta(seconds=3) == pusher.LAST
    monkeypatch.setattr(pusher, "LAST", timedelta(milliseconds=20))
    bench.hangs = True
    with structlog.testing.capture_logs() as logs:
        await bench.finish()
    assert [line["event"] for line in logs] == ["remote_write_not_finished"]


async def test_nothing_ends_that_never_began() -> None:
    bench = Bench()
    await bench.pusher.close()
    assert bench.asked == []


async def test_a_slow_push_is_not_made_up_for(bench: Bench) -> None:
    """After time was lost, the next one comes at once and the others at the usual pace."""
    bench.clock._now += timedelta(seconds=100)
    await bench.clock.advance(2 * EVERY)
    assert bench.seconds == [0, 100, 100, 115, 130]


async def test_changes_are_logged_and_each_refusal_for_good_once_an_hour(bench: Bench) -> None:
    """An outage of a night is two lines, a wrong key one an hour."""
    with structlog.testing.capture_logs() as logs:
        for answer in (DOWN, BUSY, None, BAD, WORSE, BAD, WORSE, None):
            bench.answer = answer
            await bench.clock.advance(timedelta(minutes=2))
    assert [(line["event"], line.get("reason")) for line in logs] == [
        ("remote_write_unreachable", DOWN.detail),
        ("remote_write_reached", None),
        ("remote_write_rejected", BAD.detail),
        ("remote_write_rejected", WORSE.detail),
    ]
    with structlog.testing.capture_logs() as logs:
        bench.answer = BAD
        await bench.clock.advance(timedelta(hours=2))
    assert [line["event"] for line in logs] == ["remote_write_rejected"] * 2


async def test_many_checks_are_written_in_small_steps() -> None:
    """Between two steps everybody else gets a turn: rendering, writing and ending 300 checks are hundreds of them."""
    metrics, turns = Metrics(), 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    bench = Bench()
    pusher = Pusher(metrics, "one", bench, bench.clock, metrics.remote_write(REASONS), Pace(EVERY, lambda: 0.0))
    checks = [sample().check._replace(check=f"check-{n}") for n in range(300)]
    for check in checks:
        metrics.watch(plan(check))
        metrics.sample(sample(State.UP, Measure("duration", 1.0), check=check))
    other = asyncio.create_task(others())
    await pusher.push()
    rendered, turns = turns, 0
    assert rendered > 300 * 20 // 150
    for check in checks:
        metrics.forget(check)
    await pusher.push()
    assert turns > 300 * 20 // 150
    other.cancel()

"""The way into the store: what is urgent at once, the rest within a second, nothing lost while the store is away."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from monitor.model import Alert, Change, Severity
from monitor.store import LeaseLost, StoreUnavailable, Writer
from monitor.store.backlog import MOST_SAMPLES
from monitor.store.writer import MOST_AT_ONCE
from tests.fakes import START, FakeClock
from tests.store.files import leading
from tests.store.values import BEGINNING, KEY, SECOND, SITE, alert, sample, step

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from monitor.model import Sample


class FakeStore:
    """Notes each transaction and when it was tried; fails, waits or breaks as it is told."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.away = False
        self.broken = False
        self.overtaken = False
        self.open = asyncio.Event()
        self.open.set()
        self.written: list[Change] = []
        self.tried: list[timedelta] = []

    async def write(self, changes: Sequence[Change]) -> None:
        self.tried.append(self.clock.now() - START)
        await self.open.wait()
        if self.broken:
            raise ZeroDivisionError
        if self.overtaken:
            raise LeaseLost
        if self.away:
            msg = "locked"
            raise StoreUnavailable(msg)
        self.written.extend(changes)

    @property
    def samples(self) -> list[Sample]:
        """Return every sample in the order of writing."""
        return [found for change in self.written for found in change.samples]

    @property
    def owed(self) -> list[str]:
        """Return every notification in the order of writing."""
        return [found.id for change in self.written for found in change.owed]


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock that stands still."""
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> FakeStore:
    """Return a store that works."""
    return FakeStore(clock)


@pytest.fixture
def writer(store: FakeStore, clock: FakeClock) -> Writer:
    """Return a writer that is not running yet."""
    return Writer(store, clock)


@asynccontextmanager
async def running(writer: Writer) -> AsyncIterator[asyncio.Task[None]]:
    """Run `writer` meanwhile."""
    task = asyncio.create_task(writer.run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_samples_wait_for_company_but_not_for_a_second(
    store: FakeStore, writer: Writer, clock: FakeClock
) -> None:
    async with running(writer):
        writer.keep(sample(START, 1))
        await clock.advance(timedelta(milliseconds=500))
        writer.keep(sample(START, 2))
        await clock.advance(timedelta(milliseconds=300))
        assert store.written == []
        await clock.advance(timedelta(milliseconds=200))
        assert store.written == [Change(samples=(sample(START, 1), sample(START, 2)))]
        await clock.advance(60 * SECOND)
        assert len(store.tried) == 1, "nothing is written when there is nothing"
        writer.keep(sample(START, 3))
        await clock.advance(SECOND)
        assert store.samples == [sample(START, 1), sample(START, 2), sample(START, 3)]


async def test_a_commit_is_written_at_once_with_all_that_waits(store: FakeStore, writer: Writer) -> None:
    async with running(writer):
        writer.keep(sample(START, 7))
        assert await writer.commit(step(1)) is True
        assert store.samples == [sample(START, 7), *step(1).samples]
        assert len(store.written) == 1


async def test_a_commit_is_queued_before_its_first_pause(store: FakeStore, writer: Writer, clock: FakeClock) -> None:
    """So that changes are written in the order in which they were decided."""
    waiting = [asyncio.ensure_future(writer.commit(step(number))) for number in range(3)]
    async with running(writer):
        assert await asyncio.gather(*waiting) == [True, True, True]
    assert store.owed == ["note 0", "note 1", "note 2"]
    assert store.written[0].alerts == (alert(2),)
    assert clock.now() == START


async def test_commits_that_come_during_a_write_share_the_next(
    store: FakeStore, writer: Writer, clock: FakeClock
) -> None:
    store.open.clear()
    async with running(writer):
        first = asyncio.create_task(writer.commit(step(0)))
        await clock.settle()
        others = [asyncio.create_task(writer.commit(step(number))) for number in range(1, 40)]
        await clock.settle()
        assert not first.done()
        store.open.set()
        assert await asyncio.gather(first, *others) == [True] * 40
    assert [len(change.owed) for change in store.written] == [1, 39]
    assert store.owed == [f"note {number}" for number in range(40)]


async def test_writing_tells_when_it_last_succeeded(store: FakeStore, writer: Writer, clock: FakeClock) -> None:
    assert (writer.available, writer.unavailable_since, writer.committed_at) == (True, None, None)
    async with running(writer):
        await writer.commit(step(0))
        assert writer.committed_at == START
        store.away = True
        await clock.advance(5 * SECOND)
        assert await writer.commit(step(1)) is False
        assert (writer.available, writer.unavailable_since) == (False, START + 5 * SECOND)
        await clock.advance(30 * SECOND)
        assert (writer.unavailable_since, writer.committed_at) == (START + 5 * SECOND, START)
        store.away = False
        await clock.advance(15 * SECOND)
        assert (writer.available, writer.unavailable_since) == (True, None)
        assert writer.committed_at is not None
        assert writer.committed_at > START + 35 * SECOND


async def test_while_the_store_is_away_changes_wait_and_arrive_in_order(
    store: FakeStore, writer: Writer, clock: FakeClock
) -> None:
    """Under the same ids, of each alert only the last state; and nobody waits for a store that is known to be away."""
    store.away = True
    async with running(writer):
        results = [await writer.commit(step(number)) for number in range(3)]
        writer.keep(sample(START + 9 * SECOND))
        assert results == [False, False, False]
        assert len(store.tried) == 1
        store.away = False
        await clock.advance(timedelta(milliseconds=1_100))
        assert len(store.written) == 1
        assert store.owed == ["note 0", "note 1", "note 2"]
        assert store.samples == [*(step(number).samples[0] for number in range(3)), sample(START + 9 * SECOND)]
        assert store.written[0].alerts == (alert(2),)
        assert await writer.commit(step(4)) is True


async def test_an_absent_store_is_tried_ever_less_often(store: FakeStore, writer: Writer, clock: FakeClock) -> None:
    store.away = True
    async with running(writer):
        await writer.commit(step(0))
        await clock.advance(61 * SECOND)
        gaps = [after - before for before, after in pairwise(store.tried)]
        assert gaps == [timedelta(seconds=seconds) for seconds in (1, 2, 4, 8, 15, 15, 15)]
        store.away = False
        await clock.advance(15 * SECOND)
        store.away = True
        store.tried.clear()
        await writer.commit(step(1))
        await clock.advance(SECOND)
        assert len(store.tried) == 2, "after a success it begins anew"


async def test_a_store_that_hangs_is_waited_for_two_seconds(store: FakeStore, writer: Writer, clock: FakeClock) -> None:
    store.open.clear()
    async with running(writer):
        commit = asyncio.create_task(writer.commit(step(0)))
        await clock.advance(timedelta(milliseconds=1_999))
        assert not commit.done()
        await clock.advance(timedelta(milliseconds=1))
        assert await commit is False
        store.open.set()
        await clock.settle()
        assert store.owed == ["note 0"], "it is written all the same"


async def test_a_writer_that_does_not_run_keeps_nobody_waiting(
    store: FakeStore, writer: Writer, clock: FakeClock
) -> None:
    commit = asyncio.create_task(writer.commit(step(0)))
    await clock.advance(2 * SECOND)
    assert await commit is False
    await writer.close()
    assert store.owed == ["note 0"]


async def test_a_caller_that_is_cancelled_loses_nothing(store: FakeStore, writer: Writer, clock: FakeClock) -> None:
    store.open.clear()
    async with running(writer):
        first, second = (asyncio.create_task(writer.commit(step(number))) for number in (0, 1))
        await clock.settle()
        first.cancel()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        assert first.cancelled()
        store.open.set()
        await clock.settle()
        assert store.owed == ["note 0", "note 1"]


async def test_a_bug_ends_the_writer_and_loses_nothing(store: FakeStore, writer: Writer, clock: FakeClock) -> None:
    store.broken = True
    task = asyncio.create_task(writer.run())
    commit = asyncio.create_task(writer.commit(step(0)))
    with pytest.raises(ZeroDivisionError):
        await task
    await clock.advance(2 * SECOND)
    assert await commit is False
    with pytest.raises(ZeroDivisionError):
        await writer.close()
    store.broken = False
    await writer.close()
    assert store.owed == ["note 0"]


async def test_what_was_being_written_when_the_loop_was_cancelled_is_written_by_close(
    store: FakeStore, writer: Writer, clock: FakeClock
) -> None:
    store.open.clear()
    async with running(writer):
        commit = asyncio.create_task(writer.commit(step(0)))
        await clock.settle()
    store.open.set()
    await writer.close()
    assert store.owed == ["note 0"]
    assert await commit is True


async def test_closing_writes_what_is_queued_and_ends_the_loop(
    store: FakeStore, writer: Writer, clock: FakeClock
) -> None:
    task = asyncio.create_task(writer.run())
    await clock.settle()
    writer.keep(sample())
    await writer.close()
    assert store.samples == [sample()]
    await task
    assert await writer.commit(step(0)) is False
    await writer.close()
    assert store.owed == ["note 0"], "what came too late was written by the second close"
    assert clock.now() == START


async def test_closing_does_not_wait_for_the_next_try(store: FakeStore, writer: Writer, clock: FakeClock) -> None:
    store.away = True
    task = asyncio.create_task(writer.run())
    assert await writer.commit(step(0)) is False
    await clock.advance(20 * SECOND)
    await writer.close()
    await task
    assert store.written == []
    assert clock.now() == START + 20 * SECOND


async def test_closing_waits_three_seconds_for_a_store_that_hangs(
    store: FakeStore, writer: Writer, clock: FakeClock
) -> None:
    store.open.clear()
    writer.keep(sample())
    closing = asyncio.create_task(writer.close())
    await clock.advance(timedelta(milliseconds=2_999))
    assert not closing.done()
    await clock.advance(timedelta(milliseconds=1))
    assert closing.done()
    await closing
    assert store.written == []


async def test_a_commit_that_waits_when_all_ends_is_answered(
    store: FakeStore, writer: Writer, clock: FakeClock
) -> None:
    store.open.clear()
    async with running(writer):
        commit = asyncio.create_task(writer.commit(step(0)))
        await clock.advance(SECOND)
        closing = asyncio.create_task(writer.close())
        await clock.settle()
        store.away = True
        store.open.set()
        await clock.settle()
        assert closing.done()
        assert await commit is False


async def test_catching_up_takes_many_transactions_and_answers_after_the_last(
    store: FakeStore, writer: Writer, clock: FakeClock
) -> None:
    many = tuple(sample(START + number * SECOND, number) for number in range(2 * MOST_AT_ONCE + 1))
    first = Change(samples=many, alerts=step(1).alerts, owed=step(1).owed)
    async with running(writer):
        assert await writer.commit(first) is True
    assert [len(change.samples) for change in store.written] == [MOST_AT_ONCE, MOST_AT_ONCE, 1]
    assert store.samples == list(many)
    assert [len(change.owed) + len(change.alerts) for change in store.written] == [2, 0, 0]
    assert clock.now() == START


async def test_what_is_too_much_is_lost_and_counted(store: FakeStore, writer: Writer, clock: FakeClock) -> None:
    store.away = True
    async with running(writer):
        assert await writer.commit(step(0)) is False
        for number in range(MOST_SAMPLES):
            writer.keep(sample(START + (number + 1) * SECOND))
        store.away = False
        await clock.advance(SECOND)
    assert (writer.lost_samples, writer.lost_others) == (1, 0)
    assert len(store.samples) == MOST_SAMPLES
    assert store.samples[0].at == START + SECOND
    assert store.owed == ["note 0"]


class Life:
    """A writer over several processes: what was given to it, and what it promised."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = FakeStore(self.clock)
        self.given = 0
        self.restarts: list[int] = []
        self.promised: set[int] = set()
        self.waiting: dict[int, asyncio.Task[bool]] = {}
        self.start()

    def start(self) -> None:
        self.writer = Writer(self.store, self.clock)
        self.task = asyncio.create_task(self.writer.run())

    async def act(self, action: str) -> None:
        match action:
            case "commit":
                number, self.given = self.given, self.given + 1
                self.waiting[number] = asyncio.create_task(self.writer.commit(step(number)))
                await asyncio.sleep(0)  # it is queued now
            case "keep":
                number, self.given = self.given, self.given + 1
                self.writer.keep(step(number).samples[0])
            case "fail" | "recover":
                self.store.away = action == "fail"
            case "hang":
                self.store.open.clear()
            case "go on":
                self.store.open.set()
            case "second":
                await self.clock.advance(SECOND)
            case "crash":
                await self.crash()
            case _:
                await self.clock.settle()
        self.hear()

    def hear(self) -> None:
        """Note each promise, and see that it is true at that moment."""
        for number, commit in list(self.waiting.items()):
            if commit.done():
                del self.waiting[number]
                if not commit.cancelled() and commit.result():
                    self.promised.add(number)
                    assert f"note {number}" in self.store.owed
                    assert step(number).samples[0] in self.store.samples

    async def crash(self) -> None:
        """End everything at once, and begin with an empty memory."""
        tasks = [self.task, *self.waiting.values()]
        self.hear()
        self.waiting.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.restarts.append(self.given)
        self.start()

    async def end(self) -> None:
        """Let the store recover and everything be written."""
        self.store.away = False
        self.store.open.set()
        await self.clock.advance(20 * SECOND)
        self.hear()
        await self.writer.close()
        await self.task


actions = st.sampled_from(
    ["commit"] * 4 + ["keep"] * 3 + ["second"] * 3 + ["fail", "recover", "hang", "go on", "settle", "crash"]
)


@settings(max_examples=60)
@given(script=st.lists(actions, max_size=40))
async def test_whatever_happens_promises_hold_and_order_is_kept(script: list[str]) -> None:
    """What was promised is there; what was given since the last crash is there; every process wrote in its order."""
    life = Life()
    for action in script:
        await life.act(action)
    await life.end()
    written = [round((found.at - START) / SECOND) for found in life.store.samples]
    bounds = [0, *life.restarts, life.given]
    for begin, end in pairwise(bounds):
        mine = [number for number in dict.fromkeys(written) if begin <= number < end]
        assert mine == sorted(mine)
    last = bounds[-2]
    assert set(range(last, life.given)) <= set(written)
    assert life.promised <= set(written)
    assert not life.waiting


async def test_it_works_with_a_real_store(tmp_path: Path) -> None:
    clock = FakeClock()
    store = await leading(tmp_path / "monitor.db")
    writer = Writer(store, clock)
    async with running(writer):
        assert all(await asyncio.gather(*(writer.commit(step(number)) for number in range(20))))
    writer.keep(sample(START + 99 * SECOND))
    await writer.close()
    assert len(await store.samples(SITE, BEGINNING)) == 21
    assert [found.levels[Severity.CRITICAL].count for found in await store.alerts()] == [19]
    await store.write([Change(alerts=(Alert(KEY),))])
    assert await store.alerts() == []
    await store.close()


async def test_a_lost_lease_ends_the_writer_and_nothing_is_written_any_more(
    store: FakeStore, writer: Writer, clock: FakeClock
) -> None:
    """It is no outage: what is left here has been overtaken, even when the store would take it again."""
    store.overtaken = True
    task = asyncio.create_task(writer.run())
    first, second = (asyncio.create_task(writer.commit(step(number))) for number in range(2))
    with pytest.raises(LeaseLost):
        await task
    assert await first is False
    assert await second is False
    assert writer.available, "an outage is another thing"
    store.overtaken = False
    assert await writer.commit(step(2)) is False
    assert clock.now() == START, "nobody waited"
    await writer.close()
    await writer.close()
    assert store.written == []


async def test_a_lease_that_is_found_lost_at_the_end_is_no_failure(store: FakeStore, writer: Writer) -> None:
    store.overtaken = True
    writer.keep(sample())
    with capture_logs() as logs:
        await writer.close()
    assert [(line["event"], line["why"]) for line in logs] == [("changes_not_written", "another instance leads")]

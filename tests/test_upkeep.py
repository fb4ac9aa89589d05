"""Maintenance as the daemon sees to it: announced, held back, and the checks looked at when it is over."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from monitor.maintenance import TEMPLATE, Announcement, Maintenance
from monitor.model import NO_DATA, CheckId, EventKind, Severity, State
from monitor.routing import parse_hours
from monitor.upkeep import Upkeep
from tests.examples import SECOND
from tests.fakes import START
from tests.plans import plan
from tests.test_pipeline import Bench, Store

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SITE = CheckId("shop", "site")
WINDOW = Maintenance(
    system="shop",
    system_title="Shop",
    title="Upgrade",
    zone="UTC",
    weekly=parse_hours("Tue 12:00-14:00"),
    announcement=Announcement(("list",), DAY, TEMPLATE),
)
LOST = State.DOWN


class Desk:
    """A pipeline and the upkeep beside it; `answers` is how the site is when it is asked."""

    def __init__(self, store: Store | None = None) -> None:
        self.bench = Bench(plan(failures=1), store=store)
        self.ran: list[CheckId] = []
        self.answer = State.UP
        self.upkeep = Upkeep(self.bench.clock, self.bench.pipeline, self.run_now)
        self.upkeep.configure([WINDOW], {SITE: plan(failures=1)})

    async def run_now(self, check: CheckId) -> None:
        self.ran.append(check)
        await self.bench.take(self.seconds, self.answer)

    @property
    def seconds(self) -> float:
        return (self.bench.clock.now() - START).total_seconds()

    async def at(self, hours: float, state: State | None = None) -> list[tuple[str, EventKind, Severity]]:
        """Let that moment come, the site be so, and return who is told of what."""
        before = len(self.bench.owed)
        await self.bench.clock.advance(START + hours * HOUR - self.bench.clock.now())
        if state is not None:
            await self.bench.take(self.seconds, state)
        await self.upkeep.tick()
        await asyncio.gather(*self.upkeep.under_way)
        await self.bench.pipeline.tick()
        owed = [note for note, _ in self.bench.owed[before:] if note.key.name != NO_DATA]
        return [(note.channel, note.kind, note.severity) for note in owed]


ANNOUNCED = ("list", EventKind.ANNOUNCED, Severity.INFO)


async def test_it_is_announced_once_24_hours_ahead() -> None:
    """TA-23: also by a daemon that is started in between."""
    desk = Desk()
    assert await desk.at(-0.01) == []
    assert await desk.at(0) == [ANNOUNCED]
    assert "Tuesday, 6 January 2026 from 12:00 to 14:00 (UTC)" in desk.bench.owed[-1][0].page.summary
    assert await desk.at(12) == []
    later = Desk()
    later.bench.pipeline.restore_silences(desk.bench.pipeline.silences)
    assert await later.at(13) == []


async def test_what_fires_in_it_is_told_only_if_it_still_fires_at_the_end() -> None:
    """TA-23: what began in it pages at its end, and what came and went is never told."""
    desk = Desk()
    await desk.at(0)
    assert await desk.at(24.5, LOST) == []
    assert await desk.at(25, State.UP) == []
    assert await desk.at(25.01, State.UP) == []
    assert await desk.at(25.5, LOST) == []
    desk.answer = LOST
    told = await desk.at(26)
    assert desk.ran == [SITE]
    assert {one for one in told if one[0] != "list"} == {
        ("ops", EventKind.OPENED, Severity.CRITICAL),
        ("phone", EventKind.OPENED, Severity.CRITICAL),
    }
    assert ("list", EventKind.ANNOUNCED, Severity.WARNING) in told
    assert (
        "1 of 1 checks fail: Site" in next(n for n, _ in desk.bench.owed if n.severity is Severity.WARNING).page.summary
    )


async def test_what_fired_before_has_its_end_told_in_it() -> None:
    """Nobody is reminded meanwhile."""
    desk = Desk()
    await desk.at(0)
    assert len(await desk.at(23.9, LOST)) == 2
    assert await desk.at(25, LOST) == []
    await desk.at(25.1, State.UP)
    assert {kind for _, kind, _ in await desk.at(25.2, State.UP)} == {EventKind.RESOLVED}


async def test_at_its_end_it_is_said_that_all_is_well() -> None:
    """TA-23: after every check was run; once."""
    desk = Desk()
    await desk.at(0)
    await desk.at(24)
    assert await desk.at(26) == [ANNOUNCED]
    assert desk.bench.owed[-1][0].page.summary == "Upgrade is over. No check fails."
    assert await desk.at(26.1) == []
    assert desk.ran == [SITE]


async def test_an_end_that_nobody_saw_is_seen_to_afterwards() -> None:
    """The daemon was away."""
    first = Desk()
    await first.at(0)
    second = Desk()
    second.bench.pipeline.restore_silences(first.bench.pipeline.silences)
    assert await second.at(30) == [ANNOUNCED]
    assert second.ran == [SITE]


async def test_an_end_that_a_kill_broke_off_is_seen_to_by_the_next() -> None:
    """Its checks were being run: nothing says that they were, so it is done again, and said once."""
    first = Desk()
    await first.at(0)
    await first.at(24)
    never = asyncio.Event()

    async def hang(_: CheckId) -> None:
        await never.wait()

    upkeep = Upkeep(first.bench.clock, first.bench.pipeline, hang)
    upkeep.configure([WINDOW], {SITE: plan()})
    first.bench.clock.skip(2 * HOUR)
    for _ in range(2):
        await upkeep.tick()
    (looking,) = upkeep.under_way
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert not any(silence.over for silence in first.bench.pipeline.silences)
    second = Desk()
    second.bench.pipeline.restore_silences(first.bench.pipeline.silences)
    assert await second.at(26.1) == [ANNOUNCED]


async def test_what_is_taken_out_of_the_file_is_taken_back() -> None:
    """What it held back is told."""
    desk = Desk()
    await desk.at(0)
    assert await desk.at(24.5, LOST) == []
    desk.upkeep.configure([], {SITE: plan(failures=1)})
    assert {kind for _, kind, _ in await desk.at(24.6, LOST)} == {EventKind.OPENED}
    assert desk.bench.store.events("silence") == [EventKind.SILENCED, EventKind.LIFTED]


async def test_the_looks_at_its_end_are_ended_with_the_daemon() -> None:
    """A check that hangs does not keep it from stopping."""
    desk = Desk()
    await desk.at(0)
    await desk.at(24)
    never = asyncio.Event()

    async def hang(_: CheckId) -> None:
        await never.wait()

    upkeep = Upkeep(desk.bench.clock, desk.bench.pipeline, hang)
    upkeep.configure([WINDOW], {SITE: plan()})
    running = asyncio.create_task(upkeep.run())
    await desk.bench.clock.advance(START + 26 * HOUR + SECOND - desk.bench.clock.now())
    assert upkeep.under_way
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not upkeep.under_way

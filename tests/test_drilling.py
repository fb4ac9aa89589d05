"""Drills as the daemon sees to them: begun when they are due, once, and reported on."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from monitor.channels.base import Delivered, Rejected
from monitor.drill import PlannedDrill
from monitor.drilling import Drilling
from monitor.model import Act, CheckId, Deed, Scope, Severity, State
from monitor.routing import Escalation, Route
from monitor.store import StoreUnavailable
from tests.fakes import START, FakeClock
from tests.plans import plan
from tests.soak.days import Notebook, World, days, utc
from tests.test_pipeline import Bench

if TYPE_CHECKING:
    from monitor.channels.base import SendResult

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
SITE = CheckId("shop", "site")
NOON = PlannedDrill(SITE, "0 12 * * *")
MONTHLY = PlannedDrill(SITE, "0 10 * * Mon#1", "Europe/Berlin")
SUBJECT = "Drill, nothing is broken: Shop: Site"


class Book(Notebook):
    """A store that may be away."""

    away = False

    async def ask(self, act: Act) -> None:
        if self.away:
            raise StoreUnavailable("away")
        await super().ask(act)

    async def dispatches(self, *_: Any) -> Any:  # noqa: ANN401 - whatever there is
        raise StoreUnavailable("away")


class Process:
    """A daemon as far as drills go, with a clock that is moved by hand."""

    def __init__(self, clock: FakeClock, book: Book, *planned: PlannedDrill) -> None:
        self.clock, self.book, self.bench = clock, book, Bench(plan())
        self.drilling = Drilling(clock, book, self.bench.pipeline)
        self.drilling.configure(planned, {})

    async def at(self, moment: datetime) -> list[datetime]:
        """Let that moment come; return when drills have been asked for, in all."""
        await self.clock.advance(moment - self.clock.now())
        await self.drilling.tick()
        return [act.at for act in self.book.asked.values()]


async def test_a_drill_is_asked_for_once_when_its_moment_comes_however_often_the_daemon_starts() -> None:
    """Also one that begins a while later; a month has one."""
    clock, book = FakeClock(START - HOUR), Book()
    first = Process(clock, book, NOON)
    assert await first.at(START - SECOND) == []
    assert await first.at(START) == [START]
    assert await first.at(START + SECOND) == [START]
    (act,) = book.asked.values()
    assert (act.deed, act.scope, act.severity, act.until) == (
        *(Deed.DRILL, Scope(*SITE), Severity.CRITICAL),
        START + 15 * MINUTE,
    )
    again = Process(clock, book, NOON)
    assert await again.at(START + 59 * MINUTE) == [START]
    assert await again.at(START + 23 * HOUR) == [START]
    assert await again.at(START + 24 * HOUR) == [START, START + 24 * HOUR]


async def test_a_drill_that_was_missed_by_more_than_an_hour_is_left_out() -> None:
    """One that was missed by less is made up for; that counts while a process stood still, too."""
    clock, book = FakeClock(START + 59 * MINUTE), Book()
    late = START + 59 * MINUTE
    assert await Process(clock, book, NOON).at(late) == [late]
    clock = FakeClock(START + 61 * MINUTE)
    later = Process(clock, Book(), NOON)
    assert await later.at(START + 61 * MINUTE) == []
    clock.skip(26 * HOUR)
    assert await later.at(clock.now()) == []
    assert await later.at(START + 48 * HOUR) == [START + 48 * HOUR]


async def test_a_plan_that_is_new_in_the_file_does_not_begin_at_once() -> None:
    """Its moment today is past; a plan that stays is not missed."""
    process = Process(FakeClock(START - MINUTE), Book(), NOON)
    earlier = PlannedDrill(SITE, "30 11 * * *")
    process.drilling.configure([NOON, earlier], {})
    assert await process.at(START) == [START]


async def test_a_store_that_is_away_is_asked_again() -> None:
    """Not before it was reached at all; its drills are looked at with what is known without it."""
    process = Process(FakeClock(START - MINUTE), Book(), NOON)
    process.book.away = True
    assert await process.at(START) == []
    process.book.away = False
    assert await process.at(START + MINUTE) == [START + MINUTE]
    unreached = Process(FakeClock(START - MINUTE), Book(), NOON)
    unreached.book.reached = False
    assert await unreached.at(START) == []


async def test_what_nobody_took_is_reported_although_the_store_is_away() -> None:
    """As far as it is known: to those who were told, since there is nobody else."""
    process = Process(FakeClock(START), Book())
    act = Act("d", START, Deed.DRILL, "eve", Scope(*SITE), until=START + MINUTE, severity=Severity.CRITICAL)
    await process.bench.take(0)
    await process.bench.pipeline.carry_out(act)
    process.clock = process.bench.clock
    process.drilling = Drilling(process.clock, process.book, process.bench.pipeline)
    await process.bench.tick(60)
    process.bench.owed.clear()
    await process.drilling.tick()
    assert [note.channel for note, _ in process.bench.owed] == ["ops", "phone"]
    assert "ops at 12:00:00, no answer yet" in process.bench.owed[0][0].page.summary


async def test_a_drill_that_changed_while_the_store_was_read_is_looked_at_again() -> None:
    bench = Bench(plan())
    await bench.take(0)
    await bench.pipeline.carry_out(Act("d", START, Deed.DRILL, "eve", Scope(*SITE), until=START + MINUTE))
    (before,) = bench.pipeline.drills
    await bench.pipeline.carry_out(Act("a", START, Deed.ACKNOWLEDGE, "ana", Scope(*SITE)))
    changes = len(bench.store.changes)
    await bench.pipeline.see_drill(before, {}, lambda _: ["boss"])
    assert len(bench.store.changes) == changes


class Takes:
    """A channel as far as a drill asks it."""

    def takes(self, _severity: Severity) -> bool:
        return True


def year_round(answer: Any = lambda *_: Delivered()) -> World:  # noqa: ANN401 - a function
    route = Route(("ops",), escalate=(Escalation(5 * MINUTE, ("cto",)),))
    others: Any = {name: Takes() for name in ("ops", "cto", "boss")}
    return World(
        plans={SITE: plan(failures=3)},
        routes=[route],
        target=lambda *_: State.UP,
        drills=[MONTHLY],
        others=others,
        answer=answer,
    )


def test_a_monthly_drill_over_a_kill_with_a_token_that_was_revoked() -> None:
    """The first Monday of December at 10:00 in Berlin: nobody hears it at ops, the CTO is told, nobody takes it."""

    def revoked(channel: str, _now: datetime) -> SendResult:
        return Rejected("token_revoked") if channel == "ops" else Delivered()

    world = days(year_round(revoked), utc("2026-12-07T08:00"), 2 * HOUR, [(HOUR + 3 * MINUTE, None)])
    assert world.lines == [
        "Mon 09:00:03 cto: Warning: Drill: ops did not take the message: Shop: Site",
        "Mon 09:00:03 boss: Warning: Drill: ops did not take the message: Shop: Site",
        "Mon 09:05:01 cto: Escalated, nobody took it for 5 min: Drill, nothing is broken: Shop: Site",
        "Mon 09:15:01 cto: Over after 15 min: Drill, nothing is broken: Shop: Site",
        "Mon 09:15:01 boss: CRITICAL: Drill failed, nobody took it within 15 min: Shop: Site",
    ]


def test_a_monthly_drill_that_is_taken_is_one_message_and_its_end() -> None:
    """Once, over two kills; nobody else is disturbed; then it is forgotten."""
    taking = Act("a", START, Deed.ACKNOWLEDGE, "ana", Scope("shop"))
    deeds = [(HOUR + SECOND, None), (HOUR + 2 * MINUTE, taking), (HOUR + 2 * MINUTE + SECOND, None)]
    world = days(year_round(), utc("2026-12-07T08:00"), 3 * HOUR, deeds)
    assert [line.partition(": ")[2] for line in world.lines] == [
        f"CRITICAL: {SUBJECT}",
        f"Over after 2 min: {SUBJECT}",
    ]
    assert Counter(one.channel for one in world.heard) == {"ops": 2}
    assert not any(alert.drill for alert in world.notebook.kept.values())


def test_what_is_really_broken_does_not_wait_for_a_drill() -> None:
    """The page of an outage a few seconds after a drill leaves at once, and not collected with it."""
    world = year_round()
    broken = utc("2026-12-07T09:00:05")
    world.target = lambda _, now: State.DOWN if now >= broken else State.UP
    days(world, utc("2026-12-07T08:58"), 4 * MINUTE)
    outage = next(one for one in world.heard if one.headline == "CRITICAL: Shop: Site: down")
    assert outage.at < utc("2026-12-07T09:00:45")
    assert outage.alerts == 1

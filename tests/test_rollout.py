"""What follows a deploy: noticed once, its checks run in order, a closer look, a word at its end, over restarts."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.aftermath import LONG
from monitor.config import DeployFields, System
from monitor.hour import Hour, HourMeasure
from monitor.model import Alert, AlertKey, CheckId, Deploy, Event, EventKind, Measure, Severity, State
from monitor.rollout import SETTLING, TOGETHER, Means, Rollouts
from monitor.routing import Route
from monitor.store import StoreUnavailable
from tests.examples import SECOND, SITE, sample
from tests.fakes import START, FakeClock
from tests.plans import Scripted, plan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from monitor.model import Change, Notification, Sample
    from monitor.plan import Plan

MINUTE, HOUR = 60 * SECOND, timedelta(hours=1)
HEALTH, SMOKE, TABLES = (CheckId("shop", name) for name in ("health", "smoke", "tables"))
ROUTES = (Route(("ops",), frozenset({Severity.INFO})), Route(("oncall",), frozenset({Severity.WARNING})))


def alert(since: datetime, check: CheckId = HEALTH) -> Alert:
    return Alert(AlertKey(check, "slow"), severity=Severity.WARNING, since=since)


class Migrations(Scripted):
    """Sees the schema."""

    sees_schema = True
    settled = 1


def seen(check: CheckId, at: datetime, version: str, state: State = State.UP, part: str = "") -> Sample:
    return replace(sample(at, state, Measure("duration", 0.1), check=check), versions={part: version})


class Bench:
    """Rollouts with a store that remembers what it is told, and checks that find what the test says."""

    def __init__(self, clock: FakeClock | None = None, memories: dict[CheckId, dict[str, Any]] | None = None) -> None:
        self.clock = clock or FakeClock()
        self.memories = memories if memories is not None else defaultdict(dict)
        self.kept: list[Sample] = []
        self.hourly: list[Hour] = []
        self.events: list[Event] = []
        self.deploys: dict[str, Deploy] = {}
        self.away = False
        self.ran: list[str] = []
        self.states: dict[CheckId, State] = {}
        self.quick: list[tuple[str, datetime]] = []
        self.owed: list[Notification] = []
        self.shown: dict[str, datetime] = {}
        self.plans = {each: plan(check=each) for each in (HEALTH, SMOKE)}
        self.plans[TABLES] = replace(plan(check=TABLES), check=Migrations())
        self.terms = DeployFields(checks=["smoke", "health"])
        part: Any = self
        self.rollouts = Rollouts(
            self.clock, part, part, Means(self.owe, self.run_now, self.quicken, self.memory, self.show)
        )
        self.configure()

    def configure(self, **terms: Any) -> None:  # noqa: ANN401 - any field
        self.terms = self.terms.model_copy(update=terms)
        self.rollouts.configure(self.plans, {"shop": System("shop", "Shop", deploys=self.terms)}, ROUTES)

    def owe(self, notes: Sequence[Notification], uncertain: bool) -> None:
        assert not uncertain
        self.owed += notes

    async def run_now(self, check: CheckId) -> None:
        self.ran.append(check.check)
        await self.clock.sleep_until(self.clock.now() + SECOND)
        await self.rollouts.see(
            sample(self.clock.now(), self.states.get(check, State.UP), check=check, detail="broken")
        )

    def quicken(self, system: str, until: datetime) -> None:
        self.quick.append((system, until))

    def show(self, system: str, at: datetime) -> None:
        self.shown[system] = at

    def memory(self, watched: Plan) -> dict[str, Any]:
        return self.memories[watched.id]

    def post(self, change: Change) -> None:
        for kept in change.keepsakes:
            self.memories[kept.check][kept.topic] = kept.body

    async def commit(self, change: Change) -> bool:
        self.deploys.update((deploy.id, deploy) for deploy in change.deploys)
        return True

    async def replay(self, since: datetime) -> AsyncIterator[Sample]:
        if self.away:
            raise StoreUnavailable("away")
        for one in self.kept:
            if one.at > since:
                yield one

    async def hours(self, check: CheckId, since: datetime) -> list[Hour]:
        return [hour for hour in self.hourly if hour.check == check and hour.at >= since]

    async def journal(self, since: datetime) -> list[Event]:
        return [event for event in reversed(self.events) if event.at > since]

    async def shows(self, *versions: str, check: CheckId = HEALTH, part: str = "") -> None:
        """Let `check` see these versions, ten seconds apart."""
        for version in versions:
            await self.rollouts.see(seen(check, self.clock.now(), version, part=part))
            await self.later(10 * SECOND)

    async def later(self, by: timedelta) -> None:
        """Let time pass, and what is due then happen."""
        await self.clock.advance(by)
        await self.rollouts.tick()
        await self.clock.advance(timedelta())

    async def measures(self, minutes: int, duration: float) -> None:
        """Let so much time pass, in which the health check answers in `duration`."""
        for _ in range(minutes):
            self.kept.append(sample(self.clock.now(), State.UP, Measure("duration", duration), check=HEALTH))
            await self.later(MINUTE)

    @property
    def newest(self) -> Deploy:
        return max(self.deploys.values(), key=lambda deploy: deploy.at)

    def told(self) -> list[tuple[str, str]]:
        found = [(note.channel, note.page.summary) for note in self.owed]
        self.owed.clear()
        return found


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_another_version_is_a_deploy_and_the_first_one_none(bench: Bench) -> None:
    await bench.shows("1.0", "1.0", "1.0", "1.0")
    assert bench.deploys == {}
    at = bench.clock.now()
    await bench.shows("1.1", "1.1", "1.1", "1.1")
    assert bench.newest == Deploy("shop", at, at + HOUR, (("", "1.0", "1.1"),))
    assert bench.quick == [("shop", at + HOUR)]
    assert bench.shown == {"shop": at}


async def test_its_checks_run_in_order_once_it_has_settled(bench: Bench) -> None:
    await bench.shows("1.0", "1.1", "1.1", "1.1")
    assert bench.ran == []
    await bench.later(SETTLING)
    await bench.later(5 * SECOND)
    assert bench.ran == ["smoke", "health"]
    assert bench.newest.protocol == ("Smoke: up, in 100 ms", "Health: up, in 100 ms")
    assert bench.newest.failed is False
    assert bench.told() == []


async def test_a_check_that_fails_then_is_told_at_once_with_whether_to_go_back(bench: Bench) -> None:
    bench.states[SMOKE] = State.DOWN
    await bench.shows("004", check=TABLES)
    await bench.shows("1.0", "1.1", "1.1", "1.1")
    await bench.shows("004", check=TABLES)
    await bench.later(SETTLING)
    await bench.later(5 * SECOND)
    (note,) = bench.owed
    assert (note.channel, note.severity, note.kind) == ("oncall", Severity.WARNING, EventKind.REPORTED)
    assert note.page.title == "Shop: deploy of 1.1"
    assert note.page.summary == "1 of the 2 checks that follow a deploy failed: Smoke: down, status: broken"
    assert note.page.remedy == ("Going back is safe: the schema has not changed since.",)
    assert bench.newest.failed


async def test_what_changes_soon_after_is_the_same_deploy_looked_at_again(bench: Bench) -> None:
    """An API, and its worker a minute later."""
    await bench.shows("a1", "a2", "a2", "a2", part="api")
    await bench.shows("w1", "w2", "w2", "w2", check=SMOKE, part="worker")
    await bench.later(SETTLING)
    await bench.later(5 * SECOND)
    assert len(bench.deploys) == 1
    assert bench.newest.steps == (("api", "a1", "a2"), ("worker", "w1", "w2"))
    assert bench.newest.version == "api a2, worker w2"
    assert bench.ran.count("smoke") == 2
    await bench.later(TOGETHER)
    await bench.shows("a3", "a3", "a3", part="api")
    assert len(bench.deploys) == 2


async def test_what_changes_while_its_checks_run_is_looked_at_again(bench: Bench) -> None:
    """They may have seen the old version of it."""
    await bench.shows("a1", "a2", "a2", "a2", part="api")
    await bench.later(SETTLING - 10 * SECOND)
    assert bench.ran == ["smoke"]
    await bench.rollouts.begin("shop", [("worker", "w1", "w2")], bench.clock.now())
    await bench.later(SETTLING)
    await bench.later(5 * SECOND)
    assert bench.ran == ["smoke", "health", "smoke", "health"]
    assert bench.newest.failed is False


async def test_going_back_is_watched_for_a_shorter_time_and_reported_once(bench: Bench) -> None:
    bench.configure(reports=[HOUR, 24 * HOUR])
    await bench.shows("1.0", "1.1", "1.1", "1.1")
    await bench.later(TOGETHER)
    at = bench.clock.now()
    await bench.shows("1.0", "1.0", "1.0")
    assert bench.newest == Deploy("shop", at, at + 15 * MINUTE, (("", "1.1", "1.0"),), back=True)
    await bench.later(15 * MINUTE)
    assert [text.partition(" nothing")[0] for _, text in bench.told()] == ["Fine: after 15 min"]
    assert bench.rollouts.beside(alert(since=at + SECOND))[0].startswith("Rollback to 1.0, 1 s before")


async def test_at_its_end_it_is_told_once_that_all_is_fine(bench: Bench) -> None:
    await bench.shows("1.0")
    await bench.measures(60, 0.1)
    await bench.shows("1.1", "1.1", "1.1")
    await bench.measures(62, 0.11)
    ((channel, text),) = bench.told()
    assert channel == "ops"
    assert text.startswith("Fine: after 1 h nothing got worse. Health: p95 of the time to answer 110 ms, before 100 ms")
    await bench.measures(120, 0.1)
    assert bench.told() == []


async def test_at_its_end_it_is_told_what_got_worse(bench: Bench) -> None:
    await bench.shows("1.0")
    await bench.measures(60, 0.1)
    await bench.shows("1.1", "1.1", "1.1")
    bench.events.append(Event(AlertKey(HEALTH, "slow"), bench.clock.now(), EventKind.OPENED, Severity.WARNING))
    bench.events.append(Event(AlertKey(SITE._replace(system="other"), "down"), bench.clock.now(), EventKind.OPENED))
    await bench.measures(62, 0.4)
    ((channel, text),) = bench.told()
    assert channel == "oncall"
    assert text == (
        "Worse after 1 h: Health: p95 of the time to answer 400 ms, before 100 ms; alerts began: health slow."
    )


async def test_a_late_report_is_made_of_whole_hours(bench: Bench) -> None:
    bench.configure(reports=[24 * HOUR])
    assert LONG < 24 * HOUR
    await bench.shows("1.0", "1.1", "1.1", "1.1")
    for number in range(-24, 24):
        measure = HourMeasure("duration", (), 60, 60 * (0.1 if number < 0 else 0.3), 0.1, 0.3)
        bench.hourly.append(Hour(HEALTH, START + MINUTE + number * HOUR, 60, 0, 0, (measure,)))
    await bench.later(23 * HOUR)
    assert bench.told() == []
    await bench.later(HOUR)
    assert [text for _, text in bench.told()] == [
        "Worse after 1 d: Health: p95 of the time to answer 300 ms, before 100 ms."
    ]


async def test_a_report_that_nobody_waited_for_is_left_out(bench: Bench) -> None:
    """The file asks for one after a day only when the deploy is three days old."""
    await bench.shows("1.0", "1.1", "1.1", "1.1")
    await bench.later(HOUR)
    assert len(bench.told()) == 1
    await bench.later(72 * HOUR)
    bench.configure(reports=[HOUR, 24 * HOUR])
    await bench.later(HOUR)
    assert bench.told() == []


async def test_a_store_that_is_away_is_waited_for(bench: Bench) -> None:
    await bench.shows("1.0", "1.1", "1.1", "1.1")
    bench.away = True
    await bench.later(2 * HOUR)
    assert bench.told() == []
    bench.away = False
    await bench.later(2 * SECOND)
    assert len(bench.told()) == 1


async def test_a_restart_goes_on_where_it_was() -> None:
    """In the middle of the checks, and before the report: neither is lost or doubled."""
    first = Bench()
    await first.shows("1.0", "1.1", "1.1", "1.1")
    await first.later(SETTLING)
    assert first.ran == ["smoke"]
    second = Bench(FakeClock(first.clock.now()), first.memories)
    second.rollouts.restore(list(first.deploys.values()))
    await second.shows("1.1", "1.1", "1.1")
    await second.later(5 * SECOND)
    assert second.ran == ["smoke", "health"]
    assert second.quick[0] == ("shop", first.newest.until)
    await second.later(HOUR)
    assert len(second.told()) == 1
    third = Bench(FakeClock(second.clock.now()), second.memories)
    third.rollouts.restore(list(second.deploys.values()))
    await third.later(HOUR)
    assert (third.ran, third.told()) == ([], [])


async def test_the_version_of_a_part_is_the_newest_that_was_named(bench: Bench) -> None:
    await bench.rollouts.begin("shop", [("api", "1", "2")], bench.clock.now())
    await bench.later(TOGETHER + MINUTE)
    await bench.rollouts.begin("shop", [("worker", "5", "6")], bench.clock.now())
    assert [bench.rollouts.version_of("shop", part) for part in ("api", "worker", "", "gone")] == ["2", "6", "", ""]
    assert bench.rollouts.version_of("shed", "api") == ""


async def test_by_itself_it_does_what_is_due_until_it_is_ended(bench: Bench) -> None:
    """Ended in the middle of the checks, it leaves no task behind."""
    await bench.rollouts.begin("shop", [("", "", "2")], bench.clock.now())
    task = asyncio.create_task(bench.rollouts.run())
    await bench.clock.advance(SETTLING)
    assert bench.ran == ["smoke"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [each for each in asyncio.all_tasks() if each.get_name().startswith("deploy of")] == []


async def test_alerts_that_begin_then_name_the_deploy_and_whether_to_go_back(bench: Bench) -> None:
    await bench.shows("003", "004", check=TABLES)
    await bench.shows("1.0", "1.1", "1.1", "1.1")
    at = bench.newest.at
    (line,) = bench.rollouts.beside(alert(since=at + 4 * MINUTE))
    assert line == "Deploy of 1.1, 4 min before; going back is unsafe: this deploy moved the schema from 003 to 004"
    assert bench.rollouts.beside(alert(since=at - MINUTE))[0].startswith("Deploy of 1.1, at the same time")
    assert bench.rollouts.beside(alert(since=at - 10 * MINUTE)) == []
    assert bench.rollouts.beside(alert(since=at + 2 * HOUR)) == []
    assert bench.rollouts.beside(alert(since=at, check=CheckId("shed", "door"))) == []


async def test_a_schema_that_moves_is_no_deploy_by_itself(bench: Bench) -> None:
    await bench.shows("003", "004", "004", check=TABLES)
    assert bench.deploys == {}


async def test_a_check_that_is_gone_and_one_without_a_version_say_nothing(bench: Bench) -> None:
    await bench.shows("1", "2", "2", "2", check=CheckId("shop", "gone"))
    await bench.rollouts.see(sample(0, check=HEALTH))
    assert bench.deploys == {}

"""Steps that answer themselves: asked once somebody is woken, all at once, and never in the way."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from monitor.evidence import MOST_AT_ONCE, Evidence
from monitor.model import AlertKey, CheckId, EventKind, Measure, Notification, Sample, Severity, State, labels
from monitor.plan import Question
from monitor.units import Unit
from tests.examples import SECOND, notification, sample

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

DATABASE, CACHE = CheckId("shop", "database"), CheckId("shop", "cache")
WHO, HOW = "See who holds them.", "See how the cache is."
QUESTIONS = {WHO: Question(DATABASE, "held", Unit.NUMBER), HOW: Question(CACHE)}
FOUND = sample(0, State.UP, Measure("held", 20, labels({"application": "api"})), check=DATABASE)
ANSWERS = {WHO: "api 20", HOW: "It answers, in 100 ms."}


@dataclass
class World:
    """What evidence asks and tells. A check in `hung` never answers; one in `gates` only when its gate is open."""

    found: dict[CheckId, Sample | None] = field(default_factory=lambda: {DATABASE: FOUND, CACHE: sample(0)})
    hung: set[CheckId] = field(default_factory=set)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[CheckId] = field(default_factory=list)
    told: list[tuple[AlertKey, str, Mapping[str, str]]] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def questions(self, check: CheckId) -> Mapping[str, Question]:
        return QUESTIONS if check.system == "shop" else {}

    async def look(self, check: CheckId) -> Sample | None:
        self.asked.append(check)
        if check in self.hung:
            await asyncio.Event().wait()
        await self.gate.wait()
        return self.found[check]

    async def tell(self, key: AlertKey, incident: str, answers: Mapping[str, str]) -> None:
        self.told.append((key, incident, answers))
        self.done.set()


@asynccontextmanager
async def running(world: World, patience: timedelta = 30 * SECOND) -> AsyncIterator[Evidence]:
    evidence = Evidence(world.questions, world.look, world.tell, lambda text: text.replace("hunter2", "***"), patience)
    task = asyncio.create_task(evidence.run())
    yield evidence
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def page(incident: str = "site", **fields: Any) -> Notification:  # noqa: ANN401 - of any field
    note = notification(incident)
    return replace(note, page=replace(note.page, remedy=("Look.", WHO, HOW)), **fields)


async def test_all_steps_are_asked_at_once_and_told_together() -> None:
    world = World()
    async with running(world) as evidence:
        evidence.see([page(), replace(page(), channel="phone", id="another")])
        await settle()
        assert sorted(world.asked) == sorted([DATABASE, CACHE])
        assert world.told == []
        world.gate.set()
        await settle()
    assert world.told == [(page().key, "site", ANSWERS)]


async def test_steps_that_run_the_same_check_share_the_run() -> None:
    world = World()
    world.gate.set()
    both = {WHO: QUESTIONS[WHO], HOW: Question(DATABASE)}
    evidence = Evidence(lambda _: both, world.look, world.tell, str)
    evidence.see([page()])
    await settle()
    assert world.asked == [DATABASE]
    assert world.told[0][2] == {WHO: "api 20", HOW: "It answers, in 100 ms."}


@pytest.mark.parametrize(
    "note",
    [
        page(severity=Severity.WARNING),
        page(quiet=True),
        page(fallback_for="ops"),
        page(kind=EventKind.REPEATED),
        page(kind=EventKind.ESCALATED),
        page(kind=EventKind.RESOLVED),
        page(key=AlertKey(CheckId("shed", "door"), "down")),
        notification("site"),
    ],
    ids=["warning", "quiet", "fallback", "reminder", "escalation", "resolve", "no questions", "other steps"],
)
async def test_only_what_wakes_somebody_asks(note: Notification) -> None:
    world = World()
    async with running(world) as evidence:
        evidence.see([note])
        await settle()
    assert world.asked == []


async def test_an_incident_is_asked_about_once() -> None:
    """Also when it gets worse again, or another channel hears of it later."""
    world = World()
    world.gate.set()
    async with running(world) as evidence:
        for kind in (EventKind.OPENED, EventKind.WORSENED, EventKind.OPENED):
            evidence.see([page(kind=kind)])
            await settle()
    assert len(world.told) == 1


async def test_a_step_that_hangs_says_so_and_holds_up_no_other() -> None:
    """What is known soon is told soon, and again with all that there is."""
    world = World(hung={DATABASE})
    world.gate.set()
    async with running(world, timedelta(milliseconds=50)) as evidence:
        evidence.see([page()])
        await asyncio.wait_for(world.done.wait(), 10)
        assert world.told[0][2] == {HOW: ANSWERS[HOW]}
        world.done.clear()
        await asyncio.wait_for(world.done.wait(), 10)
    assert world.told[1][2] == {WHO: "no answer within 0.05 s", HOW: ANSWERS[HOW]}
    assert len(world.told) == 2


async def test_nothing_is_told_before_there_is_something() -> None:
    world = World(hung={DATABASE, CACHE})
    async with running(world, timedelta(milliseconds=50)) as evidence:
        evidence.see([page()])
        await asyncio.wait_for(world.done.wait(), 10)
    assert [answers for *_, answers in world.told] == [dict.fromkeys((WHO, HOW), "no answer within 0.05 s")]


async def test_a_check_that_is_gone_gives_no_answer_and_a_failed_one_its_reason() -> None:
    """Without what is secret, on one line."""
    failed = sample(0, State.DOWN, check=CACHE, detail="hunter2\r\nis wrong")
    world = World(found={DATABASE: None, CACHE: failed})
    world.gate.set()
    async with running(world) as evidence:
        evidence.see([page()])
        await settle()
    assert world.told[0][2] == {WHO: "shop/database is not watched any more", HOW: "status: *** is wrong"}


async def test_in_a_storm_five_incidents_are_asked_about_at_a_time() -> None:
    """The others go without, which is logged; the next one is asked about once there is room."""
    world = World()
    async with running(world) as evidence:
        with capture_logs() as logs:
            evidence.see([page(f"site{number}") for number in range(40)])
        await settle()
        assert len(world.asked) == 2 * MOST_AT_ONCE
        assert [(one["event"], one["incidents"]) for one in logs] == [("steps_not_run", 35)]
        world.gate.set()
        await settle()
        evidence.see([page("later"), page("site20")])
        await settle()
    assert [incident for _, incident, _ in world.told] == [*(f"site{number}" for number in range(5)), "later"]


async def test_it_is_given_up_when_we_are_stopped() -> None:
    """At once, whatever hangs."""
    world = World(hung={DATABASE, CACHE})
    async with running(world) as evidence:
        evidence.see([page()])
        await settle()
        running_now = [task for task in asyncio.all_tasks() if task.get_name().startswith("evidence for")]
    assert [task.cancelled() for task in running_now] == [True]
    assert world.told == []


async def test_a_crash_is_logged_and_ends_nothing_else() -> None:
    world = World()

    async def refuse(*_: object) -> None:
        raise RuntimeError

    world.gate.set()
    evidence = Evidence(world.questions, world.look, refuse, str)
    with capture_logs() as logs:
        evidence.see([page()])
        await settle()
    assert [one["event"] for one in logs] == ["evidence_crashed"]


async def test_old_incidents_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that runs for years holds no more than it needs."""
    monkeypatch.setattr("monitor.evidence.MOST_REMEMBERED", 2)
    world = World()
    world.gate.set()
    async with running(world) as evidence:
        for incident in ("a", "b", "c", "a"):
            evidence.see([page(incident)])
            await settle()
    assert [incident for _, incident, _ in world.told] == ["a", "b", "c", "a"]

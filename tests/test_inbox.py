"""What becomes of a report: remembered at once, durable when the store says so, refused by whoever does not lead."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from monitor.inbox import LONGEST_TEXT, Inbox
from monitor.model import CheckId, Keepsake, Report, Said
from monitor.probes.heartbeat import TOPIC, HeartbeatCheck
from monitor.probes.heartbeat.journal import Journal
from monitor.recall import recall_keepsakes
from monitor.secrets import Redactor, Secret
from monitor.store.backlog import Backlog
from monitor.web import Taken
from tests.fakes import START, FakeClock
from tests.plans import plan

if TYPE_CHECKING:
    from monitor.model import Change
    from monitor.plan import Plan
    from monitor.store import Store as StoreOfOurs

TOKEN = "0123456789abcdef"
BACKUP, SITE = CheckId("shop", "backup"), CheckId("shop", "site")
OK = Report(Said.SUCCESS)
DAY = timedelta(days=1)


@dataclass
class World:
    """A daemon as far as an inbox sees it."""

    leads: bool = True
    ends: bool = False
    durable: bool = True
    overtaken_meanwhile: bool = False
    backlog: Backlog = field(default_factory=Backlog)
    stirred: list[CheckId] = field(default_factory=list)
    memory: dict[CheckId, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check = HeartbeatCheck.model_validate({"token": TOKEN, "period": "1d"})
        self.clock = FakeClock()
        self.plans = {BACKUP: replace(plan(check=BACKUP), check=check), SITE: plan(check=SITE)}
        self.inbox = Inbox(
            clock=self.clock,
            writer=self,
            plans=lambda: self.plans,
            memory=self.of,
            leads=lambda: self.leads,
            stir=self.stirred.append,
            hide=Redactor([Secret("hunter2")]),
        )

    def of(self, made: Plan) -> dict[str, Any]:
        return self.memory.setdefault(made.id, {})

    async def commit(self, change: Change) -> bool:
        self.backlog.add(change)
        await asyncio.sleep(0)
        self.ends = self.ends or self.overtaken_meanwhile
        return self.durable

    @property
    def journal(self) -> Journal | None:
        return Journal.read(self.memory.get(BACKUP, {}).get(TOPIC, ""))


async def test_a_report_is_remembered_made_durable_and_looked_at() -> None:
    world = World()
    assert await world.inbox.take(BACKUP, OK) is Taken.DURABLE
    assert world.journal
    assert world.journal.success == START
    assert world.stirred == [BACKUP]
    (kept,) = world.backlog.take(0).keepsakes
    assert kept == Keepsake(BACKUP, TOPIC, world.memory[BACKUP][TOPIC])


async def test_only_a_heartbeat_has_a_secret() -> None:
    world = World()
    assert world.inbox.secrets(BACKUP) == [Secret(TOKEN)]
    assert world.inbox.secrets(SITE) == world.inbox.secrets(CheckId("shop", "nothing")) == []


async def test_without_a_store_it_is_in_memory_only() -> None:
    world = World(durable=False)
    assert await world.inbox.take(BACKUP, OK) is Taken.IN_MEMORY
    assert world.journal
    assert world.stirred


@pytest.mark.parametrize("world", [World(leads=False), World(ends=True)], ids=["waits", "ends"])
async def test_an_instance_that_waits_or_ends_takes_nothing(world: World) -> None:
    """The one that leads must know of it, and no other."""
    assert await world.inbox.take(BACKUP, OK) is Taken.ELSEWHERE
    assert (world.memory, world.stirred, bool(world.backlog)) == ({}, [], False)


async def test_what_was_overtaken_while_it_was_written_is_to_be_told_again() -> None:
    assert await World(durable=False, overtaken_meanwhile=True).inbox.take(BACKUP, OK) is Taken.ELSEWHERE


async def test_a_check_that_was_removed_meanwhile_takes_nothing() -> None:
    assert await World().inbox.take(CheckId("shop", "gone"), OK) is Taken.ELSEWHERE


async def test_what_a_job_says_is_short_plain_and_without_secrets() -> None:
    world = World()
    told = Report(Said.FAILURE, text=f"no login as hunter2\x1b[31m\u202e {'x' * 500}")
    await world.inbox.take(BACKUP, told)
    assert world.journal
    assert world.journal.end
    assert world.journal.end.text.startswith("no login as ••• xxx")
    assert len(world.journal.end.text) <= LONGEST_TEXT


async def test_thousands_of_reports_make_no_queue() -> None:
    """All of them are answered, and what waits to be written is one line."""
    world = World()
    reports = [Report(said, run=str(number)) for number in range(1_000) for said in Said]
    taken = await asyncio.gather(*(world.inbox.take(BACKUP, report) for report in reports))
    assert set(taken) == {Taken.DURABLE}
    (kept,) = world.backlog.take(0).keepsakes
    assert len(kept.body) < 3_000
    assert world.journal
    assert len(world.journal.running) <= 10


class Store:
    """A store that knows a job of an earlier process."""

    def __init__(self, *kept: Keepsake) -> None:
        self._kept = list(kept)

    async def keepsakes(self) -> list[Keepsake]:
        return self._kept


PAST = Journal(since=START - DAY, schedule="1 day, 0:00:00").hear(Report(Said.START, run="old"), START - DAY)


async def recalled(world: World, *kept: Keepsake) -> tuple[Keepsake, ...]:
    return await recall_keepsakes(cast("StoreOfOurs", Store(*kept)), world.plans, world.of, lambda _: None)


async def test_what_was_kept_is_known_again() -> None:
    world = World()
    gone = Keepsake(CheckId("shop", "gone"), TOPIC, PAST.body)
    assert await recalled(world, Keepsake(BACKUP, TOPIC, PAST.body), gone) == ()
    assert world.journal == PAST


async def test_what_is_no_memory_of_a_run_goes_elsewhere() -> None:
    """And is written again where it changed on the way."""
    world = World()
    same, other = (Keepsake(BACKUP, topic, "1") for topic in ("same", "other"))
    changed = Keepsake(BACKUP, "other", "2")
    store = cast("StoreOfOurs", Store(same, other))
    taken = {same: same, other: changed}
    assert await recall_keepsakes(store, world.plans, world.of, taken.get) == (changed,)
    assert "same" not in world.of(world.plans[BACKUP])


async def test_what_came_before_the_store_could_be_read_is_joined_with_it() -> None:
    """And written again: what waits to be written knows nothing of what was kept."""
    world = World(durable=False)
    await world.inbox.take(BACKUP, OK)
    joined = await recalled(world, Keepsake(BACKUP, TOPIC, PAST.body))
    assert world.journal
    assert (world.journal.since, world.journal.success) == (START - DAY, START)
    assert world.journal.running.keys() == {"old"}
    assert joined == (Keepsake(BACKUP, TOPIC, world.memory[BACKUP][TOPIC]),)


async def test_what_another_kind_keeps_is_as_it_was_kept() -> None:
    world = World()
    world.memory[SITE] = {"leftovers": "[2]"}
    assert await recalled(world, Keepsake(SITE, "leftovers", "[1]")) == (Keepsake(SITE, "leftovers", "[1]"),)
    assert world.memory[SITE] == {"leftovers": "[1]"}


def test_a_kind_that_nobody_reports_to_hears_nothing() -> None:
    world = World()
    check = world.plans[SITE].check
    assert (check.reported_with, check.hear(OK, START, {})) == (None, ("", ""))

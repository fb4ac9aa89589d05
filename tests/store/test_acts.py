"""What people do, as every store keeps it: asked for by anybody, done once; silences, posts, maintenance."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select

from monitor.model import Act, Change, CheckId, Post, Scope, Silence, State
from monitor.store import LeaseLost, Retention, StoreUnavailable, StoreUnusable, read_store, schema, visit_store
from monitor.store.database import all_rows
from monitor.store.rollup import Rollup
from tests.acceptance.forks import ROOT
from tests.fakes import START
from tests.store import values
from tests.store.files import content, leading
from tests.store.values import BEGINNING, HOUR, SECOND, SITE, act, sample, silence, step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from monitor.store import Store
    from tests.store.databases import Databases

ANY_EXAMPLE = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
BASKET = CheckId("shop", "basket")
NUMBERS = itertools.count()
EVERYTHING, SHOP = Scope(), Scope("shop")

ASK = """
import asyncio, sys
from monitor.store import visit_store
from tests.store.values import act

async def ask():
    store = await visit_store(sys.argv[1])
    for number in range(int(sys.argv[2])):
        await store.ask(act(f"act {number}"))
    print(len(await store.acts()))
    await store.close()

asyncio.run(ask())
"""


@ANY_EXAMPLE
@given(asked=values.acts)
async def test_an_act_comes_back_as_it_was_until_it_is_done(store: Store, asked: Act) -> None:
    asked = replace(asked, id=f"{asked.id} {next(NUMBERS)}")
    await store.ask(asked)
    assert await store.acts() == [asked]
    await store.write([Change(done=(asked,))])
    assert await store.acts() == []


async def test_what_was_asked_for_twice_is_there_once_as_it_was_first(store: Store) -> None:
    await store.ask(act("b"))
    await store.ask(act("a", START + SECOND))
    await store.ask(replace(act("b"), who="somebody else"))
    assert await store.acts() == [act("b"), act("a", START + SECOND)]


async def test_an_act_that_is_done_does_not_come_back_for_a_day(address: str) -> None:
    """However it was done: asked for before, or heard of by the leader itself. Then nobody remembers it."""
    store = await leading(address)
    await store.ask(act("asked"))
    await store.write([Change(done=(act("asked"), act("heard")))])
    for hours in (1, 20, 24):
        await store.tidy(START + hours * HOUR)
        await store.ask(act("asked"))
        await store.ask(act("heard"))
        assert await store.acts() == []
    await store.tidy(START + 26 * HOUR)
    await store.ask(act("asked"))
    assert await store.acts() == [act("asked")]
    await store.close()


async def test_an_act_that_nobody_carries_out_is_forgotten_after_sixty_days(store: Store) -> None:
    await store.ask(act("old"))
    await store.tidy(START + 59 * DAY)
    assert await store.acts() == [act("old")]
    await store.tidy(START + 61 * DAY)
    assert await store.acts() == []


async def test_who_does_not_lead_asks_beside_who_does(store: Store, address: str) -> None:
    """It writes nothing else; the leader goes on in its term."""
    visitor = await visit_store(address)
    await visitor.ask(act("1"))
    assert await visitor.acts() == await store.acts() == [act("1")]
    assert not await visitor.lead()
    with pytest.raises(LeaseLost):
        await visitor.write([Change(done=(act("1"),))])
    await store.write([step(1)])
    assert len(await visitor.journal(BEGINNING)) == 1
    await visitor.close()
    await store.write([step(2)])
    assert await store.lead()


async def test_who_only_reads_sees_it_all_and_asks_for_nothing(store: Store, address: str) -> None:
    await store.ask(act("1"))
    await store.write([step(3)])
    reader = await read_store(address)
    assert await reader.acts() == await store.acts()
    assert await reader.silences(BEGINNING) == await store.silences(BEGINNING) != []
    assert await reader.posts() == await store.posts() != []
    if address.startswith("sqlite"):
        with pytest.raises(StoreUnavailable, match="readonly"):
            await reader.ask(act("2"))
    await reader.close()


async def test_where_no_store_is_none_is_made(
    address_of: Callable[[Path], str], tmp_path: Path, databases: Databases
) -> None:
    sqlite = address_of(tmp_path).startswith("sqlite")
    with pytest.raises(StoreUnusable, match="there is no store"):
        await visit_store(address_of(tmp_path) if sqlite else databases.fresh())
    assert content(tmp_path) == {}


async def test_an_older_schema_is_left_as_it_is(path: Path) -> None:
    await (await leading(path)).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"UPDATE alembic_version SET version_num = '{schema.CURRENT - 1}'")
    with pytest.raises(StoreUnusable, match="monitor migrate"):
        await visit_store(path)


async def test_a_leader_writes_while_others_ask(store: Store, address: str) -> None:
    """Several processes, each with many acts under the same ids: no write fails, each act is there once."""
    asking = [asyncio.create_task(in_process(address, 40)) for _ in range(2)]
    written = 0
    while not all(task.done() for task in asking):
        await store.write([step(written)])
        written += 1
        await asyncio.sleep(0.02)  # SQLite gives nobody a turn who must wait for one that never pauses
    assert [await task for task in asking] == [40, 40]
    assert written > 10
    assert {one.id for one in await store.acts()} <= {f"act {number}" for number in range(40)}


async def in_process(address: str, count: int) -> int:
    command = [sys.executable, "-c", ASK, address, str(count)]
    run = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert run.stderr == ""
    return count if int(run.stdout) <= count else -1


async def test_one_that_stops_after_it_asked_holds_nothing(path: Path) -> None:
    """No lock outlives the statement: the leader writes on while the other process stands still."""
    store = await leading(path)
    text = ASK.replace(
        "print", "print('asked', flush=True); import os, signal; os.kill(os.getpid(), signal.SIGSTOP); print"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", text, str(path), "1", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() == b"asked\n"
    await store.write([step(1)])
    await store.tidy(START + HOUR)
    os.kill(process.pid, signal.SIGCONT)
    assert await process.wait() == 0
    await store.close()


async def test_a_file_that_is_gone_takes_no_act(path: Path) -> None:
    store = await leading(path)
    path.unlink()  # noqa: ASYNC240 - one small file
    with pytest.raises(StoreUnavailable, match="deleted or replaced"):
        await store.ask(act("1"))
    await store.close()


async def test_an_act_of_another_release_keeps_nobody_from_the_others(store: Store) -> None:
    await store.ask(act("1"))
    await store.ask(act("2"))
    database = store._database  # type: ignore[attr-defined]
    await database.write(
        lambda connection: connection.exec_driver_sql("UPDATE acts SET body = '{\"deed\": \"x\"}' WHERE id = '1'")
    )
    assert await store.acts() == [act("2")]


@ANY_EXAMPLE
@given(written=values.silences)
async def test_a_silence_comes_back_as_it_was(store: Store, written: Silence) -> None:
    written = replace(written, maintenance=False)
    await store.write([Change(silences=(written,))])
    assert written in await store.silences(BEGINNING)


async def test_of_a_silence_the_last_state_stays_and_those_that_ended_are_left_out(store: Store) -> None:
    early, late = (silence(name, START + n * HOUR, START + 9 * HOUR) for n, name in enumerate(("early", "late")))
    await store.write([Change(silences=(late, early))])
    assert await store.silences(START) == [early, late]
    lifted = replace(early, until=START + 2 * HOUR)
    await store.write([Change(silences=(replace(early, until=START),)), Change(silences=(lifted,))])
    assert await store.silences(START) == [lifted, late]
    assert await store.silences(START + 2 * HOUR) == [late]


async def test_of_a_post_the_last_one_stays(store: Store) -> None:
    """By channel and incident."""
    first, other = Post("ops", "a", "C1/1", START + SECOND), Post("team", "a", "C2/1", START)
    await store.write([Change(posts=(first, other))])
    anew = replace(first, reference="C1/9")
    await store.write([Change(posts=(first, anew))])
    assert await store.posts() == [other, anew]


async def test_silences_and_posts_go_after_their_time(address: str) -> None:
    store = await leading(address, Retention(hours=timedelta(days=9)))
    old, kept = silence("old", START, START + HOUR), silence("kept", START, START + 3 * DAY)
    await store.write([Change(silences=(old, kept), posts=(Post("ops", "a", "1", START),))])
    await store.tidy(START + 10 * DAY)
    assert await store.silences(BEGINNING) == [kept]
    assert len(await store.posts()) == 1
    await store.tidy(START + 61 * DAY)
    assert (await store.silences(BEGINNING), await store.posts()) == ([], [])
    await store.close()


def runs(*checks: CheckId) -> Change:
    """Return two hours in which each of the checks is down at the full minutes."""
    return Change(
        samples=tuple(sample(START + n * MINUTE, n, check, State.DOWN) for n in range(120) for check in checks)
    )


async def counted(store: Store) -> Mapping[str, list[int]]:
    """Return how many runs of each check were down, hour by hour; the measures count the same."""
    found = {}
    for check in await store.checks():
        hours = await store.hours(check, BEGINNING)
        assert all(sum(one.count for one in hour.measures) == hour.down for hour in hours)
        found[check.check] = [hour.down for hour in hours]
    return found


MOVE = START + 30 * MINUTE, START + 90 * MINUTE


@pytest.mark.parametrize(
    ("scope", "maintenance", "site", "basket"),
    [
        (Scope(*SITE), True, [30, 30], [60, 60]),
        (SHOP, True, [30, 30], [30, 30]),
        (EVERYTHING, True, [30, 30], [30, 30]),
        (Scope("shed"), True, [60, 60], [60, 60]),
        (Scope("", "site"), True, [30, 30], [60, 60]),
        (Scope(*SITE), False, [60, 60], [60, 60]),
        (Scope(*SITE, alert="down"), True, [60, 60], [60, 60]),
        (Scope(*SITE, labels=(("region", "eu"),)), True, [60, 60], [60, 60]),
    ],
)
@pytest.mark.parametrize("late", [False, True])
async def test_runs_during_maintenance_do_not_count(
    store: Store, scope: Scope, maintenance: bool, site: list[int], basket: list[int], late: bool
) -> None:
    """From its first moment to before its last, also when it is told of after the hours were summed up."""
    noted = Change(silences=(silence("move", *MOVE, scope, maintenance=maintenance),))
    await store.write([runs(SITE, BASKET), *(() if late else [noted])])
    await store.tidy(START + 2 * HOUR)
    if late:
        assert await counted(store) == {"site": [60, 60], "basket": [60, 60]}
        await store.write([noted])
        await store.tidy(START + 2 * HOUR)
    assert await counted(store) == {"site": site, "basket": basket}


async def test_maintenance_that_ends_earlier_than_was_said_is_taken_back(store: Store) -> None:
    """Only the hours between the two ends are computed anew, and none when nothing changed."""
    move = silence("move", START, START + 2 * HOUR)
    await store.write([runs(SITE), Change(silences=(move,))])
    await store.tidy(START + 2 * HOUR)
    assert await counted(store) == {"site": [0, 0]}
    await store.write([Change(silences=(move,))])
    assert await marked(store) == 0
    await store.write([Change(silences=(replace(move, until=START + HOUR + MINUTE),))])
    assert await marked(store) == 1
    await store.tidy(START + 2 * HOUR)
    assert await counted(store) == {"site": [0, 59]}
    await store.write([Change(silences=(replace(move, until=START + 9 * HOUR),))])
    await store.tidy(START + 2 * HOUR)
    assert await counted(store) == {"site": [0, 0]}


async def marked(store: Store) -> int:
    database = store._database  # type: ignore[attr-defined]
    return len(await database.read(partial(all_rows, select(schema.late))))


async def test_maintenance_that_is_told_of_while_its_hour_is_summed_up_is_not_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what is read and what is written of the hour, where no row of it is there to be marked."""
    save, move = Rollup._save, silence("move", START, START + 2 * HOUR)

    async def late(self: Rollup, *arguments: object) -> None:
        await store.write([Change(silences=(move,))])
        await save(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Rollup, "_save", late)
    await store.write([runs(SITE)])
    await store.tidy(START + HOUR)
    assert await counted(store) == {"site": [0]}


async def test_what_is_older_than_the_samples_stays_as_it_was(address: str) -> None:
    """There is nothing left to compute it from."""
    store = await leading(address, Retention(samples=HOUR))
    await store.write([runs(SITE)])
    await store.tidy(START + 9 * HOUR)
    await store.write([Change(silences=(silence("move", START, START + 2 * HOUR),))])
    await store.tidy(START + 9 * HOUR)
    assert await counted(store) == {"site": [60, 60]}
    await store.close()

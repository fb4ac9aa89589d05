"""The commands that do something, in this process, at a real store; tests/acceptance/test_acting.py has a daemon."""

from __future__ import annotations

import asyncio
import getpass
import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from typer.testing import CliRunner

from monitor import errand
from monitor.cli import app
from monitor.clock import SystemClock
from monitor.errand import within
from monitor.model import (
    Acknowledgement,
    Act,
    Alert,
    AlertKey,
    Change,
    CheckId,
    Deed,
    Event,
    EventKind,
    Scope,
    Severity,
)
from tests import story
from tests.fakes import FakeClock, ImpatientClock
from tests.store.files import leading
from tests.store.values import keys, scopes, silence

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

    from monitor.store import Store
    from tests.postgres import Cluster

HOUR = timedelta(hours=1)
NUMBERS = itertools.count()


class Impatient(ImpatientClock):
    def __init__(self) -> None:
        super().__init__(FakeClock(SystemClock().now()))


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return where a store is that holds the story."""
    address = f"sqlite:///{tmp_path / 'story.db'}"
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgres")
        name = f"errand_{next(NUMBERS)}"
        cluster.psql(f"CREATE DATABASE {name} TEMPLATE template0")
        address = cluster.dsn(name)
    asyncio.run(change(address, story.CHANGE))
    return address


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Return where a store in a file is that holds the story."""
    address = f"sqlite:///{tmp_path / 'story.db'}"
    asyncio.run(change(address, story.CHANGE))
    return address


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a daemon that is not there."""
    monkeypatch.setattr(errand, "PATIENCE", timedelta())


async def change(where: str, *changes: Change) -> None:
    store = await leading(where)
    await store.write(changes)
    await store.close()


async def asked(where: str) -> list[Act]:
    store = await leading(where)
    found = await store.acts()
    await store.close()
    return found


def monitor(where: str, *words: str) -> Result:
    return CliRunner().invoke(app, words, env={"MONITOR_DATABASE_URL": where, "LOGNAME": "dora"})


def test_what_nobody_carries_out_yet_is_noted(where: str) -> None:
    """On a file and on a server; with who, why and until when."""
    words = ["ack", "shop/database", "--for", "2h", "--why", "on\nit", "--alert", "connections"]
    ended = monitor(where, *words)
    assert (ended.exit_code, ended.output) == (0, f"{errand.LATER}\n")
    assert monitor(where, "silence", "all", "--until", "2027-01-01 00:00", "--maintenance").exit_code == 0
    ack, quiet = asyncio.run(asked(where))
    assert (ack.deed, ack.who, ack.why, ack.scope) == (
        *(Deed.ACKNOWLEDGE, "dora", "on it"),
        Scope("shop", "database", "connections"),
    )
    assert ack.until == ack.at + 2 * HOUR
    assert (quiet.deed, quiet.scope, quiet.maintenance, f"{quiet.until:%Y-%m-%d}") == (
        *(Deed.SILENCE, Scope(), True),
        "2027-01-01",
    )


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["ack", "shop/sight"], 2, "there is no check 'shop/sight'; did you mean shop/site?"),
        (["ack", "shed"], 2, "there is no system 'shed'; allowed: shop, shop/database, shop/site"),
        (["ack", "shop/site"], 1, "nothing fires at shop/site"),
        (["ack", "shop", "--alert", "conections"], 2, "no alert 'conections' fires there; did you mean connections?"),
        (["ack", "shop", "--for", "soon"], 2, "--for: 'soon' is not a duration"),
        (["silence"], 2, "say what: a system, a check or all; or --list"),
        (["silence", "shop"], 2, "a silence must end; say --for 1h, or --until '2026-11-22 18:00'"),
        (["silence", "shed", "--for", "1h"], 2, "there is no system 'shed'"),
        (["silence", "shop", "--for", "1h", "--lift"], 2, "--lift: ends silences, now"),
        (["silence", "--list", "--lift"], 2, "--list: only lists"),
        (["silence", "shop", "--until", "1999-01-01 00:00"], 2, "--until: '1999-01-01 00:00' ends before it begins"),
        (["silence", "shop", "--until", "2027-01-01 00:00", "--zone", "Mars"], 2, "'Mars' is not a time zone"),
        (["silence", "shop", "--for", "1h", "--label", "region"], 2, "--label: 'region' is not a name and a value"),
        (["silence", "--list"], 0, "nothing is silenced"),
        (["silence", "shop", "--lift"], 1, "nothing is silenced at shop"),
        (["note", "shop", "what"], 2, "'shop' is a system; name one check of it"),
        (["note", "shop/site", " \u200b "], 2, "TEXT: there is nothing to note"),
        (["history", "note"], 2, "there is no system 'note'"),
        (["history", "note", "--since", "1d"], 2, "there is no system 'note'"),
    ],
)
def test_what_a_command_says(file: str, words: list[str], status: int, said: str) -> None:
    ended = monitor(file, *words)
    assert (ended.exit_code, said in ended.output) == (status, True), ended.output
    assert asyncio.run(asked(file)) == []


def test_a_note_is_left_by_either_name(file: str) -> None:
    for words in (["note"], ["history", "note"]):
        assert monitor(file, *words, "shop/site", "it was the cache", "--who", "anna").output == f"{errand.LATER}\n"
    assert [(one.deed, one.why, one.who) for one in asyncio.run(asked(file))] == [
        (Deed.NOTE, "it was the cache", "anna")
    ] * 2


def test_silences_are_listed_and_lifted_one_by_one(file: str) -> None:
    """Those that lie within what is named; each by its id."""
    now = SystemClock().now()
    scopes = {"a": Scope("shop"), "b": Scope("shop", "site", "down", (("region", "eu"),)), "c": Scope()}
    made = tuple(silence(name, now - HOUR, now + HOUR, scope) for name, scope in scopes.items())
    asyncio.run(change(file, Change(silences=made)))
    listed = monitor(file, "silence", "--list").output.splitlines()
    assert [line.split(": ")[0] for line in listed] == ["shop", "shop/site down region=eu", "everything"]
    assert all(line.endswith("by anna (a move)") and ": maintenance from " in line for line in listed)
    assert len(monitor(file, "silence", "shop/site", "--list").output.splitlines()) == 1
    assert monitor(file, "silence", "shop", "--lift").exit_code == 0
    lifts = {(one.deed, one.incident, one.scope) for one in asyncio.run(asked(file))}
    assert lifts == {(Deed.LIFT, name, scopes[name]) for name in "ab"}


def test_where_there_is_no_user_somebody_acts(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs under a number."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", nobody)
    monkeypatch.delenv("HOSTNAME", raising=False)
    monitor(file, "silence", "shop", "--for", "1h")
    assert [one.who for one in asyncio.run(asked(file))] == ["somebody"]


async def test_an_act_is_waited_for_until_it_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(errand, "PATIENCE", timedelta(seconds=5))
    store = await leading(tmp_path / "monitor.db")
    acts = [replace(errand_act(), id=name) for name in ("a", "b")]

    class Clock(Impatient):
        async def sleep_until(self, moment: object) -> None:
            await super().sleep_until(moment)  # type: ignore[arg-type]
            await store.write([Change(done=(acts.pop(),))]) if acts else None

    clock = Clock()
    assert await errand.leave(store, list(acts), clock)
    assert clock.waited < timedelta(seconds=1)
    patient = Impatient()
    assert not await errand.leave(store, [replace(errand_act(), id="c")], patient)
    assert patient.waited >= timedelta(seconds=5)
    await store.close()


def errand_act() -> Act:
    return errand.lift_of(silence("night", story.MORNING, story.MORNING + HOUR), _act(), "lift")


def _act() -> Act:
    return Act("", story.MORNING, Deed.NOTE, "anna", Scope("shop", "site"))


async def test_what_came_of_an_acknowledgement(tmp_path: Path) -> None:
    """Taken, over meanwhile, or still as it was."""
    store: Store = await leading(tmp_path / "monitor.db")
    firing = story.CHANGE.alerts[0]
    taken = Acknowledgement("anna", story.MORNING, Severity.CRITICAL, story.MORNING + HOUR, "on it")
    await store.write([Change(alerts=(replace(firing, acknowledged=taken),))])
    over = replace(firing, key=AlertKey(CheckId("shop", "gone"), "down"), title="Shop: Gone: down")
    assert await errand.acknowledged(store, [firing, over]) == (
        [
            "Shop: Database: connections: acknowledged by anna until 2026-01-05 13:00:00 (on it)",
            "Shop: Gone: down: over meanwhile",
        ],
        True,
    )
    await store.write([Change(alerts=(firing,))])
    assert await errand.acknowledged(store, [firing]) == (
        ["Shop: Database: connections: still not acknowledged"],
        False,
    )
    await store.close()


async def test_what_came_of_a_silence_and_a_note(tmp_path: Path) -> None:
    store: Store = await leading(tmp_path / "monitor.db")
    night, wish = silence("night", story.MORNING, story.MORNING + HOUR, Scope("shop"), maintenance=False), _act()
    asked_for = replace(wish, id="night", deed=Deed.SILENCE)
    assert await errand.silenced(store, asked_for) == (["shop/site: not silenced"], False)
    await store.write([Change(silences=(night,))])
    line = "shop: silenced from 2026-01-05 12:00:00 until 2026-01-05 13:00:00 by anna (a move)"
    assert await errand.silenced(store, asked_for) == ([line], True)
    assert await errand.lifted(store, [night], story.MORNING) == (["shop: still silenced"], False)
    await store.write([Change(silences=(replace(night, until=story.MORNING),))])
    assert await errand.lifted(store, [night], story.MORNING) == (["shop: lifted"], True)
    assert await errand.noted(store, wish) == (["shop/site: nothing to note it of"], False)
    noted = Event(story.OUTAGE, story.MORNING, EventKind.NOTED, detail="the cache (anna)")
    await store.write([Change(events=(noted,))])
    assert await errand.noted(store, wish) == (["noted: shop/site down"], True)
    await store.close()


async def test_an_alert_of_a_check_without_a_sample_can_be_named(tmp_path: Path) -> None:
    """As one that gave no data from the first."""
    store: Store = await leading(tmp_path / "monitor.db")
    await store.write([Change(alerts=(Alert(story.OUTAGE, severity=Severity.WARNING, since=story.MORNING),))])
    assert await errand.scope_of(store, "shop/site") == Scope("shop", "site")
    assert len(await errand.firing(store, Scope("shop"))) == 1
    await store.close()


@given(inner=scopes, outer=scopes, key=keys)
def test_what_lies_within_covers_nothing_beyond(inner: Scope, outer: Scope, key: AlertKey) -> None:
    if within(inner, outer) and inner.covers(key):
        assert outer.covers(key)
    assert within(inner, Scope())
    assert within(inner, inner)

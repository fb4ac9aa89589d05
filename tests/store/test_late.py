"""A store that comes late."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import Change
from monitor.store import LeaseLost, StoreUnavailable, open_store
from monitor.store.late import LateStore
from tests.examples import SITE, notification, sample
from tests.fakes import START
from tests.store.values import act

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.store import Store


class Opening:
    """Opens the store at a path from the third call on; notes what is told of it."""

    def __init__(self, path: Path) -> None:
        self.path, self.calls, self.seen = path, 0, 0

    async def open_it(self) -> Store:
        self.calls += 1
        if self.calls < 3:
            raise StoreUnavailable("not yet")
        return await open_store(self.path)

    async def opened(self, store: Store) -> None:
        self.seen += 1
        assert await store.alerts() == []


async def test_it_is_unavailable_until_it_can_be_opened_and_then_everything_is_passed_on(tmp_path: Path) -> None:
    """What it holds is taken up before anything is written."""
    opening = Opening(tmp_path / "monitor.db")
    store = LateStore(opening.open_it, opening.opened)
    await store.close()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await store.alerts()
    note = notification()
    with pytest.raises(StoreUnavailable):
        await store.write([])  # decided before anything was known: it comes again, joined with what is remembered
    await store.write([Change(samples=(sample(0),), owed=(note,))])
    assert opening.seen == 1
    before = START - timedelta(hours=1)
    assert await store.samples(SITE, before) == [sample(0)]
    assert [one async for one in store.replay(before)] == [sample(0)]
    assert [owed.notification for owed in await store.owed()] == [note]
    assert await store.journal(before) == []
    await store.ask(act("1"))
    assert [one.id for one in await store.acts()] == ["1"]
    assert (await store.silences(before), await store.posts()) == ([], [])
    assert [one.notification for one in await store.dispatches(before)] == [note]
    assert [check.system for check in await store.checks()] == ["shop"]
    assert await store.hours(SITE, before) == []
    assert [hour async for hour in store.replay_hours(SITE, before, {"duration"})] == []
    await store.tidy(START)
    await store.close()


async def test_what_fails_when_it_is_taken_up_closes_it_again(tmp_path: Path) -> None:
    """The next call tries anew."""

    async def broken(_store: Store) -> None:
        raise ZeroDivisionError

    store = LateStore(lambda: open_store(tmp_path / "monitor.db"), broken)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await store.open()


class Turns:
    """Two instances on one database: ours comes late, the other one leads when it is told to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.taken_up: list[int] = []
        self.late = LateStore(lambda: open_store(path), self.opened)

    async def opened(self, store: Store) -> None:
        """Note how much was there."""
        self.taken_up.append(len(await store.owed()))


async def test_nothing_is_taken_up_before_it_leads(tmp_path: Path) -> None:
    """Whoever leads until then still writes; then everything is there."""
    turns = Turns(tmp_path / "monitor.db")
    late, other = turns.late, await open_store(turns.path)
    assert late.owner == ""
    assert await other.lead()
    for _ in range(2):
        assert not await late.lead()
        assert (late.owner, late.reached, turns.taken_up) == (other.owner, False, [])
        with pytest.raises(LeaseLost, match="leads"):
            await late.write([Change(samples=(sample(0),))])
    await other.write([Change(owed=(notification(),))])
    await other.close()
    assert await late.lead()
    assert await late.lead()
    assert (late.reached, turns.taken_up) == (True, [1])
    await late.write([Change(samples=(sample(0),))])
    await late.close()


async def test_who_waits_can_ask_and_look(tmp_path: Path) -> None:
    """What it asks for is there for the one that leads, and nothing is taken up for it."""
    turns = Turns(tmp_path / "monitor.db")
    late, other = turns.late, await open_store(turns.path)
    assert await other.lead()
    await late.ask(act("1"))
    assert [one.id for one in await other.acts()] == ["1"]
    assert await (await late.open_to_look()).acts() == await other.acts()
    assert not await late.lead()
    assert (late.reached, turns.taken_up) == (False, [])
    await late.resign()
    await late.ask(act("2"))
    assert [one.id for one in await other.acts()] == ["1", "2"]
    await late.close()
    await other.close()


async def test_a_term_that_was_lost_is_not_followed_by_another(tmp_path: Path) -> None:
    """What the process remembers has been overtaken, so it must never be written."""
    turns = Turns(tmp_path / "monitor.db")
    late, other = turns.late, await open_store(turns.path)
    assert await late.lead()
    turns.path.with_name("monitor.db.lock").unlink()
    assert await other.lead()
    with pytest.raises(LeaseLost):
        await late.write([Change(samples=(sample(0),))])
    with pytest.raises(LeaseLost):
        await late.lead()
    await other.close()
    for call in (late.lead, late.open, late.alerts):
        with pytest.raises(LeaseLost):
            await call()
    assert not late.reached
    assert turns.taken_up == [0]
    await late.close()


async def test_who_has_resigned_stays_so(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "monitor.db")
    unopened = LateStore(lambda: open_store(turns.path), turns.opened)
    await unopened.resign()
    late, other = turns.late, await open_store(turns.path)
    await late.open()
    await late.resign()
    assert await other.lead()
    await other.close()
    for store in (late, unopened):
        with pytest.raises(LeaseLost, match="resigned"):
            await store.lead()
        await store.close()

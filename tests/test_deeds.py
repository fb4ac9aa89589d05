"""What follows from what people do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model import Act, AlertKey, CheckId, Deed, EventKind, Scope, State
from tests.examples import SECOND
from tests.fakes import START
from tests.plans import plan
from tests.test_pipeline import Bench

HOUR = timedelta(hours=1)
SITE = Scope("shop", "site")
LOST = State.DOWN


def act(deed: Deed, scope: Scope = SITE, **fields: object) -> Act:
    known: dict[str, object] = {"id": f"{deed} 1", "at": START, "who": "ana"}
    return Act(**{**known, "deed": deed, "scope": scope, **fields})  # type: ignore[arg-type]


async def firing() -> Bench:
    bench = Bench(plan(failures=1))
    await bench.take(0, LOST)
    bench.owed.clear()
    return bench


async def test_whoever_takes_an_alert_is_told_to_the_others() -> None:
    """Quietly, once, however often it is said; the journal has it."""
    bench = await firing()
    taking = act(Deed.ACKNOWLEDGE, why="looking")
    assert await bench.pipeline.carry_out(taking) == "Shop: Site: down: taken by ana until 2026-01-05 16:00 UTC."
    assert {(note.channel, note.kind, note.quiet) for note, _ in bench.owed} == {
        ("ops", EventKind.ACKNOWLEDGED, True),
        ("phone", EventKind.ACKNOWLEDGED, True),
    }
    assert bench.store.changes[-1].done == (taking,)
    (event,) = bench.store.changes[-1].events
    assert event.detail == "ana until 2026-01-05 16:00 UTC: looking"
    await bench.pipeline.carry_out(taking)
    assert len(bench.owed) == 2
    assert bench.store.events().count(EventKind.ACKNOWLEDGED) == 1


async def test_an_acknowledgement_of_what_is_over_does_nothing_and_says_so() -> None:
    """A button under an old message, and a check that is well."""
    bench = await firing()
    said = await bench.pipeline.carry_out(act(Deed.ACKNOWLEDGE, incident="an older one"))
    assert said == "That incident is over."
    assert (
        await bench.pipeline.carry_out(act(Deed.ACKNOWLEDGE, Scope("shop", "cart")))
        == "Nothing of shop/cart fires now."
    )
    assert (
        await bench.pipeline.carry_out(act(Deed.ACKNOWLEDGE, until=START))
        == "An acknowledgement must end in the future."
    )
    assert bench.owed == []
    assert EventKind.ACKNOWLEDGED not in bench.store.events()


async def test_it_lapses_and_the_journal_says_so() -> None:
    """The reminder that was due meanwhile comes then."""
    bench = await firing()
    await bench.pipeline.carry_out(act(Deed.ACKNOWLEDGE, until=START + 2 * HOUR))
    bench.owed.clear()
    await bench.take(3_600, LOST)
    assert bench.owed == []
    await bench.take(7_200, LOST)
    assert {note.kind for note, _ in bench.owed} == {EventKind.REPEATED}
    assert bench.store.events().count(EventKind.LAPSED) == 1


async def test_a_silence_holds_back_what_is_new_and_swallows_no_end() -> None:
    """What was told before is resolved; what still fires at its end is told."""
    bench = await firing()
    said = await bench.pipeline.carry_out(act(Deed.SILENCE, Scope("shop")))
    assert said.startswith("shop: silent until 2026-01-05 13:00 UTC.")
    assert [silence.scope for silence in bench.store.changes[-1].silences] == [Scope("shop")]
    for second in (10, 20):
        await bench.take(second)
    assert {note.kind for note, _ in bench.owed} == {EventKind.RESOLVED}
    bench.owed.clear()
    await bench.take(30, LOST)
    assert bench.owed == []
    await bench.take(3_601, LOST)
    assert {note.kind for note, _ in bench.owed} == {EventKind.OPENED}


async def test_a_silence_comes_once_and_can_be_lifted() -> None:
    """By its scope, or by its id; what it held back is told then."""
    bench = Bench(plan(failures=1))
    hush = act(Deed.SILENCE, until=START + 5 * HOUR)
    await bench.pipeline.carry_out(hush)
    assert "silent already" in await bench.pipeline.carry_out(hush)
    await bench.take(10, LOST)
    assert bench.owed == []
    assert await bench.pipeline.carry_out(act(Deed.LIFT, Scope("bank"))) == "No silence of bank is in force."
    assert await bench.pipeline.carry_out(act(Deed.LIFT)) == "shop/site: no longer silent."
    assert bench.store.changes[-1].silences[0].until == START + 10 * SECOND
    await bench.take(20, LOST)
    assert {note.kind for note, _ in bench.owed} == {EventKind.OPENED}
    other = replace(hush, id="another", until=None)
    await bench.pipeline.carry_out(other)
    assert await bench.pipeline.carry_out(act(Deed.LIFT, Scope(), incident="another")) == "shop/site: no longer silent."
    assert await bench.pipeline.carry_out(act(Deed.SILENCE, id="x", until=START)) == "A silence must end in the future."


async def test_a_note_belongs_to_the_alert() -> None:
    """To what fires, to the named one, or to the check's outage."""
    bench = await firing()
    await bench.pipeline.carry_out(act(Deed.NOTE, why="restarted the worker"))
    (event,) = bench.store.changes[-1].events
    assert (event.kind, event.key.name, event.detail) == (EventKind.NOTED, "down", "restarted the worker (ana)")
    await bench.pipeline.carry_out(act(Deed.NOTE, Scope("shop", "site", "slow"), why="scaled out"))
    assert bench.store.changes[-1].events[0].key == AlertKey(CheckId("shop", "site"), "slow")
    assert await bench.pipeline.carry_out(act(Deed.NOTE, Scope("bank"))) == "A note needs a check, such as shop/site."


async def test_a_run_is_not_the_pipelines_business() -> None:
    """It is noted as done."""
    bench = Bench(plan())
    assert await bench.pipeline.carry_out(act(Deed.RUN)) == "shop/site was asked to run."
    assert bench.store.changes[-1].done


@pytest.mark.parametrize(
    ("scope", "text", "covered"),
    [
        (Scope(), "everything", True),
        (Scope("shop"), "shop", True),
        (Scope("shop", "site"), "shop/site", True),
        (Scope("shop", "site", "down"), "shop/site down", True),
        (Scope("shop", "site", "", (("user", "x"),)), "shop/site  user=x", False),
        (Scope("bank"), "bank", False),
        (Scope("shop", "cart"), "shop/cart", False),
        (Scope("shop", "site", "slow"), "shop/site slow", False),
    ],
)
def test_a_scope_covers_what_it_names(scope: Scope, text: str, *, covered: bool) -> None:
    """And reads as a command takes it."""
    assert str(scope).split() == text.split()
    assert scope.covers(AlertKey(CheckId("shop", "site"), "down")) is covered

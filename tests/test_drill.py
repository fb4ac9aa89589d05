"""Drills as they are decided: begun, told, taken or not, and what is reported of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.drill import GRACE, LEAST, MOST, Answer, answers, begin, end, incident_of, key_of, late, look, outcome
from monitor.drill import page as page_of
from monitor.message import message_of
from monitor.model import (
    DRILL,
    Act,
    Alert,
    Attempt,
    AttemptResult,
    CheckId,
    Deed,
    Delivery,
    Dispatch,
    EventKind,
    Notification,
    Phase,
    Scope,
    Severity,
    State,
    Told,
)
from tests.examples import SECOND
from tests.fakes import START
from tests.plans import plan
from tests.test_pipeline import Bench

MINUTE = timedelta(minutes=1)
SITE = CheckId("shop", "site")
KEY = key_of(SITE)
TITLE = "Drill, nothing is broken: Shop: Site"
C, W = Severity.CRITICAL, Severity.WARNING
DELIVERED, RETRY, REJECTED = AttemptResult.DELIVERED, AttemptResult.RETRY, AttemptResult.REJECTED
TAKERS = {C: ["ops", "phone", "boss"], W: ["ops", "boss"]}


Try = tuple[float, AttemptResult, str]


def asks(**fields: object) -> Act:
    known = {"id": "d1", "at": START, "deed": Deed.DRILL, "who": "eve", "scope": Scope(*SITE), "severity": C}
    return Act(**{**known, "until": START + 15 * MINUTE, **fields})  # type: ignore[arg-type]


def takes(at: float = 0, **fields: object) -> Act:
    known = {"id": f"ack {at}", "at": START, "deed": Deed.ACKNOWLEDGE, "who": "ana", "scope": Scope("shop")}
    return Act(**{**known, **fields})  # type: ignore[arg-type]


async def drilled(*states: State) -> Bench:
    bench = Bench(plan(failures=1))
    for at, state in enumerate(states or [State.UP]):
        await bench.take(at - 60, state)
    await bench.tick(0)
    bench.owed.clear()
    assert await bench.pipeline.carry_out(asks()) == "A drill of shop/site begins."
    return bench


def said(bench: Bench) -> list[tuple[str, EventKind, bool]]:
    return [(note.channel, note.kind, note.quiet) for note, _ in bench.owed]


async def test_a_drill_goes_the_way_of_every_critical_and_says_what_it_is() -> None:
    """To whom the routes name, aloud; title and text say that nothing is broken, and what to do."""
    bench = await drilled()
    assert said(bench) == [("ops", EventKind.OPENED, False), ("phone", EventKind.OPENED, False)]
    note = bench.owed[0][0]
    read = message_of(Delivery("x", (note,)))
    assert read.headline == f"CRITICAL: {TITLE}"
    assert read.entries[0].summary == (
        "This is a drill, asked for by eve; nothing is broken. Somebody should take it within 15 min."
    )
    assert "monitor ack shop/site --alert drill" in read.entries[0].steps[0]
    assert (note.page.shares, note.page.beside, note.page.trend) == ((), (), "")


async def test_whoever_was_told_hears_who_took_it() -> None:
    """Quietly; it is over then, and remembered only until the channels have answered."""
    bench = await drilled()
    await bench.tick(130)
    bench.owed.clear()
    assert await bench.pipeline.carry_out(takes()) == f"{TITLE}: the drill is over, taken by ana."
    assert said(bench) == [("ops", EventKind.RESOLVED, True), ("phone", EventKind.RESOLVED, True)]
    read = message_of(Delivery("x", (bench.owed[0][0],)))
    assert read.headline == f"Over after 2 min 10 s: {TITLE}"
    assert read.entries[0].summary == "Drill over: ana took it after 2 min 10 s."
    assert read.entries[0].steps == ()
    assert bench.store.events(DRILL) == [EventKind.OPENED, EventKind.ACKNOWLEDGED, EventKind.RESOLVED]
    assert bench.pipeline.alerts == []
    (alert,) = bench.pipeline.drills
    assert not alert.idle
    assert await bench.pipeline.carry_out(takes(1)) == "Nothing of shop fires now."


async def test_after_its_time_it_is_over_without_anybody() -> None:
    """To the second, and told once, however often one looks."""
    bench = await drilled()
    bench.owed.clear()
    await bench.tick(899)
    assert said(bench) == []
    await bench.tick(900)
    await bench.tick(901)
    assert said(bench) == [("ops", EventKind.RESOLVED, True), ("phone", EventKind.RESOLVED, True)]
    assert bench.owed[0][0].page.summary == "Drill over: nobody took it within 15 min."


async def test_nothing_holds_a_drill_back_and_it_moves_nothing() -> None:
    """A silence, and the check's own outage: it is told, and the outage neither more nor less."""
    bench = Bench(plan(failures=1))
    await bench.take(-60, State.DOWN)
    bench.owed.clear()
    hush = Act("s", START, Deed.SILENCE, "ana", Scope(), until=START + 60 * MINUTE)
    await bench.pipeline.carry_out(hush)
    await bench.pipeline.carry_out(asks())
    assert [note.key for note, _ in bench.owed] == [KEY, KEY]
    await bench.pipeline.carry_out(takes(scope=Scope("shop", "site", DRILL)))
    await bench.take(10, State.DOWN)
    assert [alert.key.name for alert in bench.pipeline.alerts] == ["down"]
    assert bench.pipeline.alerts[0].acknowledged is None
    assert KEY not in bench.screen.alerts
    assert {note.key for note, _ in bench.owed} == {KEY}


async def test_a_drill_is_no_news_beside_what_is_broken() -> None:
    """What else began lists no drill; a note of what helped is about the check; all is taken at once."""
    other = replace(plan(failures=1), id=CheckId("shop", "cart"))
    bench = Bench(plan(failures=1), other)
    await bench.take(-10, check=other.id)
    await bench.pipeline.carry_out(asks())
    bench.owed.clear()
    await bench.take(1, State.DOWN, check=other.id)
    assert bench.owed[0][0].page.beside == ()
    await bench.pipeline.carry_out(Act("n", START, Deed.NOTE, "ana", Scope(*SITE), why="well"))
    assert bench.store.events(DRILL) == [EventKind.OPENED]
    assert await bench.pipeline.carry_out(takes()) == "2 alerts: taken by ana until 2026-01-05 16:00 UTC."


async def test_only_one_drill_of_a_check_at_a_time_and_none_that_nobody_expects_any_more() -> None:
    """A sentence says why; the act is done all the same, so that it is not tried again."""
    bench = await drilled()
    refused = "a drill of shop/site goes on since 2026-01-05 12:00:00 UTC, asked for by eve"
    assert await bench.pipeline.carry_out(asks(id="d2")) == refused
    assert [act.id for act in bench.store.changes[-1].done] == ["d2"]
    await bench.pipeline.carry_out(takes())
    assert "is over, and waits for what a channel answers" in await bench.pipeline.carry_out(asks(id="d3"))
    stranger = asks(id="d4", scope=Scope("shop", "cart"))
    assert await bench.pipeline.carry_out(stranger) == "There is no check shop/cart to drill."
    late_one = Bench(plan())
    await late_one.tick(301)
    assert "does not begin any more" in await late_one.pipeline.carry_out(asks())
    assert [note for note, _ in late_one.owed if note.key == KEY] == []


async def test_a_drill_goes_on_after_a_restart() -> None:
    """With its deadline and whoever was told; they hear of its end once."""
    bench = await drilled()
    after = Bench(plan(failures=1), store=bench.store)
    after.pipeline.restore(bench.store.alerts.values())
    await after.tick(10)
    assert after.owed == []
    assert after.screen.alerts == {}
    await after.tick(900)
    assert [kind for _, kind, _ in said(after)] == [EventKind.RESOLVED] * 2


async def test_a_drill_of_a_check_that_is_taken_out_of_the_file_is_removed() -> None:
    bench = await drilled()
    bench.owed.clear()
    bench.configure()
    await bench.tick(5)
    assert [kind for _, kind, _ in said(bench)] == [EventKind.REMOVED] * 2
    assert bench.owed[0][0].page.summary.startswith("It is no longer in the configuration")
    assert bench.pipeline.drills == []


def told(alert: Alert, *channels: str) -> Alert:
    return replace(alert, told=tuple(Told(name, C, START) for name in channels))


def sent(
    channel: str, *results: tuple[float, AttemptResult, str], at: float = 0, alert: Alert | None = None
) -> Dispatch:
    alert = alert or begin(asks(), "Shop: Site", START)
    assert alert.drill
    page = page_of(alert, alert.drill, START)
    identity = f"{channel} {at}"
    when = START + at * SECOND
    note = Notification(identity, channel, incident_of(alert), KEY, EventKind.OPENED, C, when, page)
    tried = tuple(Attempt(identity, START + after * SECOND, result, "d", reason) for after, result, reason in results)
    return Dispatch(note, tried)


def test_what_the_channels_answered() -> None:
    """Each by its messages of this drill alone; who was told and not tried yet has not answered."""
    alert = told(begin(asks(), "Shop: Site", START), "ops", "phone", "sms", "mail")
    other = begin(asks(), "Shop: Site", START - SECOND)
    known = answers(
        alert.told,
        incident_of(alert),
        [
            sent("ops", (1, AttemptResult.BEGUN, ""), (2, DELIVERED, "")),
            sent("phone", (1, REJECTED, "token_revoked")),
            sent("sms", (1, RETRY, "answered 503")),
            sent("cto", (61, DELIVERED, ""), at=60),
            sent("nobody", (1, DELIVERED, ""), alert=other),
        ],
    )
    assert {name: str(one) for name, one in known.items()} == {
        "ops": "accepted 12:00:02",
        "phone": "rejected: token_revoked",
        "sms": "not accepted: answered 503",
        "mail": "no answer yet",
        "cto": "accepted 12:01:01",
    }
    soon, after = START + SECOND, START + GRACE
    assert {name for name, one in known.items() if one.fault(soon)} == {"phone"}
    assert {name for name, one in known.items() if one.fault(after)} == {"phone", "sms", "mail"}
    assert known["sms"].fault(after) == "not accepted for 2 min: answered 503"
    assert {name for name, one in known.items() if not one.answered(soon)} == {"sms", "mail"}


@pytest.mark.parametrize(
    ("known", "heard"),
    [
        ({"ops": True, "phone": None}, ["boss"]),
        ({"ops": True, "phone": None, "boss": True}, ["ops", "boss"]),
        ({"ops": None, "boss": None}, ["ops", "boss"]),
    ],
)
def test_who_hears_what_is_wrong(known: dict[str, bool | None], heard: list[str]) -> None:
    """Who was not told; if all were, who took the message; if nobody did, all: no report is lost."""
    alert = told(begin(asks(), "Shop: Site", START), *known)
    taken = {
        name: Answer(START, START if well else None, "" if well else "gone", not well) for name, well in known.items()
    }
    takers = {C: [*known, "boss"], W: [name for name in ["ops", "phone", "boss"] if name in known or name == "boss"]}
    seen = look(alert, taken, lambda severity: list(dict.fromkeys(takers[severity])), START + SECOND)
    assert [note.channel for note in seen.reports] == heard
    assert {note.severity for note in seen.reports} == {W}
    assert all("rejected: gone" in note.page.summary for note in seen.reports)
    again = look(seen.alert, taken, lambda _: ["boss"], START + 2 * SECOND)
    assert (again.reports, again.alert) == ((), seen.alert)


def test_a_drill_that_nobody_took_is_reported_with_who_was_told_and_what_they_answered() -> None:
    alert = told(begin(asks(), "Shop: Site", START), "ops", "phone")
    over = end(alert, "", START + 15 * MINUTE)
    known = {"ops": Answer(START, START + SECOND), "phone": Answer(START, None, "token_revoked", rejected=True)}
    seen = look(over, known, lambda severity: TAKERS[severity], START + 15 * MINUTE)
    fault, failed = seen.reports
    assert [(one.channel, one.severity, one.quiet) for one in seen.reports] == [("boss", W, False), ("boss", C, False)]
    assert failed.page.title == "Drill failed, nobody took it within 15 min: Shop: Site"
    assert failed.page.summary == (
        "Told: ops at 12:00:00, accepted 12:00:01; phone at 12:00:00, rejected: token_revoked. Times are in UTC."
    )
    assert any("monitor notify phone" in step for step in failed.page.remedy)
    assert fault.page.title == "Drill: phone did not take the message: Shop: Site"
    assert [(event.kind, event.detail) for event in seen.events] == [
        (EventKind.REPORTED, "phone: rejected: token_revoked"),
        (EventKind.REPORTED, "nobody took it within 15 min"),
    ]
    assert len({fault.incident, failed.incident, incident_of(alert)}) == 3
    assert seen.alert.drill is None


def test_a_channel_is_named_also_after_somebody_else_took_it() -> None:
    """And until all have answered the drill is not forgotten."""
    alert = told(begin(asks(), "Shop: Site", START), "ops", "phone")
    over = end(alert, "ana", START + 5 * SECOND)
    waits = look(over, {"ops": Answer(START, START), "phone": Answer(START)}, lambda s: TAKERS[s], START + 9 * SECOND)
    assert (waits.reports, waits.alert) == ((), over)
    known = {"ops": Answer(START, START), "phone": Answer(START, None, "answered 503")}
    seen = look(over, known, lambda severity: TAKERS[severity], START + GRACE)
    assert [note.page.title for note in seen.reports] == ["Drill: phone did not take the message: Shop: Site"]
    assert seen.alert.drill is None


def test_what_waits_for_a_digest_is_not_waited_for() -> None:
    """A warning that leaves tomorrow keeps the next drill from beginning for two minutes, and not until then."""
    over = end(told(begin(asks(severity=W), "Shop: Site", START), "ops"), "ana", START)
    known = {"ops": Answer(START + 20 * 60 * MINUTE)}
    assert look(over, known, lambda _: ["boss"], START + GRACE - SECOND).alert == over
    seen = look(over, known, lambda _: ["boss"], START + GRACE)
    assert (seen.reports, seen.alert.drill) == ((), None)


def test_that_no_route_tells_anybody_is_a_failure_too() -> None:
    over = end(begin(asks(severity=W), "Shop: Site", START), "", START + 15 * MINUTE)
    seen = look(over, {}, lambda severity: TAKERS[severity], START + 15 * MINUTE)
    assert [note.channel for note in seen.reports] == ["ops", "boss"]
    assert seen.reports[0].page.summary == "No route told anybody of it."


def test_what_is_no_drill_is_left_alone() -> None:
    alert = Alert(KEY, since=START)
    assert end(alert, "ana", START) == look(alert, {}, lambda _: [], START).alert == alert
    assert not late(alert, START)


@given(st.timedeltas(min_value=-MOST, max_value=2 * MOST), st.none() | st.sampled_from(list(Severity)))
def test_a_drill_always_ends(asked: timedelta, severity: Severity | None) -> None:
    """Whatever it was asked for with, it fires for a second at least and a day at most."""
    alert = begin(asks(until=START + asked, severity=severity), "Shop: Site", START)
    assert alert.drill
    assert LEAST <= alert.drill.within <= MOST
    assert alert.severity is alert.drill.severity is (severity or C)
    assert {level.phase for level in alert.levels.values()} == {Phase.FIRING}
    assert not late(alert, alert.drill.until - SECOND / 10)
    assert late(alert, alert.drill.until)
    over = end(alert, "", alert.drill.until)
    assert over.drill
    assert not late(over, alert.drill.until + MOST)
    assert outcome(over.drill).startswith("nobody took it within ")


RESULT = st.sampled_from([AttemptResult.BEGUN, DELIVERED, RETRY, REJECTED, AttemptResult.SUPERSEDED])
TRIES = st.lists(st.tuples(st.floats(0, 1_000), RESULT, st.sampled_from(["", "why"])), max_size=4)


@given(st.dictionaries(st.sampled_from(["ops", "phone", "boss"]), TRIES), st.integers(0, 300), st.booleans())
def test_every_fault_is_named_once_and_every_drill_is_forgotten(
    tries: dict[str, list[Try]], ends: int, taken: bool
) -> None:
    """However the channels answer and whenever it ends; that nobody took it is reported once, and only then."""
    alert = told(begin(asks(), "Shop: Site", START), *tries)
    reports: list[Notification] = []
    for second in range(0, 1_301, 10):
        now = START + second * SECOND
        if alert.drill and alert.drill.over_at is None and second >= ends:
            alert = end(alert, "ana" if taken else "", now)
        happened = [sent(name, *(one for one in done if one[0] <= second)) for name, done in tries.items()]
        drill = alert.drill
        if drill is None:
            break
        seen = look(alert, answers(drill.told or alert.told, incident_of(alert), happened), lambda s: TAKERS[s], now)
        alert = seen.alert
        reports += seen.reports
    assert alert.drill is None
    assert len({note.id for note in reports}) == len(reports)
    failed = {note.incident for note in reports if note.page.title.startswith("Drill failed")}
    assert len(failed) == (not taken)

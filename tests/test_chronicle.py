"""How a history reads, and what JSON says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.chronicle import Chronicle, as_json, as_lines
from monitor.incidents import Incident, asides, incidents, others
from monitor.model import DRILL, Alert, AlertKey, AttemptResult, CheckId, Deploy, Dispatch, Event, EventKind, Severity
from monitor.wording import attempts, deploy_line, outcome
from tests import story
from tests.examples import notification
from tests.fakes import START
from tests.store import values
from tests.store.values import attempt


def test_json_says_all_of_it() -> None:
    """Every change, message and attempt, deploys, the mean, and the uptime of each month."""
    told = json.loads(as_json(story.told()))
    outage, connections = told["incidents"]
    assert (told["subject"], told["complete"], told["resolved"], told["mean_seconds_to_resolve"]) == (
        "shop",
        True,
        1,
        810,
    )
    assert (outage["seconds_to_resolve"], outage["resolved"], outage["severity"]) == (810, True, "critical")
    kinds = ["pending", "opened", "acknowledged", "resolved", "noted"]
    assert [one["kind"] for one in outage["changes"]] == kinds
    assert (told["acknowledged"], told["not_acknowledged"], told["mean_seconds_to_acknowledge"]) == (1, 1, 258)
    (by,) = outage["acknowledged"]
    assert (by["who"], by["until"], by["why"]) == ("ana", "2026-01-05 06:16 UTC", "it is the worker")
    assert (outage["seconds_to_acknowledge"], connections["acknowledged"]) == (258, [])
    assert [
        [(tried["result"], tried["reason"]) for tried in one["attempts"]]
        for one in outage["messages"]
        if one["channel"] == "oncall"
    ] == [[("retry", "answered 503"), ("delivered", "")]]
    assert (connections["goes_on"], connections["ended_at"], connections["changes"][-1]["value"]) == (True, None, 0.96)
    assert [(one["version"], one["steps"][0]["before"]) for one in told["deploys"]] == [("api 1.4.2", "1.4.1")]
    assert [(one["month"], one["of"]) for one in told["uptime"]] == [
        ("2026-01", "shop"),
        ("2026-01", "shop/database"),
        ("2026-01", "shop/site"),
    ]
    assert told["uptime"][2]["down_seconds"] == 27 / 120 * 3600


def test_a_drill_is_told_apart_and_counts_in_nothing() -> None:
    """What ended it stands in its line; while it goes on it is told as any other, and it is as bad as nothing."""
    key = AlertKey(story.SITE, DRILL)
    begun = Event(key, START, EventKind.OPENED, Severity.CRITICAL, detail="by eve")
    taken = Event(
        key, START + timedelta(minutes=1), EventKind.ACKNOWLEDGED, Severity.CRITICAL, detail="ana until 16:00"
    )
    over = Event(key, START + timedelta(minutes=2), EventKind.RESOLVED, Severity.CRITICAL, detail="ana took it")
    told = Chronicle("shop", START - timedelta(days=1), START, incidents([begun, taken, over], [], []))
    lines = as_lines(told)
    assert lines[0] == ("2026-01-05 12:00:00  drill: shop/site: drill, over: ana took it", "")
    assert lines[-1][0] == "0 incidents of shop since 2026-01-04 12:00:00, 0 resolved"
    record = json.loads(as_json(told))
    assert (record["mean_seconds_to_resolve"], record["mean_seconds_to_acknowledge"]) == (None, None)
    live = incidents([begun], [], [Alert(key, severity=Severity.CRITICAL, since=START)])
    assert outcome(live[0], START + timedelta(minutes=1)) == "goes on for 1 min"


def test_what_was_left_out_is_said() -> None:
    lines = [line for line, _ in as_lines(replace(story.told(), cut=True))]
    assert lines[0].startswith("older changes or messages were left out")
    assert not json.loads(as_json(replace(story.told(), cut=True)))["complete"]


def test_nothing_happened() -> None:
    empty = Chronicle("shop/site", START, START + timedelta(days=1), ())
    assert as_lines(empty) == [("0 incidents of shop/site since 2026-01-05 12:00:00, 0 resolved", "")]


@pytest.mark.parametrize(("fields", "told"), [
    ({"opened_at": START, "ended_at": START + timedelta(minutes=5), "resolved": True}, "resolved after 5 min"),
    ({"opened_at": START, "ended_at": START, "resolved": True}, "resolved after 0 s"),
    ({"opened_at": None, "ended_at": START, "resolved": True}, "resolved; it began before what is kept"),
    ({"opened_at": START, "ended_at": START}, "removed from the configuration, not seen to recover"),
    ({"opened_at": START, "goes_on": True}, "goes on for 1 h"),
    ({"opened_at": START}, "its end was not noted"),
])  # fmt: skip
def test_how_an_incident_ended(fields: dict[str, object], told: str) -> None:
    incident = Incident(story.OUTAGE, "Shop: Site: down", **fields)  # type: ignore[arg-type] # the cases' fields
    assert outcome(incident, START + timedelta(hours=1)) == told


@pytest.mark.parametrize(("results", "told"), [
    ((), "not tried yet"),
    ((AttemptResult.BEGUN,), "begun, its end was not noted"),
    ((AttemptResult.BEGUN, AttemptResult.DELIVERED), "delivered 2026-01-05 12:00:00 (because)"),
    ((AttemptResult.RETRY, AttemptResult.REJECTED),
     "refused 2026-01-05 12:00:00 (because), rejected 2026-01-05 12:00:00 (because)"),
    ((AttemptResult.SUPERSEDED,), "needless 2026-01-05 12:00:00 (because)"),
])  # fmt: skip
def test_what_became_of_a_message(results: tuple[AttemptResult, ...], told: str) -> None:
    assert attempts(Dispatch(values.note("a"), tuple(attempt("a", result) for result in results))) == told


@pytest.mark.parametrize(("fields", "told"), [
    ({}, "deploy of a new version"),
    ({"steps": (("api", "1", "2"), ("web", "", "7")), "failed": False},
     "deploy of api 2, web 7, before 1, the checks after it were fine"),
    ({"steps": (("", "2", "1"),), "back": True, "failed": True},
     "deploy of 1, before 2, back to an earlier version, a check after it failed"),
])  # fmt: skip
def test_a_deploy_in_words(fields: dict[str, object], told: str) -> None:
    assert deploy_line(Deploy("shop", START, START, **fields)) == told  # type: ignore[arg-type] # the cases' fields


def test_a_message_instead_of_another_says_so_and_reports_stand_between() -> None:
    """A fallback names whom it stands for; a deploy's report has a line of its own."""
    instead = replace(story.PAGED, fallback_for="oncall")
    report = Dispatch(notification("deploy", EventKind.REPORTED))
    found = incidents(story.CHANGE.events, [Dispatch(instead)], ())
    lines = [line for line, _ in as_lines(replace(story.told(), incidents=found, messages=others([report], found)))]
    assert any(line.endswith("to ops: opened critical, instead of oncall; not tried yet") for line in lines)
    assert "2026-01-05 12:00:00  critical: Shop: deploy: down; to ops: not tried yet" in lines


@given(st.lists(values.events, max_size=5), st.lists(values.notifications, max_size=3))
def test_any_history_can_be_told(events: list[values.Event], notes: list[values.Notification]) -> None:
    """A line each, nothing that acts on a terminal, and JSON."""
    dispatches = [Dispatch(replace(note, id=f"{note.id} {number}")) for number, note in enumerate(notes)]
    found = incidents(sorted(events, key=lambda one: one.at), dispatches, ())
    told = Chronicle("shop", START, START, found, messages=others(dispatches, found))
    for line, _ in as_lines(told):
        assert len(line.splitlines()) == 1
        assert "\x1b" not in line
    assert len(json.loads(as_json(told))["incidents"]) == len(found)


def told_of(*events: Event) -> list[str]:
    """Return how a journal reads in which nothing else stands."""
    found = incidents(events, [], [])
    told = Chronicle("shop", START, START, found, asides=asides(events, found))
    return [line.strip().partition("  ")[2] or line for line, _ in as_lines(told)]


@pytest.mark.parametrize(("kind", "detail", "told"), [
    (EventKind.ACKNOWLEDGED, "ana until 2026-01-05 16:00 UTC", "acknowledged by ana until 2026-01-05 16:00 UTC"),
    (EventKind.ACKNOWLEDGED, "ana until 2026-01-05 16:00 UTC: until 2026-02-02 10:00 UTC: so",
     "acknowledged by ana until 2026-01-05 16:00 UTC: until 2026-02-02 10:00 UTC: so"),
    (EventKind.ACKNOWLEDGED, "somebody", "acknowledged by somebody"),
    (EventKind.LAPSED, "ana", "no longer taken by ana: the time was over"),
    (EventKind.ANSWERED, "25 of 25", "steps answered: 25 of 25"),
    (EventKind.NOTED, "restarted it (ana)", "noted: restarted it (ana)"),
])  # fmt: skip
def test_how_what_people_do_reads(kind: EventKind, detail: str, told: str) -> None:
    opened = Event(story.OUTAGE, START, EventKind.OPENED, Severity.CRITICAL)
    assert told_of(opened, Event(story.OUTAGE, START, kind, Severity.CRITICAL, detail=detail))[2] == told


def test_silences_and_loose_notes_stand_between_incidents() -> None:
    """They are no incidents, and a note about what does not fire names its check."""
    silence = AlertKey(CheckId("shop", "*"), "silence")
    said = "silence of shop until 2026-01-05 13:00 UTC, by ana: a move"
    lines = told_of(
        Event(silence, START, EventKind.SILENCED, detail=said),
        Event(silence, START, EventKind.LIFTED, detail=said),
        Event(story.OUTAGE, START, EventKind.NOTED, detail="all fine (ana)"),
    )
    assert lines[:3] == [f"silenced: {said}", f"no longer silenced: {said}", "shop/site down, noted: all fine (ana)"]
    assert lines[3].startswith("0 incidents of shop")


def test_an_announcement_reads_as_one() -> None:
    note = replace(notification("maintenance", EventKind.ANNOUNCED), page=notification("maintenance").page)
    lines = as_lines(Chronicle("shop", START, START, (), messages=[Dispatch(note)]))
    assert lines[0][0].endswith("announced: Shop: maintenance: down; to ops: not tried yet")

"""What is said of the alerts that are live."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.live import as_json, as_line, live
from monitor.model import Acknowledgement, Alert, AttemptResult, Dispatch, Scope, Severity
from tests import story
from tests.store import values


def lines(*alerts: Alert) -> list[str]:
    return [as_line(one, 0, story.MORNING) for one in live(alerts, story.dispatches())]


def test_a_line_says_how_bad_since_when_the_value_and_who_was_told() -> None:
    """A channel that has taken a message of the incident is told of with when; what is pending told nobody yet."""
    first, second = lines(*story.CHANGE.alerts)
    known, _, heard = first.partition("; told: ")
    assert known == "critical  Shop: Database: connections  since 2026-01-05 11:00:00 (1 h); 96 %"
    assert heard == "ops 2026-01-05 11:20:02, oncall owed since 2026-01-05 11:20:00"
    assert second == "pending   Shop: Site: down"


def test_json_says_the_same() -> None:
    first, second = json.loads(as_json(live(story.CHANGE.alerts, story.dispatches())))
    assert first == {
        "severity": "critical",
        "state": "firing",
        "title": "Shop: Database: connections",
        "system": "shop",
        "check": "database",
        "alert": "connections",
        "labels": {},
        "since": "2026-01-05T11:00:00+00:00",
        "value": "96 %",
        "figure": None,
        "incident": story.WORSE.incident,
        "acknowledged": None,
        "silenced_until": None,
        "told": [
            {
                "channel": "ops",
                "severity": "critical",
                "at": "2026-01-05T11:20:00+00:00",
                "delivered_at": "2026-01-05T11:20:02+00:00",
            },
            {
                "channel": "oncall",
                "severity": "critical",
                "at": "2026-01-05T11:20:00+00:00",
                "delivered_at": None,
            },
        ],
    }
    assert (second["severity"], second["state"], second["since"], second["told"]) == (None, "pending", None, [])


def test_messages_of_an_incident_before_are_not_of_this_one() -> None:
    """The same alert fires again: the message that is owed now was not delivered half a day ago."""
    alert = replace(
        story.CHANGE.alerts[0], key=story.OUTAGE, since=story.at("11:30:00"), told=story.CHANGE.alerts[0].told[:1]
    )
    (line,) = lines(alert)
    assert line.endswith("(30 min); told: ops owed since 2026-01-05 11:20:00")


def test_a_firing_alert_of_which_nobody_was_told() -> None:
    """It is held back, or no route takes it."""
    (line,) = lines(replace(story.CHANGE.alerts[0], told=()))
    assert line.endswith("; 96 %; nobody was told")


def test_who_takes_it_and_what_is_silent() -> None:
    """Until when, and why; only while it fires, and while the silence holds."""
    firing, pending = story.CHANGE.alerts
    hour = timedelta(hours=1)
    taken = Acknowledgement("anna", story.MORNING, Severity.CRITICAL, story.MORNING + hour, "on it")
    alerts = [replace(one, acknowledged=taken) for one in (firing, pending)]
    quiet = values.silence("a", story.MORNING, story.MORNING + hour, Scope("shop", "database"))
    over = replace(quiet, id="b", since=story.MORNING - 9 * hour, until=story.MORNING)
    first, second = live(alerts, (), [over, quiet], story.MORNING)
    line = as_line(first, 0, story.MORNING)
    assert line.endswith("acknowledged by anna until 2026-01-05 13:00:00 (on it); silenced until 2026-01-05 13:00:00")
    assert as_line(second, 0, story.MORNING) == "pending   Shop: Site: down"
    record = json.loads(as_json([first]))[0]
    assert record["silenced_until"] == "2026-01-05T13:00:00+00:00"
    assert record["acknowledged"] == {
        "who": "anna",
        "why": "on it",
        "at": "2026-01-05T12:00:00+00:00",
        "until": "2026-01-05T13:00:00+00:00",
        "severity": "critical",
    }
    assert [one.silenced_until for one in live(alerts, (), [over, quiet])] == [None, None]


@given(st.lists(values.alerts, max_size=5), st.lists(values.notifications, max_size=3))
def test_any_alert_can_be_shown(alerts: list[Alert], notes: list[values.Notification]) -> None:
    """On one line without anything that acts on a terminal, the worst first; as JSON too."""
    found = live(alerts, [Dispatch(note) for note in notes])
    shown = [as_line(one, 10, story.MORNING) for one in found]
    assert all(len(line.splitlines()) == 1 and "\x1b" not in line for line in shown)
    assert [one.alert.severity or 0 for one in found] == sorted((a.severity or 0 for a in alerts), reverse=True)
    assert len(json.loads(as_json(found))) == len(alerts)


@pytest.mark.parametrize("result", list(AttemptResult))
def test_only_what_a_channel_accepted_was_delivered(result: AttemptResult) -> None:
    note = values.note("a")
    dispatch = Dispatch(note, (values.attempt("a", result),))
    assert (dispatch.delivered_at is not None) is (result is AttemptResult.DELIVERED)

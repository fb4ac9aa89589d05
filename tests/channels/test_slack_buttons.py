"""What buttons stand below a message, and that a press means what its button said, or nothing at all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.channels.slack.buttons import LONGEST_VALUE, buttons, read
from monitor.model import DRILL, AlertKey, CheckId, Deed, EventKind, Notification, Scope
from tests.channels.examples import notification, page
from tests.channels.slack_api import HOME, ROOM, Message, Slack, texts, wrong


def pressed(note: Notification, label: str) -> Any:  # noqa: ANN401 - JSON
    """Return what Slack tells when somebody presses the button `label` of a message about `note`."""
    message = Message(ROOM, "1763700000.000100", "", buttons([note]))
    return Slack().envelope(message, message.buttons[label], "U0ALICE")["payload"]


@pytest.mark.parametrize(
    ("label", "deed"),
    [("Acknowledge", Deed.ACKNOWLEDGE), ("Silence 1 h", Deed.SILENCE), ("Run now", Deed.RUN)],
)
def test_a_press_is_an_act_about_that_incident(label: str, deed: Deed) -> None:
    key = AlertKey(CheckId("shop", "site"), "slow", (("route", "/pay"), ("zone", "eu")))
    note = replace(notification(), key=key)
    click = read(pressed(note, label))
    assert click
    assert click.scope == Scope("shop", "site", "slow", key.labels)
    act = click.act(click.scope, click.incident)
    assert (act.deed, act.incident, act.scope.covers(key), act.who) == (deed, "incident0", True, "alice (U0ALICE)")
    assert act.at == datetime.fromtimestamp(float(click.pressed), UTC)
    assert act.until is None


def test_the_same_press_has_the_same_id_and_another_has_another() -> None:
    payload = pressed(notification(), "Acknowledge")
    first, again = read(payload), read(json.loads(json.dumps(payload)))
    other = read(pressed(notification(), "Silence 1 h"))
    assert first
    assert again
    assert other
    ids = [click.act(Scope("shop"), "i").id for click in (first, again, other)]
    assert ids[0] == ids[1] != ids[2]
    assert first.act(Scope("shop"), "j").id != ids[0]


def test_what_has_ended_asks_which_step_fixed_it() -> None:
    steps = ("Restart it.", "Scale\nout " + "very " * 30, "", *(f"Step {number}" for number in range(9)))
    note = notification(kind=EventKind.RESOLVED, about=page(remedy=steps))
    asked = buttons([note])
    assert not wrong(asked)
    assert asked[0]["text"]["text"] == "Which step fixed it?"
    labels = [button["text"]["text"] for button in asked[1]["elements"]]
    assert labels[0] == "1. Restart it."
    assert labels[1].startswith("2. Scale out very")
    assert len(labels) == 4
    click = read(pressed(note, labels[1]))
    assert click
    act = click.act(Scope("shop"), "i")
    assert act.deed is Deed.NOTE
    assert act.why.startswith("Scale out very")


@pytest.mark.parametrize("kind", [EventKind.REMOVED, EventKind.REPORTED, EventKind.ANNOUNCED])
def test_what_nobody_can_do_anything_about_has_no_button(kind: EventKind) -> None:
    assert buttons([notification(kind=kind)]) == []
    assert buttons([notification(kind=kind), notification(1, kind=kind)]) == []


def test_a_drill_can_only_be_taken() -> None:
    """There is nothing to silence, and no run that would tell more."""
    note = replace(notification(), key=AlertKey(CheckId("shop", "site"), DRILL))
    (row,) = buttons([note])
    assert [button["text"]["text"] for button in row["elements"]] == ["Acknowledge"]


def test_an_end_without_a_remedy_asks_nothing() -> None:
    assert buttons([notification(kind=EventKind.RESOLVED, about=page(remedy=()))]) == []


def test_several_alerts_are_taken_together() -> None:
    (row,) = buttons([notification(), notification(1, EventKind.RESOLVED)])
    assert list(texts(row)) == ["Acknowledge all", "Silence all 1 h"]
    assert all("value" not in button for button in row["elements"])


TEXTS = st.text(max_size=400)


@given(TEXTS, TEXTS, TEXTS, st.dictionaries(TEXTS, TEXTS, max_size=5), st.text(max_size=3_000))
def test_a_button_says_all_or_is_left_out(
    system: str, check: str, alert: str, labels: dict[str, str], step: str
) -> None:
    """A value too long for Slack would lose the whole message; one cut off would mean other alerts."""
    key = AlertKey(CheckId(system, check), alert, tuple(sorted(labels.items())))
    for kind in (EventKind.OPENED, EventKind.RESOLVED):
        made = buttons([replace(notification(kind=kind, about=page(remedy=(step,))), key=key)])
        assert not wrong(made)
        for button in (one for block in made for one in block.get("elements", [])):
            assert len(button["value"]) <= LONGEST_VALUE
            message = Message(ROOM, "1.2", "", made)
            click = read(Slack().envelope(message, button, "U0ALICE")["payload"])
            assert click
            assert click.scope == Scope(system, check, alert, key.labels)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.sampled_from(["type", "user", "channel", "message", "actions", "team"])
INNER = st.sampled_from(["action_id", "action_ts", "value", "type"])


@given(FIELDS, ANY, INNER, ANY)
def test_whatever_arrives_is_a_press_of_ours_or_nothing(field: str, odd: Any, inner: str, odder: Any) -> None:  # noqa: ANN401 - JSON
    payload = pressed(notification(), "Acknowledge")
    assert read(payload)
    for one in (odd, {**payload, field: odd}, {**payload, "actions": [{**payload["actions"][0], inner: odder}]}):
        click = read(one)
        assert click is None or click.act(click.scope or Scope(), click.incident).id


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "x",
            "[]",
            "{}",
            "1",
            '["i","s","c","a",[],1]',
            '["i","s","c","a",[["k"]],""]',
            '["i","s","c","a",{},""]',
        ),
        *("[" * 2_000, '["i","s","c","a",[],"' + "x" * 2_000 + '"]', 7),
    ],
)
def test_a_value_that_is_none_of_ours_means_nothing(value: Any) -> None:  # noqa: ANN401 - JSON
    payload = pressed(notification(), "Acknowledge")
    payload["actions"][0]["value"] = value
    assert read(payload) is None


@pytest.mark.parametrize(("field", "value"), [("action_ts", "soon"), ("action_ts", "9" * 40), ("action_id", "other")])
def test_a_press_of_a_foreign_button_or_at_no_moment_means_nothing(field: str, value: str) -> None:
    payload = pressed(notification(), "Acknowledge")
    payload["actions"][0][field] = value
    assert read(payload) is None


def test_a_button_that_needs_a_value_and_has_none_means_nothing() -> None:
    payload = pressed(notification(), "Run now")
    del payload["actions"][0]["value"]
    assert read(payload) is None


def test_whoever_has_no_name_is_called_by_the_id() -> None:
    payload = pressed(notification(), "Acknowledge")
    click = read({**payload, "user": {"id": "U0ALICE", "name": 5, "team_id": HOME}})
    assert click
    assert click.name == "U0ALICE"

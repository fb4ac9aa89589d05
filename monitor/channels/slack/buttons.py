"""Buttons below a message, and what a press of one says. Pure.

The value of a button holds what it is about, so that it means the same after any restart; a message about several
alerts has buttons without one, since what still goes on of them is known where the messages are.
"""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from monitor.message import ENDED
from monitor.model import DRILL, Act, Deed, EventKind, Scope, stable_id
from monitor.plain import cut, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.channels.slack.blocks import Block
    from monitor.model import Notification

LONGEST_LABEL = 75
LONGEST_VALUE = 2_000
LONGEST_STEP = 300
MOST_STEPS = 5
SILENT = frozenset({EventKind.REPORTED, EventKind.ANNOUNCED})
"""What nobody can acknowledge."""

_MOMENT = re.compile(r"[0-9]{1,11}\.[0-9]{1,9}")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,30}")


class Button(enum.StrEnum):
    """What the buttons are called in Slack's payloads."""

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    RUN = "run"
    FIXED = "fixed"
    """Followed by a number, since no two of one message may be called the same."""


DEEDS = {
    Button.ACKNOWLEDGE: Deed.ACKNOWLEDGE,
    Button.SILENCE: Deed.SILENCE,
    Button.RUN: Deed.RUN,
    Button.FIXED: Deed.NOTE,
}


@dataclass(frozen=True, slots=True)
class Click:
    """A press of a button of ours: who pressed which, where and when, and what it says.

    `ts` and `pressed` are moments of Slack's, `team` the workspace of the person. `scope` is None where the button is
    that of a message about several alerts.
    """

    button: Button
    action: str
    channel: str
    ts: str
    pressed: str
    user: str
    name: str
    team: str
    incident: str = ""
    scope: Scope | None = None
    why: str = ""

    def act(self, scope: Scope, incident: str) -> Act:
        """Return what the person did about one alert; pressed once, it has the same id however often it arrives."""
        return Act(
            id=stable_id("slack", self.channel, self.ts, self.pressed, self.user, self.action, incident),
            at=datetime.fromtimestamp(float(self.pressed), UTC),
            deed=DEEDS[self.button],
            who=self.name,
            scope=scope,
            incident=incident,
            why=self.why,
        )


def buttons(notes: Sequence[Notification]) -> list[Block]:
    """Return the buttons of a message about `notes`: what can be done, or the question what has fixed it."""
    if len(notes) > 1:
        going_on = any(note.kind not in ENDED | SILENT for note in notes)
        both = [_button("Acknowledge all", Button.ACKNOWLEDGE), _button("Silence all 1 h", Button.SILENCE)]
        return [_row(both)] if going_on else []
    note = notes[0]
    about = _value(note)
    if not about or note.kind in SILENT | {EventKind.REMOVED}:
        return []
    if note.kind is EventKind.RESOLVED:
        return _question(note)
    first = _button("Acknowledge", Button.ACKNOWLEDGE, about) | {"style": "primary"}
    if note.key.name == DRILL:
        return [_row([first])]
    return [_row([first, _button("Silence 1 h", Button.SILENCE, about), _button("Run now", Button.RUN, about)])]


def read(payload: Any) -> Click | None:  # noqa: ANN401 - whatever arrives
    """Return the press of a button of ours that `payload` tells of; None if it tells of none."""
    match payload:
        case {
            "type": "block_actions",
            "user": {"id": str(user), **person},
            "channel": {"id": str(channel)},
            "message": {"ts": str(ts)},
            "actions": [{"action_id": str(action), "action_ts": str(pressed), **pressing}, *_],
        } if _MOMENT.fullmatch(ts) and _MOMENT.fullmatch(pressed) and _PERSON.fullmatch(user):
            name = _name(person.get("username") or person.get("name"), user)
            click = _click(action, channel, ts, pressed, (user, name, str(person.get("team_id", ""))))
            return _filled(click, pressing.get("value")) if click else None
        case _:
            return None


def _click(action: str, channel: str, ts: str, pressed: str, who: tuple[str, str, str]) -> Click | None:
    called = action.partition(":")[0]
    if called not in set(Button):
        return None
    user, name, team = who
    return Click(Button(called), action, channel, ts, pressed, user, name, team)


def _filled(click: Click, value: Any) -> Click | None:  # noqa: ANN401 - whatever arrives
    """Return `click` with what its button says; None if no button of ours says that."""
    if value is None:
        return click if click.button in {Button.ACKNOWLEDGE, Button.SILENCE} else None
    try:
        said = json.loads(value) if isinstance(value, str) and len(value) <= LONGEST_VALUE else None
    except (ValueError, RecursionError):
        return None
    match said:
        case [str(incident), str(system), str(check), str(alert), list(pairs), str(why)] if all(map(_is_pair, pairs)):
            scope = Scope(system, check, alert, tuple((name, text) for name, text in pairs))
            told = (click.channel, click.ts, click.pressed, click.user, click.name, click.team)
            return Click(click.button, click.action, *told, incident, scope, why)
        case _:
            return None


def _is_pair(pair: Any) -> bool:  # noqa: ANN401 - whatever arrives
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair)  # noqa: PLR2004 - a pair


def _name(name: Any, user: str) -> str:  # noqa: ANN401 - whatever arrives
    shown = plain(name, 60) if isinstance(name, str) else ""
    return f"{shown} ({user})" if shown else user


def _question(note: Notification) -> list[Block]:
    steps = [plain(step, LONGEST_STEP) for step in note.page.remedy]
    asked = [
        _button(f"{number}. {step}", f"{Button.FIXED}:{number}", _value(note, step))
        for number, step in enumerate(steps[:MOST_STEPS], 1)
        if step and _value(note, step)
    ]
    return [{"type": "section", "text": _plain("Which step fixed it?")}, _row(asked)] if asked else []


def _value(note: Notification, why: str = "") -> str:
    """Return what a button about `note` says; nothing if that is too long for one."""
    check, alert, labels = note.key
    said = json.dumps([note.incident, *check, alert, labels, why], separators=(",", ":"))
    return said if len(said) <= LONGEST_VALUE else ""


def _button(label: str, action: str, value: str = "") -> Block:
    made: Block = {"type": "button", "text": _plain(cut(label, LONGEST_LABEL)), "action_id": action}
    return made | ({"value": value} if value else {})


def _row(elements: Sequence[Block]) -> Block:
    return {"type": "actions", "elements": list(elements)}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}

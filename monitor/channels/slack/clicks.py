"""What a press of a button does: whoever may, does it; everybody is told, and only they see it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from monitor.channels.slack.api import Refused
from monitor.channels.slack.blocks import escaped
from monitor.channels.slack.buttons import Button, read
from monitor.channels.slack.thread import Place
from monitor.model import Act, Failure, Scope
from monitor.plain import cut

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from monitor.channels.base import Ear
    from monitor.channels.slack.api import Api
    from monitor.channels.slack.buttons import Click

LONGEST_ANSWER = 1_000
OVER = "That is over: nothing was done."

log = structlog.get_logger()


class Room(NamedTuple):
    """A channel of Slack in which people press: what it is called here, and who may. `team`: the app's workspace."""

    name: str
    channel: str
    users: Collection[str]
    team: str
    api: Api

    def why_not(self, click: Click) -> str:
        """Return why the person may not do this; nothing if they may."""
        if self.users:
            known = click.user in self.users
            return "" if known else f"You may not do this here: {click.user} is not among the users of this channel."
        at_home = bool(self.team) and click.team == self.team
        return (
            "" if at_home else "Only members of this workspace may do this here, unless the configuration names them."
        )


class Clicks:
    """Hears the presses in several rooms of one app: Slack tells them all to any one of its connections."""

    def __init__(self, rooms: Sequence[Room], ear: Ear) -> None:
        self._rooms = rooms
        self._ear = ear

    async def press(self, payload: Any) -> None:  # noqa: ANN401 - whatever arrives
        """Do what an interaction means, and answer; what is none of ours is left alone. Never raises, but cancelled."""
        click = read(payload)
        room = self._room(click) if click else None
        if click is None or room is None:
            log.info("slack_interaction_left_alone", ours=click is not None)
            return
        await self._answer(room, click, await self._said(room, click))

    def _room(self, click: Click) -> Room | None:
        """Return where the message stands: if two channels of ours are the same one there, the one that posted it."""
        rooms = [room for room in self._rooms if room.channel == click.channel]
        return next((room for room in rooms if click.ts in _moments(self._ear, room.name)), rooms[0] if rooms else None)

    async def _said(self, room: Room, click: Click) -> str:
        if why := room.why_not(click):
            log.warning("slack_click_refused", channel=room.name, user=click.user)
            return why
        try:
            acts = list(self._acts(room, click))
            said = [await self._ear.hear(act) for act in acts]
        except Exception as error:  # noqa: BLE001 - a bug behind one button must not end the listening
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("slack_click_crashed", error=type(error).__name__, where=where)  # noqa: TRY400 - its text may hold a secret
            return f"That failed ({type(error).__name__}); the log says more."
        return "\n".join(dict.fromkeys(said)) or OVER

    def _acts(self, room: Room, click: Click) -> Iterator[Act]:
        """Yield what the press means: about a message of several alerts, one act for each that still goes on."""
        if click.scope is not None:
            if click.button is Button.FIXED or self._ear.about(click.incident) is not None:
                yield click.act(click.scope, click.incident)
            return
        for incident, reference in self._ear.posted(room.name).items():
            place = Place.of(reference)
            note = self._ear.about(incident) if place and place.ts == click.ts else None
            if note is not None:
                yield click.act(Scope(*note.key.check, note.key.name, note.key.labels), incident)

    async def _answer(self, room: Room, click: Click, said: str) -> None:
        text = escaped(cut(said, LONGEST_ANSWER))
        try:
            await room.api.call("chat.postEphemeral", {"channel": click.channel, "user": click.user, "text": text})
        except Refused as refused:
            log.warning("slack_click_not_answered", reason=refused.result.reason)
        except Failure as failure:
            log.warning("slack_click_not_answered", reason=failure.detail)


def _moments(ear: Ear, name: str) -> set[str]:
    return {place.ts for reference in ear.posted(name).values() if (place := Place.of(reference))}

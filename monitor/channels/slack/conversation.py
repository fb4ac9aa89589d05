"""A channel that messages are kept up to date in: what was planned (`thread.py`) is done, whatever Slack says to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import structlog

from monitor.channels.base import Delivered
from monitor.channels.slack.api import GONE, TOO_RICH, Refused
from monitor.channels.slack.blocks import ICONS, LONGEST_SECTION, blocks, escaped, line_blocks, text_of
from monitor.channels.slack.buttons import buttons
from monitor.channels.slack.thread import ALONE, UNTOLD, Place, plan, rings
from monitor.message import message_of
from monitor.model import Failure
from monitor.plain import cut

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.channels.base import SendResult
    from monitor.channels.progress import Progress
    from monitor.channels.slack.api import Api
    from monitor.channels.slack.blocks import Block
    from monitor.channels.slack.thread import Step
    from monitor.message import Entry
    from monitor.model import Delivery

POSTED: Mapping[str, Any] = {"unfurl_links": False, "unfurl_media": False, "mrkdwn": False}
EVERYBODY = frozenset({"<!here>", "<!channel>"})
"""Calls that a thread does not pass on: they are posted beside it, and nothing else is."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Conversation:
    """One channel of Slack. `call` is the markup of whom a critical calls; `pressable`: buttons are heard."""

    api: Api
    channel: str
    call: str
    pressable: bool
    progress: Progress

    async def tell(self, delivery: Delivery) -> SendResult:
        """Post, edit and answer what `delivery` needs; what Slack took before of the same is not repeated."""
        steps = {step.id: step for step in plan(delivery, self.channel)}
        return await self.progress.each(steps, lambda step: self._take(step, delivery))

    async def _take(self, step: Step, delivery: Delivery) -> SendResult:
        part = replace(delivery, notifications=step.notes)
        try:
            return Delivered(await self._done(step, part))
        except Refused as refused:
            reason, result = refused.result.reason, refused.result
            if not step.may_fail:
                return result
        except Failure as failure:
            reason = failure.detail
            if not step.may_fail:
                raise
        log.warning("slack_message_not_edited", reason=reason)
        return Delivered()

    async def _done(self, step: Step, part: Delivery) -> Mapping[str, str]:
        """Do `step`; return where what it is about stands now, if that is elsewhere than before.

        What cannot be changed or answered any more is posted anew: somebody has deleted it.
        """
        if step.at is None:
            return await self._post(part)
        try:
            if step.edits:
                await self._edit(step, part, step.at)
            else:
                await self._answer(part, step.at, loud=step.loud)
        except Refused as refused:
            if refused.error not in GONE:
                raise
            return await self._post(part)
        return {}

    async def _post(self, part: Delivery) -> Mapping[str, str]:
        notes = part.notifications
        call = self.call if rings(notes) else ""
        message = message_of(part)
        made = blocks(message, call, buttons(notes) if self.pressable else ())
        said = await self._write("chat.postMessage", text_of(message), made, call, **POSTED)
        place = Place(self.channel, str(said.get("ts", "")), shared=len(notes) > 1)
        return {note.incident: str(place) for note in notes if place.ts and note.kind not in ALONE}

    async def _edit(self, step: Step, part: Delivery, place: Place) -> None:
        """Bring the message about one alert up to date, then tell in its thread what changed."""
        message = message_of(part)
        made = blocks(message, "", buttons(part.notifications) if self.pressable else ())
        await self._write("chat.update", text_of(message), made, ts=place.ts)
        if not step.may_fail and part.notifications[0].kind not in UNTOLD:
            await self._line(message.entries[0], place, loud=step.loud)

    async def _answer(self, part: Delivery, place: Place, *, loud: bool) -> None:
        """Tell in the thread of a message about several alerts what became of some of them."""
        message = message_of(part)
        if not message.collected:
            await self._line(message.entries[0], place, loud=loud)
            return
        await self._in_thread(text_of(message), blocks(message, self._called(loud=loud)), place, loud=loud)

    async def _line(self, entry: Entry, place: Place, *, loud: bool) -> None:
        icon = ICONS[None if entry.ended else entry.severity]
        facts = dict(entry.facts)
        more = [*entry.notes, entry.summary, *(f"{name}: {facts[name]}" for name in ("Value",) if name in facts)]
        line = cut("\n".join([f"{icon} {entry.line}", *(text for text in more if text)]), LONGEST_SECTION)
        await self._in_thread(escaped(line), line_blocks(line, self._called(loud=loud)), place, loud=loud)

    def _called(self, *, loud: bool) -> str:
        """Return whom an answer in a thread calls."""
        return self.call if loud and self.call not in EVERYBODY else ""

    async def _in_thread(self, text: str, made: list[Block], place: Place, *, loud: bool) -> None:
        """Answer in the thread of `place`; what is loud is seen, and calls, outside of the thread too."""
        beside = loud and self.call in EVERYBODY
        shown = {"reply_broadcast": True} if loud and not beside else {}
        more = {**POSTED, **shown, "thread_ts": place.ts}
        await self._write("chat.postMessage", text, made, self._called(loud=loud), **more)
        if beside:
            first = _prefixed(self.call, text.partition("\n")[0])
            await self.api.call("chat.postMessage", {"channel": self.channel, "text": first, "parse": "none", **POSTED})

    async def _write(
        self,
        method: str,
        text: str,
        made: list[Block],
        call: str = "",
        **more: Any,  # noqa: ANN401 - JSON
    ) -> Mapping[str, Any]:
        """Call `method`; if Slack refuses the form, once more with the text alone: a plain message beats none."""
        payload = {"channel": self.channel, "text": text, "blocks": made, "parse": "none", **more}
        try:
            return await self.api.call(method, payload)
        except Refused as refused:
            if refused.error not in TOO_RICH:
                raise
            log.error("slack_refused_blocks", answer=refused.error)  # noqa: TRY400 - what it means is known
        return await self.api.call(method, payload | {"text": _prefixed(call, text), "blocks": []})


def _prefixed(call: str, text: str) -> str:
    return f"{call} {text}".strip()

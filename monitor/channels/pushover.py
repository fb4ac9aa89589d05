"""Pushover: a push message; a critical rings again and again until somebody confirms it in the app.

Facts are those of pushover.net/api. An emergency carries its incident as a tag, so that its end, or its easing, stops
the ringing. One message about several alerts carries none: the end of one of them must not silence the others.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import quote, urlencode

from pydantic import Field

from monitor.channels.base import Channel, Delivered, Retry
from monitor.channels.posting import Endpoint, Token, refusal, send
from monitor.fields import Duration
from monitor.message import ENDED, message_of, more_text, steps_text
from monitor.model import EventKind, Severity
from monitor.plain import cut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.channels.base import Resources, SendResult
    from monitor.channels.posting import Answer
    from monitor.message import Entry, Message
    from monitor.model import Delivery

LONGEST_TITLE = 250
LONGEST_MESSAGE = 1_024
LONGEST_LINK = 512
LONGEST_LABEL = 100
EMERGENCY, NORMAL, LOW = 2, 0, -1
"""Priorities: rings until it is confirmed; makes a sound; makes none."""
MOST_STOPPED = 10
"""How many emergencies one message stops: of a storm, only those rang by themselves that came first."""
STOPS = ENDED | {EventKind.EASED}


class PushoverChannel(Channel):
    """Sends push messages through Pushover."""

    kind: Literal["pushover"] = "pushover"
    token: Token
    """The API token of an application that you make at Pushover."""
    user: Token
    """The key of the user, or of the group, that gets it."""
    retry: Annotated[Duration, Field(ge=timedelta(seconds=30))] = timedelta(minutes=1)
    """How often a critical rings until somebody confirms it."""
    expire: Annotated[Duration, Field(ge=timedelta(seconds=30), le=timedelta(hours=3))] = timedelta(hours=1)
    """After which time it stops ringing all the same."""
    rings: bool = True
    """Whether a critical message here wakes somebody; an emergency does, also on a phone that is set to silent."""
    url: Endpoint = "https://api.pushover.net"
    """The API."""

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Stop the ringing of what is over, then send once."""
        for incident in _over(delivery):
            answer = await self._post(resources, f"receipts/cancel_by_tag/{quote(incident, safe='')}", {})
            if not answer.accepted and isinstance(refused := refusal(answer), Retry):
                return refused
        answer = await self._post(resources, "messages", self._form(delivery))
        return Delivered() if answer.accepted else refusal(answer)

    def _form(self, delivery: Delivery) -> dict[str, str]:
        message = message_of(delivery)
        form = {
            "user": self.user.reveal(),
            "title": cut(message.headline, LONGEST_TITLE),
            "message": cut("\n".join(_lines(message)), LONGEST_MESSAGE),
            "priority": str(priority(delivery)),
            "timestamp": str(int(max(one.at for one in delivery.notifications).timestamp())),
        }
        if priority(delivery) == EMERGENCY:
            form |= {"retry": f"{self.retry.total_seconds():.0f}", "expire": f"{self.expire.total_seconds():.0f}"}
            if not message.collected:
                form["tags"] = delivery.notifications[0].incident
        for label, address in message.entries[0].links[:1]:
            if len(address) <= LONGEST_LINK:
                form |= {"url": address, "url_title": cut(label, LONGEST_LABEL)}
        return form

    async def _post(self, resources: Resources, path: str, form: dict[str, str]) -> Answer:
        body = urlencode({"token": self.token.reveal(), **form})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await send(resources.session, f"{self.url}/1/{path}.json", headers, body.encode())


def priority(delivery: Delivery) -> int:
    """Return how loudly `delivery` comes: a critical as an emergency, what must ring nobody without a sound."""
    loud = [one.severity for one in delivery.notifications if not one.quiet]
    worst = max(loud, default=Severity.INFO)
    return {Severity.CRITICAL: EMERGENCY, Severity.WARNING: NORMAL, Severity.INFO: LOW}[worst]


def _over(delivery: Delivery) -> list[str]:
    """Return the incidents whose emergency must ring no more, those that began first."""
    over = [one for one in delivery.notifications if one.kind in STOPS]
    over.sort(key=lambda one: one.page.since or one.at)
    return [one.incident for one in over[:MOST_STOPPED]]


def _lines(message: Message) -> Iterator[str]:
    yield from (text for text in (message.shares, *message.notes) if text)
    if message.collected:
        yield from (entry.lead for entry in message.entries)
        yield from message.lines
        yield more_text(message)
    else:
        yield from _single(message.entries[0])


def _single(entry: Entry) -> Iterator[str]:
    """Yield what there is to know, the remedy before what may be cut."""
    told = dict(entry.facts)
    yield f"{entry.when}."
    yield from entry.notes
    yield from (text for text in (entry.summary, _of(told, "Value"), _of(told, "Figure")) if text)
    if entry.steps:
        yield f"What to do\n{steps_text(entry.steps)}"
    yield from (f"{name}: {text}" for name, text in entry.facts if name not in {"Value", "Figure"})


def _of(facts: dict[str, str], name: str) -> str:
    return f"{name}: {facts[name]}" if name in facts else ""

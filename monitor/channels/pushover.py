"""Pushover: a push message; a critical rings again and again until somebody confirms it in the app.

Facts are those of pushover.net/api. Each emergency has a receipt, which says whether somebody confirmed it, and that is
an acknowledgement of every alert it was about. An emergency carries its incident as a tag, so that its end, its easing
or an acknowledgement elsewhere stops the ringing. One message about several alerts carries none: it rings until none of
them goes on, or a newer one rings in its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote, urlencode

import structlog
from pydantic import Field

from monitor.channels.base import Channel, Delivered, Retry, attempt
from monitor.channels.posting import Endpoint, Token, ask, read_object, refusal, send
from monitor.fields import Duration
from monitor.message import ASIDE, ENDED, message_of, more_text, steps_text
from monitor.model import Act, Deed, EventKind, Scope, Severity, stable_id
from monitor.plain import cut, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.channels.base import Ear, Resources, SendResult
    from monitor.channels.posting import Answer
    from monitor.message import Entry, Message
    from monitor.model import Delivery, Notification

LONGEST_TITLE = 250
LONGEST_MESSAGE = 1_024
LONGEST_LINK = 512
LONGEST_LABEL = 100
EMERGENCY, NORMAL, LOW = 2, 0, -1
"""Priorities: rings until it is confirmed; makes a sound; makes none."""
MOST_STOPPED = 10
"""How many emergencies one message stops: of a storm, only those rang by themselves that came first."""
STOPS = ENDED | {EventKind.EASED, EventKind.ACKNOWLEDGED}
ASKED_EVERY = timedelta(seconds=5)
"""How often a receipt is asked for: Pushover wants it no faster."""
ASKED_AGAIN = timedelta(minutes=1)
"""When, after Pushover did not answer as it should, unless it says so itself."""
LONGEST_WHO = 60

_RECEIPT = re.compile("[A-Za-z0-9]{1,64}")

log = structlog.get_logger()


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

    @property
    def acknowledges(self) -> bool:
        """Return whether people can acknowledge an alert from here: they confirm its emergency in the app."""
        return True

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Stop the ringing of what is over or taken, then send once."""
        for incident in _over(delivery):
            answer = await self._post(resources, f"receipts/cancel_by_tag/{quote(incident, safe='')}", {})
            if not answer.accepted and isinstance(refused := refusal(answer), Retry):
                return refused
        answer = await self._post(resources, "messages", self._form(delivery), read=True)
        return Delivered(_receipts(delivery, answer)) if answer.accepted else refusal(answer)

    async def listen(self, name: str, ear: Ear, resources: Resources) -> None:
        """Ask for the receipts of what goes on: a confirmed one is an acknowledgement, a needless one is cancelled."""
        watched, well = _Watched(), True
        while True:
            began = resources.clock.now()
            watched.take(ear.posted(name))
            result: SendResult = Delivered()
            for receipt in watched.open():
                result = await attempt(self, self._look(receipt, name, ear, resources, watched), resources)
                if not isinstance(result, Delivered):
                    break
            if isinstance(result, Retry) and well:
                log.warning("receipts_not_answered", channel=name, reason=result.reason)
            well = isinstance(result, Delivered)
            pause = (isinstance(result, Retry) and result.after) or (ASKED_EVERY if well else ASKED_AGAIN)
            await resources.clock.sleep_until(began + max(pause, ASKED_EVERY))

    async def _look(self, receipt: str, name: str, ear: Ear, resources: Resources, watched: _Watched) -> SendResult:
        """Ask for one receipt and do what follows from it. A receipt that Pushover does not know follows nothing."""
        query = urlencode({"token": self.token.reveal()})
        answer = await ask(resources.session, f"{self.url}/1/receipts/{receipt}.json?{query}", {})
        if not answer.accepted and isinstance(refused := refusal(answer), Retry):
            return refused
        said = read_object(answer.text) if answer.accepted else {"acknowledged": 0, "expired": 1}
        match said.get("acknowledged"), said.get("expired"):
            case 1, _:
                for incident in watched.about[receipt]:
                    if (note := ear.about(incident)) is not None:
                        await ear.hear(_acknowledgement(note, receipt, said, name, resources.clock.now()))
            case 0, 0 if any(ear.about(incident) is not None for incident in watched.present(receipt)):
                return Delivered()
            case 0, 0:
                await self._post(resources, f"receipts/{receipt}/cancel", {})
            case 0, 1:
                pass
            case _:
                return Retry("what Pushover answers is no receipt")
        watched.done.add(receipt)
        return Delivered()

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

    async def _post(self, resources: Resources, path: str, form: dict[str, str], *, read: bool = False) -> Answer:
        body = urlencode({"token": self.token.reveal(), **form})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return await send(resources.session, f"{self.url}/1/{path}.json", headers, body.encode(), read=read)


@dataclass(slots=True)
class _Watched:
    """The receipts that are asked for: which incidents each is about, and which need no more asking.

    `posted` are the present ones, by incident; a receipt may be asked for once more after another took its place.
    """

    posted: Mapping[str, str] = field(default_factory=dict)
    about: dict[str, set[str]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)

    def take(self, posted: Mapping[str, str]) -> None:
        """Watch what is `posted` now."""
        self.posted = posted
        for incident, receipt in posted.items():
            self.about.setdefault(receipt, set()).add(incident)
        for receipt in self.done - set(posted.values()):
            del self.about[receipt]
            self.done.discard(receipt)

    def open(self) -> list[str]:
        """Return the receipts to ask for."""
        return [receipt for receipt in self.about if receipt not in self.done]

    def present(self, receipt: str) -> list[str]:
        """Return the incidents that no newer receipt is about."""
        return [incident for incident in self.about[receipt] if self.posted.get(incident, receipt) == receipt]


def _acknowledgement(note: Notification, receipt: str, said: Mapping[str, Any], name: str, now: datetime) -> Act:
    """Return what the confirming of an emergency means for one of the alerts it was about, the same each time."""
    device, at = said.get("acknowledged_by_device"), said.get("acknowledged_at")
    who = plain(device, LONGEST_WHO) if isinstance(device, str) else ""
    known = isinstance(at, int) and 0 < at < now.timestamp()
    return Act(
        id=stable_id(receipt, note.incident),
        at=datetime.fromtimestamp(at, UTC) if known and at else now,
        deed=Deed.ACKNOWLEDGE,
        who=who or name,
        scope=Scope(note.key.check.system, note.key.check.check, note.key.name, note.key.labels),
        incident=note.incident,
    )


def _rings(notification: Notification) -> bool:
    return not notification.quiet and notification.kind not in ASIDE


def _receipts(delivery: Delivery, answer: Answer) -> dict[str, str]:
    """Return the receipt of an emergency for each incident that rings."""
    receipt = read_object(answer.text).get("receipt")
    if priority(delivery) != EMERGENCY or not isinstance(receipt, str) or not _RECEIPT.fullmatch(receipt):
        return {}
    ringing = (one for one in delivery.notifications if _rings(one) and one.severity is Severity.CRITICAL)
    return {one.incident: receipt for one in ringing}


def priority(delivery: Delivery) -> int:
    """Return how loudly `delivery` comes: a critical as an emergency, what must ring nobody without a sound."""
    loud = [one.severity for one in delivery.notifications if _rings(one)]
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

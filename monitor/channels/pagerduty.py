"""PagerDuty: one event of the Events API v2 per alert, so that each opens, and ends, an alert of its own there.

Facts are those of developer.pagerduty.com (Events API v2) and github.com/PagerDuty/api-schema. The dedup key is the id
of the incident: a repetition is the same alert, and a late end cannot close what began since. A critical has a key of
its own: PagerDuty leaves an open alert as urgent as it began, so one that gets worse would ring nobody.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal

from pydantic import PrivateAttr

from monitor.channels.base import Channel, Delivered
from monitor.channels.posting import Endpoint, Token, post, refusal
from monitor.channels.progress import Progress
from monitor.message import ASIDE, ENDED, LONGEST_TITLE, TOLD_ONCE, message_of, steps_text
from monitor.model import Delivery, EventKind, Severity
from monitor.plain import cut, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.channels.base import Resources, SendResult
    from monitor.message import Message
    from monitor.model import Notification

CLIENT = "runbook-monitor"
TAKEN = frozenset({EventKind.ACKNOWLEDGED, EventKind.ANSWERED})
"""What stays with an open alert there: that somebody has it, and what its steps answered."""
LONGEST_SUMMARY = 1_024
LONGEST_NAME = 200
LONGEST_REMEDY = 20_000
"""An event may have 512 KB, and a character may take 12 bytes of it."""


class PagerDutyChannel(Channel):
    """Opens and resolves alerts in PagerDuty (Events API v2)."""

    kind: Literal["pagerduty"] = "pagerduty"
    routing_key: Token
    """The integration key of a service: its integration must be of the type *Events API V2*."""
    rings: bool = True
    """Whether a critical message here wakes somebody; PagerDuty does, unless its service says otherwise."""
    url: Endpoint = "https://events.pagerduty.com/v2"
    """The API; in PagerDuty's European region `https://events.eu.pagerduty.com/v2`."""
    _progress: Progress = PrivateAttr(default_factory=Progress)

    @property
    def silent(self) -> bool:
        """Return that an event which calls nobody is not sent at all."""
        return False

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Send an event for each alert; one that PagerDuty took is not sent again when others must be."""
        told = {one.id: one for one in delivery.notifications if is_told(one)}

        async def send_one(notification: Notification) -> SendResult:
            for path, body in events(notification, uncertain=delivery.uncertain):
                whole = {"routing_key": self.routing_key.reveal(), **body}
                answer = await post(resources, f"{self.url}/{path}", whole, {})
                if not answer.accepted:
                    return refusal(answer)
            return Delivered()

        return await self._progress.each(told, send_one)


def is_told(notification: Notification) -> bool:
    """Return whether PagerDuty hears of it: of all that is quiet, only what rings nobody there either."""
    if notification.kind in ENDED | TOLD_ONCE | TAKEN:
        return True
    return not notification.quiet and notification.kind not in ASIDE


def events(notification: Notification, *, uncertain: bool = False) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the paths and the bodies, but for the routing key, of what tells PagerDuty of `notification`.

    What is told once, such as the report of a deploy, is a change event: PagerDuty shows it and pages nobody.
    """
    critical, other = f"{notification.incident}-critical", notification.incident
    if notification.kind in ENDED:
        yield from (_resolve(key) for key in (critical, other))
        return
    key, former = (critical, other) if notification.severity is Severity.CRITICAL else (other, critical)
    if notification.kind is EventKind.ACKNOWLEDGED:
        yield "enqueue", {"event_action": "acknowledge", "dedup_key": key}
        return
    message = message_of(Delivery(notification.id, (notification,), uncertain))
    payload, links = _told(notification, message), _links(message)
    if notification.kind in TOLD_ONCE:
        yield "change/enqueue", {"payload": payload, "links": links}
        return
    opened = {"event_action": "trigger", "dedup_key": key, "client": CLIENT}
    yield "enqueue", {**opened, "payload": payload | _placed(notification), "links": links}
    if notification.kind not in {EventKind.OPENED, EventKind.ANSWERED}:
        yield _resolve(former)


def _resolve(key: str) -> tuple[str, dict[str, Any]]:
    return "enqueue", {"event_action": "resolve", "dedup_key": key}


def _told(notification: Notification, message: Message) -> dict[str, Any]:
    """Return what both kinds of event have."""
    entry = message.entries[0]
    title = plain(notification.page.title, LONGEST_TITLE) or entry.name
    details = {
        **dict(entry.facts),
        "Finding": entry.summary,
        "What to do": cut(steps_text(entry.steps), LONGEST_REMEDY),
        "Note": " ".join((*message.notes, *entry.notes)),
    }
    return {
        "summary": cut(": ".join(text for text in (title, entry.summary) if text), LONGEST_SUMMARY),
        "source": plain(notification.page.system, LONGEST_NAME) or CLIENT,
        "timestamp": min(notification.page.since or notification.at, notification.at).astimezone(UTC).isoformat(),
        "custom_details": {name: text for name, text in details.items() if text},
    }


def _placed(notification: Notification) -> dict[str, str]:
    page = notification.page
    names = {"component": page.check, "group": page.system, "class": page.alert}
    return {"severity": str(notification.severity)} | {key: plain(text, LONGEST_NAME) for key, text in names.items()}


def _links(message: Message) -> list[dict[str, str]]:
    return [{"href": address, "text": label} for label, address in message.entries[0].links]

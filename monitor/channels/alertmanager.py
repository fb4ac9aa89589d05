"""Alertmanager: its alerts API, version 2, for those whose routing, silences and on-call plans live there.

Facts are those of prometheus.io/docs/alerting and of Alertmanager's own openapi.yaml. An alert is its labels, the
severity among them: at another severity it is another alert, and the former must be ended. What Alertmanager hears no
more of it takes for over at the end it was told: a quarter of an hour ahead, and moved each minute for as long as the
alert goes on. So it outlives an acknowledgement, after which nobody is reminded, and ends there when this daemon died.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import structlog
from pydantic import PrivateAttr
from yarl import URL

from monitor.channels.base import Channel, Delivered, Retry, attempt
from monitor.channels.labelled import annotations_of, labels_of, moment
from monitor.channels.posting import Address, Token, refusal, send
from monitor.message import ASIDE, ENDED, TOLD_ONCE
from monitor.model import Delivery, EventKind, Severity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from datetime import datetime

    from monitor.channels.base import Ear, Resources, SendResult
    from monitor.model import Notification

STANDS = timedelta(minutes=15)
"""For how long an alert stands unless Alertmanager hears more of it."""
EVERY = timedelta(minutes=1)
MOST_AT_ONCE = 100
CHANGES = ENDED | {EventKind.WORSENED, EventKind.EASED}

_ODD = re.compile(r"[^a-zA-Z0-9_]|^(?=[0-9])")


log = structlog.get_logger()


class AlertmanagerChannel(Channel):
    """Gives alerts to an Alertmanager (API version 2)."""

    kind: Literal["alertmanager"] = "alertmanager"
    url: Address
    """Where Alertmanager is, up to its route prefix: `http://user:password@alertmanager:9093`, the user if needed."""
    bearer: Token | None = None
    """A token for `Authorization: Bearer`, for a proxy before it."""
    _turn: asyncio.Lock = PrivateAttr(default_factory=asyncio.Lock)
    """Whose turn it is to post: a refresh must not bring back what ended while it was under way."""
    _told: dict[str, str] = PrivateAttr(default_factory=dict)
    """The severity that was told last, by incident: known here before `Ear.posted` can know it."""

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Post all alerts at once; the same again changes nothing there. What changes no alert waits for a refresh."""
        told = tuple(one for one in delivery.notifications if one.kind not in ASIDE)
        if not told:
            return Delivered()
        async with self._turn:
            result = await self._post(replace(delivery, notifications=told), resources)
            if not isinstance(result, Delivered):
                return result
            going_on = {one.incident: str(one.severity) for one in told if one.kind not in ENDED | TOLD_ONCE}
            self._told.update(going_on)
            return Delivered(going_on)

    async def listen(self, name: str, ear: Ear, resources: Resources) -> None:
        """Say each minute of what goes on that it does."""
        well = True
        while True:
            began = resources.clock.now()
            reasons = [reason async for reason in self._refresh(name, ear, resources)]
            if reasons and well:
                log.warning("alerts_not_refreshed", channel=name, reason=reasons[0])
            elif not (reasons or well):
                log.info("alerts_refreshed_again", channel=name)
            well = not reasons
            await resources.clock.sleep_until(began + EVERY)

    async def _refresh(self, name: str, ear: Ear, resources: Resources) -> AsyncIterator[str]:
        """Post all that goes on, a part at a time; yield why a part was not taken."""
        posted = list(ear.posted(name).items())
        for incident in self._told.keys() - dict(posted).keys():
            del self._told[incident]
        for start in range(0, len(posted), MOST_AT_ONCE):
            part = self._refresh_part(posted[start : start + MOST_AT_ONCE], ear, resources)
            result = await attempt(self, part, resources)
            if not isinstance(result, Delivered):
                yield result.reason
            if isinstance(result, Retry):
                return

    async def _refresh_part(self, posted: Sequence[tuple[str, str]], ear: Ear, resources: Resources) -> SendResult:
        async with self._turn:
            told = [(ear.about(incident), self._told.get(incident, severity)) for incident, severity in posted]
            standing = tuple(_as_told(one, severity) for one, severity in told if one is not None)
            return await self._post(Delivery("refresh", standing), resources) if standing else Delivered()

    async def _post(self, delivery: Delivery, resources: Resources) -> SendResult:
        headers = {"Content-Type": "application/json"}
        if self.bearer:
            headers["Authorization"] = f"Bearer {self.bearer.reveal()}"
        url = str(URL(self.url.reveal()) / "api/v2/alerts")
        body = json.dumps(postable(delivery, resources.clock.wall() + STANDS)).encode()
        answer = await send(resources.session, url, headers, body)
        return Delivered() if answer.accepted else refusal(answer)


def _as_told(notification: Notification, severity: str) -> Notification:
    """Return it at the severity that was told last: one that was held back since must not get there by a refresh."""
    told = next((one for one in Severity if str(one) == severity), notification.severity)
    return replace(notification, severity=told, kind=EventKind.REPEATED)


def postable(delivery: Delivery, until: datetime) -> list[dict[str, Any]]:
    """Return the alerts of `delivery` as Alertmanager takes them, each once, as it was decided last.

    Those that go on stand `until` then: a moment of the wall clock, as Alertmanager goes by its own.
    """
    alerts: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for notification in sorted(delivery.notifications, key=lambda one: one.at):
        for alert in _alerts(notification, until, uncertain=delivery.uncertain):
            alerts[tuple(sorted(alert["labels"].items()))] = alert
    return list(alerts.values())


def _alerts(notification: Notification, until: datetime, *, uncertain: bool) -> Iterator[dict[str, Any]]:
    """Yield the alert itself and, when its severity may have changed, the end of those at the others."""
    page, at = notification.page, notification.at
    began = at if notification.kind in TOLD_ONCE else page.since or at
    ended = max(began, (page.until or at) if notification.kind in ENDED else at)
    labels = {_ODD.sub("_", name): value for name, value in labels_of(notification).items() if name and value}
    alert = {
        "labels": labels,
        "annotations": annotations_of(notification, uncertain=uncertain),
        "startsAt": moment(began),
        "endsAt": moment(ended if notification.kind in ENDED else max(began, until)),
    }
    others = [str(severity) for severity in Severity if severity is not notification.severity]
    if notification.kind in CHANGES:
        yield from ({**alert, "labels": {**labels, "severity": other}, "endsAt": moment(ended)} for other in others)
    yield alert

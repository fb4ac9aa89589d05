"""Alertmanager: its alerts API, version 2, for those whose routing, silences and on-call plans live there.

Facts are those of prometheus.io/docs/alerting and of Alertmanager's own openapi.yaml. An alert is its labels, the
severity among them: at another severity it is another alert, and the former must be ended. What Alertmanager hears no
more of it takes for over at the end it was told, so that end lies beyond the next reminder.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import PrivateAttr
from yarl import URL

from monitor.channels.base import Channel, Delivered
from monitor.channels.labelled import annotations_of, labels_of, moment
from monitor.channels.posting import Address, Token, refusal, send
from monitor.message import ENDED, TOLD_ONCE
from monitor.model import EventKind, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.channels.base import Resources, SendResult
    from monitor.model import Delivery, Notification

SLACK = timedelta(minutes=15)
"""How late a reminder may come."""
UNROUTED = timedelta(hours=24)
"""How long an alert stands on a channel that only is a fallback, which is reminded of nothing."""
CHANGES = ENDED | {EventKind.WORSENED, EventKind.EASED}

_ODD = re.compile(r"[^a-zA-Z0-9_]|^(?=[0-9])")


class AlertmanagerChannel(Channel):
    """Gives alerts to an Alertmanager (API version 2)."""

    kind: Literal["alertmanager"] = "alertmanager"
    url: Address
    """Where Alertmanager is, up to its route prefix: `http://user:password@alertmanager:9093`, the user if needed."""
    bearer: Token | None = None
    """A token for `Authorization: Bearer`, for a proxy before it."""
    _every: timedelta = PrivateAttr(default=UNROUTED)

    def reminded(self, every: timedelta) -> Self:
        """Return this channel with alerts that outlast reminders `every` so often."""
        made = self.model_copy()
        made._every = every  # noqa: SLF001 - a copy of our own
        return made

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Post all alerts at once; the same again changes nothing there."""
        headers = {"Content-Type": "application/json"}
        if self.bearer:
            headers["Authorization"] = f"Bearer {self.bearer.reveal()}"
        url = str(URL(self.url.reveal()) / "api/v2/alerts")
        body = json.dumps(postable(delivery, self._every + SLACK)).encode()
        answer = await send(resources.session, url, headers, body)
        return Delivered() if answer.accepted else refusal(answer)


def postable(delivery: Delivery, lasts: timedelta) -> list[dict[str, Any]]:
    """Return the alerts of `delivery` as Alertmanager takes them, each once: as it was decided last."""
    alerts: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
    for notification in sorted(delivery.notifications, key=lambda one: one.at):
        for alert in _alerts(notification, lasts, uncertain=delivery.uncertain):
            alerts[tuple(sorted(alert["labels"].items()))] = alert
    return list(alerts.values())


def _alerts(notification: Notification, lasts: timedelta, *, uncertain: bool) -> Iterator[dict[str, Any]]:
    """Yield the alert itself and, when its severity may have changed, the end of those at the others."""
    page, at = notification.page, notification.at
    began = at if notification.kind in TOLD_ONCE else page.since or at
    ended = max(began, (page.until or at) if notification.kind in ENDED else at)
    labels = {_ODD.sub("_", name): value for name, value in labels_of(notification).items() if name and value}
    alert = {
        "labels": labels,
        "annotations": annotations_of(notification, uncertain=uncertain),
        "startsAt": moment(began),
        "endsAt": moment(ended if notification.kind in ENDED else at + _standing(notification, lasts)),
    }
    others = [str(severity) for severity in Severity if severity is not notification.severity]
    if notification.kind in CHANGES:
        yield from ({**alert, "labels": {**labels, "severity": other}, "endsAt": moment(ended)} for other in others)
    yield alert


def _standing(notification: Notification, lasts: timedelta) -> timedelta:
    """Return for how long an alert stands unless more is heard of it; what is told once needs only to be seen."""
    return SLACK if notification.kind in TOLD_ONCE else lasts

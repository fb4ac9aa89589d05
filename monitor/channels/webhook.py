"""Webhook: Alertmanager's payload, version 4, so that whatever understands Alertmanager understands us.

Where several alerts go into one request, each keeps its own labels, annotations and fingerprint. `Idempotency-Key`
names the request, the same over every repetition.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from monitor.channels.base import Channel, Delivered
from monitor.channels.labelled import annotations_of, labels_of, moment
from monitor.channels.posting import Address, post, refusal
from monitor.message import ASIDE, ENDED, TOLD_ONCE, message_of
from monitor.plain import plain
from monitor.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.channels.base import Resources, SendResult
    from monitor.model import Delivery, Notification

NOT_ENDED = "0001-01-01T00:00:00Z"
"""What Alertmanager writes for the end of an alert that goes on."""
OURS = frozenset({"content-type", "content-length", "transfer-encoding", "idempotency-key"})

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _header_value(secret: Secret) -> Secret:
    if not (secret.reveal().isascii() and secret.reveal().isprintable()):
        raise ValueError("a header's value must be printable ASCII")
    return secret


def _header_name(name: str) -> str:
    if not _TOKEN.fullmatch(name) or name.lower() in OURS:
        raise ValueError("not the name of a header that can be set")
    return name


HeaderName = Annotated[str, AfterValidator(_header_name)]
HeaderValue = Annotated[Secret, AfterValidator(_header_value)]


class WebhookChannel(Channel):
    """Posts JSON to an address of yours."""

    kind: Literal["webhook"] = "webhook"
    url: Address
    """Where to post; never shown, because it often holds a token."""
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    """Further headers."""
    bearer: HeaderValue | None = None
    """A token for `Authorization: Bearer`."""

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Post once: 2xx is delivered, 408, 425, 429 and 5xx may be tried again, anything else will never work.

        The form knows only *firing* and *resolved*: what is neither would read as a reminder, and is not sent.
        """
        told = tuple(one for one in delivery.notifications if one.kind not in ASIDE)
        if not told:
            return Delivered()
        headers = {name: value.reveal() for name, value in self.headers.items()}
        if self.bearer:
            headers["Authorization"] = f"Bearer {self.bearer.reveal()}"
        headers["Idempotency-Key"] = delivery.id
        answer = await post(resources, self.url.reveal(), payload(replace(delivery, notifications=told)), headers)
        return Delivered() if answer.accepted else refusal(answer)


def payload(delivery: Delivery) -> dict[str, Any]:
    """Return what Alertmanager would post about the alerts of `delivery`."""
    shares = message_of(delivery).shares
    alerts = [_alert(one, uncertain=delivery.uncertain, shares=shares) for one in delivery.notifications]
    common = _common(alert["labels"] for alert in alerts)
    group = {name: common[name] for name in ("alertname", "system", "check") if len(alerts) == 1}
    resolved = all(alert["status"] == "resolved" for alert in alerts)
    return {
        "version": "4",
        "groupKey": f"{{}}:{_matchers(group)}",
        "truncatedAlerts": 0,
        "status": "resolved" if resolved else "firing",
        "receiver": plain(delivery.notifications[0].channel),
        "groupLabels": group,
        "commonLabels": common,
        "commonAnnotations": _common(alert["annotations"] for alert in alerts),
        "externalURL": "",
        "alerts": alerts,
    }


def _alert(notification: Notification, *, uncertain: bool, shares: str) -> dict[str, Any]:
    page = notification.page
    ended, told_once = notification.kind in ENDED, notification.kind in TOLD_ONCE
    return {
        "status": "resolved" if ended else "firing",
        "labels": labels_of(notification),
        "annotations": annotations_of(notification, uncertain=uncertain, shares="" if ended else shares),
        "startsAt": moment(page.since or notification.at),
        "endsAt": moment(page.until or notification.at) if ended or told_once else NOT_ENDED,
        "generatorURL": "",
        "fingerprint": notification.key.fingerprint,
    }


def _common(maps: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the pairs that all of `maps` share."""
    first, *others = maps
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _matchers(labels: Mapping[str, str]) -> str:
    """Return labels as Alertmanager writes them into a group key: `{alertname="down", check="site"}`."""
    return "{" + ", ".join(f"{name}={json.dumps(value)}" for name, value in sorted(labels.items())) + "}"

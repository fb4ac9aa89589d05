"""Channels: how a message leaves. A kind is one file with its fields and its `send`, and one line in `KINDS`."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.channels.base import Channel

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "slack": "monitor.channels.slack:SlackChannel",
        "email": "monitor.channels.email:EmailChannel",
        "webhook": "monitor.channels.webhook:WebhookChannel",
        "pagerduty": "monitor.channels.pagerduty:PagerDutyChannel",
        "resend": "monitor.channels.resend:ResendChannel",
        "sms": "monitor.channels.sms:SmsChannel",
        "pushover": "monitor.channels.pushover:PushoverChannel",
        "alertmanager": "monitor.channels.alertmanager:AlertmanagerChannel",
        "apprise": "monitor.channels.apprise:AppriseChannel",
        "console": "monitor.channels.console:ConsoleChannel",
    }
)
"""Where each kind is found. Its module is imported when a file uses it."""

SLACK_HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
SHORT_FORMS = (
    "a channel's short form is its address: https://hooks.slack.com/…, another http(s):// address for a webhook, "
    "or mailto:oncall@example.com?smtp=smtp://user:password@host:587"
)


def load_kind(name: str) -> type[Channel]:
    """Return the class of the kind `name`; raises ValueError, naming the kinds there are, if there is none."""
    if name not in KINDS:
        raise ValueError(f"{name!r} is not a kind of channel; there are {', '.join(KINDS)}")
    module, _, kind = KINDS[name].partition(":")
    found: type[Channel] = getattr(importlib.import_module(module), kind)
    return found


def kind_of_address(text: str) -> tuple[str, dict[str, Any]]:
    """Return the kind that a channel's short form means, and its fields.

    Raises ValueError when no kind has such an address; its message is without the text, which is a secret.
    """
    text = text.strip()
    if text.lower().startswith("mailto:"):
        return _email(text)
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").lower()
    except ValueError:
        raise ValueError(SHORT_FORMS) from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError(SHORT_FORMS)
    return ("slack", {"webhook_url": text}) if host in SLACK_HOSTS else ("webhook", {"url": text})


def _email(text: str) -> tuple[str, dict[str, Any]]:
    """Read `mailto:a@b,c@d?smtp=…`; what follows `smtp=` is taken as it stands: a password is encoded only once."""
    recipients, _, server = text.partition(":")[2].partition("?smtp=")
    if not recipients or not server:
        raise ValueError(SHORT_FORMS)
    return "email", {"to": [one.strip() for one in recipients.split(",")], "smtp": server}

"""Our channels as Alertmanager's receivers, without a secret: a file to read it from, or words in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.rules.text import Remarked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from monitor.channels.base import Channel
    from monitor.rules.text import Value

SECRETS = "/etc/alertmanager/secrets"
NOBODY = "nobody"
PUT_IN = "PUT IT IN HERE"
NOWHERE = "http://127.0.0.1:9/put-your-address-in-here"
TITLE = (
    "{{ .Status | toUpper }}: {{ .CommonAnnotations.summary }}"
    "{{ if not .CommonAnnotations.summary }}{{ len .Alerts }} alerts{{ end }}"
)
TEXT = (
    "{{ range .Alerts }}{{ .Labels.severity }}: {{ .Annotations.summary }}: {{ .Annotations.description }}\n"
    "{{ .Annotations.remedy }}\n{{ .Annotations.runbook_url }}\n{{ end }}"
)
SENT = {"send_resolved": True}
PEOPLE = frozenset({"to", "from"})
Parts = tuple[str, "dict[str, Value]", str]


class Receivers:
    """The receivers that routes use: one for each set of channels. `redact` takes secrets out of texts."""

    def __init__(self, channels: Mapping[str, Channel], redact: Callable[[str], str]) -> None:
        """Make none yet but the one that tells nobody."""
        self._channels = channels
        self._redact = redact
        self._named: dict[str, tuple[str, ...]] = {NOBODY: ()}

    def named(self, channels: Iterable[str]) -> str:
        """Return the name of the receiver that tells these channels."""
        names = tuple(dict.fromkeys(channels))
        name = ", ".join(names) or NOBODY
        self._named[name] = names
        return name

    def values(self) -> list[Value | Remarked]:
        """Return all of them as an Alertmanager's configuration has them."""
        return [self._receiver(name, names) for name, names in self._named.items()]

    def _receiver(self, name: str, names: Iterable[str]) -> Value | Remarked:
        configs: dict[str, list[Value]] = {}
        remarks = []
        for channel in names:
            kind, fields, remark = self._config(channel)
            remarks += [f"{channel}: {remark}"] if remark else []
            if kind:
                configs.setdefault(f"{kind}_configs", []).append({**fields, **SENT})
        return Remarked({"name": name, **configs}, tuple(remarks))

    def _config(self, name: str) -> Parts:
        """Return which kind of Alertmanager's the channel `name` is, its fields, and what must be known of it."""
        channel = self._channels[name]
        form = FORMS.get(channel.kind)
        if form is None:
            return (
                "webhook",
                {"url": NOWHERE},
                f"Alertmanager knows no {channel.kind}: put in a webhook that leads there",
            )
        kind, fields, remark = form(channel, f"{SECRETS}/{name}")
        shown = {key: self._redact(str(value)) if key in PEOPLE else value for key, value in fields.items()}
        return kind, shown, remark


def _slack(channel: Channel, file: str) -> Parts:
    room = str(getattr(channel, "channel", ""))
    said: dict[str, Value] = {"title": TITLE, "text": TEXT}
    if not room:
        return "slack", {"api_url_file": file, **said}, f"the incoming webhook's address goes into {file}"
    bot: Value = {"authorization": {"credentials_file": file}}
    posts: dict[str, Value] = {"api_url": "https://slack.com/api/chat.postMessage", "channel": room, "http_config": bot}
    return "slack", {**posts, **said}, f"the bot's token goes into {file}"


def _email(channel: Channel, file: str) -> Parts:
    login = {"smarthost": "smtp.example.com:587", "auth_username": PUT_IN, "auth_password_file": file}
    return "email", {**_people(channel), **login}, f"put in server and user; the password goes into {file}"


def _resend(channel: Channel, file: str) -> Parts:
    login = {"smarthost": "smtp.resend.com:587", "auth_username": "resend", "auth_password_file": file}
    return "email", {**_people(channel), **login}, f"Resend's key goes into {file}"


def _pagerduty(_: Channel, file: str) -> Parts:
    fields: dict[str, Value] = {"routing_key_file": file, "description": TITLE}
    return "pagerduty", fields, f"the integration key goes into {file}"


def _pushover(_channel: Channel, _file: str) -> Parts:
    fields: dict[str, Value] = {"user_key": PUT_IN, "token": PUT_IN, "title": TITLE, "message": TEXT}
    return "pushover", fields, "put in the key of the user and the token of the application"


def _webhook(_channel: Channel, _file: str) -> Parts:
    return "webhook", {"url": NOWHERE}, "put in the address; since 0.26 also as url_file"


def _alertmanager(_channel: Channel, _file: str) -> Parts:
    return "", {}, "what it told this Alertmanager comes from Prometheus now"


def _people(channel: Channel) -> dict[str, str]:
    """Return who gets a mail, and from whom."""
    to = ", ".join(map(str, getattr(channel, "to", ())))
    return {"to": to, "from": str(getattr(channel, "from_", None) or "monitor@example.com")}


FORMS: Mapping[str, Callable[[Channel, str], Parts]] = {
    "slack": _slack,
    "email": _email,
    "resend": _resend,
    "pagerduty": _pagerduty,
    "pushover": _pushover,
    "webhook": _webhook,
    "alertmanager": _alertmanager,
}

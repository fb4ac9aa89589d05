"""Slack: a conversation with a bot token, or the incoming webhook as the simple way.

With a bot token each alert is one message that is kept up to date, its history is the thread below it, and with an
app-level token too, its buttons are heard.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Literal, Self

import structlog
from pydantic import AfterValidator, ConfigDict, Field, PrivateAttr, model_validator

from monitor.channels.base import SHORTEST_TOKEN, Channel, Retry
from monitor.channels.posting import Address, Endpoint, Token
from monitor.channels.progress import Progress
from monitor.channels.slack.api import Api, Refused
from monitor.channels.slack.blocks import call_of
from monitor.channels.slack.clicks import Clicks, Room
from monitor.channels.slack.conversation import Conversation
from monitor.channels.slack.line import Line
from monitor.channels.slack.manifest import APP_SCOPES, manifest
from monitor.channels.slack.thread import rings
from monitor.channels.slack.webhook import post_to_webhook
from monitor.model import Failure, Reason
from monitor.permission import Permission
from monitor.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.channels.base import Ear, Resources, SendResult
    from monitor.model import Delivery


log = structlog.get_logger()


def _bot(token: Secret) -> Secret:
    if not token.reveal().startswith("xoxb-"):
        raise ValueError("must be a Bot User OAuth Token, which begins with xoxb-")
    return token


def _app(token: Secret) -> Secret:
    if not token.reveal().startswith("xapp-"):
        raise ValueError("must be an app-level token, which begins with xapp-")
    return token


APP = "Slack, api.slack.com/apps: Create New App, From a manifest"
Person = Annotated[str, Field(pattern="^[UW][A-Z0-9]{6,}$")]


class SlackChannel(Channel):
    """Posts to a Slack channel: with a bot token as a conversation, or through an incoming webhook."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["webhook_url"]}, {"required": ["token", "channel"]}]}
    )

    kind: Literal["slack"] = "slack"
    webhook_url: Address | None = None
    """The incoming webhook's address, which is a secret: whoever has it can post. Either this or `token`."""
    token: Annotated[Token, AfterValidator(_bot)] | None = None
    """The Bot User OAuth Token (`xoxb-…`) of a Slack app that has the scope `chat:write`; with it, each alert is one
    message that is edited as it changes, with its history in a thread."""
    channel: Annotated[str, Field(pattern="^(|[CGD][A-Z0-9]{6,})$")] = ""
    """The id of the channel to post to, `C…`, which the app must be a member of; needed with `token`."""
    app_token: Annotated[Token, AfterValidator(_app)] | None = None
    """The app-level token (`xapp-…`) with the scope `connections:write`: messages then have buttons, which are heard
    over Socket Mode, so that nobody needs to reach this daemon from outside."""
    users: list[Person] = Field(default=[])
    """The ids, `U…`, of those who may press the buttons; default: every member of the app's own workspace who sees the
    channel, and no guest from another one."""
    mention: Annotated[str, Field(pattern=r"^(|here|channel|[UWS][A-Z0-9]{6,})$")] = ""
    """Whom a critical message calls: `here`, `channel`, or the id of a user or user group. Resolves call nobody."""
    url: Endpoint = "https://slack.com/api"
    """The Web API, for `token`; another one for GovSlack."""
    _progress: Progress = PrivateAttr(default_factory=Progress)
    _others: dict[str, SlackChannel] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if (self.webhook_url is None) == (self.token is None):
            raise ValueError("give either webhook_url, or token and channel")
        if self.token is not None and not self.channel:
            raise ValueError("token needs channel, the id of the channel to post to")
        if self.token is None and (self.channel or self.app_token is not None):
            raise ValueError("channel and app_token need token: a webhook knows neither")
        if self.users and self.app_token is None:
            raise ValueError("users may press buttons, and there are none without app_token")
        return self

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Post, or bring what was posted up to date."""
        if self.token is None:
            return await self._send_to_webhook(delivery, resources)
        return await self._conversation(self.token, resources).tell(delivery)

    async def _send_to_webhook(self, delivery: Delivery, resources: Resources) -> SendResult:
        address = self.webhook_url.reveal() if self.webhook_url is not None else ""
        call = call_of(self.mention) if rings(delivery.notifications) else ""
        return await post_to_webhook(address, delivery, call, resources)

    def _conversation(self, token: Secret, resources: Resources) -> Conversation:
        api = Api(self.url, token, resources.session)
        return Conversation(api, self.channel, call_of(self.mention), self.acknowledges, self._progress)

    def secrets(self) -> tuple[Secret, ...]:
        """Return every text that must never be shown, of a token also the last part, without which it is of no use."""
        parts = (token.reveal().rpartition("-")[2] for token in (self.token, self.app_token) if token is not None)
        return (*super().secrets(), *(Secret(part) for part in parts if len(part) >= SHORTEST_TOKEN))

    def permissions(self) -> tuple[Permission, ...]:
        """Return the app that a bot token is of, and where it must be; an incoming webhook needs no more."""
        if self.token is None:
            return ()
        app = Permission(APP, json.dumps(manifest(buttons=self.acknowledges), indent=2), f"invite it to {self.channel}")
        line = Permission(f"{APP}, Basic Information, App-Level Tokens", f"a token with the scope {APP_SCOPES[0]}")
        return (app, line) if self.acknowledges else (app,)

    @property
    def acknowledges(self) -> bool:
        """Return whether people can acknowledge an alert from here: where its buttons are heard."""
        return self.app_token is not None

    def doubts(self) -> Iterator[str]:
        """Yield that anybody may press."""
        if self.app_token is not None and not self.users:
            yield "every member of the workspace who sees the channel may acknowledge and silence: name them in users"

    def among(self, channels: Mapping[str, Channel]) -> Self:
        """Return this channel, knowing those of the same app: Slack tells a press to any of an app's connections."""
        slack = {name: one for name, one in channels.items() if isinstance(one, SlackChannel)}
        found = self.model_copy()
        found._others = {name: one for name, one in slack.items() if one.app_token and one.app_token == self.app_token}  # noqa: SLF001 - its own
        return found

    async def listen(self, name: str, ear: Ear, resources: Resources) -> None:
        """Hear the buttons of this channel and of those of the same app; the first of these does it for all.

        Raises `Failure` when the connection breaks or cannot be had.
        """
        heard = self._others or {name: self}
        if self.app_token is None or next(iter(heard)) != name:
            return
        rooms = [await _room(called, one, resources) for called, one in heard.items()]
        await Line(Api(self.url, self.app_token, resources.session), Clicks(rooms, ear).press).keep()


async def _room(name: str, channel: SlackChannel, resources: Resources) -> Room:
    """Return where presses are heard, with the workspace that the bot belongs to."""
    api = Api(channel.url, channel.token or Secret(""), resources.session)
    try:
        team = (await api.call("auth.test", {})).get("team_id")
    except Refused as refused:
        if isinstance(refused.result, Retry):
            raise Failure(Reason.UNKNOWN, refused.result.reason) from None
        log.warning("slack_workspace_unknown", channel=name, reason=refused.result.reason)
        team = None
    return Room(name, channel.channel, frozenset(channel.users), team if isinstance(team, str) else "", api)

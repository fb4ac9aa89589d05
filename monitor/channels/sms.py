"""SMS through Twilio: what is wrong, and the first thing to do, in as few characters as that takes.

Facts are those of twilio.com/docs/messaging. A text is charged by segments, and one sign beyond GSM's alphabet more
than halves what a segment holds, so our own typography is spelled in that alphabet. A 201 only says that Twilio queued
the message; what the network made of it is asked for afterwards.
"""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import Field, PrivateAttr

from monitor.channels.base import Channel, Delivered, Rejected, Retry
from monitor.channels.posting import Endpoint, Token, ask, read_object, refusal, send
from monitor.channels.progress import Progress
from monitor.fields import Duration
from monitor.message import ASIDE, ENDED, message_of
from monitor.model import EventKind, Failure, Severity
from monitor.plain import plain
from monitor.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.channels.base import Resources, SendResult
    from monitor.message import Message
    from monitor.model import Delivery, Notification

RUNBOOK = "runbook"
SEGMENTS = 4
GSM_SEGMENT, WIDE_SEGMENT = 153, 67
"""What a part of a longer text holds: signs of GSM 03.38, or UTF-16 units as soon as one sign is not among them."""
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWICE = frozenset("^{}\\[~]|€")
SPELLED = str.maketrans({"…": "...", "–": "-", "—": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "→": "->", "·": "-"})  # noqa: RUF001 - the signs meant
LONGEST_LINK = 120
LONGEST_STEP = 140
PAUSES = (1, 2, 4, 5)
"""Shares of `wait` between two looks at what became of a message."""
FAILED = frozenset({"undelivered", "failed", "canceled"})
PASSING = frozenset({30001, 30003, 30008, 30017, 30410})
"""Twilio's codes for what may work a little later: full queue, phone off, unknown, congestion, time-out."""

_SERVICE = re.compile("MG[0-9a-fA-F]{32}")
_LEVEL = Literal["info", "warning", "critical"]


class SmsChannel(Channel):
    """Sends short text messages through Twilio."""

    kind: Literal["sms"] = "sms"
    account_sid: Annotated[str, Field(pattern="^AC[0-9a-fA-F]{32}$")]
    """The account: `AC` and 32 digits."""
    auth_token: Token
    """The account's token, or the secret of `api_key`."""
    api_key: Annotated[str, Field(pattern="^(|SK[0-9a-fA-F]{32})$")] = ""
    """The SID of an API key, `SK…`, so that the account's own token need not be here."""
    from_: Annotated[
        str, Field(alias="from", pattern=r"^(\+[1-9][0-9]{6,14}|MG[0-9a-fA-F]{32}|[A-Za-z0-9 ]{1,11}|[0-9]{3,8})$")
    ]
    """The sender: a number such as `+15005550006`, the SID of a messaging service, `MG…`, or a sender id."""
    to: Annotated[list[Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]], Field(min_length=1, max_length=10)]
    """The phones, as `+` and country code; each gets a message, and each message costs."""
    severity: Annotated[list[_LEVEL], Field(min_length=1)] = Field(default=["critical"])
    """Which severities it is told of, whatever else a route says."""
    wait: Annotated[Duration, Field(ge=timedelta(), le=timedelta(seconds=8))] = timedelta(seconds=6)
    """How long to ask whether a message was delivered; if nothing is known by then, that Twilio took it is enough."""
    rings: bool = True
    """Whether a critical message here wakes somebody; text messages do, unless you know better."""
    url: Endpoint = "https://api.twilio.com"
    """The API."""
    _progress: Progress = PrivateAttr(default_factory=Progress)
    _sids: dict[str, str] = PrivateAttr(default_factory=dict)

    def takes(self, severity: Severity) -> bool:
        """Return whether this channel is told of alerts of `severity`."""
        return str(severity) in self.severity

    @property
    def silent(self) -> bool:
        """Return that every text message is one on a phone."""
        return False

    def secrets(self) -> tuple[Secret, ...]:
        """Return the token, also as it is sent."""
        return (*super().secrets(), Secret(self._login))

    @property
    def _login(self) -> str:
        return f"{self.api_key or self.account_sid}:{self.auth_token.reveal()}"

    @property
    def _messages(self) -> str:
        return f"{self.url}/2010-04-01/Accounts/{self.account_sid}/Messages"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Basic {b64encode(self._login.encode()).decode()}"}

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Send to each phone once. A repetition leaves out who got it, and asks on where it was only not yet known."""
        told = tuple(one for one in delivery.notifications if is_texted(one))
        if not told:
            return Delivered()
        text = text_of(message_of(replace(delivery, notifications=told)))

        async def send_one(phone: str) -> SendResult:
            identity = f"{delivery.id}/{phone}"
            if identity not in self._sids:
                sid = await self._hand_over(resources, phone, text)
                if not isinstance(sid, str):
                    return sid
                self._sids[identity] = sid
            result = await self._followed(resources, self._sids[identity])
            del self._sids[identity]
            return result

        return await self._progress.each({f"{delivery.id}/{phone}": phone for phone in self.to}, send_one)

    async def _hand_over(self, resources: Resources, phone: str, text: str) -> str | SendResult:
        """Give a message to Twilio and return its SID, or what else came of it."""
        sender = "MessagingServiceSid" if _SERVICE.fullmatch(self.from_) else "From"
        form = urlencode({"To": phone, sender: self.from_, "Body": text})
        headers = {**self._headers, "Content-Type": "application/x-www-form-urlencoded"}
        answer = await send(resources.session, f"{self._messages}.json", headers, form.encode(), read=True)
        if not answer.accepted:
            return refusal(answer)
        sid = read_object(answer.text).get("sid")
        return sid if isinstance(sid, str) and sid.isalnum() else Delivered()

    async def _followed(self, resources: Resources, sid: str) -> SendResult:
        """Return what became of a message that Twilio took."""
        for share in PAUSES:
            await asyncio.sleep(self.wait.total_seconds() * share / sum(PAUSES))
            try:
                answer = await ask(resources.session, f"{self._messages}/{sid}.json", self._headers)
            except Failure:
                continue
            said = read_object(answer.text) if answer.accepted else {}
            if said.get("status") in FAILED:
                return _undelivered(said)
            if said.get("status") in {"delivered", "read"}:
                break
        return Delivered()


def is_texted(notification: Notification) -> bool:
    """Return whether a text is worth its price: it rings whatever it says, so only ends and easings come quietly."""
    if notification.kind in ENDED | {EventKind.EASED}:
        return True
    return not notification.quiet and notification.kind not in ASIDE


def _undelivered(said: Mapping[str, Any]) -> Retry | Rejected:
    code = said.get("error_code")
    reason = f"Twilio took it, but it was not delivered: {said.get('status')}, error {code}"
    return Retry(reason) if code in PASSING else Rejected(reason)


def text_of(message: Message) -> str:
    """Return what fits into a few segments: the most important first, and the runbook's address if it fits whole."""
    first = message.entries[0]
    said = [f"{message.headline}.", message.shares, f"First: {first.line}"] if message.collected else [first.line]
    said += [*message.notes, *first.notes, first.summary and f"{first.summary.rstrip('.')}."]
    said += [f"Do: {plain(step, LONGEST_STEP)}" for step in first.steps[:1]]
    said.append(", ".join(entry.name for entry in message.entries[1:]))
    link = next((address for label, address in first.links if label.lower() == RUNBOOK), "")
    return fitting(" ".join(text for text in said if text), link if len(link) <= LONGEST_LINK else "")


def fitting(text: str, link: str = "") -> str:
    """Return `text`, cut to what `SEGMENTS` hold, and behind it `link`, whole; ours is spelled in GSM's alphabet."""
    text = text.translate(SPELLED)
    wide = any(sign not in GSM and sign not in TWICE for sign in text)
    room = SEGMENTS * (WIDE_SEGMENT if wide else GSM_SEGMENT) - (_units(f" {link}", wide=wide) if link else 0)
    if _units(text, wide=wide) > room:
        until = accumulate(_units(sign, wide=wide) for sign in text)
        text = f"{text[: sum(units <= room - 3 for units in until)].rstrip()}..."
    return f"{text} {link}" if link else text


def _units(text: str, *, wide: bool) -> int:
    return sum((1 + (sign > "\uffff")) if wide else (1 + (sign in TWICE)) for sign in text)

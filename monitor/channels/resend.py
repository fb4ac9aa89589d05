"""Resend: the same mail as over SMTP, for where no SMTP port is open.

Facts are those of resend.com/docs and github.com/resend/resend-openapi. Resend keeps an idempotency key for a day and
refuses it with another body, so whatever changes the body belongs into the key.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from monitor.channels.base import Channel, Delivered, Retry
from monitor.channels.mail import Mailbox, mail_of
from monitor.channels.posting import Endpoint, Token, post, quote, refusal, retry_after

if TYPE_CHECKING:
    from email.message import EmailMessage

    from monitor.channels.base import Resources, SendResult
    from monitor.channels.posting import Answer
    from monitor.model import Delivery

NOT_OURS = frozenset({"from", "to", "subject", "date", "message-id", "mime-version", "content-type"})
"""What Resend sets itself, or has fields for."""
MOST_RECIPIENTS = 50

_UNDER_WAY = re.compile(r"\bconcurrent_idempotent_requests\b")


class ResendChannel(Channel):
    """Sends a mail through the API of Resend, over HTTPS."""

    kind: Literal["resend"] = "resend"
    api_key: Token
    """An API key with the permission *Sending access*."""
    from_: Annotated[Mailbox, Field(alias="from")]
    """The sender; its domain must be verified at Resend."""
    to: Annotated[list[Mailbox], Field(min_length=1, max_length=MOST_RECIPIENTS)]
    """Who gets it."""
    url: Endpoint = "https://api.resend.com"
    """The API."""

    async def send(self, delivery: Delivery, resources: Resources) -> SendResult:
        """Send once. What Resend takes it still has to deliver; its dashboard tells of bounces."""
        headers = {
            "Authorization": f"Bearer {self.api_key.reveal()}",
            "Idempotency-Key": f"{delivery.id}-uncertain" if delivery.uncertain else delivery.id,
        }
        body = payload(mail_of(delivery, self.from_, self.to))
        answer = await post(resources, f"{self.url}/emails", body, headers)
        return Delivered() if answer.accepted else _refused(answer)


def payload(mail: EmailMessage) -> dict[str, Any]:
    """Return `mail` as Resend takes it."""
    text, html = (part.get_content().replace("\r\n", "\n") for part in mail.iter_parts())
    return {
        "from": str(mail["From"]),
        "to": [address.addr_spec for address in mail["To"].addresses],
        "subject": str(mail["Subject"]) or "Monitor",  # Resend takes no empty one
        "text": text,
        "html": html,
        "headers": {name: str(value) for name, value in mail.items() if name.lower() not in NOT_OURS},
    }


def _refused(answer: Answer) -> SendResult:
    """Return what no success means; the same mail being taken just now is none either."""
    if answer.status == HTTPStatus.CONFLICT and _UNDER_WAY.search(answer.text):
        return Retry(quote(answer), retry_after(answer.headers))
    return refusal(answer)

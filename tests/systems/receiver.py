"""Receivers of webhooks as products write them: signatures are verified with the senders' own libraries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import stripe
from standardwebhooks import Webhook, WebhookVerificationError

from tests.systems.site import Answer, says_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TOLERANCE = timedelta(minutes=5)
NEVER = 1e-9
"""Stripe's library takes a tolerance of 0 for none."""


class RefusedError(Exception):
    """The signature does not fit."""


def now() -> datetime:
    return datetime.now(UTC)


def by_stripe(headers: Mapping[str, str], body: bytes, secret: str, ahead: timedelta) -> None:
    """Verify as Stripe's library does whose clock is `ahead` of the real one."""
    tolerance = (TOLERANCE - ahead).total_seconds()
    try:
        stripe.WebhookSignature.verify_header(body, headers.get("Stripe-Signature"), secret, tolerance or NEVER)
    except stripe.SignatureVerificationError as error:
        raise RefusedError(str(error.user_message)) from None


def by_standard_webhooks(headers: Mapping[str, str], body: bytes, secret: str, _ahead: timedelta) -> None:
    try:
        Webhook(secret).verify(body, dict(headers))
    except WebhookVerificationError as error:
        raise RefusedError(str(error)) from None


def by_shopify(headers: Mapping[str, str], body: bytes, secret: str, _ahead: timedelta) -> None:
    """Verify as shopify.dev documents it: a library for Python that does there is none."""
    digest = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    if not hmac.compare_digest(digest, headers.get("X-Shopify-Hmac-Sha256", "")):
        raise RefusedError("Invalid HMAC")


def by_github(headers: Mapping[str, str], body: bytes, secret: str, _ahead: timedelta) -> None:
    """Verify as docs.github.com documents it."""
    expected = f"sha256={hmac.new(secret.encode(), msg=body, digestmod=hashlib.sha256).hexdigest()}"
    if not hmac.compare_digest(expected, headers.get("X-Hub-Signature-256", "")):
        raise RefusedError("Request signatures didn't match!")


VERIFY: dict[str, Callable[[Mapping[str, str], bytes, str, timedelta], None]] = {
    "stripe": by_stripe,
    "standard-webhooks": by_standard_webhooks,
    "shopify": by_shopify,
    "github": by_github,
}
REFUSES = {"stripe": 400, "shopify": 401, "standard-webhooks": 400, "github": 403}


@dataclass
class Receiver:
    """Answers what a host is sent. `seen` is all of that, `accepted` the events that were taken.

    `clock` is what it takes for the time. `trusts`: it verifies nothing. `replays`: it looks at no timestamp.
    `instead`: its answer to what it accepts. `delay`: so long an event takes that is accepted.
    """

    scheme: str
    secret: str
    clock: Callable[[], datetime] = now
    trusts: bool = False
    replays: bool = False
    instead: Answer | None = None
    delay: float = 0.0
    seen: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    accepted: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, headers: Mapping[str, str], body: bytes) -> Answer:
        self.seen.append((headers, body))
        date = {"Date": format_datetime(self.clock(), usegmt=True)}
        ahead = -timedelta(days=36_500) if self.replays else self.clock() - now()
        try:
            if not self.trusts:
                VERIFY[self.scheme](headers, body, self.secret, ahead)
        except RefusedError as error:
            return Answer(REFUSES[self.scheme], json.dumps({"error": str(error)}), date)
        self.accepted.append(json.loads(body))
        found = self.instead or says_json({"received": True})
        return Answer(found.status, found.body, {**found.headers, **date}, self.delay)

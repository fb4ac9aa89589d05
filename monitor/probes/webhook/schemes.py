"""How senders of webhooks sign: each scheme as data, and one way to sign by all of them. Pure.

Sources: docs.stripe.com/webhooks#verify-manually, shopify.dev/docs/apps/build/webhooks/verify-deliveries,
github.com/standard-webhooks/standard-webhooks (specification 1.0.0), and
docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries. All sign with an HMAC of the body's very bytes.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal

from monitor.expect.status import within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from monitor.expect.status import Statuses

SchemeName = Literal["stripe", "shopify", "standard-webhooks", "github", "hmac"]
Algorithm = Literal["sha256", "sha1", "sha512"]
Encoding = Literal["hex", "base64"]
KeyForm = Literal["text", "base64", "hex"]

IN_SIGNED = ("body", "timestamp", "milliseconds", "time", "id", "type", "url")
IN_HEADER = ("timestamp", "milliseconds", "time", "id", "type")
REFUSALS: Statuses = [400, 401, 403]
"""What a receiver may answer to a signature that it does not accept, where its sender documents nothing."""
WHSEC = "whsec_"

_PLACE = re.compile(rb"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class Event:
    """One event on its way: `at` is when it claims to have been sent, `url` where it goes."""

    id: str
    at: datetime
    type: str
    url: str
    body: bytes = b""

    @property
    def seconds(self) -> int:
        """Return `at` as Unix time."""
        return int(self.at.timestamp())

    @property
    def time(self) -> str:
        """Return `at` as RFC 3339 writes it."""
        return self.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def parts(self) -> dict[str, bytes]:
        """Return what may stand in a template."""
        texts = {
            "timestamp": str(self.seconds),
            "milliseconds": str(int(self.at.timestamp() * 1000)),
            "time": self.time,
            "id": self.id,
            "type": self.type,
            "url": self.url,
        }
        return {"body": self.body, **{name: text.encode() for name, text in texts.items()}}


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way to sign. `signs` is what the HMAC is made of and `value` the header's text, both templates.

    `more` is added to the header for each further secret; without it the first secret alone signs. `headers` come with
    every event, signed or not. `prefix`: how a secret begins; the key is what follows it, read as `key`, or all of it
    as text. `refuses`: what the sender documents a receiver to answer to a wrong signature. `ids`: how an event's id
    begins, which otherwise is a UUID. `aside`: why a receiver might refuse an event whose signature is right.
    """

    header: str
    signs: str
    compose: Callable[[Event], dict[str, Any]]
    value: str = "{signature}"
    more: str = ""
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    key: KeyForm = "text"
    prefix: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    refuses: Statuses | None = None
    type: str = "monitor.canary"
    ids: str = ""
    aside: str = ""

    @property
    def dated(self) -> bool:
        """Return whether the time is signed, so that an old event can be told."""
        return any(f"{{{name}}}" in self.signs for name in ("timestamp", "milliseconds", "time"))

    def event(self, number: UUID, at: datetime, url: str, kind: str, changed: Mapping[str, Any]) -> Event:
        """Return an event with an id made of `number`; `kind` (empty: the scheme's) is its type.

        `changed` are keys of its JSON that are added, or come instead of the scheme's.
        """
        name = f"{self.ids}{number.hex}" if self.ids else str(number)
        bare = Event(name, at, kind or self.type, url)
        return replace(bare, body=json.dumps({**self.compose(bare), **changed}).encode())

    def read_key(self, secret: str) -> bytes:
        """Return the key that `secret` means; raises ValueError, which does not repeat it, if it has another form."""
        if secret != secret.strip():
            raise ValueError("the secret has white space at an end")
        if not secret.startswith(self.prefix) or secret == self.prefix:
            raise ValueError(f"a secret of this scheme is {self.prefix} and what follows, and this one is not")
        return secret.encode() if self.key == "text" else _decoded(secret.removeprefix(self.prefix), self.key)

    def accompanying(self, event: Event) -> tuple[tuple[str, str], ...]:
        """Return the headers that come with `event` whether it is signed or not."""
        parts = event.parts
        return tuple((name, _filled(template, parts).decode()) for name, template in self.headers)

    def sign(self, event: Event, keys: Sequence[bytes]) -> tuple[str, str]:
        """Return the header that signs `event` with `keys`, at least one: a receiver needs to know but one of them."""
        parts = event.parts
        signed = _filled(self.signs, parts)
        first, *further = ({**parts, "signature": self._signature(signed, key)} for key in keys)
        value = _filled(self.value, first)
        if self.more:
            value += b"".join(_filled(self.more, each) for each in further)
        return self.header, value.decode()

    def _signature(self, signed: bytes, key: bytes) -> bytes:
        digest = hmac.digest(key, signed, self.algorithm)
        return base64.b64encode(digest) if self.encoding == "base64" else digest.hex().encode()


def unknown_places(template: str, allowed: Sequence[str]) -> list[str]:
    """Return what stands in braces in `template` and is none of `allowed`."""
    return [name for found in _PLACE.findall(template.encode()) if (name := found.decode()) not in allowed]


def refusals(scheme: Scheme, given: Statuses | None) -> Statuses:
    """Return the statuses that refuse an event: those that the file gives, or what is documented."""
    if given is not None:
        return given
    return REFUSALS if scheme.refuses is None else scheme.refuses


def is_refusal(status: int, allowed: Statuses) -> bool:
    """Return whether `status` refuses a signature: one of `allowed`, or one that often does."""
    return within(status, allowed) or within(status, REFUSALS)


def _filled(template: str, parts: Mapping[str, bytes]) -> bytes:
    return _PLACE.sub(lambda found: parts[found[1].decode()], template.encode())


def _decoded(text: str, form: KeyForm) -> bytes:
    bare = text.rstrip("=")
    try:
        key = bytes.fromhex(text) if form == "hex" else base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError(f"the secret does not hold its key as {form}, as this scheme wants it")
    return key


def _plain(event: Event) -> dict[str, Any]:
    return {"id": event.id, "type": event.type, "created": event.seconds, "livemode": False, "canary": True}


def _stripe(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "object": "event",
        "api_version": "2026-06-24.dahlia",
        "created": event.seconds,
        "data": {"object": {"id": f"canary_{event.id}", "object": event.type, "livemode": False}},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": event.type,
    }


def _shopify(event: Event) -> dict[str, Any]:
    return {"id": event.id, "canary": True, "created_at": event.time}


def _standard(event: Event) -> dict[str, Any]:
    return {"type": event.type, "timestamp": event.time, "data": {"id": event.id, "canary": True}}


def _github(event: Event) -> dict[str, Any]:
    return {"action": event.type, "delivery": event.id, "canary": True}


SCHEMES: Mapping[str, Scheme] = {
    "stripe": Scheme(
        header="Stripe-Signature",
        signs="{timestamp}.{body}",
        value="t={timestamp},v1={signature}",
        more=",v1={signature}",
        prefix=WHSEC,
        refuses=400,
        compose=_stripe,
        ids="evt_monitor_canary_",
        aside="its library wants another api_version (Go, .NET)",
    ),
    "shopify": Scheme(
        header="X-Shopify-Hmac-Sha256",
        signs="{body}",
        encoding="base64",
        # Without X-Shopify-Test, which makes some receivers leave their verification out.
        headers=(
            ("X-Shopify-Topic", "{type}"),
            ("X-Shopify-Shop-Domain", "monitor-canary.myshopify.com"),
            ("X-Shopify-API-Version", "2026-10"),
            ("X-Shopify-Webhook-Id", "{id}"),
            ("X-Shopify-Event-Id", "{id}"),
            ("X-Shopify-Triggered-At", "{time}"),
        ),
        refuses=401,
        compose=_shopify,
        type="monitor/canary",
    ),
    "standard-webhooks": Scheme(
        header="webhook-signature",
        signs="{id}.{timestamp}.{body}",
        value="v1,{signature}",
        more=" v1,{signature}",
        encoding="base64",
        key="base64",
        prefix=WHSEC,
        headers=(("webhook-id", "{id}"), ("webhook-timestamp", "{timestamp}")),
        compose=_standard,
        ids="msg_monitor_canary_",
    ),
    "github": Scheme(
        header="X-Hub-Signature-256",
        signs="{body}",
        value="sha256={signature}",
        headers=(("X-GitHub-Event", "{type}"), ("X-GitHub-Delivery", "{id}")),
        compose=_github,
        type="monitor_canary",
    ),
}
"""The schemes that have a name. `hmac` is none of them: the file says how it signs."""


def generic(signature: Mapping[str, Any]) -> Scheme:
    """Return the scheme that a file describes with the fields of `Scheme`."""
    return Scheme(compose=_plain, ids="monitor_canary_", **signature)

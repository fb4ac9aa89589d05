"""What a file can say of the events that are sent, and of how they are signed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator

from monitor.expect.status import Statuses, listed, span
from monitor.fetch import header_fault
from monitor.fields import Fields
from monitor.probes.webhook.schemes import (
    IN_HEADER,
    IN_SIGNED,
    Algorithm,
    Encoding,
    KeyForm,
    Scheme,
    generic,
    unknown_places,
)
from monitor.secrets import Secret

SUCCESS = (200, 299)


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _refusing(statuses: Statuses) -> Statuses:
    for status in listed(statuses):
        low, high = span(status)
        if low <= SUCCESS[1] and high >= SUCCESS[0]:
            raise ValueError(f"{status} accepts an event: name what refuses one, such as 401")
    return statuses


def _header_name(name: str) -> str:
    if fault := header_fault(name, ""):
        raise ValueError(fault)
    return name


Refusals = Annotated[Statuses, AfterValidator(_refusing)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
_SECRET = {"type": "string", "minLength": 1}
Secrets = Annotated[
    tuple[Secret, ...],
    BeforeValidator(_listed),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [_SECRET, {"type": "array", "items": _SECRET, "minItems": 1}]}),
]
EventType = Annotated[str, Field(pattern="^[!-z|~]*$")]
"""Visible ASCII, as it may become a header, and no braces, as it stands in templates."""


class EventFields(Fields):
    """What the events are like, the canary and those that must be refused: harmless, and of a type nobody handles."""

    type: EventType = ""
    """The type, topic or name of event; default: `monitor.canary`, for shopify `monitor/canary`, for github
    `monitor_canary`."""
    body: dict[str, Any] = Field(default={})
    """Keys of its JSON that are added, or come instead of ours."""


class Signature(Fields):
    """How a sender signs that has no scheme of its own: with an HMAC, in a header.

    In what is signed, and in headers, `{id}` stands for the event's id, `{type}` for its type, `{timestamp}` for when
    it is sent in Unix seconds, `{milliseconds}` for the same in milliseconds, `{time}` for it as RFC 3339 has it.
    """

    header: HeaderName
    """The header that holds the signature."""
    value: str = "{signature}"
    """What the header says: `sha256={signature}`, `t={timestamp},v1={signature}`."""
    signs: str = "{body}"
    """What is signed: `{body}`, `{timestamp}.{body}`, `v0:{timestamp}:{body}`; `{url}` stands for the address."""
    algorithm: Algorithm = "sha256"
    """The hash of the HMAC."""
    encoding: Encoding = "hex"
    """How the signature is written."""
    key: KeyForm = "text"
    """How the secret holds the key: as it stands, or written in base64 or hex."""
    prefix: str = ""
    """How a secret begins, such as `whsec_`; in base64 and hex the key is what follows."""
    headers: dict[HeaderName, str] = Field(default={})
    """Headers that come with each event: `X-Request-Timestamp: "{timestamp}"`."""

    @field_validator("signs")
    @classmethod
    def _signs_the_body(cls, template: str) -> str:
        return _template(template, IN_SIGNED, "body")

    @field_validator("value")
    @classmethod
    def _holds_the_signature(cls, template: str) -> str:
        return _sendable(_template(template, (*IN_HEADER, "signature"), "signature"))

    @field_validator("headers")
    @classmethod
    def _headers_hold_what_is_known(cls, headers: dict[str, str]) -> dict[str, str]:
        return {name: _sendable(_template(template, IN_HEADER)) for name, template in headers.items()}

    @property
    def scheme(self) -> Scheme:
        """Return the scheme that this describes."""
        return generic(self.model_dump(exclude={"headers"}) | {"headers": tuple(self.headers.items())})


def _template(template: str, allowed: tuple[str, ...], needed: str = "") -> str:
    if unknown := unknown_places(template, allowed):
        raise ValueError(f"{{{unknown[0]}}} stands for nothing here; there are {', '.join(allowed)}")
    if needed and f"{{{needed}}}" not in template:
        raise ValueError(f"{template!r} lacks {{{needed}}}")
    return template


def _sendable(template: str) -> str:
    if fault := header_fault("this", template):
        raise ValueError(fault)
    return template

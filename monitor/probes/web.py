"""What checks that ask over HTTP share: address, headers, TLS, the certificate that they see."""

from __future__ import annotations

import base64
import re
import ssl
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from yarl import URL

from monitor.fetch import Options, Request, header_fault
from monitor.fields import Fields
from monitor.network import Family, certificate_of
from monitor.probes.base import Check, MeasureSpec, ThresholdFields
from monitor.secrets import Secret
from monitor.units import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from monitor.fetch import Exchange
    from monitor.probes.base import Run

MINIMUM = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
RENEW = (
    "Renew the certificate, and find out why it was not renewed by itself: has the renewal failed, does the name still "
    "point here, may the authority still issue for it (CAA)?"
)

CREDENTIAL = re.compile(r"auth|cookie|token|key|secret|passw|signature|session|credential|jwt|hmac", re.IGNORECASE)
"""What the name of a header has in it whose value says who we are."""


def address(text: str) -> str:
    """Return `text` if it is an http or https address without a user; raises ValueError, which does not repeat it."""
    url = _sendable(text)
    if url is None:
        raise ValueError("this is not an address such as https://example.com/health")
    if url.user or url.password:
        raise ValueError("a user or password does not belong in the address: write it under auth, as basic")
    return text


def _sendable(text: str) -> URL | None:
    try:
        url = URL(text)
        return url if url.scheme in {"http", "https"} and url.host and Request(url).wire else None
    except ValueError:
        return None


def _guarded(headers: object) -> object:
    """Make secrets of the headers that say who we are. What comes from a `${VARIABLE}` is kept out of texts anyway."""
    if not isinstance(headers, dict):
        return headers
    return {
        name: Secret(value) if value and isinstance(value, str) and CREDENTIAL.search(str(name)) else value
        for name, value in headers.items()
    }


Method = Annotated[str, Field(pattern="^[A-Z]{1,20}$")]
_Text = Annotated[str, Field(min_length=1)]
Headers = Annotated[
    dict[str, Annotated[_Text | Secret, WithJsonSchema({"type": "string", "minLength": 1})]], BeforeValidator(_guarded)
]


class Basic(Fields):
    """Basic authentication."""

    user: Annotated[str, Field(pattern="^[^:\\x00-\\x1f]*$")]
    """The user's name."""
    password: Secret
    """The user's password."""


class Auth(Fields):
    """How we say who we are: one of the two."""

    basic: Basic | None = None
    """User and password."""
    bearer: Secret | None = None
    """A token, sent as `Authorization: Bearer …`."""

    @model_validator(mode="after")
    def _one(self) -> Auth:
        if (self.basic is None) is (self.bearer is None):
            raise ValueError("give one of basic and bearer")
        return self

    @property
    def header(self) -> Secret:
        """Return the value of the Authorization header."""
        if self.basic:
            both = f"{self.basic.user}:{self.basic.password.reveal()}".encode()
            return Secret(f"Basic {base64.b64encode(both).decode()}")
        return Secret(f"Bearer {self.bearer.reveal() if self.bearer else ''}")


class TlsFields(Fields):
    """How TLS is spoken."""

    minimum: Literal["1.2", "1.3"] = "1.2"
    """The oldest version that will do."""
    verify: bool = True
    """Whether the certificate must be valid."""
    ca_file: str = ""
    """A file of certificates to trust besides the system's."""
    server_name: str = ""
    """The name that is asked for and that the certificate must hold; default: the host of the address."""

    @property
    def oldest(self) -> ssl.TLSVersion:
        """Return the oldest version as ssl names it."""
        return MINIMUM[self.minimum]


class WebCheck(Check):
    """A check that asks one address over HTTP, on a fresh connection each time."""

    url: Annotated[str, AfterValidator(address)]
    """The address, http or https; a password belongs under `auth`."""
    headers: Headers = Field(default={}, repr=False)
    """Headers to send; they come instead of ours of the same name.

    No message holds the value of one whose name tells of a credential (`Authorization`, `Cookie`, `X-Api-Key` …), or
    that is a `${VARIABLE}`.
    """
    auth: Auth | None = None
    """Who we are."""
    family: Family = "any"
    """Connect over IPv4 or IPv6 only."""
    tls: TlsFields = TlsFields()
    """How TLS is spoken."""

    measures: ClassVar[tuple[MeasureSpec, ...]] = (
        MeasureSpec(
            "expiry",
            Unit.TIMESTAMP,
            "when the certificate expires, valid or not; over redirects the first to expire",
            metric="monitor_tls_expiry_timestamp_seconds",
        ),
        MeasureSpec("certificate", Unit.NUMBER, "1, with who issued that certificate", ("issuer",)),
    )

    @property
    def host(self) -> str:
        """Return the host that is asked first."""
        return URL(self.url).raw_host or ""

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the threshold on the certificate's remaining time, for https."""
        if URL(self.url).scheme != "https":
            return ()
        return (ThresholdFields(watch="expiry", name="certificate", warning="< 21d", critical="< 7d", remedy=RENEW),)

    @property
    def subject(self) -> str:
        """Return whose certificate it is."""
        url = URL(self.url)
        return certificate_of(self.host, url.port or 0, self.tls.server_name or self.host, self.family)

    @property
    def configured(self) -> tuple[tuple[str, Secret], ...]:
        """Return the headers of the file as they are sent, with what says who we are."""
        found = [(name, value if isinstance(value, Secret) else Secret(value)) for name, value in self.headers.items()]
        return (*found, ("Authorization", self.auth.header)) if self.auth else tuple(found)

    def options(self, redirects: int, within: timedelta) -> Options:
        """Return how an exchange is made that may take so long and follow so many redirects."""
        return Options(
            redirects=redirects,
            family=self.family,
            within=within,
            verify=self.tls.verify,
            minimum=self.tls.oldest,
            ca_file=self.tls.ca_file,
            server_name=self.tls.server_name,
        )


def look_at_headers(headers: Sequence[tuple[str, Secret]]) -> None:
    """Raise ValueError, which holds no value, if one of `headers` cannot be sent or is there twice."""
    names = [name.lower() for name, _ in headers]
    for name, value in headers:
        if fault := header_fault(name, value.reveal()):
            raise ValueError(fault)
        if names.count(name.lower()) > 1:
            raise ValueError(f"the header {name} is given twice")


def note_phases(run: Run, exchange: Exchange, **label: str) -> None:
    """Note the phases of an exchange, however it ended."""
    for phase, seconds in exchange.phases.items():
        run.note("phase", seconds, phase=phase, **label)


def note_certificate(run: Run, exchange: Exchange) -> None:
    """Note the certificate that was seen, if one was."""
    if exchange.certificate:
        run.note("expiry", exchange.certificate.expires.timestamp())
        run.note("certificate", 1, issuer=exchange.certificate.issuer)

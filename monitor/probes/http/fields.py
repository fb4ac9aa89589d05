"""What a file can say of an HTTP request beyond its address."""

from __future__ import annotations

import base64
import re
import ssl
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from yarl import URL

from monitor.expect import Header, Path
from monitor.fetch import Request
from monitor.fields import Fields, ShortForm, UnitWord
from monitor.secrets import Secret
from monitor.units import COUNTED, Unit, in_base

MINIMUM = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
SIMPLE = frozenset({"GET", "HEAD", "POST"})
"""Methods that no preflight has to allow (Fetch Standard, CORS-safelisted methods)."""

_CREDENTIAL = re.compile(r"auth|cookie|token|key|secret|passw|signature|session|credential|jwt|hmac", re.IGNORECASE)
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


def _origin(text: str) -> str:
    if text != "null" and str(URL(address(text)).origin()) != text:
        raise ValueError(f"{text!r} is not an origin such as https://app.example.com, in lower case and without a path")
    return text


def _guarded(headers: object) -> object:
    """Make secrets of the headers that say who we are. What comes from a `${VARIABLE}` is kept out of texts anyway."""
    if not isinstance(headers, dict):
        return headers
    return {
        name: Secret(value) if value and isinstance(value, str) and _CREDENTIAL.search(str(name)) else value
        for name, value in headers.items()
    }


_Text = Annotated[str, Field(min_length=1)]
Headers = Annotated[
    dict[str, Annotated[_Text | Secret, WithJsonSchema({"type": "string", "minLength": 1})]], BeforeValidator(_guarded)
]
Method = Annotated[str, Field(pattern="^[A-Z]{1,20}$")]


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


class Number(ShortForm):
    """A number in the JSON that becomes a measure; a bare text is its path."""

    short: ClassVar[dict[type, str]] = {str: "path"}

    path: Path
    """The JMESPath that finds it."""
    unit: UnitWord = "number"
    """What the answer counts it in: `number`, `seconds`, `ms`, `bytes`, `MB`, `ratio`, `%`, `timestamp` …"""

    @property
    def base(self) -> Unit:
        """Return the base unit of the measure."""
        return COUNTED[self.unit][0]

    def measure(self, found: object) -> float | None:
        """Return what was found in the base unit, None if it is no number."""
        return in_base(found, self.unit)


class Cors(Fields):
    """Ask as a browser does before a script of another origin may call: a preflight (OPTIONS)."""

    origin: Annotated[str, AfterValidator(_origin)]
    """Where the script comes from: `https://app.example.com`."""
    method: Method = "GET"
    """What the script wants to do."""
    allowed: bool = True
    """Whether it must be allowed, by name and never by `*`, or must be refused."""

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers of the preflight."""
        return {"Origin": self.origin, "Access-Control-Request-Method": self.method}

    @property
    def expected(self) -> dict[str, Header]:
        """Return what the answer's headers must be like."""
        if not self.allowed:
            return {"Access-Control-Allow-Origin": Header(differs=(self.origin, "*"))}
        found = {"Access-Control-Allow-Origin": Header(equals=self.origin)}
        if self.method not in SIMPLE:
            found["Access-Control-Allow-Methods"] = Header(matches=rf"(?i)(^|[\s,])({self.method}|\*)($|[\s,])")
        return found


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

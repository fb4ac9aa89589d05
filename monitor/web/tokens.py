"""Who may see what: the operator's token, and one that opens nothing but `/metrics`."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.secrets import Secret


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens that are set. Where neither is, everything is open: the settings then allow loopback only."""

    operator: Secret | None = None
    scrape: Secret | None = None

    @property
    def open(self) -> bool:
        """Return whether nobody needs a token."""
        return not (self.operator or self.scrape)

    def may_scrape(self, authorization: str) -> bool:
        """Return whether a request with this `Authorization` header may read `/metrics`.

        Either token opens it, as `Bearer` or as the password of `Basic`, whose user name does not matter.
        """
        allowed = [token for token in (self.operator, self.scrape) if token]
        return not allowed or matches(credential(authorization), allowed)

    def may_act(self, authorization: str) -> bool:
        """Return whether a request with this header may act: with the operator's token, if one is set."""
        return self.operator is not None and matches(credential(authorization), [self.operator])


def matches(given: bytes, allowed: Iterable[Secret]) -> bool:
    """Return whether `given` is one of `allowed`.

    All are compared, each in constant time; by their digests, so that the time does not tell a length either.
    """
    digest = sha256(given).digest()
    digests = [sha256(token.reveal().encode("utf-8", "surrogateescape")).digest() for token in allowed]
    return any([hmac.compare_digest(digest, other) for other in digests])  # noqa: C419 - all of them


def credential(authorization: str) -> bytes:
    """Return the secret part of an `Authorization` header, empty if there is none."""
    scheme, _, rest = authorization.partition(" ")
    given = rest.strip().encode("utf-8", "surrogateescape")
    match scheme.lower():
        case "bearer":
            return given
        case "basic":
            return _password(given)
        case _:
            return b""


def _password(encoded: bytes) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""

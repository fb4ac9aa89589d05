"""Texts that a browser keeps for us, sealed: it can neither write one nor change one, only bring it back. Pure.

A sealed text is not secret: whoever has it can read it. It says what it is for and until when it holds.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime
from secrets import token_bytes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.secrets import Secret

LONGEST = 2_000
SALT = b"runbook-monitor: what a browser keeps"
COST = 2**14
"""What one try costs somebody who has a sealed text and guesses the token behind it: some 40 ms and 16 MB."""


def key_of(token: Secret | None) -> bytes:
    """Return a key that only whoever has `token` can make; without one, a new one: it holds until we end."""
    if token is None:
        return token_bytes(32)
    given = token.reveal().encode("utf-8", "surrogateescape")
    return hashlib.scrypt(given, salt=SALT, n=COST, r=8, p=1, dklen=32)


class Seal:
    """Seals, and opens what it has sealed."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, purpose: str, until: datetime, *fields: str) -> str:
        """Return `fields` as a text of letters, digits, `-`, `_` and one dot, that opens for `purpose` until then."""
        body = _encode(json.dumps([purpose, until.isoformat(), *fields], ensure_ascii=False).encode())
        return f"{body}.{self.sign(body)}"

    def open(self, purpose: str, sealed: str, now: datetime) -> list[str] | None:
        """Return the fields; None if this is not what we sealed for `purpose`, or it holds no more."""
        body, _, signature = sealed.partition(".")
        if len(sealed) > LONGEST or not self.signed(body, signature):
            return None
        meant, until, *fields = json.loads(_decode(body))
        return fields if meant == purpose and now < datetime.fromisoformat(until) else None

    def sign(self, text: str) -> str:
        """Return what only we can say of `text`."""
        return _encode(hmac.digest(self._key, _bytes(text), "sha256"))

    def signed(self, text: str, signature: str) -> bool:
        """Return whether we said `signature` of `text`; in constant time."""
        return hmac.compare_digest(_bytes(signature), _bytes(self.sign(text)))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")

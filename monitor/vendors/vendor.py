"""What is documented of a vendor's API, and what of its words may be shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from monitor.model import stable_id
from monitor.plain import plain
from monitor.secrets import MASK

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from monitor.secrets import Secret

SHARE = 0.1
"""Of a documented limit, what all checks on one key may use together: the rest is the product's."""
LONGEST_WORDS = 160
LOOKED_AT = 4_096
PLACES = ("message", "error_description", "detail", "title", "error", "errors")
"""Where APIs put what they say of an error, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How much a vendor allows one key: `most` requests, or points of their cost, within any `per`."""

    most: float
    per: timedelta


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor. `keys` matches what its keys look like, half masked ones too: its own messages repeat them.

    `point` matches what its messages say where the key lacks a right, whatever the status. `share`: of the limit, what
    our checks may use. `together`: the limit is not each key's own, so all keys to one address share what we may use.
    """

    name: str
    limit: Limit
    keys: re.Pattern[str]
    point: re.Pattern[str] = re.compile(r"(?!)")
    share: float = SHARE
    together: bool = False

    def words(self, document: Any, redact: Callable[[str], str]) -> str:  # noqa: ANN401 - any JSON value
        """Return what the JSON of an error says, without secrets and on one short line; empty if it says nothing."""
        text = self.keys.sub(MASK, redact(_words(document)[:LOOKED_AT]))
        found = self.point.search(text)
        return plain(found[0] if found else text, LONGEST_WORDS)


@dataclass(frozen=True, slots=True)
class Access:
    """A vendor's API at `url`, and as whom it is asked: `headers` hold the `key`, and what else every request needs.

    `embedded` finds the JSON, as its first group, where a web page may answer.
    """

    vendor: Vendor
    url: str
    key: Secret
    headers: tuple[tuple[str, Secret], ...]
    embedded: re.Pattern[str] | None = None

    @property
    def name(self) -> str:
        """Return what names this key, and does not tell it."""
        return f"{self.vendor.name} {stable_id(self.url, self.key.reveal())}"

    @property
    def purse(self) -> str:
        """Return what names the limit that this key counts towards."""
        return f"{self.vendor.name} {self.url}" if self.vendor.together else self.name


def _words(document: Any, depth: int = 3) -> str:  # noqa: ANN401 - any JSON value
    match document:
        case str():
            return document
        case list() if document and depth:
            return _words(document[0], depth - 1)
        case dict() if depth:
            return next(filter(None, (_words(document.get(place), depth - 1) for place in PLACES)), "")
        case _:
            return ""

"""Ids that stay the same wherever and whenever they are made."""

from __future__ import annotations

import hashlib
from typing import Any


def stable_id(*parts: Any) -> str:  # noqa: ANN401 - anything that prints
    """Return 16 hex digits that depend only on `parts`."""
    text = "\0".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

"""What came, short enough for a message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 100
LOOKED_AT = 4096


def excerpt(value: Any, redact: Callable[[str], str] = str) -> str:  # noqa: ANN401 - any JSON value
    """Return `value` as JSON writes it, on one line, at most about a hundred characters of it.

    Secrets go before it is cut: half of one would no longer be recognised.
    """
    if isinstance(value, str):
        return f'"{plain(value, redact)}"' if value else "nothing"
    try:
        return plain(json.dumps(value, ensure_ascii=False), redact)
    except RecursionError:
        return "deeply nested JSON"


def plain(text: str, redact: Callable[[str], str] = str) -> str:
    """Return `text` on one line, without control characters, shortened."""
    line = " ".join(redact(text[:LOOKED_AT]).split())
    line = "".join(character if character.isprintable() else "�" for character in line[: LONGEST + 1])
    return line if len(line) <= LONGEST and len(text) <= LOOKED_AT else f"{line[: LONGEST - 1]}…"

"""What a server tells of itself in reply to INFO: lines of a name and a value, in sections."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Info:
    """The values by name. Servers and releases differ in what they tell, so anything may be absent."""

    def __init__(self, text: str) -> None:
        lines = text.splitlines()
        self._sections = {line.removeprefix("# ").strip().lower() for line in lines if line.startswith("# ")}
        self._values = dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))

    def has(self, section: str) -> bool:
        """Return whether the section is there, perhaps empty."""
        return section in self._sections

    def word(self, name: str) -> str:
        """Return a value as it is; empty if it is absent."""
        return self._values.get(name, "").strip()

    def number(self, name: str) -> float | None:
        """Return a value that is a number, None if it is absent or none."""
        return number(self.word(name))

    def parts(self, name: str) -> dict[str, str]:
        """Return the parts of a value such as `keys=3,expires=0`."""
        return dict(part.split("=", 1) for part in self.word(name).split(",") if "=" in part)

    def names(self) -> Iterator[str]:
        """Yield the names of all values."""
        yield from self._values


def number(text: str | bytes) -> float | None:
    """Return the finite number that `text` is, None if it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None

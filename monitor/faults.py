"""What is wrong with a configuration, said so that it can be put right: where, what, and what is allowed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_ALLOWED = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that keeps a configuration from being used.

    `key` names it as `system/check.key`, or names the environment's variable. `line` and `column` count from 1; a line
    of 0 means that the fault lies in no line. `hint` says how to put it right, or what is allowed.
    """

    message: str
    key: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.message}; {self.hint}" if self.hint else self.message
        text = ": ".join(part for part in (place, self.key, what) if part)
        return "".join(letter if letter.isprintable() else " " for letter in text)


class ConfigError(Exception):
    """The configuration cannot be used; holds every fault that was found and prints one per line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        ordered = sorted(dict.fromkeys(faults), key=lambda fault: (fault.file, fault.line, fault.column))
        super().__init__("\n".join(map(str, ordered)))
        self.faults = tuple(ordered)


def allowed(word: str, words: Iterable[str]) -> str:
    """Return the hint for a `word` that is not one of `words`: the one that was probably meant, and all there are."""
    known = list(dict.fromkeys(words))
    close = difflib.get_close_matches(word, known, n=1)
    meant = f"did you mean {close[0]}? " if close else ""
    if not known:
        return "none is allowed here"
    more = ", …" if len(known) > MOST_ALLOWED else ""
    return f"{meant}allowed: {', '.join(known[:MOST_ALLOWED])}{more}"


def unknown(name: str, known: Iterable[str], hint: str = "") -> Fault:
    """Return the fault that there is no system or check of that `name`; `hint` says why, default: what is `known`."""
    kind = "check" if "/" in name else "system"
    return Fault(f"there is no {kind} {name!r}", hint=hint or allowed(name, known))

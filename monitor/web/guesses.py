"""How often a wrong token may be tried. Pure, and bounded in memory.

A client has so many guesses a minute, and then no token of his is looked at until the minute ends: not a right one
either, else he could go on guessing. When all clients together have had too many, each is left one. Whoever has not
guessed wrongly is never refused, whatever others do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
ZERO = timedelta()


@dataclass(frozen=True, slots=True)
class Allowance:
    """Wrong guesses in a minute: of one client, and of all. `clients`: how many are remembered."""

    each: int = 10
    together: int = 100
    clients: int = 1_000


USUAL = Allowance()


@dataclass(slots=True)
class _Spell:
    """A minute that begins with a wrong guess."""

    begun: datetime
    guesses: int = 0

    def left(self, now: datetime) -> timedelta:
        return self.begun + MINUTE - now


class Guesses:
    """The wrong guesses of the last minute. Of too many clients the one whose minute began first is forgotten."""

    def __init__(self, allowance: Allowance = USUAL) -> None:
        self._allowance = allowance
        self._clients: dict[str, _Spell] = {}
        self._all: _Spell | None = None

    def __len__(self) -> int:
        return len(self._clients)

    def wait(self, client: str, now: datetime) -> timedelta:
        """Return how long no token of `client` is looked at; zero: it is."""
        spell = self._current(self._clients.get(client), now)
        if spell is None:
            return ZERO
        together = self._current(self._all, now)
        crowded = together is not None and together.guesses >= self._allowance.together
        return spell.left(now) if crowded or spell.guesses >= self._allowance.each else ZERO

    def wrong(self, client: str, now: datetime) -> None:
        """Count a wrong guess of `client`."""
        self._all = self._current(self._all, now) or _Spell(now)
        self._all.guesses += 1
        spell = self._current(self._clients.get(client), now)
        if spell is None:
            self._clients.pop(client, None)  # a new minute goes to the end, so that the first is always the oldest
            spell = self._clients[client] = _Spell(now)
        spell.guesses += 1
        if len(self._clients) > self._allowance.clients:
            del self._clients[next(iter(self._clients))]

    @staticmethod
    def _current(spell: _Spell | None, now: datetime) -> _Spell | None:
        return spell if spell is not None and spell.left(now) > ZERO else None

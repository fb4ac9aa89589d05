"""How many connections there may be, how many there are, and who holds them. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNLIMITED = -1
OTHER = "other"
MOST_SHOWN = 5


class Held(NamedTuple):
    """Client sessions that are alike in all of this, and how many.

    `here`: they are in the database that is watched. `role_limit` is -1 for a role without one; superusers pass it.
    `hidden`: what they do may not be seen by our role. `ours`: this is our own connection.
    """

    sessions: int
    here: bool
    role: str
    role_limit: int
    superuser: bool
    application: str
    hidden: bool
    ours: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of connections that cannot be exceeded, and those that count against it. `of` says whose it is."""

    size: int
    held: tuple[Held, ...]
    of: str = ""

    @property
    def used(self) -> int:
        """Return how many connections count against it."""
        return sum(held.sessions for held in self.held)

    @property
    def share(self) -> float:
        """Return how much of it is used: 1 when the next client is refused, more where superusers use the reserve."""
        return self.used / self.size if self.size > 0 else 1.0

    def __str__(self) -> str:
        named = ", ".join(f"{name} {count}" for name, count in holders(self.held, MOST_SHOWN).items())
        return f"{self.used} of {self.size} slots{self.of and f' of {self.of}'}: {named}"


def holders(held: Iterable[Held], most: int) -> dict[str, int]:
    """Return who holds how many, the greatest first; all beyond the first `most` are one."""
    counts = Counter[str]()
    for each in held:
        counts[each.application] += each.sessions
    named = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    found = dict(named[:most])
    if rest := sum(count for _, count in named[most:]):
        found[OTHER] = found.get(OTHER, 0) + rest
    return found


def limits(held: Iterable[Held], slots: int, database: int, plan: int | None) -> Iterator[Limit]:
    """Yield every limit that a client of this database can run into.

    `slots` is what the server leaves to ordinary roles, `database` the limit of this database or -1, `plan` what the
    check was told. The limit of a role counts if somebody else than we is here in that role, and it is no superuser.
    """
    everybody = tuple(held)
    here = tuple(each for each in everybody if each.here)
    yield Limit(slots, everybody)
    if plan is not None:
        yield Limit(plan, everybody)
    if database > UNLIMITED:
        yield Limit(database, here, "the database")
    for role in dict.fromkeys(each.role for each in here if not each.ours and not each.superuser):
        own = tuple(each for each in everybody if each.role == role)
        if own[0].role_limit > UNLIMITED:
            yield Limit(own[0].role_limit, own, f"the role {role}")


def tightest(found: Iterable[Limit]) -> Limit:
    """Return the limit of which most is used: the one that refuses clients first."""
    return max(found, key=lambda limit: (limit.share, -limit.size))

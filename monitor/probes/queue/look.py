"""What one run saw of a queue: the value that reading makes and judging takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pydantic import TypeAdapter

from monitor.model import stable_id

if TYPE_CHECKING:
    from monitor.keyvalue import Talk

LONGEST_TEXT = 511

CLOCK = TypeAdapter(tuple[tuple[int, int]])
CLOCK_AND_KEY = TypeAdapter(tuple[tuple[int, int], bytes, int])


class Job(NamedTuple):
    """A job that is due. `left`: how long the key that says it runs has to live; None: it does not run."""

    name: str
    left: float | None = None


class Health(NamedTuple):
    """The key that workers renew: how long it has to live, None if it is not there, and what it says."""

    left: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen at `now`, by the server's clock. Moments are seconds since 1970; what cannot be told is None.

    `oldest`: when the oldest that waits was due. `head` tells the next in line from any other, and nothing of it; it is
    empty where none is next. `longest`: how long the oldest that runs does so. `jobs` are those of arq, the first due.
    """

    now: float
    waiting: int | None
    oldest: float | None = None
    head: str = ""
    running: int | None = None
    longest: float | None = None
    jobs: tuple[Job, ...] = ()
    health: Health = field(default_factory=Health)


def nameless(value: bytes | None) -> str:
    """Return what tells `value` from others without repeating it; empty for nothing."""
    return "" if value is None else stable_id(value)


async def read_first(talk: Talk, key: str) -> tuple[float, Health]:
    """Return what the server's clock says, and the key that workers renew, if `key` names one."""
    if not key:
        ((seconds, microseconds),) = await talk.need(CLOCK, ("TIME",))
        return seconds + microseconds / 1e6, Health()
    (seconds, microseconds), text, life = await talk.need(
        CLOCK_AND_KEY, ("TIME",), ("GETRANGE", key, 0, LONGEST_TEXT), ("PTTL", key)
    )
    # A key that never ends proves nothing.
    health = Health(None if life < 0 else life / 1e3, text.decode("utf-8", "replace"))
    return seconds + microseconds / 1e6, health

"""What one run saw of a queue: the value that reading makes and judging takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import stable_id

if TYPE_CHECKING:
    from monitor.keyvalue import Command, Reply, Talk

LONGEST_TEXT = 511


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


def nameless(value: Reply) -> str:
    """Return what tells `value` from others without repeating it; empty for nothing."""
    return "" if value is None else stable_id(value)


async def read_first(talk: Talk, key: str) -> tuple[float, Health]:
    """Return what the server's clock says, and the key that workers renew, if `key` names one."""
    wanted: list[Command] = [("GETRANGE", key, 0, LONGEST_TEXT), ("PTTL", key)] if key else []
    clock, *told = await talk.need(("TIME",), *wanted)
    seconds, microseconds = clock
    return int(seconds) + int(microseconds) / 1e6, _health(*told) if told else Health()


def _health(text: bytes, life: int) -> Health:
    # A key that never ends proves nothing.
    return Health(None if life < 0 else life / 1e3, text.decode("utf-8", "replace"))

"""What the demo shop does at each second of its three minutes. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

SLOW = 0.6
CALM = 0.02


@dataclass(frozen=True, slots=True)
class Mood:
    """How the shop answers: its status, its delay in seconds, the share of its pool in use, and why, in words."""

    words: str
    status: int = 200
    delay: float = CALM
    pool: float = 0.3


WELL = Mood("well")
BROKEN = Mood("broken by hand", status=502)

SCRIPT: tuple[tuple[float, Mood], ...] = (
    (0, WELL),
    (45, Mood("slow: a query without an index", delay=SLOW, pool=0.7)),
    (90, WELL),
    (110, Mood("busy: the connection pool fills up", delay=0.08, pool=0.95)),
    (135, Mood("down: a bad deploy answers 502", status=502, pool=0.1)),
    (160, WELL),
)
LENGTH = 180.0


def mood_at(second: float) -> Mood:
    """Return how the shop is `second` seconds after its start; after the script it is well."""
    if second >= LENGTH:
        return replace(WELL, words="well; the script is over, now break it with POST /break")
    return next(mood for begins, mood in reversed(SCRIPT) if second >= begins)

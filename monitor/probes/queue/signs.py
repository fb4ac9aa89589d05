"""Signs of life of the workers. Pure.

Workers renew a key that lives a little longer than their interval. It is one key for all workers of a queue, and any of
them deletes it when it is stopped in good order: so in a rolling restart it is gone while others work, until one of
them renews it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import NamedTuple

BLUR = 1.0
"""Seconds by which a life may seem to differ because looks take unequally long, and so may renewals."""

COUNTS = re.compile(r"\bj_complete=(\d+) j_failed=(\d+) j_retried=(\d+)\b")


@dataclass(frozen=True, slots=True)
class Sign:
    """What is known of the key at `at`.

    `left`: its life then; None if it was gone. `least` and `most`: between them lies the life that it is given. `life`
    is what was promised, if it lies there. `written`: it was renewed no earlier; None if it was never seen. `until`:
    while it is gone, when it will have been gone for too long.
    """

    at: float
    left: float | None
    least: float
    most: float
    life: float
    written: float | None = None
    until: float = 0.0


def seen(before: Sign | None, now: float, left: float | None, promised: float, grace: float) -> Sign:
    """Return what is known after a look at `now` that found the key with `left` to live, or not at all.

    `promised`: the life that the file says it has. A renewal between two looks shows how long it is, or nearly, and so
    corrects a file that says nothing of an interval other than arq's.
    """
    least, most = _bounds(before, now, left)
    life = max(least, min(promised, most))
    if left is not None:
        return Sign(now, left, least, most, life, max(now - (life - left), _no_earlier(before, now, left)))
    if before is not None and before.left is None:
        return Sign(now, None, least, most, life, before.written, before.until)
    # A worker may have renewed it just before another one deleted it, and will do so again one interval later.
    return Sign(now, None, least, most, life, before.written if before else None, now + life + grace)


def alive(sign: Sign, stuck: float, grace: float) -> bool | None:
    """Return whether a worker is alive; None while that cannot be told. `stuck`: how long nobody has taken a job."""
    fresh = sign.left is not None and sign.written is not None and sign.at - sign.written <= grace
    if stuck >= grace and not fresh:
        return False
    if sign.left is not None:
        return True
    if sign.at >= sign.until:
        return False
    return None if sign.written is None else True


def _renewed(before: Sign, now: float, left: float) -> bool:
    return before.left is None or left > before.left - (now - before.at) + BLUR


def _no_earlier(before: Sign | None, now: float, left: float) -> float:
    """Return a moment since which the key was renewed, as far as the look before tells."""
    if before is None:
        return 0.0
    return before.at if _renewed(before, now, left) else before.written or 0.0


def _bounds(before: Sign | None, now: float, left: float | None) -> tuple[float, float]:
    """Return between which lives the true one lies; what contradicts all before is a new pace."""
    least, most = (before.least, before.most) if before else (0.0, math.inf)
    if left is None:
        return least, most
    shown = left + (now - before.at) + BLUR if before and _renewed(before, now, left) else math.inf
    if shown < least:
        return left, shown
    return max(least, left), min(most, shown) if left <= most else shown


class Counts(NamedTuple):
    """What a worker has done since it started."""

    complete: int = 0
    failed: int = 0
    retried: int = 0

    def __sub__(self, other: Counts) -> Counts:
        return Counts(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))

    def plus(self, other: Counts) -> Counts:
        """Return both together."""
        return Counts(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def follows(self, other: Counts) -> bool:
        """Return whether a worker that had `other` may have this now."""
        return all(mine >= theirs for mine, theirs in zip(self, other, strict=True))


@dataclass(frozen=True, slots=True)
class Tally:
    """What all workers have done since we began to look; and what each said last, and when."""

    total: Counts = field(default_factory=Counts)
    last: tuple[tuple[Counts, float], ...] = ()


def tallied(before: Tally, now: float, text: str, life: float) -> Tally:
    """Return the tally after a look at `now` at what the key says.

    Two workers take turns in the key while one follows the other: each is recognised by counts that never fall, and in
    doubt by those that leave the fewest failures to explain, so that no failure is made up. One that is not recognised
    has started anew. What a worker said more than two lives of the key ago is forgotten.
    """
    match = COUNTS.search(text)
    if match is None:
        return before
    counts = Counts(*map(int, match.groups()))
    known = [(said, at) for said, at in before.last if now - at <= 2 * life]
    fitting = (one for one in reversed(known) if counts.follows(one[0]))
    same = min(fitting, key=lambda one: ((counts - one[0]).failed, sum(counts - one[0])), default=None)
    added = counts - same[0] if same else counts if known else Counts()
    others = [one for one in known if one != same]
    return Tally(before.total.plus(added), (*others, (counts, now)))

"""Signs of life of the workers. Pure.

Workers renew a key that lives a little longer than their interval. It is one key for all workers of a queue, and any of
them deletes it when it is stopped in good order: so in a rolling restart it is gone while others work, until one of
them renews it. A key whose life ran out is another matter: nobody has renewed it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

BLUR = 1.0
"""Seconds by which a life may seem to grow because two looks took unequally long."""

COUNTS = re.compile(r"\bj_complete=(\d+) j_failed=(\d+) j_retried=(\d+)\b")


@dataclass(frozen=True, slots=True)
class Sign:
    """What is known of the key at `at`.

    `left`: its life then; None if it was gone. `life`: the longest that it was seen to have, or that was promised.
    `written`: it was renewed no earlier; None if it was never seen. `until`: while it is gone, when it will have been
    gone for too long.
    """

    at: float
    left: float | None
    life: float
    written: float | None = None
    until: float = 0.0


def seen(before: Sign | None, now: float, left: float | None, life: float, grace: float) -> Sign:
    """Return what is known after a look at `now` that found the key with `left` to live, or not at all."""
    life = max(life, before.life if before else 0.0, left or 0.0)
    if left is not None:
        return Sign(now, left, life, max(now - (life - left), _no_earlier(before, now, left)))
    if before is None:
        return Sign(now, None, life, None, now + life + grace)
    until = before.until if before.left is None else _until(before, before.left, now, life) + grace
    return Sign(now, None, life, before.written, until)


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


def _no_earlier(before: Sign | None, now: float, left: float) -> float:
    """Return a moment since which the key was renewed, as far as the look before tells."""
    if before is None:
        return 0.0
    renewed = before.left is None or left > before.left - (now - before.at) + BLUR
    return before.at if renewed else before.written or 0.0


def _until(before: Sign, left: float, now: float, life: float) -> float:
    """Return when a key that has just vanished should have been renewed by any worker."""
    ran_out = before.at + left
    return ran_out if ran_out <= now else before.at + life


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

    Two workers take turns in the key while one follows the other: each is recognised by counts that never fall. One
    that is not recognised has started anew. What a worker said more than two lives of the key ago is forgotten.
    """
    match = COUNTS.search(text)
    if match is None:
        return before
    counts = Counts(*map(int, match.groups()))
    known = [(said, at) for said, at in before.last if now - at <= 2 * life]
    same = max((one for one in known if counts.follows(one[0])), default=None)
    added = counts - same[0] if same else counts if known else Counts()
    others = [one for one in known if one != same]
    return Tally(before.total.plus(added), (*others, (counts, now)))

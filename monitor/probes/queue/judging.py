"""From what a run saw, and what the runs before it did, to the measures of a queue. Pure: the time is in the look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from monitor.probes.queue.signs import Tally, alive, seen, tallied
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.probes.queue.look import Look
    from monitor.probes.queue.signs import Sign

MARGIN = 10.0
"""Seconds by which the key of a job that runs outlives the longest time that a job may take."""

RENEWAL = 1.0
"""Seconds by which the key of the workers outlives their interval."""


class Settings(NamedTuple):
    """What the file says. Durations in seconds; `slots`: how many jobs all workers run at once, None if not of arq.

    `interval`: how often workers renew their key, None where there is none. `counted`: it counts the jobs of one.
    """

    grace: float
    interval: float | None = None
    slots: int | None = None
    job_timeout: float = 0.0
    counted: bool = False


class Held(NamedTuple):
    """A job that was seen to run: since when, and when its key runs out."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What the runs of a check remember. `life`: the longest that a key of a job that runs was seen to have."""

    head: str = ""
    head_since: float = 0.0
    life: float = 0.0
    held: Mapping[str, Held] = field(default_factory=dict)
    sign: Sign | None = None
    tally: Tally = field(default_factory=Tally)


def judged(look: Look, before: Memory, settings: Settings) -> tuple[dict[str, float], Memory]:
    """Return the measures that follow from `look`, and what to remember."""
    head = look.head if not look.running or settings.slots is None else ""
    since = before.head_since if head == before.head else look.now
    stuck = look.now - since if head else 0.0
    life = max((before.life, settings.job_timeout + MARGIN, *(job.left or 0.0 for job in look.jobs)))
    held = _held(look, before.held, life)
    sign, tally = _signs(look, before, settings)
    figures = {
        **_waiting(look, stuck),
        **_running(look, held, settings),
        **({} if sign is None else _worker(sign, stuck if settings.slots else 0.0, settings.grace)),
        **(tally.total._asdict() if settings.counted else {}),
    }
    return figures, Memory(head, since, life, held, sign, tally)


def remarks(look: Look, figures: Mapping[str, float], settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the measures that need words with them, for whoever is told of one, and these words."""
    runs = "" if look.running is None else f", {look.running:,} run"
    waits = f"{look.waiting:,} wait{runs}." if look.waiting is not None else ""
    for name in ("waiting", "oldest_waiting", "stuck"):
        yield name, waits
    if settings.slots is not None:
        yield "busy_share", f"{look.running:,} of {settings.slots:,} slots are busy; {look.waiting:,} wait."
        longest, limit = show_duration(figures["longest_running"]), show_duration(settings.job_timeout)
        yield "over_limit", f"{figures['over_limit']:,.0f} run for more than {limit}, the oldest for {longest}."
    if "worker_alive" in figures:
        renewed = (
            f"last renewed {show_duration(figures['worker_seen'])} ago or later"
            if "worker_seen" in figures
            else "not seen yet"
        )
        there = "is there" if look.health.left is not None else "is missing"
        yield "worker_alive", f"The key that workers renew {there}, {renewed}. {waits}"


def _held(look: Look, before: Mapping[str, Held], life: float) -> dict[str, Held]:
    """Return the jobs that run, and those whose key ran out though they have not ended: they hang, or nobody runs them.

    A job that is tried again, or was given back, lost its key before.
    """
    held = {}
    for job in look.jobs:
        was = before.get(job.name)
        if job.left is not None:
            held[job.name] = Held(look.now - (life - job.left), look.now + job.left)
        elif was is not None and was.until <= look.now:
            held[job.name] = was
    return held


def _signs(look: Look, before: Memory, settings: Settings) -> tuple[Sign | None, Tally]:
    if settings.interval is None:
        return None, before.tally
    life = settings.interval + RENEWAL
    sign = seen(before.sign, look.now, look.health.left, life, settings.grace)
    return sign, tallied(before.tally, look.now, look.health.text, sign.life) if settings.counted else before.tally


def _waiting(look: Look, stuck: float) -> dict[str, float]:
    found = {"stuck": max(stuck, 0.0)}
    if look.waiting is not None:
        found["waiting"] = look.waiting
    if look.waiting == 0:
        found["oldest_waiting"] = 0.0
    elif look.oldest is not None:
        found["oldest_waiting"] = max(look.now - look.oldest, 0.0)
    return found


def _running(look: Look, held: Mapping[str, Held], settings: Settings) -> dict[str, float]:
    if look.running is None:
        return {}
    found: dict[str, float] = {"running": look.running}
    if look.longest is not None:
        found["longest_running"] = look.longest
    if settings.slots is not None:
        times = [look.now - job.since for job in held.values()]
        found["busy_share"] = look.running / settings.slots
        found["longest_running"] = max(times, default=0.0)
        found["over_limit"] = sum(time > settings.job_timeout for time in times)
    return found


def _worker(sign: Sign, stuck: float, grace: float) -> dict[str, float]:
    there = alive(sign, stuck, grace)
    found = {} if there is None else {"worker_alive": float(there)}
    return found if sign.written is None else found | {"worker_seen": max(sign.at - sign.written, 0.0)}

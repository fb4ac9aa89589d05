"""A queue of arq, read by its keys as arq 0.26 to 0.28 writes them (constants.py, worker.py, connections.py).

The queue is a sorted set of job ids; the score is the moment, in milliseconds, from which a job may run. A job stays in
it while it runs, beside a key `arq:in-progress:<id>` that lives ten seconds longer than the longest job may take. The
bodies of jobs are pickled and never read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from monitor.probes.queue.look import Job, Look, nameless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.keyvalue import Command, Talk
    from monitor.network import Note

RUNNING = b"arq:in-progress:"
LEAST = 100
"""How many of the jobs that are due a worker reads at once, or five times as many as it runs, if that is more."""
CHECKED = 20
"""Of how many that wait it is made sure that they have not ended just now."""
NO_KEY = -2
"""What PTTL says of a key that is not there."""

COUNTS = TypeAdapter(tuple[int, int, int])
IDS = TypeAdapter(tuple[list[bytes]])
MARKS_AND_COUNT = TypeAdapter(tuple[list[bytes | None], int])
LIVES_AND_SCORES = TypeAdapter(list[float | None])


async def read_arq(talk: Talk, note: Note, now: float, queue: str, max_jobs: int) -> Look:
    """Return what is in the queue at `now`; its length, and how much of it is due and deferred, are noted at once.

    Of the jobs that are due as many are looked at as a worker reads, so that those which run are among them.
    """
    until = int(now * 1e3)
    length, due, deferred = await talk.need(
        COUNTS, ("ZCARD", queue), ("ZCOUNT", queue, "-inf", until), ("ZCOUNT", queue, f"({until}", "+inf")
    )
    note("length", length)
    note("due", due)
    note("deferred", deferred)
    most = max(LEAST, 5 * max_jobs)
    (ids,) = await talk.need(IDS, ("ZRANGEBYSCORE", queue, "-inf", until, "LIMIT", 0, most))
    if not ids:
        return Look(now, waiting=0, running=0)
    # A job that ends loses its key and its place at the same moment. So places are asked for after keys: what then has
    # neither has ended, and did not wait.
    marks, left = await talk.need(
        MARKS_AND_COUNT, ("MGET", *(RUNNING + job for job in ids)), ("ZCOUNT", queue, "-inf", until)
    )
    marked = list(zip(ids, marks, strict=False))
    run = [job for job, mark in marked if mark is not None]
    wait = [job for job, mark in marked if mark is None]
    lives, scores = await _details(talk, queue, run, [*wait[:CHECKED], ids[-1]])
    running = [Job(nameless(job), max(life, 0) / 1e3) for job, life in lives if life is not None and life != NO_KEY]
    waiting = max(left - len(run), 0)
    first, oldest = next(((job, score) for job, score in scores if score is not None and score <= until), (None, None))
    return Look(
        now=now,
        waiting=waiting,
        oldest=oldest / 1e3 if waiting and oldest is not None else None,
        head=nameless(first) if waiting and first in wait else "",
        running=len(running),
        jobs=(*running, *(Job(nameless(job)) for job in wait)),
    )


Told = list[tuple[bytes, float | None]]


async def _details(talk: Talk, queue: str, run: Sequence[bytes], wait: Sequence[bytes]) -> tuple[Told, Told]:
    """Return the jobs of `run` with what PTTL says of their keys, and those of `wait` with the scores they have."""
    asked: list[Command] = [("PTTL", RUNNING + job) for job in run]
    told = await talk.need(LIVES_AND_SCORES, *asked, *(("ZSCORE", queue, job) for job in wait))
    return list(zip(run, told, strict=False)), list(zip(wait, told[len(run) :], strict=True))

"""How a queue in Redis or Valkey drains: what waits and how long, what runs, and whether a worker is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from monitor.expect import Path
from monitor.fields import PositiveDuration
from monitor.model import Reason
from monitor.permission import Asks
from monitor.probes.base import MeasureSpec
from monitor.probes.keyvalue import KeyValueCheck
from monitor.probes.queue.arq import RUNNING, read_arq
from monitor.probes.queue.judging import Memory, Settings, judged, remarks
from monitor.probes.queue.look import read_first
from monitor.probes.queue.plain import Elements, read_list, read_stream, read_zset
from monitor.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.keyvalue import Talk
    from monitor.network import Note
    from monitor.probes.base import Run
    from monitor.probes.queue.look import Look

MEMORY = "queue"
"""Where the runs of a check remember what they saw."""

OWN = {
    "max_jobs": {"arq"},
    "workers": {"arq"},
    "job_timeout": {"arq"},
    "oldest": {"list"},
    "age": {"list"},
    "unit": {"list", "zset"},
    "group": {"stream"},
}
"""Fields that only some types have."""

COUNTERS = {"complete", "failed", "retried"}
ARQ = {"busy_share", "over_limit", *COUNTERS}
WORKER = {"worker_alive", "worker_seen"}


class QueueCheck(KeyValueCheck):
    """Looks at a queue by its keys, at a cost that does not grow with it, and changes nothing.

    It reads no job of arq, and of a list or a stream only what is next. Ages are told by the server's clock. What
    arq's keys cannot tell at once is learnt over several runs, and lost when the monitor restarts.
    """

    kind: str = "queue"
    type: Literal["arq", "list", "zset", "stream"] = "arq"
    """What made the queue: `arq`, or anything that keeps it in a list, a sorted set or a stream."""
    queue: Annotated[str, Field(min_length=1)] = "arq:queue"
    """Its key; needed unless `type` is `arq`."""
    max_jobs: Annotated[int, Field(ge=1, le=200)] = 10
    """How many jobs a worker runs at once (`max_jobs` of arq)."""
    workers: Annotated[int, Field(ge=1)] = 1
    """How many workers there are. Where several share a health key, nothing can tell how many jobs failed."""
    job_timeout: PositiveDuration = timedelta(seconds=300)
    """How long a job may run: `job_timeout` of arq, or the longest `timeout` of its functions."""
    health_check_key: str = ""
    """A key that workers renew, with a time to live; default: that of arq, which is the queue's and `:health-check`."""
    health_check_interval: PositiveDuration = timedelta(seconds=3_600)
    """How often they renew it. The default is arq's, and proves very little: set 30s there and here."""
    grace: PositiveDuration = timedelta(seconds=60)
    """How long no worker may be seen, as during a deploy, before none is alive."""
    group: str = ""
    """The group of consumers whose entries are counted; default: all entries of the stream wait."""
    oldest: Literal["left", "right"] = "right"
    """Where the next element of a list stands: `right` with LPUSH and BRPOP, `left` with RPUSH and BLPOP."""
    age: Path | None = None
    """Where an element of a list that is JSON says when it came: a JMESPath to a number or a text such as
    `2026-11-21T09:00:00Z`."""
    unit: Literal["s", "ms", "us", "ns"] | None = None
    """What a number in `age`, or the scores of a sorted set, count since 1970; default: scores are no times."""

    measures: ClassVar = (
        *KeyValueCheck.measures,
        MeasureSpec("length", Unit.NUMBER, "what the key holds: with arq also what runs and what is deferred"),
        MeasureSpec("due", Unit.NUMBER, "what may run now, or runs"),
        MeasureSpec("deferred", Unit.NUMBER, "what may run later"),
        MeasureSpec("running", Unit.NUMBER, "jobs that run; of a stream, entries that are not acknowledged"),
        MeasureSpec("waiting", Unit.NUMBER, "what could run and does not"),
        MeasureSpec("oldest_waiting", Unit.SECONDS, "since the oldest that waits was due or came; 0 if nothing waits"),
        MeasureSpec(
            "stuck", Unit.SECONDS, "how long the same one has been the next in line; with arq, while none runs"
        ),
        MeasureSpec("busy_share", Unit.RATIO, "running jobs of `max_jobs` for each of `workers`"),
        MeasureSpec(
            "longest_running",
            Unit.SECONDS,
            "how long the oldest job has run, or the oldest entry been with its consumer",
        ),
        MeasureSpec(
            "over_limit", Unit.NUMBER, "jobs that run longer than `job_timeout`, hang, or have lost their worker"
        ),
        MeasureSpec(
            "worker_alive", Unit.NUMBER, "1 while there are signs of a worker, 0 when there are none for too long"
        ),
        MeasureSpec(
            "worker_seen", Unit.SECONDS, "the longest time that can have passed since a worker renewed its key"
        ),
        MeasureSpec("complete", Unit.NUMBER, "jobs that succeeded, since the monitor began to look"),
        MeasureSpec("failed", Unit.NUMBER, "jobs that failed for good, since the monitor began to look"),
        MeasureSpec("retried", Unit.NUMBER, "tries that will be repeated, since the monitor began to look"),
    )
    reasons: ClassVar = KeyValueCheck.reasons | {Reason.BODY}

    @model_validator(mode="after")
    def _fits(self) -> QueueCheck:
        for name, types in OWN.items():
            if name in self.model_fields_set and self.type not in types:
                raise ValueError(f"{name} is of no use here: it is for the type {' or '.join(sorted(types))}")
        if self.type != "arq" and "queue" not in self.model_fields_set:
            raise ValueError(f"a queue of type {self.type} needs its key: write it under queue")
        return self

    def asks_for(self) -> Asks:
        """Return the keys of the queue, and the commands that its type takes."""
        health = self._health_check_key
        running = (f"{RUNNING.decode()}*",) if self.type == "arq" else ()
        worker = ("getrange", "pttl") if health else ()
        return Asks((self.queue, *running, *filter(None, [health])), ("time", *self._commands(), *worker))

    def _commands(self) -> tuple[str, ...]:
        match self.type:
            case "arq":
                return "zcard", "zcount", "zrangebyscore", "mget", "pttl", "zscore"
            case "list":
                return "llen", "lindex"
            case "zset":
                return ("zcard", "zcount", "zrangebyscore") if self.unit else ("zcard", "zrange")
            case _:
                return ("xlen", "xinfo|groups", "xrange", "xpending") if self.group else ("xlen", "xrange")

    def declared(self) -> tuple[MeasureSpec, ...]:
        """Return the measures that a queue of this type has, with these fields."""
        absent = set(self._absent())
        return tuple(spec for spec in self.measures if spec.name not in absent)

    def _absent(self) -> Iterator[str]:
        if self.type != "arq":
            yield from ARQ
        if self.type == "list" or (self.type == "zset" and not self.unit) or self.type == "stream":
            yield from ("due", "deferred")
        if self.type in {"list", "zset"} or (self.type == "stream" and not self.group):
            yield from ("running", "longest_running")
        if (self.type == "list" and not self.age) or (self.type == "zset" and not self.unit):
            yield "oldest_waiting"
        if not self._health_check_key:
            yield from WORKER
        if self.workers > 1:
            yield from COUNTERS

    async def probe(self, run: Run) -> None:
        """Look once, and judge what was seen together with what the runs before it saw."""
        started = perf_counter()
        async with self.talk(run) as talk:
            asked = perf_counter()
            look = await self._look(talk, run.note)
            run.note("phase", perf_counter() - asked, phase="look")
        figures, run.memory[MEMORY] = judged(look, run.memory.get(MEMORY, Memory()), self._settings)
        declared = {spec.name for spec in self.declared()}
        for name, value in figures.items():
            if name in declared:
                run.note(name, value)
        for name, text in remarks(look, figures, self._settings):
            run.remark(name, text)
        run.note("duration", perf_counter() - started)

    async def _look(self, talk: Talk, note: Note) -> Look:
        now, health = await read_first(talk, self._health_check_key)
        match self.type:
            case "arq":
                look = await read_arq(talk, note, now, self.queue, self.max_jobs)
            case "list":
                look = await read_list(talk, note, now, self.queue, Elements(self.oldest, self.age, self.unit))
            case "zset":
                look = await read_zset(talk, note, now, self.queue, self.unit)
            case _:
                look = await read_stream(talk, note, now, self.queue, self.group)
        return replace(look, health=health)

    @property
    def _health_check_key(self) -> str:
        return self.health_check_key or (f"{self.queue}:health-check" if self.type == "arq" else "")

    @property
    def _settings(self) -> Settings:
        ours = self.type == "arq"
        return Settings(
            grace=self.grace.total_seconds(),
            interval=self.health_check_interval.total_seconds() if self._health_check_key else None,
            slots=self.max_jobs * self.workers if ours else None,
            job_timeout=self.job_timeout.total_seconds(),
            counted=ours and self.workers == 1,
        )

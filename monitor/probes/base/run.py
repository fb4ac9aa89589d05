"""One run of a check: what it may use, what it notes, and the one place of deadline and failure."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from monitor.model import CheckId, Failure, Keepsake, LeftOut, Measure, Reason, Sample, State, labels
from monitor.plain import plain
from monitor.units import show_duration
from monitor.vendors import Accounts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitor.clock import Clock
    from monitor.databases import Databases
    from monitor.network import Resolver, TlsContexts
    from monitor.probes.base.check import Check
    from monitor.secrets import Redactor

LONGEST_DETAIL = 300
LONGEST_VERSION = 60
STARVED = timedelta(seconds=1)
"""A run beside a stall of so long says nothing of its target."""

log = structlog.get_logger()


async def in_memory(_: Keepsake) -> bool:
    """Keep nothing beyond the process, and say that all is well: where there is no store there is no next process."""
    return True


@dataclass(frozen=True, slots=True)
class Resources:
    """What probes share: made once at start by `app`, handed to every run."""

    resolver: Resolver
    tls: TlsContexts
    databases: Databases
    redact: Redactor
    memories: dict[tuple[CheckId, str], dict[str, Any]] = field(default_factory=dict)
    """What the runs of each check, of each kind, note for the next one."""
    accounts: Accounts = field(default_factory=Accounts)
    """What is known of each key to a vendor's API, over all checks that use it."""
    keep: Callable[[Keepsake], Awaitable[bool]] = in_memory
    """Makes a keepsake durable; false: not now."""


@dataclass(slots=True)
class Run:
    """One run of a probe: what it may use, and where it notes what it measures as it goes."""

    resources: Resources
    timeout: timedelta
    clock: Clock
    memory: dict[str, Any] = field(default_factory=dict)
    """What the check's runs note for the next one, such as counters: empty at first, and lost with the process."""
    asking: str = ""
    """What is being waited for, in a few words, where a run asks for several things: told if the deadline ends it."""
    measures: list[Measure] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)
    unmeasured: set[str] = field(default_factory=set)
    versions: dict[str, str] = field(default_factory=dict)
    awake: bool = False
    """Whether what may sleep is known to be awake, so that it is asked for once in a run."""
    keeps: Callable[[str, str], Awaitable[bool]] | None = None
    """Makes what is remembered of a topic durable; none: there is nothing to make it durable in."""

    def note(self, name: str, value: float, **label: str) -> None:
        """Note a measure in its base unit."""
        self.measures.append(Measure(name, value, labels(label) if label else ()))

    async def keep(self, topic: str, body: str) -> bool:
        """Let `body` stand under `topic` in the memory, also for a later process; return whether that is durable.

        An empty `body` takes it out. What cannot be made durable now will be as soon as the store is back.
        """
        if body:
            self.memory[topic] = body
        else:
            self.memory.pop(topic, None)
        return self.keeps is None or await self.keeps(topic, body)

    def remark(self, name: str, text: str) -> None:
        """Say in one line what a measure that crosses a figure means: it becomes part of the message."""
        self.remarks[name] = text

    def runs(self, version: str, part: str = "") -> None:
        """Say which version of the product, or of a part of it, was seen to run."""
        self.versions[part] = version

    def leave_out(self, *names: str) -> None:
        """Say that measures could not be taken this time, though the target is up: what they showed may still be so."""
        self.unmeasured.update(names)


def starved(sample: Sample, stalled: timedelta) -> Sample:
    """Return `sample`, or that nothing can be known of it, when we ourselves stood still for `stalled` meanwhile.

    What a stopped process or a busy machine takes for slow, or for silence, is our fault and not the target's.
    """
    if stalled < STARVED or sample.left_out:
        return sample
    detail = f"the monitor itself stood still for {show_duration(stalled.total_seconds())}"
    return replace(sample, state=State.UNKNOWN, reason=Reason.UNKNOWN, detail=detail, measures=(), remarks={})


async def observe(check_id: CheckId, check: Check, resources: Resources, clock: Clock) -> Sample:
    """Run `check` once within its deadline and return what it found. Never raises, except when cancelled.

    An exception that is not a `Failure` is a bug of ours: it is logged with its traceback and makes the sample unknown.
    """
    started = clock.now()
    memory = resources.memories.setdefault((check_id, check.kind), {})
    run = Run(resources, check.timeout, clock, memory, keeps=partial(_keep, resources, check_id))
    state, reason, detail = State.UP, None, ""
    try:
        async with asyncio.timeout(check.timeout.total_seconds()):
            await check.probe(run)
    except TimeoutError:
        what = f" to {run.asking}" if run.asking else ""
        detail = f"no answer{what} within {show_duration(check.timeout.total_seconds())}"
        state, reason = check.silence, Reason.TIMEOUT
    except Failure as failure:
        state, reason, detail = failure.state, failure.reason, failure.detail
    except LeftOut as why:
        state, detail = State.UNKNOWN, str(why)
    except Exception as error:
        log.exception("probe_crashed", check=str(check_id))
        state, reason, detail = State.UNKNOWN, Reason.UNKNOWN, f"the probe itself failed: {type(error).__name__}"
    ended = clock.now()
    said = plain(resources.redact(detail), LONGEST_DETAIL)
    remarks = {name: plain(resources.redact(text), LONGEST_DETAIL) for name, text in run.remarks.items()}
    versions = {part: plain(resources.redact(text), LONGEST_VERSION) for part, text in run.versions.items()}
    measures, missing = tuple(run.measures), frozenset(run.unmeasured)
    return Sample(check_id, ended, ended - started, state, reason, said, measures, remarks, missing, versions)


async def _keep(resources: Resources, check: CheckId, topic: str, body: str) -> bool:
    return await resources.keep(Keepsake(check, topic, body))

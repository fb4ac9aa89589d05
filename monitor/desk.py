"""What people do to the daemon, from a channel, the API or a command: carried out once, in order, by who leads.

A process that does not lead puts an act into the store; whoever leads looks there every second. What is said to the
leader itself is carried out at once. An act is known by its id, so that it may come twice, by two ways, or again after
a restart.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor.model import Change, CheckId, Deed, State
from monitor.plain import plain
from monitor.store import StoreUnavailable
from monitor.units import show_duration
from monitor.web import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.model import Act, Sample

PACE = timedelta(seconds=1)
RUN_PACE = timedelta(seconds=10)
"""A check is run for people at most once in this time."""
RUN_PATIENCE = timedelta(seconds=10)
"""How long somebody waits for the outcome of a run."""
MOST_KNOWN = 1_000
LATER = "noted; the instance that leads will do it within seconds"
FAILED = "that could not be carried out; the daemon's log says why"

log = structlog.get_logger()


class Askable(Protocol):
    """The part of a store that a desk needs. `reached`: it can be asked."""

    @property
    def reached(self) -> bool:
        """As `LateStore.reached`."""
        ...

    async def ask(self, act: Act) -> None:
        """As `Store.ask`."""
        ...

    async def acts(self) -> Sequence[Act]:
        """As `Store.acts`."""
        ...


class Pipeline(Protocol):
    """Carries out what is about alerts."""

    async def carry_out(self, act: Act) -> str:
        """Carry `act` out, note with it that it is done, and return a sentence for whoever did it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What a desk may do besides.

    `leads`: whether this instance does. `checks`: those that there are. `run_now` runs a check, and returns when its
    sample was taken (see `Desk.see`). `post` queues what must be remembered.
    """

    leads: Callable[[], bool]
    checks: Callable[[], Collection[CheckId]]
    run_now: Callable[[CheckId], Awaitable[None]]
    post: Callable[[Change], None]


@dataclass(slots=True)
class _Look:
    """The last run of a check that somebody asked for, and what it saw."""

    at: datetime
    sample: Sample | None = None


class Desk:
    """Takes acts in."""

    def __init__(self, clock: Clock, store: Askable, pipeline: Pipeline, means: Means) -> None:
        """Make a desk that has heard of nothing yet."""
        self._clock = clock
        self._store = store
        self._pipeline = pipeline
        self._means = means
        self._known: dict[str, asyncio.Task[Reply]] = {}
        self._looks: dict[CheckId, _Look] = {}
        self._turn = asyncio.Lock()
        self._trouble = ""

    async def hear(self, act: Act) -> str:
        """Carry `act` out, or see to it that the instance that leads does; return a sentence for whoever did it.

        Raises `StoreUnavailable` when this instance does not lead and cannot say so to the other.
        """
        return (await self.take(act)).said

    async def take(self, act: Act) -> Reply:
        """As `hear`; return also whether it was carried out."""
        if not self._means.leads():
            await self._store.ask(act)
            return Reply(done=False, said=LATER)
        return await asyncio.shield(self._once(act))

    def see(self, sample: Sample) -> None:
        """Take in what a run saw, if somebody waits for it."""
        look = self._looks.get(sample.check)
        if look is not None and look.sample is None:
            look.sample = sample

    async def run(self) -> None:
        """Carry out what others ask for until cancelled. Raises `LeaseLost`.

        What is under way then is broken off: an act that was not noted as done is there for the next one that leads.
        """
        try:
            while True:
                await self.poll()
                await self._clock.sleep_until(self._clock.now() + PACE)
        finally:
            under_way = [task for task in self._known.values() if not task.done()]
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def poll(self) -> None:
        """Carry out what the store knows of; a store that is away is waited for."""
        if not self._store.reached:
            return
        try:
            asked = await self._store.acts()
        except StoreUnavailable as error:
            self._tell(str(error))
            return
        self._tell("")
        for act in asked:
            if act.id not in self._known:
                doing = self._once(act)
                if act.deed is not Deed.RUN:  # nobody waits here for its outcome, and others wait for their turn
                    await asyncio.shield(doing)

    def _once(self, act: Act) -> asyncio.Task[Reply]:
        """Begin to carry `act` out, unless that was begun: whoever asked may go, it is carried out all the same."""
        if act.id not in self._known:
            for old in list(self._known)[: max(len(self._known) + 1 - MOST_KNOWN, 0)]:
                del self._known[old]
            self._known[act.id] = asyncio.create_task(self._do(act), name=f"{act.deed} {act.scope}")
        return self._known[act.id]

    async def _do(self, act: Act) -> Reply:
        """Carry `act` out. One that cannot be must not keep others from being, nor the daemon from its work."""
        try:
            if act.deed is Deed.RUN:
                self._means.post(Change(done=(act,)))
                said = await self._run_check(CheckId(act.scope.system, act.scope.check))
            else:
                async with self._turn:
                    said = await self._pipeline.carry_out(act)
        except Exception:
            log.exception("act_failed", deed=str(act.deed), scope=str(act.scope), id=act.id)
            return Reply(done=False, said=FAILED)
        log.info("act", deed=str(act.deed), scope=str(act.scope), who=act.who, said=said)
        return Reply(done=True, said=said)

    async def _run_check(self, check: CheckId) -> str:
        """Run a check, unless somebody just did, and return what it saw."""
        now = self._clock.now()
        if check not in self._means.checks():
            return f"there is no check {check} to run"
        last = self._looks.get(check)
        if last is not None and now - last.at < RUN_PACE:
            return f"{check} was run {show_duration((now - last.at).total_seconds())} ago: {_outcome(last.sample)}"
        look = self._looks[check] = _Look(now)
        waiting = {
            asyncio.ensure_future(self._means.run_now(check)),
            asyncio.ensure_future(self._clock.sleep_until(now + RUN_PATIENCE)),
        }
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
        return f"{check} was run: {_outcome(look.sample)}"

    def _tell(self, trouble: str) -> None:
        """Log what keeps us from the store, once; empty: nothing does."""
        if trouble and not self._trouble:
            log.warning("acts_not_read", why=trouble)
        self._trouble = trouble


def _outcome(sample: Sample | None) -> str:
    if sample is None:
        return "it has not ended yet"
    if sample.left_out:
        return f"left out, {plain(sample.detail)}"
    if sample.state is State.UP:
        return f"up, in {show_duration(sample.took.total_seconds())}"
    return f"{sample.state}, {plain(sample.detail) or sample.reason}"

"""When each check runs.

Moments lie on a grid of each check's own: `every` apart, shifted by a hash of its name, so that checks spread evenly,
and do so in the same way after every restart. The arithmetic is exact (datetime and timedelta are whole microseconds):
a schedule in float seconds fires twice. A run that is late or long skips the grid points it missed, counts them, and
catches none up. After a failed run, and until the check is seen to be up for good, the next one comes sooner,
`retry_every` after its end, so that a lost packet is told from an outage fast.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor.model import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from contextlib import AbstractAsyncContextManager

    from monitor.clock import Clock
    from monitor.model import CheckId, Sample
    from monitor.plan import Plan

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
TICK = timedelta(milliseconds=50)
"""What is due within so long begins together: a process that wakes for each check alone runs at half its speed."""
IDLE_NAP = timedelta(seconds=1)
SOON = timedelta(milliseconds=200)
"""How long what comes from outside waits for more of it before its check looks: thousands a second are five looks."""
NEVER = datetime.max.replace(tzinfo=UTC)
"""When a check is due that runs only when somebody asks for it."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Grid:
    """The moments at which a check is due: `every` apart, shifted by 0 <= `phase` < `every`."""

    phase: timedelta
    every: timedelta

    @classmethod
    def of(cls, check: CheckId, every: timedelta) -> Grid:
        """Return the grid of `check`, which is the same on every machine."""
        digest = int.from_bytes(blake2b(str(check).encode(), digest_size=8).digest(), "big")
        return cls(timedelta(microseconds=digest % (every // timedelta(microseconds=1))), every)

    def after(self, moment: datetime) -> datetime:
        """Return the first point later than `moment`."""
        origin = EPOCH + self.phase
        return origin + ((moment - origin) // self.every + 1) * self.every

    def missed(self, due: datetime, ended: datetime) -> int:
        """Return how many points passed after `due` while its run waited or went on."""
        return max((self.after(ended) - self.after(due)) // self.every, 0)


class Gauges(Protocol):
    """What the scheduler reports of itself."""

    def lag(self, seconds: float) -> None:
        """Note that a run began so long after it was due, before any wait for a slot."""

    def waited(self, seconds: float) -> None:
        """Note that a run waited so long for a slot."""

    def in_flight(self, count: int) -> None:
        """Show that so many runs are under way."""

    def missed(self, check: CheckId, count: int) -> None:
        """Count runs of `check` that were left out because an earlier one was late or long."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many probes may run at once, in all and against one host."""

    in_flight: int = 500
    per_host: int = 10


@dataclass(slots=True)
class _Seat:
    """A check that is scheduled: its plan, when it is due next, and its run if one is under way."""

    plan: Plan
    grid: Grid
    due: datetime
    running: asyncio.Task[None] | None = None
    stirred: bool = False
    """Whether something came while it ran, which it may not have seen."""


class Scheduler:
    """Runs every check at its time, never two runs of one check at once, within the limits."""

    def __init__(
        self,
        clock: Clock,
        observe: Callable[[Plan], Awaitable[Sample]],
        take: Callable[[Sample], Awaitable[bool]],
        limits: Limits,
        gauges: Gauges,
    ) -> None:
        self._clock = clock
        self._observe = observe
        self._take = take
        self._gauges = gauges
        self._limits = limits
        self._slots = asyncio.Semaphore(limits.in_flight)
        self._host_slots: dict[str, asyncio.Semaphore] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        self._seats: dict[CheckId, _Seat] = {}
        self._due: list[tuple[datetime, int, CheckId, _Seat]] = []
        self._order = itertools.count()
        self._running: set[asyncio.Task[None]] = set()
        self._quick: dict[str, datetime] = {}

    def quicken(self, system: str, until: datetime) -> None:
        """Let the checks of `system` run at their closer pace until a moment."""
        self._quick[system] = until
        now = self._clock.now()
        for seat in self._seats.values():
            if seat.plan.id.system == system and seat.running is None:
                self._push(seat, min(seat.due, self._next(seat, now)))

    def replace(self, plans: Mapping[CheckId, Plan]) -> None:
        """Schedule exactly `plans`. A check whose plan is unchanged is not disturbed; a removed one is stopped."""
        for check, seat in list(self._seats.items()):
            plan = plans.get(check)
            if plan is None or plan.fingerprint != seat.plan.fingerprint:
                self._remove(check)
        hosts = {plan.check.host for plan in plans.values()}
        self._host_slots = {
            host: self._host_slots.get(host) or asyncio.Semaphore(self._limits.per_host) for host in hosts
        }
        self._turns = {
            key: self._turns.get(key) or asyncio.Lock() for key in {each.check.alone for each in plans.values()}
        }
        for check, plan in plans.items():
            if check in self._seats:
                self._seats[check].plan = plan
            else:
                grid = Grid.of(check, plan.check.every)
                seat = self._seats[check] = _Seat(plan, grid, self._clock.now())
                self._push(seat, self._next(seat, seat.due))

    async def run(self) -> None:
        """Run checks as they become due, until cancelled; runs under way are cancelled with it."""
        self._put_off_overdue()
        try:
            while True:
                now = self._clock.now()
                while self._due and self._due[0][0] <= now:
                    due, _, check, seat = heapq.heappop(self._due)
                    if self._seats.get(check) is seat and seat.due == due and seat.running is None:
                        self._start(seat, due)
                await self._clock.sleep_until(self._wake_at(now))
        finally:
            await self._stop()

    async def run_now(self, check: CheckId) -> None:
        """Run `check` at once and return when its sample was taken; a run that is under way counts as this one."""
        seat = self._seats.get(check)
        if seat is None:
            return
        task = seat.running or self._start(seat, self._clock.now())
        await asyncio.wait({task})

    async def look(self, plan: Plan, observe: Callable[[Plan], Awaitable[Sample]]) -> Sample:
        """Run `observe` in the slots of `plan`, as its runs are, and return what it found; its schedule goes on."""
        async with self._turn(plan), self._host_slots[plan.check.host], self._slots:
            return await observe(plan)

    def _put_off_overdue(self) -> None:
        """Leave what was due before we run for its next moment: nobody was late, and it must not start in one burst."""
        now = self._clock.now()
        for seat in self._seats.values():
            if seat.due <= now:
                self._push(seat, self._next(seat, now))

    def hurry(self, check: CheckId, within: timedelta | None = None) -> None:
        """Let `check` run `within` a time, by default that after a failed run, unless it is due earlier or running.

        Moments that pass before `run` is called are put off: `hurry` again then.
        """
        seat = self._seats.get(check)
        if seat is not None and seat.running is None:
            soon = seat.plan.check.retry_every if within is None else within
            self._push(seat, min(seat.due, self._clock.now() + soon))

    def stir(self, check: CheckId) -> None:
        """Let `check` look at once at something new: once for all that comes together, and again if it is running."""
        seat = self._seats.get(check)
        if seat is None:
            return
        seat.stirred = seat.running is not None
        soon = self._clock.now() + SOON
        if seat.running is None and soon < seat.due:
            self._push(seat, soon)

    def _wake_at(self, now: datetime) -> datetime:
        nap = now + (TICK if self._running else IDLE_NAP)
        if not self._due or self._due[0][0] >= nap:
            return nap
        return max(self._due[0][0], now + TICK)

    def _start(self, seat: _Seat, due: datetime) -> asyncio.Task[None]:
        task = asyncio.create_task(self._run(seat, due), name=str(seat.plan.id))
        seat.running = task
        self._running.add(task)
        self._gauges.in_flight(len(self._running))
        task.add_done_callback(self._running.discard)
        return task

    async def _run(self, seat: _Seat, due: datetime) -> None:
        plan = seat.plan
        begun = self._clock.now()
        self._gauges.lag((begun - due).total_seconds())
        soon = False
        try:
            sample = await self._probe(plan, begun)
            soon = sample.state is State.DOWN
            soon = await self._take(sample) or soon
        except Exception:
            log.exception("run_crashed", check=str(plan.id))
        finally:
            seat.running = None
            self._gauges.in_flight(len(self._running) - 1)
        self._again(seat, due, soon=soon)

    async def _probe(self, plan: Plan, begun: datetime) -> Sample:
        """Run the probe once it has its slots, for which it waits since `begun`; its deadline begins then."""
        async with self._turn(plan), self._host_slots[plan.check.host], self._slots:
            self._gauges.waited((self._clock.now() - begun).total_seconds())
            return await self._observe(plan)

    def _turn(self, plan: Plan) -> AbstractAsyncContextManager[None]:
        return self._turns[plan.check.alone] if plan.check.alone else nullcontext()

    def _again(self, seat: _Seat, due: datetime, *, soon: bool) -> None:
        if self._seats.get(seat.plan.id) is not seat:
            return
        now = self._clock.now()
        if seat.plan.check.scheduled and (count := self._grid(seat, due).missed(due, now)):
            self._gauges.missed(seat.plan.id, count)
        due = now + seat.plan.check.retry_every if soon else self._next(seat, now)
        self._push(seat, min(due, now + SOON) if seat.stirred else due)
        seat.stirred = False

    def _next(self, seat: _Seat, now: datetime) -> datetime:
        return self._grid(seat, now).after(now) if seat.plan.check.scheduled else NEVER

    def _grid(self, seat: _Seat, at: datetime) -> Grid:
        """Return the grid of a check at a moment: a closer one while its system is looked at closely."""
        until = self._quick.get(seat.plan.id.system)
        closer = seat.plan.closer
        if until is None or at >= until or closer >= seat.grid.every:
            return seat.grid
        return Grid.of(seat.plan.id, closer)

    def _push(self, seat: _Seat, due: datetime) -> None:
        """Make `due` the moment of the next run; an entry for another moment no longer counts."""
        seat.due = due
        heapq.heappush(self._due, (due, next(self._order), seat.plan.id, seat))

    def _remove(self, check: CheckId) -> None:
        seat = self._seats.pop(check)
        if seat.running is not None:
            seat.running.cancel()

    async def _stop(self) -> None:
        running: Iterable[asyncio.Task[None]] = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

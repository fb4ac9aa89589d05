"""Whole days of telling on the virtual clock: real scheduler, pipeline, writer and outbox; who heard what, and when.

The targets and the channels do as a test says; people acknowledge; the process is killed and started again on what was
written.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.channels.base import Delivered
from monitor.desk import Desk, Means
from monitor.drilling import Drilling
from monitor.message import message_of
from monitor.metrics import Metrics
from monitor.model import AttemptResult, CheckId, Dispatch, Owed, Reason, Sample, State
from monitor.outbox import Outbox
from monitor.pipeline import Pipeline
from monitor.schedule import Limits, Scheduler
from monitor.store import Writer
from monitor.upkeep import Upkeep
from tests.soak.loop import START, Coarse, VirtualClock, VirtualLoop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from monitor.channels.base import Channel, SendResult
    from monitor.drill import PlannedDrill
    from monitor.maintenance import Maintenance
    from monitor.model import Act, Alert, AlertKey, Change, Delivery, Event, Notification, Silence
    from monitor.plan import Plan
    from monitor.routing import Route

TICK = timedelta(seconds=1)
OPEN = frozenset({AttemptResult.BEGUN, AttemptResult.RETRY})


class Heard(NamedTuple):
    """One message that a channel took: when, which, its first line, and of how many alerts it tells."""

    at: datetime
    channel: str
    headline: str
    alerts: int

    def __str__(self) -> str:
        return f"{self.at:%a %H:%M:%S} {self.channel}: {self.headline}"


@dataclass
class Notebook:
    """What is durable, in memory: as much of a store as the parts here ask for."""

    kept: dict[AlertKey, Alert] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    unsettled: dict[str, Owed] = field(default_factory=dict)
    hushed: dict[str, Silence] = field(default_factory=dict)
    asked: dict[str, Act] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    sent: dict[str, Dispatch] = field(default_factory=dict)
    reached = True

    async def write(self, changes: Sequence[Change]) -> None:
        """Take all of `changes`."""
        for change in changes:
            self.kept |= {alert.key: alert for alert in change.alerts}
            self.events += change.events
            self.unsettled |= {note.id: Owed(note) for note in change.owed}
            self.hushed |= {silence.id: silence for silence in change.silences}
            self.done |= {act.id for act in change.done}
            self.sent |= {note.id: Dispatch(note) for note in change.owed}
            for attempt in change.attempts:
                before_it = self.sent[attempt.notification]
                self.sent[attempt.notification] = replace(before_it, attempts=(*before_it.attempts, attempt))
                if attempt.result not in OPEN:
                    self.unsettled.pop(attempt.notification, None)
                elif attempt.notification in self.unsettled:
                    before = self.unsettled[attempt.notification]
                    refused = before.attempts + (attempt.result is AttemptResult.RETRY)
                    again = replace(before, attempts=refused, due=attempt.due, delivery=attempt.delivery)
                    self.unsettled[attempt.notification] = again

    async def ask(self, act: Act) -> None:
        """Keep `act`, the first of its id, until it is done."""
        self.asked.setdefault(act.id, act)

    async def acts(self) -> list[Act]:
        """Return what was asked for and not done."""
        return [act for act in self.asked.values() if act.id not in self.done]

    async def dispatches(self, since: datetime, limit: int = 1_000) -> list[Dispatch]:
        """Return the newest messages after `since`."""
        found = [one for one in self.sent.values() if one.notification.at > since]
        return sorted(found, key=lambda one: one.notification.at, reverse=True)[:limit]


@dataclass
class World:
    """What is outside: how the targets are, what the channels answer, and what arrived there.

    `others` are the channels that may hear what came of a drill.

    `grain`: how often the daemon looks at the clock, less often than it does for days that are long.
    """

    plans: Mapping[CheckId, Plan]
    routes: Sequence[Route]
    target: Callable[[CheckId, datetime], State]
    windows: Sequence[Maintenance] = ()
    drills: Sequence[PlannedDrill] = ()
    others: Mapping[str, Channel] = field(default_factory=dict)
    fallbacks: Mapping[str, str] = field(default_factory=dict)
    answer: Callable[[str, datetime], SendResult] = lambda *_: Delivered()
    heard: list[Heard] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    notebook: Notebook = field(default_factory=Notebook)
    grain: timedelta = TICK

    @property
    def lines(self) -> list[str]:
        """Return everything that was heard, in order."""
        return [str(one) for one in self.heard]

    def of(self, channel: str) -> list[str]:
        """Return what one channel heard, without its name."""
        return [f"{one.at:%a %H:%M:%S} {one.headline}" for one in self.heard if one.channel == channel]


class Daemon:
    """One process, from its start until it is killed."""

    def __init__(self, world: World, clock: VirtualClock) -> None:
        self.world = world
        self.clock = clock
        self._writer = Writer(world.notebook, clock)
        metrics = Metrics()
        for plan in world.plans.values():
            metrics.watch(plan)
        self.pipeline = Pipeline(clock, self._writer, metrics, self._owe, self._run_now)
        coarse = Coarse(clock, world.grain)
        self._outbox = Outbox(
            coarse,
            self._writer,
            metrics.outbox,
            fall_back=self.pipeline.fall_back,
            last_resort=self._last_resort,
            jitter=lambda: 0.0,
        )
        self._scheduler = Scheduler(clock, self._observe, self.pipeline.take, Limits(), metrics.schedule)
        self._upkeep = Upkeep(coarse, self.pipeline, self._run_now)
        self._upkeep.configure(world.windows, world.plans)
        self._drilling = Drilling(coarse, world.notebook, self.pipeline)
        self._drilling.configure(world.drills, world.others)
        means = Means(leads=lambda: True, checks=lambda: world.plans, run_now=self._run_now, post=self._writer.post)
        self._desk = Desk(coarse, world.notebook, self.pipeline, means)
        self.pipeline.configure(world.plans, world.routes)
        names = {name for route in world.routes for name in route.notify}
        names |= {name for route in world.routes for step in route.escalate for name in step.notify}
        names |= {name for window in world.windows if window.announcement for name in window.announcement.notify}
        names |= {*world.fallbacks.values(), *world.others}
        self._outbox.configure({name: self._sender(name) for name in sorted(names)}, world.fallbacks)
        self._scheduler.replace(world.plans)
        self._parts: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Take up what was written, and work."""
        book = self.world.notebook
        self.pipeline.restore_silences(book.hushed.values())
        self.pipeline.restore([alert for alert in book.kept.values() if not alert.idle])
        self._outbox.restore(book.unsettled.values(), ())
        self.pipeline.begin()
        work = [self._writer.run(), self._scheduler.run(), self._outbox.run(), self._upkeep.run(), self._ticking()]
        if self.world.drills:
            work += [self._desk.run(), self._drilling.run()]
        self._parts = [asyncio.create_task(part) for part in work]

    async def kill(self) -> None:
        """End as at kill -9: nothing more is written or sent."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _observe(self, plan: Plan) -> Sample:
        state = self.world.target(plan.id, self.clock.now())
        reason = Reason.STATUS if state is State.DOWN else None
        return Sample(plan.id, self.clock.now(), TICK / 10, state, reason, "answered 502" if reason else "")

    async def _ticking(self) -> None:
        while True:
            await self.pipeline.tick()
            await self.clock.sleep_until(self.clock.now() + self.world.grain)

    def _owe(self, owed: Sequence[Notification], uncertain: bool) -> None:
        self._outbox.owe(owed, uncertain)

    async def _run_now(self, check: CheckId) -> None:
        await self._scheduler.run_now(check)

    async def _last_resort(self, text: str) -> None:
        self.world.heard.append(Heard(self.clock.now(), "dead man's switch", text.splitlines()[0], 1))

    def _sender(self, channel: str) -> Callable[[Delivery], Awaitable[SendResult]]:
        async def send(delivery: Delivery) -> SendResult:
            result = self.world.answer(channel, self.clock.now())
            if isinstance(result, Delivered):
                said = message_of(delivery)
                self.world.deliveries.append(delivery)
                line = f"{said.headline} ({len(delivery.notifications)})" if said.collected else said.headline
                self.world.heard.append(Heard(self.clock.now(), channel, line, len(delivery.notifications)))
            return result

        return send


def days(world: World, begin: datetime, length: timedelta, deeds: Iterable[tuple[timedelta, Act | None]] = ()) -> World:
    """Let `length` pass from `begin` on; return `world` with what was heard.

    `deeds`: so long after the beginning somebody does something, or (None) the process is killed and started again.
    """

    async def run(loop: VirtualLoop) -> None:
        clock = VirtualClock(loop, lambda: begin - START)
        daemon = Daemon(world, clock)
        daemon.start()
        for after, act in sorted(deeds, key=lambda deed: deed[0]):
            await clock.sleep_until(begin + after)
            if act is not None:
                await daemon.pipeline.carry_out(replace(act, at=clock.now()))
                continue
            await daemon.kill()
            daemon = Daemon(world, clock)
            daemon.start()
        await clock.sleep_until(begin + length)
        await daemon.kill()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        runner.run(run(loop))
    return world


def counts(heard: Iterable[Heard]) -> Mapping[str, list[int]]:
    """Return of how many alerts each message told, by channel."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for one in heard:
        found[one.channel].append(one.alerts)
    return found


def utc(text: str) -> datetime:
    """Return a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def any_of(*spans: tuple[datetime, datetime]) -> Callable[[datetime], bool]:
    """Return whether a moment lies in one of `spans`."""

    def within(moment: datetime, *_: Any) -> bool:  # noqa: ANN401 - whatever else is known
        return any(begin <= moment < end for begin, end in spans)

    return within

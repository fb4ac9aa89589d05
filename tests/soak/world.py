"""The world around the daemon: what it watches, whom it tells and where it writes, as the script says; and a record."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.channels.base import DEADLINE, Delivered, Retry
from monitor.channels.webhook import payload
from monitor.message import as_text, message_of
from monitor.model import DOWN, AttemptResult, CheckId, Measure, Reason, Sample, Severity, State
from monitor.store import StoreUnavailable, open_store
from tests.soak.oracle import Belief, Rule
from tests.soak.script import CHECKS, TIMED, Away, Look, Mood, at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence
    from datetime import datetime
    from pathlib import Path

    from monitor.channels.base import SendResult
    from monitor.model import (
        Act,
        Alert,
        AlertKey,
        Change,
        Delivery,
        Deploy,
        Dispatch,
        Event,
        Keepsake,
        Notification,
        Owed,
        Post,
        Silence,
    )
    from monitor.plan import Plan
    from monitor.store import Hour, Store
    from tests.soak.loop import VirtualClock, VirtualLoop
    from tests.soak.script import Script

SLOW_FIGURE, SLOWER_FIGURE = 1.0, 3.0
EVERY, TIMEOUT, HOLD = timedelta(seconds=30), timedelta(seconds=5), timedelta(minutes=2)
FAILURES, SUCCESSES = 3, 2
TIMED_NAME = "duration"
MICROSECOND = timedelta(microseconds=1)
RULES: dict[tuple[str, Severity], Rule] = {
    (DOWN, Severity.CRITICAL): Rule(looks=FAILURES, quiet_looks=SUCCESSES),
    **{
        (TIMED_NAME, severity): Rule(for_=HOLD // MICROSECOND, keep=HOLD // MICROSECOND, gap=3 * EVERY // MICROSECOND)
        for severity in (Severity.WARNING, Severity.CRITICAL)
    },
}

FOUND = {
    Look.DOWN: (State.DOWN, Reason.STATUS),
    Look.HANGS: (State.DOWN, Reason.STATUS),
    Look.MUTE: (State.UNKNOWN, Reason.DNS),
    Look.ASLEEP: (State.UNKNOWN, None),
}


class Level(NamedTuple):
    """One level of one alert."""

    check: CheckId
    name: str
    severity: Severity


class Told(NamedTuple):
    """A notification that was decided at `at` by the process of that number; `blind`: it had not read the disk yet."""

    at: float
    process: int
    note: Notification
    blind: bool


class Taken(NamedTuple):
    """A notification that a channel took, in the delivery of that id."""

    at: float
    process: int
    delivery: str
    note: Notification
    uncertain: bool


class Glance(NamedTuple):
    """A look at a target by the process of that number."""

    at: float
    process: int


@dataclass
class World:
    """Everything outside the daemon, and all that was seen of it."""

    loop: VirtualLoop
    script: Script
    chance: random.Random = field(init=False)
    beliefs: dict[Level, Belief] = field(default_factory=dict)
    glances: dict[CheckId, list[Glance]] = field(default_factory=dict)
    owed: dict[str, Told] = field(default_factory=dict)
    on_disk: set[str] = field(default_factory=set)
    taken: dict[str, list[Taken]] = field(default_factory=dict)
    excuses: dict[str, set[str]] = field(default_factory=dict)
    lives: list[tuple[float, float]] = field(default_factory=list)
    last_words: list[str] = field(default_factory=list)
    strike: tuple[str, int] | None = None
    struck: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.script.seed + 1)
        self.glances = {check: [] for check in CHECKS}
        for check in CHECKS:
            for (name, severity), rule in RULES.items():
                if name == DOWN or check in TIMED:
                    self.beliefs[Level(check, name, severity)] = Belief(rule)

    @property
    def now(self) -> float:
        return self.loop.time()

    def wrong(self) -> timedelta:
        """Return how far the wall clock is ahead now."""
        steps = [wrong for moment, wrong in self.script.steps if moment <= self.now]
        return timedelta(seconds=steps[-1] if steps else 0.0)

    def channel(self, name: str) -> str:
        return at(self.script.channels[name], self.now)

    def store(self) -> str:
        return at(self.script.store, self.now)

    def saw(self, check: CheckId, when: datetime, state: State, duration: float | None) -> None:
        """Note what a look at `check` found."""
        moment = int(when.timestamp() * 1e6)
        down = None if state is State.UNKNOWN else state is State.DOWN
        for level, belief in self.beliefs.items():
            if level.check != check:
                continue
            if level.name == DOWN:
                belief.look(self.now, moment, down)
            else:
                figure = SLOW_FIGURE if level.severity is Severity.WARNING else SLOWER_FIGURE
                belief.look(self.now, moment, None if duration is None else duration > figure)

    def of(self, checks: frozenset[CheckId]) -> list[Belief]:
        """Return what is believed of `checks`."""
        return [belief for level, belief in self.beliefs.items() if level.check in checks]


class Outside:
    """The seams of one process. Once it is `dead`, nothing passes any more in either direction."""

    def __init__(self, world: World, number: int, clock: VirtualClock) -> None:
        self.world = world
        self.number = number
        self.clock = clock
        self.dead = False
        self.remembers = False
        self._sending: dict[str, Delivery] = {}

    async def pause(self, least: float, most: float) -> None:
        """Let some time pass, as an answer takes."""
        await asyncio.sleep(self.world.chance.uniform(least, most))
        await self.alive()

    async def alive(self) -> None:
        """Return if the process lives; otherwise never."""
        if self.dead:
            await asyncio.get_running_loop().create_future()

    def passes(self, seam: str) -> None:
        """Note that the process is at `seam`: if the script says so, it dies some turns of the loop later."""
        world = self.world
        if world.strike and world.strike[0] == seam and not self.dead:
            turns, world.strike = world.strike[1], None
            self._die_in(turns)

    def die(self) -> None:
        """Cut everything off."""
        self.dead = True
        self.world.struck.set()
        self.excuse()

    def excuse(self) -> None:
        """Note what was being sent, or sent and not yet written down, when the process ended."""
        for identity in self._sending:
            self.world.excuses.setdefault(identity, set()).add("we died in the send")

    def _die_in(self, turns: int) -> None:
        if turns and not self.dead:
            self.world.loop.call_soon(self._die_in, turns - 1)
        else:
            self.die()

    async def observe(self, plan: Plan) -> Sample:
        """Look at a target as the script has it."""
        self.passes("probe")
        world, begun = self.world, self.clock.now()
        how = Look(at(world.script.targets[plan.id], world.now) or "fine")
        await self.pause(*((4.9, 5.0) if how is Look.HANGS else (0.01, 0.3)))
        state, reason = FOUND.get(how, (State.UP, None))
        duration = {Look.SLOW: 2.0, Look.SLOWER: 4.0}.get(how, 0.1) if state is State.UP else None
        measures = () if duration is None else (Measure("duration", duration),)
        ended = self.clock.now()
        if how is not Look.ASLEEP:
            world.glances[plan.id].append(Glance(world.now, self.number))
        world.saw(plan.id, ended, state, duration)
        return Sample(plan.id, ended, ended - begun, state, reason, f"it is {how}", measures)

    def owe(self, notes: Sequence[Notification]) -> None:
        """Note what is owed from now on."""
        if not self.dead:
            self._owe(notes)

    def _owe(self, notes: Sequence[Notification]) -> None:
        for note in notes:
            self.world.owed.setdefault(note.id, Told(self.world.now, self.number, note, not self.remembers))

    async def send(self, channel: str, delivery: Delivery) -> SendResult:
        """Send as `channels.base.deliver` does."""
        await self.alive()
        assert as_text(message_of(delivery))
        assert payload(delivery)["alerts"]
        self.passes("send")
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()):
                return await self._send(channel, delivery)
        except TimeoutError:
            return Retry("no answer")

    async def _send(self, channel: str, delivery: Delivery) -> SendResult:
        mood = self.world.channel(channel)
        await self.pause(0.01, 0.3)
        match mood:
            case Mood.REFUSES:
                return Retry("503")
            case Mood.ASKS:
                return Retry("429", timedelta(seconds=self.world.chance.choice((30, 300, 3600))))
            case Mood.STALLS:
                await self.pause(3600, 3600)
        if mood == Mood.SLOW:
            await self.pause(0.5, 9)
        self._take(channel, delivery)
        if mood == Mood.DEAF:
            self.world.excuses.setdefault(delivery.id, set()).add("its answer was lost")
            await self.pause(0.1, 30)
            return Retry("reset")
        await self.pause(0.01, 0.3)
        self.passes("sent")
        return Delivered()

    def _take(self, channel: str, delivery: Delivery) -> None:
        self._sending[delivery.id] = delivery
        for note in delivery.notifications:
            taken = Taken(self.world.now, self.number, delivery.id, note, delivery.uncertain)
            self.world.taken.setdefault(channel, []).append(taken)

    async def last_resort(self, text: str) -> None:
        self.world.last_words.append(text)

    def written(self, began: float, changes: Sequence[Change]) -> None:
        """Note what is on the disk now."""
        for belief in self.world.beliefs.values():
            belief.write(began)
        for change in changes:
            self.world.on_disk.update(note.id for note in change.owed)
            self._owe(change.owed)
            for attempt in change.attempts:
                if attempt.result is AttemptResult.DELIVERED:
                    self._sending.pop(attempt.delivery, None)


class Disk:
    """A store that may be away, seen by one process."""

    def __init__(self, store: Store, outside: Outside) -> None:
        self.store = store
        self._outside = outside

    @classmethod
    async def open(cls, path: Path, outside: Outside) -> Disk:
        """Open it if it can be reached."""
        await outside.alive()
        outside.passes("open")
        await _reach(outside)
        with outside.world.loop.busy():
            return cls(await open_store(path), outside)

    @property
    def owner(self) -> str:
        return self.store.owner

    async def lead(self) -> bool:
        await _reach(self._outside)
        with self._outside.world.loop.busy():
            return await self.store.lead()

    async def resign(self) -> None:
        with self._outside.world.loop.busy():
            await self.store.resign()

    async def write(self, changes: Sequence[Change]) -> None:
        outside, world = self._outside, self._outside.world
        await outside.alive()
        outside.passes("write")
        how = world.store()
        if how != Away.LATE:
            await _reach(outside)
        began = world.now
        await outside.pause(0.001, 0.05)
        with world.loop.busy():
            await self.store.write(changes)
        outside.written(began, changes)
        outside.passes("written")
        await outside.pause(0.001, 0.05)
        if how == Away.LATE:
            await outside.pause(1.5, 2)
            raise StoreUnavailable("late")

    async def alerts(self) -> list[Alert]:
        await _reach(self._outside)
        with self._outside.world.loop.busy():
            return await self.store.alerts()

    async def owed(self) -> list[Owed]:
        await _reach(self._outside)
        with self._outside.world.loop.busy():
            return await self.store.owed()

    async def samples(
        self, check: CheckId, since: datetime, limit: int = 100_000, until: datetime | None = None
    ) -> list[Sample]:
        with self._outside.world.loop.busy():
            return await self.store.samples(check, since, limit, until)

    async def replay(self, since: datetime) -> AsyncIterator[Sample]:
        await _reach(self._outside)
        with self._outside.world.loop.busy():
            found = [sample async for sample in self.store.replay(since)]
        for sample in found:
            yield sample

    async def hours(self, check: CheckId, since: datetime) -> list[Hour]:
        with self._outside.world.loop.busy():
            return await self.store.hours(check, since)

    async def replay_hours(self, check: CheckId, since: datetime, measures: Collection[str]) -> AsyncIterator[Hour]:
        await _reach(self._outside)
        with self._outside.world.loop.busy():
            found = [hour async for hour in self.store.replay_hours(check, since, measures)]
        for hour in found:
            yield hour

    async def deploys(self, since: datetime) -> list[Deploy]:
        with self._outside.world.loop.busy():
            return await self.store.deploys(since)

    async def ask(self, act: Act) -> None:
        await _reach(self._outside)
        with self._outside.world.loop.busy():
            await self.store.ask(act)

    async def acts(self) -> list[Act]:
        await _reach(self._outside)
        with self._outside.world.loop.busy():
            return await self.store.acts()

    async def silences(self, since: datetime) -> list[Silence]:
        with self._outside.world.loop.busy():
            return await self.store.silences(since)

    async def posts(self) -> list[Post]:
        with self._outside.world.loop.busy():
            return await self.store.posts()

    async def keepsakes(self) -> list[Keepsake]:
        with self._outside.world.loop.busy():
            return await self.store.keepsakes()

    async def journal(self, since: datetime, key: AlertKey | None = None, limit: int = 1_000) -> list[Event]:
        await _reach(self._outside)
        with self._outside.world.loop.busy():
            return await self.store.journal(since, key, limit)

    async def checks(self) -> list[CheckId]:
        with self._outside.world.loop.busy():
            return await self.store.checks()

    async def dispatches(self, since: datetime, limit: int = 1_000) -> list[Dispatch]:
        with self._outside.world.loop.busy():
            return await self.store.dispatches(since, limit)

    async def tidy(self, now: datetime) -> None:
        await _reach(self._outside)
        with self._outside.world.loop.busy():
            await self.store.tidy(now)

    async def close(self) -> None:
        with self._outside.world.loop.busy():
            await self.store.close()


async def _reach(outside: Outside) -> None:
    """Raise StoreUnavailable if the store is away."""
    how = outside.world.store()
    if how:
        await outside.pause(*((2, 2) if how == Away.SILENT else (0.001, 0.01)))
        raise StoreUnavailable(how)

"""Plays one test: the real pipeline and the real outbox, on a clock that goes from event to event.

The clock stops at every moment at which something may happen, and at few others.
These are: every run; while something is owed, each second of the five minutes after the last change, as long as it
takes to collect messages and to fall back; every moment that lies a time after a change that the routes name
(reminders, escalations), at which what waits must leave, or at which nothing was heard of a check for too long; and
every 10 s besides, 30 s while nothing is live. So what runs and routes cause is exact to the second; what only other
times cause is at most 10 s late.
"""

from __future__ import annotations

import asyncio
import dataclasses
import heapq
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.hour import Hour, HourMeasure
from monitor.outbox import Outbox
from monitor.owed import Cap
from monitor.pipeline import Pipeline
from monitor.trial.clock import VirtualClock
from monitor.trial.ledger import Ledger
from monitor.trial.runs import Runs
from monitor.trial.series import Cursor
from monitor.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from monitor.channels.base import Channel
    from monitor.config import Config
    from monitor.model import CheckId, Notification
    from monitor.plan import Plan
    from monitor.trial.nouns import Past, SeriesKey, Stage

SECOND = timedelta(seconds=1)
LIVELY = timedelta(minutes=5)
OFTEN = timedelta(seconds=10)
SELDOM = timedelta(seconds=30)
LAST_MESSAGES = timedelta(seconds=65)
"""So long after the end it is waited for messages that are being collected."""
LONGEST = timedelta(days=62)
HOUR = timedelta(hours=1)
RUNS = 60
"""In each hour of the past."""
WEEKS_OF_PAST = timedelta(weeks=4)


class Player:
    """One test on its way."""

    def __init__(
        self,
        stage: Stage,
        plans: Mapping[CheckId, Plan],
        config: Config,
    ) -> None:
        """Set the stage; must be made while the event loop runs.

        `plans` are those of the checks that have a script; routes, channels and maintenance are those of `config`.
        """
        self._stage = stage
        self._clock = VirtualClock(stage.start)
        self.ledger = Ledger(self._clock)
        self._pipeline = Pipeline(self._clock, self.ledger, self.ledger, self._owe, self._ask_again)
        self._outbox = Outbox(
            self._clock,
            self.ledger,
            self.ledger,
            fall_back=self._pipeline.fall_back,
            last_resort=self.ledger.last_resort,
            jitter=float,
        )
        self._upkeep = Upkeep(self._clock, self._pipeline, self._ask_again)
        routes = config.routes if stage.telling else ()
        self._pipeline.configure(plans, routes)
        self._configure_channels(config.channels)
        systems = {check.system for check in plans} if stage.telling else set()
        self._upkeep.configure([one for one in config.maintenance if one.system in systems], plans)
        self._spans = sorted(set(_spans(routes)))
        self._noted: list[datetime] = []
        self._noted_at: datetime | None = None
        self._acts = list(stage.acts)
        self._runs = Runs(stage, plans)
        self._remember()

    def _configure_channels(self, channels: Mapping[str, Channel]) -> None:
        manners = {name: Cursor(series, self._stage.start) for name, series in self._stage.manners.items()}
        fallbacks = {name: channel.fallback for name, channel in channels.items() if channel.fallback}
        caps = {name: Cap(channel.limit.messages, channel.limit.per) for name, channel in channels.items()}
        self._outbox.configure({name: self.ledger.channel(manners.get(name)) for name in channels}, fallbacks, caps)

    async def play(self) -> timedelta:
        """Let it happen; return how much time has passed."""
        self._pipeline.begin()
        sending = asyncio.create_task(self._outbox.run())
        try:
            await self._clock.settle()
            await self._go_on()
            lasted = self._clock.now() - self._stage.start
            await self._let_messages_leave()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        return lasted

    async def _go_on(self) -> None:
        while not self._over(self._clock.now()):
            now = self._clock.now()
            for check in self._runs.due(now):
                await self._run(check)
            while self._acts and self._stage.start + self._acts[0][0] <= now:
                await self._pipeline.carry_out(self._acts.pop(0)[1])
            await self._tick()
            self._note(now)
            await self._clock.move(self._next(now), wake=self._owes)

    async def _let_messages_leave(self) -> None:
        until = self._clock.now() + LAST_MESSAGES
        while self._owes and self._clock.now() < until:
            await self._clock.move(self._clock.now() + SECOND)

    @property
    def _owes(self) -> bool:
        return self._outbox.oldest() is not None

    def _over(self, now: datetime) -> bool:
        lasted = now - self._stage.start
        if self._stage.until is not None:
            return lasted > self._stage.until
        return lasted > self._stage.least and (self._runs.ended(now) or lasted > LONGEST)

    async def _run(self, check: CheckId) -> None:
        now = self._clock.now()
        sample = self._runs.sample(check, now)
        unsettled = sample is not None and await self._pipeline.take(sample)
        self._runs.again(check, now, sample, unsettled=unsettled)
        if silent := self._runs.silent_at(check):
            self._put(silent)

    async def _tick(self) -> None:
        await self._upkeep.tick()
        if self._upkeep.under_way:
            await self._clock.settle()
        await self._pipeline.tick()

    async def _ask_again(self, check: CheckId) -> None:
        """Run `check` now, unless it ran at this very moment."""
        ran = self.ledger.runs.get(check)
        if check in self._stage.scripts and (not ran or ran[-1] < self._clock.now()):
            await self._run(check)

    def _owe(self, owed: Sequence[Notification], uncertain: bool) -> None:  # noqa: FBT001 - a callback's form
        self._outbox.owe(owed, uncertain)
        for note in owed:
            if note.leaves is not None:
                self._put(note.leaves)

    def _next(self, now: datetime) -> datetime:
        """Return the next moment at which something may happen: where nobody is told of anything, the next run."""
        if not self._stage.telling:
            return max(self._runs.next(now), now)
        lively = self.ledger.changed_at is not None and now - self.ledger.changed_at < LIVELY
        step = SECOND if self._owes and lively else OFTEN if self._owes or self._pipeline.alerts else SELDOM
        moments = [now + step, self._runs.next(now)]
        moments += [self._stage.start + self._acts[0][0]] if self._acts else []
        while self._noted and self._noted[0] <= now:
            heapq.heappop(self._noted)
        return min([*moments, *self._noted[:1]])

    def _note(self, now: datetime) -> None:
        """Note what may follow from a change of this moment, a time later that the routes name."""
        if self.ledger.changed_at == now != self._noted_at:
            self._noted_at = now
            for span in self._spans:
                self._put(now + span)

    def _put(self, moment: datetime) -> None:
        heapq.heappush(self._noted, moment)

    def _remember(self) -> None:
        """Give the checks the past that the test says they have."""
        for check, before in self._pipeline.pasts().items():
            series = self._stage.past.get(check)
            if series is not None:
                known = before.emptied()
                for hour in _hours(check, self._stage.start, series):
                    known.add(hour)
                known.read_at = self._stage.start
                self._pipeline.look_back(check, before, known)


def _hours(check: CheckId, start: datetime, series: Mapping[SeriesKey, Past]) -> Iterator[Hour]:
    """Yield the hours of four weeks up to `start`, one as the other."""
    first = hour = (start - WEEKS_OF_PAST).replace(minute=0, second=0, microsecond=0)
    while hour + HOUR <= start:
        measures = (_hour_measure(key, past, hour - first) for key, past in series.items())
        yield Hour(check, hour, RUNS, 0, 0, tuple(measures))
        hour += HOUR


def _hour_measure(key: SeriesKey, past: Past, since: timedelta) -> HourMeasure:
    """Return one hour of a series; a counter counts `since` so long."""
    if not past.counts:
        return HourMeasure(*key, RUNS, RUNS * past.number, past.number, past.number)
    begin = past.number * since.total_seconds()
    end = begin + past.number * HOUR.total_seconds() * (RUNS - 1) / RUNS
    return HourMeasure(*key, RUNS, RUNS * (begin + end) / 2, begin, end)


def _spans(value: object) -> Iterator[timedelta]:
    """Yield every time that `value`, or whatever it holds, names."""
    if isinstance(value, timedelta):
        yield value
    elif dataclasses.is_dataclass(value):
        yield from _spans([getattr(value, each.name) for each in dataclasses.fields(value)])
    elif isinstance(value, list | tuple):
        yield from _each(value)


def _each(values: Iterable[object]) -> Iterator[timedelta]:
    for value in values:
        yield from _spans(value)

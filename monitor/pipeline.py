"""READ FIRST: what happens to one sample.

`Pipeline.take` is the whole story in order: thresholds judge the sample, alerts move, routing says who is told, and one
`Change` makes all of it durable before a message may leave. `tick` does the same for what no sample causes: a check
that gives no data, a reminder that is due, an alert that is no longer held back.

Deciding reads the board and changes nothing; carrying out changes the board and queues the change for the store in one
go, without a pause in between. So whatever is decided rests on what is true at that moment, the store sees changes in
the order in which they were decided, and a crash before it has them only means that the same decision is taken again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from monitor import alerts, routing
from monitor.board import Board
from monitor.model import (
    BLIND,
    DOWN,
    NO_DATA,
    Alert,
    AlertKey,
    Change,
    CheckId,
    Event,
    EventKind,
    Notification,
    Outcome,
    Patience,
    Severity,
    State,
    Verdict,
    stable_id,
)
from monitor.page import BLIND_TITLE, compose, title
from monitor.thresholds import judge
from monitor.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.model import Sample
    from monitor.plan import Plan
    from monitor.routing import Call, Route

OURSELVES = CheckId("monitor", "probes")
BLIND_SHARE = 0.5
BLIND_LEAST = 3
AT_ONCE: Mapping[Severity, Patience] = {Severity.WARNING: Patience()}
LOUD = frozenset({EventKind.OPENED, EventKind.WORSENED})


class Writer(Protocol):
    """Where changes become durable."""

    def keep(self, sample: Sample) -> None:
        """Write `sample` within a second, together with others."""

    async def commit(self, change: Change) -> bool:
        """Queue `change` before the first pause; return True once it is durable, False if that will take a while."""
        ...


class Display(Protocol):
    """Where samples and alerts are shown."""

    def sample(self, sample: Sample) -> None:
        """Show the newest sample of a check."""

    def alert(self, alert: Alert) -> None:
        """Show an alert as it is now, or no longer."""


@dataclass(slots=True)
class Decision:
    """What follows from what was seen: alerts as they will be, what happened to them, and who must be told."""

    moved: dict[AlertKey, Alert] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    calls: list[tuple[Alert, Call]] = field(default_factory=list)
    values: dict[AlertKey, float] = field(default_factory=dict)

    @property
    def pages(self) -> bool:
        """Return whether somebody would be disturbed."""
        return any(call.kind in LOUD for _, call in self.calls)


Judged = tuple[Verdict, "Mapping[Severity, Patience]"]


class Pipeline:
    """Takes samples and passing time in, and gives what must be shown, kept and told out."""

    def __init__(
        self,
        clock: Clock,
        writer: Writer,
        display: Display,
        owe: Callable[[Sequence[Notification], bool], None],
        ask_again: Callable[[CheckId], Awaitable[None]],
    ) -> None:
        """Make a pipeline that watches nothing yet.

        `owe` takes notifications and whether they are uncertain (not durable yet). `ask_again` runs a check at once and
        returns when its sample was taken.
        """
        self._clock = clock
        self._writer = writer
        self._display = display
        self._owe = owe
        self._ask_again = ask_again
        self._board = Board()
        self._watched: dict[CheckId, Watched] = {}
        self._values: dict[AlertKey, float] = {}
        self._routes: tuple[Route, ...] = ()
        self._blind = False
        self.judged_at = clock.now()

    def configure(self, plans: Mapping[CheckId, Plan], routes: Sequence[Route]) -> None:
        """Watch exactly `plans` from now on; what is known of unchanged checks stays."""
        now = self._clock.now()
        known = self._watched
        self._watched = {}
        for check, plan in plans.items():
            was = known.get(check)
            same = was is not None and was.plan.fingerprint == plan.fingerprint
            self._watched[check] = was if was is not None and same else Watched(plan, now)
        self._routes = tuple(routes)

    def restore(self, live: Iterable[Alert], histories: Mapping[CheckId, Sequence[Sample]]) -> None:
        """Take up what an earlier process remembered: its live alerts, and the samples that windows still need.

        That may come late, when something was seen already; the past and the present are joined then.
        """
        for remembered in live:
            alert = routing.rejoin(remembered, self._board.get(remembered.key))
            self._board.put(alert)
            self._display.alert(alert)
        for check, samples in histories.items():
            if watched := self._watched.get(check):
                known_at = watched.known_at
                for sample in samples:
                    watched.see(sample)
                watched.known_at = known_at

    @property
    def alerts(self) -> list[Alert]:
        """Return every live alert."""
        return list(self._board)

    async def take(self, sample: Sample) -> None:
        """Judge one sample and carry out what follows; return once it is durable, or cannot be for now."""
        watched = self._watched.get(sample.check)
        if watched is None:
            return
        watched.see(sample)
        decision = self._decide(sample.check, self._judged(watched, sample))
        if decision.pages and await self._asked_needs(watched.plan):
            decision = self._decide(sample.check, self._judged(watched, sample))
        self.judged_at = sample.at
        self._display.sample(sample)
        await self._carry_out([decision], sample)

    async def tick(self) -> None:
        """Do what no sample causes: no data, blindness, reminders, what is no longer held back, what was removed."""
        now = self._clock.now()
        silent = {check for check, watched in self._watched.items() if watched.silent(now)}
        self._blind = len(silent) >= BLIND_LEAST and len(silent) >= BLIND_SHARE * len(self._watched)
        checks = silent | {alert.key.check for alert in self._board} | {OURSELVES}
        await self._carry_out([self._decide(check, self._noticed(check, silent, now)) for check in sorted(checks)])

    async def fall_back(self, notification: Notification, channel: str) -> None:
        """Owe `notification` to `channel` too, because its own channel does not take it."""
        now = self._clock.now()
        identity = stable_id(notification.id, channel)
        twin = replace(notification, id=identity, channel=channel, at=now, fallback_for=notification.channel)
        event = Event(
            notification.key, now, EventKind.FELL_BACK, notification.severity, detail=f"{notification.id} to {channel}"
        )
        alert = self._board.get(notification.key)
        told = (routing.also_tell(alert, channel, now),) if alert and alert.incident == notification.incident else ()
        for changed in told:
            self._board.put(changed)
        durable = await self._writer.commit(Change(alerts=told, events=(event,), owed=(twin,)))
        self._owe((twin,), not durable)

    def _judged(self, watched: Watched, sample: Sample) -> Iterator[Judged]:
        """Yield how each threshold, and the count of failures, judges `sample`."""
        plan = watched.plan
        yield down_verdict(sample, plan.down), plan.down
        live = [alert.key for alert in self._board.of(sample.check)]
        for threshold in plan.thresholds:
            known = [key.labels for key in live if key.name == threshold.name]
            for verdict in judge(sample.check, threshold, watched.history, sample, known):
                yield verdict, threshold.patience

    def _noticed(self, check: CheckId, silent: set[CheckId], now: datetime) -> Iterator[Judged]:
        """Yield what passing time says of `check`."""
        name, crossed = (BLIND, self._blind) if check == OURSELVES else (NO_DATA, check in silent)
        outcome = Outcome.BREACH if crossed else Outcome.CLEAR
        yield Verdict(AlertKey(check, name), now, {Severity.WARNING: outcome}), AT_ONCE

    def _decide(self, check: CheckId, judged: Iterable[Judged]) -> Decision:
        """Return what follows for `check`. Reads the board, changes nothing."""
        decision = Decision()
        watched = self._watched.get(check)
        for verdict, patience in judged:
            before = self._board.get(verdict.key)
            if before is None and Outcome.BREACH not in verdict.outcomes.values():
                continue
            if verdict.value is not None:
                decision.values[verdict.key] = verdict.value
            before = before or Alert(verdict.key, title=self._title(verdict.key))
            gap = watched.gap if watched else verdict.at - verdict.at
            after, events = alerts.step(before, verdict, patience, gap)
            decision.moved[verdict.key] = after
            decision.events.extend(events)
        live = {alert.key: alert for alert in self._board.of(check)} | decision.moved
        for alert in live.values():
            self._tell(alert, decision)
        return decision

    def _tell(self, alert: Alert, decision: Decision) -> None:
        """Add to `decision` who must be told of `alert`."""
        now = self._clock.now()
        removed = self._removed(alert)
        if removed:
            alert = alerts.close(alert)
        held = self._held(alert.key, decision)
        after, calls = routing.tell(alert, self._routes, now, held=held)
        if removed:
            calls = tuple(routing.Call(call.channel, EventKind.REMOVED, call.severity, quiet=True) for call in calls)
            decision.events.append(Event(alert.key, now, EventKind.REMOVED))
        opened = any(event.key == alert.key and event.kind in LOUD for event in decision.events)
        if held and opened:
            decision.events.append(Event(alert.key, now, EventKind.HELD, alert.severity))
        decision.moved[alert.key] = after
        decision.calls.extend((alert, call) for call in calls)

    def _removed(self, alert: Alert) -> bool:
        """Return whether nothing in the configuration stands behind `alert` any more."""
        key = alert.key
        if key.check == OURSELVES:
            return False
        watched = self._watched.get(key.check)
        return watched is None or (key.name not in {DOWN, NO_DATA} and watched.plan.threshold(key.name) is None)

    def _held(self, key: AlertKey, decision: Decision) -> bool:
        """Return whether something else explains the alert of `key`, so that nobody is told of it now."""
        watched = self._watched.get(key.check)
        if watched is None:
            return False
        if key.name == NO_DATA:
            return self._blind
        if any(self._board.failing(need) for need in watched.plan.needs):
            return True
        own = AlertKey(key.check, DOWN)
        down = decision.moved.get(own) or self._board.get(own)
        return key.name != DOWN and down is not None and not down.idle

    async def _asked_needs(self, plan: Plan) -> bool:
        """Look again, now, at what `plan` needs; return whether there was anything to look at."""
        well = [need for need in plan.needs if not self._board.failing(need)]
        await asyncio.gather(*(self._ask_again(need) for need in well))
        return bool(well)

    async def _carry_out(self, decisions: Sequence[Decision], sample: Sample | None = None) -> None:
        changed = [
            alert
            for decision in decisions
            for alert in decision.moved.values()
            if alert != (self._board.get(alert.key) or Alert(alert.key, title=alert.title))
        ]
        for decision in decisions:
            self._values.update(decision.values)
        for alert in changed:
            self._board.put(alert)
            self._display.alert(alert)
        owed = tuple(self._notification(alert, call) for decision in decisions for alert, call in decision.calls)
        events = tuple(event for decision in decisions for event in decision.events)
        for alert in changed:
            if alert.idle:
                self._values.pop(alert.key, None)
        if not (changed or owed or events):
            if sample is not None:
                self._writer.keep(sample)
            return
        samples = (sample,) if sample is not None else ()
        durable = await self._writer.commit(Change(samples, tuple(changed), events, owed))
        if owed:
            self._owe(owed, not durable)

    def _notification(self, alert: Alert, call: Call) -> Notification:
        now = self._clock.now()
        watched = self._watched.get(alert.key.check)
        value = self._values.get(alert.key)
        beside = self._board.beside(alert) if call.kind in LOUD else ()
        page = compose(alert, call.kind, watched, value=value, beside=beside, now=now)
        identity = stable_id(alert.incident, call.channel, call.kind, call.severity, now.isoformat())
        return Notification(
            id=identity,
            channel=call.channel,
            incident=alert.incident,
            key=alert.key,
            kind=call.kind,
            severity=call.severity,
            at=now,
            page=page,
            quiet=call.quiet,
        )

    def _title(self, key: AlertKey) -> str:
        watched = self._watched.get(key.check)
        return title(watched.plan, key) if watched else BLIND_TITLE


def down_verdict(sample: Sample, down: Mapping[Severity, Patience]) -> Verdict:
    """Return how the count of failures judges `sample`: unknown decides nothing."""
    outcome = {State.UP: Outcome.CLEAR, State.DOWN: Outcome.BREACH, State.UNKNOWN: Outcome.BLIND}[sample.state]
    return Verdict(AlertKey(sample.check, DOWN), sample.at, dict.fromkeys(down, outcome))

"""READ FIRST: what happens to one sample.

`Pipeline.take` is the whole story in order: thresholds judge the sample, alerts move, routing says who is told, and one
`Change` makes all of it durable before a message may leave. `tick` does the same for what no sample causes: a check
that gives no data, a reminder that is due, an alert that is no longer held back.

Deciding (`situation.py`) changes nothing; carrying out makes the decision true and queues the change for the store in
one go, without a pause in between. So whatever is decided rests on what is true at that moment, the store sees changes
in the order in which they were decided, and a crash before it has them only means that the decision is taken again.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import structlog

from monitor import drill, routing, surroundings
from monitor.deeds import outcome
from monitor.history import MOST_SERIES
from monitor.model import DRILL, Change, CheckId, Event, EventKind, Notification, stable_id
from monitor.routing import USUAL, Call
from monitor.situation import Decision, Situation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Container, Iterable, Mapping, Sequence

    from monitor.baseline import Baseline
    from monitor.clock import Clock
    from monitor.drill import Answer
    from monitor.model import Act, Alert, AlertKey, Keepsake, Sample, Severity, Silence
    from monitor.plan import Plan
    from monitor.routing import Flapping, Route
    from monitor.watched import Watched

log = structlog.get_logger()

NEEDS_PATIENCE = timedelta(seconds=5)
"""How long a page waits for a new look at what its check needs."""


class Writer(Protocol):
    """Where changes become durable."""

    def keep(self, sample: Sample) -> None:
        """Write `sample` within a second, together with others."""

    def post(self, change: Change) -> None:
        """Queue `change` and write it soon, without waiting."""

    async def commit(self, change: Change) -> bool:
        """Queue `change` before the first pause; return True once it is durable, False if that will take a while."""
        ...


class Display(Protocol):
    """Where samples and alerts are shown."""

    def sample(self, sample: Sample) -> None:
        """Show the newest sample of a check."""

    def alert(self, alert: Alert) -> None:
        """Show an alert as it is now, or no longer."""

    def left_out(self, check: CheckId, count: int) -> None:
        """Count values that no threshold sees, because their measure has too many series."""


class Pipeline:
    """Takes samples and passing time in, and gives what must be shown, kept and told out."""

    def __init__(
        self,
        clock: Clock,
        writer: Writer,
        display: Display,
        owe: Callable[[Sequence[Notification], bool], None],
        ask_again: Callable[[CheckId], Awaitable[None]],
        happened: Callable[[Alert], Sequence[str]] = lambda _: (),
    ) -> None:
        """Make a pipeline that watches nothing yet.

        `owe` takes notifications and whether they are uncertain (not durable yet). `ask_again` runs a check at once and
        returns when its sample was taken. `happened` returns what else is known of the time at which an alert began.
        """
        self._clock = clock
        self._writer = writer
        self._display = display
        self._owe = owe
        self._ask_again = ask_again
        self._happened = happened
        self._situation = Situation()
        self._begun = False
        self.judged_at = clock.now()

    async def take(self, sample: Sample) -> bool:
        """Judge one sample and carry out what follows; return whether its check should be looked at again soon.

        Returns once everything is durable, or cannot be for now.
        """
        situation = self._situation
        watched = situation.watched.get(sample.check)
        if watched is None:
            return False
        self._see(watched, sample)
        decision = situation.decide(sample.check, situation.judged(sample), self._clock.now())
        if decision.pages and await self._asked_needs(watched.plan):
            decision = situation.decide(sample.check, situation.judged(sample), self._clock.now())
        watched.judged(sample)
        self.judged_at = sample.at
        self._display.sample(sample)
        await self._carry_out([decision], sample)
        return situation.unsettled(sample.check)

    def _see(self, watched: Watched, sample: Sample) -> None:
        """Take `sample` in; a measure with more series than are remembered is shown, and logged the first time."""
        before = watched.history.dropped
        watched.see(sample)
        count = watched.history.dropped - before
        if count:
            self._display.left_out(sample.check, count)
        if count and not before:
            log.warning("series_left_out", check=str(sample.check), most=MOST_SERIES)

    async def tick(self) -> None:
        """Do what no sample causes: no data, blindness, reminders, what is no longer held back, what was removed."""
        situation, now = self._situation, self._clock.now()
        checks = sorted(situation.look_round(now))
        await self._carry_out([situation.decide(check, situation.noticed(check, now), now) for check in checks])

    def configure(self, plans: Mapping[CheckId, Plan], routes: Sequence[Route], flapping: Flapping = USUAL) -> None:
        """Watch exactly `plans` from now on; what is known of unchanged checks stays."""
        self._situation.configure(plans, routes, self._clock.now(), flapping)

    def begin(self) -> None:
        """Begin to watch now: that no check was looked at before, while the store was waited for, is no gap."""
        self._begun = True
        self.judged_at = self._clock.now()
        self._situation.begin(self.judged_at)

    def recall(self, sample: Sample) -> None:
        """Take up a sample of an earlier process, oldest first, for the windows that still reach it."""
        watched, now = self._situation.watched.get(sample.check), self._clock.now()
        if watched is not None and watched.reaches(sample.at, now):
            watched.recall(sample)

    def pasts(self) -> dict[CheckId, Baseline]:
        """Return what is known of the past of each check that is held against it; who reads more may add to it."""
        watched = self._situation.watched.items()
        return {check: one.history.past for check, one in watched if one.history.past}

    def look_back(self, check: CheckId, before: Baseline, past: Baseline) -> None:
        """Hold `check` against `past` from now on; passed over if `before` is not what it was held against till now."""
        watched = self._situation.watched.get(check)
        if watched is not None and watched.history.past is before:
            watched.history.past = past

    def restore(self, remembered: Iterable[Alert]) -> None:
        """Take up the live alerts of an earlier process.

        That may come late, when something was seen already; the past and the present are joined then, and written: what
        waits to be written may say that an alert of the past is over.
        """
        board, now = self._situation.board, self._clock.now()
        joined = []
        for past in remembered:
            present = board.get(past.key)
            alert = routing.rejoin(routing.not_later(past, now), present)
            board.put(alert)
            self._show(alert)
            if self._begun or present is not None:
                joined.append(alert)
        if joined:
            self._writer.post(Change(alerts=tuple(joined)))

    async def carry_out(self, act: Act) -> str:
        """Do what somebody wants, and return what came of it, in a sentence for that person."""
        now = self._clock.now()
        done = outcome(self._situation, act, now)
        kept = [self._situation.noted.add(key, act.why, act.who, act.at) for key in done.noted]
        await self._carry_out([done.decision], silences=done.silences, acts=(act,), keepsakes=kept)
        return done.said

    async def hush(
        self, silences: Sequence[Silence], events: Sequence[Event], owed: Sequence[Notification] = ()
    ) -> None:
        """Keep `silences` from now on, each in the place of one with its id, with what is told of them."""
        await self._carry_out([Decision(events=list(events))], silences=silences, owed=owed)

    def restore_silences(self, silences: Iterable[Silence]) -> None:
        """Take up the silences of an earlier process; what was changed meanwhile stays."""
        for silence in silences:
            self._situation.silences.setdefault(silence.id, silence)

    @property
    def situation(self) -> Situation:
        """Return how things stand: to be looked at, not to be changed."""
        return self._situation

    @property
    def silences(self) -> list[Silence]:
        """Return every silence that is known: past ones for a while, and those announced."""
        return list(self._situation.silences.values())

    def remind(self, kept: Keepsake) -> Keepsake | None:
        """Take up what ended an alert in an earlier process; return how that stands now, None: it is something else."""
        return self._situation.noted.restore(kept)

    @property
    def alerts(self) -> list[Alert]:
        """Return every live alert."""
        return [alert for alert in self._situation.board if alert.live]

    @property
    def drills(self) -> list[Alert]:
        """Return the drills that go on, or of which something may still have to be said."""
        return [alert for alert in self._situation.board if alert.drill is not None]

    async def see_drill(
        self, before: Alert, answers: Mapping[str, Answer], takers: Callable[[Severity], Collection[str]]
    ) -> None:
        """Report what follows from what the channels answered to a drill; `takers` are those told of a severity.

        Nothing happens if it is not as it was `before`: it is looked at again.
        """
        if self._situation.board.get(before.key) != before:
            return
        seen = drill.look(before, answers, takers, self._clock.now())
        moved = {before.key: seen.alert}
        await self._carry_out([Decision(moved, list(seen.events))], owed=seen.reports)

    def about(self, incident: str) -> Notification | None:
        """Return a message, owed to nobody, that says how `incident` stands now; None: it is over, or not known."""
        alert = self._situation.board.of_incident(incident)
        if alert is None or alert.severity is None:
            return None
        call = routing.Call("", EventKind.REPEATED, alert.severity, quiet=True)
        return surroundings.notification(self._situation, alert, call, self._clock.now())

    def unsettled(self) -> list[CheckId]:
        """Return the checks that should be looked at again soon."""
        return [check for check in self._situation.watched if self._situation.unsettled(check)]

    async def fall_back(self, notification: Notification, channel: str) -> None:
        """Owe `notification` to `channel` too, since its own does not take it: unless it is over, or known there."""
        now = self._clock.now()
        alert = self._situation.board.get(notification.key)
        if alert is None or not self._is_news(alert, notification, channel):
            return
        identity = stable_id(notification.id, channel)
        heard = any(told.channel == channel for told in alert.told)
        again = EventKind.REPEATED if notification.kind is EventKind.OPENED else notification.kind
        kind = again if heard else EventKind.OPENED
        twin = replace(notification, id=identity, channel=channel, kind=kind, at=now, fallback_for=notification.channel)
        detail = f"{notification.id} to {channel}"
        event = Event(notification.key, now, EventKind.FELL_BACK, notification.severity, detail=detail)
        told = routing.also_tell(alert, channel, now)
        self._situation.board.put(told)
        await self._commit(Change(alerts=(told,), events=(event,), owed=(twin,)))

    async def answer(self, key: AlertKey, incident: str, answers: Mapping[str, str], channels: Container[str]) -> None:
        """Tell quietly what steps of the remedy found out, by the text of the step; nothing once the incident is over.

        It goes to those of `channels` that were told of the incident, and stays in all that is told of it later.
        """
        alert, now = self._situation.board.get(key), self._clock.now()
        if alert is None or alert.severity is None or alert.incident != incident:
            return
        self._situation.answers[key] = incident, answers
        told = [one.channel for one in alert.told if one.channel in channels]
        calls = (Call(channel, EventKind.ANSWERED, alert.severity, quiet=True) for channel in told)
        owed = tuple(self._notification(alert, call) for call in calls)
        event = Event(key, now, EventKind.ANSWERED, alert.severity, detail="; ".join(answers.values()))
        await self._commit(Change(events=(event,), owed=owed))

    def _is_news(self, alert: Alert, notification: Notification, channel: str) -> bool:
        """Return whether `channel` should hear of a notification to another, and would not anyway."""
        severity = notification.severity
        goes_on = alert.incident == notification.incident and alert.severity is not None and alert.severity >= severity
        told = [told for told in alert.told if told.channel == channel and told.severity >= severity]
        return (
            goes_on
            and channel not in self._situation.routed(alert, severity, self._clock.now())
            and all(one.at < notification.at for one in told)
        )

    async def _asked_needs(self, plan: Plan) -> bool:
        """Look again, now, at what `plan` needs, for a few seconds at most; return whether there was anything to do."""
        if not plan.needs:
            return False
        asked = {asyncio.create_task(_awaited(self._ask_again(need))) for need in plan.needs}
        _, late = await asyncio.wait(asked, timeout=NEEDS_PATIENCE.total_seconds())
        for task in late:
            task.cancel()
        return True

    async def _carry_out(
        self,
        decisions: Sequence[Decision],
        sample: Sample | None = None,
        *,
        silences: Sequence[Silence] = (),
        acts: Sequence[Act] = (),
        keepsakes: Sequence[Keepsake] = (),
        owed: Sequence[Notification] = (),
    ) -> None:
        now = self._clock.now()
        changed = [alert for decision in decisions for alert in self._situation.adopt(decision, now)]
        for alert in changed:
            self._show(alert)
        self._situation.silences |= {silence.id: silence for silence in silences}
        calls = (self._notification(alert, call) for decision in decisions for alert, call in decision.calls)
        change = Change(
            samples=(sample,) if sample is not None else (),
            alerts=tuple(changed),
            owed=(*owed, *calls),
            events=tuple(event for decision in decisions for event in decision.events),
            silences=tuple(silences),
            keepsakes=tuple(keepsakes),
            done=tuple(acts),
        )
        if change != Change(samples=change.samples):
            await self._commit(change)
        elif sample is not None:
            self._writer.keep(sample)

    def _show(self, alert: Alert) -> None:
        """Show an alert; nobody's panel or rule is to take a drill for one."""
        if alert.key.name != DRILL:
            self._display.alert(alert)

    async def _commit(self, change: Change) -> None:
        """Make `change` durable, then owe its notifications: also when we are stopped meanwhile, since it is queued."""
        durable = False
        try:
            durable = await self._writer.commit(change)
        finally:
            if change.owed:
                self._owe(change.owed, not durable)

    def _notification(self, alert: Alert, call: Call) -> Notification:
        happened = self._happened(alert) if call.kind in surroundings.WHOLE and alert.drill is None else ()
        return surroundings.notification(self._situation, alert, call, self._clock.now(), happened)


async def _awaited(asking: Awaitable[None]) -> None:
    await asking

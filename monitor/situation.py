"""What deciding looks at, and the deciding itself: the live alerts, what is known of each check, the routes. Pure.

`decide` reads and changes nothing; `adopt` makes a decision true. Nothing here waits, writes or sends: `pipeline.py`
does.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor import alerts, drill, routing
from monitor.board import Board
from monitor.model import (
    BLIND,
    DOWN,
    DRILL,
    NO_DATA,
    OURS,
    Alert,
    AlertKey,
    CheckId,
    Event,
    EventKind,
    Outcome,
    Patience,
    Severity,
    State,
    Verdict,
)
from monitor.noted import Noted
from monitor.page import BLIND_TITLE, title
from monitor.routing import USUAL
from monitor.thresholds import judge
from monitor.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from monitor.model import Acknowledgement, Act, Sample, Silence
    from monitor.plan import Plan
    from monitor.routing import Call, Flapping, Route

OURSELVES = CheckId(OURS, "probes")
BLIND_SHARE = 0.5
BLIND_LEAST = 3
ASLEEP = timedelta(seconds=30)
"""So long between two looks means that the machine slept, or stood still: nobody could look."""
SILENCES_KEPT = timedelta(days=1)
"""How long a silence that is over is remembered, so that its end is seen to and it does not come again."""
AT_ONCE: Mapping[Severity, Patience] = {Severity.WARNING: Patience()}
LOUD = frozenset({EventKind.OPENED, EventKind.WORSENED})

Judged = tuple[Verdict, "Mapping[Severity, Patience]"]


@dataclass(slots=True)
class Decision:
    """What follows from what was seen: alerts as they will be, what happened to them, and who must be told."""

    moved: dict[AlertKey, Alert] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    calls: list[tuple[Alert, Call]] = field(default_factory=list)
    values: dict[AlertKey, float] = field(default_factory=dict)

    def join(self, other: Decision) -> None:
        """Take in what follows besides."""
        self.moved |= other.moved
        self.events += other.events
        self.calls += other.calls
        self.values |= other.values

    @property
    def pages(self) -> bool:
        """Return whether somebody would be disturbed."""
        return any(call.kind in LOUD for _, call in self.calls)


class Situation:
    """How things stand."""

    def __init__(self) -> None:
        self.board = Board()
        self.watched: dict[CheckId, Watched] = {}
        self.values: dict[AlertKey, float] = {}
        self.silences: dict[str, Silence] = {}
        self.noted = Noted()
        self.answers: dict[AlertKey, tuple[str, Mapping[str, str]]] = {}
        self._routes: tuple[Route, ...] = ()
        self.flapping = USUAL
        self.vendors: defaultdict[str, list[CheckId]] = defaultdict(list)
        self._silent: frozenset[CheckId] = frozenset()
        self._looked_at: datetime | None = None
        self._recovered: dict[CheckId, datetime] = {}

    def configure(
        self, plans: Mapping[CheckId, Plan], routes: Sequence[Route], now: datetime, flapping: Flapping = USUAL
    ) -> None:
        """Watch exactly `plans` from now on; what is known of a check that stays is kept."""
        known, self.watched = self.watched, {}
        for check, plan in plans.items():
            was = known.get(check)
            same = was is not None and was.plan.fingerprint == plan.fingerprint
            self.watched[check] = was if was and same else was.follow(plan) if was else Watched(plan, now)
        self._routes, self.flapping = tuple(routes), flapping
        self.vendors = defaultdict(list)
        for check, plan in plans.items():
            if plan.check.tells_of_vendor:
                self.vendors[check.system].append(check)

    def begin(self, now: datetime) -> None:
        """Begin to watch: that nobody looked before is no gap."""
        self._looked_at = now
        for watched in self.watched.values():
            watched.since = now

    def look_round(self, now: datetime) -> set[CheckId]:
        """Note which checks are silent; return those of which passing time may say something."""
        if self._looked_at is not None and now - self._looked_at > ASLEEP:
            self.begin(now)
        self._looked_at = now
        self._silent = frozenset(check for check, watched in self.watched.items() if watched.silent(now))
        self.silences = {name: one for name, one in self.silences.items() if now < one.until + SILENCES_KEPT}
        return {*self._silent, *(alert.key.check for alert in self.board), OURSELVES}

    def judged(self, sample: Sample) -> Iterator[Judged]:
        """Yield how the count of failures, and each threshold, judges `sample`."""
        watched = self.watched[sample.check]
        plan = watched.plan
        yield down_verdict(sample, plan.down), plan.down
        live = [alert.key for alert in self.board.of(sample.check)]
        for threshold in plan.thresholds:
            known = [key.labels for key in live if key.name == threshold.name]
            for verdict in judge(sample.check, threshold, watched.history, sample, known):
                yield verdict, threshold.patience

    def noticed(self, check: CheckId, now: datetime) -> Iterator[Judged]:
        """Yield what passing time says of `check`: before anything was seen, nothing."""
        if check == OURSELVES:
            name, outcome = BLIND, self._sight()
        elif watched := self.watched.get(check):
            name, outcome = NO_DATA, Outcome.BREACH if check in self._silent else _heard(watched)
        else:
            return
        yield Verdict(AlertKey(check, name), now, {Severity.WARNING: outcome}), AT_ONCE

    def decide(self, check: CheckId, judged: Iterable[Judged], now: datetime) -> Decision:
        """Return what follows for `check`."""
        decision = Decision()
        watched = self.watched.get(check)
        for verdict, patience in judged:
            before = self.board.get(verdict.key)
            if before is None and Outcome.BREACH not in verdict.outcomes.values():
                continue
            if verdict.value is not None:
                decision.values[verdict.key] = verdict.value
            before = before or Alert(verdict.key, title=self._title(verdict.key))
            after, events = alerts.step(before, verdict, patience, watched.gap if watched else timedelta())
            decision.moved[verdict.key] = self.flapping.counted(before, after, now)
            decision.events.extend(events)
        live = {alert.key: alert for alert in self.board.of(check)} | decision.moved
        for alert in sorted(live.values(), key=lambda alert: (alert.key.name != DOWN, alert.key)):
            if drill.late(alert, now):
                decision.join(self._end_drill(alert, "", now))
            else:
                self._tell(alert, decision, now)  # an outage before what it holds back
        return decision

    def adopt(self, decision: Decision, now: datetime) -> list[Alert]:
        """Make `decision` true; return the alerts that are other than before."""
        self.values.update(decision.values)
        changed = []
        for alert in decision.moved.values():
            before = self.board.get(alert.key)
            if alert == (before or Alert(alert.key, title=alert.title)):
                continue
            changed.append(alert)
            self.board.put(alert)
            if not alert.live:
                self.values.pop(alert.key, None)
                self.answers.pop(alert.key, None)
                if before and before.severity and alert.key.name == DOWN:
                    self._recovered[alert.key.check] = now
        return changed

    def unsettled(self, check: CheckId) -> bool:
        """Return whether `check` failed and is not yet seen to be up for good, so that it is worth a look soon."""
        watched = self.watched.get(check)
        known = watched is None or watched.newest is None or watched.newest.state is not State.UNKNOWN
        return known and self._fails(check)

    def explains(self, need: CheckId, dependent: Watched, now: datetime) -> bool:
        """Return whether `need` explains a failure of `dependent`.

        It does while it is down, or failed its newest run; and after it recovered, until the dependent was looked at
        once more. It does not when nobody can tell how it is, be it because it sleeps and is left alone.
        """
        watched, alert = self.watched.get(need), self.board.get(AlertKey(need, DOWN))
        if watched is None or watched.silent(now):
            return False
        if alert is None or not alert.levels:
            recovered = self._recovered.get(need)
            return recovered is not None and (dependent.looked_at is None or dependent.looked_at < recovered)
        if watched.asleep:
            return False
        return alert.severity is not None or watched.newest is None or watched.newest.state is not State.UNKNOWN

    def routed(self, alert: Alert, severity: Severity, now: datetime) -> set[str]:
        """Return the channels that the routes name for `alert` at `severity` now."""
        return routing.told_of(self._routes, alert, severity, now)

    def covered(self, act: Act) -> list[Alert]:
        """Return the live alerts that `act` means."""
        live = (alert for alert in self.board if alert.live and act.scope.covers(alert.key))
        return sorted((alert for alert in live if act.incident in {"", alert.incident}), key=lambda one: one.key)

    def acknowledge(self, alert: Alert, taken: Acknowledgement, now: datetime) -> Decision:
        """Return what follows when somebody takes `alert`: a drill is over then."""
        if alert.drill is not None:
            return self._end_drill(alert, taken.who, now)
        after, calls = routing.acknowledge(alert, taken, self._routes, now)
        said = f"{taken.who} until {taken.until:%Y-%m-%d %H:%M} UTC" + (f": {taken.why}" if taken.why else "")
        event = Event(alert.key, now, EventKind.ACKNOWLEDGED, taken.severity, detail=said)
        return Decision({alert.key: after}, [event], [(after, call) for call in calls])

    def begin_drill(self, act: Act, now: datetime) -> Decision:
        """Return what follows when the drill begins that `act` asks for, of a check that is watched."""
        plan = self.watched[CheckId(act.scope.system, act.scope.check)].plan
        alert = drill.begin(act, f"{plan.system_title}: {plan.title}", now)
        decision = Decision(events=[Event(alert.key, now, EventKind.OPENED, alert.severity, detail=f"by {act.who}")])
        self._tell(alert, decision, now)
        return decision

    def _end_drill(self, alert: Alert, taken_by: str, now: datetime) -> Decision:
        """Return what follows when a drill is over: whoever was told hears how it ended."""
        over, decision = drill.end(alert, taken_by, now), Decision()
        if taken_by:
            decision.events.append(Event(alert.key, now, EventKind.ACKNOWLEDGED, alert.severity, detail=taken_by))
        if over.drill is not None:
            said = drill.outcome(over.drill)
            decision.events.append(Event(alert.key, now, EventKind.RESOLVED, alert.severity, detail=said))
        self._tell(over, decision, now)
        return decision

    @property
    def _blind(self) -> bool:
        return len(self._silent) >= BLIND_LEAST and len(self._silent) >= BLIND_SHARE * len(self._expected)

    @property
    def _expected(self) -> list[Watched]:
        return [watched for watched in self.watched.values() if watched.plan.check.scheduled]

    def _sight(self) -> Outcome:
        if self._blind:
            return Outcome.BREACH
        expected = self._expected
        seen = sum(watched.heard is not None for watched in expected) - len(self._silent)
        return Outcome.CLEAR if seen >= BLIND_SHARE * len(expected) else Outcome.BLIND

    def _tell(self, alert: Alert, decision: Decision, now: datetime) -> None:
        """Add to `decision` who must be told of `alert`."""
        removed = self._removed(alert)
        if removed:
            alert = alerts.close(alert)
        held = self._held(alert.key, decision, now)
        after, calls = routing.tell(alert, self._routes, now, held=held, flapping=self.flapping)
        if removed:
            calls = tuple(routing.Call(call.channel, EventKind.REMOVED, call.severity, quiet=True) for call in calls)
            decision.events.append(Event(alert.key, now, EventKind.REMOVED))
        opened = any(event.key == alert.key and event.kind in LOUD for event in decision.events)
        if held and opened:
            decision.events.append(Event(alert.key, now, EventKind.HELD, alert.severity))
        if alert.acknowledged and not after.acknowledged and alert.severity is not None:
            decision.events.append(
                Event(alert.key, now, EventKind.LAPSED, alert.severity, detail=alert.acknowledged.who)
            )
        decision.moved[alert.key] = after
        decision.calls.extend((alert, call) for call in calls)

    def _removed(self, alert: Alert) -> bool:
        """Return whether nothing in the configuration stands behind `alert` any more."""
        key = alert.key
        if key.check == OURSELVES:
            return False
        watched = self.watched.get(key.check)
        return watched is None or (key.name not in {DOWN, NO_DATA, DRILL} and watched.plan.threshold(key.name) is None)

    def _held(self, key: AlertKey, decision: Decision, now: datetime) -> bool:
        """Return whether something else explains the alert of `key`, so that nobody is told of it now.

        Nothing does a drill: it is there to be told.
        """
        if key.name == DRILL:
            return False
        if any(silence.holds(key, now) for silence in self.silences.values()):
            return True
        watched = self.watched.get(key.check)
        if watched is None:
            return False
        if key.name == NO_DATA:
            return self._blind and bool(self.routed(Alert(AlertKey(OURSELVES, BLIND)), Severity.WARNING, now))
        if any(self.explains(need, watched, now) for need in watched.plan.needs):
            return True
        own = AlertKey(key.check, DOWN)
        down = decision.moved.get(own) or self.board.get(own)
        return key.name != DOWN and down is not None and bool(down.levels)

    def _fails(self, check: CheckId) -> bool:
        """Return whether `check` failed, and is not yet seen to be up for good."""
        down = self.board.get(AlertKey(check, DOWN))
        return down is not None and bool(down.levels)

    def _title(self, key: AlertKey) -> str:
        watched = self.watched.get(key.check)
        return title(watched.plan, key) if watched else BLIND_TITLE


def down_verdict(sample: Sample, down: Mapping[Severity, Patience]) -> Verdict:
    """Return how the count of failures judges `sample`: unknown decides nothing."""
    outcome = {State.UP: Outcome.CLEAR, State.DOWN: Outcome.BREACH, State.UNKNOWN: Outcome.BLIND}[sample.state]
    return Verdict(AlertKey(sample.check, DOWN), sample.at, dict.fromkeys(down, outcome))


def _heard(watched: Watched) -> Outcome:
    return Outcome.BLIND if watched.heard is None else Outcome.CLEAR

"""When each check of a test runs, and what it finds then.

Runs begin with the test, at the check's own pace and, as the scheduler has it, sooner after a failed one.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import Measure, Sample, State
from monitor.schedule import EPOCH, Grid
from monitor.trial.nouns import Counting, Value
from monitor.trial.series import Cursor
from monitor.watched import Watched

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from monitor.model import CheckId
    from monitor.plan import Plan
    from monitor.trial.nouns import Finding, Script, SeriesKey, Stage

NO_TIME = timedelta()


class Runs:
    """The runs of every check that has a script."""

    def __init__(self, stage: Stage, plans: Mapping[CheckId, Plan]) -> None:
        self._seats = {check: _Seat(plans[check], script, stage.start) for check, script in stage.scripts.items()}

    def due(self, now: datetime) -> Iterable[CheckId]:
        """Yield the checks that are due, one after the other: an earlier one may have let a later one run by then."""
        for check, seat in self._seats.items():
            if seat.due <= now:
                yield check

    def next(self, now: datetime) -> datetime:
        """Return when the next run is due."""
        return min((seat.due for seat in self._seats.values()), default=now + timedelta(days=1))

    def ended(self, now: datetime) -> bool:
        """Return whether every series is at its end."""
        return all(seat.ended(now) for seat in self._seats.values())

    def sample(self, check: CheckId, now: datetime) -> Sample | None:
        """Return what a run finds at this moment; None: there is no run."""
        return self._seats[check].sample(check, now)

    def again(self, check: CheckId, now: datetime, sample: Sample | None, *, unsettled: bool) -> None:
        """Say when the check runs next."""
        self._seats[check].again(now, soon=unsettled or (sample is not None and sample.state is State.DOWN))

    def silent_at(self, check: CheckId) -> datetime | None:
        """Return when the check has no data, if nothing is heard of it from now on and the newest run told nothing."""
        return self._seats[check].silent_at


class _Seat:
    """One check."""

    def __init__(self, plan: Plan, script: Script, start: datetime) -> None:
        self._plan = plan
        self._script = script
        self._start = start
        self._states = Cursor(script.states, start)
        self._values = {key: (one, Cursor(one.series, start)) for key, one in script.measures.items()}
        self._counters: dict[SeriesKey, tuple[datetime, float]] = {}
        every = plan.check.every
        self._grid = Grid((start - EPOCH) % every, every)
        self._heard_at = start
        self._gap = Watched(plan, start).gap
        self.due = start
        self.silent_at: datetime | None = None

    def ended(self, now: datetime) -> bool:
        return self._states.ended(now) and all(cursor.ended(now) for _, cursor in self._values.values())

    def again(self, now: datetime, *, soon: bool) -> None:
        check = self._plan.check
        self.due = now + check.retry_every if soon else self._grid.after(now)

    def sample(self, check: CheckId, now: datetime) -> Sample | None:
        found = self._states.step(now).value
        values = {key: _value(cursor, now) for key, (_, cursor) in self._values.items()}
        self._hear(found, now)
        if not found.ran:
            return None
        silent = found.state is State.UNKNOWN
        measures = () if silent else tuple(self._measures(values, now))
        failed = frozenset(name for (name, _), value in values.items() if value.failed)
        detail = "left out" if silent and found.reason is None else self._script.detail if found.reason else ""
        return Sample(check, now, NO_TIME, found.state, found.reason, detail, measures, unmeasured=failed)

    def _hear(self, found: Finding, now: datetime) -> None:
        known = found.ran and (found.state is not State.UNKNOWN or found.reason is None)
        self._heard_at = now if known else self._heard_at
        self.silent_at = None if known else self._heard_at + self._gap

    def _measures(self, values: Mapping[SeriesKey, Value], now: datetime) -> Iterable[Measure]:
        for key, value in values.items():
            if not value.absent:
                yield Measure(key[0], self._number(key, value.number, now), key[1])

    def _number(self, key: SeriesKey, number: float, now: datetime) -> float:
        match self._script.measures[key].counting:
            case Counting.TIME_LEFT:
                return now.timestamp() + number
            case Counting.PER_SECOND:
                before, count = self._counters.get(key, (now, 0.0))
                count += number * (now - before).total_seconds()
                self._counters[key] = now, count
                return count
            case _:
                return number


def _value(cursor: Cursor[Value], now: datetime) -> Value:
    """Return what a run measures at this moment, on a ramp the share of the way."""
    term = cursor.step(now)
    if term.to is None or term.to.absent or term.value.absent:
        return term.value
    begin, end = term.value.number, term.to.number
    return Value(begin + (end - begin) * cursor.share(now))

"""The short form of a test: the figure of each level, just silent on the one side and just fired on the other.

`80% | 80.1% after 1m` is played as a whole: first the silent value for as long as any window and patience reach, which
must not fire; then the other, which must fire `after` so long and no sooner, at that very severity; then the silent one
again, which must end it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import DOWN, Reason, Severity, State
from monitor.trial.drive import Course, drive
from monitor.trial.ledger import word
from monitor.trial.nouns import UP, Failure, Finding, Place, Script, Stage
from monitor.trial.series import Series, Term
from monitor.units import parse_duration, parse_quantity, show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from monitor.model import AlertKey
    from monitor.plan import Plan
    from monitor.thresholds import Threshold
    from monitor.trial.ledger import Ledger

_LEVEL = re.compile(r"(?P<silent>[^|]+)\|(?P<fires>[^|]+?)(?:\s+after\s+(?P<after>.+))?", re.DOTALL)
FORM = "write the value that is silent and the one that fires, such as 80% | 80.1% or 80% | 80.1% after 1m"
FAILED = Finding(State.DOWN, Reason.TIMEOUT)
NO_TIME = timedelta()


@dataclass(frozen=True, slots=True)
class Figure:
    """One level of a threshold: silent at the one value, fires at the other, `after` so long. In base units."""

    severity: Severity
    silent: float
    fires: float
    after: timedelta
    text: str


@dataclass(frozen=True, slots=True)
class LevelCase:
    """A figure, ready to be played. `fires_at`: when the value that fires is found first, counted from the start."""

    check: Plan
    name: str
    figure: Figure
    place: Place
    stage: Stage
    begins: timedelta

    def failures(self, ledger: Ledger) -> Iterator[Failure]:
        """Yield what is not as the figure says."""
        severity, start = self.figure.severity, self.stage.start
        silent, _, fires = self.figure.text.partition("|")
        told = list(_fired(ledger, self.check, self.name, severity))
        begins, due = start + self.begins, start + self.begins + self.figure.after
        early = [moment for moment, on in told if on and moment < begins]
        if early:
            came = f"{severity} fired after {_span(early[0] - start)} of it"
            yield Failure(self.place, f"{self._of} is silent at {silent.strip()}", (came,))
            return
        on = next((moment for moment, on in told if on), None)
        wanted = next(moment for moment in ledger.runs[self.check.id] if moment >= due)
        if on != wanted:
            came = "it stayed silent" if on is None else f"it fired {_span(on - begins)} after the value was seen first"
            yield Failure(self.place, f"{self._of} fires at {fires.strip()}", (came,))
            return
        at = max((word(ledger.standing(key, on)) for key in _keys(ledger, self.check, self.name)), key=_rank)
        if at != str(severity):
            yield Failure(self.place, f"{self._of} is no more than that at {fires.strip()}", (f"it was {at}",))
        if told[-1][1]:
            yield Failure(self.place, f"{self._of} ends at {silent.strip()}", ("it went on firing",))

    @property
    def _of(self) -> str:
        return f"{self.check.id} {self.name}: {self.figure.severity}"


@dataclass(frozen=True, slots=True)
class DownCase:
    """The level of an outage: fires with the `count`th failed run in a row, is over after `up` good ones."""

    check: Plan
    severity: Severity
    count: int
    up: int
    place: Place
    stage: Stage

    def failures(self, ledger: Ledger) -> Iterator[Failure]:
        """Yield what is not as it was said, of `count` - 1 failures, good runs, `count` failures and `up` good runs."""
        runs, of = ledger.runs[self.check.id], f"{self.check.id} {DOWN}: {self.severity}"
        told = list(_fired(ledger, self.check, DOWN, self.severity))
        first = self.count + self.up + 1
        fires, ends = runs[first + self.count - 1], runs[first + self.count + self.up - 1]
        on = next((moment for moment, on in told if on), None)
        if on != fires:
            came = "it stayed silent" if on is None else f"it fired with run {runs.index(on) + 1}"
            failures = f"{self.count} failed runs in a row, which is run {first + self.count} of this test"
            yield Failure(self.place, f"{of} fires after {failures}", (came,))
            return
        at = word(next((ledger.standing(key, on) for key in _keys(ledger, self.check, DOWN)), None))
        if at != str(self.severity):
            yield Failure(self.place, f"{of} after {self.count} failed runs", (f"it was {at}",))
        off = next((moment for moment, on in told if not on), None)
        if off != ends:
            came = "it went on firing" if off is None else f"it was over with run {runs.index(off) + 1}"
            expected = f"{of} is over after {self.up} good runs, with run {runs.index(ends) + 1}"
            yield Failure(self.place, expected, (came,))


def parse_level(severity: Severity, text: str, threshold: Threshold) -> Figure:
    """Return what `text` says of one level of `threshold`; raises ValueError in a sentence."""
    found = _LEVEL.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r}: {FORM}")
    silent, fires = (parse_quantity(found[part].strip(), threshold.unit) for part in ("silent", "fires"))
    if silent == fires:
        raise ValueError(f"{text!r}: nothing can be silent and fire at one value")
    after = parse_duration(found["after"]) if found["after"] else NO_TIME
    return Figure(severity, silent, fires, after, text)


def level_case(plan: Plan, threshold: Threshold, figure: Figure, place: Place, start: datetime) -> LevelCase:
    """Return how `figure` is played: paced by the check, long enough for every window and patience."""
    pace, waits = plan.check.every, threshold.patience.values()
    reach = max((one.watch.reach for one in plan.thresholds if one.name == threshold.name), default=NO_TIME)
    before = _runs_of(reach + max((one.for_ for one in waits), default=NO_TIME), pace)
    during = _runs_of(figure.after, pace)
    after = _runs_of(reach + max((one.keep for one in waits), default=NO_TIME), pace)
    course = Course(figure.silent, figure.fires, before, during, after)
    driven = drive(plan, threshold, course)
    stage = Stage(start, {plan.id: driven.script}, past={plan.id: driven.past}, telling=False)
    return LevelCase(plan, threshold.name, figure, place, stage, driven.lead + before)


def down_case(plan: Plan, severity: Severity, count: int, up: int, place: Place, start: datetime) -> DownCase:
    """Return how an outage is played."""
    parts = ((UP, 1), (FAILED, count - 1), (UP, up + 1), (FAILED, count), (UP, up + 2))
    terms = tuple(Term(found, runs) for found, runs in parts if runs)
    stage = Stage(start, {plan.id: Script(Series(terms))}, telling=False)
    return DownCase(plan, severity, count, up, place, stage)


def _runs_of(span: timedelta, pace: timedelta) -> timedelta:
    """Return the time of so many whole runs that `span` is over, and two more."""
    return (-(-span // pace) + 2) * pace


def _keys(ledger: Ledger, plan: Plan, name: str) -> list[AlertKey]:
    return [key for key in ledger.alerts if key.check == plan.id and key.name == name]


def _fired(ledger: Ledger, plan: Plan, name: str, severity: Severity) -> list[tuple[datetime, bool]]:
    turns = (ledger.fired(key, severity) for key in _keys(ledger, plan, name))
    return sorted(turn for found in turns for turn in found)


def _rank(state: str) -> int:
    return ("ok", "pending", "info", "warning", "critical").index(state)


def _span(span: timedelta) -> str:
    return show_duration(span.total_seconds())

"""What runs must find so that a threshold sees one value for a while, then another, then the first again. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import Labels, labels
from monitor.trial.nouns import Counting, Measured, Past, Script, SeriesKey, Value
from monitor.trial.series import Series, Term
from monitor.units import Unit
from monitor.watch import Function

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.plan import Plan
    from monitor.thresholds import Threshold
    from monitor.watch import Watch

AMOUNT = 1_000.0
"""What is changed, and what is mixed, in all: plenty for any threshold that wants a least amount."""
USUAL, NEW = "usual", "new"


@dataclass(frozen=True, slots=True)
class Course:
    """The three parts of a course, and how long each lasts: `silent` before, `fires`, and `silent` again after."""

    silent: float
    fires: float
    before: timedelta
    during: timedelta
    after: timedelta

    def series(self, quiet: float, loud: float) -> Series[Value]:
        """Return the series that has `quiet` while it is silent, and `loud` while it fires."""
        return _series((quiet, self.before), (loud, self.during), (quiet, self.after))


@dataclass(frozen=True, slots=True)
class Driven:
    """A script, and the past that it needs. `lead`: so much time passes before its course begins."""

    script: Script
    past: Mapping[SeriesKey, Past] = field(default_factory=dict)
    lead: timedelta = timedelta()


def drive(plan: Plan, threshold: Threshold, course: Course) -> Driven:
    """Return what makes `threshold` see the values of `course`, in the base unit of what its watch yields.

    Of a counter the value is what `rate` or `increase` makes of it, of `change` the change from 1,000, of `usual` how
    many times the usual, of `drift` the share of the mix that is new, of `unseen` how many values are new.
    """
    watch = threshold.watch
    match watch.function:
        case Function.CHANGE:
            return _changed(plan, watch, course)
        case Function.USUAL:
            return _usual(plan, watch, course)
        case Function.DRIFT:
            return _mixed(plan, watch, course)
        case Function.UNSEEN:
            return _unseen(plan, watch, course)
    series = course.series(course.silent / _per_window(watch), course.fires / _per_window(watch))
    counting = Counting.TIME_LEFT if threshold.unit is Unit.TIMESTAMP else _counting(watch)
    return Driven(Script(measures={(watch.measure, example(plan, watch)): Measured(series, counting)}))


def example(plan: Plan, watch: Watch, **chosen: str) -> Labels:
    """Return labels that `watch` selects: the wanted ones, those `chosen`, and the name of the label for the rest."""
    declared = next((spec.labels for spec in plan.check.declared() if spec.name == watch.measure), ())
    return labels({name: name for name in declared} | dict(watch.selection) | chosen)


def _changed(plan: Plan, watch: Watch, course: Course) -> Driven:
    """Stay at 1,000 for a window, so that whatever comes next, while that is still in it, is a change from that."""
    lead = course.before - watch.window
    silent, fires = AMOUNT * (1 + course.silent), AMOUNT * (1 + course.fires)
    series = _series((AMOUNT, course.before), (silent, lead), (fires, course.during), (AMOUNT, course.after))
    return Driven(Script(measures={(watch.measure, example(plan, watch)): Measured(series)}), lead=lead)


def _usual(plan: Plan, watch: Watch, course: Course) -> Driven:
    """Let a power of two be usual, well above what is too little to compare, so that quotients are exact."""
    usual = 2.0 ** math.ceil(math.log2(10 * watch.floor)) if watch.floor else 1.0
    counting = _counting(watch.inner)
    key = (watch.measure, example(plan, watch))
    series = course.series(course.silent * usual, course.fires * usual)
    return Driven(
        Script(measures={key: Measured(series, counting)}),
        past={key: Past(usual, counts=counting is Counting.PER_SECOND)},
    )


def _mixed(plan: Plan, watch: Watch, course: Course) -> Driven:
    known, new = _known_and_new(plan, watch)
    counting = _counting(watch.inner)
    amount = max(AMOUNT, 10 * watch.floor)
    measures = {
        known: Measured(course.series(amount * (1 - course.silent), amount * (1 - course.fires)), counting),
        new: Measured(course.series(amount * course.silent, amount * course.fires), counting),
    }
    return Driven(Script(measures=measures), past={known: Past(amount, counts=counting is Counting.PER_SECOND)})


def _unseen(plan: Plan, watch: Watch, course: Course) -> Driven:
    known, _ = _known_and_new(plan, watch)
    measures = {known: Measured(course.series(1, 1))}
    for number in range(1, round(max(course.silent, course.fires)) + 1):
        new = (watch.measure, example(plan, watch, **{watch.by or "value": f"{NEW} {number}"}))
        measures[new] = Measured(course.series(float(number <= course.silent), float(number <= course.fires)))
    return Driven(Script(measures=measures), past={known: Past(1.0)})


def _known_and_new(plan: Plan, watch: Watch) -> tuple[SeriesKey, SeriesKey]:
    declared = (spec.labels for spec in plan.check.declared() if spec.name == watch.measure)
    by = watch.by or next((name for names in declared for name in names), "")
    known, new = (example(plan, watch, **({by: value} if by else {})) for value in (USUAL, NEW))
    return (watch.measure, known), (watch.measure, new)


def _series(*parts: tuple[float, timedelta]) -> Series[Value]:
    return Series(tuple(Term(Value(number), span=span) for number, span in _lasting(parts)))


def _lasting(parts: Iterable[tuple[float, timedelta]]) -> Iterable[tuple[float, timedelta]]:
    return ((number, span) for number, span in parts if span)


def _counting(watch: Watch | None) -> Counting:
    counts = watch is not None and watch.function in {Function.RATE, Function.INCREASE}
    return Counting.PER_SECOND if counts else Counting.PLAIN


def _per_window(watch: Watch) -> float:
    """Return what makes the pace of a counter of what its function yields."""
    return watch.window.total_seconds() if watch.function is Function.INCREASE else 1.0

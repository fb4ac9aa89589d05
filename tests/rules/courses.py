"""What the runs of a check find, so that one of its thresholds sees everything that may happen to it."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import State
from monitor.trial.drive import example
from monitor.units import Unit
from monitor.watch import Function, values_needed
from tests.rules.twins import Course, Found

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from monitor.model import Labels
    from monitor.plan import Plan
    from monitor.thresholds import Threshold

EXACT = frozenset({Function.LAST, Function.MIN, Function.MAX})
COUNTERS = frozenset({Function.RATE, Function.INCREASE})
JUST_OVER = 0.00211
AROUND = (JUST_OVER, -0.00347, 0.1043, -0.0971, 0.6137, -0.5719)
"""How far from a figure, as a share of it: no mean of some is the figure itself, which rounding would decide."""
PACES = tuple(timedelta(seconds=seconds) for seconds in (10, 30, 60, 240))
GONE = "gone"


class Values(NamedTuple):
    """What a threshold may see: crossing nothing, barely the first figure, barely all, plainly all, and near any."""

    quiet: float
    barely: float
    all: float
    worst: float
    near: tuple[float, ...]


class Step(NamedTuple):
    """One evaluation: what a run sees of the threshold (None: nothing), and in which state."""

    sees: float | None
    state: State | None = State.UP


def settling(threshold: Threshold, interval: timedelta) -> int:
    """Return after how many evaluations of the same value nothing more changes."""
    waits = [patience.for_ + patience.keep for patience in threshold.patience.values()]
    return math.ceil((threshold.watch.window + max(waits)) / interval) + 3


def pace_of(threshold: Threshold) -> tuple[timedelta, bool]:
    """Return how often to evaluate so that it takes few steps, and whether it settles at once.

    Prometheus forgets after five minutes, so that is the slowest pace. Percentiles need many values in their window.
    """
    waits = max(patience.for_ + patience.keep for patience in threshold.patience.values())
    whole, window = threshold.watch.window + waits, threshold.watch.window
    if not whole:
        return PACES[0], True
    fitting = (pace for pace in PACES if whole >= 6 * pace and (not window or window >= (needed(threshold) + 1) * pace))
    return max(fitting, default=PACES[0]), False


def needed(threshold: Threshold) -> int:
    return max(values_needed(threshold.watch), 4)


def values_of(threshold: Threshold) -> Values:
    """Return values on either side of every figure."""
    figures = threshold.figures
    found = []
    for figure in figures:
        size = abs(figure.value) or 1 / JUST_OVER
        found += [figure.value + size * by for by in AROUND]
        found += [figure.value] if threshold.watch.function in EXACT else []
    found += [(one.value + other.value) / 2 for one in figures for other in figures if one.value < other.value]
    if threshold.watch.function in COUNTERS:
        found = [value for value in found if value >= 0] + [0.0]
    crossed = {value: sum(figure.crossed(value) for figure in figures) for value in found}

    def far(value: float) -> float:
        return min(abs(value - figure.value) for figure in figures)

    quiet = max((value for value in found if not crossed[value]), key=far)
    all_of_them = [value for value in found if crossed[value] == len(figures)]
    fewest = min(count for count in crossed.values() if count)
    barely = min((value for value in found if crossed[value] == fewest), key=far)
    near = tuple(dict.fromkeys(found))
    return Values(quiet, barely, min(all_of_them, key=far), max(all_of_them, key=far), near)


def story(threshold: Threshold, settle: int, chance: Random) -> Iterator[Step | str]:
    """Yield all that may happen, in as many steps for every threshold that settles alike."""
    seen = values_of(threshold)
    quiet, worst = Step(seen.quiet), Step(seen.worst)
    yield from [quiet] * settle
    yield from (step for odd in odds(threshold, seen.worst, seen.quiet) for step in (odd, quiet))
    yield worst
    yield from [quiet] * settle
    yield from (Step(chance.choice(seen.near)) for _ in range(16))
    yield from [quiet] * settle
    yield from [worst] * settle
    yield from (step for odd in odds(threshold, seen.quiet, seen.worst) for step in (odd, worst))
    yield from [Step(seen.barely)] * settle
    yield from [quiet] * settle
    yield from [Step(seen.all)] * settle
    yield from [Step(None, State.DOWN)] * 4
    yield from [quiet if threshold.watch.function is Function.CHANGE else Step(None)] * settle
    yield from [quiet] * 2
    yield from (Step(chance.choice(seen.near)) for _ in range(16))
    yield from [quiet] * settle


def odds(threshold: Threshold, other: float, same: float) -> Iterator[Step | str]:
    """Yield what lets nobody tell, once each; `other` is what it would see if that counted."""
    window = bool(threshold.watch.window)
    exact = threshold.watch.function in EXACT
    yield Step(None, State.UNKNOWN)
    yield Step(None if window else other, State.UNKNOWN)
    yield Step(None, None)
    yield Step(math.nan if exact else same)
    yield Step(None, State.DOWN)
    yield Step(same, State.DOWN)
    yield GONE
    yield GONE


def course_of(plan: Plan, threshold: Threshold, interval: timedelta, steps: list[Step | str]) -> Course:
    """Return what the runs find so that the threshold sees `steps`, beside a series that never crosses anything."""
    name, labels = threshold.watch.measure, example(plan, threshold.watch)
    beside = _beside(labels, dict(threshold.watch.selection))
    raw = _raw(threshold, interval)
    quiet = _raw(threshold, interval)
    still = values_of(threshold).quiet
    course: Course = []
    for index, step in enumerate(steps):
        at = index * interval.total_seconds()
        sees, state = step if isinstance(step, Step) else (still, None)
        value, other = raw(still if sees is None else sees, at), quiet(still, at)
        if state is None:
            course.append(None)
            continue
        values = {} if sees is None else {(name, labels): value}
        if beside and state is not State.UNKNOWN and sees is not None:
            values[name, beside] = other
        elif beside and state is State.UP:
            values = {(name, beside): other}
        course.append(Found(state, values))
    return course


def gone_in(steps: list[Step | str]) -> list[int]:
    """Return the evaluations at which there is no daemon."""
    return [index for index, step in enumerate(steps) if step == GONE]


class _raw:  # noqa: N801 - used as a function that remembers
    """What the measure must be at a moment, so that its threshold sees a value."""

    def __init__(self, threshold: Threshold, interval: timedelta) -> None:
        self._threshold, self._step, self._count = threshold, interval.total_seconds(), 0.0

    def __call__(self, sees: float, at: float) -> float:
        watch = self._threshold.watch
        if watch.function in COUNTERS:
            window = 1.0 if watch.function is Function.RATE else watch.window.total_seconds()
            self._count += sees * self._step / window
            return self._count
        if watch.function is Function.CHANGE:
            return 1000 * (1 + sees)
        return sees + at if self._threshold.unit is Unit.TIMESTAMP else sees


def _beside(labels: Labels, fixed: dict[str, str]) -> Labels:
    """Return the labels of another series that is watched too; none where there can be no other."""
    other = tuple((name, value if name in fixed else f"{value} two") for name, value in labels)
    return other if other != labels else ()

"""A measure over time: few points, nothing outside what was measured, gaps and darkness where there were some."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.hour import Hour, HourMeasure
from monitor.model import Labels, Measure, Sample, Severity, State, labels
from monitor.probes.base import MeasureSpec
from monitor.showing import Drawn, draw
from monitor.showing.plot import MOST_POINTS, MOST_SERIES
from monitor.units import Unit
from monitor.view import Line, Mark, Point
from tests.examples import SECOND, SITE, left_out, sample
from tests.fakes import START
from tests.plans import plan, threshold

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SIZE = MeasureSpec("size", Unit.BYTES, "how much there is")
LEFT = MeasureSpec("expiry", Unit.TIMESTAMP, "when it ends")
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


def size(at: float, value: float, of: Labels = (), state: State = State.UP) -> Sample:
    return sample(at, state, Measure("size", value, of))


def hour(at: int, value: float = 5, *, up: int = 360, down: int = 0, unknown: int = 0) -> Hour:
    """Return an hour that begins so many hours after the start, with values from 0 to twice the mean."""
    count = up + down
    found = (HourMeasure("size", (), count, value * count, 0, 2 * value),) if count else ()
    return Hour(SITE, START + at * HOUR, up, down, unknown, found)


def drawn(*samples: Sample, span: timedelta = HOUR, hours: tuple[Hour, ...] = ()) -> Drawn:
    return Drawn(START, START + span, hours, samples)


@given(st.lists(st.tuples(st.integers(1, 3_600), NUMBERS), max_size=900, unique_by=lambda one: one[0]))
def test_points_are_few_in_order_and_hold_what_was_measured(found: list[tuple[int, float]]) -> None:
    samples = [size(at, value) for at, value in sorted(found)]
    plot = draw(plan(), SIZE, drawn(*samples))
    values = [value for _, value in found if math.isfinite(value)]
    points = plot.series.get((), ())
    assert len(points) <= MOST_POINTS
    assert list(points) == sorted(points, key=lambda point: point.at)
    assert all(START < point.at <= START + HOUR and point.least <= point.mean <= point.greatest for point in points)
    if values:
        assert min(point.least for point in points) == min(values)
        assert max(point.greatest for point in points) == max(values)
    assert bool(points) == bool(values)


def test_a_few_runs_are_drawn_one_by_one_at_their_own_moments() -> None:
    plot = draw(plan(), SIZE, drawn(size(60, 1), size(120, 3)))
    assert plot.series == {(): ((START + 60 * SECOND, 1, 1, 1), (START + 120 * SECOND, 3, 3, 3))}
    assert (plot.unit, plot.meaning, plot.gap) == (Unit.BYTES, "how much there is", 30 * SECOND)


def test_hours_stand_for_what_single_runs_are_not_read_of() -> None:
    """An hour that is half read counts by its runs only."""
    hours = tuple(hour(number) for number in range(4))
    plot = draw(plan(), SIZE, drawn(size(2.5 * 3_600, 1), size(3 * 3_600, 1), span=4 * HOUR, hours=hours))
    moments = [(point.at - START) / HOUR for point in plot.series[()]]
    assert moments == [0.5, 1.5, 2.5, 3.0]
    assert plot.series[()][0] == Point(START + HOUR / 2, 5, 0, 10)
    assert plot.gap >= 2 * HOUR


def test_a_year_of_hours_is_few_points_too() -> None:
    hours = tuple(hour(number, value=number) for number in range(400 * 24))
    plot = draw(plan(), SIZE, drawn(span=400 * DAY, hours=hours))
    points = plot.series[()]
    assert 290 <= len(points) <= MOST_POINTS
    assert points[-1].greatest == 2 * (400 * 24 - 1)
    longest = max(later.at - point.at for point, later in pairwise(points))
    assert longest <= plot.gap


def test_no_more_than_twelve_series_are_drawn_the_worst_at_last() -> None:
    of = [labels({"job": f"{number:02}"}) for number in range(40)]
    found = Sample(
        SITE, START + SECOND, SECOND, State.UP, measures=tuple(Measure("size", i, one) for i, one in enumerate(of))
    )
    rising = plan(threshold("size", unit=Unit.BYTES, warning="> 1GB"))
    falling = plan(threshold("size", unit=Unit.BYTES, warning="< 1GB"))
    assert list(draw(rising, SIZE, drawn(found)).series) == of[-MOST_SERIES:]
    assert list(draw(falling, SIZE, drawn(found)).series) == of[:MOST_SERIES]


def test_a_moment_is_drawn_as_the_time_that_is_left() -> None:
    ends = (START + DAY).timestamp()
    told = HourMeasure("expiry", (), 2, 2 * ends, ends, ends)
    one = sample(5_400, State.UP, Measure("expiry", ends))
    plot = draw(plan(), LEFT, drawn(one, span=2 * HOUR, hours=(Hour(SITE, START, 2, 0, 0, (told,)),)))
    assert [point.mean for point in plot.series[()]] == [23.5 * 3_600, 22.5 * 3_600]


def test_figures_and_targets_of_the_same_scale_are_lines() -> None:
    one = threshold("size", unit=Unit.BYTES, warning="> 25MB", critical="> 50MB")
    mean = threshold("avg(size, 5m)", unit=Unit.BYTES, warning="> 25MB")
    sums = threshold("sum(size, 5m)", unit=Unit.BYTES, warning="> 1MB")
    rate = threshold("rate(size, 5m)", unit=Unit.BYTES_PER_SECOND, warning="> 1MB/s")
    other = threshold("duration", warning="> 1s")
    assert draw(plan(one, mean, sums, rate, other), SIZE, drawn()).lines == (
        Line(25e6, "size: warning > 25MB", Severity.WARNING),
        Line(50e6, "size: critical > 50MB", Severity.CRITICAL),
        Line(25e6, "avg(size, 5m): warning > 25MB", Severity.WARNING),
    )


def test_a_target_is_a_line_that_never_fires() -> None:
    one = replace(threshold("size", unit=Unit.BYTES), target="< 10MB")
    assert draw(plan(one), SIZE, drawn()).lines == (Line(10e6, "size: target < 10MB"),)


@pytest.mark.parametrize("state", [State.DOWN, State.UNKNOWN])
def test_it_is_dark_from_a_failed_run_to_the_next_that_was_not(state: State) -> None:
    runs = [sample(100), sample(110, state), sample(120, state), sample(130), left_out(140), sample(900, state)]
    plot = draw(plan(), SIZE, drawn(*runs))
    begun = START + 110 * SECOND - SECOND / 10
    last = START + 900 * SECOND
    assert plot.dark == ((begun, START + 130 * SECOND, state), (last - SECOND / 10, last, state))


def test_hours_are_dark_when_most_of_their_runs_were() -> None:
    found = (
        hour(0),
        hour(1, down=200, up=100),
        hour(2, down=10),
        hour(3, up=0, unknown=3),
        Hour(SITE, START, 0, 0, 0, ()),
    )
    plot = draw(plan(), SIZE, drawn(span=4 * HOUR, hours=found))
    assert plot.dark == (
        (START + HOUR, START + 2 * HOUR, State.DOWN),
        (START + 3 * HOUR, START + 4 * HOUR, State.UNKNOWN),
    )


@given(st.lists(st.sampled_from(State), min_size=1, max_size=2_000))
def test_darkness_is_in_few_pieces_in_order(states: list[State]) -> None:
    """However fast it flaps between all states."""
    runs = [sample(number * 86_400 / 2_000, state) for number, state in enumerate(states)]
    dark = draw(plan(), SIZE, drawn(*runs, span=DAY)).dark
    assert len(dark) <= MOST_POINTS
    assert list(dark) == sorted(dark)
    assert bool(dark) == any(state is not State.UP for state in states)


def test_marks_stand_in_order() -> None:
    one, other = Mark(START + HOUR, "deploy", "b"), Mark(START, "alert", "a", Severity.WARNING)
    assert draw(plan(), SIZE, drawn()._replace(marks=[one, other])).marks == (other, one)

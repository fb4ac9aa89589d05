"""Windows over one series: equal to PromQL at every step, exact at both edges, and no larger than they need to be."""

from __future__ import annotations

import math
import sys
from itertools import accumulate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.watch import parse_watch
from monitor.window import KINDS, Series
from tests import promql

FUNCTIONS = ("avg", "min", "max", "sum", "p50", "p75", "p95", "rate", "increase", "change")
MILLISECOND = 1_000
LENGTHS = st.sampled_from([1_000, 10_000, 60_000, 61_001])
GAPS = st.sampled_from([1, 500, 1_000, 1_000, 1_000, 5_000, 10_000, 30_000, 60_000, 61_001]) | st.integers(1, 100_000)
GAUGES = st.tuples(GAPS, st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, -1.0]))
STEPS = st.tuples(GAPS, st.sampled_from([0.0, 0.25, 1.0, 1.0, 1.0, 7.5, -1.0]))


def read(series: Series, text: str) -> float:
    """Return what `text` yields, without asking for enough values."""
    watch = parse_watch(text)
    return series.windows[KINDS[watch.function], watch.window].result(watch)


def a_series(*texts: str) -> Series:
    watches = [parse_watch(text) for text in texts]
    return Series([(KINDS[watch.function], watch.window) for watch in watches])


def follow(points: list[tuple[int, float]], lengths: list[int]) -> None:
    """Compare every function over windows of all `lengths` with the reference, after each of `points`."""
    texts = {(name, length): f"{name}(x, {length}ms)" for name in FUNCTIONS for length in lengths}
    series = a_series(*texts.values())
    for index, (moment, value) in enumerate(points):
        series.slide(moment * MILLISECOND)
        series.add(moment * MILLISECOND, value)
        for (name, length), text in texts.items():
            seen = promql.select(points[: index + 1], moment, length)
            expected = promql.read(name, seen, moment, length)
            if len(seen) > 1 and not (name.startswith("p") and math.isnan(expected)):
                assert promql.same(read(series, text), expected, seen), (text, seen)


@given(st.lists(GAUGES, min_size=1, max_size=60), st.lists(LENGTHS, min_size=1, max_size=2, unique=True))
def test_gauges_yield_what_promql_yields(steps: list[tuple[int, float]], lengths: list[int]) -> None:
    """Over any gaps, for several windows on the same values."""
    moments = accumulate(gap for gap, _ in steps)
    follow(list(zip(moments, (value for _, value in steps), strict=True)), lengths)


@given(
    st.lists(STEPS, min_size=2, max_size=60), st.floats(0, 1e5), st.lists(LENGTHS, min_size=1, max_size=2, unique=True)
)
def test_counters_yield_what_promql_yields(steps: list[tuple[int, float]], start: float, lengths: list[int]) -> None:
    """Over any gaps and with resets: a step of -1 means that the counter begins again."""
    moments = accumulate(gap for gap, _ in steps)
    values = accumulate(
        (step for _, step in steps), lambda count, step: 0.5 if step < 0 else count + step, initial=start
    )
    follow(list(zip(moments, values, strict=False)), lengths)


@given(st.lists(st.tuples(GAPS, st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=40))
@example([(1, 1e308), (1, 1e308), (1, -1e308)])
@example([(1, 1e16), (1, 1.0), (60_000, 1.0)])
def test_sums_are_exact_however_long_they_run(steps: list[tuple[int, float]]) -> None:
    """The sum is that of the values still there, as if none had ever been before: nothing of 1e300 remains."""
    series = a_series("sum(x, 60s)", "avg(x, 60s)")
    points: list[tuple[int, float]] = []
    for gap, value in steps:
        moment = (points[-1][0] if points else 0) + gap
        points.append((moment, value))
        series.slide(moment * MILLISECOND)
        series.add(moment * MILLISECOND, value)
        seen = promql.select(points, moment, 60_000)
        assert read(series, "avg(x, 60s)") == promql.avg_over_time(seen)
        try:
            expected = promql.sum_over_time(seen)
        except OverflowError:
            assert math.isinf(read(series, "sum(x, 60s)"))
        else:
            assert read(series, "sum(x, 60s)") == expected


def test_a_sum_too_large_for_a_float_is_infinite_with_its_sign() -> None:
    series = a_series("sum(x, 1m)")
    for moment in (1, 2):
        series.slide(moment)
        series.add(moment, -sys.float_info.max)
    assert read(series, "sum(x, 1m)") == -math.inf


@pytest.mark.parametrize(
    ("function", "expected"), [("max", math.inf), ("sum", math.inf), ("avg", math.inf), ("min", 1.0)]
)
def test_an_infinite_value_counts_as_long_as_it_is_in_the_window(function: str, expected: float) -> None:
    text = f"{function}(x, 1m)"
    series = a_series(text)
    for second, value in ((0, 1.0), (10, math.inf), (20, 1.0)):
        series.slide(second * 1_000_000)
        series.add(second * 1_000_000, value)
    assert read(series, text) == expected
    series.slide(70_000_000)
    assert read(series, text) == 1.0


def test_infinities_of_both_signs_have_no_sum() -> None:
    series = a_series("sum(x, 1m)")
    for moment, value in enumerate((math.inf, -math.inf)):
        series.slide(moment)
        series.add(moment, value)
    assert math.isnan(read(series, "sum(x, 1m)"))


def test_what_is_not_a_number_is_no_value_of_a_window() -> None:
    """It is remembered as the newest, but an average over an hour does not lose its result to it."""
    series = a_series("avg(x, 1h)", "p50(x, 1h)", "rate(x, 1h)")
    for moment, value in enumerate((1.0, math.nan, 3.0, math.nan)):
        series.slide(moment)
        series.add(moment, value)
    assert list(series.values) == [1.0, 3.0]
    assert math.isnan(series.newest)
    assert read(series, "avg(x, 1h)") == 2.0
    assert read(series, "p50(x, 1h)") == 2.0


def test_the_oldest_moment_is_outside_and_the_newest_inside() -> None:
    """(t - w, t], to the microsecond."""
    series = a_series("sum(x, 10s)")
    for moment, value in ((0, 1.0), (1, 2.0), (10_000_000, 4.0)):
        series.slide(moment)
        series.add(moment, value)
    assert read(series, "sum(x, 10s)") == 6.0
    series.slide(10_000_001)
    assert read(series, "sum(x, 10s)") == 4.0


@pytest.mark.parametrize(
    ("values", "share"), [((10.0, 99.0, 15.0), 0.5), ((10.0, 5.0), -0.5), ((4.0, 4.0), 0.0), ((0.0, 5.0), math.nan)]
)
def test_change_is_the_share_by_which_the_last_differs_from_the_first(values: tuple[float, ...], share: float) -> None:
    series = a_series("change(x, 1m)")
    for moment, value in enumerate(values):
        series.slide(moment)
        series.add(moment, value)
    assert read(series, "change(x, 1m)") == pytest.approx(share, nan_ok=True)


def test_values_are_held_once_and_only_while_a_window_reaches_them() -> None:
    """Three windows on a value a second: the longest one's 60 values are there, and no more."""
    series = a_series("p95(x, 1m)", "avg(x, 30s)", "rate(x, 1m)")
    for second in range(1_000):
        series.slide(second * 1_000_000)
        series.add(second * 1_000_000, float(second))
    assert len(series.values) == len(series.moments) == 60
    assert sorted(len(window) for window in series.windows.values()) == [30, 60, 60]


def test_a_series_that_no_window_looks_at_holds_only_its_newest_value() -> None:
    series = Series([])
    for moment in range(10):
        series.slide(moment)
        series.add(moment, float(moment))
    assert (series.newest, series.newest_at, len(series.values)) == (9.0, 9, 0)


def test_watches_with_the_same_kind_and_length_share_a_window() -> None:
    assert len(a_series("p95(x, 1m)", "max(x, 1m)", "p50(x, 1m)", "max(x, 2m)").windows) == 2


def test_the_rate_is_the_increase_per_second() -> None:
    series = a_series("rate(x, 1m)", "increase(x, 1m)")
    for second in range(5, 60, 10):
        series.slide(second * 1_000_000)
        series.add(second * 1_000_000, 10.0 + second)
    series.slide(60_000_000)
    assert read(series, "increase(x, 1m)") == pytest.approx(60)
    assert read(series, "rate(x, 1m)") == pytest.approx(1)

"""What a check's history remembers, in which order samples may come, and that a restart changes nothing."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.history import MOST_SERIES, History
from monitor.model import CheckId, Labels, Measure, Sample, State, labels
from monitor.watch import parse_watch
from tests.fakes import START

WATCHES = (
    "x",
    "y",
    "p50(x, 30s)",
    "max(x, 10s)",
    "avg(x, 30s)",
    'rate(x{k="a"}, 20s)',
    "change(y, 15s)",
    "increase(y, 1m)",
)
KEYS = st.sampled_from([(), labels({"k": "a"}), labels({"k": "b"}), labels({"j": "1", "k": "a"})])
VALUES = st.floats(-1e6, 1e6) | st.just(math.nan)
MEASURES = st.lists(st.builds(Measure, st.sampled_from(["x", "y", "z"]), VALUES, KEYS), max_size=6)
STATES = st.sampled_from([State.UP, State.UP, State.UP, State.DOWN, State.UNKNOWN])
RUNS = st.lists(st.tuples(st.integers(1, 20_000), STATES, MEASURES), min_size=1, max_size=30)


def a_sample(seconds: float, *measures: Measure, state: State = State.UP) -> Sample:
    return Sample(CheckId("shop", "site"), START + timedelta(seconds=seconds), timedelta(), state, measures=measures)


def x(value: float, **names: str) -> Measure:
    return Measure("x", value, labels(names))


def a_history(*texts: str) -> History:
    return History(parse_watch(text) for text in texts)


def read(history: History, text: str) -> dict[Labels, float]:
    return history.read(parse_watch(text))


def all_read(history: History) -> list[dict[Labels, str]]:
    """Return everything there is to read, NaN made equal to itself."""
    return [{key: repr(value) for key, value in read(history, text).items()} for text in WATCHES]


@given(RUNS, st.data())
def test_a_restart_at_any_point_changes_nothing(
    runs: list[tuple[int, State, list[Measure]]], data: st.DataObject
) -> None:
    """A history refilled with the samples of its reach reads the same from then on, to the last bit."""
    moments = accumulate(gap for gap, _, _ in runs)
    samples = [
        a_sample(at / 1000, *measures, state=state) for at, (_, state, measures) in zip(moments, runs, strict=True)
    ]
    stop = data.draw(st.integers(0, len(samples) - 1))
    continuous, restarted = a_history(*WATCHES), a_history(*WATCHES)
    for sample in samples[: stop + 1]:
        continuous.add(sample)
    overlap = data.draw(st.integers(0, 60))
    since = samples[stop].at - restarted.reach - timedelta(seconds=overlap)
    for sample in samples[: stop + 1]:
        if sample.at > since:
            restarted.add(sample)
    assert all_read(restarted) == all_read(continuous)
    for sample in samples[stop + 1 :]:
        continuous.add(sample)
        restarted.add(sample)
        assert all_read(restarted) == all_read(continuous)


@given(RUNS, st.data())
def test_samples_that_come_twice_or_late_change_nothing(
    runs: list[tuple[int, State, list[Measure]]], data: st.DataObject
) -> None:
    moments = accumulate(gap for gap, _, _ in runs)
    samples = [
        a_sample(at / 1000, *measures, state=state) for at, (_, state, measures) in zip(moments, runs, strict=True)
    ]
    orderly, disorderly = a_history(*WATCHES), a_history(*WATCHES)
    for index, sample in enumerate(samples):
        orderly.add(sample)
        disorderly.add(sample)
        disorderly.add(samples[data.draw(st.integers(0, index))])
        assert all_read(disorderly) == all_read(orderly)


def test_only_the_newest_sample_can_be_judged() -> None:
    history = a_history("x")
    history.add(a_sample(10, x(1)))
    history.add(a_sample(5, x(2)))
    assert history.ends_with(a_sample(10))
    assert not history.ends_with(a_sample(5))
    assert read(history, "x") == {(): 1.0}


def test_a_second_sample_of_the_same_moment_adds_nothing() -> None:
    history = a_history("x", "sum(x, 1m)")
    history.add(a_sample(10, x(1, k="a")))
    history.add(a_sample(10, x(2, k="a"), x(3, k="b")))
    assert read(history, "x") == read(history, "sum(x, 1m)") == {labels({"k": "a"}): 1.0}


def test_a_measure_itself_is_read_from_the_newest_sample_only() -> None:
    history = a_history("x", "max(x, 1m)")
    history.add(a_sample(0, x(1, k="a"), x(2, k="b")))
    history.add(a_sample(10, x(3, k="a")))
    assert read(history, "x") == {labels({"k": "a"}): 3.0}
    assert read(history, "max(x, 1m)") == {labels({"k": "a"}): 3.0, labels({"k": "b"}): 2.0}


def test_a_selection_leaves_the_other_series_out() -> None:
    history = a_history('x{k="a"}', 'max(x{k!="a"}, 1m)')
    history.add(a_sample(0, x(1, k="a"), x(2, k="b"), x(3)))
    assert read(history, 'x{k="a"}') == {labels({"k": "a"}): 1.0}
    assert read(history, 'max(x{k!="a"}, 1m)') == {labels({"k": "b"}): 2.0, (): 3.0}


def test_a_series_leaves_the_window_with_its_last_value() -> None:
    """At exactly the window's length it is gone, even without a sample in between."""
    history = a_history("max(x, 1m)")
    history.add(a_sample(0, x(1)))
    history.add(a_sample(59.999999))
    assert read(history, "max(x, 1m)") == {(): 1.0}
    history.add(a_sample(60))
    assert read(history, "max(x, 1m)") == {}


def test_too_few_values_read_as_none() -> None:
    """A percentile appears with its 21st value, a rate with its second."""
    history = a_history("p95(x, 1h)", "rate(x, 1h)")
    for second in range(21):
        assert all(math.isnan(value) for value in read(history, "p95(x, 1h)").values())
        history.add(a_sample(second, x(second)))
        assert math.isnan(read(history, "rate(x, 1h)")[()]) is (second == 0)
    assert read(history, "p95(x, 1h)") == {(): 19.0}


def test_what_is_not_a_number_is_there_but_reads_as_none() -> None:
    history = a_history("x", "avg(x, 10s)")
    history.add(a_sample(0, x(math.nan)))
    assert math.isnan(read(history, "x")[()])
    assert math.isnan(read(history, "avg(x, 10s)")[()])
    history.add(a_sample(5, x(4)))
    assert read(history, "avg(x, 10s)") == {(): 4.0}


def test_a_run_whose_state_is_unknown_leaves_no_values() -> None:
    history = a_history("x", "avg(x, 1m)")
    history.add(a_sample(0, x(1)))
    history.add(a_sample(10, x(99), state=State.UNKNOWN))
    assert read(history, "x") == {}
    assert read(history, "avg(x, 1m)") == {(): 1.0}


def test_a_run_that_is_down_keeps_its_values() -> None:
    history = a_history("avg(x, 1m)")
    history.add(a_sample(0, x(1), state=State.DOWN))
    assert read(history, "avg(x, 1m)") == {(): 1.0}


def test_of_a_series_twice_in_one_sample_the_first_counts() -> None:
    history = a_history("x", "sum(x, 1m)")
    history.add(a_sample(0, x(1), x(2)))
    assert read(history, "x") == {(): 1.0}
    assert read(history, "sum(x, 1m)") == {(): 1.0}


def test_a_watch_on_another_measure_was_not_asked_for() -> None:
    with pytest.raises(KeyError):
        read(a_history("x"), "y")


def test_the_reach_is_the_longest_window() -> None:
    assert a_history("x", "max(x, 5m)", "p95(y, 1h)").reach == timedelta(hours=1)
    assert a_history("x").reach == timedelta()
    assert a_history().reach == timedelta()


def test_a_history_nobody_looks_at_takes_samples_too() -> None:
    history = a_history()
    history.add(a_sample(0, x(1)))
    assert history.ends_with(a_sample(0))


@pytest.mark.parametrize("text", ["x", "max(x, 1m)"])
def test_thousands_of_label_values_are_cut_and_counted(text: str) -> None:
    """Those that were there first stay, whatever the order; what is beyond is left out each time and counted."""
    history = a_history(text)
    many = [x(float(number), k=str(number)) for number in range(MOST_SERIES + 300)]
    for second, measures in enumerate((many, many[::-1])):
        history.add(a_sample(second, *measures))
    assert set(read(history, text)) == {measure.labels for measure in many[:MOST_SERIES]}
    assert history.dropped == 2 * 300


def test_series_that_vanished_make_room_for_new_ones() -> None:
    history = a_history("max(x, 10s)")
    for second in range(0, 100, 5):
        history.add(a_sample(second, *(x(1, k=f"{second}-{number}") for number in range(MOST_SERIES // 3))))
    assert history.dropped == 0


def test_series_that_nobody_selects_take_no_room() -> None:
    history = a_history('x{k="wanted"}', 'max(x{k="wanted"}, 1m)')
    history.add(a_sample(0, *(x(1, k=str(number)) for number in range(MOST_SERIES)), x(7, k="wanted")))
    assert read(history, 'x{k="wanted"}') == {labels({"k": "wanted"}): 7.0}
    assert history.dropped == 0

"""Judging: a verdict for each label set, blind where there is no number, and what becomes of a series that vanished."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import AlertKey, CheckId, Labels, Measure, Outcome, Sample, Severity, State, Verdict, labels
from monitor.thresholds import History, Threshold, judge
from monitor.units import Unit
from monitor.watch import parse_figure, parse_watch
from tests.baseline.hours import hour, measure
from tests.fakes import START

CHECK = CheckId("shop", "site")
A, B = labels({"k": "a"}), labels({"k": "b"})
WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
DAY = 86_400.0


def a_threshold(watch: str, unit: Unit = Unit.NUMBER, **figures: str) -> Threshold:
    parsed = tuple(
        parse_figure(Severity[level.upper()], text, unit)
        for level, text in (figures or {"warning": "> 3", "critical": "> 5"}).items()
    )
    return Threshold("slow", parse_watch(watch), unit, parsed)


def a_sample(seconds: float, *values: tuple[float, Labels], state: State = State.UP) -> Sample:
    measures = tuple(Measure("x", value, key) for value, key in values)
    return Sample(CHECK, START + timedelta(seconds=seconds), timedelta(), state, measures=measures)


def judged(threshold: Threshold, *samples: Sample, live: tuple[Labels, ...] = ()) -> dict[Labels, Verdict]:
    """Return the verdicts on the last sample, by label set."""
    history = History([threshold.watch])
    for sample in samples:
        history.add(sample)
    verdicts = judge(CHECK, threshold, history, samples[-1], live)
    assert all(verdict.at == samples[-1].at for verdict in verdicts)
    assert all(verdict.key == AlertKey(CHECK, "slow", verdict.key.labels) for verdict in verdicts)
    found = {verdict.key.labels: verdict for verdict in verdicts}
    assert len(found) == len(verdicts)
    return found


def outcome(verdict: Verdict) -> Outcome:
    """Return the one outcome of all levels."""
    (only,) = set(verdict.outcomes.values())
    return only


@pytest.mark.parametrize(
    ("value", "warning", "critical"),
    [
        (2.0, Outcome.CLEAR, Outcome.CLEAR),
        (3.0, Outcome.CLEAR, Outcome.CLEAR),
        (4.0, Outcome.BREACH, Outcome.CLEAR),
        (6.0, Outcome.BREACH, Outcome.BREACH),
        (math.inf, Outcome.BREACH, Outcome.BREACH),
        (-math.inf, Outcome.CLEAR, Outcome.CLEAR),
    ],
)
def test_each_level_is_compared_with_its_own_figure(value: float, warning: Outcome, critical: Outcome) -> None:
    verdict = judged(a_threshold("x"), a_sample(0, (value, ())))[()]
    assert verdict.outcomes == {WARNING: warning, CRITICAL: critical}
    assert verdict.value == value


def test_each_label_set_has_a_verdict_of_its_own() -> None:
    verdicts = judged(a_threshold("x"), a_sample(0, (1.0, A), (9.0, B)))
    assert {key: outcome(verdict) for key, verdict in verdicts.items()} == {A: Outcome.CLEAR, B: Outcome.BREACH}


@pytest.mark.parametrize("comparison", [">", ">=", "<", "<=", "==", "!="])
@pytest.mark.parametrize("watch", ["x", "avg(x, 1m)"])
def test_what_is_not_a_number_never_breaches(comparison: str, watch: str) -> None:
    verdict = judged(a_threshold(watch, warning=f"{comparison} 3"), a_sample(0, (math.nan, ())))[()]
    assert verdict.outcomes == {WARNING: Outcome.BLIND}
    assert verdict.value is None


def test_a_window_is_judged_as_a_whole() -> None:
    samples = [a_sample(second, (value, ())) for second, value in ((0, 2.0), (10, 9.0), (20, 4.0))]
    assert judged(a_threshold("avg(x, 1m)"), *samples)[()].value == 5.0
    assert outcome(judged(a_threshold("max(x, 1m)"), *samples)[()]) is Outcome.BREACH
    assert outcome(judged(a_threshold("min(x, 1m)"), *samples)[()]) is Outcome.CLEAR


def test_a_percentile_is_blind_until_it_has_its_values() -> None:
    samples = [a_sample(second, (9.0, ())) for second in range(21)]
    assert outcome(judged(a_threshold("p95(x, 5m)"), *samples[:20])[()]) is Outcome.BLIND
    assert outcome(judged(a_threshold("p95(x, 5m)"), *samples)[()]) is Outcome.BREACH


def test_a_rate_is_blind_with_one_value() -> None:
    threshold = a_threshold("rate(x, 1m)", Unit.PER_SECOND, warning="> 1/s")
    assert outcome(judged(threshold, a_sample(0, (10.0, ())))[()]) is Outcome.BLIND
    assert outcome(judged(threshold, a_sample(0, (10.0, ())), a_sample(10, (110.0, ())))[()]) is Outcome.BREACH


def test_a_change_from_zero_is_blind() -> None:
    threshold = a_threshold("change(x, 1m)", Unit.RATIO, warning="> 50%")
    assert outcome(judged(threshold, a_sample(0, (0.0, ())), a_sample(1, (5.0, ())))[()]) is Outcome.BLIND
    assert outcome(judged(threshold, a_sample(0, (2.0, ())), a_sample(1, (5.0, ())))[()]) is Outcome.BREACH


@pytest.mark.parametrize("watch", ["x", "min(x, 1m)", "max(x, 1m)"])
def test_a_moment_is_judged_by_the_time_left(watch: str) -> None:
    """A certificate that ends 13 days after the sample."""
    ends = START.timestamp() + 10 + 13 * DAY
    threshold = a_threshold(watch, Unit.TIMESTAMP, warning="< 14d", critical="< 7d")
    verdict = judged(threshold, a_sample(0, (ends, ())), a_sample(10, (ends, ())))[()]
    assert verdict.value == 13 * DAY
    assert verdict.outcomes == {WARNING: Outcome.BREACH, CRITICAL: Outcome.CLEAR}


def test_the_time_left_of_a_moment_that_has_passed_is_negative() -> None:
    threshold = a_threshold("x", Unit.TIMESTAMP, critical="< 0")
    verdict = judged(threshold, a_sample(0, (START.timestamp() - DAY, ())))[()]
    assert verdict.value == -DAY
    assert outcome(verdict) is Outcome.BREACH


@pytest.mark.parametrize("watch", ["x", "max(x, 1m)"])
@pytest.mark.parametrize(
    ("state", "expected"),
    [(State.UP, Outcome.CLEAR), (State.DOWN, Outcome.BLIND), (State.UNKNOWN, Outcome.BLIND)],
)
def test_a_live_series_that_vanished_is_clear_only_while_the_check_is_up(
    watch: str, state: State, expected: Outcome
) -> None:
    verdicts = judged(a_threshold(watch), a_sample(0, (9.0, A)), a_sample(60, state=state), live=(A,))
    assert outcome(verdicts[A]) is expected
    assert verdicts[A].value is None


def test_a_series_without_an_alert_may_vanish_unnoticed() -> None:
    assert judged(a_threshold("x"), a_sample(0, (9.0, A)), a_sample(60)) == {}


def test_a_series_that_still_has_values_in_the_window_has_not_vanished() -> None:
    verdicts = judged(a_threshold("max(x, 1m)"), a_sample(0, (9.0, A)), a_sample(59), live=(A,))
    assert outcome(verdicts[A]) is Outcome.BREACH


@pytest.mark.parametrize("watch", ["x", "max(x, 1m)"])
def test_a_check_that_is_down_is_judged_by_the_measures_it_kept(watch: str) -> None:
    verdicts = judged(a_threshold(watch), a_sample(0, (9.0, A), state=State.DOWN), live=(A, B))
    assert outcome(verdicts[A]) is Outcome.BREACH
    assert outcome(verdicts[B]) is Outcome.BLIND


@pytest.mark.parametrize("watch", ["x", "max(x, 1m)"])
def test_an_unknown_run_decides_nothing_whatever_it_measured(watch: str) -> None:
    """Neither its own value nor those still in the window."""
    samples = a_sample(0, (9.0, A)), a_sample(10, (9.0, A), (9.0, B), state=State.UNKNOWN)
    verdicts = judged(a_threshold(watch), *samples, live=(A, B))
    assert {outcome(verdict) for verdict in verdicts.values()} == {Outcome.BLIND}
    assert {A, B} <= set(verdicts)


def test_a_sample_that_comes_late_decides_nothing() -> None:
    """The history holds newer values, which say nothing of an earlier moment; and nothing is taken for gone."""
    samples = a_sample(10, (9.0, A)), a_sample(5, (1.0, A))
    verdicts = judged(a_threshold("x"), *samples, live=(A, B))
    assert {key: outcome(verdict) for key, verdict in verdicts.items()} == {A: Outcome.BLIND, B: Outcome.BLIND}


@pytest.mark.parametrize("watch", ["usual(x, 1m)", "drift(x, 1m)", "unseen(x)"])
def test_what_has_no_past_to_look_back_on_decides_nothing(watch: str) -> None:
    """Nothing opens, and what was open before a restart is not taken for gone while the past is not read yet."""
    figure = "> 1%" if watch.startswith("drift") else "> 0"
    unit = Unit.RATIO if watch.startswith("drift") else Unit.NUMBER
    verdicts = judged(a_threshold(watch, unit, info=figure), a_sample(0, (9.0, A)), live=(B, ()))
    assert {B, ()} <= set(verdicts)
    assert {outcome(verdict) for verdict in verdicts.values()} == {Outcome.BLIND}


def test_what_looks_back_is_judged_like_anything_else_once_it_can() -> None:
    """A new value breaches, a known one is not told of, and one that was new before is over."""
    threshold = a_threshold("unseen(x by k)", info="> 0")
    history = History([threshold.watch])
    for days in range(20, 0, -1):
        history.past.add(hour(START.replace(minute=0) - timedelta(days=days), measure(1, B)))
    sample = a_sample(0, (1.0, A), (1.0, B))
    history.add(sample)
    former = labels({"k": "former"})
    found = judge(CHECK, threshold, history, sample, [A, former])
    assert {verdict.key.labels: outcome(verdict) for verdict in found} == {A: Outcome.BREACH, former: Outcome.CLEAR}
    assert {verdict.key.labels: verdict.value for verdict in found} == {A: 1.0, former: None}


SERIES = st.dictionaries(st.sampled_from([(), A, B, labels({"j": "1", "k": "a"})]), st.floats(0, 9) | st.just(math.nan))
RUNS = st.lists(st.tuples(st.integers(1, 40), st.sampled_from(State), SERIES), min_size=1, max_size=12)
WATCHES = st.sampled_from(["x", "max(x, 30s)", "p50(x, 30s)", "rate(x, 30s)", 'avg(x{k="a"}, 30s)'])


@given(RUNS, WATCHES, st.sets(st.sampled_from([A, B])))
def test_every_live_label_set_gets_exactly_one_verdict_and_every_verdict_all_levels(
    runs: list[tuple[int, State, dict[Labels, float]]], watch: str, live: set[Labels]
) -> None:
    """Whatever came before: a value goes with levels compared, none with blind or clear ones; unknown is blind."""
    threshold = a_threshold(watch)
    history = History([threshold.watch])
    seconds = 0
    for gap, state, values in runs:
        seconds += gap
        sample = a_sample(seconds, *((value, key) for key, value in values.items()), state=state)
        history.add(sample)
        verdicts = judge(CHECK, threshold, history, sample, live)
        keys = [verdict.key.labels for verdict in verdicts]
        assert len(keys) == len(set(keys))
        assert live <= set(keys)
        for verdict in verdicts:
            assert set(verdict.outcomes) == {WARNING, CRITICAL}
            seen = set(verdict.outcomes.values())
            assert (verdict.value is None) or Outcome.BLIND not in seen
            assert (verdict.value is not None) or Outcome.BREACH not in seen
            assert state is not State.UNKNOWN or seen == {Outcome.BLIND}


@given(st.permutations([("j", "1"), ("k", "a"), ("l", "x")]), st.permutations(['k="a"', 'l="x"', 'j!="2"']))
def test_the_order_in_which_labels_are_written_changes_nothing(
    pairs: list[tuple[str, str]], written: list[str]
) -> None:
    threshold = a_threshold(f"x{{{', '.join(written)}}}")
    key = labels(dict(pairs))
    assert judged(threshold, a_sample(0, (9.0, key)), live=(labels({"j": "1", "k": "a", "l": "x"}),)).keys() == {key}


@pytest.mark.parametrize(("unmeasured", "seen"), [("x", Outcome.BLIND), ("y", Outcome.CLEAR)])
def test_a_series_that_vanished_is_clear_unless_its_measure_could_not_be_taken(unmeasured: str, seen: Outcome) -> None:
    """What it showed may still be so: an alert on it is not over because nobody could look."""
    newest = replace(a_sample(10, (9.0, B)), unmeasured=frozenset({unmeasured}))
    for watch in ("x", "max(x, 5s)"):
        found = judged(a_threshold(watch), a_sample(0, (9.0, A)), newest, live=(A,))
        assert outcome(found[A]) is seen
        assert outcome(found[B]) is Outcome.BREACH

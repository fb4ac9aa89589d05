"""The board of live alerts, what is remembered of a check, and the shape of its last hour."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.board import Board
from monitor.model import DOWN, Alert, AlertKey, CheckId, Measure, Severity, State
from monitor.probes.base import Retry
from monitor.trend import BUCKETS, SPAN, Trend
from monitor.watched import MOST_TRENDS, Watched
from tests.examples import SECOND, SITE, left_out, sample
from tests.fakes import START
from tests.plans import Scripted, plan, threshold

X = Severity.CRITICAL


def alert(check: CheckId = SITE, name: str = DOWN, minutes: float = 0) -> Alert:
    since = START + timedelta(minutes=minutes)
    return Alert(AlertKey(check, name), f"{check} {name}", severity=X, since=since)


def test_an_idle_alert_is_taken_off() -> None:
    """And leaves nothing behind."""
    board = Board([alert()])
    assert AlertKey(SITE, DOWN) in board
    board.put(replace(alert(), severity=None))
    assert len(board) == 0
    assert board.of(SITE) == []
    assert AlertKey(SITE, DOWN) not in board
    board.put(Alert(AlertKey(SITE, "never seen")))
    assert list(board) == []


def test_an_alert_is_found_by_its_present_incident() -> None:
    """By no former one, and by none once it is over."""
    first, second = alert(), alert(minutes=5)
    board = Board([first])
    assert board.of_incident(first.incident) == first
    board.put(replace(first, severity=Severity.WARNING))
    assert board.of_incident(first.incident) == replace(first, severity=Severity.WARNING)
    board.put(replace(first, severity=None, since=None, changes=(START,)))
    assert board.of_incident(first.incident) is None
    board.put(second)
    assert board.of_incident(second.incident) == second
    board.put(replace(second, severity=None))
    assert board.of_incident(second.incident) is None


def test_what_began_beside_an_alert() -> None:
    """Nearest first, within five minutes, never the check's own."""
    others = [alert(CheckId("shop", f"c{n}"), minutes=n) for n in range(1, 9)]
    board = Board([*others, alert(name="slow")])
    assert board.beside(alert()) == [f"shop/c{n} down" for n in range(1, 6)]
    assert board.beside(replace(alert(), since=None)) == []


def test_a_trend_is_the_mean_of_each_part_of_the_hour() -> None:
    """Gaps are gaps."""
    trend = Trend()
    trend.add(START, 1.0)
    trend.add(START + SECOND, 3.0)
    trend.add(START + SPAN / 2, 5.0)
    values = trend.values(START + SPAN / 2)
    assert values[-1] == 5.0
    assert 2.0 in values
    assert values.count(None) == BUCKETS - 2
    assert trend.values(START + 3 * SPAN) == [None] * BUCKETS


@given(st.lists(st.tuples(st.integers(0, 7200), st.floats(0, 10)), max_size=60))
def test_a_trend_equals_the_means_computed_at_the_end(points: list[tuple[int, float]]) -> None:
    """Over any times in order, also with hours between."""
    trend, width = Trend(), SPAN / BUCKETS
    points = sorted(points)
    for at, value in points:
        trend.add(START + at * SECOND, value)
    now = START + (points[-1][0] if points else 0) * SECOND
    newest = (now - START) // width
    for index, mean in enumerate(trend.values(now)):
        part = newest - BUCKETS + 1 + index
        inside = [value for at, value in points if (at * SECOND) // width == part]
        assert (mean is None) == (not inside)
        assert mean is None or abs(mean - sum(inside) / len(inside)) < 1e-9


def test_an_old_value_does_not_disturb_a_trend() -> None:
    """One older than the hour is passed over."""
    trend = Trend()
    trend.add(START, 1.0)
    trend.add(START - 2 * SPAN, 9.0)
    assert [value for value in trend.values(START) if value is not None] == [1.0]


def test_a_check_is_silent_after_three_intervals_without_a_known_run() -> None:
    """Unknown runs are no sign of life; one that was left out on purpose is."""
    watched = Watched(plan(), START)
    watched.see(sample(20, State.UNKNOWN))
    assert not watched.silent(START + 29 * SECOND)
    assert watched.silent(START + 30 * SECOND)
    watched.judged(sample(30))
    assert not watched.silent(START + 59 * SECOND)
    watched.judged(sample(40, State.UNKNOWN))
    assert watched.silent(START + 60 * SECOND)
    watched.judged(left_out(60))
    assert not watched.silent(START + 89 * SECOND)


def test_a_check_sleeps_until_a_run_can_tell_again() -> None:
    """That the next question is not answered does not wake it; to be looked at does."""
    watched = Watched(plan(), START)
    assert not watched.asleep
    for newest, asleep, looked_at in (
        (sample(0), False, 0),
        (left_out(10), True, 0),
        (sample(20, State.UNKNOWN), True, 20),
        (sample(30, State.DOWN), False, 30),
    ):
        watched.see(newest)
        watched.judged(newest)
        assert (watched.asleep, watched.looked_at) == (asleep, START + looked_at * SECOND)
    assert watched.follow(plan(title="Another")).looked_at == START + 30 * SECOND


def test_a_slow_retry_makes_the_patience_longer() -> None:
    """A check that is retried later than it usually runs is not silent before three of those."""
    slow = Scripted(every=10 * SECOND, timeout=5 * SECOND, retry=Retry(every=60 * SECOND))
    assert Watched(replace(plan(), check=slow), START).gap == 180 * SECOND


def test_trends_are_kept_for_what_is_watched_and_are_bounded() -> None:
    """By measure and labels; the share of runs up stands for the rest."""
    watched = Watched(plan(threshold("duration", warning="> 1s")), START)
    many = [Measure("duration", float(n), (("who", str(n)),)) for n in range(MOST_TRENDS + 9)]
    watched.see(sample(0, State.UP, Measure("size", 9.0), *many))
    key = AlertKey(SITE, "duration", (("who", "7"),))
    assert watched.trend(key, START)[-1] == 7.0
    lost = AlertKey(SITE, "duration", (("who", str(MOST_TRENDS + 1)),))
    assert watched.trend(lost, START) == [None] * BUCKETS
    assert watched.trend(AlertKey(SITE, DOWN), START)[-1] == 1.0

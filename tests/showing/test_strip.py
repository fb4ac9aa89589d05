"""The last 24 hours of a check: each run counted once, as the store sums hours up, in whatever order things come."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import example, given
from hypothesis import strategies as st

from monitor.hour import Hour
from monitor.model import DOWN, AlertKey, Scope, Severity, Silence, State
from monitor.showing import Hours, Span, Strip, hour_of
from monitor.uptime import Uptime, of_hour, total
from tests.examples import SECOND, SITE, left_out, sample
from tests.fakes import START

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.model import Sample
    from monitor.showing.strip import Look

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
KEY = AlertKey(SITE, DOWN)
N, W, X = Severity.INFO, Severity.WARNING, Severity.CRITICAL
NOON = hour_of(START)
RUNS = st.lists(
    st.tuples(st.integers(-40 * 86_400, 0), st.sampled_from([*State, None])), unique_by=lambda run: run[0], max_size=40
)


def run(at: float, state: State | None) -> Sample:
    """Return a run `at` seconds after the start; None: it was left out."""
    return left_out(at) if state is None else sample(at, state)


def summed(samples: Iterable[Sample]) -> list[Hour]:
    """Return the hours as the store sums them up."""
    counts: defaultdict[datetime, dict[State, int]] = defaultdict(lambda: dict.fromkeys(State, 0))
    for one in samples:
        counts[hour_of(one.at)][one.state] += not one.left_out
    up, down, unknown = State.UP, State.DOWN, State.UNKNOWN
    return [Hour(SITE, at, n[up], n[down], n[unknown], ()) for at, n in sorted(counts.items())]


def filled(samples: Sequence[Sample], now: datetime = START) -> Strip:
    """Return a strip that was there all the time, and was looked at in between."""
    strip = Strip(SITE)
    for one in sorted(samples, key=lambda one: one.at):
        strip.add(one)
        strip.look(Hours.until(one.at))
    strip.look(Hours.until(now))
    return strip


def look(strip: Strip, now: datetime = START) -> Look:
    return strip.look(Hours.until(now))


def test_nothing_known_is_24_gaps_and_no_uptime() -> None:
    found = look(Strip(SITE))
    assert [cell.at for cell in found.cells] == [NOON - number * HOUR for number in range(23, -1, -1)]
    assert all(cell == (cell.at, 0, 0, 0, None) for cell in found.cells)
    assert found.day == found.month == Uptime()


@given(RUNS)
def test_an_hour_that_is_over_counts_as_the_store_sums_it_up(runs: list[tuple[int, State | None]]) -> None:
    """Uptime is that of `monitor history`: what left the strip still counts for the month."""
    samples = [run(at - 3_600, state) for at, state in runs]
    found = look(filled(samples))
    hours = [hour for hour in summed(samples) if hour.at < NOON]
    assert {cell[:4] for cell in found.cells if any(cell[1:4])} == {
        (hour.at, hour.up, hour.down, hour.unknown)
        for hour in hours
        if hour.at >= NOON - 23 * HOUR and hour.up + hour.down + hour.unknown
    }
    assert found.day == total(of_hour(hour) for hour in hours if hour.at >= NOON - 23 * HOUR)
    assert found.month == total(of_hour(hour) for hour in hours if hour.at.date() >= (START - 29 * DAY).date())


@given(RUNS, st.integers(0, 40), st.integers(0, 40 * 24))
@example([(-5, State.DOWN), (-3_700, State.UP)], 1, 2)
def test_a_restart_changes_nothing(runs: list[tuple[int, State | None]], kept: int, ago: int) -> None:
    """What was summed up is read, single runs are read of the rest, and those that come meanwhile count once."""
    samples = sorted((run(at, state) for at, state in runs), key=lambda one: one.at)
    before, since = samples[:kept], samples[kept:]
    closed = NOON - ago * HOUR
    live, earlier, hours = Strip(SITE), Strip(SITE), Hours.until(START)
    for one in since:
        live.add(one)
    for hour in summed(samples):
        if hour.at < closed and not (hour.at < hours.first and live.counted(hour.at + HOUR)):
            earlier.sum_up(hour, hours)
    for one in before:
        if one.at >= closed and not live.counted(one.at):
            earlier.add(one)
    live.join(earlier)
    found, wanted = look(live), look(filled(samples))
    assert found.cells == wanted.cells
    assert found.day == wanted.day
    torn = {hour_of(one.at) for one in since if hour_of(one.at) < hours.first}
    if not torn:
        assert found.month == wanted.month


@given(st.lists(st.integers(-100 * 86_400, 100 * 86_400), min_size=1, max_size=30))
def test_a_clock_that_is_set_back_or_forward_breaks_nothing(seconds: list[int]) -> None:
    strip = Strip(SITE)
    for number, at in enumerate(seconds):
        now = START + at * SECOND
        strip.add(sample(now, State.DOWN if number % 3 else State.UP))
        strip.fire(KEY, X if number % 2 else None, now)
        found = look(strip, now)
        moments = [cell.at for cell in found.cells]
        assert moments == sorted(moments)
        assert (len(moments), moments[-1]) == (24, hour_of(now))
        assert found.cells[-1].up + found.cells[-1].down >= 1


def test_the_present_hour_counts_with_the_part_that_has_passed() -> None:
    """A failure in the first minute of an hour is no hour of outage."""
    strip = Strip(SITE)
    strip.add(sample(NOON + 30 * SECOND))
    strip.add(sample(NOON + 60 * SECOND, State.DOWN))
    assert look(strip, NOON + 60 * SECOND).day == Uptime(30 * SECOND, 30 * SECOND)
    assert look(strip, NOON + HOUR).day == Uptime(HOUR / 2, HOUR / 2)


def test_runs_during_maintenance_count_nowhere_and_are_still_the_newest() -> None:
    strip, worked_on = Strip(SITE), Silence("a", Scope("shop"), START, START + HOUR, "ann", maintenance=True)
    strip.add(sample(0, State.DOWN), [worked_on])
    assert not any(look(strip).cells[-1][1:4])
    assert strip.newest is not None
    for other in (
        replace(worked_on, maintenance=False),
        replace(worked_on, scope=Scope("shop", alert="slow")),
        replace(worked_on, scope=Scope("shop", "base")),
        replace(worked_on, since=START - HOUR, until=START),
    ):
        counting = Strip(SITE)
        counting.add(sample(0, State.DOWN), [other])
        assert look(counting).cells[-1].down == 1


def test_what_the_store_sums_up_later_takes_the_place_of_what_was_counted() -> None:
    """Maintenance may be noted late: then its runs vanish from an hour that is over."""
    strip, hours = Strip(SITE), Hours.until(START + HOUR)
    strip.add(sample(0, State.DOWN))
    strip.sum_up(Hour(SITE, NOON, 5, 0, 0, ()), hours)
    strip.add(sample(10, State.DOWN))
    assert strip.look(hours).cells[-2] == (NOON, 5, 0, 0, None)
    strip.sum_up(Hour(SITE, NOON + HOUR, 9, 0, 0, ()), hours)
    assert not any(strip.look(hours).cells[-1][1:4]), "an hour that is not over was not summed up yet"


def test_an_alert_colours_every_hour_in_which_it_fired() -> None:
    strip = Strip(SITE)
    strip.fire(KEY, W, NOON - 5 * HOUR + SECOND)
    strip.fire(KEY, X, NOON - 3 * HOUR + SECOND)
    strip.fire(KEY, N, NOON - 2 * HOUR)
    strip.fire(KEY, None, NOON)
    assert [cell.worst for cell in look(strip).cells[-7:]] == [None, W, W, X, N, N, None]


def test_an_alert_that_goes_on_colours_the_hours_as_they_come() -> None:
    strip = Strip(SITE)
    strip.fire(KEY, W, NOON - HOUR)
    assert [cell.worst for cell in look(strip, NOON - HOUR).cells[-2:]] == [None, W]
    assert [cell.worst for cell in look(strip, NOON + 2 * HOUR).cells[-5:]] == [None, W, W, W, W]
    strip.fire(AlertKey(SITE, "slow"), X, NOON + 2 * HOUR)
    strip.paint(Span(N, NOON - 2 * HOUR, NOON + HOUR))
    assert [cell.worst for cell in look(strip, NOON + 2 * HOUR).cells[-5:]] == [N, W, W, W, X]


def test_what_did_not_change_has_the_same_revision() -> None:
    strip = filled([sample(0)])
    before = strip.revision
    look(strip)
    assert strip.revision == before
    strip.add(sample(10))
    assert strip.revision != before

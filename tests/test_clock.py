"""Time that only moves forward, and never jumps."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import SteadyTime, SystemClock
from tests.fakes import START

SECOND = timedelta(seconds=1)


def test_an_hour_forward_does_not_pass_at_once() -> None:
    """A set clock is leaned towards, not followed."""
    time = SteadyTime(START, timedelta())
    assert time.advance(10 * SECOND, START + timedelta(hours=1)) == START + 11 * SECOND


def test_an_hour_back_does_not_stop_time() -> None:
    """Probing goes on, at nine tenths of its pace."""
    time = SteadyTime(START, timedelta())
    assert time.advance(10 * SECOND, START - timedelta(hours=1)) == START + 9 * SECOND


def test_a_small_correction_is_followed() -> None:
    """Half a second is caught up within five."""
    time = SteadyTime(START, timedelta())
    assert time.advance(10 * SECOND, START + 10.5 * SECOND) == START + 10.5 * SECOND
    assert time.offset(START + 10.5 * SECOND) == timedelta()


@given(readings=st.lists(st.tuples(st.integers(-5, 10**6), st.integers(-(10**7), 10**7)), max_size=50))
def test_time_never_goes_back_and_never_runs_wild(readings: list[tuple[int, int]]) -> None:
    """Whatever the wall clock says, and even if the monotonic one misbehaves."""
    time, monotonic, shown = SteadyTime(START, timedelta()), timedelta(), START
    for step, wall in readings:
        monotonic += timedelta(milliseconds=step)
        now = time.advance(monotonic, START + timedelta(seconds=wall))
        passed = timedelta(milliseconds=max(step, 0))
        assert shown <= now
        assert now - shown <= passed * 1.1 + timedelta(microseconds=2)
        shown = now


async def test_the_system_clock_sleeps_until_the_moment() -> None:
    """And returns at once for a moment that has passed."""
    clock = SystemClock()
    start = clock.now()
    await clock.sleep_until(start + 20 * SECOND / 1000)
    await clock.sleep_until(start)
    assert clock.now() >= start + 20 * SECOND / 1000
    assert abs(clock.offset()) < SECOND

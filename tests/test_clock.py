"""Time that only moves forward, and never jumps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import SteadyTime, SystemClock

SECOND = timedelta(seconds=1)
S = 1_000_000
HOUR = 3_600 * S


def test_an_hour_forward_does_not_pass_at_once() -> None:
    """A set clock is leaned towards, not followed."""
    assert SteadyTime(HOUR, 0).advance(10 * S, HOUR + HOUR) == HOUR + 11 * S


def test_an_hour_back_does_not_stop_time() -> None:
    """Probing goes on, at nine tenths of its pace."""
    assert SteadyTime(HOUR, 0).advance(10 * S, 0) == HOUR + 9 * S


def test_a_small_correction_is_followed() -> None:
    """Half a second is caught up within five."""
    assert SteadyTime(HOUR, 0).advance(10 * S, HOUR + 10_500_000) == HOUR + 10_500_000


@given(readings=st.lists(st.tuples(st.integers(-5, 10**6), st.integers(-(10**7), 10**7)), max_size=50))
def test_time_never_goes_back_and_never_runs_wild(readings: list[tuple[int, int]]) -> None:
    """Whatever the wall clock says, and even if the monotonic one misbehaves."""
    time, monotonic, shown = SteadyTime(HOUR, 0), 0, HOUR
    for step, wall in readings:
        monotonic += step * 1_000
        now = time.advance(monotonic, HOUR + wall * S)
        assert shown <= now
        assert now - shown <= max(step, 0) * 1_100
        shown = now


async def test_the_system_clock_sleeps_until_the_moment() -> None:
    """And returns at once for a moment that has passed."""
    clock = SystemClock()
    start = clock.now()
    await clock.sleep_until(start + 20 * SECOND / 1000)
    await clock.sleep_until(start)
    assert clock.now() >= start + 20 * SECOND / 1000
    assert abs(clock.offset()) < SECOND
    assert abs(clock.wall() - datetime.now(UTC)) < SECOND

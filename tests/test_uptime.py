"""The arithmetic of uptime: up / (up + down), by hours, in months, whatever the pace of the runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.hour import Hour
from monitor.model import CheckId
from monitor.uptime import Uptime, by_month, month_of, of_hour, together

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SITE = CheckId("shop", "site")
COUNTS = st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))


def hour(number: int, up: int, down: int = 0, unknown: int = 0) -> Hour:
    """Return the hour of that number from the beginning of 2026 on."""
    return Hour(SITE, BEGIN + number * HOUR, up, down, unknown, ())


def exact(hours: list[Hour]) -> tuple[Fraction, Fraction]:
    """Return the hours up and down, the plain way."""
    runs = [(one, one.up + one.down + one.unknown) for one in hours]
    up, down = ([Fraction(count, total) for one, total in runs if total for count in (of(one),)] for of in (UP, DOWN))
    return sum(up, Fraction()), sum(down, Fraction())


def UP(one: Hour) -> int:  # noqa: N802 - short, beside DOWN
    return one.up


def DOWN(one: Hour) -> int:  # noqa: N802 - as above
    return one.down


@given(st.dictionaries(st.integers(0, 24 * 400), COUNTS, max_size=60))
def test_months_are_the_sums_of_their_hours(counts: dict[int, tuple[int, int, int]]) -> None:
    """Each hour is in exactly one month; the order does not matter; what is unknown is in none."""
    hours = [hour(number, *runs) for number, runs in counts.items()]
    found = by_month(hours)
    assert list(found) == sorted(found)
    for month, uptime in found.items():
        up, down = exact([one for one in hours if month_of(one.at) == month])
        assert abs(uptime.up / HOUR - float(up)) < 1e-6
        assert abs(uptime.down / HOUR - float(down)) < 1e-6
        assert uptime.ratio is not None
        assert 0 <= uptime.ratio <= 1
    known = {month_of(one.at) for one in hours if one.up or one.down}
    assert set(found) == known
    assert by_month(hours[::-1]) == found


@given(st.lists(st.dictionaries(st.integers(0, 24 * 90), COUNTS, max_size=20), max_size=4))
def test_a_system_has_the_time_of_all_its_checks(checks: list[dict[int, tuple[int, int, int]]]) -> None:
    each = [by_month(hour(number, *runs) for number, runs in counts.items()) for counts in checks]
    system = together(each)
    for month, uptime in system.items():
        assert uptime == sum((one.get(month, Uptime()) for one in each), Uptime())
    assert set(system) == {month for one in each for month in one}


def test_an_hour_of_failures_is_an_hour_however_often_it_was_looked_at() -> None:
    """Every 5 min while it is up, every 10 s while it fails: 360 failed runs among 8,628 are still one hour of 720."""
    hours = [hour(number, 12) for number in range(719)] + [hour(719, 0, 360)]
    uptime = by_month(hours)[date(2026, 1, 1)]
    assert uptime == Uptime(719 * HOUR, HOUR)
    assert str(uptime) == "99.861 %"


def test_what_is_unknown_counts_neither_for_nor_against() -> None:
    """Half of the hour is known, and in a half of that it was down."""
    assert of_hour(hour(0, 3, 3, 6)) == Uptime(HOUR / 4, HOUR / 4)
    assert of_hour(hour(0, 0, 0, 6)) == Uptime()
    assert by_month([hour(0, 0, 0, 6), hour(1, 0, 0, 0)]) == {}
    assert Uptime().ratio is None
    assert str(Uptime()) == "unknown"


@pytest.mark.parametrize(("up", "down", "shown"), [
    (timedelta(days=30), timedelta(), "100.000 %"),
    (timedelta(days=30), timedelta(microseconds=1), "99.999 %"),
    (timedelta(), timedelta(hours=1), "0.000 %"),
    (timedelta(hours=2), timedelta(hours=1), "66.666 %"),
    (timedelta(days=400 * 100), timedelta(seconds=1), "99.999 %"),
])  # fmt: skip
def test_no_outage_is_rounded_away(up: timedelta, down: timedelta, shown: str) -> None:
    assert str(Uptime(up, down)) == shown


def test_months_are_those_of_utc() -> None:
    """The last hour of January and the first of February."""
    january, february = by_month([hour(31 * 24 - 1, 1), hour(31 * 24, 0, 1)]).items()
    assert january == (date(2026, 1, 1), Uptime(up=HOUR))
    assert february == (date(2026, 2, 1), Uptime(down=HOUR))

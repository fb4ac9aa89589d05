"""Hours of the week and the moments of digests, by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.routing import parse_digest, parse_hours

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = parse_hours("Mon-Fri 09:00-18:00 Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def local(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        pytest.param("2026-01-05 08:59:59", False, id="CL-16 a second before nine"),
        pytest.param("2026-01-05 09:00", True, id="CL-16 at nine"),
        pytest.param("2026-01-05 17:59:59", True, id="CL-16 a second before six"),
        pytest.param("2026-01-05 18:00", False, id="CL-16 at six"),
        pytest.param("2026-01-10 12:00", False, id="CL-16 on a Saturday"),
        pytest.param("2026-07-06 09:00", True, id="CL-16 in summer"),
    ],
)
def test_office_hours_are_those_of_the_zone(moment: str, *, is_open: bool) -> None:
    """In winter and in summer."""
    assert OFFICE.open_at(local(moment)) is is_open


def test_a_holiday_is_closed_all_day() -> None:
    """Also what began the evening before goes on past midnight; what begins on it does not."""
    holidays = frozenset({date(2026, 12, 25)})
    assert not parse_hours("00:00-24:00", "Europe/Berlin", holidays).open_at(local("2026-12-25 12:00"))
    night = parse_hours("22:00-06:00 Europe/Berlin", holidays=holidays)
    assert night.open_at(local("2026-12-25 05:59"))
    assert not night.open_at(local("2026-12-25 23:00"))
    assert not night.open_at(local("2026-12-26 05:00"))


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    """`Fri 22:00-06:00` is open on Saturday morning and not on Friday morning."""
    night = parse_hours("Fri 22:00-06:00")
    assert night.open_at(datetime(2026, 1, 10, 5, tzinfo=UTC))
    assert not night.open_at(datetime(2026, 1, 9, 5, tzinfo=UTC))


def test_several_stretches_make_one_week() -> None:
    """Days as a list and as a span, also over the weekend."""
    hours = parse_hours("Mon-Thu,Sat 09:00-12:00, Fri-Mon 20:00-21:00")
    opened = [begin for begin, _ in hours.around(datetime(2026, 1, 5, tzinfo=UTC))]
    assert [f"{begin:%a %H}" for begin in opened if begin < datetime(2026, 1, 12, tzinfo=UTC)] == [
        *("Mon 09", "Mon 20", "Tue 09", "Wed 09", "Thu 09", "Fri 20", "Sat 09", "Sat 20", "Sun 20"),
    ]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param("2026-03-29", 2, id="when the clock goes forward"),
        pytest.param("2026-10-25", 4, id="when it goes back"),
        pytest.param("2026-10-18", 3, id="on any other Sunday"),
    ],
)
def test_a_night_over_a_change_of_the_clock_is_as_long_as_the_clock_shows(day: str, hours: int) -> None:
    """From 1 to 4 o'clock on the wall."""
    night = parse_hours("Sun 01:00-04:00 Europe/Berlin")
    begin, end = next(iter(night.around(local(f"{day} 00:30"))))
    assert (begin, end - begin) == (local(f"{day} 01:00"), hours * HOUR)


@pytest.mark.parametrize(
    "text", ["09:00 Europe/Berlin", "Mon 09:00 Europe/Berlin", "Sat,Sun 00:00", "02:30 Europe/Berlin"]
)
@given(ahead=st.integers(0, 400 * 86_400))
def test_a_digest_leaves_at_its_time_and_never_twice_in_a_day(text: str, ahead: int) -> None:
    """Whenever one asks: the next moment is later, is that time on the wall, and no such moment lies between."""
    digest = parse_digest(text)
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=ahead)
    leaves = digest.after(now)
    assert leaves > now
    shown = leaves.astimezone(ZoneInfo(digest.zone))
    skipped = shown.month == 3 and text.startswith("02:30")
    assert skipped or timedelta(hours=shown.hour, minutes=shown.minute) == digest.at
    assert leaves - now <= (8 * DAY if digest.days != frozenset(range(7)) else DAY + HOUR)
    assert digest.after(leaves - timedelta(microseconds=1)) == leaves


def test_the_zone_of_the_file_counts_where_the_text_names_none() -> None:
    """And the text's own before it."""
    assert parse_hours("09:00-18:00", "Europe/Berlin").zone == "Europe/Berlin"
    assert parse_hours("Mon 09:00-18:00 Asia/Tokyo", "Europe/Berlin").zone == "Asia/Tokyo"
    assert parse_digest("09:00", "Europe/Berlin").zone == "Europe/Berlin"


@pytest.mark.parametrize(
    "text", ["", "always", "Mon-Fri", "09:00", "25:00-26:00", "09:00-09:00", "Foo 09:00-18:00", "09:00-18:00 Mars/Base"]
)
def test_what_makes_no_hours_is_refused_in_a_sentence(text: str) -> None:
    """Never by a crash of another kind."""
    with pytest.raises(ValueError, match=r"is not a|are no hours|begins when"):
        parse_hours(text)


@pytest.mark.parametrize("text", ["", "soon", "24:00", "9:00", "Mon-Foo 09:00", "09:00 Mars/Base"])
def test_what_makes_no_digest_is_refused_in_a_sentence(text: str) -> None:
    """Likewise."""
    with pytest.raises(ValueError, match=r"is not a|a day ends"):
        parse_digest(text)

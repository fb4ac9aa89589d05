"""When something ends that people begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.moments import LONGEST, ending

NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc] # the parts of a date


@pytest.mark.parametrize(
    ("lasting", "until", "zone", "end"),
    [
        ("", "", "", None),
        ("", "", BERLIN, None),
        ("90m", "", "", NOW + timedelta(minutes=90)),
        ("", "2026-10-20 18:00", "", utc(2026, 10, 20, 18)),
        ("", "2026-10-20 18:00", BERLIN, utc(2026, 10, 20, 16)),
        ("", "2026-10-20T18:00:30+05:30", "", utc(2026, 10, 20, 12, 30, 30)),
        ("", "2026-10-25 01:30", BERLIN, utc(2026, 10, 24, 23, 30)),
        ("", "2026-10-25 02:30", BERLIN, utc(2026, 10, 25, 1, 30)),  # there are two; the later one
        ("", "2026-10-25 03:30", BERLIN, utc(2026, 10, 25, 2, 30)),
    ],
)
def test_when_it_ends(lasting: str, until: str, zone: str, end: datetime | None) -> None:
    assert ending(NOW, lasting, until, zone) == end


@pytest.mark.parametrize(
    ("lasting", "until", "zone", "said"),
    [
        ("1h", "2026-10-20 18:00", "", "and not both"),
        ("soon", "", "", "is not a duration"),
        ("0s", "", "", "ends before it begins"),
        ("401d", "", "", "longer than 400 days"),
        ("", "tomorrow", "", "is not a date and a time"),
        ("", "2026-10-20 11:59", "", "ends before it begins: it is 2026-10-20 12:00:00 UTC"),
        ("", "2026-10-20 18:00", "Europe/Berlyn", "is not a time zone"),
        ("", "2026-10-20 18:00", "Europe", "is not a time zone"),
        ("", "2026-10-20 18:00", "../etc/passwd", "is not a time zone"),
        ("", "2026-10-20 18:00Z", BERLIN, "needs no zone"),
        ("", "2027-03-28 02:30", BERLIN, "is skipped in Europe/Berlin"),
        ("", "9999-12-31 23:59", "", "longer than"),
        ("", "9999-12-31 23:59", "America/New_York", "is beyond all calendars"),
    ],
)
def test_what_makes_no_sense(lasting: str, until: str, zone: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ending(NOW, lasting, until, zone)


@given(st.datetimes(datetime(2026, 10, 21), datetime(2027, 11, 1)), st.sampled_from([BERLIN, "America/New_York", ""]))  # noqa: DTZ001 - as people write it
def test_a_time_of_day_is_that_of_the_zone_whatever_its_clocks_do(moment: datetime, zone: str) -> None:
    """Or it never is there."""
    there = ZoneInfo(zone or "UTC")
    if moment.replace(tzinfo=there).astimezone(UTC).astimezone(there).replace(tzinfo=None) != moment:
        with pytest.raises(ValueError, match="is skipped"):
            ending(NOW, until=moment.isoformat(), zone=zone)
        return
    end = ending(NOW, until=moment.isoformat(), zone=zone)
    assert end is not None
    assert end.astimezone(there).replace(tzinfo=None) == moment
    assert NOW < end <= NOW + LONGEST

"""When the systems are worked on: dated, weekly and by cron, over the changes of the clock too."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.maintenance import TEMPLATE, Announcement, Maintenance
from monitor.model import AlertKey, CheckId
from monitor.routing import parse_hours

BERLIN = "Europe/Berlin"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PLAIN = Maintenance("tatame", "Tatame", "Upgrade", BERLIN)
NOTICE = Announcement(("ops",), DAY, TEMPLATE)
DATED = replace(PLAIN, at=datetime(2026, 12, 5, 22), length=2 * HOUR, announcement=NOTICE)  # noqa: DTZ001 - local
WEEKLY = replace(PLAIN, weekly=parse_hours("Sun 01:30-03:30", BERLIN))
NIGHTLY = replace(PLAIN, cron="30 2 * * *", length=HOUR)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)


def test_a_dated_one_is_known_24_hours_ahead_and_comes_once() -> None:
    """TA-23."""
    assert list(DATED.coming(local("2026-12-04 21:59:59"))) == []
    (only,) = DATED.coming(local("2026-12-04 22:00"))
    assert only == (local("2026-12-05 22:00"), local("2026-12-06 00:00"))
    assert list(DATED.coming(local("2026-12-05 23:59:59"))) == [only]
    assert list(DATED.coming(local("2026-12-06 00:00"))) == []


def test_the_template_says_date_start_end_and_zone() -> None:
    """TA-23: by the clocks of the zone."""
    (only,) = DATED.coming(local("2026-12-05 12:00"))
    assert DATED.text(only) == (
        "Scheduled maintenance of Tatame: Upgrade. On Saturday, 5 December 2026 from 22:00 to 00:00 on Sunday, "
        "6 December (Europe/Berlin), about 2 h. Alerts are held back meanwhile."
    )


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param("2026-10-25", 3, id="TA-23 when the clock goes back"),
        pytest.param("2026-03-29", 1, id="TA-23 when it goes forward"),
        pytest.param("2026-10-18", 2, id="TA-23 on any other Sunday"),
    ],
)
def test_a_weekly_one_keeps_to_the_clock_on_the_wall(day: str, hours: int) -> None:
    """From 01:30 to 03:30, whatever happens in between."""
    (only,) = WEEKLY.coming(local(f"{day} 01:30"))
    assert only.begin == local(f"{day} 01:30")
    assert only.end - only.begin == hours * HOUR
    assert list(WEEKLY.coming(only.end)) == []


def test_one_by_cron_goes_on_while_it_lasts() -> None:
    """Also for who asks only in its middle."""
    begin = local("2026-11-02 02:30")
    assert list(NIGHTLY.coming(begin)) == [(begin, begin + HOUR)]
    assert list(NIGHTLY.coming(begin + HOUR - timedelta(seconds=1))) == [(begin, begin + HOUR)]
    assert list(NIGHTLY.coming(begin + HOUR)) == []


@given(seconds=st.integers(0, 400 * 86_400))
def test_what_comes_is_the_same_whenever_one_asks(seconds: int) -> None:
    """So that its silence has one id, and is announced once."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    for window in (WEEKLY, NIGHTLY):
        for occurrence in islice(window.coming(now), 3):
            assert occurrence.begin <= now < occurrence.end
            again = list(window.coming(occurrence.end - timedelta(seconds=1)))
            assert occurrence in again
            assert window.silences(occurrence) == window.silences(again[again.index(occurrence)])


def test_it_silences_its_checks_and_counts_as_maintenance() -> None:
    """All checks of the system where it names none."""
    (only,) = DATED.coming(local("2026-12-05 22:30"))
    (whole,) = DATED.silences(only)
    assert whole.maintenance
    assert whole.holds(AlertKey(CheckId("tatame", "site"), "down"), only.begin)
    assert not whole.holds(AlertKey(CheckId("tatame", "site"), "down"), only.end)
    assert not whole.holds(AlertKey(CheckId("shop", "site"), "down"), only.begin)
    part = replace(PLAIN, checks=("database", "cache"), weekly=WEEKLY.weekly)
    assert [silence.scope.check for silence in part.silences(only)] == ["database", "cache"]

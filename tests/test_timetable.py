"""When a job is due, held against cron's own rules played out minute by minute, over the changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.timetable import EARLY, NEVER, Timetable, cron_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu")
SPRING, AUTUMN = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)
"""When Berlin's clocks go from 02:00 to 03:00, and from 03:00 back to 02:00."""
moments = st.one_of(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.builds(lambda change, off: change + off, st.sampled_from([SPRING, AUTUMN]), st.timedeltas(-2 * DAY, 2 * DAY)),
)
hours = st.sets(st.integers(0, 23), min_size=1, max_size=3)
minutes = st.sets(st.integers(0, 59), min_size=1, max_size=3)


def berlin(text: str) -> datetime:
    """Return a moment on Berlin's clock; with + the second of two."""
    return datetime.fromisoformat(text.strip("+")).replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=text.endswith("+"))


def listed(numbers: set[int]) -> str:
    return ",".join(map(str, sorted(numbers)))


def after(cron: str, moment: datetime, zone: str = "Europe/Berlin") -> datetime:
    return Timetable(cron=cron, zone=zone).after(moment.astimezone(UTC)).at


@given(moments, st.timedeltas(timedelta(seconds=1), 400 * DAY))
def test_a_period_counts_from_the_last_success(moment: datetime, period: timedelta) -> None:
    """In time that passes: a day is 24 hours, whatever the clocks do."""
    assert Timetable(period).after(moment) == (moment + period, period)


def played(wanted: set[tuple[int, int]], zone: ZoneInfo, start: datetime) -> Iterator[datetime]:
    """Yield when jobs run that name minutes of hours: as cron does, minute by minute.

    Debian's manual: what lies in the hour that is left out runs soon after the change, and nothing runs twice in the
    hour that is repeated.
    """
    at = start.replace(second=0, microsecond=0)
    before = at.astimezone(zone).replace(tzinfo=None)
    while True:
        at += MINUTE
        local = at.astimezone(zone)
        shown = local.replace(tzinfo=None, fold=0)
        passed = [shown - MINUTE * back for back in range(max((shown - before) // MINUTE, 1))]
        before = shown
        if not local.fold and any((each.hour, each.minute) in wanted for each in passed):
            yield at


@example({2}, {30}, "Europe/Berlin", SPRING - HOUR)
@example({2}, {30}, "Europe/Berlin", AUTUMN + 10 * MINUTE)
@example({2}, {0, 30}, "Europe/Berlin", AUTUMN - 50 * MINUTE)
@example({1}, {45}, "Australia/Lord_Howe", datetime(2026, 4, 4, 14, 50, tzinfo=UTC))
@given(hours, minutes, st.sampled_from(ZONES), moments)
def test_what_names_hours_is_due_when_cron_runs_it(
    hours: set[int], minutes: set[int], zone: str, moment: datetime
) -> None:
    due = Timetable(cron=f"{listed(minutes)} {listed(hours)} * * *", zone=zone).after(moment)
    runs = played({(hour, minute) for hour in hours for minute in minutes}, ZoneInfo(zone), moment - 2 * HOUR)
    comes = [next(run for run in runs if run > moment)]
    comes += [next(runs), next(runs)]
    early = comes[0] - moment <= min(EARLY, (comes[1] - comes[0]) / 10)
    assert due == (comes[early], comes[early + 1] - comes[early])


@given(st.sampled_from([5, 15, 30]), st.sampled_from(ZONES), moments)
def test_what_runs_every_few_minutes_goes_by_time_that_passes(step: int, zone: str, moment: datetime) -> None:
    """Also in the hour that comes twice."""
    due = Timetable(cron=f"*/{step} * * * *", zone=zone).after(moment)
    first = next(
        at
        for at in ((moment + MINUTE * n).replace(second=0, microsecond=0) for n in range(1, 99))
        if not at.astimezone(ZoneInfo(zone)).minute % step
    )
    assert due.at in {first, first + due.gap}
    assert moment < due.at <= moment + step * MINUTE + EARLY


@given(
    st.sampled_from(["0 3 * * *", "*/10 * * * *", "30 2 * * SUN", "0 0 1 * *", "15 2,3 * * 1-5", "0 0 29 2 *"]),
    st.sampled_from(ZONES),
    moments,
)
def test_the_next_is_always_later(cron: str, zone: str, moment: datetime) -> None:
    """Whatever clock shows what: an expected moment in the past would page at once."""
    due = Timetable(cron=cron, zone=zone).after(moment)
    assert due.at > moment
    assert due.gap > timedelta()
    assert due.at.tzinfo is UTC


@pytest.mark.parametrize(
    ("cron", "last", "due"),
    [
        ("30 2 * * *", "2026-03-28 02:40", "2026-03-29 03:00"),  # 02:30 is left out
        ("30 2 * * *", "2026-03-29 03:05", "2026-03-30 02:30"),
        ("30 2 * * *", "2026-10-24 02:40", "2026-10-25 02:30"),  # of two the first
        ("30 2 * * *", "2026-10-25 02:10+", "2026-10-26 02:30"),  # a run that ended after the clock went back
        ("0 * * * *", "2026-10-25 02:05", "2026-10-25 02:00+"),
        ("0 4 * * *", "2026-10-24 04:05", "2026-10-25 04:00"),
        ("0 3 * * *", "2026-06-01 02:59:30", "2026-06-02 03:00"),  # a little early
        ("0 3 * * *", "2026-06-01 02:58:30", "2026-06-01 03:00"),
        ("0 9 * * 1-5", "2026-11-20 09:01", "2026-11-23 09:00"),
    ],
)
def test_over_the_change_of_the_clocks(cron: str, last: str, due: str) -> None:
    assert after(cron, berlin(last)) == berlin(due).astimezone(UTC)


def test_what_never_comes_is_never_due() -> None:
    """The first of January that is the fifth Monday of its month."""
    assert cron_fault("0 0 */40 1 1#5") == "'0 0 */40 1 1#5' never comes"
    assert Timetable(cron="0 0 */40 1 1#5").after(AUTUMN).at == NEVER


@pytest.mark.parametrize("cron", ["* * * * *", "0 3 * * *", "0 0 29 2 1#5", "59 23 31 12 *"])
def test_no_expression_takes_long(cron: str) -> None:
    """It is computed at each look."""
    started = perf_counter()
    Timetable(cron=cron, zone="Europe/Berlin").after(AUTUMN)
    assert perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "has not the five fields"),
        ("@daily", "has not the five fields"),
        ("0 3 * *", "has not the five fields"),
        ("0 0 3 * * *", "has not the five fields"),
        ("61 3 * * *", "bad minute"),
        ("0 3 * * 8", "bad day-of-week"),
        ("0 0 31 2 *", "bad day-of-month"),
        ("0 0 L/2 x *", "bad month"),
        ("0 3 * * *", ""),
        ("*/5 0-6 LW JAN-MAR MON#1", ""),
    ],
)
def test_what_is_no_expression_is_told_when_the_file_is_read(text: str, fault: str) -> None:
    found = cron_fault(text)
    assert fault in found
    assert bool(found) == bool(fault)


@given(st.text(st.sampled_from("0123456789*/,-L#W MONJA"), max_size=20))
def test_no_text_is_an_error_of_ours(text: str) -> None:
    """Whatever a file says is a fault in words, or can be computed."""
    if not cron_fault(text):
        assert Timetable(cron=text).after(AUTUMN).at > AUTUMN


def test_a_timetable_that_differs_has_another_text() -> None:
    tables = [Timetable(HOUR), Timetable(DAY), Timetable(cron="0 3 * * *"), Timetable(cron="0 3 * * *", zone=ZONES[1])]
    assert len({table.text for table in tables}) == len(tables)

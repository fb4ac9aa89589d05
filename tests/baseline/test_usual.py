"""`usual`: the median of the same hour of the week on the clock of the zone, whatever was on one of those weeks."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.baseline import Baseline
from monitor.baseline.usual import MOST_SERIES, SIZE, expected, overlaps, ratio, same_hours
from monitor.hour import Hour, HourMeasure
from monitor.units import Unit
from monitor.watch import parse_watch, settled
from tests.baseline.hours import DAY, EPOCH, HOUR, MONDAY, WEEK, counter, each_hour, hour, measure, micros, of, past

if TYPE_CHECKING:
    from monitor.model import Labels

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
HOURS = st.integers(micros(datetime(2011, 1, 1, tzinfo=UTC)) // 3_600_000_000, 560_000)
NEXT_WEEK = MONDAY + 4 * WEEK


def by_hour(at: datetime) -> list[HourMeasure]:
    """Return a value that tells the hour of the day: 1 to 24."""
    return [measure(1.0 + at.hour)]


def times(watch_and_past: tuple[object, Baseline], value: float, at: datetime) -> float:
    """Return how many times the usual `value` is at that moment."""
    watch, baseline = watch_and_past
    return baseline.read(watch, {(): value}, micros(at))[()]  # type: ignore[arg-type]


def test_a_value_is_divided_by_that_of_its_hour_of_the_week() -> None:
    known = past("usual(x, 1h)", each_hour(4, by_hour))
    assert times(known, 10.0, NEXT_WEEK + 10 * HOUR) == 1.0
    assert times(known, 30.0, NEXT_WEEK + 10 * HOUR) == 3.0
    assert times(known, 10.0, NEXT_WEEK + 5 * HOUR) == 2.0


def test_a_window_between_two_hours_is_held_against_both_by_its_share_of_each() -> None:
    """A quarter past ten: three quarters of the hour before lie in nine o'clock's."""
    known = past("usual(x, 1h)", each_hour(4, by_hour))
    at = NEXT_WEEK + timedelta(hours=10, minutes=15)
    assert times(known, 1.0, at) == pytest.approx(1 / (0.75 * 10 + 0.25 * 11))


def test_a_day_is_held_against_all_its_hours() -> None:
    known = past("usual(x, 1d)", each_hour(4, by_hour))
    assert times(known, 12.5, NEXT_WEEK) == pytest.approx(1.0)


def test_it_is_blind_for_two_weeks_and_not_an_hour_longer() -> None:
    """The last hour of the fourteenth day must have been summed up."""
    hours = each_hour(2, by_hour)
    watch, known = past("usual(x, 1h)", hours[:-1])
    assert known.blind(watch)
    assert math.isnan(times((watch, known), 5.0, MONDAY + 2 * WEEK + HOUR))
    known.add(hours[-1])
    assert not known.blind(watch)
    assert times((watch, known), 1.0, MONDAY + 2 * WEEK + HOUR) == 1.0


def test_a_series_that_came_later_waits_for_its_own_two_values() -> None:
    """The check is watched for a month; a label is there since eight days."""
    since, new = MONDAY + 4 * WEEK - 8 * DAY, of("new")

    def both(at: datetime) -> list[HourMeasure]:
        return [measure(2.0), *([measure(4.0, new)] if at >= since else [])]

    watch, known = past("usual(x, 1h)", each_hour(4, both))
    found = known.read(watch, {(): 2.0, new: 4.0}, micros(NEXT_WEEK + HOUR))
    assert found[()] == 1.0
    assert math.isnan(found[new])


@pytest.mark.parametrize("lost", [0.0, 1_000.0])
def test_an_outage_of_a_day_moves_nothing(lost: float) -> None:
    """Neither silence nor a thousand times the errors, while the check itself was up."""
    hours = each_hour(4, by_hour)
    day = slice(7 * 24 + 24, 7 * 24 + 48)
    hours[day] = [hour(one.at, measure(lost)) for one in hours[day]]
    known = past("usual(x, 1h)", hours)
    for number in range(24):
        at = NEXT_WEEK + DAY + (number + 1) * HOUR
        assert times(known, 1.0 + number, at) == 1.0


def test_a_week_of_holidays_moves_nothing() -> None:
    hours = each_hour(4, by_hour)
    hours[168:336] = [hour(one.at, measure(0.1)) for one in hours[168:336]]
    assert times(past("usual(x, 1h)", hours), 10.0, NEXT_WEEK + 10 * HOUR) == 1.0


@pytest.mark.parametrize(("up", "down", "unknown"), [(2, 2, 0), (2, 0, 2), (0, 4, 0), (0, 0, 0)])
def test_an_hour_that_was_not_mostly_up_does_not_count(up: int, down: int, unknown: int) -> None:
    """What a failing target says is no measure of what is usual."""
    hours = [
        Hour(one.check, one.at, up, down, unknown, (measure(99.0),)) if 168 <= number < 336 else one
        for number, one in enumerate(each_hour(3, by_hour))
    ]
    known = past("usual(x, 1h)", hours)
    assert times(known, 10.0, MONDAY + 3 * WEEK + 10 * HOUR) == 1.0


def test_what_is_going_on_is_not_held_against_itself() -> None:
    """A surge that has lasted for six days is as far from usual as on its first."""
    calm, surge = each_hour(4, by_hour), each_hour(6 / 7, lambda at: [measure(50.0 * (1 + at.hour))], NEXT_WEEK)
    known = past("usual(x, 1h)", [*calm, *surge])
    assert times(known, 500.0, NEXT_WEEK + 6 * DAY + 10 * HOUR) == 50.0


def test_only_the_last_eight_weeks_are_looked_at() -> None:
    old, new = each_hour(8, lambda _: [measure(1.0)]), each_hour(8, lambda _: [measure(7.0)], MONDAY + 8 * WEEK)
    assert times(past("usual(x, 1h)", [*old, *new]), 7.0, MONDAY + 16 * WEEK) == 1.0


def test_a_long_gap_makes_it_blind_again() -> None:
    watch, known = past("usual(x, 1h)", each_hour(8, by_hour))
    known.add(hour(MONDAY + 18 * WEEK, measure(1.0)))
    assert known.depth(watch) == HOUR
    assert known.blind(watch)


def test_a_stale_value_is_none_of_the_last_eight_weeks() -> None:
    """The ring still holds it, but the hour that stood there is another."""
    watch, known = past("usual(x, 1h)", each_hour(2, lambda _: [measure(1.0)]))
    later = MONDAY + SIZE * HOUR
    for one in each_hour(2.5, lambda _: [measure(5.0)], later):
        known.add(one)
    assert times((watch, known), 5.0, later + 2 * WEEK + 12 * HOUR) == 1.0


def test_the_same_hour_is_the_same_on_the_clock_of_the_zone() -> None:
    """At nine in Berlin everybody comes to work, in winter at eight UTC and in summer at seven."""
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 3, 2, tzinfo=UTC)

    def at_work(at: datetime) -> list[HourMeasure]:
        return [measure(100.0 if at.astimezone(berlin).hour >= 9 else 1.0)]

    hours = each_hour(5, at_work, start)
    at = datetime(2026, 4, 6, 10, 0, tzinfo=berlin)
    assert times(past("usual(x, 1h)", hours, berlin), 100.0, at.astimezone(UTC)) == 1.0
    assert times(past("usual(x, 1h)", hours, UTC), 100.0, at.astimezone(UTC)) == 100.0


@given(HOURS, st.sampled_from(ZONES))
def test_the_hours_before_show_the_same_time_wherever_the_clock_ever_shows_it(number: int, name: str) -> None:
    """Eight of them, a week apart, within an hour where the clock was set, or a day where the calendar was."""
    zone = ZoneInfo(name)
    found = same_hours(number, zone)
    assert len(found) == len(set(found)) == 8
    here = datetime.fromtimestamp(number * 3600, zone)
    for weeks, other in enumerate(found, 1):
        there = datetime.fromtimestamp(other * 3600, zone)
        wall = (here - weeks * WEEK).replace(fold=0)
        exists = wall.astimezone(UTC).astimezone(zone).replace(fold=0, tzinfo=None) == wall.replace(tzinfo=None)
        if exists and wall.utcoffset() in {here.utcoffset(), (here.utcoffset() or timedelta()) + HOUR}:
            assert (there.weekday(), there.hour) == (here.weekday(), here.hour)
        assert abs(number - other - weeks * 168) <= 24
    if name == "UTC":
        assert found == [number - weeks * 168 for weeks in range(1, 9)]


@given(st.integers(0, 10**13), st.integers(1, 10**11))
def test_a_window_is_parted_without_rest(start: int, length: int) -> None:
    """Hours follow each other, the shares add up to the whole, and each is that of its hour."""
    parts = overlaps(start, start + length)
    numbers = [number for number, _ in parts]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert math.isclose(math.fsum(share for _, share in parts), 1)
    for number, share in parts:
        begin, end = max(start, number * 3_600_000_000), min(start + length, (number + 1) * 3_600_000_000)
        assert end > begin
        assert math.isclose(share, (end - begin) / length)


def reference(hours: dict[int, float], start: int, length: int) -> float:
    """Return what is usual in UTC, minute by minute and as plainly as can be; NaN where half of it is not known."""
    minutes = []
    for minute in range(start, start + length):
        number = minute // 60
        values = [hours[number - weeks * 168] for weeks in range(1, 9) if number - weeks * 168 in hours]
        minutes.append(median(values) if len(values) >= 2 else math.nan)
    known = [value for value in minutes if not math.isnan(value)]
    return math.fsum(known) / len(known) if 2 * len(known) > len(minutes) else math.nan


@given(
    st.dictionaries(st.tuples(st.integers(0, 10), st.integers(-3, 3)), st.floats(0.5, 1e6) | st.just(1.0), max_size=40),
    st.integers(-90, 90),
    st.sampled_from([1, 30, 60, 90, 180, 1440]),
)
def test_it_agrees_with_a_plain_reference(sparse: dict[tuple[int, int], float], minute: int, length: int) -> None:
    """Whatever hours there are, for windows of any length at any minute."""
    now = (MONDAY + 12 * WEEK - EPOCH) // HOUR
    hours = {now - weeks * 168 + offset: value for (weeks, offset), value in sparse.items()}
    watch = parse_watch(f"usual(x, {length}m)")
    end = now * 60 + minute
    known = Baseline([watch])
    for number, value in sorted(hours.items()):
        if number * 60 < end:
            known.add(hour(EPOCH + number * HOUR, measure(value, count=1)))
    found = known._compared[watch.text].read({(): 1.0}, end * 60_000_000)[()]
    wanted = reference({number: value for number, value in hours.items() if number * 60 < end}, end - length, length)
    assert (math.isnan(found) and math.isnan(wanted)) or found == pytest.approx(1 / wanted)


def test_reading_again_after_more_hours_gives_what_a_fresh_start_would() -> None:
    """Medians are kept while a window needs them: an hour that is added later must not be missed."""
    hours = each_hour(3, by_hour)
    watch, grown = past("usual(x, 3h)", hours[: 2 * 168])
    for index in range(2 * 168, 3 * 168):
        grown.add(hours[index])
        at = hours[index].at + timedelta(minutes=90)
        fresh = past("usual(x, 3h)", hours[: index + 1]) if index % 40 == 0 else None
        value = times((watch, grown), 7.0, at)
        assert fresh is None or times(fresh, 7.0, at) == value


def test_hours_that_come_a_week_late_are_not_missed() -> None:
    """The store was away for so long, while what is usual was asked for at every run."""
    hours = each_hour(4, lambda at: [measure(1.0 + 2 * ((at - MONDAY) // WEEK))])
    watch, late = past("usual(x, 1h)", hours[: 20 * 24])
    assert times((watch, late), 6.0, NEXT_WEEK) == 3.0
    for one in hours[20 * 24 :]:
        late.add(one)
    assert times((watch, late), 6.0, NEXT_WEEK) == times(past("usual(x, 1h)", hours), 6.0, NEXT_WEEK) == 2.0


@given(st.floats(allow_nan=False), st.floats(allow_nan=False), st.floats(0, 1e300))
def test_a_ratio_is_never_an_error(value: float, usual: float, floor: float) -> None:
    """Nothing divided by nothing is as usual; something where nothing is usual is infinitely far from it."""
    found = ratio(value, usual, floor)
    if floor and (value >= 0 and usual >= 0) and math.isfinite(value) and math.isfinite(usual):
        assert found == max(value, floor) / max(usual, floor)
    elif not floor and not usual:
        assert found == (1.0 if not value else math.copysign(math.inf, value))
    if not math.isnan(found) and not floor:
        assert ratio(-value, -usual, 0.0) == found or not usual


def test_where_nothing_is_usual_the_least_amount_decides() -> None:
    """At night there are no errors: one is infinitely many, unless less than ten do not count."""
    quiet = each_hour(4, lambda _: [measure(0.0)])
    assert times(past("usual(x, 1h)", quiet), 0.0, NEXT_WEEK) == 1.0
    assert times(past("usual(x, 1h)", quiet), 1.0, NEXT_WEEK) == math.inf
    watch = settled(parse_watch("usual(x, 1h, 10)"), Unit.NUMBER)
    known = Baseline([watch])
    for one in quiet:
        known.add(one)
    assert times((watch, known), 9.0, NEXT_WEEK) == 1.0
    assert times((watch, known), 40.0, NEXT_WEEK) == 4.0


def test_of_a_counter_the_rates_are_compared() -> None:
    """It grows by 3,600 an hour; what is seen now is its rate over the window."""

    def grown(at: datetime) -> list[HourMeasure]:
        begun = (at - MONDAY).total_seconds()
        return [counter(begun, begun + 3_540)]

    known = past("usual(rate(x, 1h))", each_hour(4, grown))
    assert times(known, 3.0, NEXT_WEEK) == 3.0
    assert known[1].tell(known[0], {(): 3.0}, micros(NEXT_WEEK), (), Unit.NUMBER) == (
        "3/s, where 1/s is usual at this hour of the week"
    )


def test_an_hour_in_which_a_counter_began_again_says_nothing_of_its_rate() -> None:
    """Each Monday after ten it is deployed: that hour and the one before it are lost, and no other."""

    def deployed(at: datetime) -> list[HourMeasure]:
        since = (at - (MONDAY + 10 * HOUR)) % WEEK
        if since < HOUR:
            return [counter(0.0, WEEK.total_seconds())]
        return [counter(since.total_seconds(), since.total_seconds() + 3_540)]

    known = past("usual(rate(x, 1h))", each_hour(4, deployed))
    assert math.isnan(times(known, 1.0, NEXT_WEEK + 10 * HOUR))
    assert math.isnan(times(known, 1.0, NEXT_WEEK + 11 * HOUR))
    assert times(known, 2.0, NEXT_WEEK + 9 * HOUR) == pytest.approx(2.0)
    assert times(known, 2.0, NEXT_WEEK + 12 * HOUR) == pytest.approx(2.0)


def test_a_gap_in_a_counter_is_no_hour() -> None:
    """What it grew by meanwhile was not within one hour."""
    hours = [
        one
        for one in each_hour(4, lambda at: [counter((at - MONDAY) / HOUR, (at - MONDAY) / HOUR + 0.9)])
        if one.at.hour != 5
    ]
    known = past("usual(rate(x, 1h))", hours)
    assert math.isnan(times(known, 1.0, NEXT_WEEK + 5 * HOUR))
    assert math.isnan(times(known, 1.0, NEXT_WEEK + 6 * HOUR))
    assert times(known, 1 / 3600, NEXT_WEEK + 7 * HOUR) == pytest.approx(1.0)


def test_half_a_window_must_be_known() -> None:
    known: dict[Labels, float] = {(): 2.0}
    assert expected([(0.6, known), (0.4, {})], ()) == 2.0
    assert math.isnan(expected([(0.5, known), (0.5, {})], ()))
    assert math.isnan(expected([], ()))


@pytest.mark.parametrize("odd", [math.inf, -math.inf])
def test_a_sum_beyond_every_float_is_no_value(odd: float) -> None:
    hours = each_hour(4, by_hour)
    hours[:168] = [hour(one.at, HourMeasure("x", (), 2, odd, 1.0, 1.0)) for one in hours[:168]]
    assert times(past("usual(x, 1h)", hours), 10.0, NEXT_WEEK + 10 * HOUR) == 1.0


def test_of_thousands_of_series_the_first_are_known_and_those_that_vanished_make_room() -> None:
    """Memory is bounded, and nobody who was there first is pushed out."""
    first = [measure(1.0, of(f"a{number:04}")) for number in range(MOST_SERIES + 200)]
    watch, known = past("usual(x, 1h)", [hour(MONDAY, *first)])
    compared = known._compared[watch.text]
    rings = compared._rings  # type: ignore[attr-defined]
    assert set(rings) == {one.labels for one in first[:MOST_SERIES]}
    known.add(hour(MONDAY + 8 * WEEK, measure(1.0, of("b"))))
    assert len(rings) == MOST_SERIES
    known.add(hour(MONDAY + 9 * WEEK, measure(1.0, of("b"))))
    assert set(rings) == {of("b")}


def test_other_measures_and_series_that_are_not_selected_take_no_room() -> None:
    watch, known = past(
        'usual(x{type="a"}, 1h)', [hour(MONDAY, measure(1.0, of("a")), measure(1.0, of("c"), name="y"))]
    )
    known.add(hour(MONDAY + HOUR, measure(1.0, of("b"))))
    assert set(known._compared[watch.text]._rings) == {of("a")}  # type: ignore[attr-defined]


def test_the_page_says_what_was_compared() -> None:
    known = past("usual(x, 1h)", each_hour(4, lambda _: [measure(0.2)]))
    watch, baseline = known
    at = micros(NEXT_WEEK)
    assert baseline.tell(watch, {(): 0.6}, at, (), Unit.SECONDS) == (
        "600 ms, where 200 ms is usual at this hour of the week"
    )
    assert baseline.tell(watch, {}, at, (), Unit.SECONDS) == ""
    assert baseline.tell(watch, {(): 0.6}, micros(MONDAY), (), Unit.SECONDS) == ""
    least = settled(parse_watch("usual(x, 1h, 300ms)"), Unit.SECONDS)
    baseline = Baseline([least])
    for one in each_hour(4, lambda _: [measure(0.2)]):
        baseline.add(one)
    assert baseline.tell(least, {(): 0.6}, at, (), Unit.SECONDS).endswith("; less than 300 ms counts as that")


def test_a_zone_half_an_hour_off_has_the_same_hours() -> None:
    """What is stored is an hour of UTC, wherever its beginning stands on the clock."""
    kolkata = ZoneInfo("Asia/Kolkata")
    known = past("usual(x, 1h)", each_hour(4, by_hour), kolkata)
    assert times(known, 10.0, NEXT_WEEK + 10 * HOUR) == 1.0

"""`drift`: a distance between mixes, blind where there is too little of either, and hardly moved by one wild day."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.baseline import Baseline
from monitor.baseline.drift import MOST_VALUES, distance, shares, usual_shares
from monitor.hour import HourMeasure
from monitor.model import labels
from monitor.units import Unit
from monitor.watch import parse_watch, settled
from tests.baseline.hours import DAY, HOUR, MONDAY, WEEK, counter, each_hour, hour, measure, micros, of, past

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.hour import Hour
    from monitor.model import Labels
    from monitor.watch import Watch

PAID, LOST, NEW = of("paid"), of("lost"), of("new")
AMOUNTS = st.dictionaries(
    st.sampled_from("abcdef").map(lambda name: (("type", name),)), st.floats(0.1, 1e6), min_size=1
)
NOW = MONDAY + 4 * WEEK


def mixed(paid: float = 90, lost: float = 10, weeks: float = 4) -> list[Hour]:
    """Return hours in which so much was paid and lost in each."""
    return each_hour(weeks, lambda _: [measure(paid / 4, PAID), measure(lost / 4, LOST)])


def seen(paid: float = 0, lost: float = 0, new: float = 0) -> dict[Labels, float]:
    amounts = ((PAID, paid), (LOST, lost), (NEW, new))
    return {label: amount for label, amount in amounts if amount}


def drift(known: tuple[Watch, Baseline], values: dict[Labels, float], at: datetime = NOW) -> float:
    watch, baseline = known
    (found,) = baseline.read(watch, values, micros(at)).items()
    assert found[0] == ()
    return found[1]


def test_it_is_the_share_that_would_have_to_be_something_else() -> None:
    known = past("drift(x by type, 1d)", mixed())
    assert drift(known, seen(900, 100)) == pytest.approx(0)
    assert drift(known, seen(600, 400)) == pytest.approx(0.3)
    assert drift(known, seen(new=100)) == pytest.approx(1)
    assert drift(known, seen(900, 0, 100)) == pytest.approx(0.1)


@given(AMOUNTS, AMOUNTS, st.floats(1e-3, 1e3))
def test_a_distance_is_one(one: dict[Labels, float], other: dict[Labels, float], times: float) -> None:
    """From 0 to 1, the same in both directions, 0 for the same mix of any amount, and 1 where nothing is shared."""
    here, there = shares(one), shares(other)
    assert 0 <= distance(here, there) <= 1
    assert distance(here, there) == pytest.approx(distance(there, here))
    assert distance(here, shares({key: times * amount for key, amount in one.items()})) == pytest.approx(0, abs=1e-9)
    elsewhere = shares({of("elsewhere"): 1.0})
    assert distance(here, elsewhere) == pytest.approx(1)
    assert distance(here, there) <= distance(here, elsewhere) + 1e-9


@settings(max_examples=40)
@given(st.lists(AMOUNTS, min_size=14, max_size=20), AMOUNTS)
def test_one_wild_day_moves_the_usual_mix_by_no_more_than_a_day_of_middle_size(
    days: list[dict[Labels, float]], wild: dict[Labels, float]
) -> None:
    """However much there was on it."""
    before = usual_shares(days)
    after = usual_shares([*days, {key: amount * 1e6 for key, amount in wild.items()}])
    weights = sorted(sum(day.values()) for day in days)
    middle = weights[len(weights) // 2]
    kept = math.fsum(min(weight, weights[(len(weights) - 1) // 2]) for weight in weights)
    # The day itself, and that the median moves by one place, which frees what was cut off before.
    freed = math.fsum(min(weight, middle) for weight in weights) - kept
    assert distance(before, after) <= (middle + freed) / kept + 1e-9


def test_an_outage_of_a_day_in_a_thousand_times_the_errors_is_one_day() -> None:
    hours = mixed()
    hours[240:264] = [hour(one.at, measure(10_000, LOST)) for one in hours[240:264]]
    known = past("drift(x by type, 1d)", hours)
    assert drift(known, seen(900, 100)) == pytest.approx(0.9 / 27)


def test_it_waits_for_two_weeks_before_its_window() -> None:
    """With a window of a week that is three weeks."""
    known = past("drift(x by type, 7d)", mixed())
    assert drift(known, seen(600, 400), MONDAY + 3 * WEEK) == pytest.approx(0.3)
    assert math.isnan(drift(known, seen(600, 400), MONDAY + 3 * WEEK - timedelta(seconds=1)))


def test_what_is_in_the_window_is_not_held_against_itself() -> None:
    """The mix has been another for the whole of today, which was summed up hour by hour meanwhile."""
    other = [hour(NOW + number * HOUR, measure(25, NEW)) for number in range(23)]
    known = past("drift(x by type, 1d)", [*mixed(), *other])
    assert drift(known, seen(new=2_300), NOW + 23 * HOUR) == pytest.approx(1)


def test_only_the_last_eight_weeks_count() -> None:
    old = each_hour(10, lambda _: [measure(1, NEW)])
    newer = each_hour(9, lambda _: [measure(1, PAID)], MONDAY + 10 * WEEK)
    known = past("drift(x by type, 1d)", [*old, *newer])
    assert drift(known, seen(paid=100), MONDAY + 19 * WEEK) == 0


def test_too_little_is_not_compared() -> None:
    """Of thirty events a mix can be told at all; a file may ask for more."""
    assert math.isnan(drift(past("drift(x by type, 1d)", mixed()), seen(lost=29.9)))
    assert drift(past("drift(x by type, 1d)", mixed()), seen(lost=30)) == pytest.approx(0.9)
    watch = settled(parse_watch("drift(x by type, 1d, 100)"), Unit.NUMBER)
    known = Baseline([watch])
    for one in mixed():
        known.add(one)
    assert math.isnan(drift((watch, known), seen(lost=99)))
    assert drift((watch, known), seen(lost=100)) == pytest.approx(0.9)


def test_a_past_in_which_hardly_anything_was_is_not_compared_with() -> None:
    hours = each_hour(4, lambda at: [measure(0.5, PAID)] if at == MONDAY else [])
    assert math.isnan(drift(past("drift(x by type, 1d)", hours), seen(lost=100)))


@pytest.mark.parametrize("odd", [math.inf, -5.0, math.nan])
def test_what_is_less_than_nothing_or_no_number_is_none(odd: float) -> None:
    hours = [hour(one.at, *one.measures, HourMeasure("x", NEW, 1, odd, 0, 0)) for one in mixed()]
    known = past("drift(x by type, 1d)", hours)
    assert drift(known, {**seen(900, 100), NEW: odd}) == pytest.approx(0)


def test_amounts_beyond_every_float_are_not_compared() -> None:
    huge = past("drift(x by type, 1d)", each_hour(4, lambda _: [measure(1e307, PAID), measure(1e307, LOST)]))
    assert math.isnan(drift(huge, seen(900, 100)))
    assert math.isnan(drift(past("drift(x by type, 1d)", mixed()), seen(1.7e308, 1.7e308)))


def test_without_by_each_label_set_is_told_apart_and_with_it_the_others_are_added_up() -> None:
    def two(_: datetime) -> list[HourMeasure]:
        return [measure(25, labels({"type": "paid", "shop": "a"})), measure(25, labels({"type": "paid", "shop": "b"}))]

    values = {labels({"type": "paid", "shop": "a"}): 100.0}
    assert drift(past("drift(x, 1d)", each_hour(4, two)), values) == pytest.approx(0.5)
    assert drift(past("drift(x by type, 1d)", each_hour(4, two)), values) == pytest.approx(0)


def test_of_a_counter_what_it_grew_by_is_compared() -> None:
    """It has counted a million of the one for years; of late it counts as much of the other."""

    def grown(at: datetime) -> list[HourMeasure]:
        begun = (at - MONDAY) / HOUR * 50
        return [counter(1e6 + begun, 1e6 + begun + 49, PAID), counter(begun, begun + 49, LOST)]

    known = past("drift(rate(x, 1d) by type)", each_hour(4, grown))
    assert drift(known, seen(500, 500)) == pytest.approx(0)
    assert drift(known, seen(1000)) == pytest.approx(0.5)


def test_a_counter_that_began_again_grew_by_nothing_then() -> None:
    def deployed(at: datetime) -> list[HourMeasure]:
        since = at.hour
        return [counter(since * 50, since * 50 + 49, PAID)]

    watch, known = past("drift(rate(x, 1d) by type)", each_hour(4, deployed))
    assert drift((watch, known), seen(paid=100)) == 0
    (amounts,) = {tuple(day.values()) for day in list(known._compared[watch.text]._days.values())[:-1]}  # type: ignore[attr-defined]
    assert amounts == (23 * 50,)


def test_an_hour_that_was_not_mostly_up_does_not_count() -> None:
    hours = [hour(one.at, measure(1_000, NEW), up=1, down=3) if one.at.hour == 3 else one for one in mixed(weeks=4)]
    assert drift(past("drift(x by type, 1d)", hours), seen(900, 100)) == pytest.approx(0)
    counted = past("drift(rate(x, 1d) by type)", [hour(MONDAY, counter(0, 1, NEW), up=0, down=4)])
    assert counted[1].depth(counted[0]) == timedelta()


def test_a_label_with_thousands_of_values_is_told_to_have_too_many_until_they_are_past() -> None:
    """Ids, say: each of them is another value, and no mix of them says anything."""
    hours = each_hour(1, lambda at: [measure(1, of(f"{at:%d%H}-{number}")) for number in range(8)])
    hours += each_hour(3, lambda _: [measure(25, PAID)], MONDAY + WEEK)
    watch, known = past("drift(x by type, 1d)", hours)
    assert known.depth(watch) == timedelta()
    assert known.full() == [watch.text]
    assert math.isnan(drift((watch, known), seen(paid=100)))
    for one in each_hour(8, lambda _: [measure(25, PAID)], NOW):
        known.add(one)
    assert known.full() == []
    assert drift((watch, known), seen(paid=100), NOW + 8 * WEEK) == 0


def test_one_day_remembers_no_more_than_can_be_told() -> None:
    many = [measure(1, of(str(number))) for number in range(2 * MOST_VALUES)]
    watch, known = past("drift(x by type, 1d)", [hour(MONDAY, *many)])
    assert max(len(day) for day in known._compared[watch.text]._days.values()) == MOST_VALUES + 1  # type: ignore[attr-defined]


def test_the_page_says_what_has_changed_most() -> None:
    watch, known = past("drift(x by type, 1d)", mixed(80, 20))
    values = {**seen(50, 26, 20), of("y" * 99): 4.0}
    assert known.tell(watch, values, micros(NOW), (), Unit.NUMBER) == (
        "paid: 50 %, usually 80 %; new: 20 %, usually 0 %; lost: 26 %, usually 20 %"
    )
    assert known.tell(watch, seen(lost=1), micros(NOW), (), Unit.NUMBER) == ""
    assert known.tell(watch, values, micros(MONDAY + DAY), (), Unit.NUMBER) == ""


def test_the_days_are_those_of_utc() -> None:
    """They only cut the past into pieces of equal weight; so a zone changes nothing."""
    watch, known = past("drift(x by type, 1d)", mixed(weeks=15 / 7))
    assert math.isnan(drift((watch, known), seen(lost=100), MONDAY + 15 * DAY - HOUR))
    assert drift((watch, known), seen(lost=100), MONDAY + 15 * DAY) == pytest.approx(0.9)

"""What got worse. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.comparison import Stretch, compare
from monitor.hour import Hour, HourMeasure
from monitor.model import Measure, State, labels
from monitor.units import Unit
from tests.examples import SITE, sample
from tests.fakes import START
from tests.plans import plan, threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.plan import Plan
    from monitor.thresholds import Threshold

PLAIN = plan()
SLOW = plan(threshold("p95(duration, 5m)", warning="> 300ms"))


def stretch(*durations: float, failed: int = 0, unknown: int = 0) -> Stretch:
    made = Stretch()
    for number, duration in enumerate(durations):
        made.add(sample(number, State.UP, Measure("duration", duration)))
    for number in range(failed):
        made.add(sample(number, State.DOWN))
    for number in range(unknown):
        made.add(sample(number, State.UNKNOWN))
    return made


def of(name: str, values: Sequence[float], key: str = "") -> Stretch:
    made = Stretch()
    for number, value in enumerate(values):
        made.add(sample(number, State.UP, Measure(name, value, labels({"type": key} if key else {}))))
    return made


def worse(watched: Plan, before: Stretch, after: Stretch) -> list[str]:
    return [shift.text for shift in compare(watched, before, after) if shift.worse]


def test_nothing_to_say_of_what_did_not_fail_and_was_hardly_measured() -> None:
    assert list(compare(PLAIN, stretch(0.1), stretch(0.1))) == []


def test_more_failures_are_worse_and_unknown_runs_do_not_count() -> None:
    assert worse(PLAIN, stretch(*[0.1] * 9, failed=1, unknown=9), stretch(*[0.1] * 8, failed=2, unknown=5)) == [
        "Site: 2 of 10 runs failed, before 1 of 10"
    ]
    assert worse(PLAIN, stretch(failed=1), stretch(failed=1)) == []
    assert worse(PLAIN, Stretch(), stretch(failed=1)) == ["Site: 1 of 1 runs failed, before 0 of 0"]
    assert worse(PLAIN, stretch(failed=3), stretch(0.1)) == []


def test_slower_is_half_as_long_again_and_noticeable() -> None:
    assert worse(PLAIN, stretch(*[0.2] * 20), stretch(*[0.4] * 20)) == [
        "Site: p95 of the time to answer 400 ms, before 200 ms"
    ]
    assert worse(PLAIN, stretch(*[0.2] * 20), stretch(*[0.29] * 20)) == []
    assert worse(PLAIN, stretch(*[0.01] * 20), stretch(*[0.05] * 20)) == []
    assert worse(PLAIN, stretch(*[0.2] * 4), stretch(*[0.4] * 4)) == [], "too few"


def test_one_slow_answer_of_many_is_not_the_95th_percentile() -> None:
    assert worse(PLAIN, stretch(*[0.2] * 40), stretch(*[0.2] * 39, 9.0)) == []


def test_a_figure_that_was_not_crossed_before_is_worse_however_little_it_takes() -> None:
    assert worse(SLOW, stretch(*[0.29] * 20), stretch(*[0.31] * 20)) == [
        "Site: p95(duration, 5m) 310 ms, before 290 ms"
    ]
    assert worse(SLOW, stretch(*[0.31] * 20), stretch(*[0.32] * 20)) == [], "as bad as before"


def test_towards_the_figure_half_as_much_again_is_worse() -> None:
    assert worse(SLOW, stretch(*[0.1] * 20), stretch(*[0.2] * 20)) != []
    assert worse(SLOW, stretch(*[0.001] * 20), stretch(*[0.004] * 20)) == [], "far from any figure"


def test_downwards_where_less_is_worse() -> None:
    hits = plan(threshold("hits", unit=Unit.RATIO, info="< 50%"))
    assert worse(hits, of("hits", [0.9] * 9), of("hits", [0.55] * 9)) == ["Site: hits 55 %, before 90 %"]
    assert worse(hits, of("hits", [0.55] * 9), of("hits", [0.9] * 9)) == []


def test_each_series_by_itself_and_a_new_one_by_its_figure() -> None:
    errors = plan(threshold("errors", unit=Unit.NUMBER, warning="> 5"))
    after = of("errors", [9.0] * 9, "new")
    for values in of("errors", [1.0] * 9, "old").values.items():
        after.values[values[0]] = values[1]
    assert worse(errors, of("errors", [1.0] * 9, "old"), after) == ["Site: errors new 9"]


@pytest.mark.parametrize(
    "untold",
    [
        threshold("expiry", unit=Unit.TIMESTAMP, warning="< 21d"),
        threshold("rate(hits, 5m)", unit=Unit.PER_SECOND, warning="> 5"),
        threshold("duration"),
    ],
    ids=["a moment", "a counter", "no figure"],
)
def test_what_has_no_better_or_worse_is_left_out(untold: Threshold) -> None:
    name = untold.watch.measure
    shifts = list(compare(plan(untold), of(name, [1.0] * 9), of(name, [100.0] * 9)))
    assert [shift.text for shift in shifts if untold.name in shift.text] == []


def test_hours_are_compared_by_their_means() -> None:
    def hours(mean: float, down: int) -> Stretch:
        made = Stretch()
        for _ in range(6):
            measure = HourMeasure("duration", (), 60, 60 * mean, mean, mean)
            made.add_hour(Hour(SITE, START, 60 - down, down, 3, (measure,)))
        return made

    assert worse(PLAIN, hours(0.1, 0), hours(0.3, 1)) == [
        "Site: 6 of 360 runs failed, before 0 of 360",
        "Site: p95 of the time to answer 300 ms, before 100 ms",
    ]


@given(values=st.lists(st.floats(0, 10), min_size=5, max_size=40), failed=st.integers(0, 5))
def test_the_same_is_never_worse(values: list[float], failed: int) -> None:
    assert worse(SLOW, stretch(*values, failed=failed), stretch(*values, failed=failed)) == []

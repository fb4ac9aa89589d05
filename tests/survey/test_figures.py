"""Figures that a few samples suggest."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.survey.figures import EVERY, figures
from monitor.survey.found import Samples
from monitor.units import Unit, parse_quantity
from monitor.watch import parse_watch
from tests.survey.files import checks, place, survey

TIMES = st.lists(st.floats(0.0001, 10), min_size=5, max_size=60)


def value(text: str) -> float:
    return parse_quantity(text.split(maxsplit=1)[1], Unit.SECONDS)


def test_figures_have_headroom_and_are_such_as_people_write() -> None:
    found = figures([0.08] * 19 + [0.2])
    assert found.levels == {"target": "< 140ms", "warning": "> 300ms", "critical": "> 550ms"}
    assert (found.count, found.middle, found.worst) == (20, 0.08, 0.2)
    assert found.words == "20 samples: half within 80 ms, p95 86 ms, worst 200 ms"


def test_few_samples_give_no_figure_and_none_say_so() -> None:
    assert figures([0.1] * 4).levels == {}
    assert figures([0.1]).words == "1 samples: half within 100 ms, p95 100 ms, worst 100 ms"
    assert figures([]).words == "nothing was measured"


def test_what_is_slow_is_waited_for() -> None:
    """A deadline lies well beyond the figure that wakes somebody; where none can, nothing is called critical."""
    slow, slowest = figures([3.0] * 20), figures([9.0] * 20)
    assert value(slow.levels["critical"]) * 1.5 <= slow.timeout.total_seconds() <= slow.every.total_seconds()
    assert "critical" not in slowest.levels
    assert slowest.timeout == slowest.every == 2 * EVERY


@given(TIMES)
def test_figures_are_in_order_and_nothing_that_was_seen_is_a_p95_beyond_them(times: list[float]) -> None:
    found = figures(times)
    values = [value(text) for text in found.levels.values()]
    assert values == sorted(set(values))
    assert values[0] > found.p95
    assert found.timeout <= found.every


@settings(max_examples=25)
@given(TIMES)
def test_the_file_takes_them(times: list[float]) -> None:
    check = checks(survey(page=place(samples=Samples(tuple(times), {}))))["site"]
    (threshold,) = check.thresholds
    watch = parse_watch(threshold.watch)
    assert watch.window / check.every >= 21
    assert check.timeout <= check.every


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_file_without_figures_is_one_too(count: int) -> None:
    assert checks(survey(page=place(samples=Samples((0.1,) * count, {"502": 3}))))["site"].thresholds == []

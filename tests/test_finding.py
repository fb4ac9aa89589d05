"""What a step found out, in one line."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from monitor.finding import finding
from monitor.model import Measure, Reason, State, labels
from monitor.plan import Question
from monitor.units import Unit
from tests.examples import SECOND, SITE, left_out, sample
from tests.fakes import START

if TYPE_CHECKING:
    from monitor.model import Sample

HELD = Question(SITE, "held", Unit.NUMBER)


def held(**counts: float) -> tuple[Measure, ...]:
    return tuple(Measure("held", count, labels({"application": name})) for name, count in counts.items())


def measured(unit: Unit, *values: float, **label: str) -> tuple[Question, Sample]:
    measures = [Measure("held", value, labels(label)) for value in values]
    return Question(SITE, "held", unit), sample(0, State.UP, *measures)


def test_the_largest_come_first_after_their_sum() -> None:
    seen = sample(0, State.UP, *held(worker=5, api=20), Measure("other", 7))
    assert finding(seen, HELD) == "25 in all: api 20, worker 5"


def test_five_are_told_and_the_others_counted() -> None:
    seen = sample(0, State.UP, *held(**{f"app{number}": number for number in range(8)}))
    assert finding(seen, HELD) == "28 in all: app7 7, app6 6, app5 5, app4 4, app3 3, and 3 more"


def test_a_single_value_needs_no_sum() -> None:
    assert finding(sample(0, State.UP, Measure("held", 3)), HELD) == "3"
    assert finding(sample(0, State.UP, *held(api=3)), HELD) == "api 3"


@pytest.mark.parametrize(
    ("unit", "values", "said"),
    [
        (Unit.SECONDS, (2, 90), "active 1 min 30 s, active 2 s"),
        (Unit.RATIO, (0.5, 0.9), "active 90 %, active 50 %"),
        (Unit.BYTES, (1e9, 2e9), "3 GB in all: active 2 GB, active 1 GB"),
        (Unit.PER_SECOND, (1, 2), "3/s in all: active 2/s, active 1/s"),
        (Unit.TIMESTAMP, (START.timestamp() + 86_400,), "active 1 d"),
    ],
)
def test_values_are_in_their_unit_and_only_amounts_are_summed(unit: Unit, values: tuple[float, ...], said: str) -> None:
    question, seen = measured(unit, *values, state="active")
    assert finding(seen, question) == said


def test_what_is_no_number_is_left_out() -> None:
    question, seen = measured(Unit.NUMBER, math.nan, 2)
    assert finding(seen, question) == "2"


def test_a_check_that_is_down_still_tells_what_it_measured() -> None:
    """A database that is full is down, and keeps its measures."""
    seen = sample(0, State.DOWN, *held(api=20), detail="25 of 25 connections")
    assert finding(seen, HELD) == "api 20"


def test_why_nothing_was_measured_is_told() -> None:
    assert finding(sample(0, State.DOWN, detail="expected 200, got 502"), HELD) == "status: expected 200, got 502"
    assert finding(sample(0), HELD) == "no held was measured"
    assert finding(left_out(0), HELD) == "no held was measured"


def test_without_a_measure_the_run_tells_in_its_own_words() -> None:
    """Never with the remark of a measure, which may hold what nobody asked for."""
    seen = replace(sample(0, State.UP, *held(api=20)), remarks={"held": "Bob's queries"})
    assert finding(seen, Question(SITE)) == "It answers, in 100 ms."
    assert finding(replace(seen, remarks={"down": "It is fine."}), Question(SITE)) == "It is fine."
    late = replace(sample(0, State.UNKNOWN, detail="no answer"), reason=Reason.TIMEOUT, took=5 * SECOND)
    assert finding(late, Question(SITE)) == "timeout: no answer"
    assert finding(left_out(0), Question(SITE)) == "It was left out on purpose: it sleeps."

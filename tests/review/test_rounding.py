"""Figures as a person would write them: on the silent side, and no further than need be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Severity
from monitor.review.rounding import ABOVE, longer, rungs, silent_figure, written_span
from monitor.units import Unit, parse_duration
from monitor.watch import COMPARISONS, Figure

W = Severity.WARNING


def figure(comparison: str) -> Figure:
    return Figure(W, comparison, 0.0, comparison)


@pytest.mark.parametrize(("unit", "comparison", "worst", "text"), [
    (Unit.SECONDS, ">", 0.712, "> 750ms"),
    (Unit.SECONDS, ">", 0.00034, "> 350us"),
    (Unit.SECONDS, ">", 1.31, "> 1.4s"),
    (Unit.SECONDS, ">", 59.0, "> 1m"),
    (Unit.SECONDS, ">", 131.0, "> 2m30s"),
    (Unit.SECONDS, "<", -3.2, "< -3.5s"),
    (Unit.TIMESTAMP, "<", 9.3 * 86_400, "< 9d"),
    (Unit.RATIO, ">", 0.962, "> 97%"),
    (Unit.RATIO, ">=", 0.97, ">= 98%"),
    (Unit.RATIO, ">", 0.07, "> 7%"),
    (Unit.RATIO, ">", 2.31, "> 250%"),
    (Unit.BYTES, ">", 1_234_567.0, "> 1.3MB"),
    (Unit.BYTES_PER_SECOND, ">", 7e6, "> 7MB/s"),
    (Unit.PER_SECOND, ">", 1234.5, "> 1300/s"),
    (Unit.NUMBER, ">=", 20.0, ">= 25"),
    (Unit.NUMBER, "<", 3.0, "< 3"),
    (Unit.NUMBER, ">", 0.0, "> 0"),
    (Unit.NUMBER, ">", -3.3, "> -3"),
])  # fmt: skip
def test_the_figure_that_a_person_would_write(unit: Unit, comparison: str, worst: float, text: str) -> None:
    found = silent_figure(figure(comparison), worst, unit)
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize(("unit", "comparison", "worst"), [
    (Unit.NUMBER, "==", 3.0),
    (Unit.NUMBER, "!=", 3.0),
    (Unit.NUMBER, ">=", 0.0),
    (Unit.NUMBER, ">", float("inf")),
    (Unit.NUMBER, ">", float("nan")),
    (Unit.NUMBER, ">", 1e-300),
    (Unit.BYTES, "<", -1.0),
])  # fmt: skip
def test_where_there_is_none(unit: Unit, comparison: str, worst: float) -> None:
    """It compares otherwise than by size, or nobody would write it."""
    assert silent_figure(figure(comparison), worst, unit) is None


numbers = st.floats(2e-5, 1e15) | st.floats(-1e9, -2e-5) | st.integers(-1000, 100_000).map(float)


@given(st.sampled_from(Unit), st.sampled_from([">", ">=", "<", "<="]), numbers)
def test_it_is_always_on_the_silent_side_and_never_beyond_the_next(unit: Unit, comparison: str, worst: float) -> None:
    """Read back from its text, it is not crossed; and nothing that a person would write lies in between."""
    found = silent_figure(figure(comparison), worst, unit)
    if found is None:
        assert worst <= 0 or (unit in {Unit.SECONDS, Unit.TIMESTAMP} and worst > 3e8)  # ten years
        return
    assert not found.crossed(worst)
    assert found.text.startswith(f"{comparison} ")
    between = [float(rung) for rung in rungs(worst, unit)]
    if comparison in ABOVE:
        between = [rung for rung in between if worst < rung < found.value * (1 - 1e-12) if found.value > 0]
    else:
        between = [rung for rung in between if found.value * (1 + 1e-12) < rung < worst if found.value > 0]
    assert not [rung for rung in between if not COMPARISONS[comparison](worst, rung)]


@given(st.timedeltas(timedelta(), timedelta(days=3_000)))
def test_a_longer_wait_is_longer_and_can_be_written(span: timedelta) -> None:
    found = longer(span)
    assert found > span
    assert found <= max(span * 1.35, span + timedelta(seconds=1))
    assert parse_duration(written_span(found)) == found

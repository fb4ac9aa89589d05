from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from monitor.expect.status import Statuses, span, within

STATUSES: TypeAdapter[Any] = TypeAdapter(Statuses)


@pytest.mark.parametrize(
    ("allowed", "inside", "outside"),
    [
        (200, [200], [201, 404]),
        ("200", [200], [201]),
        ("2xx", [200, 299], [199, 300]),
        ("5XX", [503], [499]),
        ("200-299", [200, 299], [300]),
        ("401 - 403", [402], [404]),
        ([200, "404"], [200, 404], [201, 403]),
        (["2xx", 404, "500-502"], [204, 404, 501], [503]),
    ],
)
def test_a_status_may_be_a_code_a_class_a_range_or_several(
    allowed: Any,  # noqa: ANN401 - as a file has it
    inside: list[int],
    outside: list[int],
) -> None:
    found = STATUSES.validate_python(allowed)
    assert all(within(status, found) for status in inside)
    assert not any(within(status, found) for status in outside)


@pytest.mark.parametrize(
    "wrong", ["2x", "xx", "0xx", 99, 1000, "299-200", "ok", "", [], True, 200.5, [True], None, "20 0"]
)
def test_what_is_no_status_is_refused(wrong: Any) -> None:  # noqa: ANN401 - as a file has it
    with pytest.raises(ValidationError):
        STATUSES.validate_python(wrong)


@given(st.integers(100, 999), st.integers(100, 999))
def test_a_range_holds_its_ends_and_nothing_else(low: int, high: int) -> None:
    low, high = sorted((low, high))
    assert span(f"{low}-{high}") == (low, high)
    assert within(low, f"{low}-{high}")
    assert not within(high + 1, f"{low}-{high}")

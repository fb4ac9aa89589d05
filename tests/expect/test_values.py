from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from monitor.expect.values import Value, met, said, same

VALUE: TypeAdapter[Any] = TypeAdapter(Value)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("expected", "got", "holds"),
    [
        ("healthy", "healthy", True),
        ("healthy", "Healthy", False),
        (True, True, True),
        (True, "true", False),
        ("true", True, False),
        (True, 1, False),
        (0, False, False),
        (1, 1.0, True),
        (None, None, True),
        (None, 0, False),
        ("", None, False),
        ([1, True], [1, True], True),
        ([1, True], [1, 1], False),
        ({"a": [0]}, {"a": [False]}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ("> 0", 1, True),
        ("> 0", 0, False),
        (">0", 0.5, True),
        (">= 1", 1, True),
        ("< 10", 9.9, True),
        ("<= -5", -5, True),
        ("> 0", "1", False),
        ("> 0", True, False),
        ("> 0", None, False),
        ("> 0", [1], False),
        ("> 0", math.nan, False),
        ("!= null", None, False),
        ("!= null", "1.2.3", True),
        ("!= error", "error", False),
        ("!= error", "ok", True),
        ('== "> 0"', "> 0", True),
        ("== 5", 5, True),
        ("== 5", "5", False),
        ('== "5"', "5", True),
        ("!= true", True, False),
        ("!= true", "true", True),
    ],
)
def test_equal_means_of_the_same_type_and_comparisons_are_of_numbers(expected: Any, got: Any, holds: bool) -> None:  # noqa: ANN401 - JSON
    assert met(VALUE.validate_python(expected), got) is holds


@given(JSON, JSON)
def test_same_is_what_json_writes_the_same(one: Any, other: Any) -> None:  # noqa: ANN401 - JSON
    def written(value: Any) -> str:  # noqa: ANN401 - JSON
        return json.dumps(json.loads(json.dumps(value), parse_int=float), sort_keys=True)

    assert same(one, one)
    assert same(one, other) is same(other, one)
    if max((abs(number) for number in _numbers([one, other])), default=0) < 2**53:
        assert same(one, other) is (written(one).replace("-0.0", "0.0") == written(other).replace("-0.0", "0.0"))


def _numbers(value: Any) -> list[float]:  # noqa: ANN401 - JSON
    if isinstance(value, list | dict):
        return [
            number for inner in (value.values() if isinstance(value, dict) else value) for number in _numbers(inner)
        ]
    return [value] if isinstance(value, int | float) else []


@given(JSON, JSON)
def test_not_equal_is_the_opposite_of_equal(one: Any, other: Any) -> None:  # noqa: ANN401 - JSON
    text = json.dumps(one)
    assert met(f"!= {text}", other) is not met(f"== {text}", other)
    assert met(f"== {text}", json.loads(text))


@pytest.mark.parametrize("figure", ["> 300ms", "< high", ">= null", "<", "> true", "> '5'"])
def test_a_figure_that_is_no_number_is_refused(figure: str) -> None:
    with pytest.raises(ValidationError, match="is no number"):
        VALUE.validate_python(figure)


@pytest.mark.parametrize(
    ("expected", "text"),
    [("ok", 'to be "ok"'), (" > 5", "> 5"), (None, "to be null"), ({"a": "ü"}, 'to be {"a": "ü"}')],
)
def test_what_is_expected_is_said_as_a_sentence_goes_on(expected: Any, text: str) -> None:  # noqa: ANN401 - JSON
    assert said(expected) == text

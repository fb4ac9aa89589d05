"""Expected values in JSON and in header directives: equal and of the same type, or a comparison such as `> 0`."""

from __future__ import annotations

import json
import math
import operator
import re
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

if TYPE_CHECKING:
    from collections.abc import Callable

_COMPARISON = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(.*?)\s*", re.DOTALL)
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def _valid(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    sign, operand = _comparison(value)
    if sign in _ORDERS and not _is_number(operand):
        raise ValueError(f"{value!r} compares with something that is no number; a figure here has no unit: '> 0.8'")
    return value


Value = Annotated[Any, AfterValidator(_valid)]
"""A JSON value; or a text `> 0`, `>= 0`, `< 0`, `<= 0`; or `== x`, `!= x`, where x is any JSON value or bare text."""


def met(expected: Any, got: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Return whether `got` is what a `Value` expects. Types count: true is not "true" and not 1, but 1 is 1.0."""
    sign, operand = _comparison(expected)
    if sign in _ORDERS:
        return _is_number(got) and _ORDERS[sign](got, operand)
    return same(operand, got) is (sign != "!=")


def operand(expected: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return what a `Value` compares with."""
    return _comparison(expected)[1]


def said(expected: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a `Value` as a text that follows a name: `to be "healthy"`, `> 0`."""
    sign, _ = _comparison(expected)
    return expected.strip() if sign else f"to be {json.dumps(expected, ensure_ascii=False)}"


def same(one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Return whether two JSON values are equal, types included."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _comparison(value: Any) -> tuple[str, Any]:  # noqa: ANN401 - any JSON value
    match = _COMPARISON.fullmatch(value) if isinstance(value, str) else None
    return (match[1], _operand(match[2])) if match else ("", value)


def _operand(text: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Failure, Reason, State
from monitor.vendors import Found

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "id"]), inner, max_size=2),
    max_leaves=8,
)
READINGS: list[Callable[[Found], object]] = [
    lambda found: found.text,
    lambda found: found.number,
    lambda found: found.flag,
    lambda found: found["data"],
    lambda found: found.get("id"),
    lambda found: [each.text for each in found],
    lambda found: [each["id"].text for each in found["data"]],
]


def test_what_is_there_is_found() -> None:
    found = Found({"data": [{"id": "a", "n": 1, "live": True, "gone": None}]})
    (first,) = found["data"]
    assert (first["id"].text, first["n"].number, first["live"].flag) == ("a", 1.0, True)
    assert first.get("gone") is None
    assert first.get("other") is None


@pytest.mark.parametrize(
    ("value", "read", "said"),
    [
        ({}, lambda found: found["data"], "expected 'data' in the answer, got nothing"),
        ({"data": None}, lambda found: found["data"], "expected 'data' in the answer, got nothing"),
        ([], lambda found: found["data"], "expected an object at the answer, got a list"),
        ({"data": {}}, lambda found: list(found["data"]), "expected a list at the answer, data, got an object"),
        ({"data": [1]}, lambda found: next(iter(found["data"])).text, "a text at the answer, data[0], got a number"),
        ({"n": True}, lambda found: found["n"].number, "expected a number at the answer, n, got true or false"),
        ({"n": "1"}, lambda found: found["n"].number, "expected a number at the answer, n, got a text"),
        ({"n": 10**400}, lambda found: found["n"].number, "got one that is too large"),
        ({"n": 1}, lambda found: found["n"].flag, "expected true or false at the answer, n, got a number"),
        (None, lambda found: found.text, "expected a text at the answer, got null"),
    ],
)
def test_what_is_not_there_is_said(value: Any, read: Callable[[Found], object], said: str) -> None:  # noqa: ANN401
    with pytest.raises(Failure) as caught:
        read(Found(value))
    assert said in caught.value.detail
    assert (caught.value.reason, caught.value.state) == (Reason.PROTOCOL, State.UNKNOWN)


def failure_of(read: Callable[[Found], object], value: Any) -> Failure | None:  # noqa: ANN401 - any JSON value
    try:
        read(Found(value))
    except Failure as failure:
        return failure
    return None


@given(JSON, st.sampled_from(READINGS))
def test_no_json_breaks_it(value: Any, read: Callable[[Found], object]) -> None:  # noqa: ANN401 - any JSON value
    """It is read, or it is not known what it says: nothing else is raised, and the text of it acts on nothing."""
    failure = failure_of(read, value)
    assert failure is None or (failure.state is State.UNKNOWN and failure.detail.isprintable())

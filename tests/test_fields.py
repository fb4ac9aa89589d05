from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest
from pydantic import ValidationError

from monitor.fields import Fields, PositiveDuration, ShortForm


class Pace(Fields):
    every: PositiveDuration


class Named(ShortForm):
    short: ClassVar[dict[type, str]] = {str: "name", int: "size"}
    name: str = ""
    size: int = 0


@pytest.mark.parametrize("every", ["90s", timedelta(seconds=90)])
def test_a_duration_is_read_or_taken_as_it_is(every: object) -> None:
    assert Pace.model_validate({"every": every}).every == timedelta(seconds=90)


@pytest.mark.parametrize("every", [5, 1.5, None, "5", "0s"])
def test_a_number_without_a_unit_is_no_duration(every: object) -> None:
    with pytest.raises(ValidationError):
        Pace.model_validate({"every": every})


def test_fields_are_strict_and_frozen() -> None:
    with pytest.raises(ValidationError, match="not permitted"):
        Pace.model_validate({"every": "1s", "colour": "red"})
    with pytest.raises(ValidationError, match="frozen"):
        Pace.model_validate({"every": "1s"}).every = timedelta(1)  # type: ignore[misc]


def test_a_bare_value_stands_for_the_field_of_its_type() -> None:
    assert Named.model_validate("a") == Named(name="a")
    assert Named.model_validate(5) == Named(size=5)
    assert Named.model_validate({"name": "a", "size": 5}) == Named(name="a", size=5)
    with pytest.raises(ValidationError):
        Named.model_validate(True)  # noqa: FBT003 - a bool is no int here

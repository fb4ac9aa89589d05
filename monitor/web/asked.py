"""What a request asks for: the parameters of its query, read strictly, and why one is refused in a sentence."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from monitor.plain import plain
from monitor.units import parse_duration

if TYPE_CHECKING:
    from multidict import MultiMapping

LONGEST_NAME = 200
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What is asked for beyond these moments is asked for until there: no store holds a year 1."""
SPAN = "([0-9]{1,4}[smh]|[0-9]{1,3}d|[0-9]{1,2}w){1,3}"
_SPAN = re.compile(SPAN)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+ -]\d\d:\d\d)?)?", re.ASCII)
_WHOLE = re.compile("[0-9]{1,9}")
NO_MOMENT = "input should be a moment such as 2026-11-22T18:00:00Z"


def _moment(given: object) -> object:
    if not isinstance(given, str):
        return given
    text = given.upper()
    if not _MOMENT.fullmatch(text):
        raise ValueError(NO_MOMENT)
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # in a query a bare + is a blank
    except ValueError:
        raise ValueError(NO_MOMENT) from None
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(known, EARLIEST), LATEST).astimezone(UTC)


def _span(given: object) -> object:
    if not isinstance(given, str):
        return given
    if not _SPAN.fullmatch(given):
        raise ValueError("input should be a duration such as 30m, 2h, 7d or 1h30m")
    return parse_duration(given)


def _since(given: object) -> object:
    with suppress(ValueError):
        return _span(given)
    with suppress(ValueError):
        return _moment(given)
    raise ValueError(f"{NO_MOMENT}, or a duration until now such as 2h")


def _whole(given: object) -> object:
    if isinstance(given, str) and not _WHOLE.fullmatch(given):
        raise ValueError("input should be a whole number")
    return given


MOMENT = {"type": "string", "format": "date-time", "examples": ["2026-11-22T18:00:00Z"]}
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema(MOMENT)]
"""A moment in ISO 8601; without an offset it is UTC."""
Span = Annotated[
    timedelta, BeforeValidator(_span), WithJsonSchema({"type": "string", "pattern": f"^{SPAN}$", "examples": ["24h"]})
]
Since = Annotated[
    timedelta | datetime,
    BeforeValidator(_since),
    WithJsonSchema(
        {
            "type": "string",
            "anyOf": [{"format": "date-time"}, {"pattern": f"^{SPAN}$"}],
            "examples": ["2h", "2026-11-22T18:00:00Z"],
        }
    ),
]
"""A moment, or a duration until now."""
Whole = Annotated[int, BeforeValidator(_whole)]
Name = Annotated[str, Field(max_length=LONGEST_NAME)]


class Asked(BaseModel):
    """Base of what a query asks for: nothing but what is named."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


A = TypeVar("A", bound=Asked)


class Scoped(Asked):
    """Of everything, or of a part."""

    system: Name = ""
    """Only of this system."""
    check: Name = ""
    """Only of this check."""


def read_query(query: MultiMapping[str], kind: type[A]) -> A:
    """Return what a query asks for; raises ValueError in a sentence that names the parameter, and what is allowed."""
    if twice := sorted(name for name in set(query) if len(query.getall(name)) > 1):
        raise ValueError(f"{plain(twice[0], 50)!r} is given twice")
    try:
        return kind.model_validate(dict(query))
    except ValidationError as error:
        raise ValueError(sentence(error, kind)) from None


def sentence(error: ValidationError, kind: type[BaseModel], whole: str = "") -> str:
    """Return what is wrong first, without repeating a value. `whole`: what to say of what is wrong as a whole."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = plain(".".join(map(str, first["loc"])), 50)
    if first["type"] == "extra_forbidden":
        known = ", ".join(one.alias or name for name, one in kind.model_fields.items())
        return f"{place!r} means nothing here: there {f'are {known}' if known else 'is nothing to ask for'}"
    what = first["msg"].removeprefix("Value error, ")
    said = plain(what[:1].lower() + what[1:])
    return f"{place}: {said}" if place else f"{whole}: {said}"


def moment_of(since: timedelta | datetime, now: datetime) -> datetime:
    """Return the moment that is meant."""
    return now - since if isinstance(since, timedelta) else since

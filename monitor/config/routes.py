"""What a file holds of routes: the YAML models."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from monitor.fields import Duration, Fields, PositiveDuration
from monitor.routing import parse_digest, parse_hours


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _day(value: object) -> object:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"{value!r} is not a day such as 2026-12-25") from None


def _hours(text: str) -> str:
    parse_hours(text)
    return text


def _digest(text: str) -> str:
    parse_digest(text)
    return text


def one_or_more(kind: dict[str, Any]) -> WithJsonSchema:
    """Return the JSON Schema of a value of `kind`, or a list of them."""
    return WithJsonSchema({"anyOf": [kind, {"type": "array", "items": kind, "minItems": 1}]})


LEVELS = ("info", "warning", "critical")
Names = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1), one_or_more({"type": "string"})]
Levels = Annotated[
    list[Literal["info", "warning", "critical"]],
    BeforeValidator(_listed),
    Field(min_length=1),
    one_or_more({"type": "string", "enum": list(LEVELS)}),
]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
HoursText = Annotated[
    str, AfterValidator(_hours), Field(json_schema_extra={"examples": ["Mon-Fri 09:00-18:00 Europe/Berlin"]})
]
DigestText = Annotated[str, AfterValidator(_digest), Field(json_schema_extra={"examples": ["09:00 Europe/Berlin"]})]


class FlappingFields(Fields):
    """When an alert that comes and goes is said to flap; then it is quiet until it has been stable."""

    changes: Annotated[int, Field(ge=2)] = 4
    """How often it opens or ends."""
    within: PositiveDuration = timedelta(hours=1)
    """In which time."""
    stable: PositiveDuration = timedelta(minutes=30)
    """For how long it must stay as it is, until it is told how it stands."""


class EscalationFields(Fields):
    """Who hears of an alert that nobody has acknowledged."""

    after: PositiveDuration
    """So long after it was first told."""
    notify: Names
    """The channels that are told then."""


class RouteFields(Fields):
    """Who is told of what. Every route that matches applies, in order, until one that says `stop`.

    A critical that no route takes, or none whose hours are open, still reaches somebody: those whose hours are closed,
    else every channel that any route names.
    """

    severity: Levels = Field(default=["info", "warning", "critical"])
    """One severity or several; default: all."""
    system: Names | None = None
    """One system or several; default: all."""
    check: Names | None = None
    """Names of checks, or `system/check`, with `*` for anything; default: all."""
    alert: str = ""
    """What the alert is called, or its title in messages, with `*` for anything: `*connections*`; default: all."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels that the alert has."""
    stop: bool = False
    """Whether no later route applies where this one does."""
    notify: Names
    """The channels that are told."""
    within: Duration = timedelta()
    """How long what is no critical may wait, to leave in one message with others."""
    repeat: PositiveDuration = timedelta(hours=4)
    """How often somebody is reminded while it goes on."""
    hours: HoursText | None = None
    """When this route applies, such as `Mon-Fri 09:00-18:00 Europe/Berlin`. What fires while it is closed is told when
    it opens; an end is told at any time."""
    holidays: list[Day] | None = None
    """Days on which its `hours` do not open; default: those of the main file."""
    digest: DigestText | None = None
    """When all that is no critical leaves in one message, such as `09:00 Europe/Berlin` or `Mon 09:00`."""
    escalate: list[EscalationFields] = Field(default_factory=list)
    """Who hears of it besides when nobody has acknowledged it for a while."""

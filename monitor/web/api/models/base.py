"""What every answer of the API is made of. The OpenAPI document is generated from these models."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, WithJsonSchema

from monitor.model import Severity
from monitor.web.asked import MOMENT


def _opened(schema: dict[str, Any]) -> None:
    """Let a later release add fields."""
    schema.pop("additionalProperties", None)


class Answer(BaseModel):
    """Base of every answer: it has nothing but what is declared; numbers that are not finite become null."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        ser_json_inf_nan="null",
        use_attribute_docstrings=True,
        json_schema_extra=_opened,
    )


Moment = Annotated[str, WithJsonSchema(MOMENT)]
Level = Annotated[str, WithJsonSchema({"type": "string", "enum": [str(one) for one in Severity]})]
Labels = dict[str, str]


class Problem(Answer):
    """Why something cannot be done."""

    error: str
    """One sentence."""


class Uptime(Answer):
    """How much of a time something was up, of what is known: up / (up + down)."""

    ratio: float | None
    """From 0 to 1; null: nothing is known."""
    shown: str
    """The same for people, rounded down, such as `99.980 %`; `unknown` where nothing is known."""
    up_seconds: float
    """For how long it was seen up."""
    down_seconds: float
    """For how long it was seen down."""


class Uptimes(Answer):
    """The uptime of two times until now."""

    last_24h: Uptime
    """Of the last 24 hours."""
    last_30d: Uptime
    """Of the last 30 days."""


class Cell(Answer):
    """One hour: its runs by state."""

    at: Moment
    """When it began."""
    up: int
    """Runs that found the target up."""
    down: int
    """Runs that found it down."""
    unknown: int
    """Runs that could not tell."""
    worst: Level | None
    """The worst alert that fired in it."""

"""What every part of a configuration file is made of."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from monitor.units import COUNTED, parse_duration, parse_size

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


def _duration(value: object) -> object:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, timedelta):
        return value
    raise ValueError("a duration needs a unit, such as 30s or 5m")


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "examples": ["300ms", "30s", "5m", "1h30m"]}),
]
PositiveDuration = Annotated[Duration, Field(gt=timedelta())]


def _unit(word: str) -> str:
    if word not in COUNTED:
        raise ValueError(f"{word!r} is not a unit: there are {', '.join(COUNTED)}")
    return word


UnitWord = Annotated[str, AfterValidator(_unit), WithJsonSchema({"type": "string", "enum": list(COUNTED)})]
"""What a number from outside is counted in."""
MEASURE = re.compile(r"[a-z][a-z0-9_]{0,49}")
MeasureName = Annotated[str, Field(pattern=f"^{MEASURE.pattern}$")]
"""The name that a file gives to a measure."""


def _size(value: object) -> object:
    if isinstance(value, str):
        return parse_size(value)
    raise ValueError("a size needs a unit, such as 500MB or 1GB")


Size = Annotated[int, BeforeValidator(_size), Field(gt=0), WithJsonSchema({"type": "string", "examples": ["1GB"]})]


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, OSError, ValueError):
        raise ValueError(f"{text!r} is not a time zone such as Europe/Berlin") from None


Zone = Annotated[str, AfterValidator(_zone)]


class Fields(BaseModel):
    """Base of everything a file can hold: strict, frozen, and unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, use_attribute_docstrings=True)


class ShortForm(Fields):
    """Fields that may be written as one value instead of a mapping: by its type it stands for one of them."""

    short: ClassVar[dict[type, str]]
    """The field that a bare value of each type means."""

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        name = cls.short.get(type(value))
        return {name: value} if name else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Allow both forms."""
        return {"anyOf": [*({"type": _JSON_TYPES[kind]} for kind in cls.short), handler(schema)]}


_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array"}

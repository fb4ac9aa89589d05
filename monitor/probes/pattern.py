"""A text to look for, as several kinds write it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import re2
from pydantic_core import core_schema

from monitor.expect.rules import compiled

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue


class Pattern:
    """A plain text, a glob such as `*.example.com`, or `/a regular expression/`. RE2: no text can make it slow.

    Raises ValueError when the expression cannot be understood.
    """

    __slots__ = ("_found", "_whole", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > 2 and text[0] == text[-1] == "/":  # noqa: PLR2004 - two slashes and something between
            self._found = self._whole = compiled(text[1:-1])
        else:
            self._found = compiled(re2.escape(text))
            self._whole = compiled(rf"(?is)\A{_globbed(text)}\z")

    def within(self, text: str) -> bool:
        """Return whether `text` contains the plain text, or anything that the expression matches."""
        return self._found.search(text) is not None

    def fits(self, text: str) -> bool:
        """Return whether the whole of `text` is the plain text or fits the glob, or whether the expression matches."""
        return self._whole.search(text) is not None

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(min_length=1))
        return core_schema.json_or_python_schema(
            json_schema=text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), text]),
            serialization=core_schema.plain_serializer_function_ser_schema(repr),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(core_schema.str_schema(min_length=1))


def _globbed(text: str) -> str:
    return "".join(".*" if character == "*" else re2.escape(character) for character in text)

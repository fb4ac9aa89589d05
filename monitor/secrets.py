"""Values that never print.

A `Secret` hides itself in every repr, log line and traceback; `reveal()` is the one way to its text, and is called only
where the text leaves for its peer. A `Redactor` removes the same texts from anything that came from outside: an answer
or an error of another library may well repeat the password that it was given.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from pydantic_core import core_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

SHORTEST = 4
MASK = "•••"


class Secret:
    """A text that shows as `•••` wherever it is printed; a field type for the configuration's models."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:  # noqa: ANN401 - pydantic's hook
        text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(min_length=1))
        return core_schema.json_or_python_schema(
            json_schema=text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), text]),
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(core_schema.str_schema(min_length=1))


class Redactor:
    """Removes known secrets from texts, also as URLs, Basic authentication, JSON and Python write them."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret.reveal())}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """Return `text` with every secret replaced by `•••`."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return text


def _forms(text: str) -> Iterable[str]:
    if len(text) < SHORTEST:
        return
    yield from (text, quote(text, safe=""), quote(text), quote_plus(text))
    yield base64.b64encode(text.encode()).decode().rstrip("=")
    yield text.replace("\\", "\\\\").replace('"', '\\"')
    yield repr(text)[1:-1]

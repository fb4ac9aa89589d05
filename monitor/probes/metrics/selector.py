"""Which series are meant: PromQL's selector, `http_requests_total{status=~"5..", method!="HEAD"}`. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from pydantic_core import core_schema

from monitor.expect.rules import compiled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import re2
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

LONGEST = 1_000

_WHOLE = re.compile(r"\s*([A-Za-z_:][A-Za-z0-9_:]*)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_QUOTED = r"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"""
_MATCHER = re.compile(rf"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*({_QUOTED})\s*(?:,|$)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t", "r": "\r"}


class Matcher(NamedTuple):
    """What one label must be like; a label that a series lacks counts as empty. Patterns match the whole value."""

    label: str
    sign: str
    text: str
    pattern: re2._Regexp | None

    def fits(self, value: str) -> bool:
        """Return whether a label of this value will do."""
        same = value == self.text if self.pattern is None else self.pattern.search(value) is not None
        return same is (self.sign[0] == "=")


class Selector:
    """A name, and what the labels must be like. Raises ValueError for what is no such selector.

    Quotes and escapes are those of PromQL, the patterns RE2, which is what PromQL has too.
    """

    __slots__ = ("matchers", "name", "text")

    def __init__(self, text: str) -> None:
        match = _WHOLE.fullmatch(text)
        if match is None or len(text) > LONGEST:
            raise ValueError(
                f"""{text[:LONGEST]!r} selects no series; write name or name{{label="text", other=~"5.."}}"""
            )
        self.text = text.strip()
        self.name = match[1]
        self.matchers = tuple(_matchers(match[2] or "", self.text))

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Return whether a series of this name with these labels is meant."""
        return all(matcher.fits(labels.get(matcher.label, "")) for matcher in self.matchers)

    @property
    def needed(self) -> frozenset[str]:
        """Return the labels without which nothing is selected."""
        return frozenset(matcher.label for matcher in self.matchers if not matcher.fits(""))

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selector) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(
            cls._read,
            core_schema.is_instance_schema(cls),
            serialization=core_schema.plain_serializer_function_ser_schema(repr),
        )

    @classmethod
    def _read(cls, value: object) -> object:
        if isinstance(value, cls):
            return value
        if not isinstance(value, str):
            raise ValueError('a text is expected that selects series, such as http_requests_total{status=~"5.."}')  # noqa: TRY004 - pydantic's
        return cls(value)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(core_schema.str_schema(min_length=1))


def _matchers(part: str, text: str) -> Iterator[Matcher]:
    position = 0
    while part[position:].strip():
        match = _MATCHER.match(part, position)
        if match is None:
            raise ValueError(
                f'{text!r}: {part[position:].strip()!r} is no matcher such as status="500" or status=~"5.."'
            )
        value = _value(match[3], text)
        pattern = compiled(rf"(?s)\A(?:{value})\z") if match[2].endswith("~") else None
        yield Matcher(match[1], match[2], value, pattern)
        position = match.end()


def _value(quoted: str, text: str) -> str:
    if quoted[0] == "`":
        return quoted[1:-1]

    def unescaped(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPED:
            raise ValueError(f"{text!r}: PromQL knows no {match[0]} within quotes; a backslash is written twice")
        return _ESCAPED[match[1]]

    return _ESCAPE.sub(unescaped, quoted[1:-1])

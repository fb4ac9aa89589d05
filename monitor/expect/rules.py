"""What a file can expect of an answer."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, ClassVar, TypeVar

import re2
from pydantic import AfterValidator, Field, model_validator

from monitor.expect.document import Path
from monitor.expect.status import Statuses, span
from monitor.expect.values import Value
from monitor.fields import Fields, PositiveDuration, ShortForm

_Model = TypeVar("_Model", bound=Fields)


def _status(status: int | str) -> int | str:
    span(status)
    return status


def _pattern(pattern: str) -> str:
    compiled(pattern)
    return pattern


def compiled(pattern: str) -> re2._Regexp:
    """Return a regular expression of RE2, whose time grows with the text and never explodes.

    Raises ValueError for what RE2 does not know, look-around and back-references above all.
    """
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        text = error.args[0].decode() if isinstance(error.args[0], bytes) else error.args[0]
        raise ValueError(f"{pattern!r} is not a regular expression as RE2 reads them: {text}") from None


Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression of RE2; it may match anywhere. `(?i)` in front ignores case."""
Meant = Annotated[int | str, AfterValidator(_status)]
OneOrMore = str | tuple[str, ...]


class Text(ShortForm):
    """What a text must be like; all that is given must hold. A bare text is one that it must contain."""

    short: ClassVar[dict[type, str]] = {str: "contains"}

    equals: str | None = None
    """The whole text, white space at its ends aside."""
    contains: OneOrMore = ()
    """A text that must occur, or several that must all occur; case counts."""
    matches: Pattern | None = None
    """A regular expression (RE2) that must match somewhere."""
    absent: OneOrMore = ()
    """A text that must not occur, or several of which none may."""

    @cached_property
    def pattern(self) -> re2._Regexp:
        """Return `matches`, compiled once."""
        return compiled(self.matches or "")

    @model_validator(mode="after")
    def _something(self) -> Text:
        return _given(self)


class Exactly(Text):
    """What an address must be like; all that is given must hold. A bare text is the whole of it."""

    short: ClassVar[dict[type, str]] = {str: "equals"}


class Header(ShortForm):
    """What a header must be like; all that is given must hold, and case counts nowhere but in `matches`.

    A bare text is the whole value; a bare `true` or `false` says that the header is or is not there.
    """

    short: ClassVar[dict[type, str]] = {str: "equals", bool: "present"}

    present: bool | None = None
    """Whether the header must be there, with whatever value."""
    equals: str | None = None
    """The whole value; of a header that came several times, the values joined with a comma."""
    differs: OneOrMore = ()
    """What the value must not be, one or several; a header that is absent will do."""
    contains: OneOrMore = ()
    """A text that must occur in it, or several."""
    matches: Pattern | None = None
    """A regular expression (RE2) that must match somewhere."""
    directives: dict[str, Value] = Field(default={})
    """Parts of a value such as `max-age=31536000; includeSubDomains`: a value, a comparison, or true for a bare one."""

    @cached_property
    def pattern(self) -> re2._Regexp:
        """Return `matches`, compiled once."""
        return compiled(self.matches or "")

    @model_validator(mode="after")
    def _something(self) -> Header:
        return _given(self)


class Expect(Fields):
    """What an answer must be like; all that is given must hold."""

    status: Statuses | None = None
    """`200`, `[200, 404]`, `2xx` or `200-299`; default: 2xx, and 3xx where a `location` is expected."""
    within: PositiveDuration | None = None
    """The longest time from the start of name resolution to the last byte: longer is down, reason timeout."""
    location: Exactly | None = None
    """Where a redirect leads, as a whole address without its query; for `redirects: false`."""
    content_type: str = ""
    """The media type, without parameters: `application/json`."""
    headers: dict[str, Header] = Field(default={})
    """Header names, and what their values must be like."""
    body: Text | None = None
    """What the body's text must be like."""
    json_: dict[Path, Value] = Field(default={}, alias="json")
    """JMESPaths, and the value that each must find, or a comparison such as `> 0`."""
    show: Path = ""
    """A JMESPath whose finding is added to the message when an expectation fails, such as `detail`."""
    explain: dict[Meant, str] = Field(default={})
    """What an unexpected status means: `5xx: the service is down`; the first that fits is added to the message."""


def _given(model: _Model) -> _Model:
    if not model.model_fields_set:
        raise ValueError(f"nothing is expected: give one of {', '.join(type(model).model_fields)}")
    return model

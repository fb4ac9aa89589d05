"""What a file can expect of the rows of a query, and whether it holds. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from monitor.expect import Path, Value, excerpt, met, operand, said, same, search
from monitor.fields import Fields
from monitor.model import Failure, Reason, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.databases.answer import Answer

    Redact = Callable[[str], str]
    Found = Iterator[tuple[Reason, str]]

SHOWN = 3


def _count(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    number = operand(value)
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ValueError(f"{value!r} is no number of rows, such as 1 or '> 0'")
    return value


class Rows(Fields):
    """What the rows must be like; all that is given must hold."""

    rows: Annotated[
        Value, AfterValidator(_count), WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]})
    ] = None
    """How many there must be: a number, or a comparison such as `> 0`. Without it, no row at all is well if nothing
    else is expected."""
    values: dict[str, Value] = Field(default={})
    """Columns, and the value that each row must have there, or a comparison such as `> 0`."""
    equal: Annotated[list[str], Field(min_length=2)] | None = None
    """Columns that must be equal in each row; the message names the values."""
    contains: dict[str, Any] = Field(default={})
    """Columns, and a value or a list of values that must each be there in some row; the message names the missing."""
    json_: dict[Path, Value] = Field(default={}, alias="json")
    """JMESPaths into the list of all rows, each a mapping by column, and the value that each must find, or a comparison
    such as `> 0`."""

    @property
    def columns(self) -> set[str]:
        """Return the columns that are looked at by name."""
        return {*self.values, *self.contains, *(self.equal or ())}

    @property
    def every_row(self) -> bool:
        """Return whether more must be known than how many rows there are."""
        return bool(self.columns or self.json_)


def judge(expect: Rows, answer: Answer, redact: Redact) -> None:
    """Return if `answer` is as expected.

    Raises the `Failure` of the first expectation that does not hold: `missing` where a row is, else `body`. It is
    unknown where rows were left out that it depends on.
    """
    for look in (_rows, _values, _equal, _complete, _contains, _json):
        for reason, detail in look(expect, answer, redact):
            raise Failure(reason, detail)


def shown(path: str, answer: Answer, redact: Redact) -> str:
    """Return what `path` finds in the first rows, shortened; nothing where its functions do not fit the values."""
    try:
        found = [search(path, row) for row in answer.document[:SHOWN]]
    except Failure:
        return ""
    return "; ".join(excerpt(value, redact).strip('"') for value in found if value is not None)


def _rows(expect: Rows, answer: Answer, _: Redact) -> Found:
    if expect.rows is not None and not met(expect.rows, answer.count):
        got = f"more than {len(answer.rows)}" if answer.more else answer.count
        yield Reason.BODY if answer.count else Reason.MISSING, f"expected rows {said(expect.rows)}, got {got}"


def _values(expect: Rows, answer: Answer, redact: Redact) -> Found:
    for name, value in expect.values.items():
        if not answer.rows and expect.rows is None:
            yield Reason.MISSING, f"expected {name} {said(value)}, got no row"
        for number, row in enumerate(answer.rows, 1):
            if not met(value, row[name].shown):
                got = excerpt(row[name].shown, redact)
                yield Reason.BODY, f"expected {name} {said(value)}, got {got}{_which(number, answer)}"


def _equal(expect: Rows, answer: Answer, redact: Redact) -> Found:
    names = expect.equal or []
    if names and not answer.rows and expect.rows is None:
        yield Reason.MISSING, f"expected {' and '.join(names)} to be equal, got no row"
    for number, row in enumerate(answer.rows, 1):
        got = [row[name].shown for name in names]
        if not all(same(got[0], other) for other in got[1:]):
            texts = " and ".join(excerpt(value, redact) for value in got)
            yield Reason.BODY, f"expected {' and '.join(names)} to be equal, got {texts}{_which(number, answer)}"


def _complete(expect: Rows, answer: Answer, _: Redact) -> Found:
    if answer.more and expect.every_row:
        raise too_many(answer)
    yield from ()


def _contains(expect: Rows, answer: Answer, redact: Redact) -> Found:
    for name, wanted in expect.contains.items():
        values = wanted if isinstance(wanted, list) else [wanted]
        missing = [value for value in values if not any(same(value, row[name].shown) for row in answer.rows)]
        if missing:
            texts = ", ".join(excerpt(value, redact) for value in missing)
            yield Reason.MISSING, f"missing in {name}: {texts}"


def _json(expect: Rows, answer: Answer, redact: Redact) -> Found:
    for path, value in expect.json_.items():
        got = search(path, answer.document, redact)
        if not met(value, got):
            yield Reason.BODY, f"expected {path} {said(value)}, got {excerpt(got, redact)}"


def too_many(answer: Answer) -> Failure:
    """Return that there are more rows than are read."""
    detail = f"the query gives more than {len(answer.rows)} rows: let it count or select fewer, or raise max_rows"
    return Failure(Reason.UNKNOWN, detail, State.UNKNOWN)


def _which(number: int, answer: Answer) -> str:
    return f" in row {number}" if answer.count > 1 else ""

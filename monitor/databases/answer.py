"""What a query answers: asked for in a form that costs little, whatever it is, and read into values.

The query stands inside one of ours, which takes at most so many rows, numbers and texts as texts of a bounded length,
and of columns that nobody looks at only whether they are null: so they are computed, and never sent.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.model import Failure, Reason, State

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from monitor.databases.line import Connection

LONGEST_TEXT = 500
LONGEST_NUMBER = 400
"""Digits beyond which a number is infinite for us anyway: a float ends at 309."""
MOST_VALUES = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sort(enum.Enum):
    """What a column's values are to us."""

    NUMBER = enum.auto()
    TRUTH = enum.auto()
    MOMENT = enum.auto()
    SPAN = enum.auto()
    TEXT = enum.auto()
    OTHER = enum.auto()


SORTS = {
    **dict.fromkeys(("int2", "int4", "int8", "float4", "float8", "numeric", "money", "oid"), Sort.NUMBER),
    "bool": Sort.TRUTH,
    **dict.fromkeys(("timestamptz", "timestamp", "date"), Sort.MOMENT),
    "interval": Sort.SPAN,
    **dict.fromkeys(("text", "varchar", "bpchar", "name", "char", "uuid"), Sort.TEXT),
}
"""The built-in types. Types of other makers are texts if PostgreSQL says that they are, or enumerations."""
TEXTS = "SELECT oid FROM pg_type WHERE oid = ANY($1::oid[]) AND (typtype = 'e' OR typcategory = 'S')"
CATALOG = "pg_catalog"
CLOCK = "extract(epoch FROM statement_timestamp())::text"


class Column(NamedTuple):
    """A column of the answer; `type` is what the server calls the type of its values."""

    name: str
    type: str
    sort: Sort


class Value(NamedTuple):
    """One value. `shown` is what JSON has for it, `number` what can be measured: base units, None where there is none.

    A moment is the seconds since 1970, in UTC where the database names no zone, and an interval is in seconds.
    """

    shown: Any
    number: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows that were read, at most as many as were asked for; `more`: there were others behind them.

    `at` is the database's own time, in seconds since 1970.
    """

    columns: Sequence[Column]
    rows: Sequence[dict[str, Value]]
    more: bool = False
    at: float = 0.0

    @property
    def count(self) -> int:
        """Return how many rows there are, as far as was counted."""
        return len(self.rows) + self.more

    @property
    def document(self) -> list[dict[str, Any]]:
        """Return the rows as JSON has them."""
        return [{name: value.shown for name, value in row.items()} for row in self.rows]


async def columns_of(connection: Connection, statement: str) -> tuple[Column, ...]:
    """Return the columns that `statement` yields, each under a name of its own; it is not run.

    Raises `Failure` (unknown) if it has parameters, or two columns of one name.
    """
    prepared = await connection.prepare(statement, name="")
    if prepared.get_parameters():
        raise _ours("the query has parameters, such as $1, for which there are no values")
    attributes = prepared.get_attributes()
    foreign = [found.type.oid for found in attributes if found.type.schema != CATALOG]
    texts = {oid for (oid,) in await connection.fetch(TEXTS, foreign)} if foreign else set()
    columns = tuple(_column(*found, text=found.type.oid in texts) for found in attributes)
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise _ours(f"the query has two columns {name}: give each a name with AS")
    return columns


async def answer(
    connection: Connection, statement: str, columns: Sequence[Column], wanted: Collection[str], most: int
) -> Answer:
    """Run `statement` and return at most `most` rows of it, with the values of the columns that are `wanted`."""
    if sum(column.name in wanted for column in columns) * most > MOST_VALUES:
        raise _ours(f"{most} rows of so many columns are too much: select only what is looked at, or lower max_rows")
    records = await connection.fetch(wrapped(statement, columns, wanted, most + 1))
    read = [
        {
            column.name: read_value(column, text)
            for column, text in zip(columns, texts, strict=True)
            if column.name in wanted
        }
        for _, *texts in records[:most]
    ]
    return Answer(columns, read, more=len(records) > most, at=float(records[0][0]) if records else 0.0)


def wrapped(statement: str, columns: Sequence[Column], wanted: Collection[str], most: int) -> str:
    """Return the query that asks for at most `most` rows of `statement`; our clock is its first column."""
    names = [f"c{number}" for number, _ in enumerate(columns)]
    taken = [
        _taken(name, column) if column.name in wanted else f"{name} IS NULL"
        for name, column in zip(names, columns, strict=True)
    ]
    called = f" ({', '.join(names)})" if names else ""
    asked = f"SELECT {', '.join([CLOCK, *taken])} FROM (\n{statement}\n)"  # noqa: S608 - the user's own, read only
    return f"{asked} AS answer{called} LIMIT {most}"


def read_value(column: Column, text: str | None) -> Value:
    """Return the value that the server sent as `text` for `column`."""
    if text is None:
        return Value(None)
    match column.sort:
        case Sort.NUMBER:
            return _number(text)
        case Sort.TRUTH:
            return Value(text == "true", float(text == "true"))
        case Sort.MOMENT:
            return Value(_moment(float(text)), float(text))
        case Sort.SPAN:
            return Value(float(text), float(text))
        case _:
            return Value(text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…")


def _column(name: str, kind: Any, *, text: bool) -> Column:  # noqa: ANN401 - the driver says nothing of its types
    own = kind.schema == CATALOG
    return Column(name, kind.name, (SORTS.get(kind.name, Sort.OTHER) if own else Sort.TEXT if text else Sort.OTHER))


def _taken(name: str, column: Column) -> str:
    match column.sort:
        case Sort.NUMBER:
            # Money is written with the sign of its currency.
            return f"left({name}{'::numeric' if column.type == 'money' else ''}::text, {LONGEST_NUMBER})"
        case Sort.TRUTH:
            return f"{name}::text"
        case Sort.MOMENT | Sort.SPAN:
            return f"extract(epoch FROM {name})::text"
        case _ if column.type == "bytea":
            return f"left(substring({name} FROM 1 FOR {LONGEST_TEXT})::text, {LONGEST_TEXT + 1})"
        case _:
            return f"left({name}::text, {LONGEST_TEXT + 1})"


def _number(text: str) -> Value:
    number = float(text)
    if not math.isfinite(number):
        return Value(text[:LONGEST_TEXT], None if math.isnan(number) else number)
    return Value(int(text) if text.lstrip("-").isdecimal() else number, number)


def _moment(seconds: float) -> str:
    """Return a moment as JSON has it; those that the calendar does not reach keep their number."""
    try:
        return (EPOCH + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return str(seconds)


def _ours(detail: str) -> Failure:
    return Failure(Reason.UNKNOWN, detail, State.UNKNOWN)

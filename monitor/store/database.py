"""What the store needs of a database: the seam between one SQL and its several homes."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Dialect, Select, Table
    from sqlalchemy.ext.asyncio import AsyncConnection
    from sqlalchemy.sql.expression import ClauseElement

T = TypeVar("T")
Work = Callable[["AsyncConnection"], Coroutine[Any, Any, T]]
"""What is done on a connection."""


class Database(Protocol):
    """Runs work on a connection, within a deadline. Raises `StoreUnavailable` for everything that may pass."""

    dialect: Dialect

    async def write(self, work: Work[T], rows: int = 0) -> T:
        """Run `work` as one transaction, the only one at a time, and return its result once it is durable.

        The deadline is 2 s, and 2 s more for every 5,000 `rows`.
        """
        ...

    async def read(self, work: Work[T]) -> T:
        """Run `work`, which only reads, beside whatever is being written; each statement sees one state."""
        ...

    async def many(self, connection: AsyncConnection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a compiled `statement` for each of `rows`, as fast as the driver can."""
        ...

    async def once(self, statement: str, row: tuple[Any, ...]) -> None:
        """Run a compiled `statement` as a transaction of its own, as short as can be, beside whoever writes."""
        ...

    async def used(self) -> int:
        """Return the bytes that the database takes up, without what it can use again."""
        ...

    async def shrink(self) -> None:
        """Give room that will not soon be used again back to the disk, in short steps."""
        ...

    async def close(self) -> None:
        """Close; harmless when called twice."""
        ...


async def all_rows(query: Select[Any], connection: AsyncConnection) -> Sequence[Any]:
    """Return every row of `query`: with its query filled in, a work for `Database.read`."""
    rows: Sequence[Any] = (await connection.execute(query)).all()
    return rows


def compiled(statement: ClauseElement, dialect: Dialect, columns: Sequence[str] | None = None) -> str:
    """Return the text of `statement` for `Database.many`: its parameters stand in the order they are written in."""
    return str(statement.compile(dialect=dialect, column_keys=columns))


def insert_once(table: Table, dialect: Dialect, columns: Sequence[str] | None = None) -> str:
    """Return the statement that inserts a row of `columns` (default: all) unless it is there already."""
    insert = _insert(table, dialect).on_conflict_do_nothing()
    return compiled(insert, dialect, columns or table.columns.keys())


def insert_or_replace(table: Table, dialect: Dialect, **changed: ClauseElement) -> str:
    """Return the statement that inserts a row, or replaces the one with its key; `changed` columns as told instead."""
    insert = _insert(table, dialect)
    values = {column.name: insert.excluded[column.name] for column in table.columns if not column.primary_key}
    replace = insert.on_conflict_do_update(index_elements=list(table.primary_key), set_={**values, **changed})
    return compiled(replace, dialect, table.columns.keys())


def _insert(table: Table, dialect: Dialect) -> sqlite.Insert | postgresql.Insert:
    # inline: nobody asks for the number that a row was given
    return (sqlite.insert(table) if dialect.name == "sqlite" else postgresql.insert(table)).inline()

"""Which tables and columns a statement reads, by its text alone: no database is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlglot.optimizer.scope import Scope

CATALOGUES = ("pg_catalog", "information_schema")
DEFAULT_SCHEMA = "public"
OF_EVERY_TABLE = frozenset({"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"})
"""Columns that PostgreSQL gives every table, and that are read with the whole of it."""


class Table(NamedTuple):
    """A table, or a view: of what that stands on, its reader needs nothing."""

    schema: str
    name: str


class Unreadable(ValueError):  # noqa: N818 - a sentence for people
    """A statement that is not understood: what it reads must be found out by whoever wrote it."""


def tables_of(query: str) -> dict[Table, frozenset[str]]:
    """Return each table that `query` reads, with its columns; none: all of them, or nobody can tell which.

    What every role may read, the catalogues, is left out. A column that stands without its table beside several tables
    counts as all of them, since only the database knows whose it is. Raises `Unreadable`.
    """
    try:
        scopes = traverse_scope(parse_one(query, read="postgres"))
    except (SqlglotError, RecursionError) as error:
        raise Unreadable(str(error).partition("\n")[0]) from None
    found: dict[Table, frozenset[str]] = {}
    for scope in scopes:
        for table, columns in _read_in(scope).items():
            known = found.get(table)
            found[table] = columns if known is None else known | columns if known and columns else frozenset()
    return dict(sorted(found.items()))


def _read_in(scope: Scope) -> dict[Table, frozenset[str]]:
    """Return what one part of a statement reads itself. A count of rows names no column, so it needs them all."""
    ours = {name: table for name, source in scope.sources.items() if (table := _table(source))}
    read: dict[Table, set[str]] = {table: set() for table in ours.values()}
    whole = {table for name, table in ours.items() if _is_whole(scope, name)}
    for table, column in _columns(scope, ours):
        read[table].add(_folded(column.this))
        if column.name in OF_EVERY_TABLE or (len(scope.sources) > 1 and not column.table):
            whole.add(table)
    return {table: frozenset() if table in whole else frozenset(columns) for table, columns in read.items()}


def _table(source: object) -> Table | None:
    """Return a table that needs a right; None for a function, a part of the statement, and what every role may read."""
    if not isinstance(source, exp.Table) or not isinstance(source.this, exp.Identifier):
        return None
    schema, name = _folded(source.args.get("db")), _folded(source.this)
    if schema in CATALOGUES or (not schema and name.startswith("pg_")):
        return None
    return Table(schema or DEFAULT_SCHEMA, name)


def _folded(name: exp.Expression | None) -> str:
    """Return a name as PostgreSQL knows it: in small letters, unless it is quoted."""
    if name is None:
        return ""
    return name.name if name.args.get("quoted") else name.name.lower()


def _columns(scope: Scope, tables: Mapping[str, Table]) -> Iterator[tuple[Table, exp.Column]]:
    """Yield each column that is named, with each table that it may be of: those by which tables are joined, of all.

    One without its table is of the part of the statement that it stands in, unless that calls one of its results so.
    """
    here = set(map(id, scope.find_all(exp.Column)))
    query = scope.expression
    results = (
        {one.alias for one in query.selects if isinstance(one, exp.Alias)} if isinstance(query, exp.Query) else set()
    )
    for column in scope.columns:
        if column.table in tables:
            yield tables[column.table], column
        elif not column.table and id(column) in here and not (column.name in results and _sorts(column)):
            yield from ((table, column) for table in tables.values())
    for join in scope.find_all(exp.Join):
        for name in join.args.get("using") or ():
            yield from ((table, exp.column(name, "using")) for table in tables.values())


def _sorts(column: exp.Column) -> bool:
    """Return whether a column stands where the name of a result may stand too."""
    return isinstance(column.parent, exp.Group | exp.Ordered)


def _is_whole(scope: Scope, name: str) -> bool:
    """Return whether all columns of the source `name` are read: by a star, as a row, by a join on whatever fits."""
    natural = any(join.args.get("method") == "NATURAL" for join in scope.find_all(exp.Join))
    rows = any(not column.table and column.name == name for column in scope.find_all(exp.Column))
    return natural or rows or any(_covers(star, name) for star in scope.find_all(exp.Star))


def _covers(star: exp.Star, name: str) -> bool:
    """Return whether a star means all columns of `name`: that of a count means none."""
    if isinstance(star.parent, exp.Column):
        return star.parent.table == name
    return not isinstance(star.parent, exp.Count)

"""What a statement reads, by its text; held against a real PostgreSQL, which lets a role read just that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.grants.databases import quoted
from monitor.grants.tables import Table, Unreadable, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Cluster

    Connection = psycopg.Connection[tuple[object, ...]]

WHOLE = frozenset[str]()
COLUMNS = ("id", "total", "Kind")
CONTENT = """
CREATE TABLE a (id int, total numeric, "Kind" text, secret text);
CREATE TABLE b (id int, total numeric, "Kind" text, secret text);
CREATE ROLE reader_of_queries
"""


def read(query: str) -> dict[str, set[str]]:
    return {".".join(table): set(columns) for table, columns in tables_of(query).items()}


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ("SELECT shops, Stale FROM Monitor.Sync", {"monitor.sync": {"shops", "stale"}}),
        ('SELECT "Id" FROM "Orders"', {"public.Orders": {"Id"}}),
        ("SELECT count(*) FROM t", {"public.t": set()}),
        ("SELECT count(*) FILTER (WHERE status = 'x') FROM t", {"public.t": {"status"}}),
        ("SELECT * FROM a", {"public.a": set()}),
        ("SELECT a.*, b.x FROM a JOIN b ON a.id = b.id", {"public.a": set(), "public.b": {"id", "x"}}),
        ("SELECT row_to_json(t) FROM t", {"public.t": set()}),
        ("SELECT ctid FROM t", {"public.t": set()}),
        ("SELECT x FROM a, b", {"public.a": set(), "public.b": set()}),
        ("SELECT x FROM a NATURAL JOIN b", {"public.a": set(), "public.b": set()}),
        ("SELECT b.x FROM b JOIN c USING (k)", {"public.b": {"k", "x"}, "public.c": {"k"}}),
        ("WITH c AS (SELECT id FROM users WHERE active) SELECT count(*) FROM c", {"public.users": {"active", "id"}}),
        ("SELECT (SELECT max(n) FROM b WHERE b.id = a.id) FROM a", {"public.a": {"id"}, "public.b": {"id", "n"}}),
        ("SELECT id FROM a WHERE id IN (SELECT c FROM e)", {"public.a": {"id"}, "public.e": {"c"}}),
        ("SELECT id FROM a UNION SELECT n FROM b", {"public.a": {"id"}, "public.b": {"n"}}),
        ("SELECT date(x) AS day, max(y) AS m FROM t GROUP BY day ORDER BY m", {"public.t": {"x", "y"}}),
        ("SELECT j.value FROM t, jsonb_each(t.doc) j", {"public.t": {"doc"}}),
        ("SELECT x FROM f(3)", {}),
        ("SELECT extversion FROM pg_extension", {}),
        ("SELECT table_name FROM information_schema.tables", {}),
        ("VALUES (1)", {}),
        ("TABLE t", {"public.t": set()}),
    ],
)
def test_tables_and_columns_are_told(query: str, reads: dict[str, set[str]]) -> None:
    assert read(query) == reads


@pytest.mark.parametrize("query", ["SELECT FROM (", "SELECT x FROM ${TABLE}", "SELECT " + "(" * 3_000])
def test_what_is_not_understood_is_said(query: str) -> None:
    with pytest.raises(Unreadable):
        tables_of(query)


@pytest.fixture(scope="module")
def connection(postgres: Cluster) -> Iterator[Connection]:
    postgres.psql("CREATE DATABASE read_by_queries")
    with psycopg.connect(postgres.dsn("read_by_queries"), autocommit=True) as opened:
        opened.execute(CONTENT)
        yield opened


NAMED = st.sampled_from([f'"{name}"' for name in COLUMNS])
OF_A, OF_B = NAMED.map("a.{}".format), NAMED.map("b.{}".format)
EITHER = OF_A | OF_B
CONDITION = st.builds("{}::text = {}::text".format, OF_A, OF_B)
QUERIES = st.one_of(
    st.builds('SELECT {} AS "{}" FROM a WHERE {} IS NULL'.format, NAMED, st.sampled_from(["id", "n"]), NAMED),
    st.builds("SELECT count({0}), {1} FROM a GROUP BY {1} ORDER BY {1}".format, NAMED, NAMED),
    st.builds("SELECT {} FROM a JOIN b ON {}".format, EITHER, CONDITION),
    st.builds("SELECT {} FROM a LEFT JOIN b USING ({})".format, OF_A, NAMED),
    st.builds("SELECT {} FROM a WHERE EXISTS (SELECT 1 FROM b WHERE {})".format, OF_A, CONDITION),
    st.builds("WITH c AS (SELECT {} AS x FROM b) SELECT c.x, a.{} FROM a, c".format, NAMED, NAMED),
    st.builds("SELECT s.x FROM (SELECT {0} AS x FROM a UNION ALL SELECT {0} FROM b) s".format, NAMED),
    st.builds("SELECT sum(a.total) OVER (PARTITION BY {} ORDER BY {}) FROM a".format, OF_A, OF_A),
)


@settings(max_examples=60)
@given(query=QUERIES)
def test_just_that_is_enough_and_nothing_of_it_can_be_spared(connection: Connection, query: str) -> None:
    """Planning asks for every right and runs nothing."""
    granted = [(table, column) for table, columns in tables_of(query).items() for column in sorted(columns)]
    assert granted
    assert allowed(connection, query, granted)
    for left_out in granted:
        assert not allowed(connection, query, [one for one in granted if one != left_out]), left_out


def allowed(connection: Connection, query: str, granted: list[tuple[Table, str]]) -> bool:
    """Return whether a role that may read just these columns may run a query."""
    connection.execute("REVOKE ALL ON a, b FROM reader_of_queries")
    for table, column in granted:
        connection.execute(f"GRANT SELECT ({quoted(column)}) ON {quoted(*table)} TO reader_of_queries")
    connection.execute("SET ROLE reader_of_queries")
    try:
        connection.execute(f"EXPLAIN {query}")
    except psycopg.errors.InsufficientPrivilege:
        return False
    finally:
        connection.execute("RESET ROLE")
    return True


def test_words_of_the_language_are_quoted(connection: Connection) -> None:
    """A column called `order` or `user` could not be granted otherwise: all that the server itself reserves."""
    words = connection.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')").fetchall()
    assert len(words) > 90
    assert [word for (word,) in words if quoted(str(word)) != f'"{word}"'] == []

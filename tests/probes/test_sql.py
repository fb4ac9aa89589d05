"""The kind sql against a real server: what queries give, and everything that a query can do to us."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.databases.answer import Sort
from monitor.model import CheckId, Reason, Sample, State
from monitor.probes.base import Resources, observe
from monitor.probes.sql import SqlCheck
from monitor.probes.sql.series import UNFIT
from tests.fakes import FakeClock
from tests.peers import relays, tcp_peer
from tests.pgbouncer import pgbouncer
from tests.postgres import PASSWORD as PASSWORD_OF_USER
from tests.postgres import USER
from tests.probes.conftest import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Cluster

DATABASE = "sql_tests"
ROLE, PASSWORD = "sql_reader", "pass-of-the-reader"
QUIET = "-c client_min_messages=error"
TABLES = """
CREATE TYPE mood AS ENUM ('well', 'ill');
CREATE DOMAIN size AS bigint;
CREATE TYPE words;
CREATE FUNCTION words_in(cstring) RETURNS words LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION words_out(words) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE words (INPUT = words_in, OUTPUT = words_out, LIKE = text, CATEGORY = 'S');
CREATE TYPE vector;
CREATE FUNCTION vector_in(cstring) RETURNS vector LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION vector_out(vector) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE vector (INPUT = vector_in, OUTPUT = vector_out, LIKE = text);
CREATE TABLE jobs (id int, state text, kind mood, size size, at timestamptz, mail text);
INSERT INTO jobs VALUES (1, 'open', 'well', 10, now() - interval '1 hour', 'eve@example.com'),
                        (2, 'open', 'ill', 20, now(), 'bob@example.com'),
                        (3, 'done', 'well', 30, now(), NULL);
CREATE SEQUENCE numbers;
CREATE FUNCTION writes() RETURNS int LANGUAGE sql AS 'INSERT INTO jobs VALUES (4) RETURNING id';
CREATE FUNCTION refuses(code text) RETURNS int STABLE LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'mail of %', 'eve@example.com' USING ERRCODE = code; END $$;
"""


@pytest.fixture(scope="module")
def dsn(postgres: Cluster) -> Iterator[str]:
    postgres.psql(f"CREATE DATABASE {DATABASE}")
    postgres.psql(TABLES, DATABASE, QUIET)
    postgres.psql(
        f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'; GRANT SELECT (id, state) ON jobs TO {ROLE}", DATABASE
    )
    yield f"{postgres.dsn(DATABASE)}?sslmode=disable"
    postgres.psql(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    postgres.psql(f"DROP ROLE {ROLE}")


async def look(resources: Resources, dsn: str, query: str, **fields: object) -> Sample:
    check = SqlCheck.model_validate({"dsn": dsn, "query": query, "timeout": "20s", **fields})
    sample = await observe(CheckId("shop", "jobs"), check, resources, FakeClock())
    assert sample.reason is None or sample.reason in check.reasons
    declared = {spec.name for spec in check.declared()}
    assert {measure.name for measure in sample.measures} <= declared
    return sample


def told(sample: Sample) -> tuple[State, Reason | None, str]:
    """Return state, reason and detail, without where the database is."""
    return sample.state, sample.reason, sample.detail.partition(f"/{DATABASE}: ")[2] or sample.detail


def found(sample: Sample) -> dict[tuple[str, ...], float]:
    """Return the measures but for times, by name and label values."""
    return {
        (measure.name, *(text for _, text in measure.labels)): measure.value
        for measure in sample.measures
        if measure.name not in {"duration", "phase"}
    }


async def test_a_query_that_runs_is_up_with_its_times(resources: Resources, dsn: str) -> None:
    sample = await look(resources, dsn, "select 1; -- all is well")
    assert told(sample) == (State.UP, None, "")
    assert found(sample) == {("rows",): 1}
    assert {measure.name for measure in sample.measures} == {"rows", "phase", "duration"}


async def test_rows_become_series_with_measures_and_labels(resources: Resources, dsn: str) -> None:
    """Texts and enumerations are labels of their own accord, a domain is measured as what it stands on."""
    query = "select state, kind, count(*) as jobs, sum(size)::size as total from jobs group by 1, 2"
    sample = await look(resources, dsn, query, measures={"jobs": "number", "total": "MB"})
    assert found(sample) == {
        ("rows",): 3,
        ("jobs", "well", "open"): 1,
        ("jobs", "ill", "open"): 1,
        ("jobs", "well", "done"): 1,
        ("total", "well", "open"): 10e6,
        ("total", "ill", "open"): 20e6,
        ("total", "well", "done"): 30e6,
    }


async def test_types_of_extensions_are_labels_if_they_are_texts(resources: Resources, dsn: str) -> None:
    """As citext is, and pgvector's vector is not, which can be shown all the same."""
    query = "select 'Eve'::words as who, '[1,2]'::vector as place, 1 as n"
    sample = await look(resources, dsn, query, measures={"n": "number"}, expect={"values": {"place": "[1,2]"}})
    assert (told(sample), found(sample)) == ((State.UP, None, ""), {("rows",): 1, ("n", "Eve"): 1})


async def test_columns_that_thresholds_watch_are_measures(resources: Resources, dsn: str) -> None:
    thresholds = [
        {"watch": 'jobs{state="open"}', "warning": "> 5"},
        {"watch": "oldest", "warning": "> 30m"},
    ]
    query = "select state, count(*) as jobs, max(now() - at) as oldest, max(mail) is null as odd from jobs group by 1"
    sample = await look(resources, dsn, query, thresholds=thresholds)
    values = found(sample)
    assert values.pop(("oldest", "open")) == pytest.approx(3600, abs=300)
    assert values.pop(("oldest", "done")) < 300
    assert values == {("rows",): 2, ("jobs", "open"): 2, ("jobs", "done"): 1}


async def test_every_type_that_can_be_measured(resources: Resources, dsn: str) -> None:
    query = """select 1::int2 as a, 2.5::float4 as b, 3.25::numeric as c, 4::money as d, true as e, 6::oid as f,
        interval '1 min 30 s' as g, timestamptz '2026-11-21 09:00+00' as h, timestamp '2026-11-21 09:00' as i,
        date '2026-11-21' as j, timestamptz 'infinity' as k, now() - interval '1 day' as l, 'NaN'::float8 as m,
        null::int as n, 1e300::numeric * 1e300 as o, 'infinity'::float8 as p, 50 as q, 1e-400::numeric as r"""
    units = dict.fromkeys("abcdefmnop", "number") | dict.fromkeys("hijk", "timestamp") | {"g": "s", "l": "age"}
    sample = await look(resources, dsn, query, measures=units | {"q": "%", "r": "bytes"}, max_rows=1)
    values = found(sample)
    assert values.pop(("l",)) == pytest.approx(86_400, abs=1)
    assert told(sample) == (State.UP, None, "")
    assert values == {
        ("rows",): 1,
        ("a",): 1,
        ("b",): 2.5,
        ("c",): 3.25,
        ("d",): 4,
        ("e",): 1,
        ("f",): 6,
        ("g",): 90,
        ("h",): 1_795_251_600,
        ("i",): 1_795_251_600,
        ("j",): 1_795_219_200,
        ("k",): float("inf"),
        ("o",): float("inf"),
        ("p",): float("inf"),
        ("q",): 0.5,
        ("r",): 0,
    }


async def test_every_type_can_be_shown(resources: Resources, dsn: str) -> None:
    """Also those that no client library knows."""
    query = """select '{"a": [1]}'::jsonb as a, array[1, 2] as b, row(1, 'x') as c, int4range(1, 5) as d,
        '\\x6162'::bytea as e, '10.0.0.1'::inet as f, pg_sleep(0) as g, 'well'::mood as h, jobs as i, null as j,
        '00000000-0000-0000-0000-000000000001'::uuid as k, '(1,2)'::point as l, time '10:00' as m,
        array['well']::mood[] as n, 'x'::"char" as o, 'ab'::char(5) as p, '<a/>'::xml as q, '1 day'::interval as r
        from jobs where id = 3"""
    sample = await look(resources, dsn, query, show="values(@)", expect={"rows": 0})
    assert (sample.state, sample.reason) == (State.DOWN, Reason.BODY)
    texts = {
        "a": '{"a": [1]}',
        "b": "{1,2}",
        "c": "(1,x)",
        "d": "[1,5)",
        "e": "\\x6162",
        "f": "10.0.0.1/32",
        "g": "",
        "h": "well",
        "j": None,
        "k": "00000000-0000-0000-0000-000000000001",
        "l": "(1,2)",
        "m": "10:00:00",
        "n": "{well}",
        "o": "x",
        "p": "ab",
        "q": "== <a/>",
        "r": 86_400,
    }
    sample = await look(resources, dsn, query, expect={"values": texts})
    assert told(sample) == (State.UP, None, "")


async def test_what_nobody_looks_at_is_computed_and_not_fetched(resources: Resources, dsn: str) -> None:
    """A function that raises is heard although its column is not asked for."""
    sample = await look(resources, dsn, "select id, refuses('P0001') from jobs", expect={"values": {"id": 1}})
    assert told(sample) == (State.UNKNOWN, Reason.UNKNOWN, "the query failed with SQLSTATE P0001")


@pytest.mark.parametrize(
    ("query", "expect", "said"),
    [
        (
            "select version_num from (values ('005')) as v (version_num)",
            {"rows": 1, "values": {"version_num": "005"}},
            "",
        ),
        (
            "select '004' as version_num",
            {"rows": 1, "values": {"version_num": "005"}},
            'expected version_num to be "005", got "004"',
        ),
        ("select extname from pg_extension", {"contains": {"extname": ["plpgsql"]}}, ""),
        (
            "select extname from pg_extension",
            {"contains": {"extname": ["plpgsql", "vector"]}},
            'missing in extname: "vector"',
        ),
        (
            "select 12 as tenants, count(*) as schemas from pg_namespace where nspname ~ '^tenant_'",
            {"equal": ["tenants", "schemas"]},
            "expected tenants and schemas to be equal, got 12 and 0",
        ),
        ("select has_schema_privilege('public', 'CREATE') as may_create", {"values": {"may_create": True}}, ""),
        ("select 1 from jobs where state = 'failed'", {"rows": 0}, ""),
        ("select id from jobs", {"json": {"max([].id)": "> 3"}}, "expected max([].id) > 3, got 3"),
        ("select id from jobs", {"json": {"max([].id)": 3}}, ""),
    ],
)
async def test_what_runbooks_expect(
    resources: Resources, dsn: str, query: str, expect: dict[str, Any], said: str
) -> None:
    sample = await look(resources, dsn, query, expect=expect)
    assert sample.detail == said
    assert sample.state is (State.DOWN if said else State.UP)


async def test_rows_are_shown_where_the_file_says_so_and_nowhere_else(resources: Resources, dsn: str) -> None:
    query = "select id, mail as why, id as n from jobs where mail is not null order by id desc"
    sample = await look(resources, dsn, query, expect={"rows": 0}, measures={"n": "number"}, labels=["id"], show="why")
    assert sample.detail == "expected rows to be 0, got 2: bob@example.com; eve@example.com"
    assert sample.remarks == dict.fromkeys(["rows", "n"], "bob@example.com; eve@example.com")
    sample = await look(resources, dsn, query, expect={"rows": 0}, measures={"n": "number"}, labels=["id"])
    assert sample.detail == "expected rows to be 0, got 2"
    assert "example" not in repr(sample)


async def test_what_is_shown_holds_no_secret(resources: Resources, dsn: str) -> None:
    query = "select repeat('x', 90) || current_setting('monitor.word') as a, 1 as n"
    with_word = f"{dsn}&options=-c%20monitor.word%3D{SECRET.replace('&', '%26').replace('/', '%2F')}"
    sample = await look(resources, with_word, query, expect={"rows": 0}, show="a", measures={"n": "number"})
    assert sample.state is State.DOWN
    assert "xxx" in sample.detail
    assert "hunt" not in repr(sample)


@pytest.mark.parametrize(
    ("query", "fields", "state", "reason", "said"),
    [
        ("select * from nowhere", {}, State.DOWN, Reason.MISSING, 'relation "nowhere" does not exist'),
        ("select * from no.where", {}, State.DOWN, Reason.MISSING, 'relation "no.where" does not exist'),
        ("select nothing from jobs", {}, State.UNKNOWN, Reason.MISSING, 'column "nothing" does not exist'),
        ("select nothing(1)", {}, State.UNKNOWN, Reason.MISSING, "function nothing(integer) does not exist"),
        ("select fro jobs where", {}, State.UNKNOWN, Reason.UNKNOWN, "syntax error at end of input"),
        ("select 1) as a, (select 2", {}, State.UNKNOWN, Reason.UNKNOWN, 'syntax error at or near ")"'),
        (
            "with gone as (delete from jobs returning id) select * from gone",
            {},
            State.UNKNOWN,
            Reason.UNKNOWN,
            "WITH clause containing a data-modifying statement must be at the top level",
        ),
        ("select writes()", {}, State.UNKNOWN, Reason.UNKNOWN, "cannot execute INSERT in a read-only transaction"),
        (
            "select nextval('numbers')",
            {},
            State.UNKNOWN,
            Reason.UNKNOWN,
            "cannot execute nextval() in a read-only transaction",
        ),
        (
            "select set_config('transaction_read_only', 'off', true), writes()",
            {},
            State.UNKNOWN,
            Reason.UNKNOWN,
            "transaction read-write mode must be set before any query",
        ),
        (
            "select id from jobs for update",
            {},
            State.UNKNOWN,
            Reason.UNKNOWN,
            "cannot execute SELECT FOR UPDATE in a read-only transaction",
        ),
        ("select id into copy from jobs", {}, State.UNKNOWN, Reason.UNKNOWN, "SELECT ... INTO is not allowed here"),
        ("select mail::int from jobs", {}, State.UNKNOWN, Reason.UNKNOWN, "the query failed with SQLSTATE 22P02"),
        ("select 1 / 0", {}, State.UNKNOWN, Reason.UNKNOWN, "the query failed with SQLSTATE 22012"),
        ("select refuses('UE001')", {}, State.UNKNOWN, Reason.UNKNOWN, "the query failed with SQLSTATE UE001"),
        ("select refuses('42501')", {}, State.UNKNOWN, Reason.AUTH, "the query failed with SQLSTATE 42501"),
        (
            "select $1::int",
            {},
            State.UNKNOWN,
            Reason.UNKNOWN,
            "the query has parameters, such as $1, for which there are no values",
        ),
        (
            "select null::anyarray",
            {},
            State.UNKNOWN,
            Reason.UNKNOWN,
            "the query has a column of a type that cannot be read, such as anyarray: cast it",
        ),
        (
            "select 1 as a, 2 as a",
            {},
            State.UNKNOWN,
            Reason.UNKNOWN,
            "the query has two columns a: give each a name with AS",
        ),
        (
            "select id from jobs",
            {"measures": {"n": "number"}},
            State.UNKNOWN,
            Reason.MISSING,
            "the query has no column n; its columns are id",
        ),
        (
            "select from jobs",
            {"labels": ["shop"]},
            State.UNKNOWN,
            Reason.MISSING,
            "the query has no column shop; its columns are none",
        ),
        (
            "select id from jobs",
            {"expect": {"values": {"n": 1}}},
            State.UNKNOWN,
            Reason.MISSING,
            "the query has no column n; its columns are id",
        ),
        (
            "select id, size as n from jobs",
            {"thresholds": [{"watch": 'n{id="1"}', "warning": "> 1"}]},
            State.UNKNOWN,
            Reason.MISSING,
            "id, by which a threshold selects, is no text column: list it in labels",
        ),
        (
            "select at as n from jobs where false",
            {"thresholds": [{"watch": "n", "warning": "> 5m"}]},
            State.UNKNOWN,
            Reason.UNKNOWN,
            f"the column n is of the type timestamptz: {UNFIT[Sort.MOMENT]}",
        ),
        (
            "select state, id as n from jobs",
            {"measures": {"n": "number"}},
            State.UNKNOWN,
            Reason.UNKNOWN,
            "rows 1 and 2 have the same state: group them, or add a label",
        ),
        (
            "select g as n from generate_series(1, 5) as g",
            {"measures": {"n": "number"}, "max_rows": 4},
            State.UNKNOWN,
            Reason.UNKNOWN,
            "the query gives more than 4 rows: let it count or select fewer, or raise max_rows",
        ),
        (
            "select a.*, b.amname as b1 from pg_am as a, pg_am as b",
            {"show": "amname", "max_rows": 900},
            State.UP,
            None,
            "",
        ),
        (
            f"select {', '.join(f'{number} as c{number}' for number in range(12))}",
            {"show": "c1", "max_rows": 900},
            State.UNKNOWN,
            Reason.UNKNOWN,
            "900 rows of so many columns are too much: select only what is looked at, or lower max_rows",
        ),
    ],
)
async def test_what_is_wrong_with_a_query_is_said(
    resources: Resources,
    dsn: str,
    query: str,
    fields: dict[str, Any],
    state: State,
    reason: Reason | None,
    said: str,
) -> None:
    sample = await look(resources, dsn, query, **fields)
    assert told(sample) == (state, reason, said)
    assert "example.com" not in repr(sample)


async def test_a_down_row_is_told_before_rows_that_are_one_series(resources: Resources, dsn: str) -> None:
    query = "select state, id as n from jobs order by id"
    sample = await look(resources, dsn, query, measures={"n": "number"}, expect={"values": {"n": "< 3"}})
    assert told(sample) == (State.DOWN, Reason.BODY, "expected n < 3, got 3 in row 3")


async def test_a_query_that_never_ends_is_ended_by_the_server_and_disturbs_no_other(
    resources: Resources, dsn: str
) -> None:
    sample = await look(resources, dsn, "select pg_sleep(600)", timeout="500ms")
    assert told(sample) == (State.DOWN, Reason.TIMEOUT, "canceling statement due to statement timeout")
    sample = await look(
        resources,
        dsn,
        "with recursive t as (select 1 union all select 1 from t) select from t offset 1e9",
        timeout="500ms",
    )
    assert sample.reason is Reason.TIMEOUT
    sample = await look(
        resources,
        dsn,
        "select count(*) as n from pg_stat_activity where query ~ 'sleep.600'"
        " and pid <> pg_backend_pid() and state = 'active'",
        expect={"values": {"n": 0}},
    )
    assert told(sample) == (State.UP, None, "")


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("select g from generate_series(1, 1000000) as g", {"expect": {"rows": "> 100"}}),
        ("select repeat('x', 100000000) as a from generate_series(1, 2)", {"expect": {"values": {"a": "!= x"}}}),
        ("select convert_to(repeat('x', 100000000), 'UTF8') as a", {"show": "a"}),
        ("select array_fill(7, array[3000000]) as a", {"show": "a"}),
    ],
    ids=["a million rows", "a long text", "long bytes", "a long array"],
)
async def test_an_answer_that_is_too_large_costs_no_memory(
    resources: Resources, dsn: str, query: str, fields: dict[str, Any]
) -> None:
    tracemalloc.start()
    try:
        sample = await look(resources, dsn, query, **fields)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told(sample) == (State.UP, None, "")
    assert peak < 2_000_000


async def test_rows_beyond_the_limit_are_counted_as_one(resources: Resources, dsn: str) -> None:
    sample = await look(resources, dsn, "select from generate_series(1, 50)", max_rows=7)
    assert found(sample) == {("rows",): 8}


async def test_a_view_is_enough_and_the_table_behind_it_stays_closed(
    postgres: Cluster, resources: Resources, dsn: str
) -> None:
    assert (await look(resources, dsn, "select mail from jobs")).state is State.UP
    reader = f"{postgres.dsn(DATABASE, ROLE, PASSWORD)}?sslmode=disable"
    assert (await look(resources, reader, "select id, state from jobs")).state is State.UP
    sample = await look(resources, reader, "select mail from jobs")
    assert told(sample) == (State.UNKNOWN, Reason.AUTH, "permission denied for table jobs")


async def test_a_database_without_an_encoding_may_hold_what_is_no_text(postgres: Cluster, resources: Resources) -> None:
    postgres.psql("CREATE DATABASE sql_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")
    dsn = f"{postgres.dsn('sql_ascii')}?sslmode=disable"
    sample = await look(resources, dsn, "select e'\\xff' as a", show="a")
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.UNKNOWN)
    assert sample.detail.endswith("the query failed with SQLSTATE 22021")
    assert (await look(resources, dsn, "select 1")).state is State.UP


async def test_a_server_that_dies_in_the_middle_of_a_row_is_down(
    postgres: Cluster, resources: Resources, dsn: str
) -> None:
    query = "select repeat('x', 400) as a from generate_series(1, 100)"
    for most in (8_000, 30_000):
        async with tcp_peer(relays(postgres.port, most=most)) as peer:
            sample = await look(resources, dsn.replace(f":{postgres.port}/", f":{peer.port}/"), query, show="a")
        assert (sample.state, sample.reason) == (State.DOWN, Reason.RESET), sample
        assert found(sample) == {}


async def test_queries_through_a_pooler_leave_nothing_on_the_servers_side(
    postgres: Cluster, resources: Resources, dsn: str
) -> None:
    """In transaction mode a prepared statement that stays would meet the next one of its name, and fail."""
    assert dsn
    with pgbouncer(postgres, USER, PASSWORD_OF_USER, size=1) as port:
        pooled = f"postgresql://{USER}:{PASSWORD_OF_USER}@127.0.0.1:{port}/{DATABASE}?sslmode=disable"
        for name in ("one", "two"):  # each address has a connection of its own, and both share one to the server
            for query in ("select kind, jobs from jobs", "select array[kind] from jobs"):
                sample = await look(resources, f"{pooled}&application_name={name}", query, expect={"rows": 3})
                assert told(sample) == (State.UP, None, "")
        sample = await look(resources, pooled, "select from pg_prepared_statements", expect={"rows": 0})
        assert told(sample) == (State.UP, None, "")


FRAGMENTS = st.sampled_from(
    [
        "select",
        "from",
        "jobs",
        "id",
        "1",
        "'x'",
        "(",
        ")",
        ",",
        ";",
        "--",
        "/*",
        "*/",
        "\n",
        "$1",
        "$$",
        "as",
        "a",
        "*",
        "limit 1",
        "union all",
        "with",
        "values",
        "table",
        "null",
        "state",
        "'",
        '"',
        "e'\\'",
        "generate_series(1, 200)",
        "where",
        "now()",
        "::int",
        "::text",
        "array[1]",
        "order by 1",
        "delete",
        "insert into jobs",
        "returning id",
        "é",
    ]
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(FRAGMENTS, min_size=1, max_size=8),
    fields=st.sampled_from([{}, {"show": "a"}, {"measures": {"id": "number"}}, {"expect": {"rows": "> 1"}}]),
)
async def test_any_text_ends_in_a_sample(
    resources: Resources, dsn: str, words: list[str], fields: dict[str, Any]
) -> None:
    """Or is refused when the file is read; never is it a crash, and never is anything written."""
    try:
        sample = await look(resources, dsn, f"select {' '.join(words)}", **fields)
    except ValidationError:
        return
    assert "probe itself failed" not in sample.detail
    assert sample.reason not in {Reason.RESET, Reason.PROTOCOL, Reason.TIMEOUT}
    count = await look(resources, dsn, "select count(*) as n from jobs", expect={"values": {"n": 3}})
    assert count.state is State.UP, count.detail

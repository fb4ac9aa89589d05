"""A job that notes its runs in a table, read from a real server: what each row means, and every row that lies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.clock import SystemClock
from monitor.model import CheckId, Reason, Sample, State
from monitor.probes.base import Resources, Run, observe
from monitor.probes.heartbeat import TOPIC, HeartbeatCheck
from monitor.probes.heartbeat.journal import Journal
from tests.fakes import START, FakeClock
from tests.peers import free_port
from tests.postgres import PASSWORD, USER
from tests.probes.conftest import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Cluster

CHECK = CheckId("shop", "backup")
DATABASE = "heartbeats"
RUNS = """
CREATE TABLE runs (id int, job text, began timestamptz, ended timestamptz, state text, code int, log text);
CREATE TABLE events (run uuid, what text, at timestamptz);
"""
COLUMNS = "SELECT ended AS finished, began AS started FROM runs"
EVENTS = """
SELECT run, CASE WHEN what = 'start' THEN at END AS started,
       CASE WHEN what <> 'start' THEN at END AS finished, what = 'ok' AS ok FROM events
"""


@pytest.fixture(scope="module")
def database(postgres: Cluster) -> Iterator[Cluster]:
    postgres.psql(f"CREATE DATABASE {DATABASE}")
    postgres.psql(RUNS, DATABASE)
    yield postgres
    postgres.psql(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture
def clean(database: Cluster) -> Cluster:
    database.psql("TRUNCATE runs, events", DATABASE)
    return database


async def look(resources: Resources, port: int, query: str, **fields: object) -> Sample:
    dsn = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}?sslmode=disable"
    given = {"dsn": dsn, "query": query, "period": "1d", "timeout": "20s", **fields}
    check = HeartbeatCheck.model_validate(given)
    sample = await observe(CHECK, check, resources, FakeClock())
    assert sample.reason is None or sample.reason in check.reasons
    return sample


def noted(sample: Sample) -> dict[str, float]:
    """Return the measures of the job, in whole minutes."""
    ours = {"age", "late", "took", "running"}
    return {measure.name: measure.value // 60 for measure in sample.measures if measure.name in ours}


async def test_the_newest_moment_alone_will_do(clean: Cluster, resources: Resources) -> None:
    query = "SELECT max(ended) AS finished FROM runs"
    assert (await look(resources, clean.port, query)).left_out
    clean.psql("INSERT INTO runs (ended) VALUES (now() - interval '5 h')", DATABASE)
    sample = await look(resources, clean.port, query)
    assert (sample.state, noted(sample)) == (State.UP, {"age": 300, "late": 0, "running": 0})
    assert {"duration", "phase"} <= {measure.name for measure in sample.measures}
    clean.psql("UPDATE runs SET ended = now() - interval '26 h'", DATABASE)
    sample = await look(resources, clean.port, query)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING)
    assert sample.detail.startswith("late: last success 20")
    assert noted(sample)["late"] == 120


async def test_a_row_is_a_run(clean: Cluster, resources: Resources) -> None:
    """With its start, how it ended, and what is to be shown of it."""
    query = f"{COLUMNS.replace(' FROM', ', code AS status, log AS text FROM')} ORDER BY ended DESC"
    clean.psql(
        "INSERT INTO runs (began, ended, code, log)"
        " VALUES (now() - interval '50 min', now() - interval '20 min', 0, 'a')",
        DATABASE,
    )
    sample = await look(resources, clean.port, query)
    assert (sample.state, noted(sample)) == (State.UP, {"age": 20, "late": 0, "took": 30, "running": 0})
    clean.psql("INSERT INTO runs (began) VALUES (now() - interval '15 min')", DATABASE)
    assert noted(await look(resources, clean.port, query))["running"] == 15
    assert (await look(resources, clean.port, query, longest="10m")).reason is Reason.TIMEOUT
    clean.psql(
        f"UPDATE runs SET ended = now() - interval '1 min', code = 3, log = $a$no {SECRET}$a$ WHERE ended IS NULL",
        DATABASE,
    )
    sample = await look(resources, clean.port, query)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.STATUS)
    assert sample.detail == "it failed with exit status 3, 1 min ago: no •••"
    assert noted(sample)["age"] == 20


async def test_start_and_end_may_be_rows_of_their_own(clean: Cluster, resources: Resources) -> None:
    """They find each other by the name of the run, in whatever order they are read."""
    one, other = ("gen_random_uuid()" for _ in range(2))
    clean.psql(
        f"WITH a AS (SELECT {one} AS id), b AS (SELECT {other} AS id)"
        " INSERT INTO events SELECT id, 'ok', now() - interval '10 min' FROM a"
        " UNION ALL SELECT id, 'start', now() - interval '30 min' FROM a"
        " UNION ALL SELECT id, 'start', now() - interval '5 min' FROM b",
        DATABASE,
    )
    sample = await look(resources, clean.port, EVENTS)
    assert (sample.state, noted(sample)) == (State.UP, {"age": 10, "late": 0, "took": 20, "running": 5})


@pytest.mark.parametrize(
    ("column", "value", "state"),
    [
        ("ok", "true", State.UP),
        ("ok", "false", State.DOWN),
        ("ok", "null::boolean", State.DOWN),
        ("status", "0", State.UP),
        ("status", "null::int", State.DOWN),
        ("status", "137", State.DOWN),
        ("status", "'NaN'::float", State.DOWN),
        ("status", "'Infinity'::float", State.DOWN),
        ("started", "null::timestamptz", State.UP),
        ("text", "null::text", State.UP),
        ("run", "7", State.UP),
        ("run", "null::text", State.UP),
        ("anything", "array[1, 2]", State.UP),
    ],
)
async def test_how_it_ended(column: str, value: str, state: State, database: Cluster, resources: Resources) -> None:
    """What is not known to be a success is none."""
    sample = await look(resources, database.port, f"SELECT now() AS finished, {value} AS {column}")
    assert (sample.state, sample.reason) == (state, None if state is State.UP else Reason.STATUS)
    assert sample.unmeasured == (frozenset() if state is State.UP else {"age"})
    assert ("age" in noted(sample)) == (state is State.UP)


@pytest.mark.parametrize(
    ("query", "reason", "said"),
    [
        ("SELECT 1 AS a, now() AS at", Reason.MISSING, "no column finished, which says when a run ended; its columns"),
        ("SELECT", Reason.MISSING, "its columns are none"),
        ("SELECT 'yesterday' AS finished", Reason.UNKNOWN, "finished is of the type text, and must hold a moment"),
        ("SELECT now() AS finished, 'yes' AS ok", Reason.UNKNOWN, "ok is of the type text, and must hold true or"),
        ("SELECT now() AS finished, now() AS run", Reason.UNKNOWN, "run is of the type timestamptz"),
        ("SELECT now() + interval '1 day' AS finished", Reason.UNKNOWN, "and the database's clock shows"),
        ("SELECT timestamptz 'infinity' AS finished", Reason.UNKNOWN, "a moment that no calendar has"),
        ("SELECT timestamptz '-infinity' AS finished", Reason.UNKNOWN, "a moment that no calendar has"),
        ("SELECT timestamptz '4000-01-01 bc' AS finished", Reason.UNKNOWN, "a moment that no calendar has"),
        ("SELECT finished FROM nowhere", Reason.MISSING, "nowhere"),
        ("SELECT 1/0 AS x, now() AS finished", Reason.UNKNOWN, "SQLSTATE 22012"),
    ],
)
async def test_what_makes_no_sense_says_nothing_of_the_job(
    query: str, reason: Reason, said: str, database: Cluster, resources: Resources
) -> None:
    sample = await look(resources, database.port, query)
    assert sample.state is State.UNKNOWN, sample
    assert said in sample.detail
    assert sample.reason in {reason, Reason.UNKNOWN}


async def test_a_moment_a_little_ahead_is_now(database: Cluster, resources: Resources) -> None:
    """Whoever wrote it has another clock."""
    sample = await look(resources, database.port, "SELECT now() + interval '2 min' AS finished")
    assert (sample.state, noted(sample)["age"]) == (State.UP, 0)


async def test_a_day_without_a_zone_is_one_of_utc(database: Cluster, resources: Resources) -> None:
    sample = await look(resources, database.port, "SELECT (now() AT TIME ZONE 'UTC') - interval '1 h' AS finished")
    assert noted(sample)["age"] == 60


async def test_a_hundred_rows_are_read(database: Cluster, resources: Resources) -> None:
    query = "SELECT now() - n * interval '1 h' AS finished FROM generate_series({}) AS n"
    assert noted(await look(resources, database.port, query.format("1, 1000000")))["age"] == 60
    late = await look(resources, database.port, query.format("1000, 1, -1"))
    assert late.reason is Reason.MISSING, "the newest come first, or are not seen"


async def test_only_when_it_was_first_looked_for_is_kept(database: Cluster, resources: Resources) -> None:
    """What is in the table stays there; a job that notes nothing is missed after its period and grace."""
    assert (await look(resources, database.port, f"{COLUMNS} WHERE false")).left_out
    memory = resources.memories[CHECK, "heartbeat"]
    assert Journal.read(memory[TOPIC]) == Journal(since=START, schedule="1 day, 0:00:00")
    memory[TOPIC] = Journal(since=START - timedelta(days=2), schedule="1 day, 0:00:00").body
    missed = await look(resources, database.port, f"{COLUMNS} WHERE false")
    assert (missed.state, missed.reason) == (State.DOWN, Reason.MISSING)
    assert (await look(resources, database.port, "SELECT now() AS finished")).state is State.UP


async def test_a_database_that_is_away_says_nothing_of_the_job(resources: Resources) -> None:
    sample = await look(resources, free_port(), COLUMNS)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.REFUSED)


async def test_its_role_is_inspected(database: Cluster, resources: Resources) -> None:
    dsn = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{database.port}/{DATABASE}?sslmode=disable"
    check = HeartbeatCheck.model_validate({"dsn": dsn, "query": COLUMNS, "period": "1d"})
    (said,) = await check.inspect(Run(resources, timedelta(seconds=20), SystemClock()))
    assert "may do more than look" in said

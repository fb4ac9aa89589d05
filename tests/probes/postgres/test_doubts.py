"""What is doubtful about a database that is watched: told by the file alone, and by the database when it is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.clock import SystemClock
from monitor.config import load
from monitor.doubts import doubts_of_targets
from monitor.probes.base import Resources, Run
from tests.peers import free_port, silence, tcp_peer
from tests.probes.conftest import SECRET
from tests.probes.postgres.conftest import dsn_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from contextlib import AsyncExitStack
    from pathlib import Path

    from monitor.probes.postgres import PostgresCheck
    from tests.postgres import Cluster

    Make = Callable[..., PostgresCheck]
    Inspect = Callable[[PostgresCheck], Awaitable[list[str]]]

API = {"name": "api", "pool_size": 20, "max_overflow": 10}
NEON = "postgresql://{user}:hunter2@ep-cool-1{pooler}.eu-central-1.aws.neon.tech/db"


@pytest.fixture
def inspect(resources: Resources) -> Inspect:
    """Return what asks a database as `monitor validate --connect` does."""

    async def ask(check: PostgresCheck) -> list[str]:
        return await check.inspect(Run(resources, timedelta(seconds=20), SystemClock()))

    return ask


def said(check: PostgresCheck) -> list[str]:
    return list(check.doubts())


@pytest.mark.parametrize(
    ("user", "doubtful"),
    [
        ("monitor", False),
        ("postgres", True),
        ("postgres.abcdefgh", True),
        ("neondb_owner", True),
        ("doadmin", True),
        ("postgresql_reader", False),
        ("app", False),
    ],
)
def test_the_name_of_a_role_that_may_do_everything_is_doubtful(user: str, made: Make, *, doubtful: bool) -> None:
    found = said(made(dsn=f"postgresql://{user}:hunter2@db.test/shop"))
    assert (
        found == [f"it connects as {user}, who may do more than look: make a role of its own that may not"] * doubtful
    )


@pytest.mark.parametrize("kind", ["postgres"])
@pytest.mark.parametrize(
    ("every", "pooler", "doubtful"),
    [("30s", "", True), ("4m59s", "-pooler", True), ("5m", "", False), ("1h", "", False)],
)
def test_asking_a_database_that_would_be_suspended_has_its_price(
    kind: str, every: str, pooler: str, made: Make, *, doubtful: bool
) -> None:
    found = said(made(kind=kind, dsn=NEON.format(user="monitor", pooler=pooler), every=every))
    assert len(found) == doubtful
    if found:
        assert (
            "stays awake all month, about 182 CU-hours a month at 0.25 CU, where Neon's free plan has 100" in found[0]
        )
    assert not said(made(dsn="postgresql://monitor:hunter2@db.test/shop", every="30s"))


def test_who_asks_first_keeps_what_is_awake_from_sleeping(made: Make) -> None:
    """A question of Neon's API wakes nothing, and the look that follows puts the sleep off; unless that is meant."""
    neon = {"project": "shiny-wind-028834", "api_key": "napi_1"}
    (found,) = said(made(neon=neon, every="1m"))
    assert "once awake, it never sleeps again, about 182 CU-hours" in found
    assert not said(made(neon=neon, every="10m"))
    assert not said(made(neon=neon, every="1m", wake=True))


def test_a_pool_that_cannot_fit_is_doubtful_before_anything_runs(made: Make) -> None:
    """ED-09: 30 for each process, against 25. Without a limit the file alone cannot tell."""
    (found,) = said(made(limit=25, clients=[API, {**API, "name": "worker"}]))
    arithmetic = "api 1 × (20 + 10) + worker 1 × (20 + 10) + monitor 1 = 61, limit 25"
    assert found == f"its clients may open more connections than there are: {arithmetic}"
    assert not said(made(limit=61, clients=[API, {**API, "name": "worker"}]))
    assert not said(made(clients=[API]))


async def test_a_role_that_may_only_look_leaves_no_doubt(made: Make, inspect: Inspect) -> None:
    assert await inspect(made()) == []


@pytest.fixture
def roles(watched: Cluster) -> Iterator[None]:
    """Make roles that may too much, each in another way, and a table for them."""
    statements = [
        "CREATE TABLE written (i int)",
        "CREATE TABLE also_written (i int)",
        *(f"CREATE ROLE {name} LOGIN PASSWORD 'pass-of-{name}' IN ROLE pg_monitor" for name in ("writer", "maker")),
        "GRANT TRUNCATE ON written TO writer",
        "GRANT UPDATE ON also_written TO writer",
        "ALTER ROLE maker CREATEROLE CREATEDB REPLICATION BYPASSRLS",
        "GRANT pg_execute_server_program TO maker",
    ]
    for statement in statements:
        watched.psql(statement, "shop")
    yield
    watched.psql("DROP TABLE written, also_written", "shop")
    watched.psql("DROP ROLE writer; DROP ROLE maker")


@pytest.mark.parametrize(
    ("user", "beyond"),
    [
        ("app", "owns the database"),
        ("writer", "may write public.also_written and 1 more"),
        (
            "maker",
            "may create roles, may create databases, may replicate, passes row security, has the rights of pg_",
        ),
    ],
)
@pytest.mark.usefixtures("roles")
async def test_too_many_rights_are_doubtful(user: str, beyond: str, made: Make, inspect: Inspect) -> None:
    """Which is to say any that a look does not need."""
    found = await inspect(made(user))
    assert found[0].startswith(f"its role {user} may do more than look: it {beyond}")


async def test_a_superuser_is_just_that(made: Make, inspect: Inspect, watched: Cluster) -> None:
    assert await inspect(made(dsn=watched.dsn())) == ["its role monitor may do more than look: it is a superuser"]


async def test_what_the_database_takes_counts_against_the_pools(made: Make, inspect: Inspect, watched: Cluster) -> None:
    """Nine, whatever the file says; the database may have a limit of its own."""
    assert await inspect(made(limit=30, clients=[API])) == [
        "its limit is 30, but the server takes no more than 9 connections",
        "its clients may open more connections than there are: api 1 × (20 + 10) + monitor 1 = 31, limit 9",
    ]
    assert await inspect(made(clients=[{"name": "api", "pool_size": 8}])) == []
    watched.psql("ALTER DATABASE shop CONNECTION LIMIT 7")
    try:
        (found,) = await inspect(made(clients=[{"name": "api", "pool_size": 8}]))
    finally:
        watched.psql("ALTER DATABASE shop CONNECTION LIMIT -1")
    assert found.endswith("api 1 × 8 + monitor 1 = 9, limit 7")


async def test_what_cannot_be_seen_or_measured_is_doubtful(
    made: Make, inspect: Inspect, crowd: Callable[..., Awaitable[AsyncExitStack]]
) -> None:
    """Before anybody relies on it."""
    await crowd(api=1)
    hidden, missing = await inspect(made("plain", measure=["statements"]))
    assert "GRANT pg_monitor TO plain" in hidden
    assert missing.endswith("CREATE EXTENSION pg_stat_statements")


async def test_each_database_is_asked_once_and_one_that_cannot_be_is_doubtful(
    watched: Cluster, resources: Resources, tmp_path: Path
) -> None:
    """Within its deadline, beside the others, and without its password."""
    async with tcp_peer(silence) as silent:
        dsns = {
            "one": dsn_of(watched, "app"),
            "two": dsn_of(watched, "app"),
            "away": f"postgresql://monitor:{SECRET[:7]}@127.0.0.1:{free_port()}/shop",
            "again": "",
            "silent": f"postgresql://monitor:hunter2@127.0.0.1:{silent.port}/shop",
            "wrong": watched.dsn("shed"),
        }
        dsns["again"] = dsns["away"]
        checks = [f"  {name}: {{kind: postgres, timeout: 1s, dsn: '{dsn}'}}\n" for name, dsn in dsns.items()]
        file = tmp_path / "one.yaml"
        file.write_text(f"system: shop\nchecks:\n{''.join(checks)}  site: https://shop.example.com/\n")
        found = await doubts_of_targets(load(file, {}), resources, SystemClock())
        assert silent.seen == 1
    told = [(doubt.key, doubt.message.partition(": ")[0]) for doubt in found]
    assert told == [
        ("shop/one", "its role app may do more than look"),
        ("shop/away", "could not be asked"),
        ("shop/silent", "could not be asked"),
        ("shop/wrong", "could not be asked"),
    ]
    assert "no answer within 1 s" in found[2].message
    assert found[0].where == f"{file}:3"
    assert "hunter2" not in repr(found)

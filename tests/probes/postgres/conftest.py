"""A server that is watched, with few connections and with the roles that a deployment has."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import asyncpg
import pytest

from monitor.clock import SystemClock
from monitor.model import CheckId
from monitor.probes import load_kind
from monitor.probes.base import observe
from tests.postgres import cluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from contextlib import AbstractAsyncContextManager

    from monitor.model import Sample
    from monitor.probes.base import Resources
    from monitor.probes.postgres import PostgresCheck
    from tests.postgres import Cluster

    Connect = Callable[..., AbstractAsyncContextManager[asyncpg.Connection[Any]]]

CHECK = CheckId("shop", "database")
SLOTS = 9
"""12 connections, less the three that superusers have."""
SETTINGS = {"max_connections": "12", "max_prepared_transactions": "2", "max_wal_size": "64MB"}
ROLES = """
CREATE ROLE watch LOGIN PASSWORD 'pass-of-watch' IN ROLE pg_monitor;
CREATE ROLE plain LOGIN PASSWORD 'pass-of-plain';
CREATE ROLE app LOGIN PASSWORD 'pass-of-app';
"""


@pytest.fixture(scope="session")
def watched() -> Iterator[Cluster]:
    """Run a server with pg_stat_statements, where there is one, and a database `shop` that belongs to `app`."""
    with cluster(**SETTINGS) as running:
        if any(running.programs.parent.rglob("pg_stat_statements.so")):
            running.stop()
            running.start(**SETTINGS, shared_preload_libraries="pg_stat_statements")
        running.psql(ROLES)
        running.psql("CREATE DATABASE shop OWNER app")
        yield running


def dsn_of(server: Cluster, user: str, database: str = "shop") -> str:
    return server.dsn(database, user, f"pass-of-{user}")


def check_of(dsn: str, **fields: object) -> PostgresCheck:
    known = {"kind": "postgres", "dsn": dsn, "timeout": "20s"}
    return cast("PostgresCheck", load_kind("postgres").model_validate({**known, **fields}))


@pytest.fixture
def made(watched: Cluster) -> Callable[..., PostgresCheck]:
    """Return what makes a check of the server, as the role `watch` unless told otherwise."""
    return lambda user="watch", **fields: check_of(**{"dsn": dsn_of(watched, user), **fields})


@pytest.fixture
def connect(watched: Cluster) -> Connect:
    """Return what connects as an application, until the block ends."""

    @asynccontextmanager
    async def connected(application: str, user: str = "app", database: str = "shop") -> AsyncIterator[Any]:
        settings = {"application_name": application}
        connection = await asyncpg.connect(dsn_of(watched, user, database), server_settings=settings)
        try:
            yield connection
        finally:
            connection.terminate()

    return connected


@pytest.fixture
async def crowd(connect: Connect) -> AsyncIterator[Callable[..., Awaitable[AsyncExitStack]]]:
    """Return what opens many connections, such as five of one application; closing what it returns closes them."""
    async with AsyncExitStack() as opened:

        async def gather(user: str = "app", **applications: int) -> AsyncExitStack:
            these = await opened.enter_async_context(AsyncExitStack())
            for application, count in applications.items():
                for _ in range(count):
                    await these.enter_async_context(connect(application, user))
            return these

        yield gather


@pytest.fixture
def look(resources: Resources) -> Callable[[PostgresCheck], Awaitable[Sample]]:
    """Return what runs a check once, and holds the sample against what the kind declares."""

    async def run(check: PostgresCheck) -> Sample:
        sample = await observe(CHECK, check, resources, SystemClock())
        declared = {spec.name: set(spec.labels) for spec in check.declared()}
        for measure in sample.measures:
            assert {name for name, _ in measure.labels} == declared[measure.name]
        series = [(measure.name, measure.labels) for measure in sample.measures]
        assert len(series) == len(set(series))
        assert sample.remarks.keys() | sample.unmeasured <= declared.keys()
        assert sample.reason is None or sample.reason in check.reasons
        return sample

    return run


def value(sample: Sample, name: str, **label: str) -> float | None:
    """Return what was measured, if it was."""
    wanted = tuple(sorted(label.items()))
    found = [measure.value for measure in sample.measures if (measure.name, measure.labels) == (name, wanted)]
    return found[0] if found else None


def by_label(sample: Sample, name: str) -> dict[str, float]:
    """Return the series of a measure with one label."""
    return {measure.labels[0][1]: measure.value for measure in sample.measures if measure.name == name}

"""What `monitor grants` prints of a database, run on a real one that is open to nobody.

With it all is well, and without any one line exactly the checks that it names are not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import asyncpg
import pytest

from monitor.clock import SystemClock
from monitor.config import load
from monitor.grants import sheet
from monitor.outside import reach_outside
from monitor.secrets import Redactor
from monitor.sweep import sweep
from tests.postgres import cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.config import Config
    from tests.postgres import Cluster

PRELOADED = "pg_stat_statements"
TABLES = """
CREATE ROLE app LOGIN PASSWORD 'pass-of-app';
CREATE DATABASE "Shop-1" OWNER app
"""
CONTENT = """
CREATE SCHEMA reports;
CREATE TABLE orders (id int, "Paid" bool, placed_at timestamptz DEFAULT now(), card text);
INSERT INTO orders VALUES (1, true), (2, false);
CREATE TABLE customers (id int, email text);
INSERT INTO customers VALUES (1, 'ana@example.com');
CREATE VIEW reports.sync AS SELECT count(*) AS shops FROM customers;
CREATE TABLE jobs (finished timestamptz, ok bool, payload text);
INSERT INTO jobs VALUES (now(), true, 'personal');
CREATE TABLE alembic_version (version_num text);
INSERT INTO alembic_version VALUES ('a1');
CREATE TABLE schema_migrations (version bigint, dirty bool);
INSERT INTO schema_migrations VALUES (42, false);
CREATE TABLE _prisma_migrations (migration_name text, started_at timestamptz, finished_at timestamptz,
    rolled_back_at timestamptz, logs text);
INSERT INTO _prisma_migrations VALUES ('one', now(), now(), null, null);
CREATE TABLE django_migrations (id int, app text, name text);
INSERT INTO django_migrations VALUES (1, 'auth', '0001_initial');
REVOKE ALL ON DATABASE "Shop-1" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
"""
FILE = """
system: shop
defaults: {dsn: "${SHOP_DSN}", timeout: 20s, every: 1m}
checks:
  database: {kind: postgres, measure: [size, tables, dead_rows, indexes]}
  slowest: {kind: postgres, measure: [statements]}
  rows: {kind: sql, query: 'SELECT count(*) AS due FROM orders o WHERE NOT o."Paid" AND o.placed_at < now()'}
  joined: {kind: sql, query: "SELECT o.id FROM orders o JOIN customers c USING (id)", expect: {rows: 1}}
  view: {kind: sql, query: "SELECT shops FROM reports.sync", expect: {rows: 1}}
  catalogue: {kind: sql, query: "SELECT 1 AS one FROM pg_extension LIMIT 1"}
  job: {kind: heartbeat, query: "SELECT finished, ok FROM jobs", period: 1h}
  alembic: {kind: migrations, tool: alembic, expected: a1}
  golang: {kind: migrations, tool: golang-migrate, expected: 42}
  prisma: {kind: migrations, tool: prisma, expected: one}
  django: {kind: migrations, tool: django, expected: auth.0001_initial}
"""
LINE = re.compile(r"(?P<sql>[A-Z].*;)(?: -- (?P<checks>.*))?")


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as running:
        if any(running.programs.parent.rglob(f"{PRELOADED}.so")):
            running.stop()
            running.start(shared_preload_libraries=PRELOADED)
        for statement in TABLES.strip().split(";\n"):
            running.psql(statement)
        running.psql(CONTENT, "Shop-1")
        yield running


@pytest.fixture
def config(server: Cluster, tmp_path: Path) -> Config:
    """Return what watches the database; without the extension's check on a server that has none to offer."""
    has_extension = server.psql("SHOW shared_preload_libraries") == PRELOADED
    lines = FILE.splitlines() if has_extension else [line for line in FILE.splitlines() if "slowest" not in line]
    file = tmp_path / "shop.yaml"
    file.write_text("\n".join(lines))
    return load(file, {"SHOP_DSN": server.dsn("Shop-1", "Watch", "pass-of-watch")})


def lines_of(config: Config) -> dict[str, set[str]]:
    """Return each printed statement with the checks that it names."""
    printed = sheet(config.plans.values(), config.channels)
    found = [match for line in printed if (match := LINE.fullmatch(line))]
    return {match["sql"]: set((match["checks"] or "").split(", ")) for match in found}


def undone(statement: str) -> str:
    """Return what takes back what a statement gave."""
    if statement.startswith("CREATE EXTENSION"):
        return f"DROP EXTENSION {PRELOADED}"
    return statement.replace("GRANT", "REVOKE", 1).replace(" TO ", " FROM ")


async def unwell(config: Config) -> dict[str, str]:
    """Return what is not well at a fresh look, and what is said of it."""
    async with reach_outside() as outside:
        means = outside.for_probes(Redactor(()))
        found = [finding async for finding in sweep(list(config.plans.values()), means, SystemClock())]
    bad = [finding for finding in found if not finding.well or finding.crossed]
    return {
        str(one.sample.check): " ".join([one.sample.detail, *one.crossed, *one.sample.remarks.values()]) for one in bad
    }


async def test_with_what_is_printed_all_is_well_and_without_any_line_exactly_what_it_names_is_not(
    server: Cluster, config: Config
) -> None:
    granted = lines_of(config)
    creation, *others = granted
    server.psql(creation.replace("…", "pass-of-watch"), "Shop-1")
    for statement in others:
        server.psql(statement, "Shop-1")
    session = await asyncpg.connect(server.dsn("Shop-1", "app", "pass-of-app"))  # whom our role may have to see
    try:
        assert await unwell(config) == {}
        for statement in others:
            server.psql(undone(statement), "Shop-1")
            found = await unwell(config)
            assert found.keys() == granted[statement], statement
            assert all(text for text in found.values())
            server.psql(statement, "Shop-1")
        assert await unwell(config) == {}
        for statement in ('REVOKE pg_monitor FROM "Watch"', 'GRANT pg_read_all_stats TO "Watch"'):
            server.psql(statement)
        assert await unwell(config) == {}
    finally:
        await session.close()


def test_columns_that_no_check_reads_stay_closed(config: Config) -> None:
    """A card's number, a mail address and what migrations log are of no use to a monitor."""
    printed = "\n".join(lines_of(config))
    assert 'GRANT SELECT (finished, ok) ON public.jobs TO "Watch";' in printed
    assert 'GRANT SELECT ("Paid", id, placed_at) ON public.orders TO "Watch";' in printed
    assert not re.search(r"card|email|payload|logs", printed)

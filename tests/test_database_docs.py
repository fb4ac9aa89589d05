"""What docs/databases.md tells a user to run is run: its grants, and then its checks with no more rights than these."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor.config import load
from monitor.databases import Databases
from monitor.model import State
from monitor.network import Resolver, TlsContexts
from monitor.probes.base import Resources, observe
from monitor.secrets import Redactor
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.peers import NameServer
    from tests.postgres import Cluster

PAGE = (Path(__file__).parent.parent / "docs/databases.md").read_text("utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
DATABASE, ROLE = "documented", "monitor_documented"
TABLES = """
CREATE TABLE shops (name text, last_sync_at timestamptz);
INSERT INTO shops VALUES ('eve''s', now() - interval '10 min'), ('bob''s', now() - interval '2 h');
CREATE TABLE alembic_version AS SELECT '005_add_payment_feature_unlocked' AS version_num;
CREATE TABLE schema_migrations AS SELECT 42::bigint AS version, false AS dirty;
CREATE TABLE _prisma_migrations (migration_name text, started_at timestamptz, finished_at timestamptz,
    rolled_back_at timestamptz, logs text);
CREATE TABLE django_migrations (app text, name text);
"""
LATER = """
CREATE VIEW monitor.webhook_errors AS SELECT 'charge.failed' AS type, 'card declined' AS error, now() AS created_at;
GRANT SELECT ON monitor.webhook_errors TO monitor_documented;
"""


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", SECTIONS[section], re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def dsn(postgres: Cluster) -> Iterator[str]:
    """Return the address of a database as the page has it, for the role that the page makes."""
    postgres.psql(f"CREATE DATABASE {DATABASE}")
    grants = [*blocks("sql", "sql"), *blocks("migrations", "sql")]
    ours = re.sub(r"(ROLE|TO) monitor\b", rf"\1 {ROLE}", "".join(grants))
    postgres.psql(TABLES + ours + LATER, DATABASE)
    yield f"{postgres.dsn(DATABASE, ROLE, 'change-me')}?sslmode=disable"
    postgres.psql(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    postgres.psql(f"DROP ROLE {ROLE}")


@pytest.fixture
async def resources(names: NameServer) -> AsyncIterator[Resources]:
    resolver = Resolver([names.address])
    databases = Databases(resolver)
    yield Resources(resolver, TlsContexts(), databases, Redactor())
    databases.close()
    await resolver.close()


@pytest.mark.parametrize(
    ("section", "crossed"),
    [("sql", {"stale": 1.0, "rows": 1.0}), ("migrations", {"drift": 0.0, "dirty": 0.0})],
)
async def test_the_examples_run_with_the_grants_of_the_page(
    section: str, crossed: dict[str, float], dsn: str, resources: Resources, tmp_path: Path
) -> None:
    found: dict[str, float] = {}
    for number, example in enumerate(blocks(section, "yaml")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "shop.yaml").write_text(example, "utf-8")
        plans = load(folder, {"SHOP_DATABASE_URL": dsn, "WORKER_DATABASE_URL": dsn}).plans
        assert plans
        for plan in plans.values():
            sample = await observe(plan.id, plan.check, resources, FakeClock())
            assert sample.state is State.UP, (plan.id, sample.detail)
            found |= {measure.name: measure.value for measure in sample.measures}
    assert crossed.items() <= found.items()


@pytest.mark.parametrize("query", ["SELECT name FROM shops", "SELECT logs FROM _prisma_migrations"])
async def test_the_grants_of_the_page_open_nothing_else(
    dsn: str, resources: Resources, query: str, tmp_path: Path
) -> None:
    (tmp_path / "shop.yaml").write_text(
        f"system: shop\nchecks: {{names: {{kind: sql, dsn: '{dsn}', query: {query}}}}}\n", "utf-8"
    )
    (plan,) = load(tmp_path, {}).plans.values()
    sample = await observe(plan.id, plan.check, resources, FakeClock())
    assert (sample.state, sample.detail.partition(": ")[2][:28]) == (State.UNKNOWN, "permission denied for table ")

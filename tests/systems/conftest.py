"""An authority whose certificates the probes trust, as they trust those of the machine, and a server for databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.peers import Authority
from tests.postgres import cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import Cluster


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """Run a PostgreSQL server for the databases of one system, with statistics of statements where it has them."""
    with cluster() as running:
        if running.offers("pg_stat_statements"):
            running.psql("ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements")
            running.stop()
            running.start()
        yield running

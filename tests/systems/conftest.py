"""An authority whose certificates the probes trust, as they trust those of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.peers import Authority

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.path))
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """Run a PostgreSQL server for the databases of one system, with statistics of statements where it has them."""
    with cluster(**STATISTICS) as running:
        yield running

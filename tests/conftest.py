"""What every test stands on: no stopwatch for hypothesis, an environment that says nothing, the loops, shared peers."""

from __future__ import annotations

import asyncio
import gc
import os
from typing import TYPE_CHECKING

import pytest
import uvloop
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests.peers import Authority, NameServer, lateness, name_server
from tests.postgres import cluster
from tests.redis import server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from xdist.remote import Producer

    from tests.postgres import Cluster
    from tests.redis import Server

# A shared machine is slow for seconds at a time: how long an example took says nothing about it.
settings.register_profile("shared machine", deadline=None)
settings.register_profile("brief", settings.get_profile("shared machine"), max_examples=20)
settings.load_profile("shared machine")

OURS = ("MONITOR_", "SENTRY_", "LOG_", "SLACK_", "SMTP_", "HOOK_", "CAPLIQUIFY_", "RENDER")
THEIRS = ("PORT", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NO_COLOR", "FORCE_COLOR", "COLUMNS")

STORIES = "tests/acceptance/stories/"
FOLDERS = ("acceptance/", "browser/", "dashboards/", "rules/test_differential", "soak/", "systems/")
UNMEASURED = tuple(f"tests/{name}" for name in FOLDERS)
"""Tests that prove what users see: coverage counts what the others reach, and takes twice their time."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist says nothing of its types
    """Gives each process whole files, so that what a file sets up once is set up once; all of the stories to one."""

    def _split_scope(self, nodeid: str) -> str:
        return STORIES if nodeid.startswith(STORIES) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Share the tests out by file: loadgroup's own marks have no effect under pytest 9.2 (pytest-xdist issue 1386)."""
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out of the coverage what does not count for it; under `--no-cov` pytest-cov trips over its own mark."""
    for item in items:
        if item.nodeid.startswith(UNMEASURED) and not config.getoption("no_cov"):
            item.add_marker(pytest.mark.no_cover)


def pytest_collection_finish() -> None:
    """Keep the collector from looking through all that was imported and collected, again and again: it all stays."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide what the developer's shell or the build machine has set, so that a test sees only what it sets itself."""
    for name in list(os.environ):
        if name.startswith(OURS) or name.upper() in THEIRS:
            monkeypatch.delenv(name)


def pytest_asyncio_loop_factories(item: pytest.Function) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run modules that say `BOTH_LOOPS` on the default loop and on uvloop, the others on the default one."""
    both = getattr(item.module, "BOTH_LOOPS", False)
    return {"asyncio": asyncio.new_event_loop} | ({"uvloop": uvloop.new_event_loop} if both else {})


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """Run a PostgreSQL server that tests share, a database each; whoever disturbs a server runs one of his own."""
    with cluster() as running:
        yield running


@pytest.fixture(scope="session")
def redis() -> Iterator[Server]:
    """Run a Redis server that tests share, a database each; whoever disturbs a server runs one of his own."""
    with server() as running:
        yield running


@pytest.fixture
async def late() -> AsyncIterator[Callable[[], float]]:
    """Return what tells how many seconds the loop came late since the test began: a busy machine is nobody's fault."""
    async with lateness() as told:
        yield told


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    async with name_server() as server:
        yield server

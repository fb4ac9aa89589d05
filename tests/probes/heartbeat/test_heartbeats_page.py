"""What docs/heartbeats.md tells a user to run is run: scripts against a daemon, grants and queries on a server."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor.clock import SystemClock
from monitor.config import load
from monitor.metrics import Metrics
from monitor.model import Reason, Report, Said, State
from monitor.probes.base import Resources, observe
from monitor.web import Door, Heartbeats, Tokens, Web
from tests.acceptance.process import program
from tests.fakes import FakeClock
from tests.web.test_heartbeats import PLAIN, Box

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.postgres import Cluster

PAGE = (Path(__file__).parents[3] / "docs/heartbeats.md").read_text("utf-8")
DATABASE, ROLE = "documented_jobs", "monitor_of_jobs"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


BACKUP, CLEANUP, TRIAL = blocks("yaml")
ADDRESS, WRAPPER = blocks("sh")
(GRANTS,) = blocks("sql")
(PYTHON,) = blocks("python")
(NODE,) = blocks("js")
(RENDER,) = re.findall(r"`npm run expire-trials(; curl [^`]*)`", PAGE)


@asynccontextmanager
async def daemon() -> AsyncIterator[tuple[Box, str]]:
    """Yield what was reported, and the address to report to."""
    box, metrics = Box(), Metrics()
    door = Door(Tokens(), FakeClock(), metrics.daemon.refused)
    web = Web(door, metrics, healthy=list, ready=list, more=Heartbeats(door, box).table())
    await web.start("127.0.0.1", 0)
    yield box, f"http://127.0.0.1:{web.port}/api/v1/heartbeats/shop/plain/{PLAIN}"
    await web.stop()


async def run(url: str, *command: str) -> tuple[int, str]:
    """Run a command, with the address in its environment; return its exit status and what it said."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, "HEARTBEAT_URL": url}, stdout=pipe, stderr=pipe
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    return process.returncode or 0, out.decode()


@pytest.fixture
def curl() -> str:
    return program("curl", "curl")


@pytest.mark.usefixtures("curl")
@pytest.mark.parametrize("status", [0, 3])
async def test_the_wrapper(status: int, tmp_path: Path) -> None:
    """It reports what its command does, and changes neither its output nor its exit status."""
    wrapper = tmp_path / "report-run"
    wrapper.write_text(WRAPPER)
    wrapper.chmod(0o755)
    async with daemon() as (box, url):
        job = ("sh", "-c", f"echo one; echo 'two: done' >&2; exit {status}")
        assert await run(url, str(wrapper), *job) == (status, "one\ntwo: done\n")
    (_, begun), (_, ended) = box.got
    assert begun == Report(Said.START, run=ended.run)
    assert ended == Report(Said.FAILURE if status else Said.SUCCESS, status, begun.run, "two: done")
    assert begun.run


@pytest.mark.usefixtures("curl")
async def test_a_job_without_its_daemon_runs_all_the_same() -> None:
    """It must not fail because nobody listens."""
    wrapper = WRAPPER.replace("--retry 5 --retry-connrefused", "--retry 0")
    assert await run("http://127.0.0.1:9/x", "sh", "-c", wrapper, "report-run", "echo", "done") == (0, "done\n")


@pytest.mark.usefixtures("curl")
async def test_the_one_line() -> None:
    async with daemon() as (box, url):
        assert (await run(url, "sh", "-c", f"(exit 7){RENDER}"))[0] == 0
        start = ADDRESS.splitlines()[1]
        assert (await run(url, "sh", "-c", start))[0] == 0
    assert [report for _, report in box.got] == [Report(Said.FAILURE, 7), Report(Said.START)]
    assert len(ADDRESS.splitlines()[0].rpartition("/")[2]) >= 16


async def test_python() -> None:
    async with daemon() as (box, url):
        assert (await run(url, sys.executable, "-c", PYTHON))[0] == 0
    assert box.got[0][1] == Report(Said.SUCCESS, text="42 shops in 3 s")


async def test_node() -> None:
    async with daemon() as (box, url):
        assert (await run(url, program("node", "nodejs"), "--input-type=module", "-e", NODE))[0] == 0
    assert box.got[0][1] == Report(Said.SUCCESS, text="42 shops in 3 s")


@pytest.fixture(scope="module")
def dsn(postgres: Cluster) -> Iterator[str]:
    """Return the address of a database with the table and the role that the page makes."""
    postgres.psql(f"CREATE DATABASE {DATABASE}")
    postgres.psql(re.sub(r"(ROLE|TO) monitor\b", rf"\1 {ROLE}", GRANTS), DATABASE)
    yield f"{postgres.dsn(DATABASE, ROLE, 'change-me')}?sslmode=disable"
    postgres.psql(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    postgres.psql(f"DROP ROLE {ROLE}")


async def test_the_row_with_the_grants_of_the_page(
    dsn: str, postgres: Cluster, resources: Resources, tmp_path: Path
) -> None:
    (tmp_path / "shop.yaml").write_text(CLEANUP, "utf-8")
    (plan,) = load(tmp_path, {"SHOP_DATABASE_URL": dsn}).plans.values()

    async def look() -> tuple[State, Reason | None]:
        sample = await observe(plan.id, plan.check, resources, SystemClock())
        return sample.state, sample.reason

    assert (await look())[1] is None, "there is no row yet"
    postgres.psql("INSERT INTO job_runs (job) VALUES ('cleanup'), ('another')", DATABASE)
    assert await look() == (State.UP, None)
    postgres.psql("UPDATE job_runs SET finished = now(), ok = false, said = 'locked' WHERE job = 'cleanup'", DATABASE)
    assert await look() == (State.DOWN, Reason.STATUS)
    postgres.psql("INSERT INTO job_runs (job, finished, ok) VALUES ('cleanup', now(), true)", DATABASE)
    assert await look() == (State.UP, None)


@pytest.mark.parametrize("example", [BACKUP, TRIAL], ids=["backup", "trial"])
async def test_the_examples_with_a_token(example: str, resources: Resources, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(example, "utf-8")
    (plan,) = load(tmp_path, {"BACKUP_TOKEN": PLAIN, "TRIAL_TOKEN": PLAIN}).plans.values()
    memory = resources.memories.setdefault((plan.id, plan.check.kind), {})
    clock = FakeClock()
    topic, body = plan.check.hear(Report(Said.SUCCESS), clock.now(), memory)
    memory[topic] = body
    assert (await observe(plan.id, plan.check, resources, clock)).state is State.UP

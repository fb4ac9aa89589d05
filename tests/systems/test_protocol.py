"""SS-18: the health verification protocol of Seed & Source on demand, `monitor check seedsource`."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

import pytest

from monitor.clock import SystemClock
from monitor.databases import Databases
from monitor.network import Resolver, TlsContexts
from monitor.probes.base import Resources
from monitor.secrets import Redactor
from monitor.sweep import sweep
from tests.systems.bench import FILES, read
from tests.systems.seedsource import SeedSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.sweep import Finding
    from tests.peers import Authority

PROTOCOL = ["health", "root", "stripe-webhook", "frontend"]
"""The steps of the document that HTTP can answer, in its order."""


async def swept(stand_in: SeedSource) -> list[Finding]:
    """Return what one sweep over the system's file finds."""
    config = read("seedsource", stand_in.environ)
    resolver = Resolver([stand_in.names.address])
    try:
        resources = Resources(resolver, TlsContexts(), Databases(resolver), Redactor(config.secrets))
        return [finding async for finding in sweep(list(config.plans.values()), resources, SystemClock())]
    finally:
        await resolver.close()


async def checked(stand_in: SeedSource, steps: list[str]) -> tuple[int, list[str]]:
    """Return the exit status and the lines of `monitor check` over the protocol's steps, in a process of its own."""
    names = [f"seedsource/{step}" for step in steps]
    for site in stand_in.container:
        site.shows_certificate("localhost")  # that process asks the machine's own name server
    environ = {**os.environ, **{key: _local(value) for key, value in stand_in.environ.items()}}
    command = [sys.executable, "-m", "monitor", "check", *names, "--config", str(FILES)]
    process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, [line for line in out.decode().splitlines() if not line.startswith("skipped")]


def _local(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}localhost:{rest.partition(':')[2]}" if separator else url


@pytest.mark.parametrize("steps", [pytest.param(PROTOCOL, id="SS-18")])
async def test_every_step_passes_in_the_order_of_the_document(steps: list[str], authority: Authority) -> None:
    """The protocol first, step by step, then what the file watches besides."""
    async with SeedSource(authority) as stand_in:
        findings = await swept(stand_in)
        assert [finding.plan.id.check for finding in findings][: len(steps)] == steps
        assert [finding.sample for finding in findings if not finding.well] == []


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        pytest.param(SeedSource.license_server_is_sick, "health", id="SS-18 step 1"),
        pytest.param(SeedSource.nginx_serves_nothing, "root", id="SS-18 step 2"),
        pytest.param(SeedSource.forgets_the_webhook_route, "stripe-webhook", id="SS-18 step 3"),
        pytest.param(SeedSource.builds_no_front_end, "frontend", id="SS-18 step 4"),
    ],
)
async def test_a_step_that_fails_is_named(fault: Callable[[SeedSource], None], step: str, authority: Authority) -> None:
    """One run is enough, and the other steps are run all the same."""
    async with SeedSource(authority) as stand_in:
        fault(stand_in)
        findings = await swept(stand_in)
        assert step in [finding.plan.id.check for finding in findings if not finding.well]
        assert len(findings) == len(read("seedsource", stand_in.environ).plans)


@pytest.mark.parametrize("steps", [pytest.param(PROTOCOL, id="SS-18")])
async def test_the_command_has_a_line_for_each_step_and_an_exit_status(steps: list[str], authority: Authority) -> None:
    """0 when every step passes, 1 when one does not; the lines stand in the protocol's order."""
    async with SeedSource(authority) as stand_in:
        status, lines = await checked(stand_in, steps)
        assert status == 0, lines
        assert [line.split()[:2] for line in lines] == [["up", f"seedsource/{step}"] for step in steps]
        stand_in.forgets_the_webhook_route()
        status, lines = await checked(stand_in, steps)
        assert status == 1
        assert [line.split()[0] for line in lines] == ["up", "up", "down", "up"]
        assert "the route is not registered" in lines[2]

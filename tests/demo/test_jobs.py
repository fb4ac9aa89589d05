"""The demo's job reports its runs to the daemon, and goes on whatever that answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.demo.cashflow import PACE
from tests.acceptance.peers import until
from tests.demo.stages import SECOND, watched

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("status", [200, 503])
async def test_it_reports_each_run_unless_it_runs_no_more(status: int) -> None:
    """With its token, to its own heartbeat."""
    heard: list[tuple[str, str]] = []

    async def take(request: web.Request) -> web.Response:
        heard.append((request.path, request.headers["Authorization"]))
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/{rest:.*}", take)
    async with TestServer(app) as daemon, watched() as demo:
        demo.stage.watched_from(str(daemon.make_url("/"))[:-1])
        await until(lambda: len(heard) == 1, "a first report")
        await passes(demo.clock.advance, lambda: len(heard) == 2)
        demo.world.happen("job-silent")
        for _ in range(3):
            await demo.clock.advance(PACE)
            await asyncio.sleep(0.01)
        assert heard == 2 * [("/api/v1/heartbeats/cashflow/trials", f"Bearer {demo.stage.environ['DEMO_JOB_TOKEN']}")]
        demo.world.heal()
        await passes(demo.clock.advance, lambda: len(heard) > 2)


async def passes(advance: Callable[..., object], true: Callable[[], bool]) -> None:
    """Let time go on until something is true."""

    async def a_while() -> bool:
        await advance(SECOND)  # type: ignore[misc] # it is awaited
        return true()

    await until(a_while, "a report")

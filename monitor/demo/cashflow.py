"""The demo's cash flow planner: a back end that names its version, a second server, customers, and a job at night."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import structlog
from aiohttp import web

from monitor.demo.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.demo.world import World

REQUESTS = 25.0
PACE = timedelta(seconds=4)
"""So often its job runs."""
PATIENCE = aiohttp.ClientTimeout(total=3)
MOST_CUSTOMERS = 100
FORECASTS = {200: "profits will rise", 403: "upgrade to see forecasts"}

log = structlog.get_logger()


class Cashflow:
    """Plans what comes in and goes out, for customers of a small plan and of a large one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._traffic = Traffic(world.clock)
        self._began = world.clock.now()
        self._numbers = itertools.count(1)
        self._customers: dict[str, str] = {}

    def table(self) -> Iterable[web.RouteDef]:
        """Return its routes."""
        return [
            web.get("/cashflow/", self._front),
            web.get("/cashflow/api/health", self._health),
            web.get("/cashflow/mcp/health", self._mcp),
            web.get("/cashflow/metrics", self._metrics),
            web.post("/cashflow/api/customers", self._create),
            web.get("/cashflow/api/customers/{id}", self._read),
            web.delete("/cashflow/api/customers/{id}", self._remove),
            web.get("/cashflow/api/forecasts", self._forecasts),
        ]

    async def report(self, address: str, token: str, session: aiohttp.ClientSession) -> None:
        """Let the job run and report each time to the heartbeat at `address`, until cancelled."""
        headers = {"Authorization": f"Bearer {token}"}
        while True:
            if self._world.now.cashflow_job:
                try:
                    async with session.post(
                        address, headers=headers, data="3 trials ended", timeout=PATIENCE
                    ) as answer:
                        answer.raise_for_status()
                except (aiohttp.ClientError, TimeoutError) as error:
                    log.debug("demo_job_not_reported", why=type(error).__name__)
            await self._world.clock.sleep_until(self._world.clock.now() + PACE)

    async def _front(self, _request: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>Demo cash flow</title><p>Welcome", content_type="text/html")

    async def _health(self, _request: web.Request) -> web.Response:
        now = self._world.now
        uptime = (self._world.clock.now() - self._began).total_seconds()
        return web.json_response(
            {
                "status": "healthy" if now.cashflow_database else "failing",
                "database": "connected" if now.cashflow_database else "disconnected",
                "uptime": round(uptime),
                "version": now.cashflow_version,
            }
        )

    async def _mcp(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "healthy", "database": {"connected": self._world.now.cashflow_database}})

    async def _metrics(self, _request: web.Request) -> web.Response:
        errors = self._world.now.cashflow_errors
        return self._traffic.page(
            {
                'http_requests_total{status="200"}': REQUESTS * (1 - errors),
                'http_requests_total{status="500"}': REQUESTS * errors,
            }
        )

    async def _create(self, request: web.Request) -> web.Response:
        if not self._world.now.cashflow_database or len(self._customers) >= MOST_CUSTOMERS:
            return web.json_response({"detail": "the database takes nothing"}, status=503)
        number = str(next(self._numbers))
        self._customers[number] = str((await request.json()).get("name", ""))
        return web.json_response({"id": number}, status=201)

    async def _read(self, request: web.Request) -> web.Response:
        name = self._customers.get(request.match_info["id"])
        return web.json_response({"name": name}, status=404 if name is None else 200)

    async def _remove(self, request: web.Request) -> web.Response:
        return web.Response(status=204 if self._customers.pop(request.match_info["id"], None) is not None else 404)

    async def _forecasts(self, _request: web.Request) -> web.Response:
        status = self._world.now.cashflow_upgrade
        return web.json_response({"detail": FORECASTS[status]}, status=status)

"""The demo's shop: a front page, a health answer, metrics, shipping; and the parcel service's own status page."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from monitor.demo.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.demo.world import World

WELL = 200
LOOKUPS = 50.0
LABELS = "Label API"
STATUSES = {"none": "operational", "major": "partial_outage"}


class Shop:
    """Sells things, and sends them by a parcel service that others run."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._traffic = Traffic(world.clock)

    def table(self) -> Iterable[web.RouteDef]:
        """Return its routes."""
        return [
            web.get("/shop/", self._front),
            web.get("/shop/health", self._health),
            web.get("/shop/metrics", self._metrics),
            web.get("/shop/shipping", self._shipping),
            web.get("/parcels/api/v2/summary.json", self._parcels),
        ]

    async def _front(self, _request: web.Request) -> web.Response:
        now = self._world.now
        await self._world.pause(now.shop_delay)
        return web.Response(
            status=now.shop_status, text="<!doctype html><title>Demo shop</title><p>Welcome", content_type="text/html"
        )

    async def _health(self, _request: web.Request) -> web.Response:
        now = self._world.now
        status = "healthy" if now.shop_status == WELL else "failing"
        return web.json_response({"status": status, "pool": {"used": now.shop_pool}}, status=now.shop_status)

    async def _metrics(self, _request: web.Request) -> web.Response:
        hits = self._world.now.shop_hits
        return self._traffic.page(
            {
                'http_requests_total{status="200"}': 20.0,
                'cache_lookups_total{result="hit"}': LOOKUPS * hits,
                'cache_lookups_total{result="miss"}': LOOKUPS * (1 - hits),
            }
        )

    async def _shipping(self, _request: web.Request) -> web.Response:
        status = self._world.now.shop_shipping
        detail = "labels are printed" if status == WELL else "the parcel service answers nothing"
        return web.json_response({"detail": detail}, status=status)

    async def _parcels(self, _request: web.Request) -> web.Response:
        """Answer as a page of Statuspage does (https://metastatuspage.com/api)."""
        impact = self._world.now.parcels_impact
        since = self._world.clock.now() - self._world.going_on.get("vendor-incident", timedelta())
        label = {"name": LABELS, "status": STATUSES[impact]}
        incident = {
            "name": "Labels cannot be printed",
            "status": "investigating",
            "impact": impact,
            "started_at": since.isoformat(),
            "components": [label],
        }
        page = {
            "status": {"indicator": impact},
            "components": [label],
            "incidents": [] if impact == "none" else [incident],
            "scheduled_maintenances": [],
        }
        return web.json_response(page)

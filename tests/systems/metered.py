"""Hosts that count their own requests, as an application's middleware does, and show that as a page of metrics.

What they show is what happened: real requests over their HTTP servers, with errors and delays as whoever asks wants
them.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tests.systems.capliquify import CapLiquify
from tests.systems.ecomdash import EcomDash
from tests.systems.realstaging import RealStaging
from tests.systems.site import Answer, Site
from tests.systems.tatame import Tatame

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AsyncExitStack

    from tests.peers import Authority
    from tests.systems.site import StandIn

WORK, PICTURES = "/api/work", "/api/pictures"
STATUS, DELAY = "X-Wanted-Status", "X-Wanted-Delay"
AT_ONCE = 100
TOKEN = "t0ken-of-the-metrics"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5)


def work(headers: Mapping[str, str], _body: bytes) -> Answer:
    """Do what the request wants, as that is what comes of it in real life."""
    return Answer(int(headers.get(STATUS, "200")), "done", delay=float(headers.get(DELAY, "0")))


class Metered(Site):
    """One host with a middleware that counts. `labels` are those of its requests' histogram, in the middleware's words.

    `counts`: it has a counter besides, as Python's middleware has, and no status in the histogram.
    """

    def __init__(self, site: Site, authority: Authority | None, *labels: str, counts: bool = False) -> None:
        self._labels = labels
        self._counts = counts
        super().__init__(site.host, authority)
        self.starts(0.0)

    def starts(self, at: float) -> None:
        """Begin to count, in a process that was started then."""
        self.registry = CollectorRegistry()
        Gauge("process_start_time_seconds", "When it was started.", registry=self.registry).set(at)
        self.took = Histogram(
            "http_request_duration_seconds", "Requests.", self._labels, registry=self.registry, buckets=BUCKETS
        )
        names = ("method", "endpoint", "status")
        self.served = Counter("http_requests", "Requests.", names, registry=self.registry) if self._counts else None

    async def answer(self, request: web.Request) -> web.Response:
        """Show the metrics; count whatever else is asked."""
        if request.path == "/metrics":
            return self._page(request)
        started = perf_counter()
        response = await super().answer(request)
        known = {"method": request.method, "path": request.path, "endpoint": request.path}
        known |= dict.fromkeys(("status", "status_code", "code"), str(response.status))
        self.took.labels(*(known[name] for name in self._labels)).observe(perf_counter() - started)
        if self.served:
            self.served.labels(known["method"], known["endpoint"], known["status"]).inc()
        return response

    def _page(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        return web.Response(body=generate_latest(self.registry), headers={"Content-Type": "text/plain"})

    async def serve(self, many: int, *, status: int = 200, delay: float = 0.0, path: str = WORK) -> None:
        """Be asked so often, over HTTP; each request ends with `status`, after `delay` seconds."""
        self.answers["GET", path] = work
        wanted = {STATUS: str(status), DELAY: str(delay)}
        address = f"{self.url.partition(':')[0]}://127.0.0.1:{self.port}{path}"

        async def ask() -> None:
            async with self._session.get(address, headers=wanted) as answer:
                assert answer.status == status

        await asyncio.gather(*(ask() for _ in range(many)))

    async def start(self, stack: AsyncExitStack) -> None:
        """Listen, and have somebody who asks, until `stack` ends."""
        await super().start(stack)
        connector = aiohttp.TCPConnector(limit=AT_ONCE, ssl=False)
        self._session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))


def metered(system: StandIn, site: Site, *labels: str, counts: bool = False) -> Metered:
    """Put a host that counts in the place of `site`."""
    made = Metered(site, system.authority, *labels, counts=counts)
    system.sites[system.sites.index(site)] = made
    return made


class MeteredCapLiquify(CapLiquify):
    """Its back end is an Express server with prom-client."""

    backend: Metered

    def build(self) -> None:
        super().build()
        self.backend = metered(self, self.backend, "method", "path", "status_code")
        self.clerk = Counter("clerk_calls", "Calls to Clerk.", ["status"], registry=self.backend.registry)
        self.overhead = Histogram("tenant_seconds", "The middleware.", registry=self.backend.registry, buckets=BUCKETS)

    @property
    def environ(self) -> dict[str, str]:
        own = {
            "CAPLIQUIFY_METRICS_URL": f"{self.backend.url}/metrics",
            "CAPLIQUIFY_METRICS_TOKEN": TOKEN,
            "CAPLIQUIFY_TENANT_METRIC": "tenant_seconds",
            "CAPLIQUIFY_CLERK_METRIC": "clerk_calls_total",
        }
        return {**super().environ, **own}


class MeteredRealStaging(RealStaging):
    """Its API is written in Go, and its worker has a page of its own."""

    api: Metered

    def build(self) -> None:
        super().build()
        self.api = metered(self, self.api, "method", "code")
        self.worker = metered(self, self.site("worker.real-staging.ai"), "method")
        registry = self.worker.registry
        self.jobs = Histogram("job_duration_seconds", "Jobs.", registry=registry)
        self.running = Gauge("jobs_running", "Jobs.", registry=registry)

    @property
    def environ(self) -> dict[str, str]:
        own = {
            "REALSTAGING_METRICS_URL": f"{self.api.url}/metrics",
            "REALSTAGING_METRICS_TOKEN": TOKEN,
            "REALSTAGING_WORKER_METRICS_URL": f"{self.worker.url}/metrics",
        }
        return {**super().environ, **own}


class MeteredTatame(Tatame):
    """Its server is an Express one with prom-client."""

    server: Metered

    def build(self) -> None:
        super().build()
        self.server = metered(self, self.server, "method", "path", "status_code")

    @property
    def environ(self) -> dict[str, str]:
        own = {"TATAME_METRICS_URL": f"{self.server.url}/metrics", "TATAME_METRICS_TOKEN": TOKEN}
        return {**super().environ, **own}


class MeteredEcomDash(EcomDash):
    """Its API has the metrics that the runbook shows."""

    api: Metered

    def build(self) -> None:
        super().build()
        self.api = metered(self, self.api, "method", "endpoint", counts=True)
        registry = self.api.registry
        names = ("shop_domain", "endpoint", "status")
        self.calls = Counter("shopify_api_calls", "Calls.", names, registry=registry)
        self.shops = Gauge("active_shops", "Shops.", registry=registry)
        self.queries = Histogram("database_query_seconds", "Queries.", registry=registry, buckets=BUCKETS)
        self.queue = Gauge("jobs_waiting", "Jobs.", registry=registry)

    def calls_shopify(self, many: int, status: int = 200) -> None:
        """Call Shopify so often."""
        self.calls.labels("shop.myshopify.com", "products", str(status)).inc(many)

    @property
    def environ(self) -> dict[str, str]:
        own = {
            "ECOMDASH_METRICS_TOKEN": TOKEN,
            "ECOMDASH_QUERY_METRIC": "database_query_seconds",
            "ECOMDASH_QUEUE_METRIC": "jobs_waiting",
        }
        return {**super().environ, **own}

"""A whole daemon in this process, beside a product that it watches: the shop of the document's examples."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from monitor import app
from monitor.app import Daemon
from monitor.config import load
from monitor.outside import reach_outside
from monitor.settings import Settings
from monitor.web import Door, Tokens
from tests.acceptance.peers import until
from tests.web.api.shop import DEPLOY, GENEROUS, HOST, JOB, OPERATOR

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AsyncExitStack
    from pathlib import Path

SECRETS = {
    "SHOP_PASSWORD": "hunter2-of-the-shop",
    "SHOP_KEY": "key-of-the-shop-0123456789",
    "DATABASE_PASSWORD": "hunter2-of-the-database",
    "HOOK_PATH": "path-of-the-hook-0123456789",
    "BACKUP_TOKEN": JOB,
    "DEPLOY_TOKEN": DEPLOY,
}
"""What the configuration holds and nobody may see."""
FILE = """
channels: {hook: "http://127.0.0.1:9/${HOOK_PATH}"}
systems:
  shop:
    title: Shop
    public: true
    runbook: https://example.com/runbook
    deploys: {token: "${DEPLOY_TOKEN}"}
    defaults: {every: 1s, timeout: 2s}
    checks:
      site:
        url: "${SHOP_URL}/echo?key=${SHOP_KEY}"
        headers: {Authorization: "Basic ${SHOP_PASSWORD}", X-Api-Key: "${SHOP_KEY}"}
        expect: {status: 200, body: "never ${SHOP_PASSWORD}"}
        remedy: "Call the shop, and say ${SHOP_PASSWORD}."
      database:
        url: "${SHOP_URL}/pool"
        values: {connections_ratio: {path: pool, unit: ratio}}
        needs: [site]
        thresholds:
          - {watch: connections_ratio, name: connections, warning: "> 80%", remedy: "Ask ${SHOP_PASSWORD}."}
      backup: {kind: heartbeat, token: "${BACKUP_TOKEN}", period: 1d}
      orders:
        kind: sql
        dsn: "postgresql://shop:${DATABASE_PASSWORD}@127.0.0.1:9/shop"
        query: SELECT 1 AS orders
      left: {if_set: NOBODY_SETS_THIS, url: "https://shop.example.com/?key=${SHOP_KEY}"}
  vault:
    title: Vault
    checks: {safe: {url: "${SHOP_URL}/pool", every: 1s}}
"""

FIRES = {"shop/database connections", "shop/site down"}


class Watching(Daemon):
    """A daemon that knows where it listens, and lets a client guess as often as he likes."""

    address = ""

    @property
    def fires(self) -> bool:
        """Return whether all fires that is to."""
        firing = {f"{one.key.check} {one.key.name}" for one in self._pipeline.alerts if one.severity is not None}
        return firing >= FIRES

    async def _show(self, stack: AsyncExitStack) -> str:
        self.address = await super()._show(stack)
        return self.address

    def _door(self) -> Door:
        return Door(Tokens(self._settings.token), self._clock, self.metrics.daemon.refused, allowance=GENEROUS)


@asynccontextmanager
async def watching(folder: Path, *, waits: bool = False, **variables: str) -> AsyncIterator[Watching]:
    """Run a daemon until the block ends. It has looked at everything, and what is to fire does; or it `waits`."""
    file = folder / "monitor.yaml"
    file.write_text(FILE)
    given: dict[str, Any] = {"MONITOR_TOKEN": OPERATOR, "MONITOR_DATA": str(folder), "MONITOR_LISTEN": f"{HOST}:0"}
    stop = asyncio.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "_spare_the_collector", lambda: None)  # it would do so for the other tests, too
        async with _product() as where, reach_outside() as outside:
            config = load(file, {**SECRETS, "SHOP_URL": where})
            daemon = Watching(config, Settings(**(given | variables)), outside)
            running = asyncio.create_task(daemon.run(lambda: config, stop, asyncio.Event()))
            try:
                await until(lambda: running.done() or (daemon.address and (waits or daemon.fires)), "a daemon")
                yield daemon
            finally:
                stop.set()
                await running


async def _answer(request: web.Request) -> web.Response:
    """Say everything again that was asked with, or how full a pool is."""
    if request.path == "/pool":
        return web.json_response({"pool": 0.9})
    return web.Response(text=" ".join([request.path_qs, *request.headers.values()]))


@asynccontextmanager
async def _product() -> AsyncIterator[str]:
    """Run what is watched, and yield its address."""
    product = web.Application()
    product.router.add_get("/{path:.*}", _answer)
    runner = web.AppRunner(product)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def asked(daemon: Watching, method: str, path: str, body: object = None) -> tuple[int, str]:
    """Return the status and the text of an answer."""
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, daemon.address + path, json=body) as answer,
    ):
        return answer.status, await answer.text()

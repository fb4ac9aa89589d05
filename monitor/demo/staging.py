"""The demo's photo staging: paid by webhooks, worked off by a queue."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Iterable

    from monitor.demo.world import World

TOLERANCE = timedelta(minutes=5)


class Staging:
    """Furnishes photos of empty rooms, once the payment provider's webhook says that they were paid."""

    def __init__(self, world: World, secret: str) -> None:
        """Make one that takes only webhooks which were signed with `secret`."""
        self._world = world
        self._secret = secret.encode()

    def table(self) -> Iterable[web.RouteDef]:
        """Return its routes."""
        return [
            web.get("/staging/health", self._health),
            web.post("/staging/webhooks/payments", self._payment),
            web.get("/staging/deliveries", self._deliveries),
            web.get("/staging/worker", self._worker),
        ]

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "healthy"})

    async def _payment(self, request: web.Request) -> web.Response:
        signed = self._is_signed(request.headers.get("Stripe-Signature", ""), await request.read())
        if signed or self._world.now.staging_open:
            return web.json_response({"received": True})
        return web.json_response({"detail": "no valid signature"}, status=400)

    def _is_signed(self, header: str, body: bytes) -> bool:
        """Return whether the header signs the body, freshly: docs.stripe.com/webhooks#verify-manually."""
        parts = [part.partition("=") for part in header.split(",")]
        times = [value for name, _, value in parts if name == "t" and value.isdecimal()]
        if not times:
            return False
        expected = hmac.new(self._secret, f"{times[0]}.".encode() + body, hashlib.sha256).hexdigest()
        fresh = abs(self._world.clock.wall().timestamp() - int(times[0])) <= TOLERANCE.total_seconds()
        return fresh and any(
            hmac.compare_digest(expected.encode(), value.encode()) for name, _, value in parts if name == "v1"
        )

    async def _deliveries(self, _request: web.Request) -> web.Response:
        return web.json_response({"newest_age": self._world.now.staging_silence, "failed": 0})

    async def _worker(self, _request: web.Request) -> web.Response:
        waiting = self._world.now.staging_waiting
        return web.json_response({"waiting": round(waiting), "oldest_seconds": waiting})

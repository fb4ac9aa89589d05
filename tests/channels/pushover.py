"""Pushover as far as its emergencies go: it takes messages, gives receipts, and says who confirmed them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

USER = "u" * 30


@dataclass(slots=True)
class Phones:
    """Keeps what it is asked. `confirmed`: device and moment, by receipt; `expired`, `unknown`: such receipts.

    `answers` are given before all else to whoever asks for a receipt: a status and a body.
    """

    port: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    confirmed: dict[str, tuple[str, int]] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    answers: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)

    @property
    def got(self) -> list[str]:
        return [*self.asked, *self.cancelled]

    async def take(self, request: web.Request) -> web.Response:
        form = dict(await request.post())
        self.messages.append(form)
        said: dict[str, Any] = {"status": 1, "request": "647d2300-702c-4b38-8b2f-d56326ae460b"}
        if form["priority"] == "2":
            said["receipt"] = f"r{len(self.messages):029}"
        return web.json_response(said)

    async def tell(self, request: web.Request) -> web.Response:
        receipt = request.match_info["receipt"]
        assert request.query["token"] == "a" * 30
        self.asked.append(receipt)
        if self.answers:
            status, text, headers = self.answers.pop(0)
            return web.Response(status=status, text=text, headers=headers)
        if receipt in self.unknown:
            return web.json_response({"receipt": "not found", "errors": ["receipt not found"], "status": 0}, status=404)
        device, at = self.confirmed.get(receipt, ("", 0))
        return web.json_response(
            {
                "status": 1,
                "acknowledged": int(receipt in self.confirmed),
                "acknowledged_at": at,
                "acknowledged_by": USER if at else "",
                "acknowledged_by_device": device,
                "last_delivered_at": 1360001238,
                "expired": int(receipt in self.expired),
                "expires_at": 1360019290,
                "called_back": 0,
                "called_back_at": 0,
            }
        )

    async def cancel(self, request: web.Request) -> web.Response:
        self.cancelled.append(request.match_info.get("receipt") or request.match_info["tag"])
        return web.json_response({"status": 1})


@asynccontextmanager
async def phones() -> AsyncIterator[Phones]:
    """Run it on a port of the loopback."""
    server = Phones()
    app = web.Application()
    app.router.add_post("/1/messages.json", server.take)
    app.router.add_get("/1/receipts/{receipt}.json", server.tell)
    app.router.add_post("/1/receipts/cancel_by_tag/{tag}.json", server.cancel)
    app.router.add_post("/1/receipts/{receipt}/cancel.json", server.cancel)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()

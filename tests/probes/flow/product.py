"""A product as a user meets it: a login with a cookie, a token, tenants, uploads, jobs."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.typedefs import Handler

PASSWORD = "correct horse"
TOKEN = "tok-battery-staple"
SESSION = "session-0123456789"
CSRF = "csrf-9876543210"


@dataclass
class Product:
    """What it holds, and what is wrong with it. `seen`: every request, as method and path.

    `delay`: seconds that making a tenant takes. `keeps`: tenants are not removed. `broken`: statuses by path.
    `unready`: how often a job is asked for before it is done. `elsewhere`: where uploads lead. `held`: tenants are made
    and their answer waits for this.
    """

    url: str = ""
    delay: float = 0.0
    keeps: bool = False
    unready: int = 2
    elsewhere: str = ""
    said: str = ""
    held: asyncio.Event | None = None
    made: asyncio.Event = field(default_factory=asyncio.Event)
    broken: dict[str, int] = field(default_factory=dict)
    tenants: dict[int, str] = field(default_factory=dict)
    uploads: list[bytes] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(7))

    @web.middleware
    async def look(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.seen.append((request.method, request.path_qs))
        if status := self.broken.get(request.path):
            return web.json_response({"error": self.said or "broken"}, status=status)
        response: web.StreamResponse = await handler(request)
        return response

    async def login(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("password") != PASSWORD:
            return web.Response(status=401)
        response = web.Response(status=303, headers={"Location": "/home"})
        response.set_cookie("session", SESSION, httponly=True)
        return response

    async def home(self, request: web.Request) -> web.Response:
        if request.cookies.get("session") != SESSION:
            return web.Response(status=401, text="who are you?")
        return web.Response(text=f'<input name="csrf" value="{CSRF}">', content_type="text/html")

    async def token(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked.get("client_secret") != PASSWORD:
            return web.json_response({"error": "access_denied", "given": asked}, status=403)
        return web.json_response({"access_token": TOKEN, "expires_in": 60})

    async def make(self, request: web.Request) -> web.Response:
        name = (await request.json())["name"]
        number = next(self.numbers)
        self.tenants[number] = name
        self.made.set()
        await asyncio.sleep(self.delay)
        if self.held:
            await self.held.wait()
        body = {"data": {"id": number, "name": name, "tier": "professional"}}
        return web.json_response(body, status=201, headers={"Location": f"/api/tenants/{number}"})

    async def find(self, request: web.Request) -> web.Response:
        wanted = request.query.get("name")
        return web.json_response([{"id": number} for number, name in self.tenants.items() if name == wanted])

    async def tenant(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401)
        return web.json_response({"id": number, "name": self.tenants.get(number), "of": request.headers.get("X-Of")})

    async def remove(self, request: web.Request) -> web.Response:
        if self.keeps:
            return web.json_response({"error": "locked"}, status=409)
        found = self.tenants.pop(int(request.match_info["number"]), None)
        return web.Response(status=204 if found else 404)

    async def upload(self, _request: web.Request) -> web.Response:
        return web.json_response({"upload_url": f"{self.elsewhere or self.url}/bucket/canary%2Fx.png?X-Sig=a%2Bb%3D"})

    async def put(self, request: web.Request) -> web.Response:
        if request.query.get("X-Sig") != "a+b=":
            return web.Response(status=403)
        self.uploads.append(await request.read())
        return web.Response()

    async def job(self, _request: web.Request) -> web.Response:
        self.unready -= 1
        return web.json_response({"status": "completed" if self.unready < 0 else "processing"})

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.look])
        app.add_routes(
            [
                web.post("/login", self.login),
                web.get("/home", self.home),
                web.post("/token", self.token),
                web.post("/api/tenants", self.make),
                web.get("/api/tenants", self.find),
                web.get("/api/tenants/{number}", self.tenant),
                web.delete("/api/tenants/{number}", self.remove),
                web.post("/uploads", self.upload),
                web.put("/bucket/{key:.*}", self.put),
                web.get("/jobs/{number}", self.job),
            ]
        )
        return app

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.seen]


@asynccontextmanager
async def running() -> AsyncIterator[Product]:
    """Run a product on the loopback."""
    product = Product()
    runner = web.AppRunner(product.app(), access_log=None, shutdown_timeout=0, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    product.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield product
    finally:
        await runner.cleanup()

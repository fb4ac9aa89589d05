"""A stand-in of Twilio's messages: takes them as forms, answers 201 and a SID, and tells later what became of each."""

from __future__ import annotations

import base64
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ACCOUNT = "AC" + "0" * 32


@dataclass(slots=True)
class Texts:
    """What it got, and how it answers: `statuses` are told one look after the other, the last for ever."""

    port: int = 0
    token: str = ""
    user: str = ACCOUNT
    refused: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=lambda: ["delivered"])
    error_code: int | None = None
    look_status: int = 200
    got: list[dict[str, str]] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)

    def _known(self, request: web.Request) -> bool:
        login = base64.b64encode(f"{self.user}:{self.token}".encode()).decode()
        return request.headers.get("Authorization") == f"Basic {login}"

    async def take(self, request: web.Request) -> web.Response:
        if not self._known(request):
            return web.json_response({"code": 20003, "message": "Authenticate", "status": 401}, status=401)
        form = {key: str(value) for key, value in (await request.post()).items()}
        if form["To"] in self.refused:
            status, body = self.refused[form["To"]]
            return web.json_response(body, status=status, headers={"Retry-After": "7"} if status == 429 else {})
        self.got.append(form)
        said = {"sid": f"SM{len(self.got):032}", "status": "queued", "error_code": None}
        return web.json_response(said, status=201)

    async def look(self, request: web.Request) -> web.Response:
        assert self._known(request)
        self.looks.append(request.match_info["sid"])
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        code = self.error_code if status in {"undelivered", "failed"} else None
        said = {"sid": self.looks[-1], "status": status, "error_code": code}
        return web.json_response(said, status=self.look_status)


@asynccontextmanager
async def texts(token: str) -> AsyncIterator[Texts]:
    """Run the stand-in on a port of the loopback."""
    server = Texts(token=token)
    app = web.Application()
    app.router.add_post(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", server.take)
    app.router.add_get(f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{{sid}}.json", server.look)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()

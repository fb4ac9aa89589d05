"""What real daemons watch and whom they tell, on the loopback: targets that break, receivers with moods."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web

from tests.peers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TARGETS = ("site", "cart", "search", "mail", "feed", "slow")
CHANNELS = ("ops", "phone", "hook")
SLOW = 0.6
BEAT, LATE = 0.05, 0.15
GIVEN_UP = 9.5
"""Seconds after which the sender has perhaps gone: its deadline is ten."""


class Heard(NamedTuple):
    """One alert in a post that was answered 200, and whether the answer can have been lost on its way."""

    at: float
    channel: str
    key: str
    check: str
    alert: str
    incident: tuple[str, str]
    status: str
    severity: str
    note: str
    unanswered: str


@dataclass
class Street:
    """Everything that the daemons reach; `broken` and `moods` say how it is now. Moments are of `time.time()`.

    `late` are those at which the street itself had come round too late, so that its targets were slow in truth.
    """

    broken: set[str] = field(default_factory=set)
    moods: dict[str, str] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    refused: int = 0
    late: list[float] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)
    _sites: dict[str, web.TCPSite] = field(default_factory=dict)
    _runners: dict[str, tuple[web.AppRunner, int]] = field(default_factory=dict)

    async def beat(self) -> None:
        """Note when this loop comes round late, until cancelled."""
        while True:
            due = time.time() + BEAT
            await asyncio.sleep(BEAT)
            if time.time() - due > LATE:
                self.late.append(time.time())

    async def look(self, request: web.Request) -> web.Response:
        """Answer as a target."""
        name = request.match_info["name"]
        if name in self.broken and name == "slow":
            await asyncio.sleep(SLOW)
        elif name in self.broken:
            return web.Response(status=502)
        return web.Response(text="well")

    async def hear(self, channel: str, request: web.Request) -> web.StreamResponse:
        """Answer as a receiver."""
        begun, body = time.monotonic(), await request.json()
        mood = self.moods.get(channel, "takes")
        if mood == "refuses":
            self.refused += 1
            return web.Response(status=503)
        if mood == "hangs":
            self.refused += 1
            await asyncio.sleep(3600)
        if mood == "slow":
            await asyncio.sleep(4)
        lost = "its answer was lost" if mood == "deaf" or time.monotonic() - begun > GIVEN_UP else ""
        for alert in body["alerts"]:
            self.heard.append(_heard(channel, request.headers["Idempotency-Key"], alert, lost))
        if mood == "deaf" and request.transport:
            request.transport.abort()
        return web.Response(text="ok")

    async def shut(self, channel: str) -> None:
        """Let nobody listen: connections are refused."""
        if site := self._sites.pop(channel, None):
            await site.stop()

    async def open(self, channel: str) -> None:
        """Listen again."""
        if channel not in self._sites:
            runner, port = self._runners[channel]
            self._sites[channel] = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
            await self._sites[channel].start()

    async def add(self, name: str, stack: AsyncExitStack) -> None:
        """Open the address of a receiver, or of all targets."""
        app = web.Application()
        if name in CHANNELS:
            app.router.add_post("/{tail:.*}", lambda request: self.hear(name, request))
        else:
            app.router.add_get("/{name}", self.look)
        runner, port = web.AppRunner(app, access_log=None, shutdown_timeout=0.1), free_port()
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        self._runners[name] = runner, port
        await self.open(name)
        self.urls[name] = f"http://127.0.0.1:{port}"


def _heard(channel: str, key: str, alert: dict[str, Any], lost: str) -> Heard:
    return Heard(
        at=time.time(),
        channel=channel,
        key=key,
        check=alert["labels"]["check"],
        alert=alert["labels"]["alertname"],
        incident=(alert["fingerprint"], alert["startsAt"]),
        status=alert["status"],
        severity=alert["labels"]["severity"],
        note=alert["annotations"].get("note", ""),
        unanswered=lost,
    )


@asynccontextmanager
async def street() -> AsyncIterator[Street]:
    """Open everything until the block ends."""
    made = Street()
    async with AsyncExitStack() as stack:
        for name in ("targets", *CHANNELS):
            await made.add(name, stack)
        beating = asyncio.create_task(made.beat())
        yield made
        beating.cancel()

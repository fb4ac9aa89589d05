"""Puts the demo's world up on the loopback: its systems, a certificate, a name, a database line, a job."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from monitor.demo.cashflow import Cashflow
from monitor.demo.certificates import EXPIRING, FRESH, Authority, changing
from monitor.demo.dojo import Dojo
from monitor.demo.filled import FilledDatabase, FilledQueue, keep_filled
from monitor.demo.index import Index
from monitor.demo.licences import Licences
from monitor.demo.names import Names
from monitor.demo.script import DIGEST, MAINTENANCE
from monitor.demo.shop import Shop
from monitor.demo.staging import Staging

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    from monitor.demo.filled import Filled
    from monitor.demo.world import World

LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - looked for, not listened at
NAME = "licences.example.com"
HOST = "staging.example.com"
HEARTBEAT = "/api/v1/heartbeats/cashflow/trials"
KEY_MADE = timedelta(days=80)
"""So long ago the shop's key was made, which is good for 90 days."""


@dataclass
class Stage:
    """A world that answers: where, and what the configuration has to know of it."""

    address: str
    environ: Mapping[str, str]
    index: Index
    cashflow: Cashflow
    token: str
    stack: AsyncExitStack

    def watched_from(self, monitor: str) -> None:
        """Take in where the daemon answers: the page links there, and the job reports there from now on."""
        self.index.monitor = local(monitor)
        self.stack.push_async_callback(_end, asyncio.create_task(self._report(local(monitor)), name="demo job"))

    async def _report(self, monitor: str) -> None:
        async with aiohttp.ClientSession() as session:
            await self.cashflow.report(f"{monitor}{HEARTBEAT}", self.token, session)


def local(address: str) -> str:
    """Return where to find on this machine what may listen everywhere."""
    return address.replace(EVERYWHERE, LOOPBACK)


@asynccontextmanager
async def staged(world: World, host: str, port: int, environ: Mapping[str, str]) -> AsyncIterator[Stage]:
    """Let `world` answer at `host` and `port` (0: any that is free) while the context lasts.

    Everything else listens on the loopback only. `environ` may name a database and a Redis server to fill. Raises
    OSError when the port is taken.
    """
    token, secret = secrets.token_hex(16), f"whsec_{secrets.token_hex(16)}"
    index, cashflow = Index(world), Cashflow(world)
    parts = (index, Shop(world), cashflow, Staging(world, secret), Licences(world), Dojo(world))
    async with AsyncExitStack() as stack:
        app = web.Application()
        for part in parts:
            app.add_routes(part.table())
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, host, port).start()
        address = local(f"http://{host}:{runner.addresses[0][1]}")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        known = {
            "DEMO_URL": address,
            "DEMO_LINE_PORT": str(await _line(stack, world)),
            "DEMO_TLS_PORT": str(await _shown(stack, _certificates(world, folder))),
            "DEMO_CA_PATH": str(folder / "authority.pem"),
            "DEMO_NAMES_PORT": str(await _names(stack, world)),
            "DEMO_JOB_TOKEN": token,
            "DEMO_WEBHOOK_SECRET": secret,
            **_moments(world),
        }
        keeping = (keep_filled(filled, world.clock) for filled in _filled(world, environ))
        for work in (world.tell(), *keeping):
            stack.push_async_callback(_end, asyncio.create_task(work, name="demo"))
        yield Stage(address, known, index, cashflow, token, stack)


def _moments(world: World) -> dict[str, str]:
    """Return when what is planned comes: without a script no maintenance is."""
    now = world.clock.now()
    begins, _ = MAINTENANCE
    at = f"{now + begins:%Y-%m-%d %H:%M:%S}" if world.began else ""
    return {
        "DEMO_MAINTENANCE_DATE": at,
        "DEMO_DIGEST_DATE": f"{_next_minute(now + DIGEST):%H:%M} UTC",
        "DEMO_KEY_DATE": f"{now - KEY_MADE:%Y-%m-%d}",
    }


def _next_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _filled(world: World, environ: Mapping[str, str]) -> list[Filled]:
    """Return what fills the servers that are there."""
    kinds: Mapping[str, Callable[[World, str], Filled]] = {
        "DEMO_DATABASE_URL": FilledDatabase,
        "DEMO_REDIS_URL": FilledQueue,
    }
    return [kind(world, environ[name]) for name, kind in kinds.items() if environ.get(name)]


def _certificates(world: World, folder: Path) -> ssl.SSLContext:
    authority = Authority(world.clock.wall())
    (folder / "authority.pem").write_bytes(authority.pem)
    fresh, expiring = (authority.context(HOST, valid, folder) for valid in (FRESH, EXPIRING))
    return changing(fresh, expiring, lambda: world.now.staging_expiring)


async def _line(stack: AsyncExitStack, world: World) -> int:
    """Let a database answer one line, as far as its port goes; return the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if world.now.cashflow_database and await reader.readline():
            writer.write(b"ready\n")
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, 0)
    stack.callback(server.close)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _shown(stack: AsyncExitStack, context: ssl.SSLContext) -> int:
    """Let a certificate be seen; return the port."""

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, LOOPBACK, 0, ssl=context)
    stack.callback(server.close)
    port: int = server.sockets[0].getsockname()[1]
    return port


async def _names(stack: AsyncExitStack, world: World) -> int:
    """Let a name server answer; return the port."""
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Names(NAME, lambda: world.now.licences_address), (LOOPBACK, 0)
    )
    stack.callback(transport.close)
    port: int = transport.get_extra_info("sockname")[1]
    return port


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

"""What the daemon watches and whom it tells, on real sockets: a shop that breaks, receivers that keep what they get."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
PATIENCE = 150.0
"""Seconds until something must have happened: messages are collected for a minute, twice if more comes on its heels."""
LOOK = 0.02


async def until(condition: Callable[[], Any], what: str, within: float = PATIENCE) -> Any:  # noqa: ANN401 - what it returns
    """Return what `condition` (or what it returns, awaited) says once that is true; fail after `within` seconds."""
    late = time.monotonic() + within
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < late, f"after {within:g} s there was still not {what}"
        await asyncio.sleep(LOOK)


@dataclass
class Shop:
    """What is watched: answers with `status`; with `echoes`, it says what it was asked with, secrets and all.

    It takes `delay` seconds for an answer.
    """

    status: int = 200
    delay: float = 0.0
    echoes: bool = False
    asked: int = 0
    url: str = ""

    def breaks(self) -> None:
        self.status = 502

    def heals(self) -> None:
        self.status = 200

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        asked = [f"{name}: {value}" for name, value in request.headers.items()]
        said = " ".join([request.path_qs, *reversed(asked)])
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status, text=said if self.echoes else "the shop")


class Incident(NamedTuple):
    """What tells one outage from all others in a webhook's payload."""

    fingerprint: str
    since: str


@dataclass
class Post:
    """One request that a receiver got: its JSON and `Idempotency-Key`, its answer, and whether that went out."""

    payload: dict[str, Any]
    key: str
    status: int
    answered: bool = False

    @property
    def alerts(self) -> list[dict[str, Any]]:
        alerts: list[dict[str, Any]] = self.payload["alerts"]
        return alerts

    @property
    def incidents(self) -> list[Incident]:
        return [Incident(alert["fingerprint"], alert["startsAt"]) for alert in self.alerts]


@dataclass
class Receiver:
    """Takes posts, as a webhook's receiver or as Slack. It answers `status` after `delay` seconds, once `open`."""

    status: int = 200
    delay: float = 0.0
    open: asyncio.Event = field(default_factory=asyncio.Event)
    posts: list[Post] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        post = Post(await request.json(), request.headers.get("Idempotency-Key", ""), self.status)
        self.posts.append(post)
        await self.open.wait()
        await asyncio.sleep(self.delay)
        post.answered = True
        return web.Response(status=post.status, text="ok")

    @property
    def taken(self) -> list[Post]:
        """Return the posts that were not refused."""
        return [post for post in self.posts if post.status == 200]

    def said(self, status: str, check: str = "") -> list[Post]:
        """Return the posts with an alert that is `firing` or `resolved`, of `check` if one is named."""
        return [
            post
            for post in self.posts
            if any(alert["status"] == status and check in {"", alert["labels"]["check"]} for alert in post.alerts)
        ]

    async def hears(self, status: str, check: str = "", within: float = PATIENCE) -> Post:
        """Return the first such post."""
        found: list[Post] = await until(
            lambda: self.said(status, check), f"a post that {check or 'something'} is {status}", within
        )
        return found[0]


@asynccontextmanager
async def shop() -> AsyncIterator[Shop]:
    """Run a shop on a port of the loopback."""
    made = Shop()
    async with _served(made.answer) as made.url:
        yield made


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """Run a receiver, at an address that is a secret, on a port of the loopback."""
    made = Receiver()
    made.open.set()
    async with _served(made.answer) as address:
        made.url = f"{address}/token-of-the-receiver"
        yield made


@asynccontextmanager
async def _served(answer: Callable[[web.Request], Awaitable[web.Response]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()

"""Socket Mode: a WebSocket that we open to Slack, through which it tells what people press.

Facts are those of docs.slack.dev (Using Socket Mode). Slack ends each connection after some hours; it announces that,
and the next one is opened while the former still brings what it has. Each envelope is acknowledged before anything is
done about it, since Slack waits for three seconds; one that comes again is acknowledged and left alone.

slack-sdk's client was weighed: it opens a session of its own (names by Python's resolver, proxies from the environment,
answers of any size), retries by itself without an end, and its tasks outlive whoever started them.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import structlog

from monitor.channels.posting import HERE
from monitor.channels.slack.api import Refused
from monitor.model import Failure, Reason
from monitor.network import failure_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from monitor.channels.slack.api import Api

HANDSHAKE = timedelta(seconds=10)
HEARTBEAT = timedelta(seconds=10)
"""How often we ask whether Slack is still there; without an answer for half of that, it is not."""
LINGER = timedelta(seconds=30)
"""How long a connection whose end was announced is still listened to."""
SHORTEST = timedelta(seconds=5)
"""A connection whose end is announced sooner is a fault, not a renewal."""
CLOSING = timedelta(seconds=1)
FINISHING = timedelta(seconds=3)
LARGEST = 1024 * 1024
MOST_AT_WORK = 100
MOST_REMEMBERED = 1_000
RENEWALS = frozenset({"warning", "refresh_requested"})

log = structlog.get_logger()


class Line:
    """The connection to one app, kept up by opening the next one before the former is gone."""

    def __init__(
        self,
        api: Api,
        press: Callable[[Any], Awaitable[None]],
        *,
        heartbeat: timedelta = HEARTBEAT,
        shortest: timedelta = SHORTEST,
    ) -> None:
        """Make one that is not open; `api` has the app-level token, `press` takes the payload of each interaction."""
        self._api = api
        self._press = press
        self._heartbeat = heartbeat
        self._shortest = shortest
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._at_work: set[asyncio.Task[None]] = set()

    async def keep(self) -> None:
        """Listen until cancelled. Raises `Failure` when no connection can be had, or one ends unannounced."""
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    leaving: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    socket = await self._open()
                    group.create_task(self._listen(socket, leaving), name="slack line")
                    await leaving
        except ExceptionGroup as broken:
            raise broken.exceptions[0] from None
        finally:
            await self._finish()

    async def _finish(self) -> None:
        """Let what was acknowledged to Slack be done, for a moment: nobody tells it again."""
        if self._at_work:
            _, late = await asyncio.wait(self._at_work, timeout=FINISHING.total_seconds())
            for task in late:
                task.cancel()

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        try:
            said = await self._api.call("apps.connections.open", {})
        except Refused as refused:
            raise Failure(Reason.AUTH, refused.result.reason) from None
        address = _address(said.get("url"))
        try:
            async with asyncio.timeout(HANDSHAKE.total_seconds()):
                return await self._api.session.ws_connect(
                    address,
                    heartbeat=self._heartbeat.total_seconds(),
                    max_msg_size=LARGEST,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSING.total_seconds()),
                )
        except TimeoutError:
            raise Failure(Reason.TIMEOUT, "Slack's socket does not open") from None
        except aiohttp.ClientConnectorError as error:
            raise failure_of(error.os_error, error.host) from None
        except aiohttp.ClientError as error:  # its text holds the address, which lets in whoever has it
            raise Failure(Reason.PROTOCOL, f"Slack's socket does not open: {type(error).__name__}") from None

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse, leaving: asyncio.Future[None]) -> None:
        """Take what `socket` brings; `leaving` is done when the next one is to be opened."""
        loop = asyncio.get_running_loop()
        opened = loop.time()
        try:
            async with asyncio.timeout(None) as until:
                async for message in socket:
                    reason = await self._take(message, socket)
                    if not reason or leaving.done():
                        continue
                    if reason not in RENEWALS or loop.time() - opened < self._shortest.total_seconds():
                        raise Failure(Reason.RESET, f"Slack ends the connection: {reason}")
                    until.reschedule(loop.time() + LINGER.total_seconds())
                    leaving.set_result(None)
        except TimeoutError:
            return
        finally:
            await socket.close()
        if not leaving.done():
            raise Failure(Reason.RESET, f"Slack's socket broke off ({socket.close_code})")

    async def _take(self, message: aiohttp.WSMessage, socket: aiohttp.ClientWebSocketResponse) -> str:
        """Take one message; return why the connection will end, if it says so."""
        match _read(message):
            case {"type": "disconnect", **said}:
                return str(said.get("reason") or "without a reason")[:50]
            case {"envelope_id": str(envelope), **said}:
                await socket.send_str(json.dumps({"envelope_id": envelope}))
                if said.get("type") == "interactive" and self._is_new(envelope):
                    self._work(said.get("payload"))
        return ""

    def _is_new(self, envelope: str) -> bool:
        if envelope in self._seen:
            return False
        self._seen[envelope] = None
        if len(self._seen) > MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def _work(self, payload: Any) -> None:  # noqa: ANN401 - whatever arrives
        if len(self._at_work) >= MOST_AT_WORK:
            log.warning("slack_clicks_left_out", why="too many at once")
            return
        task = asyncio.ensure_future(self._press(payload))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)


def _address(url: Any) -> str:  # noqa: ANN401 - whatever arrives
    """Return the address of the socket. Raises `Failure` if it is none that a secret may be sent to."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        host = parts.hostname if parts else ""
        known = parts is not None and bool(host) and (parts.scheme == "wss" or (parts.scheme == "ws" and host in HERE))
    except ValueError:
        known = False
    if not known:
        raise Failure(Reason.PROTOCOL, "Slack gives no address of a socket")
    return str(url)


def _read(message: aiohttp.WSMessage) -> Any:  # noqa: ANN401 - JSON
    if message.type is not aiohttp.WSMsgType.TEXT:
        return None
    try:
        return json.loads(message.data)
    except (ValueError, RecursionError):
        return None

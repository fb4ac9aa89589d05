"""A stand-in for Slack: the methods that we call, with their refusals, and Socket Mode with people who press buttons.

It keeps what a person would see: messages, edits, threads, and what made a phone ring. Blocks are held to Block Kit's
limits as the real one does (docs.slack.dev), and mentions ring as there: never by an edit, and `@here` in no thread.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from monitor.channels.slack import SlackChannel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

BOT, APP = "xoxb-hunter2hunter2", "xapp-hunter2hunter2"
ROOM, HOME = "C0MONITOR", "T0HOME"
EVERYBODY = re.compile("<!(?:here|channel)>")
SOMEBODY = re.compile(r"<@[UW]\w+>|<!subteam\^\w+>")
LIMITS = {"header": 150, "section": 3_000, "button": 75}


@dataclass(slots=True)
class Message:
    """A message as people see it; `edits` is how often it was changed."""

    channel: str
    ts: str
    text: str
    blocks: list[dict[str, Any]]
    thread: str = ""
    broadcast: bool = False
    edits: int = 0

    @property
    def shown(self) -> str:
        """Return what is read of it."""
        return "\n".join(texts(self.blocks)) or self.text

    @property
    def headline(self) -> str:
        return self.shown.partition("\n")[0]

    @property
    def buttons(self) -> dict[str, dict[str, Any]]:
        """Return its buttons by what is written on them."""
        rows = (block["elements"] for block in self.blocks if block["type"] == "actions")
        return {button["text"]["text"]: button for row in rows for button in row}


@dataclass(slots=True)
class Fault:
    """What a method does instead: refuse with `error`, or answer a status and a body, after a while."""

    error: str = ""
    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    after: float = 0.0
    taken: bool = False
    """Whether it is done all the same, so that only the answer is lost."""


@dataclass(slots=True)
class Socket:
    """One open connection of Socket Mode."""

    response: web.WebSocketResponse
    acknowledged: list[str] = field(default_factory=list)


class Slack:
    """The workspace."""

    def __init__(self) -> None:
        self.port = 0
        self.messages: list[Message] = []
        self.private: list[tuple[str, str]] = []
        self.rang: list[Message] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.faults: dict[str, list[Fault]] = {}
        self.sockets: list[Socket] = []
        self.opened = 0
        self.greeting: list[dict[str, Any]] = []
        self.deaf = False
        self.members = {ROOM}
        self.changed = asyncio.Event()
        self._moments = itertools.count(1_763_700_000_000_100, 100)
        self._envelopes = itertools.count(1)

    def channel(self, **fields: Any) -> SlackChannel:  # noqa: ANN401 - of any field
        """Return a channel that posts here."""
        known = {"token": BOT, "channel": ROOM, "app_token": APP, "url": f"http://127.0.0.1:{self.port}/api"}
        return SlackChannel.model_validate(known | fields)

    @property
    def roots(self) -> list[Message]:
        """Return what stands in the channel itself."""
        return [message for message in self.messages if not message.thread]

    def thread(self, root: Message) -> list[Message]:
        return [message for message in self.messages if message.thread == root.ts]

    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]

    def posts(self) -> list[dict[str, Any]]:
        return [payload for method, payload in self.calls if method == "chat.postMessage"]

    def delete(self, message: Message) -> None:
        self.messages.remove(message)

    def fails(self, method: str, *faults: Fault | str) -> None:
        """Let the next calls of `method` end so, one after the other."""
        made = [Fault(error=one) if isinstance(one, str) else one for one in faults]
        self.faults.setdefault(method, []).extend(made)

    async def sees(self, count: int) -> None:
        """Return when so many connections are open and greeted."""
        await until(lambda: len(self.sockets) == count)

    async def press(self, message: Message, label: str, user: str = "U0ALICE", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - of any field
        """Let somebody press the button on which `label` stands; return the envelope, once it is acknowledged."""
        button = message.buttons[label]
        envelope = self.envelope(message, button, user, **fields)
        await self.tell(envelope)
        return envelope

    def envelope(self, message: Message, button: dict[str, Any], user: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - of any field
        """Return what Slack says when somebody presses."""
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": user[2:].lower(), "name": user[2:].lower(), "team_id": HOME},
            "api_app_id": "A0APP",
            "container": {"type": "message", "message_ts": message.ts, "channel_id": message.channel},
            "trigger_id": "1.2.3",
            "team": {"id": HOME, "domain": "home"},
            "channel": {"id": message.channel, "name": "monitor"},
            "message": {"type": "message", "ts": message.ts, "text": message.text, "blocks": message.blocks},
            "response_url": "https://hooks.slack.com/actions/T/1/secretsecret",
            "actions": [{**button, "block_id": "x", "action_ts": self._moment()}],
        }
        number = next(self._envelopes)
        return {
            "envelope_id": f"e{number}",
            "payload": payload | fields,
            "type": "interactive",
            "accepts_response_payload": False,
        }

    async def tell(self, envelope: Any, socket: Socket | None = None) -> None:  # noqa: ANN401 - any JSON
        """Send `envelope` over one connection; return when it is acknowledged."""
        socket = socket or self.sockets[-1]
        before = len(socket.acknowledged)
        await socket.response.send_str(envelope if isinstance(envelope, str) else json.dumps(envelope))
        if isinstance(envelope, dict) and "envelope_id" in envelope:
            await until(lambda: len(socket.acknowledged) > before)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one call of the Web API."""
        method = request.match_info["method"]
        payload = json.loads(await request.text())
        self.calls.append((method, payload))
        fault = self.faults[method].pop(0) if self.faults.get(method) else None
        if fault is not None:
            await asyncio.sleep(fault.after)
            if fault.taken:
                self._done(method, payload, request)
            body = fault.body if not fault.error else json.dumps({"ok": False, "error": fault.error, **fault.more})
            return web.Response(status=fault.status, text=body, headers=fault.headers)
        said = self._done(method, payload, request)
        return web.json_response({"ok": "error" not in said, **said})

    def _done(self, method: str, payload: dict[str, Any], request: web.Request) -> dict[str, Any]:
        wanted = APP if method == "apps.connections.open" else BOT
        if request.headers.get("Authorization") != f"Bearer {wanted}":
            return {"error": "invalid_auth"}
        match method:
            case "auth.test":
                return {"team_id": HOME, "user_id": "U0BOT", "url": "https://home.slack.com/"}
            case "apps.connections.open":
                return {"url": f"ws://127.0.0.1:{self.port}/link?ticket=secretticket"}
            case "chat.postMessage" | "chat.update" | "chat.postEphemeral":
                return self._written(method, payload)
        return {"error": "unknown_method"}

    def _written(self, method: str, payload: dict[str, Any]) -> dict[str, Any]:
        channel, blocks = payload["channel"], payload.get("blocks", [])
        if channel not in self.members:
            return {"error": "not_in_channel"}
        if wrong(blocks) or len(payload["text"]) > 40_000:
            return {"error": "invalid_blocks" if wrong(blocks) else "msg_too_long"}
        if method == "chat.postEphemeral":
            self.private.append((payload["user"], payload["text"]))
            return {"message_ts": self._moment()}
        return self._edited(payload, blocks) if method == "chat.update" else self._posted(payload, blocks)

    def _posted(self, payload: dict[str, Any], blocks: list[dict[str, Any]]) -> dict[str, Any]:
        channel = payload["channel"]
        thread = payload.get("thread_ts", "")
        if thread and thread not in {message.ts for message in self.roots}:
            return {"error": "thread_not_found"}
        made = Message(channel, self._moment(), payload["text"], blocks, thread, payload.get("reply_broadcast", False))
        self.messages.append(made)
        if rings(made):
            self.rang.append(made)
        self.changed.set()
        return {"channel": channel, "ts": made.ts, "message": {"ts": made.ts, "text": made.text, "blocks": blocks}}

    def _edited(self, payload: dict[str, Any], blocks: list[dict[str, Any]]) -> dict[str, Any]:
        for message in self.messages:
            if message.ts == payload["ts"]:
                message.text, message.blocks, message.edits = payload["text"], blocks, message.edits + 1
                return {"channel": message.channel, "ts": message.ts, "text": message.text}
        return {"error": "message_not_found"}

    def _moment(self) -> str:
        return f"{next(self._moments) / 1e6:.6f}"

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection of Socket Mode."""
        response = web.WebSocketResponse(autoping=not self.deaf)
        await response.prepare(request)
        self.opened += 1
        socket = Socket(response)
        for said in [{"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0APP"}}, *self.greeting]:
            await response.send_str(json.dumps(said))
        self.sockets.append(socket)
        try:
            async for message in response:
                if message.type is WSMsgType.TEXT:
                    socket.acknowledged.append(json.loads(message.data)["envelope_id"])
        finally:
            self.sockets.remove(socket)
        return response


def rings(message: Message) -> bool:
    """Return whether a new message makes a phone ring."""
    said = message.text + json.dumps(message.blocks)
    return bool(SOMEBODY.search(said) or (not message.thread and EVERYBODY.search(said)))


def texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield every text of `value` that is shown."""
    match value:
        case {"text": str(text)}:
            yield text
        case dict():
            for one in value.values():
                yield from texts(one)
        case list():
            for one in value:
                yield from texts(one)


def wrong(blocks: list[dict[str, Any]]) -> bool:
    """Return whether Block Kit refuses `blocks`."""
    buttons = [button for block in blocks if block["type"] == "actions" for button in block["elements"]]
    called = [button["action_id"] for button in buttons]
    titled = [(block["type"], block["text"]["text"]) for block in blocks if "text" in block]
    return (
        len(blocks) > 50
        or len(json.dumps(blocks, ensure_ascii=False).encode()) > 13_000
        or len(set(called)) < len(called)
        or any(not 0 < len(text) <= LIMITS[kind] for kind, text in titled)
        or any(not 0 < len(button["text"]["text"]) <= LIMITS["button"] for button in buttons)
        or any(not 0 < len(button.get("value", "x")) <= 2_000 for button in buttons)
        or any(not 0 < len(block["elements"]) <= 25 for block in blocks if block["type"] == "actions")
    )


async def until(true: Callable[[], bool]) -> None:
    """Return when it is `true`, or fail after five seconds."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is awaited happens on both sides of a socket
            await asyncio.sleep(0.002)


@asynccontextmanager
async def slack() -> AsyncIterator[Slack]:
    """Run a workspace on a port of the loopback."""
    workspace = Slack()
    app = web.Application()
    app.router.add_post("/api/{method}", workspace.serve)
    app.router.add_get("/link", workspace.link)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    workspace.port = runner.addresses[0][1]
    try:
        yield workspace
    finally:
        for socket in list(workspace.sockets):
            await socket.response.close()
        await runner.cleanup()

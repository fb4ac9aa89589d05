"""A server with all pages behind a door, and a browser without a window: it keeps cookies and sends forms."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from yarl import URL

from monitor.metrics import Metrics
from monitor.web import Door, Tokens, Web
from monitor.web.guesses import Allowance
from monitor.web.page import Shell, pages
from tests.fakes import FakeClock
from tests.web.page.scene import Scene
from tests.web.page.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multidict import CIMultiDictProxy

    from monitor.secrets import Secret

HOST = "127.0.0.1"
TOKEN = "operator-tökén-of-this-test"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """What came back, not followed anywhere."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def place(self) -> str:
        """Return where it leads."""
        return self.headers.get("Location", "")

    @property
    def words(self) -> str:
        """Return what people read of it."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.text)).split())

    def set_cookie(self, name: str) -> str:
        """Return the header that sets the cookie of that name; empty if there is none."""
        return next((one for one in self.headers.getall("Set-Cookie", []) if one.startswith(f"{name}=")), "")

    @property
    def word(self) -> str:
        """Return what a form of this page has to bring."""
        found = re.search(r'name="form" value="([^"]*)"', self.text)
        assert found, self.text
        return found[1]


@dataclass
class Site:
    """The server and what it shows."""

    token: Secret | None = None
    scrape: Secret | None = None
    on_render: bool = False
    stage: Stage = field(default_factory=Stage)
    clock: FakeClock = field(default_factory=FakeClock)
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.metrics = Metrics()
        tokens, allowance = Tokens(self.token, self.scrape), Allowance(each=3, together=100)
        refused = self.metrics.daemon.refused
        self.door = Door(tokens, self.clock, refused, on_render=self.on_render, allowance=allowance)
        self.shell = Shell(self.door, self.clock)
        self.done: list[tuple[str, dict[str, str]]] = []
        self.fault: Exception | None = None
        self.web = Web(self.door, self.metrics, healthy=list, ready=list, more=self.routes())

    @property
    def base(self) -> str:
        """Return the address of the server."""
        return f"http://{HOST}:{self.web.port}"

    def routes(self) -> list[web.RouteDef]:
        """Return every page, and a form, as the page of a check has it: what it brings is noted."""
        shell = self.shell
        form, shown = shell.acting(self.deed), shell.guarded(self.form)
        return [*pages(shell, self.stage, Scene(), self.clock), web.post("/deed", form), web.get("/deed", shown)]

    async def form(self, request: web.Request) -> web.Response:
        """Show what the form must bring."""
        return web.Response(text=f'name="form" value="{self.shell.gate.word(request)}"')

    async def deed(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        """Note what was done, or fail as it is wished."""
        if self.fault:
            raise self.fault
        self.done.append((self.shell.who(request), dict(fields)))
        return self.shell.back(request, fields.get("to", "/"), "It is <done>.")

    async def ask(self, path: str, method: str = "GET", data: bytes | None = None, **headers: str) -> Answer:
        """Ask for a page as a browser that has `cookies`, and keep those that come."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        url = URL(f"http://{HOST}:{self.web.port}{path}", encoded=True)
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(method, url, data=data, headers=sent, allow_redirects=False) as response,
        ):
            text = await response.text()
        for name, morsel in response.cookies.items():
            self.cookies.pop(name, None)
            self.cookies |= {name: morsel.value} if morsel["max-age"] != "0" else {}
        return Answer(response.status, response.headers, text)

    async def send(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """Send a form as a browser does from a page of ours."""
        ours = {"Origin": self.base, "Content_Type": FORM}
        return await self.ask(path, "POST", urlencode(fields).encode(), **{**ours, **headers})

    async def log_in(self, token: str, to: str = "/", **fields: str) -> Answer:
        """Fill in the form of the login."""
        return await self.send("/login", {"token": token, "next": to, **fields})

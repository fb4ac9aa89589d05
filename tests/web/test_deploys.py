"""Where deploys are reported: who may, what is understood, what is answered."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.metrics import Metrics
from monitor.secrets import Secret
from monitor.web import Deploys, Door, Release, Taken, Tokens, Web
from monitor.web import body as module
from monitor.web.body import MOST_OF_BODY
from monitor.web.deploys import read_release
from monitor.web.guesses import Allowance
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = "127.0.0.1"
TOKEN, OTHER, OPERATOR = "deploy-token-of-the-shop", "deploy-token-of-the-shed", "operator-token-of-this-test"


class Register:
    """Keeps what it gets."""

    becomes = Taken.DURABLE

    def __init__(self) -> None:
        self.got: list[tuple[str, Release]] = []

    def secrets(self, system: str) -> list[Secret]:
        known = {"shop": TOKEN, "shed": OTHER}
        return [Secret(known[system])] if system in known else []

    async def take(self, system: str, release: Release) -> Taken:
        self.got.append((system, release))
        return self.becomes


class Site:
    """A server with the route of deploys, and a client."""

    def __init__(self) -> None:
        self.register, metrics, clock = Register(), Metrics(), FakeClock()
        tokens = Tokens(Secret(OPERATOR))
        door = Door(tokens, clock, metrics.daemon.refused, allowance=Allowance(each=10_000, together=10_000))
        self.web = Web(door, metrics, healthy=list, ready=list, more=Deploys(door, self.register).table())

    async def say(
        self, body: object = None, system: str = "shop", token: str = TOKEN, method: str = "POST"
    ) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://{HOST}:{self.web.port}/api/v1/deploys/{system}"
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, url, data=data, timeout=aiohttp.ClientTimeout(5)) as answer,
        ):
            return answer.status, await answer.text()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    await made.web.start(HOST, 0)
    yield made
    await made.web.stop()


@pytest.mark.parametrize(
    ("body", "release"),
    [
        (None, Release()),
        ({}, Release()),
        ({"version": "1.4.2"}, Release("1.4.2")),
        ({"version": "1.4.2", "before": "1.4.1", "part": "api"}, Release("1.4.2", "1.4.1", "api")),
        ({"version": "1\r\n<!channel>" + "x" * 99}, Release("1 <!channel>" + "x" * 47 + "…")),
    ],
)
async def test_what_is_said_is_noted(site: Site, body: object, release: Release) -> None:
    assert await site.say(body) == (200, "ok\n")
    ((system, got),) = site.register.got
    assert (system, got._replace(version="")) == ("shop", release._replace(version=""))
    assert len(got.version) <= 60
    assert got.version[:12] == release.version[:12]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "the body is not JSON"),
        (b"\xff", "the body is not JSON"),
        (b"[" * 5_000, "the body is not JSON"),
        (b"[]", "the body must be an object of texts"),
        (b'{"version": 1}', "the body must be an object of texts"),
        (b'{"commit": "x"}', "'commit' means nothing here: there are version, before, part"),
        (b" " * (MOST_OF_BODY + 1), "the body is longer than 10,000 bytes"),
    ],
)
async def test_what_is_not_understood_is_refused(site: Site, body: bytes, said: str) -> None:
    assert await site.say(body) == (400, f"400: {said}\n")
    assert site.register.got == []


@pytest.mark.parametrize(("becomes", "status"), [(Taken.DURABLE, 200), (Taken.IN_MEMORY, 202), (Taken.ELSEWHERE, 503)])
async def test_the_answer_says_what_became_of_it(site: Site, becomes: Taken, status: int) -> None:
    site.register.becomes = becomes
    assert (await site.say())[0] == status


@pytest.mark.parametrize(
    ("system", "token"),
    [
        ("shop", ""),
        ("shop", OTHER),
        ("shop", OPERATOR),
        ("shop", TOKEN[:-1]),
        ("shed", TOKEN),
        ("none", TOKEN),
        ("none", ""),
    ],
)
async def test_each_system_has_its_own_token(site: Site, system: str, token: str) -> None:
    """An unknown system and a wrong token look the same; the operator's token opens no deploy either."""
    assert (await site.say(system=system, token=token))[0] == 404
    assert site.register.got == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_a_deploy_is_posted(site: Site, method: str) -> None:
    assert (await site.say(method=method))[0] == 405
    assert site.register.got == []


async def test_a_token_of_a_deploy_opens_nothing_else(site: Site) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"http://{HOST}:{site.web.port}/metrics") as answer,
    ):
        assert answer.status == 401


async def test_a_body_that_never_ends_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_PATIENCE", module.BODY_PATIENCE / 100)
    reader, writer = await asyncio.open_connection(HOST, site.web.port)
    head = (
        f"POST /api/v1/deploys/shop HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 9\r\n\r\n{{"
    )
    writer.write(head.encode())
    async with asyncio.timeout(5):
        answer = await reader.read(200)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert site.register.got == []


@given(
    body=st.binary(max_size=60)
    | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(json.dumps).map(str.encode)
)
def test_any_body_is_a_release_or_a_reason(body: bytes) -> None:
    try:
        said, release = "", read_release(body)
    except ValueError as error:
        said, release = str(error), Release()
    assert "\n" not in said
    assert all(len(text) <= 60 and text.isprintable() for text in release)

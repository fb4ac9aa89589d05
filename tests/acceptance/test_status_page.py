"""The status page of the real process: it shows what is found, asks for the token, and holds a login over a restart."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from tests.acceptance.peers import until
from tests.acceptance.process import Monitor

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "operator-token-of-this-test"
FILE = """
channels: {hook: "http://127.0.0.1:9/"}
systems:
  shop: {title: The shop, public: true, checks: {site: {url: "http://127.0.0.1:9/", every: 1s, timeout: 1s}}}
  hidden: {title: Secret plans, checks: {site: {url: "http://127.0.0.1:9/", every: 1s, timeout: 1s}}}
"""


async def test_the_page_shows_what_the_daemon_sees(tmp_path: Path) -> None:
    """To whoever is logged in, also by the next process; to everybody only what is public."""
    async with (
        Monitor(tmp_path, FILE, MONITOR_TOKEN=TOKEN) as daemon,
        aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True)  # unsafe: for an address without a name
        ) as browser,
    ):

        async def seen(path: str) -> str:
            async with browser.get(f"{daemon.url}{path}") as answer:
                assert answer.status == HTTPStatus.OK
                return await answer.text()

        async def refused() -> bool:
            return "<b>refused</b>" in await seen("/")

        assert 'name="token"' in await seen("/")
        everybody = await seen("/public")
        assert "The shop" in everybody
        assert "Secret plans" not in everybody
        async with browser.post(f"{daemon.url}/login", data={"token": TOKEN}, headers={"Origin": daemon.url}) as answer:
            assert "Secret plans" in await answer.text()
        await until(refused, "the page shows what was found")
        await daemon.kill()
        await daemon.start()
        assert "Secret plans" in await seen("/systems/hidden")

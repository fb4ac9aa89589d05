"""A newcomer's first hour: the real command looks at a product, the real daemon watches what it wrote, and pages."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pytest
from aiohttp import web

from tests.acceptance.forks import ROOT
from tests.acceptance.peers import until
from tests.acceptance.process import Monitor, command, environment
from tests.acceptance.stories.test_real_peers import nginx
from tests.channels.peers import mails
from tests.peers import free_port, silence, tcp_peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.acceptance.process import Ended


@dataclass
class Product:
    """Somebody's own product: a page, and a health address that says more; `status` is what both answer with."""

    status: int = 200
    url: str = ""

    async def page(self, _request: web.Request) -> web.Response:
        return web.Response(status=self.status, text="<!doctype html><p>Welcome", content_type="text/html")

    async def health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "healthy", "pool": {"used": 0.3}}, status=self.status)


@asynccontextmanager
async def product() -> AsyncIterator[Product]:
    made = Product()
    application = web.Application()
    application.add_routes([web.get("/", made.page), web.get("/health", made.health)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()


class Hour(NamedTuple):
    """What was said, what was mailed, and what /metrics had."""

    written: Ended
    mails: list[str]
    up: list[float | None]
    firing: float | None


async def first_hour(folder: Path) -> Hour:
    """Look at the product, watch it with what was written (more often than that says), break it, get the page."""
    config = folder / "config"
    async with mails() as mailbox, product() as made:
        mail = {"SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}", "ONCALL_EMAIL": "oncall@example.com"}
        written = await command(
            folder, "init", made.url, "-c", str(config), "--samples", "5", "--system", "shop", **mail
        )
        await until(lambda: mailbox.got, "the test")
        file = config / "systems" / "shop.yaml"
        file.write_text(file.read_text().replace("every: 30s", "every: 1s"))
        async with Monitor(folder, "", "run", "-c", str(config), **mail) as daemon:
            series = [
                f'monitor_probe_success{{system="shop",check="{check}",kind="http"}}' for check in ("site", "health")
            ]
            await until(lambda: _all_seen(daemon, series), "all up")
            up = [await daemon.shows(one) for one in series]
            made.status = 502
            await until(lambda: len(mailbox.got) > 1, "a page")
            firing = await daemon.shows(
                'monitor_alert{system="shop",check="site",alert="down",severity="critical",state="firing",series=""}'
            )
        bodies = [str(body.get_content()) for mail_ in mailbox.got if (body := mail_.get_body(("plain",)))]
    return Hour(written, bodies, up, firing)


async def _all_seen(daemon: Monitor, series: list[str]) -> bool:
    return all([await daemon.shows(one) is not None for one in series])


@pytest.mark.story(tell=first_hour)
def test_a_stranger_is_paged_about_his_own_product(told: Hour) -> None:
    assert told.written.status == 0
    assert "sent a test through oncall: did you see it?" in told.written.out
    assert told.up == [1, 1]
    test, page, *_ = told.mails
    assert "Did you see this?" in test
    assert "got 502" in page
    assert "Write here what to do." in page
    assert told.firing == 1


async def test_what_is_suggested_for_nginx_is_up(tmp_path: Path) -> None:
    port = free_port()
    async with nginx(tmp_path, port):
        config = str(tmp_path / "config")
        written = await command(tmp_path, "init", f"localhost:{port}", "-c", config, "--samples", "3")
        checked = await command(tmp_path, "check", "-c", config)
    assert (written.status, written.err) == (0, "")
    assert checked.status == 0
    assert checked.out.startswith("up      localhost/site ")


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Where tests run in the background, a shell has told all that it starts to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
async def test_control_c_leaves_nothing_behind(tmp_path: Path) -> None:
    """In the middle of a look at somebody who never answers."""
    async with tcp_peer(silence) as peer:
        config = tmp_path / "config"
        asked = Monitor(tmp_path, "", "init", f"127.0.0.1:{peer.port}", "-c", str(config))
        await asked.spawn()
        await peer.heard.wait()
        asked.signal(signal.SIGINT)
        assert await asked.ended() == 1
    assert asked.strange == ["Stopped. Nothing was written."]
    assert not config.exists()


async def test_on_a_terminal_it_asks_and_notes_the_answer(tmp_path: Path) -> None:
    """A real one, with the progress drawn on it."""
    ours, theirs = os.openpty()
    async with mails() as mailbox, product() as made:
        mail = {"SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}", "ONCALL_EMAIL": "oncall@example.com", "TERM": "xterm"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor", "init", made.url, "-c", str(tmp_path / "config"), "--samples", "5"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment(tmp_path, **mail),
            cwd=ROOT,
        )
        os.close(theirs)
        said = bytearray()

        def read() -> None:
            with suppress(OSError):
                said.extend(os.read(ours, 65_536))

        asyncio.get_running_loop().add_reader(ours, read)
        await until(lambda: b"did you see it? [y/N]" in said, "the question")
        os.write(ours, b"y\n")
        await until(lambda: process.returncode is not None or b"was seen." in said, "the answer's echo")
        assert await process.wait() == 0
        asyncio.get_running_loop().remove_reader(ours)
        os.close(ours)
    (file,) = (tmp_path / "config" / "systems").iterdir()
    assert file.read_text().endswith(": the test through oncall was seen.\n")
    assert b"sample 5 of 5" in said

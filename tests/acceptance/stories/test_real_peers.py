"""The process against peers that we did not write: nginx, an SMTP server, Prometheus; killed in mid-outage."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.acceptance.peers import until
from tests.acceptance.process import DELIVERED, Monitor, program, running
from tests.channels.peers import mails
from tests.peers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from email.message import EmailMessage
    from pathlib import Path

FILE = """
channels:
  oncall: {kind: email, to: [oncall@example.com], smtp: "${SMTP_URL}"}
systems:
  shop:
    title: The shop
    defaults: {every: 1s, timeout: 2s, retry: {every: 200ms}, down: {critical: 2}}
    checks:
      site: {url: "${SHOP_URL}/", title: Front page, expect: {body: the shop}, remedy: Start nginx.}
"""
NGINX = """
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 64; }}
http {{
    access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 'the shop'; }} }}
}}
"""
PROMETHEUS = """
global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: monitor, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]
"""


@asynccontextmanager
async def nginx(folder: Path, port: int) -> AsyncIterator[None]:
    """Serve the shop."""
    file = folder / "nginx.conf"
    file.write_text(NGINX.format(folder=folder, port=port))
    async with running(program("nginx", "nginx-light"), "-p", str(folder), "-c", str(file), "-e", "stderr"):
        yield


class Prometheus:
    """A Prometheus that scrapes the daemon each second."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}/api/v1/query"

    async def answers(self, query: str) -> list[str]:
        """Return the values that `query` yields now; nothing while it does not answer yet."""
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(self._address, params={"query": query}) as answer,
            ):
                said = await answer.json()
        except aiohttp.ClientError:
            return []
        return [result["value"][1] for result in said["data"]["result"]]

    async def says(self, query: str, *values: str) -> None:
        """Return when `query` yields exactly `values`."""

        async def so() -> bool:
            return await self.answers(query) == [*values]

        await until(so, f"{query}: {values}")


@asynccontextmanager
async def prometheus(folder: Path, target: int) -> AsyncIterator[Prometheus]:
    """Scrape what listens on the port `target`."""
    file, port = folder / "prometheus.yml", free_port()
    file.write_text(PROMETHEUS.format(port=target))
    options = (f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}")
    async with running(program("prometheus", "prometheus"), f"--config.file={file}", *options):
        yield Prometheus(port)


async def stop_and_start(folder: Path) -> list[EmailMessage]:
    """Stop nginx; when the mail is there kill the daemon, start nginx, start the daemon; return the mails."""
    shop, listen = free_port(), free_port()
    variables = {"SHOP_URL": f"http://127.0.0.1:{shop}", "MONITOR_LISTEN": f"127.0.0.1:{listen}"}
    firing = 'monitor_alert{alert="down",state="firing"}'
    async with mails() as mailbox, prometheus(folder, listen) as scraping:
        daemon = Monitor(folder, FILE, SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}", **variables)
        async with nginx(folder, shop):
            await daemon.start()
            await scraping.says('monitor_probe_success{system="shop",check="site"}', "1")
            await scraping.says(firing)
        await until(lambda: mailbox.got, "a mail")
        await scraping.says(firing, "1")
        await scraping.says("monitor_probe_success", "0")
        await until(lambda: daemon.stored(DELIVERED), "the delivery in the store")
        await daemon.kill()
        async with nginx(folder, shop), daemon:
            await until(lambda: len(mailbox.got) > 1, "a second mail")
            await scraping.says("monitor_probe_success", "1")
            await scraping.says(firing)
        return mailbox.got


@pytest.mark.story(tell=stop_and_start)
def test_nginx_stops_and_is_started_while_the_monitor_is_dead(told: list[EmailMessage]) -> None:
    """Prometheus saw success, the alert, and its end; the mailbox has the page and its end, as one thread."""
    page, over = told
    assert page["References"] == over["References"]
    said = [str(body.get_content()) for mail in told if (body := mail.get_body(("plain",)))]
    assert "refused" in said[0]
    assert "Start nginx." in said[0]
    assert "Resolved after" in said[1]

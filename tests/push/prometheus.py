"""A real Prometheus that takes what is pushed and scrapes what it is told to."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp

from monitor.model import labels
from tests.acceptance.peers import until
from tests.acceptance.process import program, running
from tests.peers import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from monitor.model import Labels

SCRAPES = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs: [{{job_name: scraped, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]
"""
PUSHED = '{__name__=~".+",job=""}'
SCRAPED = '{__name__=~"monitor_.+|process_.+|python_.+",job="scraped"}'


class Prometheus:
    """What a Prometheus knows at this moment."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.write = f"{self.url}/api/v1/write"

    async def knows(self, query: str) -> dict[Labels, float]:
        """Return the series that `query` yields and their values, without the labels that name their origin."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}/api/v1/query", params={"query": query}) as answer,
        ):
            said = await answer.json()
        found = said["data"]["result"]
        series = [
            {name: value for name, value in one["metric"].items() if name not in {"job", "instance"}} for one in found
        ]
        known = {labels(one): float(result["value"][1]) for one, result in zip(series, found, strict=True)}
        assert len(known) == len(found)
        return known

    async def ready(self) -> bool:
        """Return whether it takes what is sent."""
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/-/ready") as answer:
                return answer.ok
        except aiohttp.ClientError:
            return False


@asynccontextmanager
async def prometheus(folder: Path, target: int, rules: str = "") -> AsyncIterator[Prometheus]:
    """Run one that scrapes the port `target`, judges by the file `rules`, and is ready."""
    file, port = folder / "prometheus.yml", free_port()
    file.write_text(SCRAPES.format(port=target, rules=rules))
    options = (
        f"--config.file={file}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
    )
    async with running(program("prometheus", "prometheus"), *options):
        made = Prometheus(port)
        await until(made.ready, "Prometheus")
        yield made

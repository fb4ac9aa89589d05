"""Held against a real Prometheus: what is pushed is what a scrape of the same moment finds, sample by sample."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from monitor.channels.posting import open_session
from monitor.clock import SystemClock
from monitor.metrics import Metrics
from monitor.model import CheckId, Measure, Reason, State, labels
from monitor.network import Resolver, TlsContexts
from monitor.push import REASONS, Pace, Pusher, Receiver
from monitor.secrets import Redactor, Secret
from tests.acceptance.peers import until
from tests.metrics.reading import plan, sample
from tests.push.decoding import bits
from tests.push.prometheus import PUSHED, SCRAPED, prometheus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from monitor.model import Labels

CHECKS = [CheckId("shop", f"check-{n}") for n in range(120)]
AWKWARD = CheckId("shop", 'with "quotes", a \\ and {braces} = 1, é \u2028')
VALUES = (math.inf, -math.inf, math.nan, 1e308, 5e-324, -0.0, 0.1, 2.0**53 + 2)


class Still:
    """A page that stands still between two looks: process metrics alone would differ from one moment to the next."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.parts: list[bytes] = []
        self.mine = b""

    def watched(self) -> Iterator[bytes]:
        yield from self.parts

    def own(self) -> bytes:
        return self.mine

    def look(self) -> dict[Labels, int]:
        """Show the metrics as they are now; return every series and the bits of its value."""
        self.parts, self.mine = [*self.metrics.watched()], self.metrics.own()
        families = text_string_to_metric_families(b"".join([*self.parts, self.mine]).decode())
        read = [one for family in families for one in family.samples]
        return exact({labels({"__name__": one.name, **_without_empty(one.labels)}): one.value for one in read})

    async def page(self, _request: web.Request) -> web.Response:
        return web.Response(body=b"".join([*self.parts, self.mine]), headers={"Content-Type": "text/plain"})


def _without_empty(given: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if value}


def exact(series: dict[Labels, float]) -> dict[Labels, int]:
    """Return the bits of each value: -0 is not 0, and NaN is itself."""
    return {key: bits(math.nan if math.isnan(value) else value) for key, value in series.items()}


@asynccontextmanager
async def served(still: Still) -> AsyncIterator[int]:
    """Serve the page; yields the port."""
    app = web.Application()
    app.router.add_get("/metrics", still.page)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@asynccontextmanager
async def pushing(still: Still, url: str) -> AsyncIterator[Pusher]:
    """Push what `still` shows, twice a second, until the block ends."""
    resolver = Resolver()
    async with open_session(resolver, TlsContexts(), keep=True) as session:
        receiver = Receiver(Secret(url), None, session, Redactor())
        pace = Pace(timedelta(seconds=0.5), lambda: 0.0)
        pusher = Pusher(still, "one", receiver, SystemClock(), still.metrics.remote_write(REASONS), pace)
        running = asyncio.create_task(pusher.run())
        yield pusher
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await pusher.close()
    await resolver.close()


def filled() -> Still:
    """Return a page of some thousand series, with every awkward name and value."""
    still = Still()
    for check in (*CHECKS, AWKWARD):
        still.metrics.watch(plan(check))
        still.metrics.sample(sample(State.UP, Measure("duration", 0.25), check=check))
    awkward = [Measure("phase", value, (("phase", f'{value}\\"\n é'),)) for value in VALUES]
    still.metrics.sample(sample(State.DOWN, *awkward, check=AWKWARD, reason=Reason.TIMEOUT))
    still.metrics.outbox.configure(["ops"])
    return still


async def test_what_is_pushed_is_what_a_scrape_finds(tmp_path: Path) -> None:
    """At first, after changes, after a series has vanished (which ends at once); in the end nothing is left of it."""
    still = filled()
    expected = still.look()
    assert len(expected) > 2_000

    async with served(still) as port, prometheus(tmp_path, port) as known:

        async def agree() -> bool:
            pushed, scraped = [exact(await known.knows(query)) for query in (PUSHED, SCRAPED)]
            return pushed == scraped == expected

        async with pushing(still, known.write):
            await until(agree, "the same from both")
            for check in CHECKS[:60]:
                still.metrics.sample(sample(State.UP, Measure("duration", 0.75), check=check))
            still.metrics.sample(sample(State.UNKNOWN, check=AWKWARD, reason=Reason.DNS))
            still.metrics.forget(CHECKS[60])
            before, expected = expected, still.look()
            gone = before.keys() - expected.keys()
            assert len(gone) > 20
            await until(agree, "the same from both, after changes")
            own = [line for line in still.mine.splitlines() if not line.startswith(b"#")]
            assert await known.knows('count({job="",instance="one"})') == {(): len(own)}
        assert await known.knows(PUSHED) == {}
        assert exact(await known.knows(SCRAPED)) == expected

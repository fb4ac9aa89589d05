"""Killed (-9) at every step of decide, commit, send and confirm: nothing is lost, and doubles carry the same key."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from monitor.model import EventKind
from monitor.store import open_store
from tests.acceptance import peers
from tests.acceptance.peers import Incident, until
from tests.acceptance.process import SITE, Monitor
from tests.peers import hangs_up, tcp_peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from monitor.model import Event
    from tests.acceptance.peers import Post, Receiver, Shop

PATIENT = SITE.replace("every: 200ms", "every: 60s")
SAMPLES = "SELECT * FROM samples"


def settled(daemon: Monitor) -> list[str]:
    return [result for (result,) in daemon.stored("SELECT result FROM notifications WHERE settled_at IS NOT NULL")]


async def test_a_count_of_failures_survives(shop: Shop, hook: Receiver, watching: Callable[..., Monitor]) -> None:
    """One failure, killed, one more failure: that makes two, and somebody is told."""
    shop.breaks()
    async with watching(PATIENT) as daemon:
        await until(lambda: daemon.stored("SELECT * FROM alerts"), "a pending alert in the store")
        await daemon.kill()
        assert not hook.posts
        await daemon.start()
        told = await hook.hears("firing")
        assert told.alerts[0]["labels"]["alertname"] == "down"
        assert await daemon.shows('monitor_probe_runs_total{system="shop",check="site"}') == 1


async def test_what_heals_while_nobody_looks_is_resolved_for_whoever_was_told(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """Told, killed, healed, started: the resolve is of the same incident, and the page is not repeated."""
    shop.breaks()
    async with watching() as daemon:
        told = await hook.hears("firing")
        await until(lambda: settled(daemon), "the delivery in the store")
        await daemon.kill()
        shop.heals()
        await daemon.start()
        over = await hook.hears("resolved")
    assert over.incidents == told.incidents
    assert len(hook.posts) == 2


async def test_what_was_perhaps_accepted_is_sent_again_under_its_key(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """The receiver has it, the daemon dies before the answer: it comes again as it was, whatever is owed besides."""
    shop.breaks()
    hook.open.clear()
    async with AsyncExitStack() as cart:
        port = (await cart.enter_async_context(tcp_peer(hangs_up))).port
        async with watching(f"{SITE}      cart: {{kind: tcp, host: 127.0.0.1, port: {port}}}\n") as daemon:
            await hook.hears("firing", "site")
            await cart.aclose()
            await until(lambda: len(daemon.stored("SELECT * FROM notifications")) == 2, "another one owed")
            await daemon.kill()
            hook.open.set()
            await daemon.start()
            await until(lambda: settled(daemon), "the delivery in the store")
    first, second = hook.posts[:2]
    assert first.key == second.key != ""
    assert first.payload == second.payload


async def test_what_is_owed_is_delivered_after_the_restart(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """The receiver refuses, the daemon is killed: what it owed is delivered once the receiver takes it."""
    shop.breaks()
    hook.status = 503
    async with watching() as daemon:
        await hook.hears("firing")
        await until(lambda: daemon.stored("SELECT * FROM attempts WHERE result = 'retry'"), "the refusal in the store")
        await daemon.kill()
        refused = len(hook.posts)
        hook.status = 200
        await daemon.start()
        assert await until(lambda: settled(daemon), "the delivery in the store") == ["delivered"]
    assert len(hook.posts) == refused + 1
    assert len({post.key for post in hook.posts}) == 1


async def an_end_nobody_began_with(folder: Path) -> list[Post]:
    """Refuse the page and its end, and kill the daemon at both; return what the receiver took."""
    async with peers.shop() as shop, peers.receiver() as hook:
        shop.breaks()
        hook.status = 503
        async with Monitor(folder, SITE, SHOP_URL=shop.url, HOOK_URL=hook.url) as daemon:
            await hook.hears("firing")
            await daemon.kill()
            shop.heals()
            await daemon.start()
            await hook.hears("resolved")
            await daemon.kill()
            hook.status = 200
            await daemon.start()
            await until(lambda: len(settled(daemon)) == 2, "both settled in the store")
        return hook.taken


@pytest.mark.story(tell=an_end_nobody_began_with)
def test_who_heard_nothing_of_an_outage_is_told_so_at_its_end(told: list[Post]) -> None:
    """One message comes, and it tells the whole story."""
    (post,) = told
    assert post.alerts[0]["status"] == "resolved"
    assert "This is the first you hear of it" in post.alerts[0]["annotations"]["note"]


RESTLESS = """
channels: {hook: "${HOOK_URL}"}
flapping: {changes: 1000, within: 1s}
systems:
  shop:
    defaults: {every: 300ms, timeout: 2s, retry: {every: 100ms}, down: {critical: 2}}
    checks: {site: "${SHOP_URL}/"}
"""
KILLS = 10


@dataclass
class Kills:
    """What the receiver took and what the journal holds after many kills; what is left open or owed."""

    seed: int
    taken: list[Post]
    journal: list[Event]
    open: list[str]
    owed: list[str]


async def kills(folder: Path) -> Kills:
    """Break and heal the shop, refuse messages now and then, and kill the daemon at random moments."""
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    async with peers.shop() as shop, peers.receiver() as hook:
        daemon = Monitor(folder, RESTLESS, SHOP_URL=shop.url, HOOK_URL=hook.url)
        async with unrest(shop, hook, chance):
            for number in range(KILLS):
                await (daemon.spawn() if number % 5 == 0 else daemon.start())  # some die while they start
                await asyncio.sleep(chance.uniform(0, 4))
                await daemon.kill()
        async with daemon:
            # First it is seen to be well, then a restart ends the minute in which messages are collected.
            ran = len(daemon.stored(SAMPLES))
            await until(lambda: len(daemon.stored(SAMPLES)) > ran + 3, "more samples")
            await until(lambda: not daemon.stored("SELECT * FROM alerts"), "all well")
            await daemon.stop()
            await daemon.start()
            await until(
                lambda: not daemon.stored("SELECT * FROM notifications WHERE settled_at IS NULL"), "all settled"
            )
        store = await open_store(daemon.store)
        try:
            open_now = [str(alert.key) for alert in await store.alerts()]
            owed = [owed.notification.id for owed in await store.owed()]
            journal = await store.journal(peers.LONG_AGO, limit=100_000)
        finally:
            await store.close()
    return Kills(seed, hook.taken, journal, open_now, owed)


@asynccontextmanager
async def unrest(shop: Shop, hook: Receiver, chance: random.Random) -> AsyncIterator[None]:
    """Let things break and heal at random; well in the end."""

    async def flip() -> None:
        while True:
            shop.status, hook.status = chance.choice((200, 502)), chance.choice((200, 200, 200, 503))
            hook.delay = chance.choice((0, 0, 0.3))
            await asyncio.sleep(chance.uniform(0.5, 3))

    flipping = asyncio.create_task(flip())
    try:
        yield
    finally:
        flipping.cancel()
        await asyncio.gather(flipping, return_exceptions=True)
        shop.status, hook.status, hook.delay = 200, 200, 0


@pytest.mark.story(tell=kills)
def test_many_kills_at_random_moments_lose_nothing(told: Kills) -> None:
    """Every incident that was opened is told to its end, never told of after it, and told twice only under one key."""
    assert (told.open, told.owed) == ([], []), told.seed
    opened = {
        Incident(event.key.fingerprint, event.at.isoformat().replace("+00:00", "Z"))
        for event in told.journal
        if event.kind is EventKind.OPENED
    }
    keys: dict[tuple[Incident, str], set[str]] = defaultdict(set)
    first_heard_at_the_end = set()
    for post in told.taken:
        for incident, alert in zip(post.incidents, post.alerts, strict=True):
            status = alert["status"]
            again = post.key in keys[incident, status]
            assert status == "resolved" or again or not keys[incident, "resolved"], told.seed
            keys[incident, status].add(post.key)
            if "first you hear" in alert["annotations"].get("note", ""):
                first_heard_at_the_end.add(incident)
    assert opened
    assert {incident for incident, _ in keys} == opened, told.seed
    for incident in opened:
        assert len(keys[incident, "resolved"]) == 1, told.seed
        assert len(keys[incident, "firing"]) == 1 or incident in first_heard_at_the_end, told.seed

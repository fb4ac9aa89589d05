"""SIGTERM ends the daemon without losing a message; SIGHUP takes up a changed file, if it is without a fault."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

from tests.acceptance.peers import until
from tests.acceptance.process import DELIVERED, SITE
from tests.peers import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.acceptance.peers import Receiver, Shop
    from tests.acceptance.process import Monitor

RUNS = 'monitor_probe_runs_total{{system="shop",check="{}"}}'
RELOADED = "monitor_config_last_reload_successful"


async def test_sigterm_finishes_the_send_under_way_and_resolves_nothing(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """The receiver takes two seconds: its answer is waited for and kept; the alert stays open for the next start."""
    shop.breaks()
    hook.delay = 2
    async with watching() as daemon:
        await hook.hears("firing")
        asked, began = shop.asked, time.monotonic()
        assert await daemon.stop() == 0
        assert time.monotonic() - began < 8
        assert [post.answered for post in hook.posts] == [True]
        assert len(daemon.stored(DELIVERED)) == len(daemon.stored("SELECT * FROM alerts")) == 1
        assert shop.asked <= asked + 1
        assert not hook.said("resolved")
        assert daemon.log[-1]["event"] == "stopped"


async def test_sighup_takes_up_what_is_sound_and_disturbs_nothing_else(
    hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """A bad file changes nothing and says why; a good one adds a check, keeps one, and closes one that was firing."""
    cart = f"      cart: {{kind: tcp, host: 127.0.0.1, port: {free_port()}}}\n"
    async with watching(SITE + cart) as daemon:
        told = await hook.hears("firing", "cart")
        await until(lambda: daemon.stored(DELIVERED), "the delivery in the store")
        await daemon.stop()
        await daemon.start()  # which ends the minute in which messages are collected
        runs = RUNS.format("site")
        await until(lambda: daemon.stored("SELECT * FROM samples"), "a sample")

        daemon.file.write_text(SITE + cart + "      pay: {url: 'http://127.0.0.1:1/', evry: 1s}\n")
        daemon.signal(signal.SIGHUP)
        refused = await daemon.logs("reload_refused")
        line = (
            daemon.file.read_text()
            .splitlines()
            .index(next(t for t in daemon.file.read_text().splitlines() if "evry" in t))
        )
        assert f"{daemon.file.name}:{line + 1}" in refused["faults"][0]
        assert "evry" in refused["faults"][0]
        seen = daemon.read(await daemon.page())
        assert seen[RELOADED] == 0
        assert RUNS.format("cart") in seen
        assert RUNS.format("pay") not in seen
        await until(lambda: daemon.stored("SELECT * FROM samples"), "a sample")
        ran = seen[runs]

        daemon.file.write_text(SITE + "      pay: {url: '${SHOP_URL}/pay'}\n")
        daemon.signal(signal.SIGHUP)
        await daemon.logs("reloaded")
        removed = await hook.hears("resolved", "cart")
        assert removed.incidents == told.incidents
        assert "no longer in the configuration" in removed.alerts[0]["annotations"]["description"]

        async def runs_both() -> bool:
            seen = daemon.read(await daemon.page())
            return seen.get(RUNS.format("pay"), 0) >= 1 and seen[runs] > ran

        await until(runs_both, "a run of both")
        seen = daemon.read(await daemon.page())
        assert seen[RELOADED] == 1
        assert not [series for series in seen if 'check="cart"' in series]

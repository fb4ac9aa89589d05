"""Nothing that sends delays a probe, and no probe delays another.

What would delay one does so all the time; a busy machine does so now and then. So the pace must be right in one of a
few spans of time.
"""

from __future__ import annotations

import asyncio
import time
from operator import sub
from typing import TYPE_CHECKING

import pytest

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import SITE
from tests.peers import name_server, silence, tcp_peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.acceptance.peers import Receiver, Shop
    from tests.acceptance.process import Monitor

RUNS = 'monitor_probe_runs_total{{system="shop",check="{}"}}'
MISSED = 'monitor_probe_missed_runs_total{{system="shop",check="{}"}}'
SITE_RUNS = "SELECT at FROM samples JOIN checks ON check_id = id WHERE name = 'site' ORDER BY at"
LAG = "monitor_schedule_lag_seconds"
MICROSECONDS = 1_000_000
SPANS = 6

TWO_RECEIVERS = SITE.replace('{hook: "${HOOK_URL}"}', '{hook: "${HOOK_URL}", other: "${OTHER_URL}"}') + (
    "routes: [{severity: critical, notify: [hook, other]}]\n"
)


async def test_a_receiver_that_never_answers_delays_no_probe_and_no_other_receiver(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """It has the message and stays silent: probing keeps its pace, and the other channel has its message meanwhile."""
    hook.open.clear()
    shop.breaks()
    runs, missed = RUNS.format("site"), MISSED.format("site")
    async with peers.receiver() as other, watching(TWO_RECEIVERS, OTHER_URL=other.url) as daemon:
        await hook.hears("firing")
        shop.heals()
        await other.hears("firing")
        async for before, seen, passed in spans(daemon, 4):
            if seen[runs] - before[runs] >= passed - 1.1 and seen[missed] == before[missed]:
                break
        else:
            pytest.fail("it never kept its pace")
        assert seen['monitor_notifications_total{channel="hook"}'] == 0
        assert seen['monitor_notifications_total{channel="other"}'] == 1
        assert [post.answered for post in hook.posts] == [False]
        hook.open.set()


async def test_fifty_silent_targets_and_twenty_silent_names_cost_a_healthy_check_nothing(
    watching: Callable[..., Monitor],
) -> None:
    """It runs each second, and 99 of 100 runs of all 71 checks begin within 100 ms of their time."""
    async with tcp_peer(silence) as hole, name_server() as names:
        lost = [f"n{number}.example.com" for number in range(20)]
        names.silent.update(lost)
        holes = [f"      hole{n}: {{url: 'http://127.0.0.1:{hole.port}/', every: 2s}}\n" for n in range(50)]
        dead = [
            f"      name{n}: {{kind: dns, name: {name}, nameservers: ['{names.address}'], every: 2s}}\n"
            for n, name in enumerate(lost)
        ]
        # All of them are on one host here, and the limit of a host is no fault.
        text = SITE.replace("timeout: 2s", "timeout: 3s") + "".join([*holes, *dead]) + "limits: {per_host: 100}\n"
        async with watching(text) as daemon:
            await until(lambda: hole.open >= 50, "every hole entered")
            await names.hears(*lost)
            async for before, after, passed in spans(daemon, 8):
                begun = after[f"{LAG}_count"] - before[f"{LAG}_count"]
                in_time = after[f'{LAG}_bucket{{le="0.1"}}'] - before[f'{LAG}_bucket{{le="0.1"}}']
                assert after["monitor_probes_in_flight"] >= 35
                assert begun > 100
                if in_time / begun >= 0.99 and await even(daemon, passed):
                    break
            else:
                pytest.fail("it was never in time")


async def spans(daemon: Monitor, seconds: float) -> AsyncIterator[tuple[dict[str, float], dict[str, float], float]]:
    """Yield the series at the beginning and at the end of a span of time, and how long it was; a few times."""
    for _ in range(SPANS):
        before, began = daemon.read(await daemon.page()), time.monotonic()
        await asyncio.sleep(seconds)
        yield before, daemon.read(await daemon.page()), time.monotonic() - began


async def even(daemon: Monitor, seconds: float) -> bool:
    """Return whether the healthy check ran each second for the last `seconds`."""
    runs = [at for (at,) in daemon.stored(SITE_RUNS)]
    await until(lambda: len(daemon.stored(SITE_RUNS)) > len(runs), "the newest samples stored")
    stored = [at for (at,) in daemon.stored(SITE_RUNS)]
    newest = [at for at in stored if at > stored[-1] - seconds * MICROSECONDS]
    return len(newest) >= seconds - 1 and max(map(sub, newest[1:], newest)) < 1.5 * MICROSECONDS

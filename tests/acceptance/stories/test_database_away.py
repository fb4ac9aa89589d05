"""The database goes away in every way it can, while a shop fails before, meanwhile and after: nothing is lost."""

from __future__ import annotations

import signal
import socket
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import SITE, Monitor
from tests.postgres import CONNECTIONS, cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.acceptance.peers import Post
    from tests.postgres import Cluster

    Outage = Callable[[Cluster], AbstractContextManager[None]]

RUNS = "monitor_probe_runs_total"
TWO = SITE.replace("      site: ", '      cart: {url: "${CART_URL}/", title: Cart}\n      site: ')


@contextmanager
def refused(server: Cluster) -> Iterator[None]:
    server.stop()
    yield
    server.start()


@contextmanager
def crashed(server: Cluster) -> Iterator[None]:
    """In the midst of whatever transaction there is."""
    server.stop(signal.SIGQUIT)
    yield
    server.start()


@contextmanager
def silent(server: Cluster) -> Iterator[None]:
    server.pause()
    yield
    server.resume()


@contextmanager
def read_only(server: Cluster) -> Iterator[None]:
    server.psql("ALTER SYSTEM SET default_transaction_read_only = on")
    server.psql("SELECT pg_reload_conf()")
    yield
    server.psql("ALTER SYSTEM RESET default_transaction_read_only", options="-c default_transaction_read_only=off")
    server.psql("SELECT pg_reload_conf()")


@contextmanager
def locked(server: Cluster) -> Iterator[None]:
    """Let somebody hold what every write needs, so that each is answered too late."""
    with server.session() as say:
        say("BEGIN; LOCK TABLE leases, samples, alerts IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def full(server: Cluster) -> Iterator[None]:
    """Take every connection there is, those of the daemon too, with clients that never say who they are."""
    hello = b"\x00\x03\x00\x00user\x00monitor\x00database\x00postgres\x00\x00"
    with server.session() as say, ExitStack() as clients:
        for _ in range(2):
            for _ in range(CONNECTIONS):
                client = clients.enter_context(socket.create_connection(("127.0.0.1", server.port)))
                client.sendall((len(hello) + 4).to_bytes(4, "big") + hello)
            say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'runbook-monitor'")
        yield


OUTAGES: dict[str, Outage] = {
    "refused": refused,
    "crashed": crashed,
    "silent": silent,
    "read-only": read_only,
    "locked": locked,
    "full": full,
}


@dataclass
class Ledger:
    """What was told, what the store holds in the end, and how many runs there were."""

    posts: list[Post]
    samples: int
    runs: float
    unsettled: str

    def said(self, check: str) -> list[str]:
        """Return what was told of `check`, in order."""
        alerts = [alert for post in self.posts for alert in post.alerts]
        return [alert["status"] for alert in alerts if alert["labels"]["check"] == check]


async def started_without(folder: Path) -> Ledger:
    """Start while the database cannot be reached, and let it come after a fault was seen.

    It stands first in this file, so that it begins first: it is the one that takes longest.
    """
    with cluster() as server:
        async with peers.shop() as shop, peers.receiver() as hook:
            variables = {"SHOP_URL": shop.url, "HOOK_URL": hook.url, "MONITOR_DATABASE_URL": server.dsn()}
            shop.breaks()
            with refused(server):
                daemon = Monitor(folder, SITE, **variables)
                await daemon.spawn()
                told = await hook.hears("firing", within=120)
                assert "Possibly repeated" in told.alerts[0]["annotations"]["note"]
            await daemon.logs("store_available", within=60)
            daemon.url = (await daemon.logs("watching"))["listen"]
            shop.heals()
            await hook.hears("resolved", within=120)
            runs = [value for series, value in daemon.read(await daemon.page()).items() if RUNS in series]
            await daemon.stop()
            assert not [line for line in daemon.log if "exception" in line]
            samples = int(server.psql("SELECT count(*) FROM samples"))
            unsettled = server.psql("SELECT count(*) FROM notifications WHERE settled_at IS NULL")
    return Ledger(hook.taken, samples, sum(runs), unsettled)


@pytest.mark.story(tell=started_without)
def test_a_start_without_the_database_pages_after_a_minute_and_is_written_down_later(told: Ledger) -> None:
    """Nobody else may be watching; what was found meanwhile is in the store afterwards."""
    assert told.said("site") == ["firing", "resolved"]
    assert told.samples >= told.runs
    assert told.unsettled == "0"


async def ledger_of(how: Outage, folder: Path) -> Ledger:
    """Break the shop before the database goes, heal it meanwhile; break the cart meanwhile, heal it afterwards."""
    with cluster() as server:
        async with peers.shop() as shop, peers.shop() as cart, peers.receiver() as hook:
            variables = {"SHOP_URL": shop.url, "CART_URL": cart.url, "HOOK_URL": hook.url}
            async with Monitor(folder, TWO, **variables, MONITOR_DATABASE_URL=server.dsn()) as daemon:
                shop.breaks()
                await hook.hears("firing", "site")
                with how(server):
                    cart.breaks()
                    await daemon.logs("store_unavailable")
                    await hook.hears("firing", "cart", within=90)
                    shop.heals()
                    healed = shop.asked
                    await until(lambda: shop.asked > healed + 3, "three more looks at the shop")
                await daemon.logs("store_available", within=60)
                cart.heals()
                await hook.hears("resolved", "site", within=120)
                await hook.hears("resolved", "cart", within=120)
                runs = [value for series, value in daemon.read(await daemon.page()).items() if RUNS in series]
                await daemon.stop()
            samples = int(server.psql("SELECT count(*) FROM samples"))
            unsettled = server.psql("SELECT count(*) FROM notifications WHERE settled_at IS NULL")
    return Ledger(hook.taken, samples, sum(runs), unsettled)


STORIES = [
    pytest.param(name, marks=pytest.mark.story(tell=partial(ledger_of, how)), id=name) for name, how in OUTAGES.items()
]


@pytest.mark.parametrize("name", STORIES)
def test_an_outage_of_the_database_loses_nothing_and_doubles_nothing(told: Ledger, name: str) -> None:
    """Each of the two outages has its page and its resolve, and every sample is there in the end."""
    assert told.said("site") == ["firing", "resolved"], name
    assert told.said("cart") == ["firing", "resolved"], name
    assert told.samples >= told.runs
    assert told.unsettled == "0"

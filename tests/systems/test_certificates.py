"""The certificates of all five systems, over real handshakes: time left, expired, of another name."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest

from monitor.model import Reason
from tests.systems.bench import bench
from tests.systems.capliquify import BACKEND, FRONTEND, MCP, CapLiquify
from tests.systems.ecomdash import API as ECOMDASH_API
from tests.systems.ecomdash import FRONTEND as ECOMDASH_FRONTEND
from tests.systems.ecomdash import EcomDash
from tests.systems.proof import CRITICAL, WARNING
from tests.systems.realstaging import API as STAGING_API
from tests.systems.realstaging import FRONTEND as STAGING_FRONTEND
from tests.systems.realstaging import RealStaging
from tests.systems.seedsource import ADMIN, AUTH, SeedSource
from tests.systems.tatame import SERVER, Tatame

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.peers import Authority
    from tests.systems.site import StandIn

DAY = timedelta(days=1)


class Watched(NamedTuple):
    """A host whose certificate a check watches."""

    id: str
    kind: Callable[[Authority], StandIn]
    host: str
    check: str


WATCHED = [
    Watched("SS-09", SeedSource, AUTH, "health"),
    Watched("SS-09", SeedSource, ADMIN, "frontend"),
    Watched("RS-21", RealStaging, STAGING_API, "api"),
    Watched("RS-21", RealStaging, STAGING_FRONTEND, "frontend"),
    Watched("CL-22", CapLiquify, BACKEND, "backend"),
    Watched("CL-22", CapLiquify, MCP, "mcp"),
    Watched("CL-22", CapLiquify, FRONTEND, "frontend"),
    Watched("TA-28", Tatame, SERVER, "server"),
    Watched("ED-26", EcomDash, ECOMDASH_API, "api"),
    Watched("ED-26", EcomDash, ECOMDASH_FRONTEND, "frontend"),
]
ALL = pytest.mark.parametrize("watched", [pytest.param(one, id=f"{one.id} {one.host}") for one in WATCHED])


@ALL
async def test_time_left(watched: Watched, authority: Authority) -> None:
    """30 days are quiet, 20 warn, 6 are critical, a new certificate ends it."""
    async with bench(watched.kind, authority) as running:
        site = running.stand_in.host(watched.host)
        site.shows_certificate(ends=30 * DAY)
        await running.run(watched.check, times=2)
        assert running.told() == []
        site.shows_certificate(ends=20 * DAY)
        await running.run(watched.check)
        running.assert_told(watched.check, WARNING, "certificate", "warning < 21d", "renew")
        site.shows_certificate(ends=6 * DAY)
        await running.run(watched.check)
        running.assert_told(watched.check, CRITICAL, "certificate", "critical < 7d", "renew")
        running.stand_in.heal()
        await running.run(watched.check)
        running.assert_resolved(watched.check, CRITICAL)


@ALL
@pytest.mark.parametrize("reason", [Reason.TLS_EXPIRED, Reason.TLS_INVALID])
async def test_not_valid(watched: Watched, reason: Reason, authority: Authority) -> None:
    """Expired or of another name: critical as an outage, with the remedy for that; its time left is held back."""
    async with bench(watched.kind, authority) as running:
        names, ends = ((), -DAY) if reason is Reason.TLS_EXPIRED else (("other.example.com",), 80 * DAY)
        running.stand_in.host(watched.host).shows_certificate(*names, ends=ends)
        await running.run(watched.check, times=3)
        remedy = running.plan(watched.check).remedy_for[reason][0]
        running.assert_told(watched.check, CRITICAL, ": down", f"{reason}: the certificate of {watched.host}", remedy)
        running.stand_in.heal()
        await running.run(watched.check, times=2)
        running.assert_resolved(watched.check, CRITICAL)


@pytest.mark.parametrize("kind", [SeedSource, RealStaging, CapLiquify, Tatame, EcomDash])
async def test_each_certificate_is_told_of_once(kind: Callable[[Authority], StandIn], authority: Authority) -> None:
    """However many checks ask a host, one alert says that its certificate ends soon."""
    async with bench(kind, authority) as running:
        hosts = {one.host for one in WATCHED if one.kind is kind}
        for host in hosts:
            running.stand_in.host(host).shows_certificate(ends=20 * DAY)
        await running.round(times=2)
        posts = [message.text for message in running.told() if message.channel == "hook"]
        assert sum(text.count("firing certificate ") for text in posts) == len(hosts)

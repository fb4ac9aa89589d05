"""Two hundred checks of Render, of five systems with keys of their own, on what one user may ask."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.model import CheckId, State
from monitor.probes import load_kind
from monitor.probes.base import observe
from monitor.schedule import Grid
from monitor.vendors import Accounts
from tests.fakes import START, FakeClock, ImpatientClock
from tests.systems.render_api import KEY, RenderApi

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from monitor.probes.base import Check, Resources

CHECKS, SYSTEMS, SERVICES = 200, 5, 200
MINUTE = timedelta(minutes=1)
EVERY, LASTS = 5 * MINUTE, 15 * MINUTE
OURS = 100
"""GETs a minute, of the 400 that the stand-in allows."""
ASPECTS: list[dict[str, Any]] = [
    {"look_at": ["deploys"]},
    {"look_at": ["instances"]},
    {"look_at": ["cpu", "memory"]},
    {"look_at": ["requests"]},
    {"look_at": ["events"]},
    {"logs": {}},
    {"domains": ["shop.example.dev"]},
    {"only": True},
]


def checks(api: RenderApi) -> Iterator[tuple[CheckId, Check]]:
    for number in range(CHECKS):
        system, aspect = number % SYSTEMS, ASPECTS[number // SYSTEMS % len(ASPECTS)]
        fields = {"services": [f"service-{number % SERVICES}"], "every": "5m", "api_key": f"{KEY}{system}", **aspect}
        name = CheckId(f"system-{system}", f"check-{number}")
        yield name, load_kind("render").model_validate({"kind": "render", "url": api.url, **fields})


def due(name: CheckId, begun: datetime, *, together: bool) -> Iterator[datetime]:
    """Yield when a check is due: as the schedule staggers it, or all of them at the same moments."""
    moment = begun if together else Grid.of(name, EVERY).after(begun)
    while moment < begun + LASTS:
        yield moment
        moment += EVERY


@pytest.mark.parametrize("together", [False, True], ids=["as scheduled", "all at once"])
async def test_two_hundred_checks_stay_within_our_share_and_none_starves(
    resources: Resources, *, together: bool
) -> None:
    """Nobody is refused, nobody is asked in vain, and whoever must wait has had his turn before the next is due."""
    clock = FakeClock(START)
    ours = ImpatientClock(clock)
    api = RenderApi("127.0.0.1", None, ours.now)
    paced = replace(resources, accounts=Accounts(ours))
    ran: dict[CheckId, int] = {}
    latest = timedelta()
    async with AsyncExitStack() as stack:
        await api.start(stack)
        fill(api)
        made = dict(checks(api))
        plan = sorted((at, name) for name in made for at in due(name, START, together=together))
        for at, name in plan:
            await clock.advance(max(at - ours.now(), timedelta()))
            sample = await observe(name, made[name], paced, clock)
            assert sample.state is State.UP, sample.detail
            ran[name] = ran.get(name, 0) + 1
            latest = max(latest, ours.now() - at)
    assert set(ran) == set(made)
    assert set(ran.values()) == {3}
    assert latest < EVERY
    times = list(api.times)
    busiest = max(sum(at <= each < at + MINUTE for each in times) for at in times)
    assert (OURS * 0.9 if together else OURS / 2) < busiest <= OURS


def fill(api: RenderApi) -> None:
    """Let there be services, and keys of one user."""
    api.keys = {f"{KEY}{system}" for system in range(SYSTEMS)}
    for number in range(SERVICES):
        name = f"service-{number}"
        api.has_service(name)
        for metric in ("cpu", "cpu-limit", "memory", "memory-limit"):
            api.measures(metric, name, 0.5)
        api.measures("http-requests", name, 1.0, "200")

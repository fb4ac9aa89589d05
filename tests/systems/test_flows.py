"""Flows of several steps: each step fails once, its page names it, and nothing is left behind."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import State
from tests.systems.bench import bench
from tests.systems.capliquify import ADMIN, STARTER, TENANT, CapLiquify
from tests.systems.proof import WARNING, Case, params, prove_down, prove_figure
from tests.systems.realstaging import CLIENT_SECRET, RealStaging

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.peers import Authority
    from tests.systems.bench import Bench

TOKENS = {
    "CAPLIQUIFY_FLOW_ADMIN_TOKEN": ADMIN,
    "CAPLIQUIFY_FLOW_TENANT_TOKEN": TENANT,
    "CAPLIQUIFY_FLOW_STARTER_TOKEN": STARTER,
}
CLIENT = {"REALSTAGING_FLOW_CLIENT_ID": "monitor", "REALSTAGING_FLOW_CLIENT_SECRET": CLIENT_SECRET}


@asynccontextmanager
async def capliquify(authority: Authority) -> AsyncIterator[Bench[CapLiquify]]:
    async with bench(CapLiquify, authority, **TOKENS) as running:
        running.stand_in.has_tenants()
        yield running


@asynccontextmanager
async def real_staging(authority: Authority) -> AsyncIterator[Bench[RealStaging]]:
    async with bench(RealStaging, authority, **CLIENT) as running:
        running.stand_in.has_users()
        yield running


@pytest.mark.parametrize(
    "case",
    params(
        Case("CL-12", "smoke", CapLiquify.cannot_make_tenants, WARNING, "create: expected status", "create_tenant"),
        Case("CL-12", "smoke", CapLiquify.finds_no_tenant, WARNING, "products: expected", "middleware"),
        Case(
            "CL-12", "smoke", CapLiquify.takes_forecasts_from_professionals, WARNING, "has lost ai_forecasting", "tier"
        ),
        Case(
            "CL-12",
            "smoke",
            CapLiquify.gives_forecasts_to_starters,
            WARNING,
            "what it has not paid for",
            "feature flags",
        ),
        Case("CL-12", "smoke", CapLiquify.offers_no_upgrade, WARNING, "starter: expected a body", "feature flags"),
        Case("CL-12", "smoke", CapLiquify.cannot_remove_tenants, WARNING, "something is left behind", "by hand"),
    ),
)
async def test_smoke(case: Case, authority: Authority) -> None:
    async with capliquify(authority) as running:
        stand_in = running.stand_in

        async def cross() -> None:
            case.fault(stand_in)

        async def end() -> None:
            stand_in.heal()
            stand_in.has_tenants()
            stand_in.backend.answers["DELETE", "/api/admin/tenants/9"] = stand_in._remover("9")

        await prove_down(running, "smoke", WARNING, cross, end, case.said, case.remedy)
        assert stand_in.tenants == {}


@pytest.mark.parametrize("seconds", [pytest.param(16, id="CL-13")])
async def test_slow_creation(seconds: int, authority: Authority) -> None:
    """14 s are expected; more than 15 s are told, with how long each step took."""
    async with capliquify(authority) as running:
        stand_in = running.stand_in

        async def takes(so_long: int) -> None:
            stand_in.takes = lambda: running.clock.skip(timedelta(seconds=so_long))

        await takes(14)
        assert (await running.run("smoke", times=2)).state is State.UP
        assert running.told() == []
        said = ("Took: create 16 s", "three times as long")
        await prove_figure(
            running, "smoke", "slow tenant creation", WARNING, lambda: takes(seconds), lambda: takes(3), *said
        )


@pytest.mark.parametrize(
    "case",
    params(
        Case("RS-20", "flow", RealStaging.refuses_the_test_account, WARNING, "token: expected status", "in Auth0"),
        Case("RS-20", "flow", RealStaging.cannot_presign, WARNING, "presign: expected status", "keys of B2"),
        Case("RS-20", "flow", RealStaging.bucket_refuses, WARNING, "upload: expected", "keys of B2"),
        Case("RS-20", "flow", RealStaging.takes_no_jobs, WARNING, "job: expected status 2xx, got 503", "the API's log"),
        Case(
            "RS-20",
            "flow",
            RealStaging.worker_stands_still,
            WARNING,
            "done: still not after 2 min",
            "jobs wait in Redis",
        ),
    ),
)
async def test_users_flow(case: Case, authority: Authority) -> None:
    async with real_staging(authority) as running:
        stand_in = running.stand_in

        async def cross() -> None:
            case.fault(stand_in)

        async def end() -> None:
            stand_in.heal()
            stand_in.has_users()

        await prove_down(running, "flow", WARNING, cross, end, case.said, case.remedy)
        assert stand_in.pictures
        assert stand_in.pictures[0].startswith(b"\x89PNG")
        assert stand_in.images == {}


@pytest.mark.parametrize("figure", [pytest.param("2 min", id="RS-20 in time")])
async def test_users_flow_in_time(figure: str, authority: Authority) -> None:
    """Two minutes for the whole of it."""
    async with real_staging(authority) as running:
        stand_in = running.stand_in
        presign = stand_in._presign

        async def takes(so_long: int) -> None:
            def slow(headers: object, body: bytes) -> object:
                running.clock.skip(timedelta(seconds=so_long))
                return presign(headers, body)  # type: ignore[arg-type]

            stand_in.api.answers["POST", "/api/v1/uploads/presign"] = slow  # type: ignore[assignment]

        await prove_figure(running, "flow", "slow flow", WARNING, lambda: takes(125), lambda: takes(1), figure)


@pytest.mark.parametrize(
    "system", [pytest.param(CapLiquify, id="CL-12 off"), pytest.param(RealStaging, id="RS-20 off")]
)
async def test_off_without_credentials(system: type[CapLiquify | RealStaging], authority: Authority) -> None:
    async with bench(system, authority) as running:
        skipped = {each.name: each.reason for each in running.config.skipped}
        name = "smoke" if system is CapLiquify else "flow"
        assert "is not set" in skipped[f"{running.stand_in.name}/{name}"]

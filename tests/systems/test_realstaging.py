"""Real Staging AI: every line of its runbook that HTTP can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.systems.bench import bench
from tests.systems.proof import CRITICAL, WARNING, Case, params, prove
from tests.systems.realstaging import TOKEN, RealStaging
from tests.systems.site import says_json

if TYPE_CHECKING:
    from tests.peers import Authority

CASES = params(
    Case("RS-01", "api", RealStaging.stops, CRITICAL, "Render reaches no instance", "previous deployment"),
    Case("RS-01", "api", RealStaging.is_parked, CRITICAL, 'without "<html"', "golang-migrate"),
    Case("RS-12", "auth0-discovery", RealStaging.tenant_is_gone, CRITICAL, "got 404", "Nobody can log in"),
    Case(
        "RS-12",
        "auth0-discovery",
        RealStaging.tenant_is_another,
        CRITICAL,
        "other.us.auth0.com",
        "compare AUTH0_DOMAIN",
    ),
    Case("RS-12", "auth0-keys", RealStaging.has_no_keys, CRITICAL, "length(keys) >= 1, got 0", "Nobody can log in"),
    Case("RS-12", "auth0-keys", RealStaging.answers_no_key_set, CRITICAL, "length(keys)", "Nobody can log in"),
    Case(
        "RS-13",
        "replicate-account",
        RealStaging.rotates_its_token,
        WARNING,
        "token is not valid",
        "REPLICATE_API_TOKEN",
    ),
    Case("RS-13", "replicate-model", RealStaging.loses_the_model, WARNING, "the model is gone", "replicatestatus.com"),
    Case("RS-16", "https-redirect", RealStaging.serves_without_tls, WARNING, "answers without TLS", "in the clear"),
    Case("RS-16", "https-redirect", RealStaging.redirects_in_the_clear, WARNING, "www.real-staging.ai", "in the clear"),
    Case(
        "RS-16", "headers", RealStaging.loses_hsts, WARNING, "Strict-Transport-Security to be there", "API's middleware"
    ),
    Case("RS-16", "headers", RealStaging.switches_hsts_off, WARNING, "max-age > 0", "API's middleware"),
    Case("RS-16", "headers", RealStaging.loses_nosniff, WARNING, "X-Content-Type-Options", "API's middleware"),
    Case("RS-16", "headers", RealStaging.may_be_framed, WARNING, "X-Frame-Options", "API's middleware"),
    Case("RS-16", "cors-frontend", RealStaging.forgets_its_front_end, WARNING, "got 400", "front end's address"),
    Case("RS-16", "cors-foreign", RealStaging.allows_every_origin, WARNING, "foreign.example", "Any web page may call"),
)


@pytest.mark.parametrize("case", CASES)
async def test_requirement(case: Case, authority: Authority) -> None:
    """Told to the right people with the remedy when it fails, and to them again when it is over."""
    await prove(RealStaging, authority, case)


async def test_an_api_that_is_down_is_one_page(authority: Authority) -> None:
    """Its headers and origins fail with it, and nobody hears of them."""
    async with bench(RealStaging, authority) as running:
        await running.round()
        running.stand_in.stops()
        await running.round(times=4)
        running.assert_told("api", CRITICAL, "API: down")


async def test_the_token_is_in_no_message(authority: Authority) -> None:
    """RS-13: not even where Replicate repeats it."""
    async with bench(RealStaging, authority) as running:
        running.stand_in.replicate.instead = says_json({"username": None, "repeated": TOKEN}, 500)
        sample = await running.run("replicate-account", times=3)
        assert "got 500" in sample.detail
        told = running.told()
        assert told
        assert [message for message in told if TOKEN in message.text] == []

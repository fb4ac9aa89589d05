"""EcomDash: every line of its runbook that HTTP can answer."""

from __future__ import annotations

import ssl
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import State
from tests.systems.bench import bench
from tests.systems.ecomdash import EcomDash
from tests.systems.proof import CRITICAL, WARNING, Case, params, prove

if TYPE_CHECKING:
    from tests.peers import Authority

CASES = params(
    Case("ED-01", "api", EcomDash.stops, CRITICAL, "Render reaches no instance", "render logs ecomdash-api"),
    Case("ED-01", "api", EcomDash.runs_as_staging, CRITICAL, 'got "staging"', "variables of another environment"),
    Case("ED-01", "api", EcomDash.tells_no_version, CRITICAL, "expected version", "render deploys list"),
    Case(
        "ED-02",
        "ready",
        EcomDash.loses_its_database,
        CRITICAL,
        "password authentication failed",
        "link the database again",
    ),
    *(
        Case("ED-16", check, fault, CRITICAL, said, remedy)
        for check in ("webhook-uninstalled", "webhook-shop-redact", "webhook-data-request", "webhook-customer-redact")
        for fault, said, remedy in (
            (EcomDash.trusts_every_webhook, "a wrong signature was accepted", "can delete it"),
            (EcomDash.crashes_on_webhooks, "fails instead of refusing", "It must be 401"),
            (EcomDash.refuses_webhooks_in_another_way, "expected status 401", "It must be 401"),
            (EcomDash.forgets_its_webhooks, "route is not registered", "Partners Dashboard"),
        )
    ),
    Case("ED-18", "frontend", EcomDash.front_end_is_gone, CRITICAL, "got 404", "newest build of ecomdash-frontend"),
    Case("ED-18", "frontend", EcomDash.front_end_is_no_page, CRITICAL, "application/json", "newest build"),
    Case("ED-19", "cors-wildcard", EcomDash.allows_every_origin, CRITICAL, 'got "*"', "It must never hold"),
    Case("ED-19", "cors-shopify", EcomDash.forgets_shopify, WARNING, "got 400", "It must list this origin"),
    Case("ED-19", "cors-frontend", EcomDash.forgets_its_front_end, WARNING, "got 400", "It must list this origin"),
    Case(
        "ED-19", "cors-foreign", EcomDash.allows_a_stranger, WARNING, "foreign.example", "An origin that nobody listed"
    ),
)


@pytest.mark.parametrize("case", CASES)
async def test_requirement(case: Case, authority: Authority) -> None:
    """Told to the right people with the remedy when it fails, and to them again when it is over."""
    await prove(EcomDash, authority, case)


@pytest.mark.parametrize(
    ("oldest", "too_old"), [pytest.param(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_1, id="ED-26")]
)
async def test_tls_that_is_too_old(oldest: ssl.TLSVersion, too_old: ssl.TLSVersion, authority: Authority) -> None:
    """TLS 1.2 will do, 1.1 will not."""
    async with bench(EcomDash, authority) as running:
        running.stand_in.api.speaks_only(oldest)
        assert (await running.run("api")).state is State.UP
        running.stand_in.api.speaks_only(too_old)
        await running.run("api", times=3)
        running.assert_told("api", CRITICAL, "API: down", "render logs ecomdash-api")


@pytest.mark.parametrize("every", [pytest.param(timedelta(minutes=1), id="ED-01")])
async def test_every_minute_by_email_slack_and_sms(every: timedelta, authority: Authority) -> None:
    """The hook is what an SMS gateway listens to."""
    async with bench(EcomDash, authority) as running:
        assert running.plan("api").check.every == every
        running.stand_in.stops()
        await running.run("api", times=3)
        assert {message.channel for message in running.told()} == {"oncall", "ops", "hook"}


async def test_every_origin_allowed_is_one_page(authority: Authority) -> None:
    """ED-19: `*` is critical, and the warning of the stranger that it lets in is held back."""
    async with bench(EcomDash, authority) as running:
        await running.round()
        running.stand_in.allows_every_origin()
        await running.round(times=4)
        running.assert_told("cors-wildcard", CRITICAL, "Restriction to known origins")

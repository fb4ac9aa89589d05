"""Seed & Source: every line of its runbook that HTTP and DNS can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.systems.bench import bench
from tests.systems.proof import CRITICAL, WARNING, Case, params, prove
from tests.systems.seedsource import SeedSource

if TYPE_CHECKING:
    from tests.peers import Authority

UNHEALTHY = 'expected status to be "healthy", got "unhealthy"'
CASES = params(
    Case("SS-01", "health", SeedSource.hangs_up, CRITICAL, "closed the connection", "last traceback names the cause"),
    Case("SS-01", "health", SeedSource.license_server_is_sick, CRITICAL, UNHEALTHY, "last traceback names the cause"),
    Case(
        "SS-01", "health", SeedSource.stops, CRITICAL, "got 502 (nginx or Render reaches", "Roll back to the last good"
    ),
    Case(
        "SS-02",
        "root",
        SeedSource.nginx_serves_nothing,
        CRITICAL,
        "expected status 200 or 404, got 502",
        "newest start",
    ),
    Case("SS-02", "root", SeedSource.error_page_with_200, CRITICAL, "Service Unavailable", "newest start"),
    Case(
        "SS-03",
        "stripe-webhook",
        SeedSource.forgets_the_webhook_route,
        CRITICAL,
        "route is not registered",
        "nginx sends",
    ),
    Case("SS-03", "stripe-webhook", SeedSource.takes_no_post, CRITICAL, "the route takes no POST", "nginx sends"),
    Case("SS-03", "stripe-webhook", SeedSource.webhook_gateway, CRITICAL, "the service is down", "Read the traceback"),
    Case(
        "SS-03", "stripe-webhook", SeedSource.webhook_crashes, CRITICAL, "fails instead of refusing", "Read the traceb"
    ),
    Case("SS-03", "stripe-webhook", SeedSource.webhook_moves, CRITICAL, "a redirect to", "Stripe follows no redirect"),
    Case(
        "SS-03",
        "stripe-webhook",
        SeedSource.accepts_unsigned_events,
        CRITICAL,
        "unsigned event was accepted",
        "security hole",
    ),
    Case(
        "SS-04",
        "frontend",
        SeedSource.builds_no_front_end,
        CRITICAL,
        "expected the content type text/html",
        "build log",
    ),
    Case("SS-05", "admin-health", SeedSource.admin_host_goes_elsewhere, CRITICAL, "got 404", "second web service"),
    Case("SS-08", "dns", SeedSource.loses_its_cname, CRITICAL, "parking.example.net", "registrar of seedsource.dev"),
    Case(
        "SS-14", "cors-crash", SeedSource.middleware_crashes, CRITICAL, "the CORS middleware crashes", "read at import"
    ),
    Case("SS-14", "cors-admin", SeedSource.allows_no_admin, WARNING, "got 400", "CORS_ORIGINS must list this origin"),
    Case("SS-14", "cors-auth", SeedSource.allows_no_auth, WARNING, "got 400", "CORS_ORIGINS must list this origin"),
    Case(
        "SS-15", "admin-route", SeedSource.loses_jwt_secret, CRITICAL, "JWT_SECRET is missing", "openssl rand -hex 32"
    ),
    Case(
        "SS-15",
        "admin-route",
        SeedSource.opens_the_admin_route,
        CRITICAL,
        "answers without a token",
        "open to everybody",
    ),
    Case("SS-21", "payment-success", SeedSource.loses_the_success_page, WARNING, "got 404", "PAYMENT_SUCCESS_URL"),
    Case("SS-21", "payment-cancel", SeedSource.loses_the_cancel_page, WARNING, "got 404", "PAYMENT_CANCEL_URL"),
)


@pytest.mark.parametrize("case", CASES)
async def test_requirement(case: Case, authority: Authority) -> None:
    """Told to the right people with the remedy when it fails, and to them again when it is over."""
    await prove(SeedSource, authority, case)


async def test_a_container_that_is_down_is_one_page(authority: Authority) -> None:
    """Everything else that fails with it is explained by it and held back."""
    async with bench(SeedSource, authority) as running:
        await running.round()
        running.stand_in.stops()
        await running.round(times=4)
        running.assert_told("health", CRITICAL, "License server: down")


async def test_a_crash_of_the_middleware_is_told_as_what_it_is(authority: Authority) -> None:
    """Health is down too, but the page names the CORS middleware and its remedy."""
    async with bench(SeedSource, authority) as running:
        running.stand_in.middleware_crashes()
        await running.round(times=3)
        told = running.told()
        assert {message.channel for message in told} == {"ops", "oncall", "hook"}
        slack = " ".join(message.text for message in told if message.channel == "ops")
        assert "License server: down" in slack
        assert "read at import" in slack
        assert "Stripe webhook" not in slack


@pytest.mark.parametrize("check", [pytest.param("root", id="SS-02 no answer")])
async def test_no_answer_is_down_and_explained_by_health(check: str, authority: Authority) -> None:
    """No answer from `/` is critical; as the license server gives none either, that one page tells of both."""
    async with bench(SeedSource, authority) as running:
        running.stand_in.hangs_up()
        await running.run(check, times=3)
        assert running.told() == []
        await running.run("health", times=2)  # it was asked again already, when the other was about to page
        running.assert_told("health", CRITICAL, "License server: down", "closed the connection")

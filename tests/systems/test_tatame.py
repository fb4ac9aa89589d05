"""Tatame: every line of its runbook that HTTP can answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import State
from tests.systems.bench import bench
from tests.systems.proof import CRITICAL, INFO, WARNING, Case, params, prove
from tests.systems.site import Answer
from tests.systems.tatame import SECRET, Tatame

if TYPE_CHECKING:
    from tests.peers import Authority

SUBDOMAINS = "includeSubDomains to be true"
CASES = params(
    Case("TA-01", "server", Tatame.crashes, CRITICAL, "closed the connection", "why it ended"),
    Case("TA-01", "server", Tatame.stops, CRITICAL, "got 503", "railway logs"),
    Case(
        "TA-01", "server", Tatame.says_something_else, CRITICAL, 'equal to "OK", got "Welcome to Railway"', "git revert"
    ),
    Case("TA-11", "webhook", Tatame.crashes_on_every_event, CRITICAL, "fails instead of refusing", "Mend the handler"),
    Case("TA-11", "webhook", Tatame.loses_its_webhook_route, CRITICAL, "not registered", "lacks the route"),
    Case("TA-11", "webhook", Tatame.accepts_unsigned_events, CRITICAL, "anybody can forge", "security hole"),
    Case(
        "TA-11",
        "webhook-canary",
        Tatame.fails_to_store_events,
        CRITICAL,
        'while it processes events): "relation "stripe_webhook_events" does',
        "Mend the handler",
    ),
    Case("TA-11", "webhook-canary", Tatame.takes_old_events, CRITICAL, "can send it again", "security hole"),
    Case(
        "TA-04",
        "webhook-canary",
        Tatame.has_another_webhook_secret,
        CRITICAL,
        "its secret differs from ours; its clock agrees",
        "Compare STRIPE_WEBHOOK_SECRET",
    ),
    Case(
        "TA-04",
        "webhook-canary",
        Tatame.has_a_clock_ten_minutes_ahead,
        CRITICAL,
        "ahead of ours, so one of the two is wrong",
        "which of the two machines",
    ),
    Case("TA-21", "headers", Tatame.loses_nosniff, WARNING, "X-Content-Type-Options", "the middleware that sets them"),
    Case(
        "TA-21", "headers", Tatame.may_be_framed_by_itself, WARNING, 'got "SAMEORIGIN"', "the middleware that sets them"
    ),
    Case("TA-21", "headers", Tatame.shortens_hsts, WARNING, "max-age >= 31536000", "the middleware that sets them"),
    Case("TA-21", "headers", Tatame.leaves_subdomains_out, WARNING, SUBDOMAINS, "the middleware that sets them"),
    Case("TA-21", "header-xss", Tatame.loses_xss_protection, INFO, "X-XSS-Protection", "Only old browsers heed it"),
    Case("TA-21", "https-redirect", Tatame.serves_without_tls, WARNING, "answers without TLS", "Switch the redirect"),
    Case("TA-21", "cors-frontend", Tatame.forgets_its_front_end, WARNING, "localhost:3000", "CORS_ORIGIN must be"),
    Case("TA-21", "cors-foreign", Tatame.allows_every_origin, WARNING, 'got "*"', "Any web page may call"),
    Case("TA-21", "cors-foreign", Tatame.echoes_every_origin, WARNING, "foreign.example", "Any web page may call"),
)


@pytest.mark.parametrize("case", CASES)
async def test_requirement(case: Case, authority: Authority) -> None:
    """Told to the right people with the remedy when it fails, and to them again when it is over."""
    await prove(Tatame, authority, case)


@pytest.mark.parametrize(("deadline", "attempts"), [pytest.param(timedelta(seconds=30), 3, id="TA-01")])
async def test_patience(deadline: timedelta, attempts: int, authority: Authority) -> None:
    """The timeout and the attempts are those of the load balancer in the runbook."""
    async with bench(Tatame, authority) as running:
        plan = running.plan("server")
        assert plan.check.timeout == deadline
        assert plan.down[CRITICAL].breaches == attempts


@pytest.mark.parametrize("seconds", [pytest.param(1.05, id="TA-06")])
async def test_latency(seconds: float, authority: Authority) -> None:
    """p95 over a second warns, and ends when the slow answers have left the window; each exchange is real."""
    async with bench(Tatame, authority) as running:
        await running.run("server", times=22)
        running.stand_in.slows_down(seconds)
        assert (await running.run("server")).state is State.UP
        assert running.told() == []
        await running.run("server", times=2)
        running.assert_told("server", WARNING, "slow", "warning > 1s", "Over 70 % and 80 %")
        running.stand_in.heal()
        await running.run("server", times=31)
        running.assert_resolved("server", WARNING)


@pytest.mark.parametrize(
    ("check", "seconds"),
    [pytest.param("webhook", 1.05, id="TA-12"), pytest.param("webhook-canary", 1.05, id="TA-12 signed")],
)
async def test_webhook_latency(check: str, seconds: float, authority: Authority) -> None:
    """Over a second twice in a row warns, and ends when it is quick again; each exchange is real."""
    async with bench(Tatame, authority) as running:
        await running.run(check, times=2)
        running.stand_in.answers_webhooks_slowly(seconds)
        assert (await running.run(check)).state is State.UP
        assert running.told() == []
        await running.run(check)
        running.assert_told(check, WARNING, "slow", "warning > 1s", "Answered: ", "Let the handler answer at once")
        running.stand_in.heal()
        await running.run(check, times=3)
        running.assert_resolved(check, WARNING)


async def test_the_canary_is_marked_and_each_has_an_id_of_its_own(authority: Authority) -> None:
    """TA-04: so that the product's own counts can leave ours out."""
    async with bench(Tatame, authority) as running:
        await running.run("webhook-canary", times=3)
        receiver = running.stand_in.receiver
        assert {event["type"] for event in receiver.accepted} == {"monitor.canary"}
        assert len({event["id"] for event in receiver.accepted}) == 3
        assert all(event["id"].startswith("evt_monitor_canary_") for event in receiver.accepted)
        assert all(headers["User-Agent"].startswith("runbook-monitor/") for headers, _ in receiver.seen)


async def test_the_webhook_secret_is_in_no_message(authority: Authority) -> None:
    """Not even where the server repeats it."""
    async with bench(Tatame, authority) as running:
        running.stand_in.receiver.instead = Answer(500, f"cannot verify with {SECRET}")
        sample = await running.run("webhook-canary")
        assert "cannot verify with •••" in sample.detail
        told = running.told()
        assert told
        assert [message for message in told if "hunter2" in message.text] == []


async def test_a_server_that_is_down_is_one_page(authority: Authority) -> None:
    """Its headers and origins fail with it, and nobody hears of them."""
    async with bench(Tatame, authority) as running:
        await running.round()
        running.stand_in.stops()
        await running.round(times=4)
        running.assert_told("server", CRITICAL, "Server: down")

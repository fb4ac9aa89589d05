"""Tatame: every line of its runbook that HTTP can answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import State
from tests.systems.bench import bench
from tests.systems.proof import CRITICAL, INFO, WARNING, Case, params, prove
from tests.systems.tatame import Tatame

if TYPE_CHECKING:
    from tests.peers import Authority

SUBDOMAINS = "includeSubDomains to be true"
CASES = params(
    Case("TA-01", "server", Tatame.crashes, CRITICAL, "closed the connection", "why it ended"),
    Case("TA-01", "server", Tatame.stops, CRITICAL, "got 503", "railway logs"),
    Case(
        "TA-01", "server", Tatame.says_something_else, CRITICAL, 'equal to "OK", got "Welcome to Railway"', "git revert"
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


async def test_a_server_that_is_down_is_one_page(authority: Authority) -> None:
    """Its headers and origins fail with it, and nobody hears of them."""
    async with bench(Tatame, authority) as running:
        await running.round()
        running.stand_in.stops()
        await running.round(times=4)
        running.assert_told("server", CRITICAL, "Server: down")

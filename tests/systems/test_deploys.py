"""What follows a deploy of the systems: the protocol, the closer look, the reports; all with real probes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import Severity
from tests.systems.bench import bench
from tests.systems.capliquify import CapLiquify
from tests.systems.ecomdash import EcomDash
from tests.systems.seedsource import SeedSource
from tests.systems.tatame import Tatame

if TYPE_CHECKING:
    from tests.peers import Authority
    from tests.systems.bench import Bench, System

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
PROTOCOL = ["health", "root", "stripe-webhook", "frontend"]


def assert_reported(running: Bench[System], severity: Severity, *words: str) -> None:
    """Assert that exactly those who hear of that severity got one report, with these words."""
    told = running.told()
    assert sorted(message.channel for message in told) == running.hears("deploy", severity), told
    for message in told:
        for word in words:
            assert word in message.text, message.text


@pytest.mark.parametrize("steps", [pytest.param(PROTOCOL, id="SS-18 after a deploy")])
async def test_the_protocol_runs_by_itself(steps: list[str], authority: Authority) -> None:
    """In its order; nobody is told while all of it passes."""
    async with bench(SeedSource, authority) as running:
        await running.deploy()
        assert [sample.check.check for sample in running.kept][: len(steps)] == steps
        assert running.told() == []


@pytest.mark.parametrize("step", [pytest.param("stripe-webhook", id="SS-18 fails after a deploy")])
async def test_a_step_that_fails_is_told_at_once(step: str, authority: Authority) -> None:
    async with bench(SeedSource, authority) as running:
        running.stand_in.forgets_the_webhook_route()
        await running.deploy()
        title = running.plan(step).title
        assert_reported(
            running, Severity.WARNING, "deploy of 2", "that follow a deploy failed", f"{title}: down", "404"
        )


@pytest.mark.parametrize("seconds", [pytest.param(0.4, id="CL-17")])
async def test_an_hour_and_a_day_after_a_deploy(seconds: float, authority: Authority) -> None:
    """Fine after the hour; what got worse in the rest of the day is told at its end."""
    async with bench(CapLiquify, authority) as running:
        await running.run("backend", times=7)
        await running.deploy()
        assert running.quick == [("capliquify", running.rollouts._deploys["capliquify"][0].at + HOUR)]
        await running.run("backend", times=7)
        await running.later(HOUR)
        assert_reported(running, Severity.INFO, "Fine: after 1 h nothing got worse", "Back end")
        running.stand_in.slows_down(seconds)
        for _ in range(6):
            await running.run("backend")
            running.clock.skip(HOUR)
        assert running.told() == []
        await running.later(18 * HOUR)
        assert_reported(running, Severity.WARNING, "Worse after 1 d", "Back end: slow")


@pytest.mark.parametrize("minutes", [pytest.param(15, id="CL-17 rollback")])
async def test_a_quarter_of_an_hour_after_a_rollback(minutes: int, authority: Authority) -> None:
    async with bench(CapLiquify, authority) as running:
        await running.deploy()
        running.clock.skip(20 * MINUTE)
        at = running.clock.now()
        await running.rollouts.begin("capliquify", [("", "2", "1")], at)
        assert running.quick[-1] == ("capliquify", at + minutes * MINUTE)
        await running.later(minutes * MINUTE)
        assert_reported(running, Severity.INFO, "rollback to 1", "Fine: after 15 min")


@pytest.mark.parametrize("hours", [pytest.param(1, id="TA-25"), pytest.param(24, id="TA-29")])
async def test_tatame_is_reported_on(hours: int, authority: Authority) -> None:
    """Health after an hour, and again after the first day: worse, since it failed."""
    async with bench(Tatame, authority) as running:
        await running.run("server", times=6)
        await running.deploy()
        assert running.quick[-1][1] - running.clock.now() > HOUR - MINUTE
        await running.later(HOUR)
        assert_reported(running, Severity.INFO, "Fine: after 1 h")
        running.clock.skip((hours - 1) * HOUR / 2)
        running.stand_in.crashes()
        await running.run("server", times=2)
        running.stand_in.heal()
        await running.later(24 * HOUR)
        assert_reported(running, Severity.WARNING, "Worse after 1 d", "Server: ", "failed, before 0 of 6")


@pytest.mark.parametrize("version", [pytest.param("2.1.0", id="ED-30")])
async def test_ecomdash_is_seen_to_be_deployed_and_reported_on_after_a_day(version: str, authority: Authority) -> None:
    """By the version that its API says; with what went wrong in that day."""
    async with bench(EcomDash, authority) as running:
        await running.run("api", times=6)
        running.stand_in.runs(version)
        await running.run("api", times=4)
        await running.later(MINUTE)
        assert {"api", "ready", "frontend"} <= {sample.check.check for sample in running.kept}
        running.stand_in.stops()
        await running.run("api", times=2)
        running.stand_in.heal()
        running.stand_in.runs(version)
        await running.run("api", times=3)
        running.told()
        await running.later(24 * HOUR)
        assert_reported(running, Severity.WARNING, f"deploy of {version}", "Worse after 1 d", "API: 2 of")

"""What Render knows of the systems: every line of the runbooks that its API can answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from monitor.model import Reason, Severity, State
from tests.systems.bench import bench
from tests.systems.hosted import (
    HostedCapLiquify,
    HostedEcomDash,
    HostedRealStaging,
    HostedSeedSource,
    HostedTatame,
)
from tests.systems.proof import CRITICAL, WARNING, prove_figure
from tests.systems.render_api import KEY, VALUE, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.peers import Authority

SeedSource, RealStaging, CapLiquify = HostedSeedSource, HostedRealStaging, HostedCapLiquify
Tatame, EcomDash = HostedTatame, HostedEcomDash
REMINDER = timedelta(minutes=30)


class Crossing(NamedTuple):
    """One requirement whose figure is crossed, and by what: which threshold sees it, and words of the message."""

    id: str
    kind: Callable[[Authority], Any]
    check: str
    threshold: str
    fault: Callable[[Any], None]
    severity: Severity
    said: str
    remedy: str


CROSSINGS = [
    Crossing("SS-10", SeedSource, "render-services", "other service", SeedSource.gets_a_second_service, WARNING,
             "there is also license-server-rails (web_service)", "delete the service that the message names"),
    Crossing("SS-11", SeedSource, "render-deploy", "failed", SeedSource.fails_to_build, CRITICAL,
             "the build failed", "What served before still does"),
    Crossing("SS-11", SeedSource, "render-deploy", "failed", SeedSource.fails_to_migrate, CRITICAL,
             "the pre-deploy command failed, which is where migrations run", "neondb_owner"),
    Crossing("SS-11", SeedSource, "render-deploy", "failed", SeedSource.fails_to_start, CRITICAL,
             "the previous version still serves: dep-", "did not become healthy"),
    Crossing("SS-19", SeedSource, "render-variables", "missing", SeedSource.loses_a_variable, CRITICAL,
             "internal-admin lacks JWT_SECRET", "Section 4 says where each one comes from"),
    Crossing("SS-19", SeedSource, "render-variables", "missing", SeedSource.empties_a_variable, CRITICAL,
             "internal-admin lacks CORS_ORIGINS", "deploy by hand"),
    Crossing("SS-20", SeedSource, "render-domain", "not verified", SeedSource.has_its_domain_unverified, CRITICAL,
             "auth.seedsource.dev is not verified", "must be a CNAME"),
    Crossing("SS-20", SeedSource, "render-domain", "not verified", SeedSource.loses_its_domain, CRITICAL,
             "auth.seedsource.dev belongs to no service", "Add it to internal-admin"),
    Crossing("RS-10", RealStaging, "render-logs", "critical lines", RealStaging.logs_a_critical_line, CRITICAL,
             "1 × critical", "with the filter"),
    Crossing("RS-10", RealStaging, "render-logs", "error lines", RealStaging.logs_eleven_errors, WARNING,
             "11 × error", "with the filter"),
    Crossing("RS-14", RealStaging, "render-costs", "over budget", RealStaging.takes_a_larger_plan, WARNING,
             "realstaging-worker 25 (expected 7)", "Take it back"),
    Crossing("RS-14", RealStaging, "render-costs", "over budget", RealStaging.leaves_a_service_behind, WARNING,
             "realstaging-migrations 14 (not expected)", "Delete it in Render"),
    Crossing("CL-23", CapLiquify, "render-deploys", "failed", CapLiquify.fails_to_deploy_its_back_end, CRITICAL,
             "backend: the new version did not start", "its previous version still serves"),
    Crossing("CL-23", CapLiquify, "render-deploys", "failed", CapLiquify.fails_to_deploy_its_front_end, CRITICAL,
             "frontend: the build failed", "push to main"),
    Crossing("CL-27", CapLiquify, "render-variables", "missing", CapLiquify.loses_a_variable, CRITICAL,
             "backend lacks ENCRYPTION_KEY", "a new one cannot read them"),
    Crossing("ED-20", EcomDash, "render-services", "missing", EcomDash.loses_its_redis, CRITICAL,
             "Render has no ecomdash-redis", "Apply the blueprint again"),
    Crossing("ED-20", EcomDash, "render-services", "missing", EcomDash.loses_its_worker, CRITICAL,
             "Render has no ecomdash-worker", "Apply the blueprint again"),
    Crossing("ED-20", EcomDash, "render-services", "failed deploy", EcomDash.fails_to_build, CRITICAL,
             "ecomdash-frontend: the build failed", "render deploys list"),
    Crossing("ED-29", EcomDash, "render-costs", "over budget", EcomDash.takes_the_standard_plan, WARNING,
             "ecomdash-api 25 (expected 7)", "ECOMDASH_RENDER_BUDGET"),
    Crossing("ED-34", EcomDash, "render-variables", "missing", EcomDash.unlinks_its_secrets, CRITICAL,
             "worker lacks OPENAI_API_KEY, SHOPIFY_API_KEY, SHOPIFY_API_SECRET", "ecomdash-secrets"),
]  # fmt: skip


@pytest.mark.parametrize("case", CROSSINGS, ids=lambda case: f"{case.id} {case.check} {case.fault.__name__}")
async def test_a_figure_that_is_crossed(case: Crossing, authority: Authority) -> None:
    """Quiet before, told once with the remedy, over once it is mended; and nothing that is nobody's business."""
    async with bench(case.kind, authority) as running:
        assert (await running.run(case.check, times=2)).state is State.UP
        assert running.told() == []
        case.fault(running.stand_in)
        sample = await running.run(case.check)
        assert VALUE not in repr(sample)
        assert "eve@" not in repr(sample)
        title = f"{running.plan(case.check).title}: {case.threshold}"
        running.assert_told(case.check, case.severity, title, case.said, case.remedy)
        if running.plan(case.check).check.every < REMINDER:
            await running.run(case.check)
            assert running.told() == []
        running.stand_in.heal()
        await running.run(case.check, times=2)
        running.assert_resolved(case.check, case.severity)


class Share(NamedTuple):
    """One requirement on a figure that grows: which threshold, and what each severity takes."""

    id: str
    kind: Callable[[Authority], Any]
    check: str
    threshold: str
    metric: str
    service: str
    severity: Severity
    quiet: float
    crossed: float
    remedy: str


SHARES = [
    Share("CL-07", CapLiquify, "render-usage", "memory", "memory", "sentia-backend-prod", WARNING, 0.85, 0.86,
          "take the next instance type"),
    Share("CL-07", CapLiquify, "render-usage", "memory", "memory", "sentia-mcp-prod", CRITICAL, 0.84, 0.96,
          "take the next instance type"),
    Share("CL-08", CapLiquify, "render-usage", "CPU", "cpu", "sentia-backend-prod", WARNING, 0.80, 0.81, "Scale out"),
    Share("CL-08", CapLiquify, "render-usage", "CPU", "cpu", "sentia-mcp-prod", CRITICAL, 0.79, 0.91, "Scale out"),
    Share("TA-07", Tatame, "render-usage", "memory", "memory", "tatame", WARNING, 0.80, 0.81, "something is kept"),
    Share("TA-08", Tatame, "render-usage", "CPU", "cpu", "tatame", WARNING, 0.70, 0.81, "Look at the request rate"),
    Share("ED-15", EcomDash, "render-usage", "CPU", "cpu", "ecomdash-api", WARNING, 0.74, 0.75, "maxInstances"),
    Share("ED-15", EcomDash, "render-usage", "CPU", "cpu", "ecomdash-worker", CRITICAL, 0.74, 0.90, "Lower max_jobs"),
    Share("ED-15", EcomDash, "render-usage", "memory", "memory", "ecomdash-api", WARNING, 0.74, 0.75, "maxInstances"),
    Share("ED-15", EcomDash, "render-usage", "memory", "memory", "ecomdash-api", CRITICAL, 0.74, 0.90, "maxInstances"),
]  # fmt: skip


@pytest.mark.parametrize("case", SHARES, ids=lambda case: f"{case.id} {case.threshold} {case.severity}")
async def test_a_share_that_grows(case: Share, authority: Authority) -> None:
    """At the figure it is quiet, above it is not."""
    async with bench(case.kind, authority) as running:
        system = running.stand_in

        async def cross() -> None:
            system.uses(case.metric, case.service, case.crossed)

        async def end() -> None:
            system.heal()

        system.uses(case.metric, case.service, case.quiet)
        await prove_figure(running, case.check, case.threshold, case.severity, cross, end, case.remedy)


@pytest.mark.parametrize(
    ("threshold", "metric", "warning", "critical"),
    [
        pytest.param("memory", "memory", 0.86, 0.96, id="CL-07 both ways"),
        pytest.param("CPU", "cpu", 0.81, 0.91, id="CL-08 both ways"),
    ],
)
async def test_a_share_that_grows_and_falls(
    threshold: str, metric: str, warning: float, critical: float, authority: Authority
) -> None:
    """First a warning, then a critical message, quiet while it falls through the warning again, then over."""
    async with bench(CapLiquify, authority) as running:
        system, title = running.stand_in, f"Use of CPU and memory: {threshold}"
        await running.run("render-usage", times=2)
        system.uses(metric, "sentia-backend-prod", warning)
        await running.run("render-usage")
        running.assert_told("render-usage", WARNING, title, f"{warning:.0%}".replace("%", " %"))
        system.uses(metric, "sentia-backend-prod", critical)
        await running.run("render-usage")
        running.assert_told("render-usage", CRITICAL, title, f"{critical:.0%}".replace("%", " %"))
        system.uses(metric, "sentia-backend-prod", warning)
        await running.run("render-usage")
        assert all("critical" not in message.headline.lower() for message in running.told())
        system.heal()
        await running.run("render-usage", times=2)
        running.assert_resolved("render-usage", CRITICAL)


@pytest.mark.parametrize(
    ("threshold", "metric", "quiet", "crossed"),
    [
        pytest.param("scale for CPU", "cpu", 0.70, 0.72, id="TA-16 CPU"),
        pytest.param("scale for response time", "http-latency", 500, 510, id="TA-16 response time"),
    ],
)
async def test_a_sign_that_it_should_be_scaled(
    threshold: str, metric: str, quiet: float, crossed: float, authority: Authority
) -> None:
    """Only after a quarter of an hour in which it never was below; one moment of rest begins it anew."""
    async with bench(Tatame, authority) as running:
        render = running.stand_in.render
        render.measures(metric, "tatame", quiet)
        await running.run("render-usage", times=15)
        render.measures(metric, "tatame", crossed)
        await running.run("render-usage", times=10)
        render.measures(metric, "tatame", quiet)
        await running.run("render-usage")
        render.measures(metric, "tatame", crossed)
        await running.run("render-usage", times=14)
        assert running.told() == []
        await running.run("render-usage", times=2)
        running.assert_told("render-usage", WARNING, f"Use of CPU and memory: {threshold}", "Run one instance more")
        running.stand_in.heal()
        await running.run("render-usage", times=2)
        running.assert_resolved("render-usage", WARNING)


@pytest.mark.parametrize("share", [pytest.param(0.81, id="TA-16 memory")])
async def test_memory_that_is_used_up_for_good(share: float, authority: Authority) -> None:
    """Told as memory after five minutes; as a sign to scale only after a quarter of an hour."""
    async with bench(Tatame, authority) as running:
        running.stand_in.render.measures("memory", "tatame", 0.5)
        await running.run("render-usage", times=15)
        running.stand_in.render.measures("memory", "tatame", share)
        await running.run("render-usage", times=14)
        assert not [message for message in running.told() if "scale for memory" in message.text]
        await running.run("render-usage", times=2)
        running.assert_told("render-usage", WARNING, "scale for memory", "take a larger instance")


@pytest.mark.parametrize("figure", [pytest.param(100, id="ED-15")])
async def test_requests_for_each_instance(figure: float, authority: Authority) -> None:
    """A hundred a second for each: two instances may have twice as many."""
    async with bench(EcomDash, authority) as running:
        render = running.stand_in.render

        async def cross() -> None:
            render.measures("http-requests", "ecomdash-api", 2 * figure, "200")

        async def end() -> None:
            running.stand_in.heal()

        render.services["ecomdash-api"]["serviceDetails"]["numInstances"] = 2
        render.measures("http-requests", "ecomdash-api", 2 * figure - 2, "200")
        await prove_figure(running, "render-usage", "requests", WARNING, cross, end, "maxInstances")


@pytest.mark.parametrize(
    ("fault", "severity", "said"),
    [
        pytest.param(RealStaging.loses_an_instance, WARNING, "api: 1 of 2; worker: 1 of 1", id="RS-19 fewer"),
        pytest.param(RealStaging.loses_its_worker, CRITICAL, "worker: 0 of 1", id="RS-19 none"),
    ],
)
async def test_instances_that_are_gone(
    fault: Callable[[HostedRealStaging], None], severity: Severity, said: str, authority: Authority
) -> None:
    async with bench(RealStaging, authority) as running:

        async def cross() -> None:
            fault(running.stand_in)

        async def end() -> None:
            running.stand_in.heal()

        await prove_figure(running, "render-instances", "running", severity, cross, end, said, "Out of memory?")


@pytest.mark.parametrize(
    ("kind", "name", "hours", "severity", "remedy"),
    [
        pytest.param(RealStaging, "realstaging-db", 27, WARNING, "make one now", id="RS-15 warning"),
        pytest.param(RealStaging, "realstaging-db", 51, CRITICAL, "make one now", id="RS-15 critical"),
        pytest.param(CapLiquify, "sentia-db", 27, WARNING, "pg_restore", id="CL-24 warning"),
        pytest.param(CapLiquify, "sentia-db", 51, CRITICAL, "pg_restore", id="CL-24 critical"),
        pytest.param(EcomDash, "ecomdash-db", 27, WARNING, "render backup create", id="ED-23 warning"),
    ],
)
async def test_an_old_backup(
    kind: Callable[[Authority], Any], name: str, hours: float, severity: Severity, remedy: str, authority: Authority
) -> None:
    """A day and two hours may pass, since the daily one takes its time."""
    async with bench(kind, authority) as running:
        running.stand_in.has_no_backup_for(name, 20)
        await running.run("render-backup", times=2)
        assert running.told() == []
        running.stand_in.has_no_backup_for(name, hours)
        await running.run("render-backup")
        title = "Newest database backup: old"
        running.assert_told("render-backup", severity, title, "the newest is of", remedy)
        running.stand_in.heal()
        await running.run("render-backup", times=2)
        running.assert_resolved("render-backup", severity)


@pytest.mark.parametrize("kind", [pytest.param(SeedSource, id="SS-11")])
async def test_a_key_that_expires_opens_and_resolves_nothing(
    kind: Callable[[Authority], HostedSeedSource], authority: Authority
) -> None:
    """A failed deploy stays one until Render says that it is not."""
    async with bench(kind, authority) as running:
        running.stand_in.fails_to_build()
        await running.run("render-deploy")
        assert running.told()
        running.stand_in.render.instead = refused(401, f"the key {KEY} has expired")
        sample = await running.run("render-deploy", times=2)
        assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.AUTH)
        assert running.told() == []
        running.stand_in.heal()
        await running.run("render-deploy", times=2)
        running.assert_resolved("render-deploy", CRITICAL)

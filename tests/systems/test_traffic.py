"""The systems by what their applications say of themselves: real requests, counted and shown by real metrics."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.hour import Hour, HourMeasure
from monitor.model import Severity, State
from tests.systems.bench import Bench, bench
from tests.systems.metered import (
    PICTURES,
    WORK,
    MeteredCapLiquify,
    MeteredEcomDash,
    MeteredRealStaging,
    MeteredTatame,
)
from tests.systems.proof import CRITICAL, INFO, WARNING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from monitor.model import Sample
    from tests.peers import Authority
    from tests.systems.metered import Metered

    Load = Callable[[], Awaitable[object]]

HOUR = timedelta(hours=1)
MOST = 50
"""Runs within which whatever is to be told must have been."""


async def prove_traffic(
    running: Bench[Any],
    check: str,
    threshold: str,
    site: Metered,
    steps: Sequence[tuple[Severity, Load, str]],
    remedy: str,
    many: int = 20,
) -> None:
    """Prove a figure: quiet while all is well, each step told in its order, then over as the window moves on.

    `many`: the requests of each run while all is well.
    """
    plan = running.plan(check)
    for _ in range(4):
        await site.serve(many)
        assert (await running.run(check)).state is State.UP
    assert running.told() == []
    for severity, load, said in steps:
        await load()
        watched = plan.threshold(threshold)
        assert watched
        for _ in range(watched.patience[severity].for_ // plan.check.every):
            await running.run(check)
            assert running.told() == []
        await running.run(check)
        running.assert_told(check, severity, f"{plan.title}: {threshold}", said, remedy)
    ended = await _run_until_told(running, check, site, many)
    assert sorted(ended) == running.hears(check, steps[-1][0])


async def _run_until_told(running: Bench[Any], check: str, site: Metered, many: int) -> list[str]:
    """Return the channels that hear that it is over; what is told before that is that it got better."""
    for _ in range(MOST):
        await site.serve(many)
        await running.run(check)
        told = running.told()
        if ended := [message.channel for message in told if "resolved" in message.headline.lower()]:
            return ended
    raise AssertionError("it does not end")


@pytest.mark.parametrize(("few", "many"), [pytest.param(1, 12, id="CL-04")])
async def test_errors_of_capliquify(few: int, many: int, authority: Authority) -> None:
    """Over 0.5 % for a minute warns, over 1 % is critical, of what real requests ended with."""
    async with bench(MeteredCapLiquify, authority) as running:
        site = running.stand_in.backend

        async def some() -> None:
            await site.serve(70)
            await site.serve(few, status=500)

        async def more() -> None:
            await site.serve(many, status=503)

        steps = [(WARNING, some, "1 of "), (CRITICAL, more, "13 of ")]
        await prove_traffic(running, "traffic", "errors", site, steps, "roll back to the last good version")


@pytest.mark.parametrize(("slow", "slower"), [pytest.param(0.35, 0.6, id="CL-05")])
async def test_latency_of_capliquify(slow: float, slower: float, authority: Authority) -> None:
    """A p95 over 300 ms for a minute warns, over 500 ms is critical, of what real requests took."""
    async with bench(MeteredCapLiquify, authority) as running:
        site = running.stand_in.backend
        steps: list[tuple[Severity, Load, str]] = [
            (WARNING, lambda: site.serve(60, delay=slow), "warning > 300ms"),
            (CRITICAL, lambda: site.serve(60, delay=slower), "critical > 500ms"),
        ]
        await prove_traffic(running, "traffic", "slow", site, steps, "slow statements in PostgreSQL")


@pytest.mark.parametrize("seconds", [pytest.param(0.02, id="CL-19")])
async def test_overhead_of_the_tenant_middleware(seconds: float, authority: Authority) -> None:
    """A p95 over 10 ms warns, where the application exports it."""
    async with bench(MeteredCapLiquify, authority) as running:
        system = running.stand_in

        async def serves(took: float, many: int = 60) -> None:
            for _ in range(many):
                system.overhead.observe(took)

        await serves(0.004)
        await running.run("tenant-overhead")
        await serves(0.004)
        await running.run("tenant-overhead", times=2)
        assert running.told() == []
        await serves(seconds)
        await running.run("tenant-overhead", times=5)
        assert running.told() == []
        await running.run("tenant-overhead")
        running.assert_told("tenant-overhead", WARNING, "overhead", "Every request pays for it")
        for _ in range(16):
            await serves(0.004, 10)
            await running.run("tenant-overhead")
        running.assert_resolved("tenant-overhead", WARNING)


@pytest.mark.parametrize("status", [pytest.param("429", id="CL-14")])
async def test_clerk_refuses_us(status: str, authority: Authority) -> None:
    """Once in five minutes is enough; other answers of Clerk are none of it."""
    async with bench(MeteredCapLiquify, authority) as running:
        clerk = running.stand_in.clerk
        for answer in ("200", "401", "200"):
            clerk.labels(answer).inc()
            await running.run("clerk", times=3)
        assert running.told() == []
        clerk.labels(status).inc()
        await running.run("clerk")
        running.assert_told("clerk", WARNING, "refused", "10 requests a second")
        await running.run("clerk", times=7)
        running.assert_resolved("clerk", WARNING)


@pytest.mark.parametrize(("slow", "slower"), [pytest.param(0.6, 1.2, id="RS-04")])
async def test_latency_of_real_staging(slow: float, slower: float, authority: Authority) -> None:
    """A p95 over 500 ms warns, over 1 s is critical."""
    async with bench(MeteredRealStaging, authority) as running:
        site = running.stand_in.api
        steps: list[tuple[Severity, Load, str]] = [
            (WARNING, lambda: site.serve(60, delay=slow), "warning > 500ms"),
            (CRITICAL, lambda: site.serve(60, delay=slower), "critical > 1s"),
        ]
        await prove_traffic(running, "traffic", "slow", site, steps, "waiting for somebody else")


@pytest.mark.parametrize("many", [pytest.param(3, id="RS-05")])
async def test_errors_of_real_staging(many: int, authority: Authority) -> None:
    """Over 1 % of requests is critical, and goes to e-mail and Slack."""
    async with bench(MeteredRealStaging, authority) as running:
        site = running.stand_in.api
        steps: list[tuple[Severity, Load, str]] = [(CRITICAL, lambda: site.serve(many, status=500), "critical > 1%")]
        await prove_traffic(running, "traffic", "errors", site, steps, "what the failed requests have in common")
        assert {"ops", "oncall"} <= set(running.hears("traffic", CRITICAL))


@pytest.mark.parametrize(
    ("measure", "threshold"),
    [
        pytest.param("job_time", "slower than usual", id="RS-24 time"),
        pytest.param("running", "more at once than usual", id="RS-24 concurrency"),
    ],
)
async def test_jobs_against_the_recorded_baseline(measure: str, threshold: str, authority: Authority) -> None:
    """More than twice the usual of that hour warns; three weeks of 20 s and two at once were recorded."""
    async with bench(MeteredRealStaging, authority) as running:
        system, check = running.stand_in, "worker-jobs"
        remember(running, check, {"job_time": 20.0, "running": 2.0})

        async def works(seconds: float, at_once: int, minutes: int) -> None:
            for _ in range(minutes):
                system.jobs.observe(seconds)
                system.running.set(at_once)
                assert (await running.run(check)).state is State.UP

        await works(22, 2, 20)
        assert running.told() == []
        slow = measure == "job_time"
        await works(90 if slow else 22, 2 if slow else 8, 60)
        running.assert_told(check, WARNING, threshold, "usual at this hour", "Is Replicate slow?")
        await works(20, 2, 115)
        running.assert_resolved(check, WARNING)


def remember(running: Bench[Any], check: str, usual: dict[str, float]) -> None:
    """Let three weeks of hours have been recorded, all alike."""
    check_id = running.plan(check).id
    before = running.pipeline.pasts()[check_id]
    known, now = before.emptied(), running.clock.now()
    begin = now.replace(minute=0, second=0, microsecond=0) - 21 * 24 * HOUR
    for number in range(21 * 24):
        measures = tuple(HourMeasure(name, (), 60, value * 60, value, value) for name, value in usual.items())
        known.add(Hour(check_id, begin + number * HOUR, 60, 0, 0, measures))
    running.pipeline.look_back(check_id, before, known)


@pytest.mark.parametrize("many", [pytest.param(3, id="TA-05")])
async def test_errors_of_tatame(many: int, authority: Authority) -> None:
    """Over 1 % of requests with 5xx is critical."""
    async with bench(MeteredTatame, authority) as running:
        site = running.stand_in.server
        steps: list[tuple[Severity, Load, str]] = [(CRITICAL, lambda: site.serve(many, status=500), "critical > 1%")]
        await prove_traffic(running, "traffic", "errors", site, steps, "`git revert HEAD`", 40)


@pytest.mark.parametrize("seconds", [pytest.param(1.1, id="TA-06")])
async def test_latency_of_tatame(seconds: float, authority: Authority) -> None:
    """A p95 of real traffic over 1 s warns."""
    async with bench(MeteredTatame, authority) as running:
        site = running.stand_in.server
        steps: list[tuple[Severity, Load, str]] = [(WARNING, lambda: site.serve(60, delay=seconds), "warning > 1s")]
        await prove_traffic(running, "traffic", "slow", site, steps, "Which endpoints are slow?", 40)


@pytest.mark.parametrize(
    ("many", "threshold", "remedy"),
    [
        pytest.param(100, "more traffic than usual", "who tries passwords", id="TA-14 more"),
        pytest.param(1, "less traffic than usual", "Can users reach it at all?", id="TA-14 less"),
    ],
)
async def test_traffic_far_from_its_usual(many: int, threshold: str, remedy: str, authority: Authority) -> None:
    """Over three times, or under three tenths, of the usual of that hour and weekday is told once a day."""
    async with bench(MeteredTatame, authority) as running:
        site, check = running.stand_in.server, "traffic"
        remember(running, check, {"requests": 20 / 300})

        async def serves(requests: int, runs: int) -> None:
            for _ in range(runs):
                await site.serve(requests)
                assert (await running.run(check)).state is State.UP

        await serves(20, 16)
        assert running.told() == []
        await serves(many, 16)
        running.assert_told(check, INFO, threshold, "usual at this hour", remedy)
        await serves(20, 17)
        running.assert_resolved(check, INFO)


@pytest.mark.parametrize("endpoint", [pytest.param(PICTURES, id="TA-24")])
async def test_endpoints_of_tatame_are_shown(endpoint: str, authority: Authority) -> None:
    """Requests, errors, p50, p95 and p99 of each."""
    async with bench(MeteredTatame, authority) as running:
        site = running.stand_in.server
        await running.run("traffic", times=3)

        async def look() -> Sample:
            await site.serve(30)
            await site.serve(9, path=endpoint, delay=0.02)
            await site.serve(1, path=endpoint, status=500)
            return await running.run("traffic")

        sample = [await look() for _ in range(4)][-1]
        assert by(sample, "path", endpoint) == {
            "endpoint_requests": pytest.approx(10 / 300, rel=0.1),
            "endpoint_errors": pytest.approx(0.1),
            "endpoint_p50": pytest.approx(0.02, abs=0.02),
            "endpoint_p95": pytest.approx(0.05, abs=0.05),
            "endpoint_p99": pytest.approx(0.05, abs=0.05),
        }
        assert by(sample, "path", WORK)["endpoint_errors"] == 0.0


def by(sample: Sample, label: str, value: str) -> dict[str, float]:
    """Return the measures that have this label, by their names."""
    return {measure.name: measure.value for measure in sample.measures if (label, value) in measure.labels}


@pytest.mark.parametrize(("few", "many"), [pytest.param(1, 12, id="ED-03 errors")])
async def test_errors_of_ecomdash(few: int, many: int, authority: Authority) -> None:
    """Any 5xx is not as it should be; over 0.5 % warns, over 1 % is critical."""
    async with bench(MeteredEcomDash, authority) as running:
        site = running.stand_in.api

        async def some() -> None:
            await site.serve(70)
            await site.serve(few, status=500)

        steps: list[tuple[Severity, Load, str]] = [
            (WARNING, some, "1 of "),
            (CRITICAL, lambda: site.serve(many, status=500), "13 of "),
        ]
        await prove_traffic(running, "traffic", "errors", site, steps, "alembic downgrade -1")


@pytest.mark.parametrize(("slow", "slower"), [pytest.param(0.6, 1.2, id="ED-03 latency")])
async def test_latency_of_ecomdash(slow: float, slower: float, authority: Authority) -> None:
    """A p95 over 500 ms warns, over 1 s is critical."""
    async with bench(MeteredEcomDash, authority) as running:
        site = running.stand_in.api
        steps: list[tuple[Severity, Load, str]] = [
            (WARNING, lambda: site.serve(60, delay=slow), "warning > 500ms"),
            (CRITICAL, lambda: site.serve(60, delay=slower), "critical > 1s"),
        ]
        await prove_traffic(running, "traffic", "slow", site, steps, "belong into the job queue")


async def test_endpoints_of_ecomdash_are_shown(authority: Authority) -> None:
    """ED-03: request rate, 4xx and 5xx, p50, p95 and p99 of each, and the first error of one is seen."""
    async with bench(MeteredEcomDash, authority) as running:
        site = running.stand_in.api
        for _ in range(14):
            await site.serve(7)
            await site.serve(2, path=PICTURES, status=404)
            sample = await running.run("traffic")
        await site.serve(1, path=WORK, status=500)
        sample = await running.run("traffic")
        shown = by(sample, "endpoint", WORK)
        assert shown["endpoint_requests"] == pytest.approx(7 / 30, rel=0.15)
        assert 0 < shown["endpoint_5xx"] < 0.05
        assert {"endpoint_p50", "endpoint_p95", "endpoint_p99"} <= shown.keys()
        assert by(sample, "endpoint", PICTURES)["endpoint_4xx"] == 1.0


@pytest.mark.parametrize(
    ("status", "many", "severity", "threshold", "remedy"),
    [
        pytest.param(429, 2, WARNING, "throttled by Shopify", "RATE_LIMIT_DELAY", id="ED-04 throttled"),
        pytest.param(503, 20, CRITICAL, "Shopify fails", "shopifystatus.com", id="ED-04 errors"),
    ],
)
async def test_calls_of_shopify(
    status: int, many: int, severity: Severity, threshold: str, remedy: str, authority: Authority
) -> None:
    """Over 1 % of calls that are throttled warns, over 10 % of calls that fail is critical."""
    async with bench(MeteredEcomDash, authority) as running:
        system = running.stand_in
        for _ in range(3):
            system.calls_shopify(50)
            await running.run("traffic")
        assert running.told() == []
        system.calls_shopify(many, status)
        await running.run("traffic")
        running.assert_told("traffic", severity, threshold, remedy, f"{many} of ")
        for _ in range(34):
            system.calls_shopify(50)
            await running.run("traffic")
        running.assert_resolved("traffic", severity)


@pytest.mark.parametrize("left", [pytest.param(39, id="ED-04 shops")])
async def test_active_shops_drop(left: int, authority: Authority) -> None:
    """By more than 20 % within an hour warns."""
    async with bench(MeteredEcomDash, authority) as running:
        system = running.stand_in
        system.shops.set(50)
        await running.run("traffic", times=3)
        system.shops.set(41)
        await running.run("traffic", times=2)
        assert running.told() == []
        system.shops.set(left)
        await running.run("traffic")
        running.assert_told("traffic", WARNING, "active shops drop", "app/uninstalled")
        await running.run("traffic", times=121)
        running.assert_resolved("traffic", WARNING)


@pytest.mark.parametrize("seconds", [pytest.param(0.6, id="ED-32")])
async def test_database_queries_and_the_queue_of_ecomdash(seconds: float, authority: Authority) -> None:
    """A p95 over 500 ms warns; the length of the queue is shown."""
    async with bench(MeteredEcomDash, authority) as running:
        system, check = running.stand_in, "query-time"

        async def queries(took: float, many: int, runs: int) -> None:
            for _ in range(runs):
                for _ in range(many):
                    system.queries.observe(took)
                await running.run(check)

        await queries(0.01, 20, 5)
        assert running.told() == []
        await queries(seconds, 20, 2)
        assert running.told() == []
        await queries(seconds, 20, 1)
        running.assert_told(check, WARNING, "slow", "EXPLAIN (ANALYZE, BUFFERS)")
        await queries(0.01, 20, 16)
        running.assert_resolved(check, WARNING)
        system.queue.set(7)
        sample = await running.run("queue-length")
        assert [measure.value for measure in sample.measures if measure.name == "waiting"] == [7.0]


async def test_a_page_that_is_kept_from_us_is_told_as_that(authority: Authority) -> None:
    """CL-04, CL-05: what is not watched any more is a warning of its own, with the right reason."""
    async with bench(MeteredCapLiquify, authority, CAPLIQUIFY_METRICS_TOKEN="another") as running:
        await running.run("traffic", times=3)
        running.assert_told("traffic", WARNING, "Traffic of the back end: down", "CAPLIQUIFY_METRICS_TOKEN")

"""The examples of docs/application.md, run as they stand: against a page that is scraped twice, and Prometheus' API."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from monitor.config import load
from monitor.model import State
from monitor.probes.base import observe
from tests.fakes import FakeClock
from tests.probes.pages import serving

if TYPE_CHECKING:
    from monitor.model import Sample
    from monitor.plan import Plan
    from monitor.probes.base import Resources

TEXT = (Path(__file__).parents[2] / "docs/application.md").read_text("utf-8")
ENVIRON = {"METRICS_TOKEN": "t0ken", "PROMETHEUS_USER": "monitor", "PROMETHEUS_PASSWORD": "pass"}
PAGE = """\
http_requests_total{{endpoint="/cart",status="200"}} {good}
http_requests_total{{endpoint="/cart",status="503"}} {bad}
http_request_duration_seconds_bucket{{le="0.1"}} {good}
http_request_duration_seconds_bucket{{le="+Inf"}} {good}
payment_seconds_sum {bad}
payment_seconds_count {good}
active_shops 5
backup_last_success_timestamp_seconds {backup}
"""


def plan_of(section: str, folder: Path) -> Plan:
    """Return the plan of the one check in a section's example."""
    found = re.search(rf"^## {section}\n.*?^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert found
    (folder / "monitor.yaml").write_text(found[1], "utf-8")
    (plan,) = load(folder, ENVIRON).plans.values()
    return plan


def measured(sample: Sample) -> dict[str, float]:
    return {measure.name: measure.value for measure in sample.measures}


async def test_the_example_of_metrics(resources: Resources, tmp_path: Path) -> None:
    """Every figure of it has a value as soon as scrapes fill its window."""
    plan, clock = plan_of("metrics", tmp_path), FakeClock()
    async with serving() as pages:
        check = plan.check.model_copy(update={"url": pages.url})

        async def scraped(number: int) -> Sample:
            backup = clock.now().timestamp() - 60
            pages.text = PAGE.format(good=90 + 90 * number, bad=10 + 10 * number, backup=backup)
            sample = await observe(plan.id, check, resources, clock)
            assert sample.state is State.UP, sample.detail
            await clock.advance(check.every)
            return sample

        sample = [await scraped(number) for number in range(22)][-1]
        assert pages.asked[0].headers["Authorization"] == "Bearer t0ken"
    found = measured(sample)
    watched = {threshold.watch.measure for threshold in plan.thresholds}
    assert watched - found.keys() == {"expiry"}
    assert (round(found["error_rate"], 3), round(found["p95"], 3), round(found["slow_calls"], 3)) == (0.1, 0.095, 0.111)
    assert (round(found["requests"], 2), found["shops"], found["backup"]) == (6.67, 5.0, 60.0)
    assert sample.unmeasured == {"failed_jobs"}


async def test_the_example_of_promql(resources: Resources, tmp_path: Path) -> None:
    plan, clock = plan_of("promql", tmp_path), FakeClock()

    def answer(request: web.Request) -> web.Response:
        assert request.headers["X-Scope-OrgID"] == "shop"
        one = {"metric": {"service": "cart"}, "value": [clock.now().timestamp(), "0.5"]}
        empty = b"up+%3D%3D+0" in pages.bodies[-1]
        data = {"resultType": "vector", "result": [] if empty else [one]}
        return web.Response(text=json.dumps({"status": "success", "data": data}))

    async with serving() as pages:
        pages.answer = answer
        check = plan.check.model_copy(update={"url": f"http://127.0.0.1:{pages.port}"})
        sample = await observe(plan.id, check, resources, clock)
    assert sample.state is State.UP, sample.detail
    found = measured(sample)
    assert (found["targets_down"], found["error_rate"], found["memory"]) == (0.0, 0.5, 0.5)

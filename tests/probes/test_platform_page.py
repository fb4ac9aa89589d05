"""The examples of docs/platform.md, run as they stand against the stand-in of Render."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor.clock import SystemClock
from monitor.config import load
from monitor.model import State
from monitor.probes.base import observe
from monitor.probes.render import RenderCheck
from monitor.probes.render.fields import Aspect
from monitor.vendors import Accounts
from tests.fakes import ImpatientClock
from tests.systems.render_api import KEY, OWNER, RenderApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.model import Sample
    from monitor.probes.base import Resources

PAGE = (Path(__file__).parents[2] / "docs/platform.md").read_text("utf-8")
API = "srv-d6mskc6a2pns73ddjlo0"


@pytest.fixture
async def shop() -> AsyncIterator[RenderApi]:
    """Serve a workspace as the page has it, in which a few things are not as they should be."""
    render = RenderApi("127.0.0.1", None)
    async with AsyncExitStack() as stack:
        await render.start(stack)
        for name in ("shop-api", "shop-web"):
            render.has_service(name)
        one = render.services["shop-api"]["id"]
        render.services["shop-api"]["id"] = API
        render.deploys[API], render.running[API] = render.deploys.pop(one), render.running.pop(one)
        render.has_service("shop-worker", "background_worker")
        render.has_database("shop-db", diskSizeGB=1)
        render.has_key_value("shop-redis")
        render.has_domain("shop-web", "shop.example.com")
        render.deploys_to("shop-api", "build_failed")
        for name in ("shop-api", "shop-worker", "shop-db", "shop-redis"):
            for metric in ("cpu", "memory", "disk-usage"):
                render.measures(metric, name, 0.5)
            for metric in ("cpu-limit", "memory-limit", "disk-capacity"):
                render.measures(metric, name, 1.0)
            render.measures("active-connections", name, 7)
        render.measures("http-requests", "shop-api", 9.0, "200")
        render.measures("http-latency", "shop-api", 120.0)
        render.logs("shop-api", "error", "the vendor timed out")
        render.sets("shop-api", "DATABASE_URL")
        yield render


async def run(render: RenderApi, resources: Resources, folder: Path) -> dict[str, Sample]:
    """Return what each check of the page's example finds."""
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (folder / "monitor.yaml").write_text(example, "utf-8")
    patient = replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))
    plans = load(folder, {"RENDER_API_KEY": KEY, "RENDER_OWNER": OWNER}).plans.values()
    return {
        plan.id.check: await observe(plan.id, plan.check.model_copy(update={"url": render.url}), patient, SystemClock())
        for plan in plans
    }


async def test_the_example(shop: RenderApi, resources: Resources, tmp_path: Path) -> None:
    found = await run(shop, resources, tmp_path)
    assert {name: sample.detail for name, sample in found.items() if sample.state is not State.UP} == {}
    assert "api: the build failed" in found["deploys"].remarks["deploy_failed"]
    assert found["deploys"].remarks["strangers"] == "there is also shop-web (web_service)"
    assert found["log"].remarks["log_matches"] == "1 × timeouts"
    assert found["variables"].remarks["missing_variables"] == "api lacks SECRET_KEY"
    assert "US$37.30 a month of 60.00: shop-web 7 (not expected)" in found["costs"].remarks["budget_share"]
    assert not found["backups"].remarks
    assert not found["domains"].remarks
    measured = {each.name for each in found["usage"].measures} - {"duration", "phase", "requests", "api_errors"}
    assert measured >= {"cpu_share", "memory_share", "disk_share", "connections", "request_rate", "latency"}


def test_the_page_names_every_measure_and_every_aspect() -> None:
    own = [
        spec.name for spec in RenderCheck.measures if spec.name not in {"duration", "phase", "requests", "api_errors"}
    ]
    assert [name for name in [*own, *Aspect.__args__] if f"`{name}`" not in PAGE] == []  # type: ignore[attr-defined]

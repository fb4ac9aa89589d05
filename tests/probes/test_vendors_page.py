"""The examples of docs/vendors.md, run as they stand against the stand-ins of the vendors."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.clock import SystemClock
from monitor.config import load
from monitor.model import State
from monitor.probes.base import observe
from monitor.vendors import Accounts
from tests.fakes import FakeClock, ImpatientClock
from tests.systems import neon_api, s3_storage, sentry_api, supabase_api
from tests.systems.status_pages import StatusPageSite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.model import Sample
    from monitor.probes.base import Resources

PAGE = Path(__file__).parents[2] / "docs/vendors.md"
ENVIRON = {"NEON_API_KEY": neon_api.KEY, "SENTRY_MONITOR_TOKEN": sentry_api.TOKEN} | {
    "S3_ACCESS_KEY": s3_storage.ACCESS,
    "S3_SECRET_KEY": s3_storage.SECRET,
    "SUPABASE_TOKEN": supabase_api.TOKEN,
}


def example(section: str) -> str:
    """Return the YAML of a section."""
    found = re.search(rf"^## {section}\n.*?^```yaml\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


NOW = datetime(2026, 11, 21, tzinfo=UTC)


async def run(section: str, urls: Mapping[str, str], resources: Resources, folder: Path) -> dict[str, Sample]:
    """Return what each check of a section's example finds when what it asks is at the address of its name."""
    (folder / "monitor.yaml").write_text(example(section), "utf-8")
    patient = replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))
    found = {}
    for plan in load(folder, ENVIRON).plans.values():
        moved = plan.check.model_copy(update={"url": urls[plan.id.check]} if urls else {})
        found[plan.id.check] = await observe(plan.id, moved, patient, SystemClock() if urls else FakeClock(NOW))
    return found


async def test_the_example_of_age(resources: Resources, tmp_path: Path) -> None:
    found = await run("age", {}, resources, tmp_path)
    assert "stripe_key is due on 2026-11-30, set 2026-09-01 for 90d" in found["secrets"].remarks["due"]
    assert {each.value for each in found["secrets"].measures if each.name == "due"} == {
        datetime(*day, tzinfo=UTC).timestamp() for day in [(2026, 11, 30), (2027, 3, 31), (2027, 1, 15)]
    }


async def test_the_example_of_status(resources: Resources, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        render = StatusPageSite("127.0.0.1", None, components=("Web Services", "PostgreSQL", "Cron Jobs"))
        search = StatusPageSite("127.0.0.1", None, "instatus")
        await render.start(stack)
        await search.start(stack)
        render.has("Cron jobs start late", 3, "Cron Jobs")
        render.has("Deploys are slow", 1, "Web Services")
        search.has("Queries time out", 3)
        found = await run("status", {"render": render.url, "search": search.url}, resources, tmp_path)
    assert {name: sample.state for name, sample in found.items()} == {"render": State.UP, "search": State.UP}
    assert found["render"].remarks["impact"].startswith("Deploys are slow (minor, since ")
    assert found["search"].remarks["impact"].startswith("Queries time out (critical, since ")


async def test_the_example_of_neon(resources: Resources, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        neon = neon_api.NeonApi("127.0.0.1", None)
        await neon.start(stack)
        well = await run("neon", {"branch": f"{neon.url}/api/v2"}, resources, tmp_path)
        neon.branches[0]["current_state"] = "resetting"
        reset = await run("neon", {"branch": f"{neon.url}/api/v2"}, resources, tmp_path)
    assert (well["branch"].state, reset["branch"].state) == (State.UP, State.DOWN)


async def test_the_example_of_sentry(resources: Resources, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        sentry = sentry_api.SentryApi("127.0.0.1", None, org="my-organisation")
        await sentry.start(stack)
        sentry.has("escalating")
        found = await run("sentry", {"errors": sentry.url}, resources, tmp_path)
    assert found["errors"].state is State.UP
    assert found["errors"].remarks == {"escalating_issues": "API-1: https://my-organisation.sentry.io/issues/1/"}


async def test_the_example_of_s3(resources: Resources, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        storage = s3_storage.Storage("127.0.0.1", None)
        storage.bucket, storage.region = "shop-images", "us-east-1"  # that of a host which names none
        await storage.start(stack)
        storage.holds("backups/2026-11-21.dump", 2_000_000)
        found = await run("s3", dict.fromkeys(("storage", "backups", "cost"), storage.url), resources, tmp_path)
    assert {name: sample.state for name, sample in found.items()} == dict.fromkeys(found, State.UP)
    values = {each.name: each.value for sample in found.values() for each in sample.measures}
    assert (values["newest_size"], values["stored"], values["cost"]) == (2_000_000, 2_000_000, 0.00001)
    assert len(storage.kept) == 1


async def test_the_example_of_supabase(resources: Resources, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        supabase = supabase_api.SupabaseApi("127.0.0.1", None)
        await supabase.start(stack)
        supabase.services["realtime"] = "UNHEALTHY"
        urls = dict.fromkeys(("project", "backup"), supabase.url)
        well = await run("supabase", urls, resources, tmp_path)
        supabase.services["rest"] = "UNHEALTHY"
        ill = await run("supabase", urls, resources, tmp_path)
    assert [well[name].state for name in ("project", "backup")] == [State.UP, State.UP]
    assert [ill[name].state for name in ("project", "backup")] == [State.DOWN, State.UP]

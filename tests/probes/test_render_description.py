"""The stand-in of Render's API, held against Render's own description of it, where that lies beside the repository."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest

from monitor.clock import SystemClock
from monitor.model import CheckId, State
from monitor.probes import load_kind
from monitor.probes.base import observe
from monitor.probes.render.asking import written
from monitor.vendors import Accounts
from tests.descriptions import description
from tests.fakes import ImpatientClock
from tests.systems.render_api import KEY, OWNER, RenderApi, refused, throttled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.probes.base import Resources

DAY = timedelta(days=1)
MEASURED = [
    "cpu",
    "cpu-limit",
    "memory",
    "memory-limit",
    "disk-usage",
    "disk-capacity",
    "http-requests",
    "http-latency",
]
PATHS = [
    "/services",
    "/services/{serviceId}/deploys",
    "/services/{serviceId}/events",
    "/services/{serviceId}/instances",
    "/services/{serviceId}/custom-domains",
    "/services/{serviceId}/env-vars",
    "/postgres",
    "/postgres/{postgresId}/recovery",
    "/postgres/{postgresId}/export",
    "/key-value",
    "/env-groups",
    "/env-groups/{envGroupId}",
    "/logs",
    *(f"/metrics/{metric}" for metric in (*MEASURED, "active-connections")),
]


@pytest.fixture
async def render() -> AsyncIterator[RenderApi]:
    """Serve a workspace in which there is one of everything."""
    api = RenderApi("127.0.0.1", None)
    async with AsyncExitStack() as stack:
        await api.start(stack)
        for kind in ("web_service", "private_service", "background_worker", "cron_job", "static_site"):
            api.has_service(kind.replace("_", "-"), kind)
        api.services["web-service"]["serviceDetails"]["disk"] = {
            "id": f"dsk-{1:020}", "name": "data", "sizeGB": 1, "mountPath": "/data"
        }  # fmt: skip
        database = api.has_database("db", expiresAt=written(api.now() + DAY), diskSizeGB=5)
        api.has_key_value("cache")
        api.exports[database] = [api.now() - DAY]
        api.deploys_to("web-service", "build_failed")
        api.happens("web-service", "server_failed", reason={"evicted": False, "oomKilled": {"memoryLimit": "512Mi"}})
        api.happens("web-service", "image_pull_failed", message="gone", imageURL="docker.io/library/nginx")
        api.happens("cron-job", "cron_job_run_ended", cronJobRunId="run-1", status="unsuccessful")
        api.has_domain("web-service", "shop.example.dev")
        api.sets("web-service", "DATABASE_URL")
        api.groups.append(("evg-1", {"SECRET_KEY": "x"}, ["web-service"]))
        api.logs("web-service", "error", "it broke")
        for metric in MEASURED:
            api.measures(metric, "web-service", 0.5, "500" if metric == "http-requests" else "")
        api.measures("active-connections", "db", 12)
        yield api


@pytest.mark.parametrize("path", PATHS)
async def test_the_stand_in_answers_as_described(path: str, render: RenderApi) -> None:
    """Every field that must be there is there, and of its type: so are the tests' conclusions Render's."""
    known = description("render.json")
    one = render.id("db" if "postgres" in path else "web-service")
    resource = render.id("db" if "connections" in path else "web-service")
    address = re.sub(r"\{[^}]+\}", "evg-1" if "env-groups" in path else one, path)
    query = {"startTime": written(render.now() - DAY / 24), "endTime": written(render.now()), "resource": resource}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:
        asked = query | ({"ownerId": OWNER} if path == "/logs" else {})
        async with session.get(f"{render.url}/v1{address}", params=asked) as response:
            assert response.status == 200
            answer = await response.json()
    assert known.faults(path, 200, answer) == []
    assert answer


@pytest.mark.parametrize("answer", [refused(401, "unauthorized"), throttled()], ids=["401", "429"])
async def test_its_errors_are_as_described(answer: object, render: RenderApi) -> None:
    known = description("render.json")
    render.instead = answer  # type: ignore[assignment]
    async with aiohttp.ClientSession() as session, session.get(f"{render.url}/v1/services") as response:
        assert known.faults("/services", response.status, await response.json()) == []


async def test_only_what_is_described_is_asked(render: RenderApi, resources: Resources) -> None:
    """Every question of the probe goes to a path that there is, with parameters that it takes."""
    known = description("render.json")
    patient = replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))
    fields = {
        "services": ["web-service"],
        "databases": ["db"],
        "key_values": ["cache"],
        "owner": OWNER,
        "look_at": ["deploys", "instances", "cpu", "memory", "disk", "requests", "latency", "events", "connections"],
        "domains": ["shop.example.dev"],
        "backups": True,
        "logs": {"levels": ["error"]},
        "costs": {"budget": 60},
    }
    render.recovery[render.id("db")] = {"recoveryStatus": "NOT_AVAILABLE"}
    for key, more in (("api_key", fields), ("variables_key", {"services": ["web-service"], "variables": ["NOT_SET"]})):
        check = load_kind("render").model_validate({"kind": "render", key: KEY, "url": render.url, **more})
        sample = await observe(CheckId("shop", key), check, patient, SystemClock())
        assert sample.state is State.UP, sample.detail
    patterns = {path: re.compile(re.sub(r"\\\{[^}]+\\\}", "[^/]+", re.escape(path))) for path in PATHS}
    seen = set()
    for asked in render.asked:
        method, _, address = asked.partition(" ")
        address, _, query = address.removeprefix("/v1").partition("?")
        (path,) = (path for path, pattern in patterns.items() if pattern.fullmatch(address))
        seen.add(path)
        assert method == "GET"
        assert {part.partition("=")[0] for part in query.split("&") if part} <= known.parameters(path)
    assert seen == set(PATHS)

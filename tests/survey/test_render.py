"""A workspace of Render's, as a stand-in of its API tells it, becomes a file."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.clock import SystemClock
from monitor.doubts import doubts
from monitor.model import CheckId, Failure, State
from monitor.probes.base import observe
from monitor.probes.render.asking import Render, access_with
from monitor.probes.render.services import Service, Store
from monitor.secrets import Secret
from monitor.settings import read_settings
from monitor.survey.found import NothingToWatch
from monitor.survey.render import Workspace, look_at_workspace, workspace_text, workspaces
from monitor.survey.render.reading import Domain, Inventory
from monitor.vendors import Accounts, Api
from tests.descriptions import description
from tests.fakes import START, ImpatientClock
from tests.probes.conftest import resources as resources_of_probes
from tests.survey.files import DAY, loaded
from tests.systems.render_api import KEY, OWNER, RenderApi, refused, throttled
from tests.systems.site import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.probes.base import Resources

resources = resources_of_probes
TEAM = Workspace(OWNER, "Team")
ENVIRON = {"RENDER_API_KEY": KEY}
TYPES = ["web_service", "private_service", "background_worker", "cron_job", "static_site", "time_machine"]
ANY = st.text(max_size=30)


@pytest.fixture
async def api() -> AsyncIterator[RenderApi]:
    """Serve a workspace in which there is one of everything."""
    made = RenderApi("127.0.0.1", None)
    async with AsyncExitStack() as stack:
        await made.start(stack)
        for kind in TYPES[:5]:
            made.has_service(f"shop-{kind.replace('_', '-')}", kind)
        made.has_database("shop-db", expiresAt="2026-12-24T00:00:00Z")
        made.has_key_value("shop-cache")
        made.has_domain("shop-web-service", "shop.example.com")
        made.has_domain("shop-web-service", "old.example.com", "unverified")
        made.has_domain("shop-web-service", "*.example.com")
        yield made


@pytest.fixture
def render(api: RenderApi, resources: Resources) -> Render:
    patient = replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))
    return Render(Api(access_with(Secret(KEY), api.url), patient, timedelta(minutes=5), {}), timedelta())


async def text_of(render: Render, api: RenderApi, workspace: Workspace = TEAM) -> str:
    found = await look_at_workspace(render, workspace, api.url, lambda _: None)
    return workspace_text(found, "shop")


async def test_everything_is_watched_by_the_kind_that_fits(render: Render, api: RenderApi) -> None:
    plans = {plan.id.check: plan.check for plan in loaded(await text_of(render, api), placeholders=True).plans.values()}
    assert {name: check.kind for name, check in plans.items()} == {
        "render": "render",
        "render-usage": "render",
        "render-backups": "render",
        "render-domains": "render",
        "shop-web-service": "http",
        "shop-example-com": "tls",
        "shop-static-site": "http",
        "shop-db": "postgres",
        "shop-cache": "redis",
    }
    shown: Any = plans
    assert shown["shop-web-service"].url == "https://shop-web-service.onrender.com/health"
    assert shown["shop-static-site"].expect.content_type == "text/html"
    assert shown["render"].services.keys() == {f"shop-{kind.replace('_', '-')}" for kind in TYPES[:5]}
    assert shown["render-domains"].domains == ["shop.example.com"]
    assert shown["render-backups"].databases == {"shop-db": api.id("shop-db")}
    assert {check.owner for name, check in shown.items() if name.startswith("render")} == {OWNER}


async def test_it_needs_no_variable_to_be_valid_and_says_what_is_skipped(render: Render, api: RenderApi) -> None:
    text = await text_of(render, api)
    bare = loaded(text)
    assert [plan.id.check for plan in bare.plans.values()] == [
        "shop-web-service",
        "shop-example-com",
        "shop-static-site",
    ]
    reasons = {skip.name: skip.reason for skip in bare.skipped}
    assert reasons["shop/shop-db"] == "SHOP_DB_URL is not set"
    assert reasons["shop/shop-cache"] == "SHOP_CACHE_URL is not set"
    assert reasons["shop/render"] == "RENDER_API_KEY is not set"
    assert "old.example.com, which Render has not verified" in text
    assert "*.example.com, which is no single host" in text
    assert "{kind: heartbeat, …}, see docs/heartbeats.md" in text
    assert KEY not in text


async def test_stores_that_are_called_alike_have_variables_of_their_own(render: Render, api: RenderApi) -> None:
    api.has_database("db")
    skipped = {skip.name: skip.reason for skip in loaded(await text_of(render, api)).skipped}
    assert skipped["shop/shop-db"] == "SHOP_DB_URL is not set"
    assert skipped["shop/db"] == "SHOP_DB_2_URL is not set"


async def test_its_doubts_are_those_that_it_explains(render: Render, api: RenderApi) -> None:
    config = loaded(await text_of(render, api), ENVIRON)
    found = [doubt for doubt in doubts(config, read_settings(remembers=False), ENVIRON, START) if "/" in doubt.key]
    assert [doubt.key for doubt in found] == ["shop/shop-web-service"]
    assert "any page that answers 200" in found[0].message
    assert "which `monitor validate` doubts" in await text_of(render, api)


async def test_the_checks_that_ask_render_are_up_at_once(render: Render, api: RenderApi, resources: Resources) -> None:
    """What is written asks what the API takes, and finds what is there."""
    patient = replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))
    plans = loaded(await text_of(render, api), ENVIRON).plans.values()
    asking = [plan for plan in plans if plan.check.kind == "render"]
    assert len(asking) == 4
    for plan in asking:
        sample = await observe(CheckId("shop", plan.id.check), plan.check, patient, SystemClock())
        assert sample.state is State.UP, sample.detail


async def test_what_is_suspended_or_new_is_left_out_with_a_word(render: Render, api: RenderApi) -> None:
    api.services["shop-web-service"] |= {"suspended": "suspended", "suspenders": ["user"]}
    api.services["shop-cron-job"] |= {"suspended": "suspended", "suspenders": ["stuck_crashlooping"]}
    api.has_service("shop-later", "time_machine", url=None)
    api.databases["shop-db"]["status"] = "suspended"
    text = await text_of(render, api)
    names = {plan.id.check for plan in loaded(text, ENVIRON).plans.values()}
    assert "# Not watched: shop-web-service (web_service), suspended." in text
    assert "# Not watched: shop-cron-job (cron_job), it crashed too often." in text
    assert "# Not watched: shop-later, a time_machine, which is new to us." in text
    assert "# Not watched: shop-db, suspended." in text
    assert names == {"render", "render-usage", "shop-static-site"}


async def test_where_all_is_suspended_there_is_nothing_to_watch(render: Render, api: RenderApi) -> None:
    for service in api.services.values():
        service["suspended"] = "suspended"
    api.databases.clear()
    api.key_values.clear()
    with pytest.raises(NothingToWatch, match="all of it is suspended"):
        await text_of(render, api)


async def test_only_the_workspace_that_is_meant_is_read_and_no_variable_ever(render: Render, api: RenderApi) -> None:
    api.owners["tea-e0000000000000000000"] = "Others"
    assert await workspaces(render) == [TEAM, ("tea-e0000000000000000000", "Others")]
    api.sets("shop-web-service", "DATABASE_URL")
    await text_of(render, api)
    known, paths = description("render.json"), set()
    for asked in api.asked:
        address, _, query = asked.removeprefix("GET /v1").partition("?")
        paths.add(path := re.sub(r"/services/[^/]+/", "/services/{serviceId}/", address))
        assert {part.partition("=")[0] for part in query.split("&")} <= known.parameters(path)
        assert path in {"/owners", "/services/{serviceId}/custom-domains"} or f"ownerId={OWNER}" in query
    assert paths == {"/owners", "/services", "/postgres", "/key-value", "/services/{serviceId}/custom-domains"}


async def test_the_stand_in_lists_workspaces_as_described(api: RenderApi) -> None:
    known = description("render.json")
    asked = aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"})
    async with asked as session, session.get(f"{api.url}/v1/owners") as response:
        assert known.faults("/owners", 200, await response.json()) == []


async def test_long_lists_are_read_to_their_end_within_what_the_key_may_use(render: Render, api: RenderApi) -> None:
    """The pace of checks that ask about many is slower."""
    for number in range(130):
        api.has_service(f"worker-{number}", "background_worker")
    text = await text_of(render, api)
    plans: Any = {plan.id.check: plan.check for plan in loaded(text, ENVIRON).plans.values()}
    assert len(plans["render"].services) == 135
    assert plans["render"].every == timedelta(minutes=11)
    assert [*plans["render"].doubts()] == [*plans["render-usage"].doubts()] == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refused(401, "unauthorized"), "does not take the key"),
        (refused(403, "no"), "does not allow the key to see this"),
        (throttled("30"), "rate limit is used up"),
        (Answer(200, "<html>", {"Content-Type": "text/html"}), "got a web page"),
        (Answer(200, '[{"cursor": "1", "service": {"id": 5}}]'), "expected"),
        (Answer(502, ""), "out of order"),
    ],
)
async def test_what_render_refuses_is_said(answer: Answer, said: str, render: Render, api: RenderApi) -> None:
    api.instead = answer
    with pytest.raises(Failure) as raised:
        await text_of(render, api)
    assert said in raised.value.detail
    assert KEY not in raised.value.detail


async def test_an_empty_workspace_is_probably_another_one(render: Render, api: RenderApi) -> None:
    with pytest.raises(Failure, match="no service at all"):
        await text_of(render, api, Workspace("tea-e0", "Others"))


def service(number: int, name: str, kind: str, url: str, health: str, more: str) -> Service:
    return Service(f"srv-{number}", name, kind, OWNER, more, more, 1, 0.0, False, (), url, health)  # noqa: FBT003 - runs


@settings(max_examples=30)
@given(
    st.lists(st.tuples(ANY, st.sampled_from(TYPES), ANY, ANY, ANY), min_size=1, max_size=4),
    st.lists(st.tuples(ANY, ANY), max_size=2),
    st.lists(st.tuples(ANY, st.booleans()), max_size=3),
    ANY,
)
def test_whatever_things_are_called_the_file_is_one(
    services: list[tuple[str, str, str, str, str]],
    stores: list[tuple[str, str]],
    domains: list[tuple[str, bool]],
    name: str,
) -> None:
    """Names, plans, addresses and paths are those of whoever made them."""
    listed = [
        service(0, "web", "web_service", "https://web.onrender.com", "/health", "starter"),
        *(
            service(n, called, kind, f"https://{url}", health, more)
            for n, (called, kind, url, health, more) in enumerate(services, 1)
        ),
    ]
    made = [
        Store(f"dpg-{n}", called, plan, "available", START, None, 0.0, 1) for n, (called, plan) in enumerate(stores)
    ]
    keys = [store._replace(id=f"red-{n}") for n, store in enumerate(made)]
    of_web = {"srv-0": [Domain(domain.lower(), verified) for domain, verified in domains]}
    found = Inventory(Workspace(OWNER, name), listed, made, keys, of_web, DAY, "https://api.render.com")
    config = loaded(workspace_text(found, "shop"), placeholders=True)
    kinds = [plan.check.kind for plan in config.plans.values()]
    assert (kinds.count("postgres"), kinds.count("redis")) == (len(made), len(made))
    web: Any = config.plans[CheckId("shop", "web")].check
    assert web.url == "https://web.onrender.com/health"

"""A deploy, with the real process and a real database: noticed, looked after, and named in the alert that it caused."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
import pytest

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import Monitor
from tests.postgres import cluster
from tests.systems.site import Answer, Site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.acceptance.peers import Post, Shop

FILE = """
channels: {hook: "${HOOK_URL}"}
systems:
  shop:
    defaults: {every: 1s, timeout: 5s}
    deploys: {checks: [schema, health]}
    checks:
      health:
        url: "${SHOP_URL}/health"
        version: version
        expect: {json: {status: healthy}}
        thresholds:
          - {watch: "avg(duration, 10s)", name: slow, critical: "> 300ms", for: 4s, remedy: Look at the deploy.}
      schema: {kind: migrations, dsn: "${DATABASE}", tool: golang-migrate, every: 2s}
      smoke:
        {kind: flow, url: "${SHOP_URL}", when: deploy, steps: [{name: look, url: /health}]}
"""
SLOW = 0.6
SMOKE = "SELECT * FROM samples JOIN checks ON checks.id = check_id WHERE name = 'smoke'"
DEPLOYS = "SELECT body FROM deploys"


class Told(NamedTuple):
    """What was seen: runs of the flow before the deploy and in the end, the page, the deploys of both processes."""

    before: int
    after: int
    page: Post
    deploys: list[str]


def answers(version: str, delay: float) -> Answer:
    body = f'{{"status": "healthy", "version": "{version}"}}'
    return Answer(200, body, {"Content-Type": "application/json"}, delay)


async def a_slow_deploy(folder: Path) -> Told:
    """Deploy a version that is slow and has moved the schema; kill the daemon after it was noticed."""
    async with AsyncExitStack() as stack:
        server = stack.enter_context(cluster())
        server.psql("CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)")
        server.psql("INSERT INTO schema_migrations VALUES (3, false)")
        site, hook = Site("127.0.0.1", None), await stack.enter_async_context(peers.receiver())
        site.answers["GET", "/health"] = answers("1.0", 0.0)
        await site.start(stack)
        environ = {"SHOP_URL": site.url, "HOOK_URL": hook.url, "DATABASE": server.dsn()}
        daemon = await stack.enter_async_context(Monitor(folder, FILE, **environ))
        await until(lambda: "1.0" in str(daemon.stored("SELECT body FROM keepsakes")), "the first version known")
        await until(lambda: '"3"' in str(daemon.stored("SELECT body FROM keepsakes")), "the schema known")
        before = len(daemon.stored(SMOKE))
        server.psql("UPDATE schema_migrations SET version = 4")
        await until(lambda: '"4"' in str(daemon.stored("SELECT body FROM keepsakes")), "the schema moved")
        site.answers["GET", "/health"] = answers("1.1", SLOW)
        await until(lambda: daemon.stored(DEPLOYS), "the deploy noticed")
        await daemon.kill()
        await daemon.start()
        page = await hook.hears("firing")
        await until(lambda: len(daemon.stored(SMOKE)) > before, "the flow of the deploy")
        return Told(before, len(daemon.stored(SMOKE)), page, [str(body) for (body,) in daemon.stored(DEPLOYS)])


@pytest.mark.story(tell=a_slow_deploy)
def test_the_alert_names_the_deploy_and_whether_to_go_back(told: Told) -> None:
    (alert,) = told.page.alerts
    assert alert["labels"]["alertname"] == "slow"
    assert "Deploy of 1.1, " in alert["annotations"]["context"]
    assert "going back is unsafe: this deploy moved the schema from 3 to 4" in alert["annotations"]["context"]


@pytest.mark.story(tell=a_slow_deploy)
def test_a_flow_for_deploys_runs_after_one_and_never_else(told: Told) -> None:
    """And the deploy that a killed process had noticed is not noticed again."""
    assert told.before == 0
    assert told.after >= 1
    (deploy,) = told.deploys
    assert '["","1.0","1.1"]' in deploy


SAID = """
channels: {hook: "${HOOK_URL}"}
systems:
  shop:
    deploys: {token: "${DEPLOY_TOKEN}", checks: [site]}
    checks: {site: {url: "${SHOP_URL}/", every: 1h}}
"""
TOKEN = "deploy-token-of-this-test"


async def test_whoever_deploys_can_say_so(shop: Shop, watching: Callable[..., Monitor]) -> None:
    """Durable once it is answered; and what followed it runs once, also when the daemon dies at once."""
    async with watching(SAID, DEPLOY_TOKEN=TOKEN) as daemon:
        assert await said(daemon, "wrong", version="1") == 404
        assert await said(daemon, TOKEN, version="1.4.2", before="1.4.1") == 200
        await daemon.kill()
        assert shop.asked == 0
        ((body,),) = daemon.stored(DEPLOYS)
        assert '["","1.4.1","1.4.2"]' in str(body)
        await daemon.start()
        await until(lambda: shop.asked, "the check that follows")
        assert await said(daemon, TOKEN, version="1.4.3") == 200
        ((body,),) = daemon.stored(DEPLOYS)
        assert '["","1.4.1","1.4.3"]' in str(body)
        assert TOKEN not in str(daemon.log)


async def said(daemon: Monitor, token: str, **release: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{daemon.url}/api/v1/deploys/shop", json=release) as answer,
    ):
        return answer.status

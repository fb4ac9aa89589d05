"""A flow whose process is ended in the middle: what it has made is removed, whatever ended it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.peers import until
from tests.acceptance.process import Monitor
from tests.probes.flow.product import Product, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

FILE = """
channels: {hook: "http://127.0.0.1:9/"}
systems:
  shop:
    checks:
      smoke:
        kind: flow
        url: "${SHOP_URL}"
        when: %s
        every: 1s
        writes: true
        steps:
          - {name: create, url: /api/tenants, json: {name: "canary-{run}"}, expect: {status: 201},
             capture: {tenant: data.id}}
          - {name: job, url: /jobs/1, expect: {json: {status: completed}}, again: {every: 50ms, within: 40s}}
        cleanup:
          - {name: remove, url: "/api/tenants/{tenant}", method: DELETE, expect: {status: [204, 404]}}
"""
KEPT = "SELECT body FROM keepsakes"
UP = "SELECT * FROM samples WHERE state = 'up'"


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    async with running() as made:
        made.unready = 1_000_000
        yield made


async def test_after_a_kill_the_next_start_cleans_up_and_does_it_again(tmp_path: Path, product: Product) -> None:
    async with Monitor(tmp_path, FILE % "schedule", SHOP_URL=product.url) as daemon:
        await until(lambda: ("GET", "/jobs/1") in product.seen, "the second step")
        ((kept,),) = await until(lambda: "tenant" in str(daemon.stored(KEPT)) and daemon.stored(KEPT), "a note of it")
        (values,) = json.loads(kept).values()
        assert values["tenant"] == 7
        await daemon.kill()
        assert list(product.tenants) == [7]
        product.seen.clear()
        product.unready = 0
        await daemon.start()
        await until(lambda: daemon.stored(UP), "a whole flow")
        assert product.seen[:2] == [("DELETE", "/api/tenants/7"), ("POST", "/api/tenants")]
        await daemon.stop()
    assert product.tenants == {}


async def test_what_runs_on_demand_only_is_cleaned_up_after_too(tmp_path: Path, product: Product) -> None:
    """Its run was asked for by an earlier process; a store that knows of it is all that is left."""
    async with Monitor(tmp_path, FILE % "schedule", SHOP_URL=product.url) as daemon:
        await until(lambda: "tenant" in str(daemon.stored(KEPT)), "a note of what to remove")
        await daemon.kill()
        daemon.file.write_text(FILE % "demand")
        product.unready = 0
        await daemon.start()
        await until(lambda: daemon.stored(UP), "the run, again and whole")
        seen = len(product.seen)
        await asyncio.sleep(1.5)
        assert len(product.seen) == seen, "it is not scheduled"
        await daemon.stop()
    assert product.tenants == {}


async def test_sigterm_leaves_nothing_behind(tmp_path: Path, product: Product) -> None:
    async with Monitor(tmp_path, FILE % "schedule", SHOP_URL=product.url) as daemon:
        await until(lambda: ("GET", "/jobs/1") in product.seen, "the second step")
        assert await daemon.stop() == 0
        assert product.tenants == {}
        assert daemon.stored(KEPT) == []

"""The API of a whole daemon: everything in it is answered, and nothing secret ever is."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp

from monitor.web.api.operations import OPERATIONS, Access
from tests.web.api.daemon import SECRETS, Watching, asked, watching
from tests.web.api.shop import JOB, OPERATOR
from tests.web.api.test_reading import address

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres import Cluster


BACKUP_REPORT = "/api/v1/heartbeats/shop/backup"
CHECKS = "site", "database", "backup", "orders", "left"


async def everything(daemon: Watching) -> dict[str, str]:
    """Return every answer that can be read, by its path."""
    paths = {address(one) for one in OPERATIONS if one.access in {Access.READ, Access.BADGE, Access.OPEN}}
    paths |= {f"/api/v1/systems/shop/checks/{check}{more}" for check in CHECKS for more in ("", "/samples")}
    found = {}
    for path in sorted(paths):
        status, text = await asked(daemon, "GET", path)
        assert status == 200, (path, text)
        found[path] = text
    return found


async def test_everything_is_answered_and_nothing_secret_is(tmp_path: Path) -> None:
    """Secrets stand in addresses, headers, expectations, remedies, tokens, and in what the product says again."""
    async with watching(tmp_path) as daemon:
        await asked(daemon, "POST", "/api/v1/acks", {"system": "shop"})
        answers = await everything(daemon)
    for path, text in answers.items():
        for secret in (*SECRETS.values(), OPERATOR):
            assert secret not in text, (path, text)
    detail = json.loads(answers["/api/v1/systems/shop/checks/site"])
    assert detail["configuration"]["kind"] == "http"


async def test_an_instance_that_waits_shows_what_the_store_knows(tmp_path: Path, postgres: Cluster) -> None:
    """And says who leads. It acts through the store; reports it leaves to the one that leads."""
    postgres.psql("CREATE DATABASE api_of_two")
    store = postgres.dsn("api_of_two")
    (tmp_path / "leads").mkdir()
    (tmp_path / "waits").mkdir()
    async with (
        watching(tmp_path / "leads", MONITOR_DATABASE_URL=store) as leader,
        watching(tmp_path / "waits", MONITOR_DATABASE_URL=store, waits=True) as waiting,
    ):
        await say(leader, BACKUP_REPORT, JOB)
        shown = await warned(waiting)
        systems, here = await everything(waiting), await everything(leader)
        assert json.loads(here["/api/v1/systems"])["leads"] is True
        told = json.loads(systems["/api/v1/systems"])
        assert told["leads"] is False
        assert told["leader"]
        jobs = json.loads(systems["/api/v1/heartbeats"])["heartbeats"]
        assert [job["last_success_at"] is not None for job in jobs] == [True]
        assert shown["figures"][0]["firing"] == "warning"
        assert json.loads(systems["/api/v1/systems/shop/checks/database/samples"])["samples"]
        status, text = await asked(waiting, "POST", "/api/v1/acks", {"system": "shop", "check": "database"})
        assert (status, json.loads(text)["done"]) == (202, False)
        assert await say(waiting, BACKUP_REPORT, JOB) == 503


async def warned(daemon: Watching) -> dict[str, Any]:
    """Return how the database stands, once an instance has read from the store that it is nearly full."""
    for _ in range(200):
        _, text = await asked(daemon, "GET", "/api/v1/systems/shop/checks/database")
        shown: dict[str, Any] = json.loads(text)
        if shown["condition"] == "warning":
            return shown
        await asyncio.sleep(0.1)
    raise AssertionError("it never saw that")


async def say(daemon: Watching, path: str, token: str) -> int:
    """Report something; return the status of the answer."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.post(daemon.address + path) as answer:
        return answer.status

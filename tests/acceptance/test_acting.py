"""What people do to a real daemon: by commands beside it, over HTTP, and with nobody there to do it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.acceptance.peers import until
from tests.acceptance.process import DELIVERED, SITE, Ended, command

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.acceptance.peers import Receiver, Shop
    from tests.acceptance.process import Monitor

TOKEN = "operator-token-of-this-test"
FIRING = "SELECT * FROM alerts WHERE json_extract(body, '$.severity') IS NOT NULL"
DONE = "SELECT id FROM acts WHERE done_at IS NOT NULL"


async def fires(daemon: Monitor, hook: Receiver) -> None:
    """Return when the page was taken, and the store knows that."""
    await hook.hears("firing")
    await until(lambda: daemon.stored(DELIVERED), "noted that it was delivered")


async def live(daemon: Monitor) -> list[dict[str, Any]]:
    ended = await command(daemon.folder, "alerts", "--output", "json")
    assert (ended.status, ended.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(ended.out)
    return found


async def test_an_alert_is_acknowledged_by_a_command_beside_the_daemon(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """Twice is as once; the daemon leads on in its first term; of what is over there is nothing to take."""
    shop.breaks()
    async with watching(SITE) as daemon:
        await fires(daemon, hook)
        first = await command(
            daemon.folder, "ack", "shop/site", "--for", "2h", "--why", "rolling back", "--who", "anna"
        )
        again = await command(daemon.folder, "ack", "shop", "--for", "2h", "--why", "rolling back", "--who", "anna")
        assert [one.status for one in (first, again)] == [0, 0], (first, again)
        assert first.out.startswith("The shop: Front page: down: acknowledged by anna until ")
        assert first.out.endswith("(rolling back)\n")
        (found,) = await live(daemon)
        assert (found["acknowledged"]["who"], found["acknowledged"]["why"]) == ("anna", "rolling back")
        assert len(daemon.stored(DONE)) == 2
        history = await command(daemon.folder, "history", "shop/site")
        assert "acknowledged" in history.out
        assert daemon.stored("SELECT token FROM leases") == [(1,)]
        assert await daemon.shows("monitor_leader") == 1
        shop.heals()
        await until(lambda: not daemon.stored(FIRING), "all well")
    nothing = await command(daemon.folder, "ack", "shop")
    assert (nothing.status, nothing.out) == (1, "nothing fires at shop\n")


async def test_a_silence_holds_over_a_kill_and_until_it_is_lifted(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """What is asked for while nobody runs is done by the next one; nothing of it is lost, or done twice."""
    async with watching(SITE) as daemon:
        await until(lambda: daemon.stored("SELECT * FROM samples"), "a first sample")
        begun = await command(daemon.folder, "silence", "shop", "--for", "1h", "--why", "a move", "--who", "anna")
        assert begun.status == 0
        assert begun.out.startswith("shop: silenced from ")
        await daemon.kill()
        shop.breaks()
        noted = await command(daemon.folder, "silence", "shop/site", "--for", "2h", "--maintenance")
        assert (noted.status, noted.out) == (0, "noted; it will be carried out when a daemon runs\n")
        await daemon.start()
        await until(lambda: len(daemon.stored("SELECT * FROM silences")) == 2, "the other silence")
        await until(lambda: daemon.stored(FIRING), "an alert that fires")
        await daemon.kill()
        await daemon.start()
        (found,) = await live(daemon)
        assert found["silenced_until"]
        listed = await command(daemon.folder, "silence", "--list")
        assert [line.split(" from ")[0] for line in listed.out.splitlines()] == [
            "shop: silenced",
            "shop/site: maintenance",
        ]
        assert not hook.posts
        lifted = await command(daemon.folder, "silence", "shop", "--lift")
        assert (lifted.status, sorted(lifted.out.splitlines())) == (0, ["shop/site: lifted", "shop: lifted"])
        await hook.hears("firing")
        assert len(daemon.stored("SELECT * FROM silences")) == 2
        assert len(daemon.stored(DONE)) == 4


async def test_a_note_of_what_helped_is_in_the_history(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    """By either name of the command."""
    shop.breaks()
    async with watching(SITE) as daemon:
        await fires(daemon, hook)
        first = await command(daemon.folder, "history", "note", "shop/site", "restarted it", "--who", "anna")
        second = await command(daemon.folder, "note", "shop/site", "and the cache", "--alert", "down", "--who", "ben")
        assert [(one.status, one.out) for one in (first, second)] == [(0, "noted: shop/site down\n")] * 2
        told = await command(daemon.folder, "history", "shop/site")
        assert "restarted it" in told.out
        assert "and the cache" in told.out


async def test_everything_is_done_over_http_with_the_operators_token(
    shop: Shop, hook: Receiver, watching: Callable[..., Monitor]
) -> None:
    shop.breaks()
    async with watching(SITE, MONITOR_TOKEN=TOKEN) as daemon:
        await hook.hears("firing")
        async with aiohttp.ClientSession(f"{daemon.url}/", headers={"Authorization": f"Bearer {TOKEN}"}) as api:

            async def ask(method: str, path: str, **body: object) -> tuple[int, dict[str, Any]]:
                async with api.request(method, f"api/v1/{path}", json=body or None) as answer:
                    return answer.status, await answer.json()

            status, told = await ask("GET", "alerts")
            assert (status, [one["title"] for one in told["alerts"]]) == (200, ["The shop: Front page: down"])
            wish = {"system": "shop", "check": "site", "for": "2h", "who": "anna", "id": "press-1"}
            for _ in range(2):
                status, told = await ask("POST", "acks", **wish)
                assert (status, told["done"], told["id"]) == (200, True, "press-1")
                assert told["alerts"][0]["acknowledged"]["who"] == "anna"
            status, told = await ask("POST", "runs", system="shop", check="site")
            assert (status, told["said"]) == (200, "shop/site was run: down, expected status 2xx, got 502")
            status, told = await ask("POST", "silences", system="all", **{"for": "1h"})
            assert status == 200
            (silence,) = told["silences"]
            assert silence["id"] == told["id"]
            status, told = await ask("DELETE", f"silences/{silence['id']}")
            assert (status, told["done"]) == (200, True)
            assert await ask("GET", "silences") == (200, {"silences": []})
        assert len([line for line in daemon.log if line["event"] == "act"]) == 4


async def test_a_command_where_no_store_is_fails_and_makes_none(
    watching: Callable[..., Monitor],
) -> None:
    daemon = watching()
    commands = ["ack", "shop"], ["silence", "shop", "--for", "1h"], ["note", "shop/site", "x"], ["silence", "--list"]
    ended: list[Ended] = await asyncio.gather(*(command(daemon.folder, *words) for words in commands))
    away = await command(daemon.folder, "ack", "shop", MONITOR_DATABASE_URL="postgres://me:hunter2@127.0.0.1:1/store")
    assert [one.status for one in (*ended, away)] == [1] * 5
    assert {one.err for one in ended} == {f"there is no store at {daemon.store}\n"}
    assert "hunter2" not in away.err
    assert not daemon.store.parent.exists()

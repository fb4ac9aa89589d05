"""Would somebody really be woken, and could they take it? `monitor drill` beside the real process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.acceptance.peers import until
from tests.acceptance.process import DELIVERED, command
from tests.channels.peers import mails
from tests.channels.slack_api import BOT, Fault, slack

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.acceptance.peers import Receiver
    from tests.acceptance.process import Monitor

SITE = """
  shop:
    title: The shop
    defaults: {every: 1s, timeout: 2s, down: {critical: 2}}
    checks: {site: {url: "${SHOP_URL}/", title: Front page}}
"""
TITLE = "Drill, nothing is broken: The shop: Front page"
GOES_ON = "SELECT * FROM alerts WHERE json_extract(body, '$.drill') IS NOT NULL"
UNDER_WAY = "a drill of shop/site goes on since "


async def test_a_drill_is_taken_by_a_command_over_a_kill(hook: Receiver, watching: Callable[..., Monitor]) -> None:
    """Nothing is broken: no figure of the shop moves, and the history tells it apart. A second one is refused."""
    file = f'channels: {{hook: "${{HOOK_URL}}"}}\nsystems:{SITE}'
    async with watching(file) as daemon:
        await until(lambda: daemon.stored("SELECT * FROM samples"), "a first sample")
        drill = asyncio.create_task(command(daemon.folder, "drill", "shop/site", "--who", "eve"))
        await hook.hears("firing")
        await until(lambda: daemon.stored(DELIVERED), "noted that it was delivered")
        await daemon.kill()
        await daemon.start()
        await until(lambda: daemon.stored(GOES_ON), "the drill")
        again = await command(daemon.folder, "drill", "shop/site")
        assert again.status == 1
        assert again.out.startswith(UNDER_WAY)
        taken = await command(daemon.folder, "ack", "shop/site", "--who", "ana")
        assert (taken.status, taken.out) == (0, f"{TITLE}: the drill is over\n")
        ended = await drill
        assert ended.status == 0, ended
        said = [line[21:] for line in ended.out.splitlines()]
        assert said[:3] == ["opened by eve", "to hook: opened", "hook accepted it (opened)"]
        assert "ana took it" in said
        assert ended.out.splitlines()[-1].startswith("drill of shop/site: ana took it after ")
        told = await command(daemon.folder, "history", "shop")
        assert f"  drill: {TITLE}, over: ana took it after " in told.out
        assert "0 incidents of shop" in told.out
        assert 'alert="drill"' not in await daemon.page()
        await until(lambda: not daemon.stored(GOES_ON), "its end")
    (alert,) = hook.posts[0].alerts
    assert alert["labels"]["alertname"] == "drill"
    assert alert["annotations"]["summary"] == TITLE


async def test_a_drill_that_nobody_takes_finds_a_revoked_token(watching: Callable[..., Monitor]) -> None:
    """The others hear of it by mail: of the channel as soon as it is known, and in the end of the drill."""
    async with slack() as workspace, mails() as box:
        workspace.fails("chat.postMessage", *[Fault(error="token_revoked")] * 9)
        file = (
            f"channels:\n  ops: {{kind: slack, token: '{BOT}', channel: C0MONITOR, "
            f"url: 'http://127.0.0.1:{workspace.port}/api'}}\n"
            f"  oncall: {{kind: email, to: [oncall@example.com], smtp: 'smtp://127.0.0.1:{box.port}'}}\n"
            f"routes: [{{notify: [ops]}}]\nsystems:{SITE}"
        )
        async with watching(file) as daemon:
            await until(lambda: daemon.stored("SELECT * FROM samples"), "a first sample")
            ended = await command(daemon.folder, "drill", "shop/site", "--within", "5s")
            assert ended.status == 1
            last = ended.out.splitlines()[-2:]
            assert last[0] == "drill of shop/site: nobody took it within 5 s"
            assert last[1].startswith("ops: rejected: ")
            assert "token_revoked" in last[1]
    subjects = [str(mail["Subject"]) for mail in box.got]
    assert len(subjects) == 2
    assert "ops did not take the message" in subjects[0]
    assert "Drill failed, nobody took it within 5 s" in subjects[1]
    assert "token_revoked" in str(box.got[1])

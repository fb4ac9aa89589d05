"""Slack as a conversation, with the real process: buttons over Socket Mode, a kill -9 amid it, and one message only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.acceptance.peers import until
from tests.channels.slack_api import APP, BOT, ROOM, Slack, slack

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.acceptance.peers import Shop
    from tests.acceptance.process import Monitor

FILE = """
channels:
  ops:
    kind: slack
    token: ${{BOT}}
    app_token: ${{APP}}
    channel: {0}
    users: [U0ALICE]
    mention: U0ONCALL1
    url: {1}
systems:
  shop:
    checks:
      site: {{url: "${{SHOP_URL}}", every: 300ms, down: {{critical: 2}}, remedy: [Restart it., Scale it out.]}}
"""


async def pressed(workspace: Slack, label: str, user: str = "U0ALICE") -> str:
    """Press a button of the first message; return what the person is told."""
    before = len(workspace.private)
    await until(lambda: label in workspace.roots[0].buttons, f"a button {label}")
    await workspace.press(workspace.roots[0], label, user)
    await until(lambda: len(workspace.private) > before, f"an answer to {label}")
    return workspace.private[-1][1]


async def test_an_outage_is_one_message_that_people_act_upon_over_a_kill(
    shop: Shop, watching: Callable[..., Monitor]
) -> None:
    async with slack() as workspace:
        text = FILE.format(ROOM, f"http://127.0.0.1:{workspace.port}/api")
        async with watching(text, BOT=BOT, APP=APP) as monitor:
            await until(lambda: workspace.sockets, "a connection")
            shop.status = 500
            await until(lambda: workspace.rang, "a page")
            root = workspace.roots[0]
            assert "may not do this" in await pressed(workspace, "Acknowledge", "U0MALLORY")
            assert "silent until" in await pressed(workspace, "Silence 1 h")
            assert "was run: down" in await pressed(workspace, "Run now")
            await monitor.kill()
            await until(lambda: not workspace.sockets, "the end of the connection")
            await monitor.start()
            await until(lambda: workspace.sockets, "a new connection")
            shop.status = 200
            await until(lambda: "Resolved" in root.headline, "the end")
            assert "oted" in await pressed(workspace, "2. Scale it out.")
            assert workspace.roots == [root]
            assert workspace.rang == [root]
            assert "hunter2" not in repr(monitor.log)

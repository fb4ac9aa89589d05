"""Everybody who is told, with the real process: Slack with its buttons, a real SMTP server, a real Alertmanager.

One outage that nobody takes escalates; another, that somebody takes in Slack, does not; the ends reach all.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import Monitor
from tests.channels.peers import mails, posts
from tests.channels.slack_api import APP, BOT, ROOM, slack
from tests.channels.test_alertmanager import alertmanager, firing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.channels.peers import Mails
    from tests.channels.slack_api import Slack

FILE = """
channels:
  ops: {{kind: slack, token: "${{BOT}}", app_token: "${{APP}}", channel: {room}, users: [U0ALICE], url: "{api}"}}
  oncall: {{kind: email, to: [oncall@example.com], smtp: "${{SMTP_URL}}"}}
  cto: {{kind: email, to: [cto@example.com], smtp: "${{SMTP_URL}}"}}
  am: {{kind: alertmanager, url: "{alertmanager}"}}
routes:
  - {{severity: critical, notify: [ops, oncall, am], repeat: 1h, escalate: [{{after: 4s, notify: cto}}]}}
systems:
  {system}:
    checks:
      site: {{url: "${{SHOP_URL}}/", every: 300ms, down: {{critical: 2}}, remedy: [Restart it.]}}
"""


@dataclass
class Told:
    """What arrived where, and what a real Alertmanager held before and after."""

    mails: list[tuple[str, str]]
    slack: list[str]
    held: list[tuple[str, str]]
    left: list[tuple[str, str]]


async def outage(folder: Path, *, taken: bool) -> Told:
    """Let a shop fail; let nobody, or Alice in Slack, take it; heal it once that has had its time."""
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(peers.shop())
        workspace: Slack = await stack.enter_async_context(slack())
        mailbox: Mails = await stack.enter_async_context(mails())
        hook = await stack.enter_async_context(posts())
        port = await stack.enter_async_context(alertmanager(folder, hook.port))
        text = FILE.format(
            room=ROOM,
            api=f"http://127.0.0.1:{workspace.port}/api",
            alertmanager=f"http://127.0.0.1:{port}",
            system="shop",
        )
        smtp = f"smtp://127.0.0.1:{mailbox.port}?starttls=never"
        monitor = Monitor(folder, text, SHOP_URL=shop.url, BOT=BOT, APP=APP, SMTP_URL=smtp)
        await stack.enter_async_context(monitor)
        await until(lambda: workspace.sockets, "a connection")
        shop.breaks()
        await until(lambda: workspace.roots and mailbox.got, "a page")
        if taken:
            await until(lambda: "Acknowledge" in workspace.roots[0].buttons, "a button")
            await workspace.press(workspace.roots[0], "Acknowledge", "U0ALICE")
            await until(lambda: "Taken by" in workspace.roots[0].headline, "who took it, in the message itself")
        else:
            await until(lambda: addressed(mailbox)[-1][0] == "cto@example.com", "an escalation")
        held = await firing(port)
        shop.heals()
        await until(lambda: "Resolved" in workspace.roots[0].headline, "the end in Slack")
        ends = 1 if taken else 2
        await until(lambda: sum("Resolved" in said for _, said in addressed(mailbox)) == ends, "the end by mail")
        await until(lambda: bool(hook.got) and hook.got[-1]["status"] == "resolved", "the end in Alertmanager")
        heard = [message.headline for message in workspace.roots]
        return Told(addressed(mailbox), heard, held, await firing(port))


def addressed(mailbox: Mails) -> list[tuple[str, str]]:
    """Return to whom each mail went, and its first line."""
    texts = ((str(mail["To"]), mail.get_body(("plain",))) for mail in mailbox.got)
    return [(to, str(text.get_content()).partition("\n")[0]) for to, text in texts if text]


async def untaken(folder: Path) -> Told:
    return await outage(folder, taken=False)


async def taken_in_slack(folder: Path) -> Told:
    return await outage(folder, taken=True)


@pytest.mark.story(tell=untaken)
def test_what_nobody_takes_escalates_and_its_end_reaches_everybody(told: Told) -> None:
    """One message in Slack, edited; mails in order; Alertmanager held it, and let it go."""
    assert [to for to, _ in told.mails][:2] == ["oncall@example.com", "cto@example.com"]
    assert "Escalated, nobody took it" in told.mails[1][1]
    assert len(told.slack) == 1
    assert (told.held, told.left) == ([("down", "critical")], [])


@pytest.mark.story(tell=taken_in_slack)
def test_what_somebody_takes_in_slack_does_not_escalate(told: Told) -> None:
    """The CTO never hears of it."""
    assert "cto@example.com" not in {to for to, _ in told.mails}
    assert len(told.slack) == 1
    assert (told.held, told.left) == ([("down", "critical")], [])

"""An outage from its beginning to its end, as each kind of channel, the terminal and Prometheus see it.

What ends within a minute of its page is told when that minute is over: each resolve without a restart takes that long.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import Monitor, program
from tests.channels.peers import mails

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

    from tests.acceptance.peers import Post

THREE_CHANNELS = """
channels:
  ops: {kind: slack, webhook_url: "${SLACK_URL}"}
  oncall: {kind: email, to: [oncall@example.com], smtp: "${SMTP_URL}"}
  hook: "${HOOK_URL}"
routes: [{severity: critical, notify: [ops, oncall, hook]}]
systems:
  shop:
    title: The shop
    runbook: https://example.com/runbook
    defaults: {every: 1s, timeout: 2s, retry: {every: 200ms}, down: {critical: 2}}
    checks:
      site:
        url: ${SHOP_URL}/
        title: Front page
        expect: {status: 200}
        remedy: Restart the shop.
        thresholds: [{watch: duration, warning: "> 1s", critical: "> 1500ms"}]
"""
FIVE_LINES = """
channels: {ops: "${HOOK_URL}"}
systems:
  shop:
    checks: {site: "${SHOP_URL}/"}
"""
TITLE = "The shop: Front page: down"
REMEDY = "Restart the shop."
FIRING = 'monitor_alert{system="shop",check="site",alert="down",severity="critical",state="firing",series=""}'
SUCCESS = 'monitor_probe_success{system="shop",check="site",kind="http"}'
STATUS = 'monitor_probe_failures_total{system="shop",check="site",reason="status"}'


@dataclass
class Outage:
    """What was seen of one outage, at each kind of channel and on the metrics page."""

    hook: list[Post]
    slack: list[Post]
    mails: list[EmailMessage]
    pages: dict[str, str] = field(default_factory=dict)


async def outage(folder: Path) -> Outage:
    """Break the shop and heal it, while three channels listen."""
    async with peers.shop() as shop, peers.receiver() as hook, peers.receiver() as slack, mails() as mailbox:
        seen = Outage(hook.posts, slack.posts, mailbox.got)
        urls = {"HOOK_URL": hook.url, "SLACK_URL": slack.url, "SMTP_URL": f"smtp://127.0.0.1:{mailbox.port}"}
        async with Monitor(folder, THREE_CHANNELS, SHOP_URL=shop.url, **urls) as daemon:
            await until(lambda: shop.asked > 1, "a second run")
            seen.pages["well"] = await daemon.page()
            shop.breaks()
            await until(lambda: hook.posts and slack.posts and mailbox.got, "a page everywhere")
            seen.pages["down"] = await daemon.page()
            shop.heals()
            await hook.hears("resolved")
            await until(lambda: len(slack.posts) > 1 and len(mailbox.got) > 1, "a resolve everywhere")
            seen.pages["over"] = await daemon.page()
        return seen


@pytest.mark.story(tell=outage)
def test_a_webhook_gets_the_page_and_its_end(told: Outage) -> None:
    """Title, remedy, since, what was expected and what came; then the end of the same incident; nothing else."""
    page, over = told.hook
    alert, ended = page.alerts[0], over.alerts[0]
    assert alert["status"] == "firing"
    labels = {"alertname": "down", "system": "shop", "check": "site", "severity": "critical"}
    assert alert["labels"] == labels
    said = alert["annotations"]
    assert (said["summary"], said["remedy"]) == (TITLE, REMEDY)
    assert said["runbook_url"] == "https://example.com/runbook"
    assert "502" in said["description"]
    since = datetime.fromisoformat(alert["startsAt"])
    assert timedelta() < datetime.now(UTC) - since < timedelta(hours=1)
    assert (ended["status"], ended["fingerprint"], ended["startsAt"]) == (
        "resolved",
        alert["fingerprint"],
        alert["startsAt"],
    )
    assert datetime.fromisoformat(ended["endsAt"]) > since
    assert page.key != over.key


@pytest.mark.story(tell=outage)
def test_slack_gets_the_page_and_its_end(told: Outage) -> None:
    """As blocks, and as text for the notification on a phone."""
    page, over = [str(post.payload) for post in told.slack]
    assert all(text in page for text in (TITLE, REMEDY, "since", "502", "https://example.com/runbook", "CRITICAL"))
    assert "Resolved after" in over
    assert TITLE in over


@pytest.mark.story(tell=outage)
def test_a_mailbox_gets_the_page_and_its_end_as_one_thread(told: Outage) -> None:
    """One subject and one root, so that mail programs show them together; plain text and HTML both say it all."""
    page, over = told.mails
    for kind in ("plain", "html"):
        body = page.get_body((kind,))
        assert body
        text = body.get_content()
        assert all(part in text for part in (TITLE, REMEDY, "since", "502", "CRITICAL")), kind
    assert TITLE in page["Subject"]
    assert over["Subject"].removeprefix("Re: ") == page["Subject"]
    assert page["References"] == over["References"]
    assert page["Auto-Submitted"] == "auto-generated"
    ended = over.get_body(("plain",))
    assert ended
    assert "Resolved after" in ended.get_content()


@pytest.mark.story(tell=outage)
def test_the_metrics_show_the_outage_and_its_end(told: Outage) -> None:
    """Success, failures by reason, and the alert, which vanishes when it is over."""
    pages = {when: Monitor.read(page) for when, page in told.pages.items()}
    assert [pages[when][SUCCESS] for when in ("well", "down", "over")] == [1, 0, 1]
    assert [pages[when].get(FIRING) for when in ("well", "down", "over")] == [None, 1, None]
    assert pages["well"][STATUS] == 0
    assert pages["down"][STATUS] >= 2
    assert pages["over"]['monitor_threshold{system="shop",check="site",watch="duration",level="warning"}'] == 1


@pytest.mark.story(tell=outage)
def test_promtool_has_nothing_to_say_of_the_metrics(told: Outage) -> None:
    """Before, during and after the outage."""
    promtool = program("promtool", "prometheus")
    for page in told.pages.values():
        judged = subprocess.run(
            [promtool, "check", "metrics"], input=page, capture_output=True, text=True, check=False, timeout=30
        )
        assert (judged.returncode, judged.stdout, judged.stderr) == (0, "", "")


async def five_lines(folder: Path) -> list[Post]:
    """Run the shortest file, at the pace of the defaults; return what the receiver got."""
    async with peers.shop() as shop, peers.receiver() as hook:
        shop.breaks()
        async with Monitor(folder, FIVE_LINES, SHOP_URL=shop.url, HOOK_URL=hook.url):
            await hook.hears("firing")
            shop.heals()
            await hook.hears("resolved")
        return hook.posts


@pytest.mark.story(tell=five_lines)
def test_the_five_line_file_pages_and_resolves(told: list[Post]) -> None:
    """An address in, an address out, and nothing else."""
    page, over = told
    assert (page.alerts[0]["status"], over.alerts[0]["status"]) == ("firing", "resolved")
    assert page.incidents == over.incidents
    assert page.alerts[0]["annotations"]["summary"] == "shop: site: down"

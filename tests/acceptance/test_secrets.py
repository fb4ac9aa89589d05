"""Secrets come out nowhere: not in a log, a metric, a command's output, the database, or another channel's message."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import Monitor, command
from tests.peers import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.peers import Shop

FILE = """
channels:
  ops: {kind: slack, webhook_url: "${SLACK_WEBHOOK_URL}"}
  oncall: {kind: email, to: [oncall@example.com], smtp: "${SMTP_URL}"}
  hook: {kind: webhook, url: "${HOOK_URL}", bearer: "${HOOK_BEARER}", headers: {X-Key: "${HOOK_KEY}"}}
  console: {kind: console}
routes: [{severity: critical, notify: [ops, oncall, hook, console]}]
systems:
  shop:
    defaults: {every: 1s, timeout: 2s, retry: {every: 200ms}, down: {critical: 2}, expect: {body: welcome}}
    checks:
      token: {url: "${SHOP_URL}/", auth: {bearer: "${SHOP_TOKEN}"}, headers: {X-Key: "${SHOP_KEY}"}}
      password: {url: "${SHOP_URL}/", auth: {basic: {user: me, password: "${SHOP_PASSWORD}"}}}
      query: {url: "${SHOP_URL}/?key=${SHOP_QUERY}"}
"""
MARK = "marked-{}-7c1e"
MARKED = (
    *("HOOK_BEARER", "HOOK_KEY", "SHOP_TOKEN", "SHOP_KEY", "SHOP_PASSWORD", "SHOP_QUERY"),
    *("MONITOR_TOKEN", "MONITOR_SCRAPE_TOKEN"),
)


async def test_no_secret_comes_out_anywhere(shop: Shop, tmp_path: Path) -> None:
    """The shop repeats what it is asked with, the receivers refuse: every output has had each secret on its way."""
    shop.echoes = True
    secrets = {name: MARK.format(name.lower().replace("_", "-")) for name in MARKED}
    paths = {name: MARK.format(name) for name in ("slack", "hook", "smtp", "deadman", "write", "write-path")}
    async with peers.receiver() as slack, peers.receiver() as hook:
        slack.status = hook.status = 403
        nowhere = free_port()
        variables = {
            **secrets,
            "SHOP_URL": shop.url,
            "SLACK_WEBHOOK_URL": slack.url.replace("token-of-the-receiver", paths["slack"]),
            "HOOK_URL": hook.url.replace("token-of-the-receiver", paths["hook"]),
            "SMTP_URL": f"smtp://me:{paths['smtp']}@127.0.0.1:{nowhere}",
            "MONITOR_DEADMAN_URL": f"http://127.0.0.1:{nowhere}/{paths['deadman']}",
            "MONITOR_REMOTE_WRITE_URL": f"http://me:{paths['write']}@127.0.0.1:{nowhere}/{paths['write-path']}",
            "MONITOR_REMOTE_WRITE_EVERY": "1s",
        }
        daemon = Monitor(tmp_path, FILE, **variables, LOG_LEVEL="debug")
        file = str(daemon.file)
        outputs = await asyncio.gather(
            *(
                command(tmp_path, "check", "-c", file, "--output", form, **variables)
                for form in ("text", "json", "junit")
            ),
            command(tmp_path, "validate", "-c", file, **variables),
            *(command(tmp_path, "explain", f"shop/{name}", "-c", file, **variables) for name in ("token", "password")),
            *(
                command(tmp_path, "notify", name, "-c", file, **variables)
                for name in ("ops", "oncall", "hook", "console")
            ),
        )
        async with daemon:
            await until(lambda: slack.posts and hook.posts and daemon.out, "a page at each channel")
            await until(lambda: "rejected" in str(daemon.log), "a refusal")
            await daemon.logs("remote_write_unreachable")
            page = await daemon.page(token=secrets["MONITOR_SCRAPE_TOKEN"])
            refused = await daemon.page()
    said = {
        "commands": "".join(ended.out + ended.err for ended in outputs),
        "log": str(daemon.log),
        "terminal": "\n".join(daemon.out),
        "metrics": page + refused,
        "messages": str([post.payload for post in (*slack.posts, *hook.posts)]),
        "files": "".join(
            path.read_bytes().decode("latin-1") for path in (tmp_path / "data").iterdir() if path.is_file()
        ),
    }
    basic = base64.b64encode(f"me:{secrets['SHOP_PASSWORD']}".encode()).decode()
    leaks = [
        (where, secret)
        for where, text in said.items()
        for secret in (*secrets.values(), *paths.values(), basic)
        if secret in text
    ]
    assert leaks == []
    assert "expected" in said["messages"]
    assert "•••" in said["messages"]
    assert "monitor_probe_success" in page
    assert "monitor_probe_success" not in refused

"""A shop with two channels, and its tests, written to a folder and played."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.trial import read_trials, run_trials

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.trial import Outcome

SHOP = """
channels:
  ops: https://hooks.example.com/ops
  oncall: {kind: webhook, url: https://hooks.example.com/oncall, fallback: ops}
routes:
  - {severity: critical, notify: [ops, oncall], repeat: 30m}
  - {severity: warning, notify: ops}
systems:
  shop:
    checks:
      site: {url: "https://shop.example.com/", every: 30s, expect: {status: 200, body: shop}}
      cart: {url: "https://cart.example.com/", every: 30s, needs: [site], expect: {status: 200, body: cart}}
      database:
        kind: postgres
        dsn: postgresql://shop.example.com/shop
        every: 1m
        thresholds:
          - {watch: connection_share, name: connections, warning: "> 80%", critical: "> 95%", for: 2m}
          - {watch: 'connections{state="idle"}', name: idle, warning: "> 10"}
      mail:
        kind: sql
        dsn: postgresql://shop.example.com/shop
        query: SELECT kind, sent FROM mail
        labels: [kind]
        measures: {sent: number}
        every: 10m
        thresholds:
          - {watch: "usual(sent, 1h)", name: unusual, info: "> 2"}
"""
SITE = "results: {shop/site: up x4 down(timeout)x3 up x4}"


def write(folder: Path, tests: str, config: str = SHOP) -> Path:
    """Write both files; return that of the tests."""
    (folder / "monitor.yaml").write_text(config, "utf-8")
    file = folder / "tests.yaml"
    file.write_text(f"config: monitor.yaml\n{tests}", "utf-8")
    return file


async def play(folder: Path, tests: str, config: str = SHOP) -> list[Outcome]:
    """Return how each test ended."""
    file = write(folder, tests, config)
    return [outcome async for outcome in run_trials(read_trials([file], None, folder))]


async def told(folder: Path, story: str) -> list[tuple[int, str, tuple[str, ...]]]:
    """Return what was wrong with one story: the line, what was expected and what came."""
    (outcome,) = await play(folder, f"tests:\n- name: a story\n{_indented(story)}")
    return [(failure.place.line, failure.expected, failure.came) for failure in outcome.failures]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())

"""What `explain` says of a check."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.config import load
from monitor.explain import explain
from monitor.model import CheckId
from tests.fakes import START

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
channels:
  ops: {kind: webhook, url: "${HOOK}", fallback: mail}
  mail: {kind: email, to: [oncall@example.com], smtp: "smtp://u:hunter22@mail.example.com"}
routes:
  - {severity: critical, notify: [ops], repeat: 30m}
systems:
  shop:
    title: The shop
    zone: Europe/Berlin
    checks:
      base: {kind: tcp, host: db.example.com, port: 5432}
      site:
        url: https://shop.example.com/
        auth: {bearer: "${TOKEN}"}
        needs: [base]
        remedy: [Roll back., Call somebody.]
        remedy_for: {dns: Ask the registrar.}
        thresholds:
          - watch: "p95(duration, 15m)"
            name: slow
            target: "< 200ms"
            warning: "> 300ms"
            critical: "> 500ms"
            for: 1m
          - {watch: "usual(duration, 1h)", warning: "> 3"}
          - {watch: "drift(phase by phase, 1d)", info: "> 30%"}
          - {watch: "unseen(phase, 2h)", info: "> 0"}
"""


@pytest.fixture
def text(tmp_path: Path) -> str:
    source = tmp_path / "monitor.yaml"
    source.write_text(FILE)
    config = load(source, {"HOOK": "https://hook.example.com/secret-path", "TOKEN": "top-secret"})
    return explain(config.plans[CheckId("shop", "site")], config, START)


@pytest.mark.parametrize(
    "words",
    [
        "shop/site: The shop, site",
        "every 30 s, ended after 10 s, again 10 s after a failed run",
        "down (critical) after 3 failed runs in a row, over after 2 good ones",
        "slow: p95(duration, 15m): good < 200ms, warning > 300ms for 1 min until quiet for 1 min",
        "certificate: expiry",
        "usual(duration, 1h): warning > 3\n    times the median of that hour of the week over the last 8 weeks",
        "hours of Europe/Berlin; silent until there are two weeks of history",
        "how much of the mix of the values of phase is other than on the days of the last 8 weeks; silent until",
        "1 for each of the label sets that no hour has seen before, for 2 h; silent until",
        "critical: ops (webhook, else mail), reminded every 30 min",
        "warning: nobody",
        "shop/base: while it fails, alerts of this check are held back",
        "dns: Ask the registrar.",
        "Roll back.",
        "The shop: site: down",
        "duration (seconds)",
    ],
)
def test_it_says_what_the_file_means_defaults_included(text: str, words: str) -> None:
    """Everything that matters to whoever is to be woken by it."""
    assert words in text


def test_it_shows_no_secret(text: str) -> None:
    """Neither tokens nor what is in addresses."""
    assert not any(secret in text for secret in ("top-secret", "hunter22", "secret-path"))


def test_a_certificate_that_another_check_watches_is_said_to_be(tmp_path: Path) -> None:
    source = tmp_path / "monitor.yaml"
    source.write_text(FILE + "      cart: https://shop.example.com/cart\n")
    config = load(source, {"HOOK": "https://hook.example.com/secret-path", "TOKEN": "top-secret"})
    assert "certificate: watched by shop/site" in explain(config.plans[CheckId("shop", "cart")], config, START)

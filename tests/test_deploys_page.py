"""The example of docs/deploys.md loads as it stands, and means what the page says."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from monitor.config import load
from monitor.protocol import protocol

PAGE = (Path(__file__).parents[1] / "docs/deploys.md").read_text("utf-8")


def test_the_example_says_what_follows_a_deploy(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "shop.yaml").write_text(example, "utf-8")
    environ = {"SHOP_DATABASE_URL": "postgresql://watcher:pass@localhost/shop", "SHOP_DEPLOY_TOKEN": "0123456789abcdef"}
    config = load(tmp_path, environ)
    terms = config.systems["shop"].deploys
    assert terms.spans == (timedelta(hours=1), timedelta(hours=24))
    assert terms.token
    assert terms.token in config.secrets
    listed = protocol("shop", terms.checks, config.plans.values())
    assert [plan.id.check for plan in listed] == ["health", "schema", "smoke"]


def test_without_a_token_nobody_can_report_one(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("system: shop\ndeploys: {token: ''}\nchecks: {a: http://localhost/}\n", "utf-8")
    assert load(tmp_path, {}).systems["shop"].deploys.token is None

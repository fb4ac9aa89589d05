"""The example in docs/grants.md: what it says is printed is printed."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.config import load
from monitor.grants import sheet

PAGE = Path(__file__).parents[2] / "docs" / "grants.md"
ENVIRON = {
    "SHOP_DSN": "postgresql://watch:pass@db.example.com/shop",
    "REDIS_URL": "redis://jobs:pass@cache.example.com",
    "STRIPE_KEY": "rk_live_1",
}


def test_the_example_is_what_is_printed(tmp_path: Path) -> None:
    blocks = dict(re.findall(r"^```(yaml|text)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    (tmp_path / "shop.yaml").write_text(blocks["yaml"])
    config = load(tmp_path / "shop.yaml", ENVIRON)
    assert sheet(config.plans.values(), config.channels) == blocks["text"].splitlines()

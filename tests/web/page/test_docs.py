"""What docs/page.md says is so."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.config import load
from monitor.view import Condition
from monitor.web.page.overview import MANY, OFTEN, SELDOM
from monitor.web.page.session import IDLE, LONGEST

PAGE = (Path(__file__).parents[3] / "docs/page.md").read_text("utf-8")


def test_every_condition_is_explained() -> None:
    rows = re.findall(r"^\| ([a-z, ]+) \|", PAGE, re.MULTILINE)
    words = {word for row in rows for word in row.split(", ")}
    assert {str(one) for one in Condition} - {"skipped"} | {"not run"} <= words


def test_the_figures_are_those_of_the_page() -> None:
    assert f"every {OFTEN.seconds} seconds (every {SELDOM.seconds} with more than {MANY} checks)" in PAGE
    assert (IDLE.total_seconds(), "lasts twelve hours after the last look" in PAGE) == (12 * 3_600, True)
    assert (LONGEST.days, "at most thirty days" in PAGE) == (30, True)


def test_the_example_is_a_public_system(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "systems").mkdir()
    (tmp_path / "systems/shop.yaml").write_text(example)
    (tmp_path / "monitor.yaml").write_text("channels: {ops: https://hooks.example.com/x}\n")
    assert load(tmp_path, {}).systems["shop"].public

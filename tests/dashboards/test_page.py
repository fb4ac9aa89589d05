"""docs/grafana.md names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from ruamel.yaml import YAML

from tests.dashboards.boards import boards

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/grafana.md").read_text("utf-8")


def test_the_page_names_each_dashboard_with_its_file_and_uid() -> None:
    rows = re.findall(r"^\| ([^|]+) \| `(\w+\.json)` \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted((board.json["title"], f"{board.name}.json") for board in boards())
    assert all(f"`{board.json['uid']}`" in PAGE for board in boards())
    assert f"schema version {boards()[0].json['schemaVersion']}" in PAGE


def test_the_provider_of_the_page_is_ours_in_short() -> None:
    """What a user copies is what docker-compose.yml is tested with."""
    example = re.search(r"```yml\n(.*?)```", PAGE, re.DOTALL)
    assert example
    read = YAML(typ="safe", pure=True)
    ours = read.load((ROOT / "config/grafana/provisioning/dashboards/runbook-monitor.yaml").read_text())
    (shown,), (provider,) = read.load(example[1])["providers"], ours["providers"]
    assert shown.items() <= provider.items()


def test_the_words_for_no_data_are_those_of_panels() -> None:
    (words,) = re.findall(r"say so in words \(([^)]+)\)", PAGE)
    shown = {panel["fieldConfig"]["defaults"]["noValue"] for board in boards() for panel in board.panels}
    assert set(re.findall(r"\*([^*]+)\*", words)) <= shown

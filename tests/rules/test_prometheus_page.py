"""The commands of docs/prometheus.md run as they stand, and its list is what the report says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from monitor.cli import app
from monitor.config import load
from tests.acceptance.forks import inherited
from tests.acceptance.process import program

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/prometheus.md").read_text("utf-8")


def examples(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def main_file() -> str:
    return examples("yaml")[0]


def test_the_commands_do_as_they_say(tmp_path: Path) -> None:
    """Both files pass the tools of those who read them."""
    program("promtool", "prometheus")
    program("amtool", "prometheus-alertmanager")
    shutil.copytree(ROOT / "config", tmp_path / "config")
    lines = [line.removeprefix("$ ") for line in examples("console")[0].splitlines()]
    script = "\n".join([f'monitor() {{ "{sys.executable}" -m monitor "$@"; }}', "set -e", *lines])
    environ = {**inherited(), "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False, timeout=50
    )
    assert run.returncode == 0, run.stderr
    assert "SUCCESS: " in run.stdout
    assert " inhibit rules" in run.stdout


def test_prometheus_takes_the_example(tmp_path: Path) -> None:
    promtool = program("promtool", "prometheus")
    text = examples("yml")[0].replace("/etc/prometheus/scrape_token", str(tmp_path / "token"))
    (tmp_path / "token").write_text("secret")
    (tmp_path / "rules.yml").write_text("groups: []")
    (tmp_path / "prometheus.yml").write_text(text)
    run = subprocess.run(
        [promtool, "check", "config", str(tmp_path / "prometheus.yml")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_the_list_is_that_of_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    said = CliRunner().invoke(app, ["rules", "--report", "-c", "config"])
    assert said.exit_code == 0
    assert examples("text") == [said.stdout.partition("What they say otherwise everywhere:")[0]]


def test_a_prober_pages_nobody(tmp_path: Path) -> None:
    """The switch that the page names: each of the five systems loads beside that main file, and its channels print."""
    (tmp_path / "monitor.yaml").write_text(main_file())
    shutil.copytree(ROOT / "config/systems", tmp_path / "systems")
    config = load(tmp_path, {}, placeholders=True)
    assert {channel.kind for channel in config.channels.values()} == {"console"}
    assert len(config.systems) == 5

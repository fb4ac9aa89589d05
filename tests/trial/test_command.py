"""`monitor test` as its users run it: exit statuses, forms of output, coverage, and what the page shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from tests.trial.shop import SHOP, write

if TYPE_CHECKING:
    from typer.testing import Result

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/testing.md").read_text("utf-8")
RULES = """
rules:
  shop/site:
    down: {critical: 3}
    certificate: {warning: 21d | 20d23h, critical: 7d | 6d23h}
"""
WRONG = RULES.replace("critical: 3", "critical: 2").replace("20d23h", "22d")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["test", *map(str, arguments)])


def test_tests_that_pass_are_a_line_each(tmp_path: Path) -> None:
    result = run(write(tmp_path, RULES))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:2] == ["ok      shop/site down", "ok      shop/site certificate"]
    assert lines[2].startswith("2 tests, 0 failed: ")
    assert re.fullmatch(r"coverage: 3 of \d\d rules and routes, [\d.]+ %", lines[3])


def test_a_test_that_fails_says_where_and_what_came(tmp_path: Path) -> None:
    file = write(tmp_path, WRONG)
    result = run(file)
    assert result.exit_code == 1
    assert "FAILED  shop/site down" in result.stdout
    assert f"  {file}:5: expected: shop/site down: critical fires after 2 failed runs in a row" in result.stdout
    assert "    but: it fired with run 10" in result.stdout or "    but: it stayed silent" in result.stdout
    assert f"  {file}:6: expected: shop/site certificate: warning fires at 22d" in result.stdout


def test_a_file_that_cannot_be_used_is_2(tmp_path: Path) -> None:
    result = run(write(tmp_path, "rules: {shop/sit: {down: {critical: 3}}}"))
    assert result.exit_code == 2
    assert "there is no check 'shop/sit'" in result.stderr
    assert run(tmp_path / "none.yaml").exit_code == 2


def test_coverage_is_told_and_can_be_asked_for(tmp_path: Path) -> None:
    file = write(tmp_path, f"system: shop\n{RULES.replace('shop/site', 'site')}")
    told = run(file, "--coverage")
    assert told.exit_code == 0
    assert "not covered: shop/database connections: critical" in told.stdout
    assert "route" not in told.stdout.replace("rules and routes", "")
    failed = run(file, "--coverage-min", "100%")
    assert failed.exit_code == 1
    assert "coverage is below 100 %" in failed.stderr
    assert run(file, "--coverage-min", "10%").exit_code == 0
    for share in ("lots", "200%"):
        assert run(file, "--coverage-min", share).exit_code == 2


def test_routes_are_covered_by_whom_they_told(tmp_path: Path) -> None:
    story = """
tests:
- name: a warning
  results: {shop/database: {connection_share: 85% for 5m 50%x5}}
  expect: [{at: 2m, told: ops}, {at: 7m, told: ops, within: 1m}]
"""
    result = run(write(tmp_path, story), "--coverage", "--output", "json")
    found = json.loads(result.stdout)
    assert found["tests"][0]["passed"], found
    assert "route 1: critical → ops, oncall" in found["coverage"]["uncovered"]
    assert "route 2: warning → ops" not in found["coverage"]["uncovered"]
    assert found["coverage"]["rules"] > len(found["coverage"]["uncovered"])


def test_json_and_junit_tell_the_same(tmp_path: Path) -> None:
    file = write(tmp_path, WRONG)
    found = json.loads(run(file, "--output", "json").stdout)
    assert [test["passed"] for test in found["tests"]] == [False, False]
    assert found["tests"][0]["failures"][0]["line"] == 5
    suite = ET.fromstring(run(file, "--output", "junit").stdout)  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures")) == ("2", "2")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.text is not None
    assert f"{file}:5: expected: " in failure.text


def test_another_configuration_can_be_tried(tmp_path: Path) -> None:
    """With -c before it replaces the one that is used."""
    file = write(tmp_path, RULES)
    other = tmp_path / "other.yaml"
    other.write_text(SHOP.replace("every: 30s, expect: {status: 200, body: shop}", "down: {critical: 5}"), "utf-8")
    result = run(file, "-c", other)
    assert result.exit_code == 1
    assert "FAILED  shop/site down" in result.stdout


def test_without_a_test_a_file_of_the_environment_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`config` may be left out: then it is MONITOR_CONFIG's."""
    file = write(tmp_path, RULES)
    file.write_text(RULES, "utf-8")
    monkeypatch.setenv("MONITOR_CONFIG", str(tmp_path / "monitor.yaml"))
    assert run(file).exit_code == 0


@pytest.mark.parametrize("example", re.findall(r"^```yml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
def test_every_example_of_the_page_passes(tmp_path: Path, example: str) -> None:
    """Against the configuration that the page shows."""
    (config,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (tmp_path / "monitor.yaml").write_text(config, "utf-8")
    (tmp_path / "tests.yaml").write_text(example, "utf-8")
    result = run(tmp_path / "tests.yaml", *(["--coverage-min", "100%"] if "rules:" in example else []))
    assert result.exit_code == 0, result.output

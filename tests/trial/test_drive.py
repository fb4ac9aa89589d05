"""Every function of a watch can be driven to either side of a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.trial.shop import SHOP, write
from tests.trial.test_command import run

if TYPE_CHECKING:
    from pathlib import Path

CHECK = """
      jobs:
        kind: sql
        dsn: postgresql://shop.example.com/shop
        query: SELECT kind, done, took, size FROM jobs
        labels: [kind]
        measures: {done: number, took: seconds, size: bytes}
        every: 1m
        thresholds: [{watch: '%s', name: rule, warning: "%s", for: %s}]
"""


@pytest.mark.parametrize(
    ("watch", "figure", "for_", "level"),
    [
        ("took", "> 1s", "0s", "1s | 1.1s"),
        ('took{kind!="x"}', "> 1s", "0s", "1s | 1.1s"),
        ("size", "< 1MB", "5m", "1MB | 999KB after 5m"),
        ("done", "!= 0", "0s", "0 | 1"),
        ("done", "== 3", "0s", "2 | 3"),
        ("avg(took, 10m)", "> 1s", "0s", "0.9s | 1.1s after 5m"),
        ("min(took, 10m)", "> 1s", "0s", "1s | 1.1s after 9m"),
        ("max(took, 10m)", "> 1s", "0s", "1s | 1.1s"),
        ("p90(took, 15m)", "> 1s", "0s", "1s | 2s after 1m"),
        ("rate(done, 10m)", "> 2", "0s", "1.9/s | 2.1/s after 4m"),
        ("increase(done, 10m)", "> 100", "2m", "90 | 110 after 6m"),
        ("change(took, 10m)", "> 50%", "0s", "50% | 51%"),
        ("usual(took, 1h)", "> 2", "0s", "1.9 | 2.1 after 30m"),
        ("usual(rate(done, 1h))", "> 2", "0s", "1.9 | 2.1 after 29m"),
        ("drift(done by kind, 6h)", "> 30%", "0s", "29% | 31% after 179m"),
        ("drift(rate(done, 6h) by kind)", "> 30%", "0s", "29% | 31% after 179m"),
        ("unseen(done by kind)", "> 0", "0s", "0 | 1"),
    ],
)
def test_a_figure_is_silent_on_one_side_and_fires_on_the_other(
    tmp_path: Path, watch: str, figure: str, for_: str, level: str
) -> None:
    config = SHOP + CHECK % (watch.replace("'", "''"), figure, for_)
    result = run(write(tmp_path, f"rules: {{shop/jobs: {{rule: {{warning: {level}}}}}}}", config))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("level", "expected", "came"),
    [
        ("1s | 2s after 10m", "is silent", ""),
        ("3s | 2s after 2m", "is silent at 3s", "warning fired after"),
        ("1s | 2s after 1m", "fires at 2s after 1m", "it fired 2 min after"),
        ("1s | 2s after 10m", "fires at 2s after 10m", "it fired 2 min after"),
        ("1s | 1.1s", "fires at 1.1s", "it stayed silent"),
    ],
)
def test_what_is_otherwise_is_told(tmp_path: Path, level: str, expected: str, came: str) -> None:
    config = SHOP + CHECK % ("took", "> 1.5s", "2m")
    result = run(write(tmp_path, f"rules: {{shop/jobs: {{rule: {{warning: {level}}}}}}}", config))
    assert result.exit_code == 1
    if came:
        assert expected in result.stdout
        assert came in result.stdout


def test_a_warning_that_is_critical_already_is_none(tmp_path: Path) -> None:
    result = run(write(tmp_path, "rules: {shop/database: {connections: {warning: 80% | 96% after 2m}}}"))
    assert result.exit_code == 1
    assert "is no more than that at 96% after 2m" in result.stdout
    assert "it was critical" in result.stdout

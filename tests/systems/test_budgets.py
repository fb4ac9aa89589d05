"""The limits that the systems set on requests: our own stay under them, and a file that would not is refused."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from monitor.config import load
from monitor.faults import ConfigError
from tests.systems.bench import FILES

if TYPE_CHECKING:
    from pathlib import Path

ENVIRON = {
    "TATAME_URL": "https://tatame.example.app",
    "TATAME_HTTP_URL": "http://tatame.example.app",
    "TATAME_FRONTEND_URL": "https://app.tatame.example",
    "TATAME_STRIPE_WEBHOOK_SECRET": "whsec_tatame",
    "TATAME_METRICS_URL": "https://tatame.example.app/metrics",
}
METRICS = {
    "CAPLIQUIFY_METRICS_URL": "https://sentia-backend-prod.onrender.com/metrics",
    "CAPLIQUIFY_TENANT_METRIC": "tenant_seconds",
}
POSTING = """
  insights:
    url: https://ecomdash-api.onrender.com/api/insights?shop=test
    json: {shop: test}
    every: 1h
"""


def refusal(folder: Path, system: str, was: str, becomes: str) -> str:
    """Return why the file of `system` is refused after `was` became something else."""
    files = shutil.copytree(FILES, folder / "config")
    file = files / "systems" / f"{system}.yaml"
    text = file.read_text()
    assert text.count(was) == 1
    file.write_text(text.replace(was, becomes))
    with pytest.raises(ConfigError) as caught:
        load(files, ENVIRON, [system])
    return str(caught.value)


@pytest.mark.parametrize("system", ["capliquify", "tatame", "ecomdash"], ids=["CL-21", "TA-27", "ED-27"])
def test_all_checks_together_stay_under_the_limit(system: str) -> None:
    """At their fastest pace, with everything switched on."""
    assert load(FILES, {**ENVIRON, **METRICS}, [system]).plans


@pytest.mark.parametrize(
    ("system", "was", "becomes", "said"),
    [
        pytest.param(
            "capliquify",
            "every: 10s",
            "every: 2s",
            "30 times within 1 min (backend 30), and 20 % of 100 is 20",
            id="CL-21",
        ),
        pytest.param("tatame", "retry: {every: 30s}", "retry: {every: 25s}", "and 50 % of 100 is 50", id="TA-27"),
        pytest.param("tatame", "unsigned: false", "unsigned: true", "webhook-canary 9", id="TA-27 webhook"),
        pytest.param(
            "ecomdash",
            "\nchecks:\n",
            f"\nchecks:{POSTING}",
            "within 1 min (insights 6), and 0 % of 100 is 0",
            id="ED-27",
        ),
    ],
)
def test_a_file_that_would_use_it_up_is_refused(tmp_path: Path, system: str, was: str, becomes: str, said: str) -> None:
    """It says how often which check would ask, and what is allowed."""
    assert said in refusal(tmp_path, system, was, becomes)

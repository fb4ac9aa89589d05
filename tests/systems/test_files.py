"""The five files themselves: each requirement stands in its file and in a test, each check says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from monitor.config import Config, load
from monitor.doubts import doubts
from monitor.schema import schema
from monitor.settings import read_settings
from tests.systems.bench import FILES

COVERED = {
    "seedsource": "SS-01 SS-02 SS-04 SS-05 SS-08 SS-09 SS-14 SS-12 SS-13 SS-15 SS-18 SS-21 SS-22",
    "realstaging": "RS-01 RS-08 RS-12 RS-13 RS-16 RS-21",
    "capliquify": "CL-01 CL-02 CL-03 CL-21 CL-22",
    "tatame": "TA-01 TA-03 TA-06 TA-09 TA-21 TA-27 TA-28 TA-30",
    "ecomdash": "ED-01 ED-02 ED-16 ED-18 ED-19 ED-26 ED-27",
}
SECRET = re.compile(r"(?i)(?:bearer|password|authorization|dsn|token|api_key): *\"?([^\s\"},]+)")
EACH = [(system, requirement) for system, listed in COVERED.items() for requirement in listed.split()]
TESTS = "\n".join(
    file.read_text() for file in Path(__file__).parent.glob("test_*.py") if file.name != Path(__file__).name
)


@pytest.fixture(scope="module")
def everything() -> Config:
    """All five files with everything switched on, stand-ins where a variable is not set."""
    return load(FILES, {}, placeholders=True)


@pytest.mark.parametrize(("system", "requirement"), EACH, ids=[requirement for _, requirement in EACH])
def test_a_requirement_stands_in_its_file_and_in_a_test(system: str, requirement: str) -> None:
    """By its id, which never changes."""
    assert requirement in (FILES / "systems" / f"{system}.yaml").read_text()
    assert f'"{requirement}' in TESTS


def test_nothing_is_doubtful(everything: Config) -> None:
    """`monitor validate` has nothing to say of any check."""
    found = doubts(everything, read_settings(), {})
    assert [doubt for doubt in found if doubt.key in {str(check) for check in everything.plans}] == []


def test_every_check_says_what_to_do_and_where_that_comes_from(everything: Config) -> None:
    """Whoever is woken by any of them has a remedy, and the section of the runbook."""
    assert len(everything.plans) >= 38
    for plan in everything.plans.values():
        assert plan.remedy, plan.id
        assert plan.check.source, plan.id
        assert plan.title != plan.id.check, plan.id
        for threshold in plan.thresholds:
            assert threshold.remedy or not threshold.figures, (plan.id, threshold.name)


@pytest.mark.parametrize("system", COVERED)
def test_a_file_fits_the_schema_that_editors_use(system: str) -> None:
    """So that nobody who opens it there sees an error."""
    Draft202012Validator(schema()).validate(YAML(typ="safe").load(FILES / "systems" / f"{system}.yaml"))


@pytest.mark.parametrize("system", COVERED)
def test_no_file_holds_a_secret(system: str) -> None:
    """What is secret comes from the environment."""
    found = SECRET.findall((FILES / "systems" / f"{system}.yaml").read_text())
    assert [value for value in found if not value.startswith("${")] == []


def test_without_any_setting_only_what_has_no_address_is_skipped() -> None:
    """The runbooks' own addresses are the defaults."""
    config = load(FILES, {})
    skipped = {skip.name for skip in config.skipped if "/" in skip.name}
    assert {name for name in skipped if not name.startswith("tatame/")} == {
        "seedsource/admin-route",
        "seedsource/stripe-endpoint",
        "seedsource/stripe-deliveries",
        "seedsource/stripe-prices",
        "realstaging/frontend",
        "realstaging/auth0-discovery",
        "realstaging/auth0-keys",
        "realstaging/replicate-account",
        "realstaging/replicate-model",
        "realstaging/cors-frontend",
        "realstaging/stripe",
        "ecomdash/shopify",
    }
    assert not [plan for plan in config.plans if plan.system == "tatame"]
    urls = {getattr(plan.check, "url", "") for plan in config.plans.values()}
    assert "https://auth.seedsource.dev/health" in urls
    assert "https://sentia-backend-prod.onrender.com/api/health" in urls
    assert "https://api.real-staging.ai/health" in urls
    assert "https://ecomdash-api.onrender.com/health/ready" in urls

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
from tests.fakes import START
from tests.systems.bench import FILES

COVERED = {
    "seedsource": "SS-01 SS-02 SS-03 SS-04 SS-05 SS-06 SS-07 SS-08 SS-09 SS-10 SS-11 SS-12 SS-13 SS-14 SS-15 SS-16"
    " SS-17 SS-18 SS-19 SS-20 SS-21 SS-22",
    "realstaging": "RS-01 RS-02 RS-03 RS-04 RS-05 RS-06 RS-07 RS-08 RS-09 RS-10 RS-11 RS-12 RS-13 RS-14 RS-15 RS-16"
    " RS-17 RS-18 RS-19 RS-20 RS-21 RS-22 RS-23 RS-24",
    "capliquify": "CL-01 CL-02 CL-03 CL-04 CL-05 CL-06 CL-07 CL-08 CL-09 CL-10 CL-11 CL-12 CL-13 CL-14 CL-15 CL-16"
    " CL-17 CL-18 CL-19 CL-20 CL-21 CL-22 CL-23 CL-24 CL-25 CL-26 CL-27",
    "tatame": "TA-01 TA-02 TA-03 TA-04 TA-05 TA-06 TA-07 TA-08 TA-09 TA-10 TA-11 TA-12 TA-13 TA-14 TA-15 TA-16"
    " TA-17 TA-18 TA-19 TA-20 TA-21 TA-22 TA-23 TA-24 TA-25 TA-26 TA-27 TA-28 TA-29 TA-30 TA-31",
    "ecomdash": "ED-01 ED-02 ED-03 ED-04 ED-05 ED-06 ED-07 ED-08 ED-09 ED-10 ED-11 ED-12 ED-13 ED-14 ED-15 ED-16 ED-17"
    " ED-18 ED-19 ED-20 ED-21 ED-22 ED-23 ED-24 ED-25 ED-26 ED-27 ED-28 ED-29 ED-30 ED-31 ED-32 ED-33 ED-34",
}
SECRET = re.compile(r"(?i)(?:bearer|password|authorization|dsn|token|api_key): *\"?(?:Bearer )?([^\s\"},]+)")
ELSEWHERE = ("${", "{", "access_token")
"""How a value begins that is no secret: a variable, what a flow captures, and where it captures that."""
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


def test_nothing_is_doubtful_but_what_the_runbook_says_itself(everything: Config) -> None:
    """ED-09: `monitor validate` says of no check anything else than that its pools do not fit the plan."""
    found = doubts(everything, read_settings(), {}, START)
    of_checks = [doubt for doubt in found if doubt.key in {str(check) for check in everything.plans}]
    assert [(doubt.key, doubt.message.rpartition(": ")[2]) for doubt in of_checks] == [
        ("ecomdash/database", "api 1 × (20 + 10) + worker 1 × (20 + 10) + monitor 1 = 61, limit 25")
    ]


def test_every_check_says_what_to_do_and_where_that_comes_from(everything: Config) -> None:
    """Whoever is woken by any of them has a remedy, and the section of the runbook."""
    assert len(everything.plans) >= 38
    for plan in everything.plans.values():
        assert plan.remedy, plan.id
        assert plan.check.source, plan.id
        assert plan.title != plan.id.check, plan.id
        for threshold in plan.thresholds:
            assert threshold.remedy or threshold.implied or not threshold.figures, (plan.id, threshold.name)


@pytest.mark.parametrize("system", COVERED)
def test_a_file_fits_the_schema_that_editors_use(system: str) -> None:
    """So that nobody who opens it there sees an error."""
    Draft202012Validator(schema()).validate(YAML(typ="safe").load(FILES / "systems" / f"{system}.yaml"))


@pytest.mark.parametrize("system", COVERED)
def test_no_file_holds_a_secret(system: str) -> None:
    """What is secret comes from the environment."""
    found = SECRET.findall((FILES / "systems" / f"{system}.yaml").read_text())
    assert [value for value in found if not value.startswith(ELSEWHERE)] == []


def test_without_any_setting_only_what_has_no_address_is_skipped() -> None:
    """The runbooks' own addresses are the defaults."""
    config = load(FILES, {})
    skipped = {skip.name: skip.reason for skip in config.skipped if "/" in skip.name}
    at_render = {name for name in skipped if name.partition("/")[2].startswith("render-")}
    elsewhere = skipped.keys() - at_render
    assert len(at_render) == 18
    assert {name for name in elsewhere if not name.startswith("tatame/") and "DATABASE_URL" not in skipped[name]} == {
        "seedsource/admin-route",
        "seedsource/neon",
        "seedsource/stripe-endpoint",
        "seedsource/stripe-deliveries",
        "seedsource/stripe-prices",
        "realstaging/frontend",
        "realstaging/auth0-discovery",
        "realstaging/auth0-keys",
        "realstaging/replicate-account",
        "realstaging/replicate-model",
        "realstaging/cors-frontend",
        "realstaging/migration-version",
        "realstaging/redis",
        "realstaging/jobs",
        "realstaging/flow",
        "capliquify/smoke",
        "capliquify/clerk",
        "capliquify/pgbouncer",
        "capliquify/trial-expiration",
        "ecomdash/migrations",
        "ecomdash/redis",
        "ecomdash/jobs",
        "ecomdash/privacy",
        "realstaging/stripe",
        "realstaging/storage",
        "realstaging/storage-cost",
        "realstaging/replicate-cost",
        "ecomdash/shopify",
        "capliquify/traffic",
        "capliquify/tenant-overhead",
        "realstaging/traffic",
        "realstaging/worker-jobs",
        "ecomdash/query-time",
        "ecomdash/queue-length",
        "capliquify/sentry",
        "ecomdash/sentry",
        "realstaging/secrets",
        "ecomdash/secret-keys",
        "ecomdash/secret-shopify",
        "ecomdash/secret-openai",
        "ecomdash/secret-cli",
    }
    assert {name.partition("/")[2] for name in skipped if "DATABASE_URL" in skipped[name]} >= {"database", "schema"}
    assert not [plan for plan in config.plans if plan.system == "tatame"]
    urls = {getattr(plan.check, "url", "") for plan in config.plans.values()}
    assert "https://auth.seedsource.dev/health" in urls
    assert "https://sentia-backend-prod.onrender.com/api/health" in urls
    assert "https://api.real-staging.ai/health" in urls
    assert "https://ecomdash-api.onrender.com/health/ready" in urls

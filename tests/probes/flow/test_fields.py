"""What a file can say of a flow, and what it is told is wrong."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.config import load
from monitor.doubts import doubts
from monitor.explain import explain
from monitor.faults import ConfigError
from monitor.model import CheckId
from monitor.probes.flow import FlowCheck
from monitor.settings import read_settings
from tests.fakes import START

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.config import Config

CHECK = CheckId("shop", "smoke")
URL = "https://shop.example.com/app"
MAKE = {"name": "create", "url": "/tenants", "json": {"name": "{run}"}, "capture": {"tenant": "id", "token": "token"}}
REMOVE = {"name": "remove", "url": "/tenants/{tenant}", "method": "DELETE"}


def loaded(folder: Path, **fields: Any) -> Config:  # noqa: ANN401 - whatever a file may hold
    """Load a file with one flow; a field that is None is not given."""
    whole = {"kind": "flow", "url": URL, "steps": [MAKE], "cleanup": [REMOVE], "writes": True, **fields}
    check = {key: value for key, value in whole.items() if value is not None}
    (folder / "monitor.yaml").write_text(json.dumps({"systems": {"shop": {"checks": {"smoke": check}}}}), "utf-8")
    return load(folder, {})


def doubted(config: Config) -> list[str]:
    return [doubt.message for doubt in doubts(config, read_settings(), {}, START) if doubt.key == str(CHECK)]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"steps": []}, "steps"),
        ({"steps": [MAKE, MAKE]}, "two steps are called create"),
        ({"steps": [MAKE], "cleanup": [{**REMOVE, "name": "create"}]}, "two steps are called create"),
        (
            {"steps": [{**REMOVE, "name": "early"}]},
            "early uses {tenant}, which no step before captures; there is {run}",
        ),
        ({"cleanup": [{**REMOVE, "url": "/x/{user}"}]}, "remove uses {user}, which no step before captures"),
        ({"cleanup": [{**REMOVE, "headers": {"X": "{token}"}}]}, "remove uses the secret {token} of a step"),
        ({"cleanup_timeout": "1m"}, "timeout leaves the steps no time"),
        ({"steps": [{**MAKE, "form": {"a": "b"}}]}, "give one of body, json, base64 and form"),
        ({"steps": [{"name": "a", "url": "/", "base64": "é"}]}, "this is not base64"),
        ({"steps": [{**MAKE, "url": "{tenant}"}]}, "origin belongs to a url that is captured as a whole"),
        ({"steps": [{**MAKE, "origin": URL}]}, "origin belongs to a url that is captured as a whole"),
        ({"steps": [{**MAKE, "url": "https://{run}.example.com/"}]}, "what is found cannot change scheme or host"),
        ({"steps": [{**MAKE, "url": "{run}://example.com/"}]}, "what is found cannot change scheme or host"),
        ({"steps": [{**MAKE, "url": "https://{run}@example.com/"}]}, "what is found cannot change scheme or host"),
        ({"steps": [{**MAKE, "url": "//example.com/{run}"}]}, "this is not an address"),
        ({"steps": [{**MAKE, "url": "tenants"}]}, "this is not an address"),
        ({"steps": [{**MAKE, "capture": {"x": {"path": "a", "header": "b"}}}]}, "give one of path, header and matches"),
        ({"steps": [{**MAKE, "capture": {"x": {"matches": "("}}}]}, "is not a regular expression as RE2 reads them"),
        ({"steps": [{**MAKE, "capture": {"X": "a"}}]}, "capture"),
        ({"steps": [{**MAKE, "headers": {"X Y": "z"}}]}, "is not a header name"),
        ({"steps": [{**MAKE, "name": "Create it"}]}, "name"),
        ({"when": "sometimes"}, "when"),
    ],
)
def test_a_fault_is_told_where_it_stands(fields: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, **fields)
    assert said in str(caught.value)
    assert "smoke" in str(caught.value)


def test_a_cleanup_may_capture_its_own_secret(tmp_path: Path) -> None:
    login = {"name": "login", "url": "/login", "method": "POST", "capture": {"token": "token"}}
    remove = {**REMOVE, "headers": {"Authorization": "Bearer {token}"}}
    assert loaded(tmp_path, cleanup=[login, remove]).plans.keys() == {CHECK}


def test_what_writes_needs_leave_and_says_what_it_would_do(tmp_path: Path) -> None:
    config = loaded(tmp_path, writes=False)
    assert CHECK not in config.plans
    (skipped,) = config.skipped
    assert "it would change something outside (POST in create, DELETE in remove)" in skipped.reason


def test_what_only_reads_needs_none(tmp_path: Path) -> None:
    assert loaded(tmp_path, writes=False, steps=[{"name": "look", "url": "/"}], cleanup=[]).plans.keys() == {CHECK}


@pytest.mark.parametrize(
    ("fields", "doubt"),
    [
        ({"cleanup": None}, "create may make something that nothing removes"),
        (
            {"steps": [{**MAKE, "again": {"within": "2m"}}]},
            "create may be asked again for 2 min, and the whole flow has 1 min",
        ),
    ],
)
def test_what_is_probably_not_meant_is_doubted(fields: dict[str, Any], doubt: str, tmp_path: Path) -> None:
    assert any(doubt in each for each in doubted(loaded(tmp_path, **fields)))


def test_an_empty_cleanup_is_no_doubt(tmp_path: Path) -> None:
    assert not any("nothing removes" in each for each in doubted(loaded(tmp_path, cleanup=[])))


def test_every_request_counts_against_a_rate_limit() -> None:
    poll = {"name": "poll", "url": "/jobs/{tenant}", "again": {"every": "2s", "within": "10s"}}
    put = {"name": "put", "url": "{token}", "origin": "https://files.example.com", "method": "PUT"}
    check = FlowCheck.model_validate({"url": URL, "steps": [MAKE, poll, put], "cleanup": [REMOVE]})
    assert check.asks == (
        ("POST", "https://shop.example.com/tenants"),
        *[("GET", "https://shop.example.com/jobs/{tenant}")] * 6,
        ("PUT", "https://files.example.com"),
        ("DELETE", "https://shop.example.com/tenants/{tenant}"),
    )


@pytest.mark.parametrize(("when", "scheduled"), [("schedule", True), ("demand", False), ("deploy", False)])
def test_when_it_runs(when: str, *, scheduled: bool) -> None:
    check = FlowCheck.model_validate({"url": URL, "steps": [MAKE], "when": when})
    assert check.scheduled is scheduled


def test_a_failed_flow_is_repeated_at_its_own_pace() -> None:
    check = FlowCheck.model_validate({"url": URL, "steps": [MAKE]})
    quick = FlowCheck.model_validate({"url": URL, "steps": [MAKE], "every": "20s"})
    told = FlowCheck.model_validate({"url": URL, "steps": [MAKE], "retry": {"every": "5s"}})
    assert [each.retry_every for each in (check, quick, told)] == [timedelta(seconds=n) for n in (60, 20, 5)]


@pytest.mark.parametrize(
    ("fields", "watched"),
    [
        ({}, True),
        ({"when": "demand"}, False),
        ({"steps": [{**MAKE, "url": "https://login.example.com/token"}]}, False),
        ({"url": "http://localhost:8000"}, False),
    ],
)
def test_it_watches_a_certificate_only_if_each_run_sees_it(fields: dict[str, Any], *, watched: bool) -> None:
    """Else another check of the host would leave that to this one."""
    check = FlowCheck.model_validate({"url": URL, "steps": [MAKE], **fields})
    assert [each.name for each in check.implied()] == ["certificate"] * watched
    assert bool(check.subject) == watched


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("schedule", "every 10 min, ended after 1 min"),
        ("demand", "only when somebody asks for it, ended after 1 min"),
        ("deploy", "after each deploy, and when asked for, ended after 1 min"),
    ],
)
def test_it_is_explained_when_it_runs(when: str, said: str, tmp_path: Path) -> None:
    config = loaded(tmp_path, when=when)
    assert said in explain(config.plans[CHECK], config, START)

"""The kind `render` against a stand-in of its API."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import SystemClock
from monitor.model import CheckId, State
from monitor.probes import load_kind
from monitor.probes.base import observe
from monitor.probes.render import RenderCheck
from monitor.probes.render.costs import grown
from monitor.probes.render.deploys import STAGES, Deploy, Deploys, Stage
from monitor.probes.render.implied import FIGURES
from monitor.probes.render.series import MOST_POINTS, resolution
from monitor.vendors import Accounts
from tests.fakes import START, ImpatientClock
from tests.systems.render_api import KEY, OWNER, VALUE, RenderApi
from tests.systems.site import Answer, says_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from monitor.model import Sample
    from monitor.probes.base import Resources

CHECK = CheckId("shop", "render")
PRICES = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def render() -> AsyncIterator[RenderApi]:
    api = RenderApi("127.0.0.1", None)
    async with AsyncExitStack() as stack:
        await api.start(stack)
        yield api


@pytest.fixture
def patient(resources: Resources) -> Resources:
    """Resources with which a pause between two requests takes no time."""
    return replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))


def made(api: RenderApi, **fields: Any) -> RenderCheck:  # noqa: ANN401 - any field
    key = {} if "variables_key" in fields else {"api_key": KEY}
    check = load_kind("render").model_validate({"kind": "render", "url": api.url, **key, **fields})
    assert isinstance(check, RenderCheck)
    return check


async def look(check: RenderCheck, resources: Resources, name: CheckId = CHECK) -> Sample:
    sample = await observe(name, check, resources, SystemClock())
    declared = {spec.name: set(spec.labels) for spec in check.measures}
    assert all({name for name, _ in measure.labels} == declared[measure.name] for measure in sample.measures)
    assert sample.reason is None or sample.reason in check.reasons
    assert KEY[4:] not in repr(sample)
    assert sample.state is not State.DOWN
    return sample


async def up(check: RenderCheck, resources: Resources) -> Sample:
    sample = await look(check, resources)
    assert sample.state is State.UP, sample.detail
    return sample


def values(sample: Sample, name: str, label: str = "resource") -> dict[str, float]:
    """Return a measure by one of its labels."""
    return {dict(each.labels).get(label, ""): each.value for each in sample.measures if each.name == name}


def value(sample: Sample, name: str) -> float:
    (found,) = (each.value for each in sample.measures if each.name == name)
    return found


# What is configured


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "name services, or what else to look at"),
        ({"services": ["api"], "api_key": None}, "api_key is missing"),
        ({"services": ["api"], "api_key": f"{KEY}\n"}, "visible characters alone"),
        ({"services": ["api"], "variables": ["A"]}, "belong together"),
        ({"services": ["api"], "variables_key": KEY}, "belong together"),
        ({"services": ["api"], "variables": ["A"], "variables_key": KEY, "api_key": KEY}, "nothing else"),
        ({"services": ["api"], "variables": {"web": ["A"]}, "variables_key": KEY}, "that services does not"),
        ({"services": ["api"], "variables": ["A B"], "variables_key": KEY}, "match pattern"),
        ({"databases": ["db"], "look_at": ["deploys"]}, "name them"),
        ({"databases": ["db"], "domains": ["a.example.com"]}, "name them"),
        ({"services": ["api"], "backups": True}, "whose backups"),
        ({"services": ["api"], "look_at": ["connections"]}, "that have connections"),
        ({"services": ["api"], "allowed": ["web"]}, "where only is true"),
        ({"services": ["api"], "logs": {"window": "1m"}}, "some lines would never be counted"),
        ({"services": ["api"], "logs": {"patterns": {"x": "/(/"}}}, "x"),
        ({"services": ["api"], "look_at": ["ram"]}, "deploys"),
        ({"services": ["api"], "owner": "my team"}, "match pattern"),
        ({"services": ["api"], "window": "1m"}, "greater than or equal"),
        ({"services": ["a/b"]}, "match pattern"),
        ({"costs": {"budget": 0}}, "greater than 0"),
        ({"costs": {"budget": 9, "prices": {"starter": 7}}}, "match pattern"),
        ({"services": ["api"], "url": "http://api.example.com"}, "over https only"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    """Before anything runs."""
    key = {} if "variables_key" in fields else {"api_key": KEY}
    with pytest.raises(ValueError, match=f"(?s){said}"):
        load_kind("render").model_validate({"kind": "render", **key, **fields})


@pytest.mark.parametrize(
    ("fields", "measures"),
    [
        ({"services": ["api"]}, ["missing", "suspended"]),
        ({"services": ["api"], "look_at": ["deploys"]}, ["missing", "suspended", "deploy_failed", "deploy_canceled"]),
        ({"services": ["api"], "look_at": ["cpu", "memory"]}, ["missing", "suspended", "memory_share"]),
        ({"services": ["api"], "only": True}, ["missing", "suspended", "strangers"]),
        ({"databases": ["db"], "backups": True}, ["missing", "backup_age", "available", "expires"]),
        ({"services": ["api"], "variables": ["A"], "variables_key": KEY}, ["missing", "missing_variables"]),
        ({"costs": {"budget": 40}}, ["budget_share", "unpriced"]),
        ({"key_values": ["cache"]}, ["missing", "available"]),
        ({"services": ["api"], "domains": ["a.dev"]}, ["missing", "suspended", "domain_verified"]),
    ],
)
def test_figures_come_with_what_is_looked_at(fields: dict[str, Any], measures: list[str], render: RenderApi) -> None:
    assert [each.watch for each in made(render, **fields).implied()] == measures


def test_what_two_checks_say_of_the_same_resources_is_told_once(render: RenderApi) -> None:
    """By whatever name a file has for them; other resources are another subject."""
    first, second = made(render, services={"api": "shop"}, look_at=["deploys"]), made(render, services=["shop"])
    assert first.subject == second.subject
    assert first.subject != made(render, services=["shop", "worker"]).subject


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"services": [f"s{n}" for n in range(120)], "look_at": ["deploys"], "every": "1m"},
            "about 121 times",
        ),
        ({"services": [f"s{n}" for n in range(120)], "look_at": ["deploys"], "every": "2m"}, ""),
        ({"services": [f"s{n}" for n in range(120)], "look_at": ["cpu", "latency"], "every": "1m"}, ""),
        ({"databases": [f"d{n}" for n in range(60)], "backups": True, "every": "1m"}, "about 121 times"),
        (
            {"databases": ["db"], "look_at": ["connections", "events"], "costs": {"budget": 1}, "every": "3s"},
            "about 120",
        ),
    ],
)
def test_asking_more_than_all_checks_together_may_is_doubtful(fields: dict[str, Any], said: str) -> None:
    """Nobody else would have a turn."""
    check = load_kind("render").model_validate({"kind": "render", "api_key": KEY, **fields})
    doubts = " ".join(check.doubts())
    assert f"{said} " in f"{doubts} " if said else not doubts


def test_every_figure_is_on_a_measure_and_says_what_to_do() -> None:
    names = {spec.name for spec in RenderCheck.measures}
    assert names >= FIGURES.keys()
    assert all(each.remedy and each.name for each in FIGURES.values())


# Services


async def test_services_by_id_and_by_name(render: RenderApi, patient: Resources) -> None:
    one = render.has_service("internal-api")
    render.has_service("internal-worker", "background_worker")
    sample = await up(made(render, services={"api": one, "worker": "internal-worker"}), patient)
    assert values(sample, "suspended") == {"api": 0, "worker": 0}
    assert value(sample, "missing") == 0
    assert value(sample, "requests") == 1


async def test_what_does_not_exist_is_named(render: RenderApi, patient: Resources) -> None:
    """In all three lists; and what is there is measured all the same."""
    render.has_service("api")
    render.has_database("db")
    fields = {"services": ["api", "worker"], "databases": ["db", "archive"], "key_values": {"cache": "red-1"}}
    sample = await up(made(render, **fields), patient)
    assert value(sample, "missing") == 3
    assert sample.remarks["missing"] == "Render has no worker, archive, cache"
    assert values(sample, "available") == {"db": 1}


@pytest.mark.parametrize(
    ("suspenders", "said"),
    [
        (["billing"], "api is suspended by billing"),
        (["user", "stuck_crashlooping"], "api crashed too often, and Render no longer starts it"),
        (["a_new_word"], "api is suspended by a_new_word"),
        ([], "api is suspended by nobody that Render names"),
    ],
)
async def test_a_suspended_service(suspenders: list[str], said: str, render: RenderApi, patient: Resources) -> None:
    render.has_service("api")
    render.services["api"] |= {"suspended": "suspended", "suspenders": suspenders}
    sample = await up(made(render, services=["api"]), patient)
    assert values(sample, "suspended") == {"api": 1}
    assert values(sample, "crash_looping") == {"api": float("stuck_crashlooping" in suspenders)}
    assert sample.remarks["suspended"] == said


async def test_strangers_are_named(render: RenderApi, patient: Resources) -> None:
    render.has_service("internal-admin")
    render.has_service("docs", "static_site")
    check = made(render, services=["internal-admin"], only=True, allowed=["docs"])
    assert value(await up(check, patient), "strangers") == 0
    render.has_service("license-server-rails")
    sample = await up(check, patient)
    assert value(sample, "strangers") == 1
    assert sample.remarks["strangers"] == "there is also license-server-rails (web_service)"


async def test_a_list_of_several_pages_is_read_to_its_end(render: RenderApi, patient: Resources) -> None:
    """A hundred at once; exactly two hundred end with an empty page."""
    for number in range(200):
        render.has_service(f"service-{number}")
    sample = await up(made(render, services=["service-199"], only=True), patient)
    assert value(sample, "missing") == 0
    assert value(sample, "strangers") == 199
    assert "and 194 more" in sample.remarks["strangers"]
    assert value(sample, "requests") == 3


async def test_another_workspace_is_not_looked_at(render: RenderApi, patient: Resources) -> None:
    render.has_service("api")
    render.has_service("theirs")
    render.services["theirs"]["ownerId"] = "tea-other"
    assert value(await up(made(render, services=["api"], only=True, owner=OWNER), patient), "strangers") == 0


# Deploys


@pytest.mark.parametrize(
    ("status", "failed", "canceled", "said"),
    [
        ("build_failed", 1, 0, "the build failed"),
        ("pre_deploy_failed", 1, 0, "the pre-deploy command failed, which is where migrations run"),
        ("update_failed", 1, 0, "the new version did not start"),
        ("canceled", 0, 1, "it was canceled"),
    ],
)
async def test_a_deploy_that_failed(
    status: str, failed: int, canceled: int, said: str, render: RenderApi, patient: Resources
) -> None:
    """Its kind, its commit, and what serves meanwhile."""
    render.has_service("api")
    serving = render.deploys["srv-00000000000000000001"][0]
    broken = render.deploys_to("api", status, ago=10 * MINUTE)
    sample = await up(made(render, services=["api"], look_at=["deploys"]), patient)
    assert values(sample, "deploy_failed") == {"api": failed}
    assert values(sample, "deploy_canceled") == {"api": canceled}
    assert values(sample, "deploy_live") == {"api": 0}
    text = (
        f"api: {said}: {broken['id']} ({broken['commit']['id'][:7]}); "
        f"the previous version still serves: {serving['id']} ({serving['commit']['id'][:7]})"
    )
    assert sample.remarks["deploy_failed" if failed else "deploy_canceled"] == text
    assert "Mend the cart" not in repr(sample)


async def test_a_deploy_under_way_does_not_end_a_failure(render: RenderApi, patient: Resources) -> None:
    """Only one that ends well does."""
    render.has_service("api")
    render.deploys_to("api", "build_failed", ago=HOUR)
    render.deploys_to("api", "build_in_progress", ago=10 * MINUTE)
    check = made(render, services=["api"], look_at=["deploys"])
    sample = await up(check, patient)
    assert values(sample, "deploy_failed") == {"api": 1}
    assert values(sample, "deploy_running")["api"] == pytest.approx(600, abs=5)
    render.deploys_to("api", "live")
    sample = await up(check, patient)
    assert values(sample, "deploy_failed") == {"api": 0}
    assert values(sample, "deploy_live") == {"api": 1}
    assert values(sample, "deploy_running") == {"api": 0}
    assert values(sample, "deploy_started")["api"] == pytest.approx((render.now() - MINUTE).timestamp(), abs=5)
    newest = render.deploys[render.id("api")][0]
    assert sample.remarks["deploy_started"] == f"api: {newest['id']} ({newest['commit']['id'][:7]}), live"


async def test_a_service_that_never_was_live_says_so(render: RenderApi, patient: Resources) -> None:
    one = render.has_service("api")
    render.has_service("new")
    render.deploys[one].clear()
    render.deploys[render.id("new")].clear()
    image = {"ref": "docker.io/library/shop:1.2", "sha": "sha256:1"}
    made_of_image = render.deploys_to("api", "update_failed", commit=None, image=image, startedAt=None, createdAt=None)
    sample = await up(made(render, services=["api", "new"], look_at=["deploys"]), patient)
    said = f"api: the new version did not start: {made_of_image['id']} (shop:1.2); none is live"
    assert sample.remarks["deploy_failed"] == said
    assert values(sample, "deploy_live") == {"api": 0}
    assert not values(sample, "deploy_started")


@given(st.lists(st.sampled_from(sorted(STAGES)), min_size=1, max_size=12))
def test_however_deploys_follow_on_each_other(statuses: list[str]) -> None:
    """Failed is what the newest that has ended says, and nothing else; what serves is one that is live."""
    deploys = Deploys.of([Deploy(f"dep-{n}", status, "", START) for n, status in enumerate(statuses)])
    assert deploys
    ended = [status for status in statuses if STAGES[status] is not Stage.RUNNING]
    assert deploys.is_(Stage.FAILED) == bool(ended and ended[0].endswith("_failed"))
    assert bool(deploys.trouble) == bool(ended and (ended[0].endswith("_failed") or ended[0] == "canceled"))
    assert (deploys.serving is not None) == ("live" in statuses)


# Instances


async def test_instances_beside_what_is_configured(render: RenderApi, patient: Resources) -> None:
    """Of a service that Render scales the fewest count; sites, cron jobs and what is scaled to none have no share."""
    api = render.has_service("api", instances=4)
    scaling = {"enabled": True, "min": 2, "max": 9, "criteria": {}}
    render.has_service("worker", "background_worker", instances=3, autoscaling=scaling)
    render.has_service("off", "background_worker", instances=0)
    render.has_service("site", "static_site")
    render.has_service("nightly", "cron_job")
    check = made(render, services=["api", "worker", "off", "site", "nightly"], look_at=["instances"])
    render.running[api] = 3
    sample = await up(check, patient)
    assert values(sample, "instances") == {"api": 3, "worker": 3, "off": 0}
    assert values(sample, "instance_share") == {"api": 0.75, "worker": 1.5}
    assert sample.remarks["instance_share"] == "api: 3 of 4; worker: 3 of 2"


# Usage and traffic


async def test_usage_as_a_share_of_its_limit(render: RenderApi, patient: Resources) -> None:
    """Of several instances the fullest; a limit that all share holds for each."""
    one = render.has_service("api", instances=2)
    render.has_database("db")
    for instance, used in (("a", 0.2), ("b", 0.4)):
        render.measures("cpu", "api", used, f"{one}-{instance}")
    render.measures("cpu-limit", "api", 0.5)
    render.measures("cpu", "db", 0.09)
    render.measures("cpu-limit", "db", 0.1)
    render.measures("memory", "api", 400e6, f"{one}-a")
    render.measures("memory-limit", "api", 512e6, f"{one}-a")
    render.measures("disk-usage", "db", 9e8)
    render.measures("disk-capacity", "db", 1e9)
    fields = {"services": ["api"], "databases": ["db"], "look_at": ["cpu", "memory", "disk"]}
    sample = await up(made(render, **fields), patient)
    assert values(sample, "cpu_share") == {"api": pytest.approx(0.8), "db": pytest.approx(0.9)}
    assert values(sample, "memory_share") == {"api": pytest.approx(400 / 512)}
    assert values(sample, "disk_share") == {"db": pytest.approx(0.9)}
    assert sample.unmeasured == {"memory_share", "disk_share"}
    assert value(sample, "requests") == 2 + 6


async def test_an_instance_that_is_gone_counts_no_more(render: RenderApi, patient: Resources) -> None:
    """A deploy has replaced it: how full it was is no longer of interest."""
    one = render.has_service("api")
    now = render.now()
    old = _points(f"{one}-old", one, 500e6, now - 5 * MINUTE, 1)
    new = _points(f"{one}-new", one, 100e6, now - 5 * MINUTE, 5)
    render.faults = [_listing(render), says_json([old, new]), says_json([_points("", one, 512e6, now - 5 * MINUTE, 5)])]
    sample = await up(made(render, services=["api"], look_at=["memory"]), patient)
    assert values(sample, "memory_share") == {"api": pytest.approx(100 / 512)}


async def test_no_question_asks_for_more_points_than_render_can_answer(render: RenderApi, patient: Resources) -> None:
    """It answers 500 then; so a month is asked for in steps of half a day."""
    names = [f"service-{number}" for number in range(50)]
    for name in names:
        render.has_service(name)
        render.measures("memory", name, 1.0)
        render.measures("memory-limit", name, 2.0)
    sample = await up(made(render, services=names, look_at=["memory"], window="30d"), patient)
    assert set(values(sample, "memory_share").values()) == {0.5}
    assert value(sample, "requests") == 1 + 2 * 5


@given(st.timedeltas(timedelta(minutes=2), timedelta(days=30)))
def test_the_resolution_fits_the_span(span: timedelta) -> None:
    """In whole minutes, never below Render's default, and no finer than it can answer."""
    apart = resolution(span)
    assert apart >= MINUTE
    assert apart % MINUTE == timedelta()
    assert span / apart <= MOST_POINTS


async def test_connections(render: RenderApi, patient: Resources) -> None:
    render.has_database("db")
    render.has_key_value("cache")
    render.measures("active-connections", "db", 42)
    sample = await up(made(render, databases=["db"], key_values=["cache"], look_at=["connections"]), patient)
    assert values(sample, "connections") == {"db": 42}
    assert sample.unmeasured == {"connections"}


async def test_requests_by_status(render: RenderApi, patient: Resources) -> None:
    render.has_service("api", instances=2)
    render.has_service("quiet")
    render.has_service("worker", "background_worker")
    for status, rate in (("200", 90.0), ("404", 8.0), ("500", 1.0), ("503", 1.0), ("a new word", 0.0)):
        render.measures("http-requests", "api", rate, status)
    render.measures("http-requests", "quiet", 0.0, "200")
    check = made(render, services=["api", "quiet", "worker"], look_at=["requests"])
    sample = await up(check, patient)
    api = {
        dict(each.labels)["status"]: each.value
        for each in sample.measures
        if each.name == "request_rate" and ("resource", "api") in each.labels
    }
    assert api == pytest.approx({"200": 90.0, "404": 8.0, "500": 1.0, "503": 1.0, "other": 0.0})
    assert values(sample, "instance_rate") == {"api": pytest.approx(50), "quiet": 0}
    assert values(sample, "error_share") == {"api": pytest.approx(0.02)}
    assert "error_share" not in sample.unmeasured
    assert all(render.id("worker") not in asked for asked in render.asked)


async def test_a_status_that_is_rare_is_not_taken_for_frequent(render: RenderApi, patient: Resources) -> None:
    """A series has no point where nothing happened: the rate is over all the time."""
    one = render.has_service("api")
    start = render.now() - 5 * MINUTE
    fine, broken = _points("200", one, 60, start, 5, "statusCode"), _points("500", one, 60, start, 1, "statusCode")
    render.faults = [_listing(render), says_json([fine, broken])]
    sample = await up(made(render, services=["api"], look_at=["requests"]), patient)
    assert values(sample, "request_rate", "status") == pytest.approx({"200": 1.0, "500": 0.2})
    assert values(sample, "error_share") == {"api": pytest.approx(1 / 6)}


async def test_no_figure_at_all_is_left_out(render: RenderApi, patient: Resources) -> None:
    """Render may have no metrics of a resource: what they showed before may still be so."""
    render.has_service("api")
    sample = await up(made(render, services=["api"], look_at=["cpu", "requests", "latency"]), patient)
    assert sample.unmeasured == {"cpu_share", "request_rate", "instance_rate", "error_share", "latency"}


async def test_latencies_in_the_unit_that_render_says(render: RenderApi, patient: Resources) -> None:
    render.has_service("api")
    render.measures("http-latency", "api", 250.0)
    check = made(render, services=["api"], look_at=["latency"], quantiles=["p50", "p95", "p999"])
    sample = await up(check, patient)
    assert values(sample, "latency", "quantile") == pytest.approx({"p50": 0.25, "p95": 0.25, "p999": 0.25})
    asked = " ".join(render.asked)
    assert all(f"quantile={number}&" in asked for number in ("0.5", "0.95", "0.999"))


# Events


async def test_what_failed_by_cause(render: RenderApi, patient: Resources) -> None:
    render.has_service("api")
    render.has_service("nightly", "cron_job")
    calm = {"evicted": False}
    render.happens("api", "server_failed", reason=calm | {"oomKilled": {"memoryLimit": "512Mi"}})
    render.happens("api", "server_failed", reason=calm | {"oomKilled": {"memoryLimit": "512Mi"}}, ago=2 * MINUTE)
    render.happens("api", "server_failed", reason=calm | {"nonZeroExit": 137}, ago=3 * MINUTE)
    render.happens("api", "server_failed", reason=calm | {"earlyExit": True}, ago=4 * MINUTE)
    render.happens("api", "server_failed", reason={"evicted": True}, ago=5 * MINUTE)
    render.happens("api", "server_failed", ago=6 * MINUTE)
    render.happens("api", "server_hardware_failure", ago=7 * MINUTE)
    render.happens("api", "something_new", ago=7 * MINUTE)
    render.happens("api", "deploy_ended", deployStatus="failed", ago=7 * MINUTE)
    render.happens("api", "server_failed", reason={"evicted": True}, ago=2 * HOUR)
    render.happens("nightly", "cron_job_run_ended", status="unsuccessful", reason=calm | {"nonZeroExit": 1})
    render.happens("nightly", "cron_job_run_ended", status="successful")
    sample = await up(made(render, services=["api", "nightly"], look_at=["events"]), patient)
    causes = values(sample, "failures", "cause")
    assert causes == {
        "out_of_memory": 2, "exit": 1, "early_exit": 1, "evicted": 1, "other": 1, "hardware": 1, "cron_job": 1
    }  # fmt: skip
    assert "UTC: out of memory (512Mi)" in sample.remarks["failures"]
    assert "exited with status 137" in sample.remarks["failures"]


async def test_a_failed_backup_where_render_tells_of_it(render: RenderApi, patient: Resources) -> None:
    """Its documents promise events of services alone; where there are none of databases, nothing is claimed."""
    render.has_database("db")
    render.happens("db", "postgres_backup_failed")
    check = made(render, databases=["db"], look_at=["events"])
    sample = await up(check, patient)
    assert values(sample, "backup_failures") == {"db": 1}
    assert "db at " in sample.remarks["backup_failures"]
    render.sees_events_of_stores = False
    assert (await up(check, patient)).unmeasured == {"backup_failures"}


async def test_many_events_are_read_to_the_last_page(render: RenderApi, patient: Resources) -> None:
    render.has_service("api")
    for _ in range(150):
        render.happens("api", "server_failed", reason={"evicted": True})
    assert values(await up(made(render, services=["api"], look_at=["events"]), patient), "failures") == {"api": 150}


# Logs


async def test_lines_by_level_and_pattern(render: RenderApi, patient: Resources) -> None:
    """Nothing of a line is shown."""
    render.has_service("api")
    render.has_service("worker", "background_worker")
    render.logs("api", "error", "payment of eve@example.com timed out", times=3)
    render.logs("worker", "error", "no such job")
    render.logs("worker", "critical", "out of disk")
    render.logs("api", "info", "hello timed out")
    render.logs("api", "error", "long ago", ago=HOUR)
    logs = {"patterns": {"timeouts": "/(?i)timed out|timeout/", "refused": "refused"}}
    sample = await up(made(render, services=["api", "worker"], logs=logs), patient)
    assert values(sample, "log_lines", "level") == {"critical": 1, "error": 4}
    assert values(sample, "log_matches", "pattern") == {"timeouts": 3, "refused": 0}
    assert sample.remarks["log_lines"] == "4 × error, 1 × critical"
    assert sample.remarks["log_matches"] == "3 × timeouts"
    assert "eve@" not in repr(sample)


async def test_the_newest_line_where_it_may_be_shown(render: RenderApi, patient: Resources) -> None:
    """Its beginning, without secrets and without anything that acts."""
    render.has_service("api")
    render.logs("api", "error", "older", ago=2 * MINUTE)
    render.logs("api", "error", f'login with hunter2/"s&cret failed\n\x1b[31m{"x" * 300}')
    logs = {"show": True, "levels": ["error"], "patterns": {"logins": "login"}}
    sample = await up(made(render, services=["api"], logs=logs), patient)
    assert sample.remarks["log_lines"].startswith("2 × error, the newest: login with •••")
    assert sample.remarks["log_matches"].startswith("1 × logins, the newest: login with •••")
    assert "hunter2" not in repr(sample)
    assert "\x1b" not in sample.remarks["log_lines"]
    assert len(sample.remarks["log_lines"]) < 160


async def test_more_lines_than_are_read(render: RenderApi, patient: Resources) -> None:
    """Five hundred tell enough, and the message says that there are more."""
    render.has_service("api")
    for seconds in range(700):
        render.logs("api", "error", "again", ago=timedelta(seconds=seconds / 10))
    sample = await up(made(render, services=["api"], logs={}), patient)
    assert values(sample, "log_lines", "level")["error"] == 500
    assert sample.remarks["log_lines"] == "at least 500 × error"


async def test_lines_of_one_moment_do_not_turn_in_circles(render: RenderApi, patient: Resources) -> None:
    """What follows on a page of them cannot be asked for; and lines of other levels are none of ours."""
    render.has_service("api")
    at = render.now().isoformat()
    labels = [{"name": "level", "value": "error"}, {"name": "resource", "value": render.id("api")}]
    lines = [{"id": "1", "message": "x", "timestamp": at, "labels": labels}] * 2
    other = {**lines[0], "labels": [{"name": "level", "value": "info"}]}
    more = {"hasMore": True, "nextStartTime": at, "nextEndTime": at}
    pages = [says_json({**more, "logs": lines}), says_json({**more, "logs": lines})]
    render.faults = [_listing(render), *pages]
    sample = await up(made(render, services=["api"], logs={}), patient)
    assert sample.remarks["log_lines"] == "at least 4 × error"
    render.faults = [_listing(render), says_json({**more, "logs": [other]})]
    assert values(await up(made(render, services=["api"], logs={}), patient), "log_lines", "level")["error"] == 0


async def test_one_question_for_each_region(render: RenderApi, patient: Resources) -> None:
    render.has_service("api")
    render.has_service("far", region="frankfurt")
    render.logs("far", "error", "x")
    assert values(await up(made(render, services=["api", "far"], logs={}), patient), "log_lines", "level")["error"] == 1
    assert sum("/v1/logs" in asked for asked in render.asked) == 2


# Databases and backups


@pytest.mark.parametrize(
    ("status", "available"),
    [("available", 1), ("maintenance_scheduled", 1), ("unavailable", 0), ("suspended", 0), ("config_restart", 0)],
)
async def test_whether_a_database_can_be_used(
    status: str, available: int, render: RenderApi, patient: Resources
) -> None:
    render.has_database("db", status=status)
    render.has_key_value("cache", status="unknown")
    sample = await up(made(render, databases=["db"], key_values=["cache"]), patient)
    assert values(sample, "available") == {"db": available}
    assert sample.unmeasured == {"available"}
    assert ("db: " in sample.remarks.get("available", "")) == (not available)


async def test_a_free_database_that_ends(render: RenderApi, patient: Resources) -> None:
    ends = render.now() + 5 * DAY
    render.has_database("db", plan="free", expiresAt=ends.isoformat())
    sample = await up(made(render, databases=["db"]), patient)
    assert values(sample, "expires") == {"db": pytest.approx(ends.timestamp())}


async def test_backups(render: RenderApi, patient: Resources) -> None:
    """Recoverable to any moment; exported once; and never: then all since its creation is at stake."""
    render.has_database("continuous")
    exported, never = render.has_database("exported"), render.has_database("never")
    render.recovery[exported] = {"recoveryStatus": "NOT_AVAILABLE"}
    render.recovery[never] = {"recoveryStatus": "BACKUP_NOT_READY"}
    render.exports[exported] = [render.now() - 3 * DAY, render.now() - 30 * HOUR]
    names = ["continuous", "exported", "never"]
    sample = await up(made(render, databases=names, backups=True), patient)
    ages = values(sample, "backup_age")
    assert ages["continuous"] == 0
    assert ages["exported"] == pytest.approx(30 * 3600, abs=5)
    assert ages["never"] == pytest.approx(90 * 86400, abs=5)
    assert values(sample, "recovery_window") == {"continuous": pytest.approx(7 * 86400, abs=5)}
    assert "never: there is none" in sample.remarks["backup_age"]


# Domains


async def test_custom_domains(render: RenderApi, patient: Resources) -> None:
    render.has_service("api")
    render.has_service("web")
    render.has_domain("api", "auth.example.dev")
    render.has_domain("web", "www.example.dev", "unverified")
    names = ["Auth.example.dev", "www.example.dev", "gone.example.dev"]
    sample = await up(made(render, services=["api", "web"], domains=names), patient)
    assert values(sample, "domain_verified", "domain") == dict(zip(names, (1, 0, 0), strict=True))
    said = "www.example.dev is not verified; gone.example.dev belongs to no service of these"
    assert sample.remarks["domain_verified"] == said


# Variables


async def test_variables_that_are_not_set(render: RenderApi, patient: Resources) -> None:
    """Empty is not set; a group that is linked sets; of values nothing comes back, in no way."""
    render.has_service("api")
    render.has_service("worker", "background_worker")
    render.sets("api", "DATABASE_URL", "SECRET_KEY")
    render.sets("api", "EMPTY", value="")
    render.sets("worker", "DATABASE_URL")
    render.groups = [
        ("evg-1", {"SENTRY_DSN": VALUE, "EMPTY": ""}, ["api"]),
        ("evg-2", {"SECRET_KEY": VALUE}, []),
    ]
    wanted = ["DATABASE_URL", "SECRET_KEY", "EMPTY", "SENTRY_DSN"]
    sample = await up(made(render, services=["api", "worker"], variables=wanted, variables_key=KEY), patient)
    assert values(sample, "missing_variables") == {"api": 1, "worker": 3}
    assert sample.remarks["missing_variables"] == "api lacks EMPTY; worker lacks EMPTY, SECRET_KEY, SENTRY_DSN"
    assert VALUE not in repr(sample)
    assert VALUE not in repr(patient)
    assert not any("env" in question for question in kept(patient))


async def test_groups_are_read_only_where_something_is_missing(render: RenderApi, patient: Resources) -> None:
    render.has_service("api")
    render.sets("api", "A", "B")
    fields = {"services": ["api"], "variables": {"api": ["A", "B"]}, "variables_key": KEY}
    assert value(await up(made(render, **fields), patient), "requests") == 2
    assert not any("env-groups" in asked for asked in render.asked)


async def test_many_variables_are_read_to_the_last_page(render: RenderApi, patient: Resources) -> None:
    render.has_service("api")
    render.sets("api", *(f"V_{number}" for number in range(250)))
    fields = {"services": ["api"], "variables": ["V_249"], "variables_key": KEY}
    assert values(await up(made(render, **fields), patient), "missing_variables") == {"api": 0}


# Costs


async def test_what_it_costs_and_what_grew(render: RenderApi, patient: Resources) -> None:
    """The runbook's US$31; then somebody takes a larger plan and leaves a service behind."""
    render.has_service("api")
    render.has_service("worker", "background_worker")
    render.has_service("site", "static_site")
    render.has_database("db", plan="starter")
    render.has_key_value("cache")
    costs = {"budget": 40, "expected": {"api": 7, "worker": 7, "db": 7, "cache": 10}}
    check = made(render, costs=costs)
    sample = await up(check, patient)
    assert value(sample, "monthly_cost") == 31
    assert values(sample, "cost") == {"api": 7, "worker": 7, "site": 0, "db": 7, "cache": 10}
    assert value(sample, "budget_share") == pytest.approx(31 / 40)
    assert sample.remarks["budget_share"] == "US$31.00 a month of 40.00: nothing grew"
    render.services["api"]["serviceDetails"] |= {"plan": "standard"}
    render.has_service("staging", instances=2)
    sample = await up(check, patient)
    assert value(sample, "monthly_cost") == 31 + 18 + 14
    assert sample.remarks["budget_share"].endswith("api 25 (expected 7), staging 14 (not expected)")


async def test_disks_copies_suspensions_and_prices_of_our_own(render: RenderApi, patient: Resources) -> None:
    disk = {"id": "dsk-1", "name": "data", "sizeGB": 10, "mountPath": "/data"}
    render.has_service("api", disk=disk)
    render.has_service("nightly", "cron_job")
    render.has_service("off")
    render.services["off"]["suspended"] = "suspended"
    render.has_database("db", diskSizeGB=10, highAvailabilityEnabled=True)
    render.has_service("huge", plan="custom")
    prices = {"service/starter": 9, "database/basic_256mb": 5}
    sample = await up(made(render, costs={"budget": 40, "prices": prices}), patient)
    assert values(sample, "cost") == {"api": 11.5, "nightly": 9, "db": 16}
    assert value(sample, "unpriced") == 1
    assert sample.remarks["unpriced"] == "no price is known of huge (custom): give it under prices"


@given(PRICES, PRICES)
def test_what_grew_is_named_and_nothing_else(costs: dict[str, float], expected: dict[str, float]) -> None:
    text = grown(costs, expected)
    more = {name for name, cost in costs.items() if cost > expected.get(name, 0)}
    shown = set(re.findall(r"(?:^|, )([a-f]) ", text))
    assert shown <= more
    assert len(shown) == min(len(more), 5)
    assert (text == "nothing grew") == (not more)


# One poll serves many checks


async def test_checks_of_one_key_share_what_they_are_told(render: RenderApi, patient: Resources) -> None:
    """The second check asks for nothing that the first one was just told; the next round asks again, once."""
    one = render.has_service("api")
    render.measures("memory", "api", 1.0)
    render.measures("memory-limit", "api", 2.0)
    first = made(render, services=["api"], look_at=["deploys", "memory"])
    second = made(render, services={"shop": one}, look_at=["deploys", "memory"])
    requests = [value(await look(check, patient, CheckId("shop", name)), "requests") for check, name in (
        (first, "first"), (second, "second"), (first, "first"), (second, "second"))]  # fmt: skip
    assert requests == [4, 0, 4, 0]


def kept(resources: Resources) -> list[str]:
    """Return the questions whose answers are kept."""
    accounts = resources.accounts._accounts.values()
    return [question for account in accounts for question in account.kept]


def _listing(render: RenderApi) -> Answer:
    return says_json([{"cursor": "1", "service": each} for each in render.services.values()])


def _points(
    label: str, resource: str, value: float, start: datetime, count: int, field: str = "instance"
) -> dict[str, Any]:
    points = [{"timestamp": (start + MINUTE * (n + 1)).isoformat(), "value": value} for n in range(count)]
    labels = [{"field": "resource", "value": resource}, *([{"field": field, "value": label}] if label else [])]
    return {"labels": labels, "unit": "bytes", "values": points}

"""The kind `neon` against a stand-in of its API."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.clock import SystemClock
from monitor.model import CheckId, Reason, State
from monitor.probes import load_kind
from monitor.probes.base import observe
from monitor.probes.neon_project import NeonCheck
from monitor.vendors import Accounts
from tests.fakes import ImpatientClock
from tests.systems.neon_api import BRANCH, COMPUTE, HTML, KEY, PROJECT, NeonApi
from tests.systems.openapi import stand_in_faults
from tests.systems.site import Answer, says_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.model import Sample
    from monitor.probes.base import Resources

CHECK = CheckId("shop", "neon")
HOUR = timedelta(hours=1)


@pytest.fixture
async def neon() -> AsyncIterator[NeonApi]:
    api = NeonApi("127.0.0.1", None)
    async with AsyncExitStack() as stack:
        await api.start(stack)
        yield api


@pytest.fixture
def patient(resources: Resources) -> Resources:
    """Resources with which a pause between two requests takes no time."""
    return replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))


def made(api: NeonApi, **fields: Any) -> NeonCheck:  # noqa: ANN401 - any field
    known = {"kind": "neon", "project": PROJECT, "api_key": KEY, "url": f"{api.url}/api/v2"}
    check = load_kind("neon").model_validate(known | fields)
    assert isinstance(check, NeonCheck)
    return check


async def look(check: NeonCheck, resources: Resources) -> Sample:
    sample = await observe(CHECK, check, resources, SystemClock())
    assert KEY[5:] not in repr(sample)
    assert sample.reason is None or sample.reason in check.reasons
    return sample


def measured(sample: Sample, name: str, **label: str) -> float | None:
    found = [each.value for each in sample.measures if each.name == name and dict(each.labels) == label]
    assert len(found) <= 1
    return found[0] if found else None


async def test_a_project_in_order(neon: NeonApi, patient: Resources) -> None:
    """A compute that sleeps is in order, and nothing that was asked could wake it."""
    sample = await look(made(neon), patient)
    assert sample.state is State.UP, sample.detail
    assert measured(sample, "size") == 30_000_000
    assert measured(sample, "size_share") == pytest.approx(30_000_000 / (512 * 2**20))
    assert {state: measured(sample, "computes", state=state) for state in ("idle", "active", "init", "disabled")} == {
        "idle": 1,
        "active": 0,
        "init": 0,
        "disabled": 0,
    }
    expected = {
        "compute_time": 90_000,
        "active_time": 100,
        "written": 5_000_000,
        "transferred": 7_000_000,
        "storage": 300_000_000,
        "failed_operations": 0,
        "requests": 4,
    }
    assert {name: measured(sample, name) for name in expected} == expected
    assert not sample.remarks
    assert [asked.partition("?")[0].rpartition("/")[2] for asked in neon.asked] == [
        PROJECT,
        "branches",
        "endpoints",
        "operations",
    ]
    assert [each.watch for each in made(neon).implied()] == ["failed_operations", "size_share", "quota_share"]


@pytest.mark.parametrize("state", ["init", "resetting", "archived"])
async def test_a_branch_that_is_not_ready_is_down(neon: NeonApi, state: str, patient: Resources) -> None:
    neon.branches[0]["current_state"] = state
    sample = await look(made(neon, branch="main"), patient)
    assert sample.state is State.DOWN
    assert sample.reason is (Reason.STATUS if state == "archived" else Reason.STARTING)
    assert sample.detail == f"expected the branch main to be ready, got {state}"
    assert measured(sample, "compute_time") == 90_000


async def test_a_state_that_is_new_is_unknown(neon: NeonApi, patient: Resources) -> None:
    neon.branches[0]["current_state"] = "hibernating"
    sample = await look(made(neon), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "got hibernating" in sample.detail


@pytest.mark.parametrize("wanted", ["", "main", BRANCH])
async def test_the_branch_is_found_on_any_page(neon: NeonApi, wanted: str, patient: Resources) -> None:
    neon.branches[:0] = [neon.branch(f"preview/{number}", f"br-preview-{number}") for number in range(250)]
    neon.branches[0]["current_state"] = "archived"
    sample = await look(made(neon, branch=wanted), patient)
    assert sample.state is State.UP, sample.detail
    assert measured(sample, "requests") == 6
    assert (await look(made(neon, branch="preview/0"), patient)).state is State.DOWN


async def test_a_branch_that_is_gone_is_down(neon: NeonApi, patient: Resources) -> None:
    sample = await look(made(neon, branch="production"), patient)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING)
    assert sample.detail == "the project has no branch production"
    neon.branches = []
    assert (await look(made(neon), patient)).detail == "the project has no branch"


async def test_a_list_of_branches_that_never_ends_is_left(neon: NeonApi, patient: Resources) -> None:
    neon.branches = [neon.branch(f"b{number}", f"br-{number}") for number in range(1_100)]
    sample = await look(made(neon), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "at most 1,000 branches" in sample.detail


async def test_a_compute_that_is_disabled_is_down(neon: NeonApi, patient: Resources) -> None:
    """That of the branch which takes its writes; another one's is counted."""
    neon.computes.append(neon.compute("ep-replica", BRANCH, "active") | {"disabled": True, "type": "read_only"})
    neon.computes.append(neon.compute("ep-other", "br-other", "active") | {"disabled": True})
    sample = await look(made(neon), patient)
    assert sample.state is State.UP
    assert measured(sample, "computes", state="disabled") == 2
    neon.computes[0]["disabled"] = True
    sample = await look(made(neon), patient)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.REFUSED)
    assert COMPUTE in sample.detail


async def test_operations_that_failed(neon: NeonApi, patient: Resources) -> None:
    """Of the last day, on whatever page they stand, and no further."""
    neon.happens("apply_config", "failed", HOUR)
    neon.happens("apply_config", "failed", 2 * HOUR)
    neon.happens("start_compute", "error", 3 * HOUR)
    neon.happens("create_branch", "failed", 25 * HOUR)
    for _ in range(150):
        neon.happens("suspend_compute", "finished", HOUR / 2)
        neon.happens("suspend_compute", "finished", 26 * HOUR)
    sample = await look(made(neon), patient)
    assert sample.state is State.UP
    assert measured(sample, "failed_operations") == 3
    assert sample.remarks["failed_operations"] == "2 × apply_config, 1 × start_compute, the newest 1 h ago"
    assert measured(sample, "requests") == 5
    assert measured(await look(made(neon, look_back="90m"), patient), "failed_operations") == 1


async def test_quotas_that_were_set(neon: NeonApi, patient: Resources) -> None:
    """0 means that there is none."""
    neon.project["settings"] = {"quota": {"compute_time_seconds": 100_000, "written_data_bytes": 0}}
    sample = await look(made(neon), patient)
    assert measured(sample, "quota_share", quota="compute_time") == 0.9
    assert measured(sample, "quota_share", quota="written_data") is None
    del neon.project["settings"], neon.project["synthetic_storage_size"], neon.branches[0]["logical_size"]
    sample = await look(made(neon), patient)
    assert sample.state is State.UP
    assert (measured(sample, "size"), measured(sample, "storage")) == (None, None)
    neon.branches[0]["logical_size"] = 1
    neon.project["branch_logical_size_limit_bytes"] = 0
    sample = await look(made(neon), patient)
    assert (measured(sample, "size"), measured(sample, "size_share")) == (1, None)


@pytest.mark.parametrize(
    ("answer", "reason", "said"),
    [
        (says_json({"message": "supplied credentials do not pass"}, 401), Reason.AUTH, "revoked, rolled, or is"),
        (says_json({"message": "not allowed"}, 403), Reason.AUTH, "does not allow the key to see this"),
        (says_json({"message": "project not found"}, 404), Reason.MISSING, f"Neon knows no project {PROJECT}"),
        (Answer(429, "", {"Retry-After": "3"}), Reason.RATE_LIMITED, "we ask again in 3 s"),
        (Answer(429, "", {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}), Reason.RATE_LIMITED, "again in 1 d"),
        (Answer(429, ""), Reason.RATE_LIMITED, "again in 30 s"),
        (Answer(500, ""), Reason.STATUS, "Neon is out of order: it answers 500"),
        (HTML, Reason.PROTOCOL, "got a web page"),
        (Answer(200, '{"project": {'), Reason.PROTOCOL, "expected JSON"),
        (says_json({"project": []}), Reason.PROTOCOL, "expected an object"),
        (says_json({"project": None}), Reason.PROTOCOL, "got nothing"),
        (Answer(301, "", {"Location": "https://neon.com/"}), Reason.PROTOCOL, "redirects us to https://neon.com/"),
    ],
    ids=range(12),
)
async def test_what_neon_does_wrong_is_unknown(
    neon: NeonApi, answer: Answer, reason: Reason, said: str, patient: Resources
) -> None:
    neon.says = answer
    sample = await look(made(neon), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, reason), sample.detail
    assert said in sample.detail


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/branches", {"branches": {}}),
        ("/branches", {"branches": [{"id": 1}]}),
        ("/endpoints", {"endpoints": [{"disabled": "no"}]}),
        ("/endpoints", {}),
        ("/operations", {"operations": [{"updated_at": "soon"}]}),
        ("/operations", {"operations": [{"updated_at": 5}]}),
    ],
)
async def test_a_field_of_another_type_is_unknown(
    neon: NeonApi, path: str, body: dict[str, Any], patient: Resources
) -> None:
    neon.lies[path] = says_json(body)
    sample = await look(made(neon), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)


async def test_ages_are_counted_by_neons_clock(neon: NeonApi, patient: Resources) -> None:
    """Ours may be wrong by hours."""
    neon.happens("apply_config", "failed", 30 * HOUR)
    ahead = (neon.now() - 29 * HOUR).strftime("%a, %d %b %Y %H:%M:%S GMT")
    neon.headers["Date"] = ahead
    sample = await look(made(neon), patient)
    assert sample.remarks["failed_operations"] == "1 × apply_config, the newest 1 h ago"


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/projects/{project_id}", ""),
        ("/projects/{project_id}/branches", "/branches"),
        ("/projects/{project_id}/endpoints", "/endpoints"),
        ("/projects/{project_id}/operations", "/operations"),
    ],
)
async def test_the_stand_in_answers_as_neon_describes(neon: NeonApi, path: str, asked: str) -> None:
    """Held against Neon's own description, where that is at hand."""
    neon.happens("apply_config", "failed")
    url = f"{neon.url}/api/v2/projects/{PROJECT}{asked}"
    assert await stand_in_faults("neon", url, path, {"Authorization": f"Bearer {KEY}"}) == []

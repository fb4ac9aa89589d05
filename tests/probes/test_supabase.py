"""The kind `supabase` against a stand-in of its Management API."""

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
from monitor.probes.supabase import SupabaseCheck
from monitor.vendors import Accounts
from tests.fakes import ImpatientClock
from tests.systems.site import Answer, page, says_json
from tests.systems.supabase_api import HOUR, PROJECT, TOKEN, SupabaseApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.model import Sample
    from monitor.probes.base import Resources

CHECK = CheckId("shop", "supabase")


@pytest.fixture
async def supabase() -> AsyncIterator[SupabaseApi]:
    api = SupabaseApi("127.0.0.1", None)
    async with AsyncExitStack() as stack:
        await api.start(stack)
        yield api


@pytest.fixture
def patient(resources: Resources) -> Resources:
    """Resources with which a pause between two requests takes no time."""
    return replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))


def made(api: SupabaseApi, **fields: Any) -> SupabaseCheck:  # noqa: ANN401 - any field
    known = {"kind": "supabase", "project": PROJECT, "token": TOKEN, "url": api.url}
    check = load_kind("supabase").model_validate(known | fields)
    assert isinstance(check, SupabaseCheck)
    return check


async def look(check: SupabaseCheck, resources: Resources) -> Sample:
    sample = await observe(CHECK, check, resources, SystemClock())
    assert TOKEN[4:] not in repr(sample)
    assert sample.reason is None or sample.reason in check.reasons
    return sample


def measured(sample: Sample, name: str, **label: str) -> float | None:
    found = [each.value for each in sample.measures if each.name == name and dict(each.labels) == label]
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"project": "https://x.supabase.co"}, "match pattern"),
        ({"services": ["database"]}, "Input should be 'auth'"),
        ({"services": []}, "at least 1 item"),
        ({"health": False}, "nothing is looked at"),
        ({"token": "sbp 1"}, "visible characters alone"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){said}"):
        load_kind("supabase").model_validate({"kind": "supabase", "project": PROJECT, "token": TOKEN} | fields)


async def test_a_project_in_order(supabase: SupabaseApi, patient: Resources) -> None:
    sample = await look(made(supabase), patient)
    assert sample.state is State.UP, sample.detail
    assert (measured(sample, "disk"), measured(sample, "disk_share")) == (2e9, 0.25)
    assert all(measured(sample, "healthy", service=name) == 1 for name in ("auth", "db", "rest", "storage"))
    assert measured(sample, "backup_age") is None
    assert measured(sample, "requests") == 4
    assert "services=auth&services=db" in supabase.asked[2]
    assert [each.watch for each in made(supabase).implied()] == ["disk_share", "backup_age"]
    supabase.size = 0
    assert measured(await look(made(supabase), patient), "disk_share") is None


@pytest.mark.parametrize(
    ("status", "state", "reason", "said"),
    [
        ("INACTIVE", State.DOWN, Reason.STATUS, "the project is paused"),
        ("ACTIVE_UNHEALTHY", State.DOWN, Reason.STATUS, "is not healthy"),
        ("RESTORING", State.DOWN, Reason.STARTING, "is being restored"),
        ("UPGRADING", State.DOWN, Reason.STARTING, "is being upgraded"),
        ("UNKNOWN", State.UNKNOWN, Reason.PROTOCOL, "got UNKNOWN"),
        ("HIBERNATING", State.UNKNOWN, Reason.PROTOCOL, "got HIBERNATING"),
    ],
)
async def test_a_project_that_is_not_well(
    supabase: SupabaseApi, status: str, state: State, reason: Reason, said: str, patient: Resources
) -> None:
    supabase.status = status
    sample = await look(made(supabase), patient)
    assert (sample.state, sample.reason) == (state, reason)
    assert said in sample.detail


@pytest.mark.parametrize(
    ("services", "state", "reason", "said"),
    [
        ({"auth": "UNHEALTHY", "db": "COMING_UP"}, State.DOWN, Reason.STATUS, "auth is not healthy"),
        ({"db": "COMING_UP"}, State.DOWN, Reason.STARTING, "db is starting"),
        ({"rest": "LIMPING"}, State.UNKNOWN, Reason.PROTOCOL, "expected rest to be ACTIVE_HEALTHY, got LIMPING"),
    ],
)
async def test_a_service_that_is_not_well(
    supabase: SupabaseApi,
    services: dict[str, str],
    state: State,
    reason: Reason,
    said: str,
    patient: Resources,
) -> None:
    supabase.services = services
    sample = await look(made(supabase), patient)
    assert (sample.state, sample.reason, sample.detail) == (state, reason, said)
    assert measured(sample, "healthy", service="storage") == 1
    assert measured(sample, "healthy", service=min(services)) == 0


async def test_a_service_that_is_not_told_of_is_unknown(supabase: SupabaseApi, patient: Resources) -> None:
    """An empty list is no health."""
    supabase.lies["/health"] = says_json([])
    sample = await look(made(supabase), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "the health of auth, db, rest, storage too" in sample.detail


async def test_a_database_that_is_read_only_is_saturated(supabase: SupabaseApi, patient: Resources) -> None:
    supabase.read_only, supabase.used = True, supabase.size
    sample = await look(made(supabase), patient)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.SATURATED)
    assert measured(sample, "disk_share") == 1


async def test_the_newest_backup(supabase: SupabaseApi, patient: Resources) -> None:
    """One that failed is none; with recovery to a point in time it is that."""
    check = made(supabase, health=False, backups=True)
    supabase.backs_up(34 * HOUR)
    supabase.backs_up(HOUR, "FAILED")
    sample = await look(check, patient)
    assert sample.state is State.UP
    assert measured(sample, "backup_age") == pytest.approx(10 * 3_600, abs=60)
    assert measured(sample, "requests") == 1
    supabase.physical = {"latest_physical_backup_date_unix": int(supabase.now().timestamp()) - 120}
    assert measured(await look(check, patient), "backup_age") == pytest.approx(120, abs=10)
    supabase.backups, supabase.physical = [], {}
    sample = await look(check, patient)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.MISSING)


async def test_ages_are_counted_by_supabases_clock(supabase: SupabaseApi, patient: Resources) -> None:
    supabase.headers["Date"] = (supabase.now() + 5 * HOUR).strftime("%a, %d %b %Y %H:%M:%S GMT")
    supabase.backups[0]["inserted_at"] = supabase.backups[0]["inserted_at"].removesuffix("Z")
    sample = await look(made(supabase, health=False, backups=True), patient)
    assert measured(sample, "backup_age") == pytest.approx(15 * 3_600, abs=60)


BAD = [
    (says_json({"message": "Unauthorized"}, 401), Reason.AUTH, "revoked, rolled, or is another's"),
    (says_json({"message": "Forbidden"}, 403), Reason.AUTH, "does not allow the key to see this; give it "),
    (Answer(429, "", {"Retry-After": "7"}), Reason.RATE_LIMITED, "we ask again in 7 s"),
    (Answer(429, "", {"Retry-After": "Wed, 21 Oct 2099 07:28:00 GMT"}), Reason.RATE_LIMITED, "again in 1 d"),
    (Answer(429, ""), Reason.RATE_LIMITED, "again in 30 s"),
    (Answer(500, "{}"), Reason.STATUS, "Supabase is out of order: it answers 500"),
    (page("<h1>Supabase</h1>"), Reason.PROTOCOL, "got a web page"),
    (Answer(200, '{"status": "ACT'), Reason.PROTOCOL, "expected JSON"),
    (says_json(7), Reason.PROTOCOL, "expected "),
    (
        says_json({"status": 1, "metrics": [], "enabled": "no", "backups": [{"status": 1, "inserted_at": 0}]}),
        Reason.PROTOCOL,
        "expected ",
    ),
]


@pytest.mark.parametrize("path", ["", "/health", "/readonly", "/config/disk/util", "/database/backups"])
@pytest.mark.parametrize(("answer", "reason", "said"), BAD, ids=range(len(BAD)))
async def test_what_supabase_does_wrong_is_unknown(
    supabase: SupabaseApi, path: str, answer: Answer, reason: Reason, said: str, patient: Resources
) -> None:
    supabase.lies[path] = answer
    sample = await look(made(supabase, backups=True), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, reason), sample.detail
    assert said in sample.detail


async def test_a_project_that_is_not_there_is_unknown(supabase: SupabaseApi, patient: Resources) -> None:
    sample = await look(made(supabase, project="another0project"), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.MISSING)
    assert "knows no project another0project" in sample.detail


async def test_a_moment_that_is_none_is_unknown(supabase: SupabaseApi, patient: Resources) -> None:
    supabase.backups[0]["inserted_at"] = "yesterday"
    sample = await look(made(supabase, health=False, backups=True), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert made(supabase).every == timedelta(minutes=10)

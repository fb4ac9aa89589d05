"""What Render's API may do wrong: of none of it is the product to blame."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from monitor.clock import SystemClock
from monitor.model import CheckId, Reason, State
from monitor.probes import load_kind
from monitor.probes.base import observe
from monitor.vendors import Accounts
from tests.fakes import ImpatientClock
from tests.systems.render_api import HTML, KEY, RenderApi, refused, throttled
from tests.systems.site import Answer, page, says_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from monitor.model import Sample
    from monitor.probes.base import Resources

CHECK = CheckId("shop", "render")
HOUR = timedelta(hours=1)
ASPECTS = ["deploys", "instances", "memory", "requests", "latency", "events"]


@pytest.fixture
async def render() -> AsyncIterator[RenderApi]:
    """Serve a workspace in which all is well."""
    api = RenderApi("127.0.0.1", None)
    async with AsyncExitStack() as stack:
        await api.start(stack)
        api.has_service("api")
        api.has_database("db")
        api.has_domain("api", "shop.example.dev")
        api.logs("api", "error", "x")
        api.sets("api", "SECRET_KEY")
        for metric in ("memory", "memory-limit", "http-latency"):
            api.measures(metric, "api", 1.0)
        api.measures("http-requests", "api", 1.0, "200")
        yield api


@pytest.fixture
def patient(resources: Resources) -> Resources:
    return replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))


async def look(api: RenderApi, resources: Resources, **fields: Any) -> Sample:  # noqa: ANN401 - any field
    key = {} if "variables_key" in fields else {"api_key": KEY}
    check = load_kind("render").model_validate({"kind": "render", "url": api.url, "services": ["api"], **key, **fields})
    sample = await observe(CHECK, check, resources, SystemClock())
    assert sample.state is not State.DOWN
    assert sample.reason is None or sample.reason in check.reasons
    assert KEY[4:] not in repr(sample)
    return sample


NEXT: list[dict[str, Any]] = [
    *({"look_at": [aspect]} for aspect in ASPECTS),
    {"logs": {}},
    {"backups": True, "databases": ["db"]},
    {"domains": ["shop.example.dev"]},
]
ANSWERS = [
    pytest.param(refused(401, f"the key {KEY} has expired"), Reason.AUTH, "was revoked", id="401"),
    pytest.param(refused(403, "forbidden"), Reason.AUTH, "does not allow", id="403"),
    pytest.param(refused(404, "not found"), Reason.PROTOCOL, "answers 404", id="404"),
    pytest.param(refused(410, "gone"), Reason.PROTOCOL, "answers 410", id="410"),
    pytest.param(throttled(), Reason.RATE_LIMITED, "again in 30 s", id="429"),
    pytest.param(throttled("17"), Reason.RATE_LIMITED, "again in 17 s", id="429 with seconds"),
    pytest.param(refused(500, "internal server error"), Reason.STATUS, "out of order", id="500"),
    pytest.param(page("<h1>Bad gateway</h1>", 502), Reason.STATUS, "answers 502", id="502 as a page"),
    pytest.param(HTML, Reason.PROTOCOL, "got a web page", id="a page with 200"),
    pytest.param(Answer(200, '[{"cursor": "1", "serv', {"Content-Type": "application/json"}), Reason.PROTOCOL, "JSON",
                 id="half a JSON"),
    pytest.param(Answer(200, "", {"Content-Type": "application/json"}), Reason.PROTOCOL, "", id="nothing"),
    pytest.param(says_json({"message": "hello"}), Reason.PROTOCOL, "expected a list", id="another shape"),
    pytest.param(Answer(302, "", {"Location": "https://example.com/"}), Reason.PROTOCOL, "redirects us", id="redirect"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "reason", "said"), ANSWERS)
async def test_an_answer_that_is_none(
    answer: Answer, reason: Reason, said: str, render: RenderApi, patient: Resources
) -> None:
    """Unknown, with its reason and in words."""
    render.instead = answer
    sample = await look(render, patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, reason)
    assert said in sample.detail


@pytest.mark.parametrize(("answer", "reason", "said"), ANSWERS)
@pytest.mark.parametrize("aspect", NEXT, ids=[*ASPECTS, "logs", "backups", "domains"])
async def test_an_answer_that_is_none_after_good_ones(
    aspect: dict[str, Any], answer: Answer, reason: Reason, said: str, render: RenderApi, patient: Resources
) -> None:
    """The same for what is asked next; what was measured before it counts."""
    render.faults = [listing(render), *([databases(render)] if "databases" in aspect else [])]
    good = len(render.faults)
    render.faults += [answer] * 5
    sample = await look(render, patient, **aspect)
    assert (sample.state, sample.reason) == (State.UNKNOWN, reason)
    assert said in sample.detail or "expected '" in sample.detail
    assert "missing" in {each.name for each in sample.measures}
    assert len(render.asked) == good + 1


async def test_a_date_in_retry_after_is_obeyed(render: RenderApi, patient: Resources) -> None:
    """By Render's clock; and until then nobody asks again."""
    render.skew = timedelta(minutes=20)
    until = format_datetime(render.now() + render.skew + timedelta(seconds=90), usegmt=True)
    render.faults = [throttled(until)]
    assert "again in 1 min 29 s" in (await look(render, patient)).detail.replace("1 min 30 s", "1 min 29 s")
    sample = await look(render, patient)
    assert sample.reason is Reason.RATE_LIMITED
    assert len(render.asked) == 1


async def test_a_limit_that_is_nearly_used_up_is_obeyed(render: RenderApi, patient: Resources) -> None:
    """`Ratelimit-Remaining: 0` with any answer means to wait until the reset."""
    good = listing(render)
    render.faults = [replace(good, headers={**good.headers, "Ratelimit-Remaining": "0", "Ratelimit-Reset": "45"})]
    sample = await look(render, patient, look_at=["deploys"])
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.RATE_LIMITED)
    assert "to wait for 4" in sample.detail
    assert len(render.asked) == 1


async def test_a_key_that_expired_over_night(render: RenderApi, patient: Resources) -> None:
    """What was known stays known: nothing is resolved, nothing opened; and with another key it goes on."""
    render.deploys_to("api", "build_failed")
    before = await look(render, patient, look_at=["deploys"])
    render.keys.clear()
    sample = await look(render, patient, look_at=["deploys"])
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.AUTH)
    render.keys.add(KEY)
    after = await look(render, patient, look_at=["deploys"])
    assert before.state is after.state is State.UP


@pytest.mark.parametrize("skew", [2.5 * HOUR, -2.5 * HOUR], ids=["ahead", "behind"])
async def test_clocks_that_are_far_apart(skew: timedelta, render: RenderApi, patient: Resources) -> None:
    """No age can be told then."""
    render.skew = skew
    sample = await look(render, patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "apart: no time can be told" in sample.detail


async def test_clocks_that_are_a_little_apart(render: RenderApi, patient: Resources) -> None:
    """Ten minutes are nobody's fault, and nothing is younger than new."""
    render.skew = timedelta(minutes=10)
    render.deploys_to("api", "build_in_progress", ago=-timedelta(minutes=10))
    sample = await look(render, patient, look_at=["deploys"])
    assert sample.state is State.UP
    assert [each.value for each in sample.measures if each.name == "deploy_running"] == [0]


async def test_an_empty_list_is_rather_another_workspace(render: RenderApi, patient: Resources) -> None:
    """It does not mean that all services are gone."""
    render.services.clear()
    sample = await look(render, patient, only=True)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.UNKNOWN)
    assert "is it one of another workspace?" in sample.detail
    assert not {"missing", "strangers"} & {each.name for each in sample.measures}


async def test_a_list_that_turns_in_circles(render: RenderApi, patient: Resources) -> None:
    for number in range(100):
        render.has_service(f"more-{number}")
    render.repeats = True
    sample = await look(render, patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)


async def test_a_list_without_end(render: RenderApi, patient: Resources) -> None:
    one = [{"cursor": "x", "service": render.services["api"]}] * 100
    render.faults = [says_json([{**each, "cursor": str(number)} for each in one]) for number in range(20)]
    sample = await look(render, patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "that ends" in sample.detail
    assert len(render.asked) == 10


async def test_a_name_of_two(render: RenderApi, patient: Resources) -> None:
    render.faults = [says_json([{"cursor": "1", "service": render.services["api"]}] * 2)]
    sample = await look(render, patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "give the id" in sample.detail


def new_status(render: RenderApi) -> dict[str, Any]:
    render.deploys_to("api", "paused")
    return {"look_at": ["deploys"]}


def new_suspension(render: RenderApi) -> dict[str, Any]:
    render.services["api"]["suspended"] = "half_suspended"
    return {}


def new_database_status(render: RenderApi) -> dict[str, Any]:
    render.databases["db"]["status"] = "hibernating"
    return {"databases": ["db"]}


def new_recovery(render: RenderApi) -> dict[str, Any]:
    render.recovery[render.id("db")]["recoveryStatus"] = "MAYBE"
    return {"databases": ["db"], "backups": True}


def new_verification(render: RenderApi) -> dict[str, Any]:
    render.has_domain("api", "www.example.dev", "expired")
    return {"domains": ["www.example.dev"]}


def new_unit(render: RenderApi) -> dict[str, Any]:
    labels = [{"field": "resource", "value": render.id("api")}]
    point = {"timestamp": render.now().isoformat(), "value": 1}
    render.faults = [listing(render), says_json([{"labels": labels, "unit": "jiffies", "values": [point]}])]
    return {"look_at": ["latency"]}


@pytest.mark.parametrize(
    "happens", [new_status, new_suspension, new_database_status, new_recovery, new_verification, new_unit]
)
async def test_a_word_that_nobody_here_knows(
    happens: Callable[[RenderApi], dict[str, Any]], render: RenderApi, patient: Resources
) -> None:
    """It may mean anything, so nothing is concluded from it."""
    sample = await look(render, patient, **happens(render))
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "do not know" in sample.detail or "jiffies" in sample.detail


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("id",), 17),
        (("name",), None),
        (("serviceDetails",), []),
        (("serviceDetails", "numInstances"), "3"),
        (("serviceDetails", "autoscaling"), {"enabled": "yes"}),
        (("serviceDetails", "disk"), {"sizeGB": True}),
        (("suspended",), False),
        (("suspenders",), {"billing": True}),
        (("suspenders",), [{"by": "billing"}]),
    ],
)
async def test_a_field_of_another_type(
    path: tuple[str, ...], value: object, render: RenderApi, patient: Resources
) -> None:
    """The place is told, and never a value."""
    place = render.services["api"]
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    sample = await look(render, patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert sample.detail.startswith("expected ")


@pytest.mark.parametrize("moment", ["yesterday", 1700000000, "2026-13-01T00:00:00Z"])
async def test_a_moment_that_is_none(moment: object, render: RenderApi, patient: Resources) -> None:
    render.deploys_to("api", "live", startedAt=moment)
    sample = await look(render, patient, look_at=["deploys"])
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)


async def test_a_moment_without_a_zone_is_of_utc(render: RenderApi, patient: Resources) -> None:
    render.deploys_to("api", "live", startedAt="2026-11-21T12:00:00.123456789")
    sample = await look(render, patient, look_at=["deploys"])
    (started,) = (each.value for each in sample.measures if each.name == "deploy_started")
    assert started == pytest.approx(1795262400.123456)


async def test_a_series_of_nobody_we_know_is_left_away(render: RenderApi, patient: Resources) -> None:
    """And so is one without points; nothing is made of them."""
    render.has_service("web")
    foreign = {"labels": [{"field": "resource", "value": "srv-foreign"}], "unit": "bytes", "values": []}
    point = {"timestamp": render.now().isoformat(), "value": 1}
    render.faults = [listing(render), says_json([{**foreign, "values": [point]}]), says_json([foreign])]
    sample = await look(render, patient, services=["api", "web"], look_at=["memory"])
    assert sample.state is State.UP
    assert sample.unmeasured == {"memory_share"}


@pytest.mark.parametrize(
    "broken",
    [
        '[{"envVar": {"key": "SECRET_KEY", "value": 5}, "cursor": "1"}]',
        '["VALUE-9"]',
        '{"VALUE-9": 1}',
        '[{"envVar": {"key": "A", "value": "VALUE-9"',
        '[{"envVar": {"value": "VALUE-9"}, "cursor": "1"}]',
    ],
)
async def test_no_value_comes_back_from_a_broken_answer(broken: str, render: RenderApi, patient: Resources) -> None:
    """Of variables, Render answers with the values: also where it answers wrongly, none is shown or kept."""
    render.faults = [listing(render), Answer(200, broken, {"Content-Type": "application/json"})]
    sample = await look(render, patient, variables=["SECRET_KEY"], variables_key=KEY)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "VALUE-9" not in repr(sample)
    assert "VALUE-9" not in json.dumps([str(each.kept) for each in patient.accounts._accounts.values()])


def listing(render: RenderApi) -> Answer:
    return says_json([{"cursor": str(n), "service": each} for n, each in enumerate(render.services.values())])


def databases(render: RenderApi) -> Answer:
    return says_json([{"cursor": "1", "postgres": each} for each in render.databases.values()])

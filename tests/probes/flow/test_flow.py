"""The kind flow against a product that is well, broken, slow, and hostile."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from monitor.clock import SystemClock
from monitor.model import CheckId, Keepsake, Reason, Sample, State
from monitor.probes.base import observe
from monitor.probes.flow import FlowCheck
from monitor.probes.flow.leftovers import MOST, TOPIC
from tests.probes.conftest import SECRET
from tests.probes.flow.product import CSRF, PASSWORD, SESSION, TOKEN, Product, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.probes.base import Resources

CHECK = CheckId("shop", "smoke")
LOGIN = {
    "name": "login",
    "url": "/login",
    "form": {"user": "canary", "password": PASSWORD},
    "capture": {"csrf": {"matches": 'name="csrf" value="([^"]+)"', "secret": True}},
}
MAKE = {
    "name": "create",
    "url": "/api/tenants",
    "json": {"name": "canary-{run}"},
    "expect": {"status": 201, "json": {"data.name": "canary-{run}"}},
    "capture": {"tenant": "data.id"},
}
ASK = {"name": "token", "url": "/token", "json": {"client_secret": PASSWORD}, "capture": {"token": "access_token"}}
READ = {
    "name": "read",
    "url": "/api/tenants/{tenant}",
    "headers": {"Authorization": "Bearer {token}", "X-Of": "org {tenant}"},
    "expect": {"json": {"id": "{tenant}", "of": "org {tenant}"}},
}
REMOVE = {"name": "remove", "url": "/api/tenants/{tenant}", "method": "DELETE", "expect": {"status": [204, 404]}}
FIND = {"name": "find", "url": "/api/tenants?name=canary-{run}", "capture": {"tenant": "[0].id"}}


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    async with running() as made:
        yield made


def flow(product: Product, steps: list[dict[str, Any]], cleanup: list[dict[str, Any]] = [], **fields: Any) -> FlowCheck:  # noqa: ANN401, B006 - any field; never changed
    given = {"url": product.url, "steps": steps, "cleanup": cleanup, "writes": True, "timeout": "20s", **fields}
    return FlowCheck.model_validate(given)


async def observed(check: FlowCheck, resources: Resources) -> Sample:
    return await observe(CHECK, check, resources, SystemClock())


def seconds(sample: Sample) -> dict[str, float]:
    return {dict(measure.labels)["step"]: measure.value for measure in sample.measures if measure.name == "step"}


async def test_every_step_passes_and_is_measured(product: Product, resources: Resources) -> None:
    sample = await observed(flow(product, [LOGIN, MAKE, ASK, READ], [REMOVE]), resources)
    assert sample.state is State.UP, sample.detail
    assert list(seconds(sample)) == ["login", "create", "token", "read", "remove"]
    phases = {tuple(dict(each.labels).values()) for each in sample.measures if each.name == "phase"}
    assert {("connect", "create"), ("processing", "remove")} <= phases
    (duration,) = (measure.value for measure in sample.measures if measure.name == "duration")
    assert duration >= sum(seconds(sample).values()) * 0.9
    assert product.tenants == {}
    assert resources.memories[CHECK, "flow"] == {}


async def test_cookies_go_along_also_over_a_redirect(product: Product, resources: Resources) -> None:
    sample = await observed(flow(product, [LOGIN, {"name": "home", "url": "/home"}]), resources)
    assert sample.state is State.UP, sample.detail
    assert [path for _, path in product.seen] == ["/login", "/home", "/home"]


async def test_a_cookie_of_the_file_is_not_added_to(product: Product, resources: Resources) -> None:
    home = {"name": "home", "url": "/home", "headers": {"Cookie": "session=mine"}}
    sample = await observed(flow(product, [LOGIN, home]), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.AUTH)


async def test_the_first_failure_ends_the_flow_and_the_rest_is_cleaned_up(
    product: Product, resources: Resources
) -> None:
    product.broken["/token"] = 503
    sample = await observed(flow(product, [MAKE, ASK, READ], [REMOVE]), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.STATUS)
    assert sample.detail == "token: expected status 2xx, got 503"
    assert [path for _, path in product.seen] == ["/api/tenants", "/token", "/api/tenants/7"]
    assert product.tenants == {}
    assert list(seconds(sample)) == ["create", "remove"]


async def test_nothing_was_made_so_nothing_is_removed(product: Product, resources: Resources) -> None:
    product.broken["/api/tenants"] = 500
    sample = await observed(flow(product, [MAKE], [REMOVE]), resources)
    assert sample.detail == "create: expected status 201, got 500"
    assert product.methods == ["POST"]


async def test_an_answer_that_came_too_late_is_found_by_the_name_of_the_run(
    product: Product, resources: Resources
) -> None:
    """The tenant was made, and we never heard its number."""
    product.delay = 1.0
    sample = await observed(flow(product, [{**MAKE, "timeout": "200ms"}], [FIND, REMOVE]), resources)
    assert (sample.reason, sample.detail) == (Reason.TIMEOUT, "create: no answer within 200 ms")
    assert product.methods == ["POST", "GET", "DELETE"]
    assert product.tenants == {}


async def test_what_cannot_be_removed_is_told_and_removed_by_the_next_run(
    product: Product, resources: Resources
) -> None:
    product.keeps = True
    check = flow(product, [MAKE], [REMOVE])
    sample = await observed(check, resources)
    assert sample.state is State.DOWN
    left = "something is left behind (remove: expected status 204 or 404, got 409); the next run tries again"
    assert sample.detail.startswith(left)
    assert list(product.tenants) == [7]
    product.keeps = False
    assert (await observed(check, resources)).state is State.UP
    assert product.tenants == {}
    assert not check.unfinished(resources.memories[CHECK, "flow"])


async def test_a_flow_that_cannot_clean_up_makes_no_more(product: Product, resources: Resources) -> None:
    product.keeps = True
    check = flow(product, [MAKE], [REMOVE])
    samples = [await observed(check, resources) for _ in range(MOST + 3)]
    assert len(product.tenants) == MOST
    assert samples[-1].detail.startswith("of an earlier run, something is left behind")


async def test_both_failures_are_told(product: Product, resources: Resources) -> None:
    product.keeps, product.broken["/token"] = True, 500
    sample = await observed(flow(product, [MAKE, ASK], [REMOVE]), resources)
    assert sample.detail.startswith("token: expected status 2xx, got 500; and something is left behind (remove:")


async def test_what_must_be_removed_is_noted_before_it_is_made(product: Product, resources: Resources) -> None:
    """And nothing secret with it."""
    kept: list[Keepsake] = []

    async def keep(keepsake: Keepsake) -> bool:
        kept.append(replace(keepsake, body=f"{len(product.seen)} {keepsake.body}"))
        return True

    sample = await observed(flow(product, [ASK, MAKE, READ], [REMOVE]), replace(resources, keep=keep))
    assert sample.state is State.UP, sample.detail
    before, made, gone = kept
    assert {each.check for each in kept} == {CHECK}
    assert {each.topic for each in kept} == {TOPIC}
    ((run, values),) = json.loads(before.body.removeprefix("0 ")).items()
    assert values == {"run": run}
    assert json.loads(made.body.removeprefix("2 ")) == {run: {"run": run, "tenant": 7}}
    assert gone.body == "4 "
    assert TOKEN not in repr(kept)


async def test_without_a_store_nothing_is_made(product: Product, resources: Resources) -> None:
    async def keep(_: Keepsake) -> bool:
        return False

    sample = await observed(flow(product, [ASK, MAKE], [REMOVE]), replace(resources, keep=keep))
    assert sample.left_out
    assert sample.detail.startswith("what it would have to remove again cannot be noted")
    assert product.tenants == {}
    assert not resources.memories[CHECK, "flow"]


async def test_what_a_store_lost_on_the_way_is_still_cleaned_up(product: Product, resources: Resources) -> None:
    """It is there at the first note and away afterwards: what was made is removed all the same."""
    answers = iter([True, False, False, False])

    async def keep(_: Keepsake) -> bool:
        return next(answers)

    sample = await observed(flow(product, [MAKE], [REMOVE]), replace(resources, keep=keep))
    assert sample.state is State.UP, sample.detail
    assert product.tenants == {}


async def test_an_earlier_process_is_cleaned_up_after(product: Product, resources: Resources) -> None:
    product.tenants[3] = "canary-abc"
    check = flow(product, [MAKE], [REMOVE])
    memory = resources.memories.setdefault((CHECK, "flow"), {})
    memory[TOPIC] = json.dumps({"abc": {"run": "abc", "tenant": 3}})
    assert check.unfinished(memory)
    assert (await observed(check, resources)).state is State.UP
    assert product.seen[:2] == [("DELETE", "/api/tenants/3"), ("POST", "/api/tenants")]
    assert memory == {}


async def test_who_is_cancelled_cleans_up(product: Product, resources: Resources) -> None:
    product.held = asyncio.Event()
    check = flow(product, [MAKE], [FIND, REMOVE])
    under_way = asyncio.create_task(observed(check, resources))
    await product.made.wait()
    under_way.cancel()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    assert product.tenants == {}
    assert resources.memories[CHECK, "flow"] == {}


async def test_who_is_cancelled_and_cannot_clean_up_leaves_a_note(product: Product, resources: Resources) -> None:
    product.held, product.keeps = asyncio.Event(), True
    check = flow(product, [MAKE], [FIND, REMOVE])
    under_way = asyncio.create_task(observed(check, resources))
    await product.made.wait()
    under_way.cancel()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    assert check.unfinished(resources.memories[CHECK, "flow"])


async def test_the_whole_has_a_budget_and_the_cleanup_its_part_of_it(product: Product, resources: Resources) -> None:
    product.unready = 1_000
    wait = {
        "name": "job",
        "url": "/jobs/1",
        "expect": {"json": {"status": "completed"}},
        "again": {"every": "50ms", "within": "1h"},
    }
    check = flow(product, [MAKE, wait], [REMOVE], timeout="1500ms", cleanup_timeout="700ms")
    sample = await observed(check, resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.TIMEOUT)
    assert sample.detail.startswith("job: the flow did not come to its end within ")
    assert product.tenants == {}
    assert sample.took.total_seconds() < 1.5


async def test_a_cleanup_that_never_answers_is_given_up(product: Product, resources: Resources) -> None:
    product.delay = 30.0
    slow = {"name": "slow", "url": "/api/tenants", "json": {"name": "{run}"}, "timeout": "1h"}
    check = flow(product, [ASK], [slow], timeout="800ms", cleanup_timeout="400ms")
    sample = await observed(check, resources)
    assert sample.reason is Reason.TIMEOUT
    assert "(cleaning up took longer than " in sample.detail


async def test_what_takes_its_time_is_asked_again(product: Product, resources: Resources) -> None:
    again = {"every": "10ms", "within": "10s"}
    job = {"name": "job", "url": "/jobs/1", "expect": {"json": {"status": "completed"}}, "again": again}
    sample = await observed(flow(product, [job]), resources)
    assert sample.state is State.UP, sample.detail
    assert len(product.seen) == 3
    assert seconds(sample)["job"] > 0.02


async def test_what_takes_too_long_says_what_it_was_last(product: Product, resources: Resources) -> None:
    product.unready = 1_000
    again = {"every": "30ms", "within": "100ms"}
    job = {"name": "job", "url": "/jobs/1", "expect": {"json": {"status": "completed"}}, "again": again}
    sample = await observed(flow(product, [job]), resources)
    told = 'job: still not after 100 ms: expected status to be "completed", got "processing"'
    assert (sample.reason, sample.detail) == (Reason.BODY, told)


async def test_an_address_that_was_captured_is_followed_where_it_may_lead(
    product: Product, resources: Resources
) -> None:
    """Byte for byte: it is signed."""
    upload = {"name": "presign", "url": "/uploads", "method": "POST", "capture": {"place": "upload_url"}}
    put = {"name": "upload", "url": "{place}", "origin": product.url, "method": "PUT", "body": "canary"}
    picture = {**put, "name": "picture", "body": None, "base64": "iVBORw0KGgo="}
    sample = await observed(flow(product, [upload, put, picture]), resources)
    assert sample.state is State.UP, sample.detail
    assert product.uploads == [b"canary", b"\x89PNG\r\n\x1a\n"]
    assert product.seen[-1] == ("PUT", "/bucket/canary%2Fx.png?X-Sig=a%2Bb%3D")


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example",
        "http://127.0.0.1:1",
        "//evil.example",
        "http://u:p@{host}",
        "ftp://{host}",
        "http://[",
    ],
)
async def test_an_address_that_was_captured_leads_nowhere_else(
    place: str, product: Product, resources: Resources
) -> None:
    product.elsewhere = place.replace("{host}", product.url.removeprefix("http://"))
    upload = {"name": "presign", "url": "/uploads", "method": "POST", "capture": {"place": "upload_url"}}
    put = {"name": "upload", "url": "{place}", "origin": product.url, "method": "PUT", "body": "canary"}
    sample = await observed(flow(product, [upload, put]), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.BODY)
    assert sample.detail.startswith("upload: ")
    assert product.uploads == []


@pytest.mark.parametrize("found", ["..", ".", "a\r\nX-Evil: 1"])
async def test_what_was_found_cannot_lead_out_of_its_place(found: str, product: Product, resources: Resources) -> None:
    product.broken["/home"], product.said = 200, found
    look = {"name": "look", "url": "/home", "capture": {"found": "error"}}
    use = {"name": "use", "url": "/api/tenants/{found}", "headers": {"X-Of": "{found}"}}
    sample = await observed(flow(product, [look, use]), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.BODY)
    assert len(product.seen) == 1


async def test_what_the_check_says_of_us_goes_to_its_own_host_only(product: Product, resources: Resources) -> None:
    async with running() as other:
        there = {"name": "there", "url": f"{other.url}/api/tenants/1", "expect": {"status": 401}}
        here = {"name": "here", "url": "/api/tenants/1", "expect": {"json": {"id": 1}}}
        sample = await observed(flow(product, [here, there], auth={"bearer": TOKEN}), resources)
    assert sample.state is State.UP, sample.detail


@pytest.mark.parametrize(
    ("capture", "detail"),
    [
        ("data", 'expected a text or a number at data, got {"id": '),
        ("data.nothing", "expected something at data.nothing, got nothing"),
        ({"header": "X-Nothing"}, "expected something in the header X-Nothing, got nothing"),
        ({"matches": "never"}, "expected something that match /never/, got nothing"),
    ],
)
async def test_what_is_not_found_is_a_failure(
    capture: object, detail: str, product: Product, resources: Resources
) -> None:
    sample = await observed(flow(product, [{**MAKE, "capture": {"x": capture}}]), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.BODY)
    assert sample.detail.startswith(f"create: {detail}")


async def test_a_secret_that_is_none_is_a_failure(product: Product, resources: Resources) -> None:
    sample = await observed(flow(product, [{**MAKE, "capture": {"token": "data"}}]), resources)
    assert sample.reason is Reason.BODY
    assert sample.detail.startswith("create: expected a text or a number at data")


async def test_more_than_a_long_token_is_not_captured(product: Product, resources: Resources) -> None:
    product.broken["/home"], product.said = 200, "x" * 20_000
    sample = await observed(flow(product, [{"name": "look", "url": "/home", "capture": {"x": "error"}}]), resources)
    assert sample.detail == "look: expected at most 16,384 characters at error, got 20,000"


async def test_a_header_and_all_that_matched_can_be_captured(product: Product, resources: Resources) -> None:
    make = {**MAKE, "capture": {"place": {"header": "Location"}, "tier": {"matches": "profess[a-z]+"}}}
    read = {"name": "read", "url": "/api/tenants?name={tier}&of={place}", "method": "GET"}
    sample = await observed(flow(product, [make, read]), resources)
    assert sample.state is State.UP, sample.detail
    assert product.seen[-1][1] == "/api/tenants?name=professional&of=%2Fapi%2Ftenants%2F7"


async def test_captured_secrets_and_cookies_are_told_to_nobody(product: Product, resources: Resources) -> None:
    """Also when the very answer that holds them is not as expected, and when another repeats them."""
    product.broken["/api/tenants/1"], product.said = 500, f"{TOKEN} {CSRF} {SESSION} {SECRET}"
    repeats = {"name": "repeats", "url": "/api/tenants/1", "expect": {"show": "error"}}
    early = {**ASK, "expect": {"body": {"equals": "never"}}}
    kept: list[Keepsake] = []

    async def keep(keepsake: Keepsake) -> bool:
        kept.append(keepsake)
        return True

    with capture_logs() as logs:
        for steps, cleanup in (([LOGIN, ASK, MAKE, repeats], [REMOVE]), ([early], [])):
            sample = await observed(flow(product, steps, cleanup), replace(resources, keep=keep))
            assert sample.state is State.DOWN
            assert "•••" in sample.detail, sample.detail
            for secret in (TOKEN, CSRF, SESSION, SECRET, PASSWORD):
                assert secret not in repr((sample, kept, logs, resources.memories))


async def test_a_flow_says_where_it_hung(product: Product, resources: Resources) -> None:
    product.delay = 30.0
    sample = await observed(flow(product, [{**MAKE, "timeout": "1h"}], timeout="300ms"), resources)
    assert sample.reason is Reason.TIMEOUT
    assert sample.detail == "no answer to the step create within 300 ms"

"""The kind `shopify` against a stand-in of its API."""

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
from monitor.probes.shopify import COMPLIANCE, ShopifyCheck
from monitor.probes.shopify.subscriptions import QUERY
from monitor.vendors import Accounts
from tests.fakes import ImpatientClock
from tests.systems.shopify_api import BUCKET, TOKEN, ShopifyApi, graphql_error, throttled
from tests.systems.site import Answer, page, says_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.model import Sample
    from monitor.probes.base import Resources

CHECK = CheckId("shop", "shopify")
SHOP = "canary-shop.myshopify.com"
HOOKS = "https://api.example.com/webhooks"
GONE = "app/uninstalled"
GOOD = {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}


@pytest.fixture
async def shopify() -> AsyncIterator[ShopifyApi]:
    api = ShopifyApi("127.0.0.1", None)
    async with AsyncExitStack() as stack:
        await api.start(stack)
        yield api


@pytest.fixture
def patient(resources: Resources) -> Resources:
    """Resources with which a pause between two requests takes no time."""
    return replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))


def made(api: ShopifyApi | None, **fields: Any) -> ShopifyCheck:  # noqa: ANN401 - any field
    url = {"url": api.url} if api else {}
    known = {"kind": "shopify", "shop": SHOP, "token": TOKEN, "topics": [GONE], **url}
    check = load_kind("shopify").model_validate(known | fields)
    assert isinstance(check, ShopifyCheck)
    return check


async def look(check: ShopifyCheck, resources: Resources) -> Sample:
    sample = await observe(CHECK, check, resources, SystemClock())
    assert TOKEN[6:] not in repr(sample)
    assert sample.reason is None or sample.reason in check.reasons
    return sample


def measured(sample: Sample, name: str) -> float | None:
    found = [each.value for each in sample.measures if each.name == name]
    assert len(found) <= 1 or name == "phase"
    return found[0] if found else None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"shop": "shop.example.com"}, "the shop's own name, such as my-shop.myshopify.com"),
        ({"shop": ""}, "the shop's own name"),
        ({"token": "shpat_1\r\nX-Evil: 1"}, "visible characters alone"),
        ({"topics": []}, "at least 1 item"),
        ({"topics": [1]}, "valid string"),
        ({"topics": ["uninstalled"]}, "no topic such as app/uninstalled"),
        ({"api_version": "2025-10"}, "no longer serves versions before 2026-01"),
        ({"api_version": "latest"}, "match pattern"),
        *(({"topics": [topic]}, f"{topic} belongs to the whole app .shopify.app.toml") for topic in sorted(COMPLIANCE)),
        ({"topics": ["Customers/Redact"]}, "belongs to the whole app"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    """Above all topics that this API never shows: their absence would say nothing."""
    with pytest.raises(ValueError, match=f"(?s){said}"):
        made(None, **fields)


@pytest.mark.parametrize("shop", ["canary-shop", "Canary-Shop.myshopify.com", SHOP])
def test_the_shop_says_where_the_api_is(shop: str) -> None:
    check = made(None, shop=shop)
    assert check.access.url == f"https://{SHOP}"
    assert check.host == SHOP
    assert made(None, api_version="2026-04").api_version == "2026-04"
    assert check.retry_every == timedelta(minutes=5)
    assert [each.watch for each in check.implied()] == ["missing_topics"]


async def test_a_shop_in_order(shopify: ShopifyApi, patient: Resources) -> None:
    shopify.subscribes("APP_UNINSTALLED", f"{HOOKS}/app_uninstalled")
    shopify.subscribes("ORDERS_CREATE", "pubsub://project:orders")
    shopify.used = BUCKET / 2
    topics = ["app/uninstalled", "orders/create"]
    sample = await look(made(shopify, topics=topics), patient)
    assert sample.state is State.UP, sample.detail
    assert measured(sample, "missing_topics") == 0
    assert measured(sample, "subscriptions") == 2
    assert measured(sample, "throttle_share") == pytest.approx(0.5, abs=0.01)
    assert shopify.asked == ["POST /admin/api/2026-10/graphql.json"]
    assert "mutation" not in QUERY


@pytest.mark.parametrize(
    ("uri", "address", "wrong"),
    [
        (f"{HOOKS}/app_uninstalled", HOOKS, ""),
        (f"{HOOKS}/app_uninstalled", f"{HOOKS}/", ""),
        (f"{HOOKS}/app_uninstalled", f"{HOOKS}/app_uninstalled", ""),
        (f"{HOOKS}?t=hunter2", HOOKS, ""),
        (HOOKS, f"{HOOKS}/", ""),
        ("pubsub://project:topic", "pubsub://project:topic", ""),
        (f"{HOOKS}-old/app", HOOKS, f"sent to {HOOKS}-old/app"),
        (
            "https://api.example.com.evil.example/webhooks/",
            "https://api.example.com",
            "sent to https://api.example.com.e",
        ),
        ("https://old.example.com/?t=hunter2", HOOKS, "sent to https://old.example.com/"),
        ("pubsub://project:topic", HOOKS, "sent to pubsub://project:topic"),
        ("https://[x", HOOKS, "sent to an address that is none"),
    ],
)
async def test_where_a_topic_is_sent(
    uri: str, address: str, wrong: str, shopify: ShopifyApi, patient: Resources
) -> None:
    shopify.subscribes("APP_UNINSTALLED", uri)
    sample = await look(made(shopify, address=address), patient)
    assert sample.state is State.UP
    assert measured(sample, "missing_topics") == bool(wrong)
    assert wrong in sample.remarks.get("missing_topics", "")
    assert "hunter2" not in repr(sample)


async def test_an_empty_list(shopify: ShopifyApi, patient: Resources) -> None:
    """Shopify deletes what it could not deliver eight times: then this is all that can be seen."""
    sample = await look(made(shopify, topics=[GONE, "orders/create"]), patient)
    assert sample.state is State.UP
    assert measured(sample, "missing_topics") == 2
    assert (
        sample.remarks["missing_topics"] == "app/uninstalled is not subscribed to; orders/create is not subscribed to"
    )


async def test_several_pages(shopify: ShopifyApi, patient: Resources) -> None:
    for number in range(150):
        shopify.subscribes(f"TOPIC_{number}", HOOKS)
    shopify.subscribes("APP_UNINSTALLED", HOOKS)
    sample = await look(made(shopify), patient)
    assert (measured(sample, "subscriptions"), measured(sample, "missing_topics")) == (151, 0)
    assert measured(sample, "requests") == 2


@pytest.mark.parametrize(
    ("answer", "state", "reason", "said"),
    [
        (says_json({"errors": "[API] Invalid API key"}, 401), State.DOWN, Reason.AUTH, "the app was uninstalled there"),
        (says_json({"errors": "scope was taken away"}, 403), State.DOWN, Reason.AUTH, "refuses the app in canary-shop"),
        (page("<h1>Blocked</h1>", status=403), State.UNKNOWN, Reason.AUTH, "refuses the app"),
        (says_json({"errors": "Unavailable Shop"}, 403), State.UNKNOWN, Reason.MISSING, "is closed or suspended"),
        (
            says_json({"errors": "Unavailable Shop"}, 402),
            State.UNKNOWN,
            Reason.MISSING,
            "is frozen until its owner pays",
        ),
        (says_json({"errors": "Not Found"}, 404), State.UNKNOWN, Reason.MISSING, "is gone, or never was"),
        (says_json({"errors": "locked"}, 423), State.UNKNOWN, Reason.MISSING, "is locked"),
        (graphql_error("SHOP_INACTIVE", "x"), State.UNKNOWN, Reason.MISSING, "is inactive"),
        (graphql_error("ACCESS_DENIED", "x"), State.UNKNOWN, Reason.AUTH, "may not see webhooks"),
        (graphql_error("INTERNAL_SERVER_ERROR", "x"), State.UNKNOWN, Reason.STATUS, "out of order"),
        (
            graphql_error("MAX_COST_EXCEEDED", "Query cost is 2003"),
            State.UNKNOWN,
            Reason.PROTOCOL,
            "Query cost is 2003",
        ),
        (
            says_json({"errors": [{"message": "Field 'uri' doesn't exist"}]}),
            State.UNKNOWN,
            Reason.PROTOCOL,
            "Field 'uri'",
        ),
        (says_json({"errors": "x"}), State.UNKNOWN, Reason.PROTOCOL, "does not take our question: x"),
        (says_json({"errors": []}), State.UNKNOWN, Reason.PROTOCOL, "does not take our question"),
        (says_json({"data": None}), State.UNKNOWN, Reason.PROTOCOL, "expected 'data' in the answer, got nothing"),
        (says_json([]), State.UNKNOWN, Reason.PROTOCOL, "expected an object"),
        (page(), State.UNKNOWN, Reason.PROTOCOL, "got a web page"),
        (Answer(200, "{"), State.UNKNOWN, Reason.PROTOCOL, "expected JSON"),
        (Answer(503, ""), State.UNKNOWN, Reason.STATUS, "Shopify is out of order: it answers 503"),
        (throttled(), State.UNKNOWN, Reason.RATE_LIMITED, "rate limit in this shop is used up"),
        (throttled(status=429), State.UNKNOWN, Reason.RATE_LIMITED, "rate limit in this shop is used up"),
        (Answer(429, "", {"Retry-After": "2"}), State.UNKNOWN, Reason.RATE_LIMITED, "is used up"),
    ],
    ids=range(22),
)
async def test_what_shopify_answers(
    answer: Answer, state: State, reason: Reason, said: str, shopify: ShopifyApi, patient: Resources
) -> None:
    """A token that no longer works is down, whatever else keeps us from looking is unknown."""
    shopify.says = answer
    sample = await look(made(shopify), patient)
    assert (sample.state, sample.reason) == (state, reason), sample.detail
    assert said in sample.detail
    assert measured(sample, "missing_topics") is None


async def test_an_app_that_was_uninstalled(shopify: ShopifyApi, patient: Resources) -> None:
    shopify.uninstalls()
    sample = await look(made(shopify), patient)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.AUTH)


async def test_a_throttled_app_is_left_alone_until_its_points_are_back(shopify: ShopifyApi, patient: Resources) -> None:
    """For as long as the arithmetic of the answer says, though its status is 200; and it counts as a refusal."""
    clock = patient.accounts.clock
    assert isinstance(clock, ImpatientClock)
    shopify.used = BUCKET
    first = await look(made(shopify), patient)
    assert first.reason is Reason.RATE_LIMITED
    assert measured(first, "throttle_share") == 1
    assert measured(first, "api_errors") == pytest.approx(0.1)
    second = await look(made(shopify), patient)
    assert (second.reason, measured(second, "requests")) == (Reason.RATE_LIMITED, 0)
    shopify.used = 0
    clock.waited += timedelta(seconds=1.2)  # 13 points at 100 a second, and one second
    assert (await look(made(shopify), patient)).state is State.UP


async def test_each_answer_tells_what_it_cost(shopify: ShopifyApi, patient: Resources) -> None:
    """A tenth of the smallest plan is 600 points a minute: 47 questions of 13 points, and then a pause."""
    clock = patient.accounts.clock
    assert isinstance(clock, ImpatientClock)
    shopify.subscribes("APP_UNINSTALLED", HOOKS)
    for _ in range(47):
        assert (await look(made(shopify), patient)).state is State.UP
    assert clock.waited == timedelta()
    assert (await look(made(shopify, timeout="90s"), patient)).state is State.UP
    assert clock.waited > timedelta(seconds=30)


async def test_an_answer_without_its_cost_will_do(shopify: ShopifyApi, patient: Resources) -> None:
    answer: dict[str, Any] = {"data": {"webhookSubscriptions": GOOD}}
    for body in (answer, answer | {"extensions": {}}):
        shopify.says = says_json(body)
        sample = await look(made(shopify), patient)
        assert sample.state is State.UP
        assert measured(sample, "throttle_share") is None


async def test_a_cursor_that_does_not_move_is_unknown(shopify: ShopifyApi, patient: Resources) -> None:
    shopify.repeats = True
    shopify.subscribes("APP_UNINSTALLED", HOOKS)
    sample = await look(made(shopify), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "the same page again" in sample.detail


async def test_a_list_that_never_ends_is_left(shopify: ShopifyApi, patient: Resources) -> None:
    for number in range(600):
        shopify.subscribes(f"TOPIC_{number}", HOOKS)
    sample = await look(made(shopify), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "expected a list of subscriptions that ends" in sample.detail
    assert measured(sample, "requests") == 5

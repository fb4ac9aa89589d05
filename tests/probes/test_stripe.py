"""The kind `stripe` against a stand-in of its API."""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import SystemClock
from monitor.model import CheckId, Reason, State
from monitor.probes import load_kind
from monitor.probes.base import observe
from monitor.probes.stripe import StripeCheck
from monitor.probes.stripe.deliveries import Backlog, Event
from monitor.vendors import Accounts
from tests.fakes import START, ImpatientClock
from tests.systems.site import Answer, page, says_json
from tests.systems.stripe_api import FIXTURES, HTML, KEY, RIGHTS, StripeApi, refused, throttled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.model import Sample
    from monitor.probes.base import Resources

CHECK = CheckId("shop", "stripe")
HOOK = "https://shop.example.com/webhooks/stripe"
SESSION, INVOICE = "checkout.session.completed", "invoice.payment_failed"
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def stripe() -> AsyncIterator[StripeApi]:
    api = StripeApi("127.0.0.1", None)
    async with AsyncExitStack() as stack:
        await api.start(stack)
        yield api


@pytest.fixture
def patient(resources: Resources) -> Resources:
    """Resources with which a pause between two requests takes no time."""
    return replace(resources, accounts=Accounts(ImpatientClock(SystemClock())))


def made(api: StripeApi, **fields: Any) -> StripeCheck:  # noqa: ANN401 - any field
    check = load_kind("stripe").model_validate({"kind": "stripe", "api_key": KEY, "url": api.url, **fields})
    assert isinstance(check, StripeCheck)
    return check


async def look(check: StripeCheck, resources: Resources, name: CheckId = CHECK) -> Sample:
    sample = await observe(name, check, resources, SystemClock())
    declared = {spec.name: set(spec.labels) for spec in check.measures}
    assert all({name for name, _ in measure.labels} == declared[measure.name] for measure in sample.measures)
    assert sample.reason is None or sample.reason in check.reasons
    assert KEY[8:] not in repr(sample)
    assert KEY[-6:] not in repr(sample)
    return sample


def measured(sample: Sample, name: str) -> float | None:
    return next((each.value for each in sample.measures if each.name == name and not each.labels), None)


def by_type(sample: Sample, name: str) -> dict[str, float]:
    return {dict(each.labels)["type"]: each.value for each in sample.measures if each.name == name}


def shape(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the keys of a JSON object, and the types of their values."""
    return {key: type(each).__name__ for key, each in value.items()}


# The stand-in


def test_the_stand_in_has_the_shapes_of_the_fixtures(stripe: StripeApi) -> None:
    """What the tests below prove of the stand-in holds of what Stripe publishes."""
    stripe.registers(HOOK, SESSION)
    stripe.happens(SESSION, pending=1)
    stripe.sells("price_1")
    assert shape(stripe.endpoints[0]) == shape(FIXTURES["webhook_endpoint"])
    assert shape(stripe.events[0]) == shape(FIXTURES["event"])
    assert shape(stripe.sold["price_1"]) == shape(FIXTURES["price"])


# What is configured


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"api_key": "sk_live_1"}, "a secret key may do everything.*make a restricted key .*Events: Read"),
        ({"api_key": "sk_test_1"}, "a secret key may do everything"),
        ({"api_key": "pk_live_1"}, "no key that can read"),
        ({"api_key": "whsec_1"}, "no key that can read"),
        ({"api_key": f"{KEY}\n"}, "visible characters alone"),
        ({"api_key": "rk_test_1"}, "sees test mode only, and livemode is true"),
        ({"livemode": False}, "sees live mode only, and livemode is false"),
        ({"url": "http://api.example.com"}, "over https only"),
        ({"url": "https://user@api.example.com"}, "not an address"),
        ({"url": "https://api.example.com?x=1"}, "not an address"),
        ({"url": "ftp://api.example.com"}, "not an address"),
        ({"url": "https://[x"}, "not an address"),
        ({"events": [SESSION], "deliveries": False}, "give one of the two"),
        ({"events": ["Checkout"]}, "match pattern"),
        ({"prices": ["price/1"]}, "match pattern"),
        ({"look_back": "31d"}, "less than or equal"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], said: str) -> None:
    """Before anything runs, and without the key."""
    with pytest.raises(ValueError, match=f"(?s){said}"):
        load_kind("stripe").model_validate({"kind": "stripe", "api_key": KEY, **fields})


def test_a_key_that_names_no_mode_is_taken(stripe: StripeApi) -> None:
    assert made(stripe, api_key="rk_org_1").livemode


def test_checks_of_one_key_take_turns(stripe: StripeApi) -> None:
    """And what tells the keys apart does not tell them."""
    assert made(stripe).alone == made(stripe, prices=["price_1"]).alone
    assert made(stripe).alone != made(stripe, api_key=f"{KEY}2").alone
    assert KEY not in made(stripe).alone


def test_a_failed_run_is_not_followed_by_another_at_once(stripe: StripeApi) -> None:
    assert made(stripe).retry_every == 5 * MINUTE
    assert made(stripe, every="1m").retry_every == MINUTE
    assert made(stripe, retry={"every": "20s"}).retry_every == MINUTE / 3


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"endpoint": HOOK}, ["not delivered", "deliveries fail"]),
        ({"endpoint": HOOK, "events": [SESSION]}, ["missing events", "not delivered", "deliveries fail"]),
        ({"endpoint": HOOK, "deliveries": False}, []),
        ({"prices": ["price_1"]}, ["missing prices", "inactive prices"]),
        ({"prices": ["price_1"], "thresholds": [{"watch": "inactive_prices", "info": "> 0"}]}, []),
        ({"deliveries": True, "thresholds": [{"watch": f'undelivered{{type="{SESSION}"}}', "critical": "> 0"}]}, []),
        ({}, ["errors of the API"]),
    ],
)
def test_figures_come_with_what_is_looked_at(fields: dict[str, Any], names: list[str], stripe: StripeApi) -> None:
    """Unless the file has its own on the same subject."""
    assert [each.name for each in made(stripe, **fields).implied()] == names


@pytest.mark.parametrize(
    ("fields", "reads"),
    [
        ({"every": "10m", "endpoint": HOOK}, ""),
        ({"every": "5m", "endpoint": HOOK}, "17,280"),
        ({"every": "30s"}, "86,400"),
        ({"every": "5m", "prices": ["price_1"]}, ""),
    ],
)
def test_reading_more_than_stripe_allots_is_doubtful(fields: dict[str, Any], reads: str, stripe: StripeApi) -> None:
    """It allows each account 10,000 reads in 30 days, and more only to whoever sells more."""
    doubts = " ".join(made(stripe, **fields).doubts())
    assert f"reads from Stripe {reads} times" in doubts if reads else not doubts


# Registration


async def test_an_endpoint_in_order(stripe: StripeApi, patient: Resources) -> None:
    stripe.registers("https://old.example.com/hook", "*", status="disabled")
    stripe.registers(HOOK, SESSION, INVOICE)
    sample = await look(made(stripe, endpoint=HOOK, events=[SESSION, INVOICE]), patient)
    assert sample.state is State.UP, sample.detail
    assert measured(sample, "endpoint_enabled") == 1
    assert measured(sample, "missing_events") == 0
    assert measured(sample, "backlog") == 0
    assert measured(sample, "newest_failed") == 0
    assert by_type(sample, "undelivered") == {SESSION: 0, INVOICE: 0}
    assert measured(sample, "requests") == 2
    assert {asked.split()[0] for asked in stripe.asked} == {"GET"}


@pytest.mark.parametrize(
    ("registered", "reason", "said"),
    [
        ([], Reason.MISSING, "there is none in this account and mode"),
        ([{"url": f"{HOOK}/"}], Reason.MISSING, f"no endpoint is registered for {HOOK}; there is {HOOK}/"),
        ([{"url": f"https://{n}.example.com/?t=hunter2"} for n in "abcde"], Reason.MISSING, "and 2 more"),
        ([{"url": "http://[x"}], Reason.MISSING, "an address that is none"),
        ([{"url": HOOK, "status": "disabled"}], Reason.STATUS, "is disabled: Stripe sends nothing there"),
        ([{"url": HOOK, "livemode": False}], Reason.MISSING, "registered in test mode, and none in live mode"),
    ],
)
async def test_what_is_wrong_with_an_endpoint_is_down(
    registered: list[dict[str, Any]], reason: Reason, said: str, stripe: StripeApi, patient: Resources
) -> None:
    """Each in its own words; what is measured besides is measured."""
    for fields in registered:
        stripe.registers(fields["url"], SESSION).update(fields)
    stripe.happens(SESSION, ago=timedelta(hours=1), pending=1)
    sample = await look(made(stripe, endpoint=HOOK, events=[SESSION]), patient)
    assert (sample.state, sample.reason) == (State.DOWN, reason)
    assert said in sample.detail
    assert "hunter2" not in sample.detail
    assert measured(sample, "endpoint_enabled") == 0
    assert measured(sample, "missing_events") is None
    assert measured(sample, "backlog") == 1


async def test_one_of_several_endpoints_for_an_address_will_do(stripe: StripeApi, patient: Resources) -> None:
    stripe.registers(HOOK, INVOICE)
    stripe.registers(HOOK, SESSION, status="disabled")
    sample = await look(made(stripe, endpoint=HOOK, events=[SESSION, INVOICE]), patient)
    assert sample.state is State.UP
    assert measured(sample, "missing_events") == 1
    assert sample.remarks["missing_events"] == f"the endpoint is not subscribed to {SESSION}"


async def test_all_covers_every_event(stripe: StripeApi, patient: Resources) -> None:
    stripe.registers(HOOK, "*")
    sample = await look(made(stripe, endpoint=HOOK, events=[SESSION, INVOICE]), patient)
    assert measured(sample, "missing_events") == 0


async def test_a_disabled_endpoint_is_told_also_when_events_cannot_be_read(
    stripe: StripeApi, patient: Resources
) -> None:
    """What is known to be wrong counts more than what is not known."""
    stripe.registers(HOOK, SESSION, status="disabled")
    stripe.rights.remove("/v1/events")
    sample = await look(made(stripe, endpoint=HOOK), patient)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.STATUS)


async def test_an_answer_serves_two_checks_once_each(stripe: StripeApi, patient: Resources) -> None:
    """Two that look at the endpoints of one account ask once; whoever looks again asks again."""
    stripe.registers(HOOK, SESSION)
    first, second = (made(stripe, endpoint=HOOK, deliveries=False, every=every) for every in ("10m", "20m"))
    requests = [
        measured(await look(first, patient), "requests"),
        measured(await look(second, patient, CheckId("shop", "other")), "requests"),
        measured(await look(second, patient, CheckId("shop", "other")), "requests"),
        measured(await look(first, patient), "requests"),
        measured(await look(first, patient), "requests"),
    ]
    assert requests == [1, 0, 1, 0, 1]


# Deliveries


async def test_events_that_were_not_delivered(stripe: StripeApi, patient: Resources) -> None:
    stripe.happens(SESSION, ago=3 * MINUTE, pending=1, times=5)
    stripe.happens(SESSION, ago=20 * MINUTE, pending=1, times=3)
    stripe.happens(INVOICE, ago=90 * MINUTE, pending=2)
    stripe.happens(INVOICE, ago=95 * MINUTE)
    stripe.happens("charge.failed", ago=30 * MINUTE, pending=1)
    sample = await look(made(stripe, events=[SESSION, INVOICE]), patient)
    assert sample.state is State.UP
    assert by_type(sample, "undelivered") == {SESSION: 3, INVOICE: 1}
    ages = by_type(sample, "undelivered_age")
    assert ages[SESSION] == pytest.approx(20 * 60, abs=5)
    assert ages[INVOICE] == pytest.approx(90 * 60, abs=5)
    assert measured(sample, "backlog") == 4
    assert measured(sample, "newest_failed") == 4
    assert measured(sample, "requests") == 2
    text = f"4 not delivered: 3 × {SESSION}, the oldest 20 min old; 1 × {INVOICE}, the oldest 1 h 30 min old"
    assert re.sub(r"( \d+ s)? old", " old", sample.remarks["backlog"]) == text
    assert sample.remarks["undelivered"] == sample.remarks["newest_failed"] == sample.remarks["backlog"]


async def test_all_types_count_where_none_is_named(stripe: StripeApi, patient: Resources) -> None:
    stripe.happens("charge.failed", ago=30 * MINUTE, pending=1)
    sample = await look(made(stripe, deliveries=True), patient)
    assert by_type(sample, "undelivered") == {"charge.failed": 1}
    assert "types" not in " ".join(stripe.asked)


@pytest.mark.parametrize(("subscribed", "count"), [([SESSION], 0), ([SESSION, "charge.failed"], 1), (["*"], 1)])
async def test_the_endpoint_says_whose_deliveries_count(
    subscribed: list[str], count: int, stripe: StripeApi, patient: Resources
) -> None:
    """An event that only another endpoint wanted is none of ours."""
    stripe.registers(HOOK, *subscribed)
    stripe.happens("charge.failed", ago=30 * MINUTE, pending=1)
    assert measured(await look(made(stripe, endpoint=HOOK), patient), "backlog") == count


async def test_more_types_than_a_question_may_name(stripe: StripeApi, patient: Resources) -> None:
    """Then all are read, and the others left out here."""
    many = [f"charge.kind_{number}" for number in range(21)]
    stripe.happens(many[20], ago=30 * MINUTE, pending=1)
    stripe.happens("charge.other", ago=20 * MINUTE)
    stripe.happens("charge.other", ago=25 * MINUTE, pending=1)
    sample = await look(made(stripe, events=many), patient)
    assert measured(sample, "backlog") == 1
    assert measured(sample, "newest_failed") == 1


@pytest.mark.parametrize(("pending", "newest"), [("111", 3), ("0111", 0), ("1101", 2), ("1" * 12, 10)])
async def test_the_newest_in_a_row(pending: str, newest: int, stripe: StripeApi, patient: Resources) -> None:
    """One event of each age, the newest first; the youngest of all is on its way and does not count."""
    stripe.happens(SESSION, ago=MINUTE, pending=1)
    for number, state in enumerate(pending):
        stripe.happens(SESSION, ago=(11 + number) * MINUTE, pending=int(state))
    assert measured(await look(made(stripe, events=[SESSION]), patient), "newest_failed") == newest


async def test_a_delivery_that_succeeded_meanwhile_does_not_count(stripe: StripeApi, patient: Resources) -> None:
    """The list says it was not delivered, and the event says it was."""
    stripe.happens(SESSION, ago=30 * MINUTE, pending=0)
    events = [dict(event) for event in stripe.events]
    stripe.faults = [says_json({"object": "list", "data": events, "has_more": False, "url": "/v1/events"})]
    assert measured(await look(made(stripe, events=[SESSION]), patient), "backlog") == 0


async def test_a_list_of_several_pages(stripe: StripeApi, patient: Resources) -> None:
    stripe.happens(SESSION, ago=30 * MINUTE, pending=1, times=250)
    stripe.happens(SESSION, ago=60 * MINUTE, pending=1)
    sample = await look(made(stripe, events=[SESSION]), patient)
    assert measured(sample, "backlog") == 251
    assert measured(sample, "requests") == 4
    assert by_type(sample, "undelivered_age")[SESSION] == pytest.approx(3_600, abs=5)


async def test_a_list_that_is_longer_than_we_read(stripe: StripeApi, patient: Resources) -> None:
    """It says so, and is not read for ever."""
    stripe.happens(SESSION, ago=30 * MINUTE, pending=1, times=1_100)
    sample = await look(made(stripe, events=[SESSION]), patient)
    assert sample.state is State.UP
    assert measured(sample, "backlog") == 1_000
    assert sample.remarks["backlog"].startswith("at least 1,000 not delivered: ")
    assert measured(sample, "requests") == 11


async def test_slow_pages_end_half_way_to_the_deadline(stripe: StripeApi, patient: Resources) -> None:
    """So that what was read is told, and not that nothing was."""
    stripe.happens(SESSION, ago=30 * MINUTE, pending=1, times=200)
    first = await look(made(stripe, events=[SESSION]), patient)
    assert measured(first, "backlog") == 200
    listed = {"object": "list", "data": stripe.events[:100], "has_more": True, "url": "/v1/events"}
    slow = says_json(listed)
    stripe.faults = [replace(slow, delay=1.1)]
    sample = await look(made(stripe, events=[SESSION], timeout="2s"), patient)
    assert measured(sample, "backlog") == 100
    assert sample.remarks["backlog"].startswith("at least 100")


async def test_events_too_large_for_one_answer_are_asked_for_in_smaller_pages(
    stripe: StripeApi, patient: Resources
) -> None:
    """Invoices with many lines: a hundred of them are more than is read of one answer."""
    stripe.happens(INVOICE, ago=30 * MINUTE, pending=1, times=60)
    for event in stripe.events:
        event["data"] = {"object": {"id": "in_1", "lines": "x" * 30_000}}
    sample = await look(made(stripe, events=[INVOICE]), patient)
    assert measured(sample, "backlog") == 60
    assert "limit=25" in stripe.asked[-1] or "limit=10" in stripe.asked[-1]


async def test_one_event_that_is_too_large_is_unknown(stripe: StripeApi, patient: Resources) -> None:
    stripe.happens(INVOICE, ago=30 * MINUTE, pending=1)
    stripe.events[0]["data"] = {"object": {"lines": "x" * 2**20}}
    sample = await look(made(stripe, events=[INVOICE]), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "longer than what is read" in sample.detail


async def test_looking_back_less_far(stripe: StripeApi, patient: Resources) -> None:
    stripe.happens(SESSION, ago=timedelta(days=4), pending=1)
    assert measured(await look(made(stripe, events=[SESSION]), patient), "backlog") == 1
    assert measured(await look(made(stripe, events=[SESSION], look_back="3d"), patient), "backlog") == 0


@pytest.mark.parametrize("skew", [timedelta(minutes=10), timedelta(minutes=-10)])
async def test_clocks_that_are_ten_minutes_apart(skew: timedelta, stripe: StripeApi, patient: Resources) -> None:
    """Ages are counted by the clock that made them."""
    stripe.now = lambda: SystemClock().now() + skew
    stripe.happens(SESSION, ago=9 * MINUTE, pending=1)
    stripe.happens(SESSION, ago=11 * MINUTE, pending=1)
    sample = await look(made(stripe, events=[SESSION]), patient)
    assert measured(sample, "backlog") == 1
    assert by_type(sample, "undelivered_age")[SESSION] == pytest.approx(660, abs=5)
    assert measured(sample, "newest_failed") == 1


async def test_clocks_that_cannot_both_be_right(stripe: StripeApi, patient: Resources) -> None:
    stripe.skew = timedelta(hours=-3)
    stripe.happens(SESSION, ago=11 * MINUTE, pending=1)
    sample = await look(made(stripe, events=[SESSION]), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "3 h apart" in sample.detail


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-600, 100_000), st.booleans())), st.booleans())
def test_the_backlog_counts_what_is_old_enough(facts: list[tuple[str, int, bool]], whole: bool) -> None:
    """For any events: as many as are pending and old enough, and the age of the oldest of each type."""
    at, least = START, 600
    events = [Event(kind, at.timestamp() - age, pending) for kind, age, pending in facts]
    lost = [(kind, age) for kind, age, pending in facts if pending and age >= least]
    backlog = Backlog.of(events, at, timedelta(seconds=least), whole=whole)
    assert backlog.counts == Counter(kind for kind, _ in lost)
    oldest = {kind: max(age for each, age in lost if each == kind) for kind, _ in lost}
    assert {kind: round(age.total_seconds()) for kind, age in backlog.oldest.items()} == oldest
    assert backlog.text.startswith("at least ") is not whole


def test_many_types_are_not_all_named() -> None:
    events = [Event(f"charge.kind_{number}", 0, pending=True) for number in range(8)]
    assert Backlog.of(events, START, timedelta(), whole=True).text.endswith("; 3 more types")


# Prices


async def test_prices(stripe: StripeApi, patient: Resources) -> None:
    stripe.sells("price_1", "price_2")
    stripe.sells("price_3", active=False)
    named = {"alpha": "price_1", "monthly": "price_2", "annual": "price_3", "unlock": "price_4"}
    sample = await look(made(stripe, prices=named), patient)
    assert sample.state is State.UP
    assert measured(sample, "missing_prices") == 1
    assert measured(sample, "inactive_prices") == 1
    assert sample.remarks["missing_prices"] == "Stripe knows no price unlock"
    assert sample.remarks["inactive_prices"] == "nobody can buy at annual: not active"
    assert measured(sample, "requests") == 3


@pytest.mark.parametrize(("prices", "requests"), [(["price_1"], 1), (["price_1", "price_2"], 1)])
async def test_prices_in_order_cost_one_request(
    prices: list[str], requests: int, stripe: StripeApi, patient: Resources
) -> None:
    stripe.sells("price_1", "price_2")
    sample = await look(made(stripe, prices=prices), patient)
    assert (measured(sample, "missing_prices"), measured(sample, "inactive_prices")) == (0, 0)
    assert measured(sample, "requests") == requests
    assert "inactive_prices" not in sample.remarks


async def test_a_price_beyond_the_first_hundred_is_asked_for(stripe: StripeApi, patient: Resources) -> None:
    stripe.sells(*(f"price_{number}" for number in range(150)))
    sample = await look(made(stripe, prices=["price_1", "price_149"]), patient)
    assert (measured(sample, "missing_prices"), measured(sample, "requests")) == (0, 2)


@pytest.mark.parametrize("answer", [refused(404, "Unrecognized request URL"), page("<h1>Not Found</h1>", status=404)])
async def test_another_404_is_no_missing_price(answer: Answer, stripe: StripeApi, patient: Resources) -> None:
    """Something between us and Stripe must not look like a price that is gone."""
    stripe.faults = [answer]
    sample = await look(made(stripe, prices=["price_1"]), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)


# The API's own faults


@pytest.mark.parametrize(
    ("place", "right", "fields"),
    [
        ("/v1/events", "Events: Read", {"events": [SESSION]}),
        ("/v1/webhook_endpoints", "Webhook Endpoints: Read", {"endpoint": HOOK}),
        ("/v1/prices", "Prices: Read", {"prices": ["price_1"]}),
        ("/v1/prices", "Prices: Read", {"prices": ["price_1", "price_2"]}),
    ],
)
async def test_a_permission_that_the_key_lacks_is_named(
    place: str, right: str, fields: dict[str, Any], stripe: StripeApi, patient: Resources
) -> None:
    stripe.rights.remove(place)
    sample = await look(made(stripe, **fields), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.AUTH)
    assert f"give it {right}" in sample.detail
    assert RIGHTS[place] in sample.detail
    assert "acct_" not in sample.detail


@pytest.mark.parametrize("status", [400, 401])
async def test_a_permission_is_told_whatever_the_status(status: int, stripe: StripeApi, patient: Resources) -> None:
    """Stripe documents none for it."""
    stripe.faults = [
        refused(status, "No. Having the 'rak_event_read' permission would allow this request to continue.")
    ]
    sample = await look(made(stripe, events=[SESSION]), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.AUTH)
    assert "give it Events: Read: Having the 'rak_event_read' permission" in sample.detail
    assert "revoked" not in sample.detail


async def test_a_revoked_key_is_unknown(stripe: StripeApi, patient: Resources) -> None:
    """It is ours, not the product's; Stripe repeats its last letters, and we do not."""
    stripe.key = "rk_live_another"
    sample = await look(made(stripe, endpoint=HOOK), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.AUTH)
    assert "was revoked" in sample.detail
    assert "•••" in sample.detail


LIES = [
    (HTML, Reason.PROTOCOL, "got a web page"),
    (Answer(200, "<html>", {"Content-Type": "application/json"}), Reason.PROTOCOL, "got a web page"),
    (Answer(200, "OK", {"Content-Type": "text/plain"}), Reason.PROTOCOL, "expected JSON"),
    (Answer(200, '{"data": [', {"Content-Type": "application/json"}), Reason.PROTOCOL, "expected JSON"),
    (Answer(200, ""), Reason.PROTOCOL, "expected JSON"),
    (says_json([]), Reason.PROTOCOL, "expected an object at the answer, got a list"),
    (says_json({}), Reason.PROTOCOL, "expected 'data' in the answer, got nothing"),
    (says_json({"data": None, "has_more": False}), Reason.PROTOCOL, "expected 'data' in the answer, got nothing"),
    (says_json({"data": {}, "has_more": False}), Reason.PROTOCOL, "expected a list at the answer, data, got an object"),
    (says_json({"data": [], "has_more": "no"}), Reason.PROTOCOL, "expected true or false at the answer, has_more"),
    (says_json({"data": [], "has_more": True}), Reason.PROTOCOL, "got an empty page that is not the last"),
    (says_json({"data": [1], "has_more": False}), Reason.PROTOCOL, "expected an object at the answer, data[0]"),
    (
        says_json({"data": [{"type": SESSION, "created": "now", "pending_webhooks": 1}], "has_more": False}),
        Reason.PROTOCOL,
        "expected a number at the answer, data[0], created, got a text",
    ),
    (
        Answer(302, "", {"Location": "https://elsewhere.example/?k=1"}),
        Reason.PROTOCOL,
        "to https://elsewhere.example/,",
    ),
    (Answer(302, "", {"Location": "http://["}), Reason.PROTOCOL, "redirects us, which nobody follows"),
    (refused(400, "Invalid Stripe API version"), Reason.PROTOCOL, "answers 400: Invalid Stripe API version"),
    (Answer(404, "gone"), Reason.PROTOCOL, "answers 404"),
    (page("<h1>502</h1>", status=502), Reason.STATUS, "out of order: it answers 502"),
    (says_json({"error": {"message": "sorry"}}, 500), Reason.STATUS, "it answers 500"),
    (throttled(), Reason.RATE_LIMITED, "we ask again in 30 s"),
    (throttled("7"), Reason.RATE_LIMITED, "we ask again in 7 s"),
    (throttled("soon"), Reason.RATE_LIMITED, "we ask again in 30 s"),
    (Answer(503, "", {"Retry-After": "120"}), Reason.STATUS, "it answers 503; we ask again in 2 min"),
]


@pytest.mark.parametrize(("answer", "reason", "said"), LIES, ids=range(len(LIES)))
async def test_what_stripe_does_wrong_is_unknown(
    answer: Answer, reason: Reason, said: str, stripe: StripeApi, patient: Resources
) -> None:
    """It says nothing of the product."""
    stripe.faults = [answer]
    sample = await look(made(stripe, events=[SESSION]), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, reason), sample.detail
    assert said in sample.detail
    assert measured(sample, "backlog") is None


@pytest.mark.parametrize("fields", [{"events": [SESSION]}, {"endpoint": HOOK}])
async def test_a_cursor_that_does_not_move_is_unknown(
    fields: dict[str, Any], stripe: StripeApi, patient: Resources
) -> None:
    stripe.repeats = True
    stripe.registers(HOOK, SESSION)
    stripe.happens(SESSION, ago=30 * MINUTE, pending=1)
    sample = await look(made(stripe, **fields), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "the same page again" in sample.detail
    assert measured(sample, "requests") == 2


async def test_a_list_that_never_ends_is_left(stripe: StripeApi, patient: Resources) -> None:
    """With new objects on each page: no circle, and no end."""
    stripe.endless = True
    sample = await look(made(stripe, deliveries=True), patient)
    assert sample.state is State.UP
    assert measured(sample, "requests") == 10
    endpoints = [stripe.registers(f"https://{number}.example.com/", "*") for number in range(700)]
    stripe.endless = False
    assert endpoints
    sample = await look(made(stripe, endpoint=HOOK, deliveries=False), patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.PROTOCOL)
    assert "expected a list of endpoints that ends" in sample.detail


async def test_after_a_429_nothing_is_asked_until_the_time_is_over(stripe: StripeApi, patient: Resources) -> None:
    """Not by this check, nor by another with the same key; another key may."""
    clock = patient.accounts.clock
    assert isinstance(clock, ImpatientClock)
    stripe.faults = [throttled("60")]
    await look(made(stripe, events=[SESSION]), patient)
    for fields in ({"events": [SESSION]}, {"prices": ["price_1"]}):
        sample = await look(made(stripe, **fields), patient)
        assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.RATE_LIMITED)
        assert "has asked us to wait for" in sample.detail
        assert measured(sample, "requests") == 0
    other = await look(made(stripe, api_key="rk_live_other_key", events=[SESSION]), patient)
    assert other.reason is Reason.AUTH
    assert len(stripe.asked) == 2
    clock.waited += MINUTE
    assert (await look(made(stripe, events=[SESSION]), patient)).state is State.UP


async def test_requests_are_spread_within_our_share(stripe: StripeApi, patient: Resources) -> None:
    """Of 25 a second that one endpoint of the API takes, two and no more."""
    clock = patient.accounts.clock
    assert isinstance(clock, ImpatientClock)
    stripe.happens(SESSION, ago=30 * MINUTE, pending=1, times=1_000)
    sample = await look(made(stripe, events=[SESSION]), patient)
    assert measured(sample, "requests") == 11
    assert timedelta(seconds=4) <= clock.waited + sample.took <= timedelta(seconds=9)


async def test_a_share_that_is_used_up_beyond_the_deadline_is_unknown(stripe: StripeApi, patient: Resources) -> None:
    check = made(stripe, events=[SESSION], timeout="2s")
    account = patient.accounts.of(check.access)
    account.spend(patient.accounts.clock.now() + 5 * MINUTE, 3)
    sample = await look(check, patient)
    assert (sample.state, sample.reason) == (State.UNKNOWN, Reason.RATE_LIMITED)
    assert "our share of Stripe's rate limit" in sample.detail


async def test_the_api_alone_is_up_whatever_it_answers(stripe: StripeApi, patient: Resources) -> None:
    """Its errors are what is measured, over ten requests at least, of all checks with that key."""
    check, clock = made(stripe), patient.accounts.clock
    assert isinstance(clock, ImpatientClock)
    shares = []
    stripe.faults = [page("<h1>502</h1>", status=502), throttled("1"), says_json({}, 503)]
    for _ in range(4):
        sample = await look(check, patient)
        assert sample.state is State.UP, sample.detail
        shares.append(measured(sample, "api_errors"))
        clock.waited += 5 * MINUTE
    assert shares == [pytest.approx(0.1), pytest.approx(0.2), pytest.approx(0.3), pytest.approx(0.3)]
    other = await look(made(stripe, prices=["price_1"]), patient)
    assert measured(other, "api_errors") == pytest.approx(0.3)
    assert other.remarks["api_errors"] == (
        "3 of our 5 requests in the last hour, as a share of 10: 1 × 502, 1 × 429, 1 × 503"
    )
    clock.waited += 60 * MINUTE
    assert measured(await look(check, patient), "api_errors") == 0


async def test_the_api_alone_asks_for_nothing_personal(stripe: StripeApi, patient: Resources) -> None:
    await look(made(stripe), patient)
    assert stripe.asked == ["GET /v1/webhook_endpoints?limit=100"]


async def test_what_the_api_alone_is_asked_for_serves_others(stripe: StripeApi, patient: Resources) -> None:
    """So that it costs a request less than it seems; but an error is nobody's answer."""
    stripe.registers(HOOK, SESSION)
    alone, other = made(stripe), made(stripe, endpoint=HOOK, deliveries=False)
    stripe.faults = [says_json({}, 503)]
    await look(alone, patient)
    assert measured(await look(other, patient, CheckId("shop", "endpoint")), "requests") == 1
    assert measured(await look(alone, patient), "requests") == 1
    found = await look(other, patient, CheckId("shop", "endpoint"))
    assert (found.state, measured(found, "requests")) == (State.UP, 0)


async def test_nothing_of_a_customer_is_told(stripe: StripeApi, patient: Resources) -> None:
    """Events hold names and addresses; neither a measure, nor a remark, nor a failure has them."""
    stripe.happens(SESSION, ago=30 * MINUTE, pending=1)
    stripe.events[0]["data"] = {"object": {"customer_email": "jane@example.com"}}
    good = await look(made(stripe, events=[SESSION]), patient)
    stripe.faults = [Answer(200, f'{json.dumps(stripe.events[0])}, "jane@example.com', {})]
    bad = await look(made(stripe, events=[SESSION]), patient)
    assert bad.reason is Reason.PROTOCOL
    assert "jane" not in repr((good, bad))

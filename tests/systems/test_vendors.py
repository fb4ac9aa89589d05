"""What Stripe and Shopify know of the systems: every line of the runbooks that their APIs can answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from monitor.model import Reason, Severity, State
from monitor.schedule import Grid
from tests.systems.bench import bench
from tests.systems.proof import CRITICAL, WARNING, Case, prove
from tests.systems.shopify_api import TOKEN
from tests.systems.site import Answer, page, says_json
from tests.systems.stripe_api import KEY, throttled
from tests.systems.vendors import (
    SESSION,
    InstalledEcomDash,
    SellingRealStaging,
    SellingSeedSource,
    SellingTatame,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from _pytest.mark import ParameterSet

    from monitor.plan import Plan
    from tests.peers import Authority
    from tests.systems.site import StandIn

MINUTE = timedelta(minutes=1)
REMINDER = timedelta(minutes=30)
SIX_HOURS = timedelta(hours=6)
SeedSource, RealStaging, Tatame, EcomDash = SellingSeedSource, SellingRealStaging, SellingTatame, InstalledEcomDash

DOWN = [
    (SeedSource, Case("SS-12", "stripe-endpoint", SeedSource.loses_its_endpoint, CRITICAL, "no endpoint is registered",
                      "add the endpoint with this address")),
    (SeedSource, Case("SS-12", "stripe-endpoint", SeedSource.has_it_for_another_address, CRITICAL,
                      "there is https://old.example.com", "STRIPE_WEBHOOK_SECRET in Render")),
    (SeedSource, Case("SS-12", "stripe-endpoint", SeedSource.has_it_disabled, CRITICAL, "is disabled",
                      "enable it again")),
    (RealStaging, Case("RS-08", "stripe", RealStaging.has_it_disabled, CRITICAL, "is disabled", "and enable it")),
    (Tatame, Case("TA-30", "stripe", Tatame.loses_its_endpoint, CRITICAL, "no endpoint is registered", "in live mode")),
    (Tatame, Case("TA-30", "stripe", Tatame.has_it_disabled, CRITICAL, "is disabled", "enable it again")),
    (Tatame, Case("TA-30", "stripe", Tatame.has_it_in_test_mode, CRITICAL, "registered in test mode, and none in live",
                  "Switch the dashboard to live mode")),
    (EcomDash, Case("ED-16", "shopify", EcomDash.is_uninstalled, CRITICAL, "the app was uninstalled there",
                    "Install it again")),
]  # fmt: skip


class Crossing(NamedTuple):
    """One requirement whose figure is crossed, and by what: which threshold sees it, and words of the message."""

    id: str
    kind: Callable[[Authority], Any]
    check: str
    threshold: str
    fault: Callable[[Any], None]
    severity: Severity
    said: str
    remedy: str


CROSSINGS = [
    Crossing("SS-12", SeedSource, "stripe-endpoint", "missing events", SeedSource.forgets_an_event, WARNING,
             "is not subscribed to invoice.payment_failed", "add the event that the message names"),
    Crossing("SS-13", SeedSource, "stripe-deliveries", "unpaid for customers", SeedSource.does_not_deliver_a_session,
             CRITICAL, "1 × checkout.session.completed, the oldest 30 min", "have Stripe send again"),
    Crossing("SS-13", SeedSource, "stripe-deliveries", "undelivered", SeedSource.does_not_deliver_a_cancellation,
             WARNING, "1 × customer.subscription.deleted, the oldest 30 min", "have Stripe send again"),
    Crossing("SS-22", SeedSource, "stripe-prices", "missing prices", SeedSource.deletes_a_price, CRITICAL,
             "Stripe knows no price feature_unlock", "Set its STRIPE_PRICE_ID variable"),
    Crossing("SS-22", SeedSource, "stripe-prices", "inactive prices", SeedSource.archives_a_price, WARNING,
             "nobody can buy at pro_annual", "Activate it again"),
    Crossing("RS-08", RealStaging, "stripe", "undelivered", RealStaging.does_not_deliver_a_cancellation, WARNING,
             "1 not delivered", "it tries for three days only"),
    Crossing("TA-09", Tatame, "stripe", "undelivered", Tatame.does_not_deliver_a_session, WARNING, "1 not delivered",
             "stripe_webhook_events"),
    Crossing("ED-16", EcomDash, "shopify", "missing topics", EcomDash.loses_its_subscription, CRITICAL,
             "app/uninstalled is not subscribed to", "register_webhooks"),
    Crossing("ED-16", EcomDash, "shopify", "missing topics", EcomDash.is_subscribed_elsewhere, CRITICAL,
             "is sent to https://old.example.com", "for every shop"),
]  # fmt: skip


def downs() -> list[ParameterSet]:
    return [pytest.param(kind, case, id=f"{case.id} {case.check} {case.fault.__name__}") for kind, case in DOWN]


@pytest.mark.parametrize(("kind", "case"), downs())
async def test_what_is_down(kind: Callable[[Authority], StandIn], case: Case, authority: Authority) -> None:
    """Told to the right people with the remedy when it fails, and to them again when it is over."""
    await prove(kind, authority, case)


@pytest.mark.parametrize("case", CROSSINGS, ids=lambda case: f"{case.id} {case.check} {case.fault.__name__}")
async def test_a_figure_that_is_crossed(case: Crossing, authority: Authority) -> None:
    """Quiet before, told once with the remedy, and over once it is mended."""
    async with bench(case.kind, authority) as running:
        assert (await running.run(case.check, times=2)).state is State.UP
        assert running.told() == []
        case.fault(running.stand_in)
        await running.run(case.check)
        title = f"{running.plan(case.check).title}: {case.threshold}"
        running.assert_told(case.check, case.severity, title, case.said, case.remedy)
        if running.plan(case.check).check.every < REMINDER:
            await running.run(case.check)
            assert running.told() == []
        running.stand_in.heal()
        await running.run(case.check)
        running.assert_resolved(case.check, case.severity)


@pytest.mark.parametrize(
    ("kind", "check"), [pytest.param(RealStaging, "stripe", id="RS-08"), pytest.param(Tatame, "stripe", id="TA-09")]
)
async def test_three_deliveries_in_a_row(
    kind: Callable[[Authority], SellingRealStaging | SellingTatame], check: str, authority: Authority
) -> None:
    """Two warn, three are critical; an event that nobody subscribed to does not interrupt the row."""
    async with bench(kind, authority) as running:
        stripe = running.stand_in.stripe
        await running.run(check, times=2)
        stripe.happens(SESSION, ago=12 * MINUTE, pending=1, times=2)
        stripe.happens("charge.failed", ago=11 * MINUTE)
        await running.run(check)
        running.assert_told(check, WARNING, "undelivered", "2 not delivered")
        stripe.happens(SESSION, ago=11 * MINUTE, pending=1)
        await running.run(check)
        running.assert_told(check, CRITICAL, "deliveries fail", "3 not delivered", ">= 3")
        stripe.delivers()
        await running.run(check)
        told = running.told()
        assert {message.channel for message in told} == {"ops", "oncall", "hook"}
        assert all("resolved" in message.text.lower() for message in told)


@pytest.mark.parametrize("many", [pytest.param(21, id="TA-16 webhooks")])
async def test_webhooks_that_come_faster_than_they_are_dealt_with(many: int, authority: Authority) -> None:
    """More than twenty for half an hour; a burst that is soon dealt with is none."""
    async with bench(SellingTatame, authority) as running:
        stripe = running.stand_in.stripe
        await running.run("stripe", times=2)
        stripe.happens(SESSION, ago=12 * MINUTE, pending=1, times=many)
        await running.run("stripe", times=3)
        assert not [message for message in running.told() if "scale for webhooks" in message.text]
        await running.run("stripe", times=2)
        told = [message for message in running.told() if "scale for webhooks" in message.text]
        assert {message.channel for message in told} == {"ops", "hook"}
        assert all("do the work from a queue" in message.text for message in told)
        stripe.delivers()
        await running.run("stripe", times=5)
        assert any("scale for webhooks" in message.text for message in running.told())


@pytest.mark.parametrize(("before", "after"), [pytest.param(4 * MINUTE, 6 * MINUTE, id="SS-13")])
async def test_an_event_that_may_be_on_its_way_is_no_failure(
    before: timedelta, after: timedelta, authority: Authority
) -> None:
    """For five minutes; then it is one."""
    async with bench(SeedSource, authority) as running:
        stripe = running.stand_in.stripe
        stripe.happens(SESSION, ago=before, pending=1)
        await running.run("stripe-deliveries")
        assert running.told() == []
        stripe.delivers()
        stripe.happens(SESSION, ago=after, pending=1)
        await running.run("stripe-deliveries")
        running.assert_told("stripe-deliveries", CRITICAL, "1 not delivered")


@pytest.mark.parametrize("count", [pytest.param(100, id="SS-13")])
async def test_a_hundred_deliveries_lost_and_found_again(count: int, authority: Authority) -> None:
    """One alert, its count right, one resolve."""
    async with bench(SeedSource, authority) as running:
        stripe = running.stand_in.stripe
        await running.run("stripe-deliveries", times=2)
        for minutes in range(count):
            stripe.happens(SESSION, ago=(10 + minutes) * MINUTE, pending=1)
        await running.run("stripe-deliveries")
        told = running.told()
        assert sorted(message.channel for message in told) == ["hook", "oncall", "ops"]
        for message in told:
            assert f"{count} not delivered: {count} × {SESSION}, the oldest 1 h 49 min old" in message.text
        await running.run("stripe-deliveries", times=2)
        assert running.told() == []
        stripe.delivers()
        await running.run("stripe-deliveries", times=3)
        running.assert_resolved("stripe-deliveries", CRITICAL)


@pytest.mark.parametrize("share", [pytest.param("10%", id="TA-03")])
async def test_errors_of_the_api(share: str, authority: Authority) -> None:
    """One error of ten is not over the figure, two are; it ends when the first has left the hour."""
    async with bench(Tatame, authority) as running:
        await running.run("stripe-api", times=3)
        running.stand_in.stripe_is_out_of_order()
        assert (await running.run("stripe-api")).state is State.UP
        assert running.told() == []
        await running.run("stripe-api")
        running.assert_told("stripe-api", CRITICAL, "errors", f"> {share}", "2 × 503", "status.stripe.com")
        running.stand_in.heal()
        await running.run("stripe-api", times=4)
        assert all("Still critical" in message.text or "firing" in message.text for message in running.told())
        await running.run("stripe-api", times=2)
        running.assert_resolved("stripe-api", CRITICAL)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (page("<h1>Maintenance</h1>"), Reason.PROTOCOL),
        (page("<h1>503</h1>", 503), Reason.STATUS),
        (says_json({"error": {"message": f"Invalid API Key provided: {KEY}"}}, 401), Reason.AUTH),
        (throttled("30"), Reason.RATE_LIMITED),
        (throttled(), Reason.RATE_LIMITED),
        (Answer(200, "not JSON"), Reason.PROTOCOL),
    ],
    ids=["web page", "out of order", "revoked key", "rate limit", "rate limit without a time", "no JSON"],
)
async def test_what_stripe_does_wrong_is_no_fault_of_the_product(
    answer: Answer, reason: Reason, authority: Authority
) -> None:
    """SS-12: nobody is paged, and no key is told."""
    async with bench(SeedSource, authority) as running:
        running.stand_in.stripe.instead = answer
        sample = await running.run("stripe-endpoint", times=3)
        assert sample.state is State.UNKNOWN
        assert reason in {sample.reason, Reason.RATE_LIMITED}
        assert KEY not in repr(sample)
        assert running.told() == []


async def test_an_outage_of_stripe_resolves_nothing(authority: Authority) -> None:
    """SS-12: an endpoint that is disabled stays so until Stripe says that it is not."""
    async with bench(SeedSource, authority) as running:
        stripe = running.stand_in.stripe
        running.stand_in.has_it_disabled()
        await running.run("stripe-endpoint", times=2)
        assert running.told()
        stripe.instead = page("<h1>503</h1>", 503)
        await running.run("stripe-endpoint", times=3)
        assert running.told() == []
        running.stand_in.heal()
        await running.run("stripe-endpoint", times=2)
        running.assert_resolved("stripe-endpoint", CRITICAL)


async def test_an_outage_of_shopify_is_not_an_uninstalled_app(authority: Authority) -> None:
    """ED-16: 5xx is theirs; and the token is in no message of either."""
    async with bench(EcomDash, authority) as running:
        running.stand_in.shopify.says = page("<h1>503</h1>", 503)
        assert (await running.run("shopify", times=3)).state is State.UNKNOWN
        assert running.told() == []
        running.stand_in.shopify.says = says_json({"errors": f"Invalid access token {TOKEN}"}, 401)
        assert (await running.run("shopify", times=2)).reason is Reason.AUTH
        told = running.told()
        assert told
        assert [message for message in told if TOKEN in message.text] == []


@pytest.mark.parametrize(
    ("kind", "requests"),
    [
        pytest.param(SeedSource, 7_500, id="SS"),
        pytest.param(RealStaging, 5_800, id="RS"),
        pytest.param(Tatame, 8_800, id="TA"),
    ],
)
async def test_a_month_of_questions_is_less_than_stripe_allows_to_anybody(
    kind: Callable[[Authority], SellingSeedSource | SellingRealStaging | SellingTatame],
    requests: int,
    authority: Authority,
) -> None:
    """Six hours of all checks at their own pace, counted; Stripe allows 10,000 reads in 30 days at least."""
    async with bench(kind, authority) as running:
        stripe = running.stand_in.stripe
        checks = [plan for plan in running.config.plans.values() if plan.check.kind == "stripe"]
        begun = running.clock.now()
        for moment, check in sorted(due for plan in checks for due in moments(plan, begun, begun + SIX_HOURS)):
            await running.clock.advance(moment - running.clock.now())
            assert (await running._run_once(running.plan(check))).state is State.UP
        assert requests * 0.9 < len(stripe.asked) * 4 * 30 <= requests < 10_000
        assert {asked.split()[0] for asked in stripe.asked} == {"GET"}


def moments(plan: Plan, begun: datetime, ends: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield when the scheduler runs a check between two moments."""
    grid = Grid.of(plan.id, plan.check.every)
    moment = grid.after(begun)
    while moment <= ends:
        yield moment, plan.id.check
        moment = grid.after(moment)

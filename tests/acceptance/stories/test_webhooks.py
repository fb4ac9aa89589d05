"""Webhooks, with the real process: the route, the secret, the subscription and the deliveries break, one by one.

Four systems, each with a receiver, an account at Stripe and a channel of its own, so that nobody waits for a message
that is collected with others'.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import Monitor
from tests.systems.receiver import Receiver as Endpoint
from tests.systems.site import Site
from tests.systems.stripe_api import KEY, StripeApi

if TYPE_CHECKING:
    from pathlib import Path

    from tests.acceptance.peers import Post, Receiver

BROKEN = ("route", "secret", "subscription", "deliveries")
SECRET = "whsec_battery_staple"
PAID = "checkout.session.completed"
LOST = 100
SYSTEM = """
  {0}:
    defaults: {{every: 1s, timeout: 5s, retry: {{every: 300ms}}, down: {{critical: 2}}}}
    checks:
      receiver:
        {{kind: webhook, url: "${{{1}_URL}}/hooks", scheme: stripe, secret: "${{SECRET}}", canary: true, writes: true,
         remedy_for: {{missing: Register the route., header: Set the secret again.}}}}
      records:
        kind: stripe
        api_key: ${{KEY}}
        url: ${{{1}_STRIPE_URL}}
        endpoint: https://{0}.example.com/hooks
        events: [{2}]
        remedy: Enable the endpoint.
        thresholds:
          - {{watch: missing_events, name: subscription, critical: "> 0", remedy: Subscribe to it.}}
          - {{watch: backlog, name: deliveries, critical: "> 0", remedy: Send them again.}}
"""


@dataclass
class Product:
    """One product: its receiver, its account, and who is told."""

    name: str
    site: Site
    endpoint: Endpoint
    stripe: StripeApi
    hook: Receiver
    told: list[Post] = field(default_factory=list)

    def heal(self) -> None:
        self.site.answers = {("POST", "/hooks"): self.endpoint}
        self.endpoint.secret = SECRET
        self.stripe.endpoints = []
        self.stripe.registers(f"https://{self.name}.example.com/hooks", PAID)
        self.stripe.delivers()

    def breaks(self) -> None:
        match self.name:
            case "route":
                self.site.answers = {}
            case "secret":
                self.endpoint.secret = "whsec_rolled_in_the_dashboard"
            case "subscription":
                self.stripe.endpoints[0]["enabled_events"] = ["invoice.paid"]
            case _:
                self.stripe.happens(PAID, ago=timedelta(minutes=20), pending=1, times=LOST)

    @property
    def environ(self) -> dict[str, str]:
        upper = self.name.upper()
        return {
            f"{upper}_URL": self.site.url,
            f"{upper}_STRIPE_URL": self.stripe.url,
            f"{upper}_HOOK": self.hook.url,
        }


def configuration() -> str:
    channels = ", ".join(f'{name}: "${{{name.upper()}_HOOK}}"' for name in BROKEN)
    routes = ", ".join(f"{{system: {name}, notify: {name}}}" for name in BROKEN)
    systems = "".join(SYSTEM.format(name, name.upper(), PAID) for name in BROKEN)
    return f"channels: {{{channels}}}\nroutes: [{routes}]\nsystems:{systems}"


async def products(stack: AsyncExitStack) -> list[Product]:
    """Run all four."""
    made = []
    for name in BROKEN:
        site, stripe = Site("127.0.0.1", None), StripeApi("127.0.0.1", None)
        await site.start(stack)
        await stripe.start(stack)
        hook = await stack.enter_async_context(peers.receiver())
        made.append(Product(name, site, Endpoint("stripe", SECRET), stripe, hook))
        made[-1].heal()
    return made


async def one_after_another(folder: Path) -> dict[str, list[Post]]:
    """Break each when the page of the one before was heard, heal all, and return what each channel was told."""
    async with AsyncExitStack() as stack:
        made = await products(stack)
        environ = {"SECRET": SECRET, "KEY": KEY}
        for product in made:
            environ |= product.environ
        daemon = await stack.enter_async_context(Monitor(folder, configuration(), **environ))
        await until(lambda: {("up", len(BROKEN) * 2)} == states(daemon), "every check up")
        for number, product in enumerate(made):
            product.breaks()
            await product.hook.hears("firing")
            assert [len(each.hook.posts) for each in made] == [1] * (number + 1) + [0] * (len(made) - number - 1)
        for product in made:
            product.heal()
        for product in made:
            await product.hook.hears("resolved")
        return {product.name: product.hook.posts for product in made}


def states(daemon: Monitor) -> set[tuple[Any, ...]]:
    """Return each state and how many checks are in it, by their newest samples."""
    return set(daemon.stored("SELECT state, count(DISTINCT check_id) FROM samples GROUP BY state"))


@pytest.mark.story(tell=one_after_another)
def test_each_page_names_the_right_one_of_the_four(told: dict[str, list[Post]]) -> None:
    """And comes with its own remedy; a healed one is resolved once, and nothing else was told."""
    said = {
        "route": ("receiver", "down", "the route is not registered", "Register the route."),
        "secret": ("receiver", "down", "the signed canary", "Set the secret again."),
        "subscription": ("records", "subscription", PAID, "Subscribe to it."),
        "deliveries": ("records", "deliveries", PAID, "Send them again."),
    }
    for name, (check, alertname, words, remedy) in said.items():
        page, over = told[name]
        for post, status in ((page, "firing"), (over, "resolved")):
            (alert,) = post.alerts
            assert alert["status"] == status
            assert (alert["labels"]["check"], alert["labels"]["alertname"]) == (check, alertname)
        text = str(page.alerts[0]["annotations"])
        assert words in text
        assert remedy in text
    assert SECRET not in str(told)
    assert KEY not in str(told)


@pytest.mark.story(tell=one_after_another)
def test_a_hundred_deliveries_lost_and_found_are_one_alert(told: dict[str, list[Post]]) -> None:
    """Its count is right, and it is resolved once."""
    page, over = told["deliveries"]
    assert page.incidents == over.incidents
    assert page.alerts[0]["annotations"]["description"].startswith(f"{LOST} not delivered: {LOST} × {PAID}")

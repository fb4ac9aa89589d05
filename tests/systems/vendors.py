"""The systems together with what their vendors know of them: Stripe's accounts, and Shopify's test shop."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.systems.ecomdash import EcomDash
from tests.systems.realstaging import RealStaging
from tests.systems.seedsource import SeedSource
from tests.systems.shopify_api import TOKEN, ShopifyApi
from tests.systems.site import page
from tests.systems.stripe_api import KEY, StripeApi
from tests.systems.tatame import Tatame

if TYPE_CHECKING:
    from tests.systems.site import StandIn

STRIPE, SHOP = "api.stripe.com", "ecomdash-test.myshopify.com"
SESSION, UPDATED, DELETED, FAILED = SOLD = (
    "checkout.session.completed",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "invoice.payment_failed",
)
PRICES = {"PRO_ALPHA": "price_1A", "PRO_MONTHLY": "price_1M", "PRO_ANNUAL": "price_1Y", "FEATURE_UNLOCK": "price_1F"}
LONG_AGO = timedelta(minutes=30)


class Stripe:
    """A system that sells through Stripe, and what goes wrong with that."""

    stripe: StripeApi
    hook: str

    def build_stripe(self, system: StandIn) -> None:
        """Give `system` an account at Stripe, which goes by its time."""
        self.stripe = StripeApi(STRIPE, system.authority, system.now)
        system.sites.append(self.stripe)

    def loses_its_endpoint(self) -> None:
        self.stripe.endpoints.clear()

    def has_it_for_another_address(self) -> None:
        self.stripe.endpoints[0]["url"] = "https://old.example.com/webhooks/stripe"

    def has_it_disabled(self) -> None:
        self.stripe.endpoints[0]["status"] = "disabled"

    def has_it_in_test_mode(self) -> None:
        self.stripe.endpoints[0]["livemode"] = False

    def forgets_an_event(self) -> None:
        self.stripe.endpoints[0]["enabled_events"].remove(FAILED)

    def does_not_deliver_a_session(self) -> None:
        self.stripe.happens(SESSION, ago=LONG_AGO, pending=1)

    def does_not_deliver_a_cancellation(self) -> None:
        self.stripe.happens(DELETED, ago=LONG_AGO, pending=1)

    def does_not_deliver_the_newest_three(self) -> None:
        self.stripe.happens(SESSION, ago=LONG_AGO, pending=1)
        self.stripe.happens("charge.failed", ago=LONG_AGO)
        self.stripe.happens(UPDATED, ago=LONG_AGO, pending=1, times=2)

    def archives_a_price(self) -> None:
        self.stripe.sells(PRICES["PRO_ANNUAL"], active=False)

    def deletes_a_price(self) -> None:
        del self.stripe.sold[PRICES["FEATURE_UNLOCK"]]

    def sells_as_ever(self) -> None:
        """Let some time's events have been delivered, and the newest be on its way."""
        self.stripe.registers(self.hook, *SOLD)
        for minutes, kind in enumerate((*SOLD, *SOLD), 20):
            self.stripe.happens(kind, ago=timedelta(minutes=minutes))
        self.stripe.happens(SESSION, ago=timedelta(days=2))
        self.stripe.sells(*PRICES.values())


class SellingSeedSource(Stripe, SeedSource):
    def build(self) -> None:
        super().build()
        self.build_stripe(self)

    def heal(self) -> None:
        super().heal()
        self.hook = f"{self.auth.url}/webhooks/stripe"
        self.sells_as_ever()

    @property
    def environ(self) -> dict[str, str]:
        prices = {f"SEEDSOURCE_STRIPE_PRICE_ID_{name}": price for name, price in PRICES.items()}
        own = {"SEEDSOURCE_STRIPE_KEY": KEY, "SEEDSOURCE_STRIPE_URL": self.stripe.url}
        return {**super().environ, **own, **prices}


class SellingRealStaging(Stripe, RealStaging):
    def build(self) -> None:
        super().build()
        self.build_stripe(self)

    def heal(self) -> None:
        super().heal()
        self.hook = f"{self.api.url}/stripe/webhook"
        self.sells_as_ever()

    @property
    def environ(self) -> dict[str, str]:
        return {
            **super().environ,
            "REALSTAGING_STRIPE_KEY": KEY,
            "REALSTAGING_STRIPE_URL": self.stripe.url,
            "REALSTAGING_STRIPE_WEBHOOK_URL": f"{self.api.url}/stripe/webhook",
        }


class SellingTatame(Stripe, Tatame):
    def build(self) -> None:
        super().build()
        self.build_stripe(self)

    def heal(self) -> None:
        super().heal()
        self.hook = f"{self.server.url}/webhooks/stripe"
        self.sells_as_ever()

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, "TATAME_STRIPE_KEY": KEY, "TATAME_STRIPE_URL": self.stripe.url}

    def stripe_is_out_of_order(self) -> None:
        self.stripe.instead = page("<h1>503</h1>", 503)


class InstalledEcomDash(EcomDash):
    def build(self) -> None:
        super().build()
        self.shopify = ShopifyApi(SHOP, self.authority)
        self.sites.append(self.shopify)

    def heal(self) -> None:
        super().heal()
        self.shopify.subscribes("APP_UNINSTALLED", f"{self.api.url}/webhooks/app_uninstalled")

    @property
    def environ(self) -> dict[str, str]:
        own = {
            "ECOMDASH_SHOPIFY_TOKEN": TOKEN,
            "ECOMDASH_SHOPIFY_DOMAIN": SHOP,
            "ECOMDASH_SHOPIFY_URL": self.shopify.url,
        }
        return {**super().environ, **own}

    def loses_its_subscription(self) -> None:
        """Shopify deletes what it could not deliver eight times."""
        self.shopify.subscriptions.clear()

    def is_subscribed_elsewhere(self) -> None:
        self.shopify.subscriptions[0] = ("APP_UNINSTALLED", "https://old.example.com/webhooks/app_uninstalled")

    def is_uninstalled(self) -> None:
        self.shopify.uninstalls()

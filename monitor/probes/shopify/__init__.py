"""Whether an app is still subscribed to a shop's webhooks: Shopify deletes a subscription whose deliveries fail."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field

from monitor.fields import PositiveDuration
from monitor.permission import Permission
from monitor.probes.base import MeasureSpec, ThresholdFields
from monitor.probes.shopify.subscriptions import lacking, read_subscriptions
from monitor.probes.vendor import VendorCheck
from monitor.units import Unit
from monitor.vendors import Access, BaseIfAny, Key, Limit, Vendor

if TYPE_CHECKING:
    from monitor.probes.base import Run
    from monitor.vendors import Api

SHOPIFY = Vendor(
    "Shopify",
    Limit(
        6_000, timedelta(minutes=1)
    ),  # points, 100 a second on the smallest plan; docs/apps/build/apis/graphql-admin/rate-limits
    keys=re.compile(r"\bshp[a-z]{2}_\w*"),
)
VERSION = "2026-10"
DOMAIN = ".myshopify.com"
COMPLIANCE = frozenset({"customers/data_request", "customers/redact", "shop/redact"})
REGISTER = (
    "Shopify deletes a subscription after eight deliveries in a row that failed, so first see that the address answers "
    "2xx within five seconds. Then register it again, as the app does after an installation, for every shop."
)


def _domain(text: str) -> str:
    name = text.lower().removesuffix(DOMAIN)
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise ValueError(f"the API wants the shop's own name, such as my-shop{DOMAIN}, and not its domain")
    return f"{name}{DOMAIN}"


def _topic(text: str) -> str:
    name = text.lower()
    if name in COMPLIANCE:
        raise ValueError(
            f"{name} belongs to the whole app (shopify.app.toml), and Shopify's API does not show it for a shop: "
            "a check of its address tells whether it is received"
        )
    if not re.fullmatch(r"[a-z0-9_]+(/[a-z0-9_]+)+", name):
        raise ValueError(f"{text!r} is no topic such as app/uninstalled")
    return name


def _version(text: str) -> str:
    if text < "2026-01":
        raise ValueError("Shopify no longer serves versions before 2026-01, and answers in another")
    return text


class ShopifyCheck(VendorCheck):
    """Asks Shopify's GraphQL Admin API which webhooks an app has in one shop, with the app's token for that shop.

    A token that no longer works is down: the app was uninstalled there, or its token removed. A shop that is frozen,
    locked or gone, and an outage of Shopify, are unknown.
    """

    kind: str = "shopify"
    shop: Annotated[str, AfterValidator(_domain)]
    """The shop, best one of your own: `my-shop.myshopify.com`, or `my-shop`."""
    token: Key
    """The app's access token for that shop."""
    api_version: Annotated[str, Field(pattern=r"^20\d\d-(01|04|07|10)$"), AfterValidator(_version)] = VERSION
    """The version of the API; of one that it no longer serves Shopify answers in the oldest that it does."""
    topics: Annotated[list[Annotated[str, AfterValidator(_topic)]], Field(min_length=1)]
    """The topics that must be subscribed to, such as `app/uninstalled`. Those of compliance are not to be seen here."""
    address: str = ""
    """Where they must be sent: this very address, or one below it."""
    url: BaseIfAny = ""
    """The API's address; default: that of the shop. For something that stands in for it."""
    every: PositiveDuration = Field(default=timedelta(minutes=5))
    """How often it runs."""

    measures: ClassVar = (
        *VendorCheck.measures,
        MeasureSpec("missing_topics", Unit.NUMBER, "of `topics`, how many are not subscribed to, or sent elsewhere"),
        MeasureSpec("subscriptions", Unit.NUMBER, "webhook subscriptions of the app in this shop"),
        MeasureSpec("throttle_share", Unit.RATIO, "of the app's rate limit in this shop, the share in use by anybody"),
    )

    @cached_property
    def access(self) -> Access:
        """Return the shop's API, with the app's token."""
        return Access(
            SHOPIFY, self.url or f"https://{self.shop}", self.token, (("X-Shopify-Access-Token", self.token),)
        )

    def permissions(self) -> tuple[Permission, ...]:
        """Return the token that it needs: subscriptions of an app are shown to that app alone."""
        return (Permission(f"Shopify, {self.shop}", "the app's own access token for that shop", "no scope besides"),)

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the figure on missing topics."""
        return (ThresholdFields(watch="missing_topics", name="missing topics", critical="> 0", remedy=REGISTER),)

    async def look(self, run: Run, api: Api) -> None:
        """Read the subscriptions, and hold them against what must be there."""
        found = await read_subscriptions(api, self.shop, self.api_version, run.note)
        run.note("subscriptions", len(found))
        missing = lacking(found, self.topics, self.address)
        run.note("missing_topics", len(missing))
        if missing:
            run.remark("missing_topics", "; ".join(missing))

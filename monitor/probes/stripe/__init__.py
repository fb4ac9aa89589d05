"""Whether Stripe delivers: the endpoint is registered and enabled, no event is left, and what is sold can be bought."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field, StrictBool, model_validator

from monitor.fields import Duration, PositiveDuration
from monitor.model import Failure
from monitor.permission import Permission
from monitor.probes.base import MeasureSpec, ThresholdFields
from monitor.probes.stripe.deliveries import EVERY_TYPE, KEPT, Deliveries
from monitor.probes.stripe.endpoint import FAULTS, Registration, ask_endpoints, read_endpoints
from monitor.probes.stripe.implied import thresholds
from monitor.probes.stripe.prices import read_prices
from monitor.probes.vendor import VendorCheck
from monitor.secrets import Secret
from monitor.units import Unit
from monitor.vendors import Access, Base, Key, Limit, Vendor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.probes.base import Run
    from monitor.vendors import Api

STRIPE = Vendor(
    "Stripe",
    Limit(25, timedelta(seconds=1)),  # each endpoint of the API; docs.stripe.com/rate-limits
    keys=re.compile(r"\b(?:[a-z]{2,4}_(?:live|test)|whsec)_[\w*•.]*"),
    point=re.compile(r"Having the '\w+' permission would allow this"),
)
VERSION = "2026-06-24.dahlia"
"""The version of the API whose shapes are read here; without it, Stripe answers in that of the account."""
RIGHTS = "Events: Read, Webhook Endpoints: Read, Prices: Read"
ALLOTTED, ALLOTTED_FOR = 10_000, timedelta(days=30)
"""The reads that every account has, whatever it sells; docs.stripe.com/rate-limits, API read request allocations."""
MODES = {True: "live", False: "test"}


def _restricted(key: Secret) -> Secret:
    kind = key.reveal().partition("_")[0]
    make = f"make a restricted key in Stripe under Developers, API keys, with {RIGHTS} and nothing else"
    match kind:
        case "sk":
            raise ValueError(f"a secret key may do everything, so it is not taken: {make}")
        case "pk" | "whsec":
            raise ValueError(f"this is no key that can read: {make}")
        case _:
            return key


EventType = Annotated[str, Field(pattern=r"^(\*|[a-z0-9_]+(\.[a-z0-9_]+)+)$")]
PriceId = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,255}$")]


class StripeCheck(VendorCheck):
    """Asks Stripe whether webhooks are registered and delivered, and whether prices can still be bought.

    What is looked at follows from what is given; with nothing but `api_key` only whether the API itself serves, which
    then is up whatever it answers, and `api_errors` tells.
    """

    kind: str = "stripe"
    api_key: Annotated[Key, AfterValidator(_restricted)]
    """A restricted key (`rk_live_…`) with Read for Events, Webhook Endpoints and Prices, and nothing else. A secret key
    is refused."""
    endpoint: Annotated[str, Field(pattern="^(https?://.+)?$")] = ""
    """The address that must be registered for webhooks and enabled, letter by letter."""
    events: list[EventType] = Field(default=[])
    """The types that the endpoint must be subscribed to, and whose deliveries count; `*` covers all. Default: those
    that the endpoint is subscribed to, all without one."""
    deliveries: StrictBool | None = None
    """Whether events that were not delivered are looked for; default: where `endpoint` or `events` is given."""
    min_age: Duration = timedelta(minutes=10)
    """How old an event must be before it counts as not delivered: younger ones may be on their way."""
    look_back: Annotated[PositiveDuration, Field(le=KEPT)] = KEPT
    """How far back events are looked for; Stripe keeps them for 30 days, and tries to deliver them for three."""
    prices: dict[str, PriceId] | list[PriceId] = Field(default=[])
    """Prices that must exist and be active: a list of ids, or names and ids, which messages then show as the names."""
    livemode: StrictBool = True
    """Whether all of it is looked for in live mode or in test mode, to which the key must belong."""
    url: Base = "https://api.stripe.com"
    """The API's address; for something that stands in for it."""

    measures: ClassVar = (
        *VendorCheck.measures,
        MeasureSpec("endpoint_enabled", Unit.NUMBER, "1 if the endpoint is registered and enabled, else 0"),
        MeasureSpec("missing_events", Unit.NUMBER, "of `events`, how many the endpoint is not subscribed to"),
        MeasureSpec("undelivered", Unit.NUMBER, "events that were not delivered, at least", ("type",)),
        MeasureSpec("undelivered_age", Unit.SECONDS, "the age of the oldest of them, at least", ("type",)),
        MeasureSpec("backlog", Unit.NUMBER, "events that were not delivered, of all types together, at least"),
        MeasureSpec(
            "newest_failed", Unit.NUMBER, "how many of the newest events in a row were not delivered, ten at most"
        ),
        MeasureSpec("missing_prices", Unit.NUMBER, "of `prices`, how many do not exist"),
        MeasureSpec("inactive_prices", Unit.NUMBER, "of `prices`, how many are not active"),
    )

    @model_validator(mode="after")
    def _agree(self) -> StripeCheck:
        mode = self.api_key.reveal().split("_")[1:2]
        if mode in (["live"], ["test"]) and mode != [MODES[self.livemode]]:
            raise ValueError(f"this key sees {mode[0]} mode only, and livemode is {str(self.livemode).lower()}")
        if self.events and not self.endpoint and self.deliveries is False:
            raise ValueError("events says which an endpoint must have, or whose deliveries count: give one of the two")
        return self

    @cached_property
    def access(self) -> Access:
        """Return Stripe's API, with our key and in the version that we read."""
        headers = (
            ("Authorization", Secret(f"Bearer {self.api_key.reveal()}")),
            ("Stripe-Version", Secret(VERSION)),
        )
        return Access(STRIPE, self.url, self.api_key, headers)

    def permissions(self) -> tuple[Permission, ...]:
        """Return what a restricted key must be allowed to read, as the dashboard calls it."""
        at = f"Stripe, a restricted key of {MODES[self.livemode]} mode (Developers, API keys)"
        wanted = {
            "Events: Read": self.looks_at_deliveries,
            "Webhook Endpoints: Read": bool(self.endpoint),
            "Prices: Read": bool(self.prices),
        }
        note = "with everything else: None"
        return tuple(Permission(at, text, note) for text, needed in wanted.items() if needed)

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the figures on what is looked at."""
        looked_at = {
            "missing_events": bool(self.endpoint and self.events),
            "undelivered": self.looks_at_deliveries,
            "prices": bool(self.prices),
            "api_errors": self.looks_at_nothing,
        }
        return thresholds([subject for subject, looked in looked_at.items() if looked], self.thresholds)

    def doubts(self) -> Iterator[str]:
        """Yield that it reads more often than Stripe allows an account that sells little."""
        questions = sum((bool(self.endpoint), self.looks_at_deliveries, bool(self.prices), self.looks_at_nothing))
        reads = questions * (ALLOTTED_FOR // self.every)
        if reads > ALLOTTED:
            yield (
                f"it reads from Stripe {reads:,} times in 30 days, and an account may {ALLOTTED:,} times, or 500 times"
                " for each sale: run it less often"
            )

    @property
    def looks_at_deliveries(self) -> bool:
        """Return whether events are looked for."""
        return bool(self.endpoint or self.events) if self.deliveries is None else self.deliveries

    @property
    def looks_at_nothing(self) -> bool:
        """Return whether the API itself is all that is looked at."""
        return not (self.endpoint or self.looks_at_deliveries or self.prices)

    @property
    def named_prices(self) -> dict[str, str]:
        """Return the ids of the prices by name."""
        return dict(self.prices) if isinstance(self.prices, dict) else {price: price for price in self.prices}

    async def look(self, run: Run, api: Api) -> None:
        """Ask for one thing after the other; what was found wrong with the first is told after the last."""
        wrong: Failure | None = None
        types = frozenset(self.events) or EVERY_TYPE
        if self.endpoint:
            registration = await self._look_at_endpoint(run, api)
            wrong = registration.wrong
            types = frozenset(self.events) or registration.events or EVERY_TYPE
        try:
            if self.looks_at_deliveries:
                await self._look_at_deliveries(run, api, types)
            if self.prices:
                await self._look_at_prices(run, api)
            if self.looks_at_nothing:
                await ask_endpoints(api, timedelta(), allowed=FAULTS)
        except Failure:
            if not wrong:
                raise
        if wrong:
            raise wrong

    async def _look_at_endpoint(self, run: Run, api: Api) -> Registration:
        found = Registration.of(await read_endpoints(api, self.every), self.endpoint, live=self.livemode)
        run.note("endpoint_enabled", found.enabled)
        if self.events and found.enabled:
            missing = found.without(self.events)
            run.note("missing_events", len(missing))
            if missing:
                run.remark("missing_events", f"the endpoint is not subscribed to {', '.join(missing)}")
        return found

    async def _look_at_deliveries(self, run: Run, api: Api, types: frozenset[str]) -> None:
        deliveries = Deliveries(api, types, self.min_age, self.look_back)
        backlog = await deliveries.backlog()
        for kind in sorted((types - EVERY_TYPE) | backlog.counts.keys()):
            run.note("undelivered", backlog.counts[kind], type=kind)
        for kind, age in backlog.oldest.items():
            run.note("undelivered_age", age.total_seconds(), type=kind)
        run.note("backlog", backlog.counts.total())
        if not backlog.counts:
            run.note("newest_failed", 0)
            return
        for measure in ("undelivered", "undelivered_age", "backlog", "newest_failed"):
            run.remark(measure, backlog.text)
        run.note("newest_failed", await deliveries.newest_failed(backlog.at))

    async def _look_at_prices(self, run: Run, api: Api) -> None:
        missing, inactive = await read_prices(api, self.named_prices)
        run.note("missing_prices", len(missing))
        run.note("inactive_prices", len(inactive))
        if missing:
            run.remark("missing_prices", f"Stripe knows no price {', '.join(missing)}")
        if inactive:
            run.remark("inactive_prices", f"nobody can buy at {', '.join(inactive)}: not active")

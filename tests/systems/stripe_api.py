"""A stand-in of Stripe's API: one account, read with a restricted key, that pages, throttles, fails and lies.

Objects have the shapes of Stripe's published fixtures (`stripe_fixtures.json`, of its openapi repository); what its
errors say was taken from public reports of them.
"""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.systems.site import Answer, Site, page, says_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from tests.peers import Authority

FIXTURES: dict[str, Any] = json.loads(Path(__file__).with_name("stripe_fixtures.json").read_text("utf-8"))
KEY = "rk_live_51HuNt3rTwoAbCdEfGhIjKlMnOpQrStUvWxYz"
VERSION = "2026-06-24.dahlia"
KEPT = timedelta(days=30)
RIGHTS = {"/v1/events": "rak_event_read", "/v1/webhook_endpoints": "rak_webhook_read", "/v1/prices": "rak_plan_read"}
HTML = page("<html><h1>Maintenance</h1></html>")
MOST = 100


def refused(status: int, message: str, **more: str) -> Answer:
    return says_json({"error": {"message": message, "type": "invalid_request_error", **more}}, status)


def throttled(retry_after: str | None = None) -> Answer:
    """Return how Stripe refuses a request too many; it does not say for how long, or not by itself."""
    answer = refused(429, "Request rate limit exceeded.", code="rate_limit")
    headers = {**answer.headers, "Stripe-Rate-Limited-Reason": "endpoint-rate"}
    return Answer(429, answer.body, headers if retry_after is None else {**headers, "Retry-After": retry_after})


class StripeApi(Site):
    """An account's endpoints, events and prices, and what goes wrong with the API. `asked`: every request's address."""

    def __init__(self, host: str, authority: Authority | None, now: Callable[[], datetime] | None = None) -> None:
        """`now` is Stripe's own time."""
        self.now = now or (lambda: datetime.now(UTC))
        super().__init__(host, authority)

    def heal(self) -> None:
        super().heal()
        self.endpoints: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.sold: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.rights = set(RIGHTS)
        self.key = KEY
        self.skew = timedelta()
        self.faults: list[Answer] = []
        self.repeats = self.endless = False
        self._ids = count(1)

    def registers(self, url: str, *events: str, status: str = "enabled", livemode: bool = True) -> dict[str, Any]:
        made = self._like("webhook_endpoint", url=url, enabled_events=list(events), status=status, livemode=livemode)
        self.endpoints.insert(0, made)
        return made

    def happens(self, kind: str, *, ago: timedelta = timedelta(), pending: int = 0, times: int = 1) -> None:
        """Let an event of that type have happened, so many times, `ago`."""
        created = int((self.now() - ago).timestamp())
        self.events += [
            self._like("event", type=kind, created=created, pending_webhooks=pending, livemode=True)
            for _ in range(times)
        ]
        self.events.sort(key=lambda event: (event["created"], event["id"]), reverse=True)

    def delivers(self) -> None:
        """Let everybody have taken every event."""
        for event in self.events:
            event["pending_webhooks"] = 0

    def sells(self, *prices: str, active: bool = True) -> None:
        for price in prices:
            self.sold[price] = self._like("price", id=price, active=active, livemode=True)

    def _like(self, kind: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
        made: dict[str, Any] = deepcopy(FIXTURES[kind])
        identity = f"{made['id'].partition('_')[0]}_{next(self._ids):06}"
        return made | {"id": identity} | fields

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.method} {request.path_qs}")
        response = await super().answer(request)
        response.headers.setdefault("Date", format_datetime(self.now() + self.skew, usegmt=True))
        return response

    def _answer(self, request: web.Request) -> Answer:
        if self.faults:
            return self.faults.pop(0)
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return refused(401, f"Invalid API Key provided: rk_live_{'*' * 12}{KEY[-6:]}")
        if request.headers.get("Stripe-Version") != VERSION:
            return refused(400, "Invalid Stripe API version")
        if request.method != "GET":
            return refused(403, "this key may only read")
        place = next((place for place in RIGHTS if request.path.startswith(place)), "")
        if place and place not in self.rights:
            return refused(
                403,
                f"The provided key 'rk_live_{'*' * 60}{KEY[-6:]}' does not have the required permissions for this "
                f"endpoint on account 'acct_1PJBLEBBLEfV'. Having the '{RIGHTS[place]}' permission would allow this "
                "request to continue.",
            )
        return self._found(request)

    def _found(self, request: web.Request) -> Answer:
        match request.path.split("/")[2:]:
            case ["webhook_endpoints"]:
                return self._list(request, self.endpoints)
            case ["events"]:
                return self._list(request, self._events(request)) if self._may_be_asked(request) else self._too_much()
            case ["prices"]:
                active = {"true": True, "false": False}[request.query.get("active", "true")]
                return self._list(request, [each for each in self.sold.values() if each["active"] is active])
            case ["prices", price] if price in self.sold:
                return says_json(self.sold[price])
            case ["prices", price]:
                return refused(404, f"No such price: '{price}'", code="resource_missing", param="price")
            case _:
                return refused(404, f"Unrecognized request URL ({request.method}: {request.path}).")

    def _events(self, request: web.Request) -> list[dict[str, Any]]:
        types, query = request.query.getall("types[]", []), request.query
        least = max(float(query.get("created[gte]", 0)), (self.now() - KEPT).timestamp())
        most = float(query.get("created[lte]", "inf"))
        found = [event for event in self.events if least <= event["created"] <= most]
        if query.get("delivery_success") == "false":
            found = [event for event in found if event["pending_webhooks"]]
        return [event for event in found if not types or event["type"] in types]

    def _may_be_asked(self, request: web.Request) -> bool:
        return len(request.query.getall("types[]", [])) <= 20

    def _too_much(self) -> Answer:
        return refused(400, "Array types exceeded maximum 20 allowed elements.", param="types")

    def _list(self, request: web.Request, objects: list[dict[str, Any]]) -> Answer:
        limit, after = int(request.query.get("limit", "10")), request.query.get("starting_after")
        if not 1 <= limit <= MOST:
            return refused(400, "Invalid limit", param="limit")
        if self.endless:
            objects = [*objects, *(self._like("event", type="charge.succeeded") for _ in range(limit + 1))]
            after = None
        if after is not None and not self.repeats:
            ids = [each["id"] for each in objects]
            if after not in ids:
                return refused(400, f"No such object: '{after}'", code="resource_missing", param="starting_after")
            objects = objects[ids.index(after) + 1 :]
        has_more = len(objects) > limit or self.repeats
        return says_json({"object": "list", "data": objects[:limit], "has_more": has_more, "url": request.path})

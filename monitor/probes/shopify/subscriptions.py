"""The webhook subscriptions of one app in one shop, as the GraphQL Admin API tells of them.

Shopify says in the body how a question went: a status of 200 may be a refusal.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from yarl import URL

from monitor.answer import shown
from monitor.model import Failure, Reason, State
from monitor.vendors import Page, read_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from monitor.network import Note
    from monitor.vendors import Api, Found, Reply

QUERY = """\
query Subscriptions($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { topic uri }
    pageInfo { hasNextPage endCursor }
  }
}
"""
MOST_PAGES = 5
UNAVAILABLE = {
    HTTPStatus.PAYMENT_REQUIRED: "is frozen until its owner pays",
    HTTPStatus.NOT_FOUND: "is gone, or never was",
    HTTPStatus.LOCKED: "is locked",
}
REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS, *UNAVAILABLE})
LONGEST = 3_600.0
"""The longest pause, in seconds, that the arithmetic of a throttled answer can ask for."""
SHOP_IS_AWAY = "unavailable shop"
"""What Shopify says of a shop that is closed or suspended, under 402 as well as under 403."""
UNINSTALLED = "the app was uninstalled there, or its token removed"


class Subscription(NamedTuple):
    """A topic as files write it, such as `app/uninstalled`, and where its events are sent."""

    topic: str
    uri: str


class Cost(NamedTuple):
    """What a question cost in points, the share of the limit in use, and how long until it may be asked again."""

    requested: float = 1.0
    share: float | None = None
    pause: timedelta | None = None

    @classmethod
    def of(cls, reply: Reply) -> Cost:
        """Return what an answer says of it, which not every one does."""
        extensions = reply.body.get("extensions") if isinstance(reply.body.value, dict) else None
        cost = extensions.get("cost") if extensions else None
        if cost is None:
            return cls()
        requested, status = cost["requestedQueryCost"].number, cost["throttleStatus"]
        available, most = status["currentlyAvailable"].number, max(status["maximumAvailable"].number, 1.0)
        seconds = max(requested - available, 0.0) / max(status["restoreRate"].number, 1.0)
        return cls(requested, 1 - min(max(available / most, 0.0), 1.0), timedelta(seconds=min(seconds + 1, LONGEST)))


async def read_subscriptions(api: Api, shop: str, version: str, note: Note) -> Sequence[Subscription]:
    """Return the subscriptions, and note how much of the rate limit is in use.

    Raises `Failure`: down (auth) where the token is no longer taken, else unknown.
    """

    async def ask(cursor: str | None) -> Page[Subscription]:
        question = {"query": QUERY, "variables": {"after": cursor}}
        reply = await api.post(f"/admin/api/{version}/graphql.json", question, allowed=REFUSALS)
        cost = Cost.of(reply)
        api.account.spend(api.now, max(cost.requested - 1, 0))
        if cursor is None and cost.share is not None:
            note("throttle_share", cost.share)
        if refused := _refused(reply, shop):
            if refused.reason is Reason.RATE_LIMITED:
                api.account.throttled(api.now, cost.pause)
            raise refused
        return _page(reply.body["data"]["webhookSubscriptions"])

    found = await read_pages(ask, MOST_PAGES, lambda: False)
    if not found.whole:
        text = "expected a list of subscriptions that ends, got one that does not"
        raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)
    return found.items


def lacking(found: Iterable[Subscription], topics: Iterable[str], address: str) -> list[str]:
    """Return what is wrong with each of `topics` that is not sent to `address`, or below it."""
    sent: dict[str, list[str]] = {}
    for each in found:
        sent.setdefault(enum_of(each.topic), []).append(each.uri)
    wrong = []
    for topic in topics:
        places = sent.get(enum_of(topic), [])
        if not places:
            wrong.append(f"{topic} is not subscribed to")
        elif not any(_below(place, address) for place in places):
            wrong.append(f"{topic} is sent to {_readable(places[0])}")
    return wrong


def enum_of(topic: str) -> str:
    """Return how GraphQL writes a topic: `APP_UNINSTALLED`."""
    return topic.upper().replace("/", "_").replace(".", "_")


def _page(found: Found) -> Page[Subscription]:
    items = [Subscription(each["topic"].text, each["uri"].text) for each in found["nodes"]]
    info = found["pageInfo"]
    return Page(items, info["endCursor"].text if info["hasNextPage"].flag else None)


def _refused(reply: Reply, shop: str) -> Failure | None:
    """Return why an answer is none; None for a good one."""
    words = f": {reply.said}" if reply.said else ""
    away = SHOP_IS_AWAY in reply.said.lower()
    match reply.status:
        case HTTPStatus.OK:
            return _refused_in_body(reply, shop)
        case HTTPStatus.UNAUTHORIZED:
            return Failure(Reason.AUTH, f"Shopify does not take the token for {shop}: {UNINSTALLED}")
        case HTTPStatus.FORBIDDEN if not away:
            state = State.DOWN if words else State.UNKNOWN  # without a word it is something before Shopify
            return Failure(Reason.AUTH, f"Shopify refuses the app in {shop}{words}", state)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return _throttled()
        case status:
            return _away(shop, UNAVAILABLE.get(HTTPStatus(status), "is closed or suspended"))


def _refused_in_body(reply: Reply, shop: str) -> Failure | None:
    errors = reply.body.get("errors")
    if errors is None:
        return None
    match _code(errors):
        case "THROTTLED":
            return _throttled()
        case "ACCESS_DENIED":
            return Failure(Reason.AUTH, f"the token for {shop} may not see webhooks", State.UNKNOWN)
        case "SHOP_INACTIVE":
            return _away(shop, "is inactive")
        case "INTERNAL_SERVER_ERROR":
            return Failure(Reason.STATUS, "Shopify is out of order: it says so in its answer", State.UNKNOWN)
        case _:
            return Failure(Reason.PROTOCOL, f"Shopify does not take our question: {reply.said}", State.UNKNOWN)


def _code(errors: Found) -> str:
    """Return the code of the first error; empty where it has none."""
    first = next(iter(errors), None) if isinstance(errors.value, list) else None
    extensions = first.get("extensions") if first else None
    code = extensions.get("code") if extensions else None
    return code.text if code else ""


def _throttled() -> Failure:
    return Failure(Reason.RATE_LIMITED, "the app's rate limit in this shop is used up", State.UNKNOWN)


def _away(shop: str, why: str) -> Failure:
    return Failure(Reason.MISSING, f"the shop {shop} {why}: of the app nothing can be told there", State.UNKNOWN)


def _below(place: str, address: str) -> bool:
    top = address.rstrip("/")
    return not top or place in (address, top) or place.startswith((f"{top}/", f"{top}?"))


def _readable(place: str) -> str:
    """Return an address without its query, where a secret may stand; one of Google's or Amazon's queues as it is."""
    if not place.startswith(("http://", "https://")):
        return place
    try:
        return shown(URL(place))
    except ValueError:
        return "an address that is none"

"""Whether Stripe has an endpoint for an address, and what it sends there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from yarl import URL

from monitor.answer import shown
from monitor.model import Failure, Reason, State
from monitor.probes.stripe.lists import page_of
from monitor.vendors import read_pages

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import timedelta

    from monitor.vendors import Api, Found, Page, Reply

FAULTS = frozenset({429, *range(500, 600)})
RIGHT = "Webhook Endpoints: Read"
MOST_PAGES = 5
MOST_NAMED = 3
ALL = "*"
PATH = "/v1/webhook_endpoints"
FULL_PAGE = [("limit", "100")]


class Endpoint(NamedTuple):
    """An endpoint as Stripe has it."""

    url: str
    enabled: bool
    live: bool
    events: frozenset[str]


async def ask_endpoints(api: Api, young: timedelta, allowed: frozenset[int] = frozenset()) -> Reply:
    """Return Stripe's answer to the question for endpoints, or what it told another check less than `young` ago."""
    return await api.get(PATH, FULL_PAGE, allowed=allowed, right=RIGHT, young=young)


async def read_endpoints(api: Api, young: timedelta) -> Sequence[Endpoint]:
    """Return every endpoint of the account; an answer that another check had less than `young` ago will do.

    Raises `Failure` (unknown).
    """

    async def ask(cursor: str | None) -> Page[Endpoint]:
        if cursor is None:
            reply = await ask_endpoints(api, young)
        else:
            reply = await api.get(PATH, [*FULL_PAGE, ("starting_after", cursor)], right=RIGHT)
        return page_of(reply.body, _endpoint)

    found = await read_pages(ask, MOST_PAGES, lambda: False)
    if not found.whole:
        raise Failure(Reason.PROTOCOL, "expected a list of endpoints that ends, got one that does not", State.UNKNOWN)
    return found.items


@dataclass(frozen=True, slots=True)
class Registration:
    """How an address is registered: what is wrong with that, if anything, and the types that are sent there."""

    wrong: Failure | None
    events: frozenset[str] = frozenset()

    @property
    def enabled(self) -> bool:
        """Return whether Stripe sends anything there."""
        return self.wrong is None

    @classmethod
    def of(cls, found: Sequence[Endpoint], url: str, *, live: bool) -> Registration:
        """Return how `url` is registered among `found`, in that mode."""
        same = [each for each in found if each.url == url]
        here = [each for each in same if each.live is live]
        taking = [each for each in here if each.enabled]
        if taking:
            return cls(None, frozenset().union(*(each.events for each in taking)))
        if here:
            text = f"the endpoint for {url} is disabled: Stripe sends nothing there, and nothing of it later"
            return cls(Failure(Reason.STATUS, text), frozenset().union(*(each.events for each in here)))
        if same:
            other, wanted = ("test", "live") if live else ("live", "test")
            text = f"the endpoint for {url} is registered in {other} mode, and none in {wanted} mode"
            return cls(Failure(Reason.MISSING, text))
        return cls(Failure(Reason.MISSING, f"no endpoint is registered for {url}; {_others(found)}"))

    def without(self, wanted: Collection[str]) -> list[str]:
        """Return which of the types `wanted` are not sent there."""
        return [] if ALL in self.events else sorted(set(wanted) - self.events)


def _others(found: Sequence[Endpoint]) -> str:
    if not found:
        return "there is none in this account and mode"
    urls = [_readable(each.url) for each in found[:MOST_NAMED]]
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"there is {', '.join(urls)}{more}"


def _readable(text: str) -> str:
    """Return an address without its query, where a secret may stand."""
    try:
        return shown(URL(text))
    except ValueError:
        return "an address that is none"


def _endpoint(found: Found) -> Endpoint:
    events = frozenset(each.text for each in found["enabled_events"])
    return Endpoint(found["url"].text, found["status"].text == "enabled", found["livemode"].flag, events)

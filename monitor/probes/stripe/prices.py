"""Whether prices exist and can be bought at."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from monitor.model import Failure, Reason, State
from monitor.probes.stripe.lists import page_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.vendors import Api, Found

RIGHT = "Prices: Read"
ABSENT = "resource_missing"


async def read_prices(api: Api, prices: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return the names of those of `prices`, names and ids, that do not exist, and of those that are not active.

    One request tells of a hundred active ones; only what it does not tell of is asked for by itself.
    Raises `Failure` (unknown).
    """
    known: dict[str, bool | None] = {}
    if len(prices) > 1:
        reply = await api.get("/v1/prices", [("limit", "100"), ("active", "true")], right=RIGHT)
        known |= page_of(reply.body, _price).items
    for price in prices.values():
        if not known.get(price):
            known[price] = await _active(api, price)
    missing = [name for name, price in prices.items() if known[price] is None]
    inactive = [name for name, price in prices.items() if known[price] is False]
    return missing, inactive


async def _active(api: Api, price: str) -> bool | None:
    """Return whether a price is active, None if there is none."""
    reply = await api.get(f"/v1/prices/{price}", allowed={HTTPStatus.NOT_FOUND}, right=RIGHT)
    if reply.status != HTTPStatus.NOT_FOUND:
        return _price(reply.body)[1]
    code = reply.body["error"].get("code")
    if code is None or code.text != ABSENT:
        text = f"expected a price or that there is none, got another 404: {reply.said or 'without a word'}"
        raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)
    return None


def _price(found: Found) -> tuple[str, bool]:
    return found["id"].text, found["active"].flag

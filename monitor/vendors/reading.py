"""What an answer of an API is: JSON, or a refusal in its own words. Other text is never quoted: it may be personal."""

from __future__ import annotations

import math
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from monitor.answer import shown
from monitor.expect import Document
from monitor.model import Failure, Reason, State
from monitor.units import show_duration
from monitor.vendors.account import is_fault

if TYPE_CHECKING:
    import re
    from datetime import timedelta

    from monitor.answer import Answer
    from monitor.vendors.vendor import Vendor

SUCCESS = range(200, 300)
REDIRECTS = range(300, 400)
CLIENT_ERRORS = range(400, 500)
WEB_PAGE = frozenset({"text/html", "application/xhtml+xml"})
HIDDEN = "…"


class TooLong(Failure):
    """An answer was longer than what is read of one; a shorter list may be had."""


def document(vendor: Vendor, answer: Answer, embedded: re.Pattern[str] | None = None) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON of an answer, or what `embedded` finds in its page; raises `Failure` (protocol, unknown)."""
    if answer.truncated:
        raise TooLong(Reason.PROTOCOL, f"{vendor.name}'s answer is longer than what is read of one", State.UNKNOWN)
    if embedded and (found := embedded.search(answer.text)):
        answer = replace(answer, body=found[1].encode(), headers=())
    if _is_page(answer):
        text = f"expected JSON from {vendor.name}, got a web page: something else answers in its place"
        raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)
    try:
        return _read(answer)
    except Failure as failure:
        raise Failure(Reason.PROTOCOL, f"{vendor.name}: {failure.detail}", State.UNKNOWN) from None


def error_document(answer: Answer) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON of an error, None where it is none."""
    if answer.truncated or _is_page(answer):
        return None
    try:
        return _read(answer)
    except Failure:
        return None


def refusal(vendor: Vendor, answer: Answer, said: str, right: str, pause: timedelta) -> Failure:
    """Return what an answer that is no success means: always that we do not know.

    `said`: the vendor's own words, without secrets; `right`: what the key should be allowed; `pause`: until we ask
    again.
    """
    lacking = bool(vendor.point.search(said)) and answer.status in CLIENT_ERRORS
    reason, text = _forbidden(vendor, right) if lacking else _meaning(vendor, answer, right)
    waiting = f"; we ask again in {show_duration(math.ceil(pause.total_seconds()))}" if pause else ""
    told = f": {said}" if said and not is_fault(answer.status) else ""
    return Failure(reason, f"{text}{told}{waiting}", State.UNKNOWN)


def _meaning(vendor: Vendor, answer: Answer, right: str) -> tuple[Reason, str]:
    match answer.status:
        case HTTPStatus.UNAUTHORIZED:
            return Reason.AUTH, f"{vendor.name} does not take the key: it was revoked, rolled, or is another's"
        case HTTPStatus.FORBIDDEN:
            return _forbidden(vendor, right)
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Reason.RATE_LIMITED, f"{vendor.name}'s rate limit is used up"
        case status if is_fault(status):
            return Reason.STATUS, f"{vendor.name} is out of order: it answers {status}"
        case status if status in REDIRECTS:
            place = f" to {shown(url)}" if (url := _location(answer)) else ""
            return Reason.PROTOCOL, f"{vendor.name} redirects us{place}, which nobody follows with a key in the hand"
        case status:
            return Reason.PROTOCOL, f"{vendor.name} does not take our question: it answers {status}"


def _forbidden(vendor: Vendor, right: str) -> tuple[Reason, str]:
    lacking = f"; give it {right}" if right else ""
    return Reason.AUTH, f"{vendor.name} does not allow the key to see this{lacking}"


def _location(answer: Answer) -> Any:  # noqa: ANN401 - an URL or None
    try:
        return answer.location
    except ValueError:
        return None


def _is_page(answer: Answer) -> bool:
    return answer.media_type in WEB_PAGE or answer.body.lstrip()[:1] == b"<"


def _read(answer: Answer) -> Any:  # noqa: ANN401 - any JSON value
    return Document(answer, lambda _: HIDDEN).find("@")

"""What an answer to an event means: the refusal or the acceptance that must come, or what is wrong. Pure."""

from __future__ import annotations

import enum
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from monitor.answer import shown
from monitor.expect import excerpt
from monitor.expect.status import listed, within
from monitor.model import Failure, Reason
from monitor.probes.webhook.schemes import is_refusal
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from monitor.answer import Answer
    from monitor.expect.status import Statuses
    from monitor.probes.webhook.schemes import Scheme

ALIKE = timedelta(seconds=30)
"""So far two clocks may differ and still be said to agree: an answer's date has no fractions, and travels."""
SUCCESS = "2xx"
MISSING = {
    HTTPStatus.NOT_FOUND: "the route is not registered",
    HTTPStatus.METHOD_NOT_ALLOWED: "the route takes no POST",
}


class Sent(enum.StrEnum):
    """The events of a run, in their order; also the label of its measures."""

    UNSIGNED = "unsigned"
    FORGED = "forged"
    CANARY = "canary"
    STALE = "stale"


class Terms(NamedTuple):
    """What a verdict rests on besides the answer: how the sender signs, what refuses, how old an event may be."""

    scheme: Scheme
    refuses: Statuses
    tolerance: timedelta
    redact: Callable[[str], str]


CALLED = {
    Sent.UNSIGNED: "an unsigned event",
    Sent.FORGED: "a wrongly signed event",
    Sent.CANARY: "the signed canary",
    Sent.STALE: "an event with an old timestamp",
}
ACCEPTED = {
    Sent.UNSIGNED: "an unsigned event was accepted: anybody can forge events",
    Sent.FORGED: "a wrong signature was accepted: anybody can forge events",
    Sent.STALE: "an old event was accepted: whoever has seen one can send it again",
}


def judge(sent: Sent, answer: Answer, now: datetime, terms: Terms) -> None:
    """Return if `answer`, which came at `now` by the wall's clock, is the one that the event `sent` must get.

    Raises `Failure`: missing (404, 405), status (5xx, and refusals that are not the documented ones), auth (accepted,
    what must be refused), header (the canary's signature refused), protocol (a redirect), rate_limited (429).
    """
    wanted = SUCCESS if sent is Sent.CANARY else terms.refuses
    if within(answer.status, wanted):
        return
    reason, meaning = _missed(sent, answer, now, terms)
    expected = " or ".join(map(str, listed(wanted)))
    detail = f"expected status {expected} to {CALLED[sent]}, got {answer.status} ({meaning})"
    raise Failure(reason, f"{detail}{_said(answer, terms.redact)}")


def _missed(sent: Sent, answer: Answer, now: datetime, terms: Terms) -> tuple[Reason, str]:
    """Return the reason and what it means that `answer` is none of those that are wanted."""
    return _unreached(sent, answer) or _judged(sent, answer, now, terms)


def _unreached(sent: Sent, answer: Answer) -> tuple[Reason, str] | None:
    """Return what it means if no receiver looked at the event, or none that could."""
    status = answer.status
    if status in MISSING:
        return Reason.MISSING, MISSING[HTTPStatus(status)]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Reason.RATE_LIMITED, "too many requests; if not by us, its senders are turned away too"
    if within(status, "3xx"):
        return Reason.PROTOCOL, _redirected(answer)
    return (Reason.STATUS, _failed(sent, status)) if within(status, "5xx") else None


def _judged(sent: Sent, answer: Answer, now: datetime, terms: Terms) -> tuple[Reason, str]:
    """Return what it means that a receiver accepted what it must refuse, or the other way round."""
    if within(answer.status, SUCCESS):
        clocks = f"; {_clocks(answer, now)}" if sent is Sent.STALE else ""
        return Reason.AUTH, f"{ACCEPTED[sent]}{clocks}"
    if sent is not Sent.CANARY:
        return Reason.STATUS, "refused, but not as documented: does something else stand before the receiver?"
    if is_refusal(answer.status, terms.refuses):
        return Reason.HEADER, _mistrusted(answer, now, terms)
    return Reason.STATUS, "its signature is not to blame: the event itself is refused"


def _redirected(answer: Answer) -> str:
    try:
        url = answer.location
    except ValueError:
        url = None
    where = f" to {shown(url)}" if url else ""
    return f"a redirect{where}: senders follow none, so every delivery is lost"


def _failed(sent: Sent, status: int) -> str:
    if status in {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}:
        return "the service is down"
    return "it fails while it processes events" if sent is Sent.CANARY else "it fails instead of refusing"


def _mistrusted(answer: Answer, now: datetime, terms: Terms) -> str:
    secret = "its secret differs from ours"  # noqa: S105 - a sentence
    aside = f"; or {terms.scheme.aside}" if terms.scheme.aside else ""
    if not terms.scheme.dated:
        return f"{secret}{aside}"
    ahead = _ahead(answer, now)
    if ahead is not None and abs(ahead) > terms.tolerance / 2:
        return f"{_clocks(answer, now)}, so one of the two is wrong; or {secret}"
    return f"{secret}; {_clocks(answer, now)}{aside}"


def _clocks(answer: Answer, now: datetime) -> str:
    """Say how the receiver's clock stands to ours."""
    ahead = _ahead(answer, now)
    if ahead is None:
        return "it sends no Date to compare clocks by"
    if abs(ahead) <= ALIKE:
        return "its clock agrees with ours"
    far = show_duration(round(abs(ahead).total_seconds()))
    return f"its clock is {far} {'ahead of' if ahead > timedelta() else 'behind'} ours"


def _ahead(answer: Answer, now: datetime) -> timedelta | None:
    """Return how far the clock that dated `answer` is ahead of ours; None if there is no date."""
    try:
        date = parsedate_to_datetime(answer.header("date") or "")
    except ValueError:
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)) - now


def _said(answer: Answer, redact: Callable[[str], str]) -> str:
    """Return how the answer explains itself; an error page is no explanation."""
    if not answer.body.strip() or answer.media_type == "text/html":
        return ""
    return f": {excerpt(answer.text, redact)}"

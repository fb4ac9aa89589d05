"""One question to Prometheus' API, and its answer: data, or a refusal in words. Whatever goes wrong is unknown."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from yarl import URL

from monitor.expect import Document
from monitor.fetch import Exchange, Options, Request
from monitor.model import Failure, Reason, State
from monitor.plain import plain
from monitor.secrets import Secret
from monitor.vendors import Found

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.answer import Answer
    from monitor.probes.base import Resources

PATH = "/api/v1/query"
LONGEST_WORDS = 200
HIDDEN = "…"
REFUSALS: Mapping[int, tuple[Reason, str]] = {
    HTTPStatus.UNAUTHORIZED: (Reason.AUTH, "it does not take who we say that we are"),
    HTTPStatus.FORBIDDEN: (Reason.AUTH, "it does not let us ask this"),
    HTTPStatus.NOT_FOUND: (Reason.PROTOCOL, f"it has no {PATH} there: is that the address of a Prometheus?"),
    HTTPStatus.TOO_MANY_REQUESTS: (Reason.RATE_LIMITED, "it wants fewer questions"),
}
WORDED: Mapping[str, Reason] = {"timeout": Reason.TIMEOUT, "canceled": Reason.TIMEOUT, "unavailable": Reason.STATUS}
"""Types of errors that say more than that the question was no good."""


def request(url: str, query: str, headers: Iterable[tuple[str, Secret]], within: float) -> Request:
    """Return the request that asks `query` of now; `within`: the seconds that Prometheus may think."""
    form = urlencode({"query": query, "timeout": f"{within:.3f}"})
    given = tuple(headers)
    ours = (("Accept", "application/json"), ("Content-Type", "application/x-www-form-urlencoded"))
    named = {name.lower() for name, _ in given}
    own = ((name, Secret(value)) for name, value in ours if name.lower() not in named)
    return Request(URL(f"{url}{PATH}"), "POST", (*given, *own), form.encode())


def exchange(asked: Request, options: Options, resources: Resources) -> Exchange:
    """Return the exchange. A redirect is not followed: the question would arrive as another one."""
    return Exchange(asked, resources.resolver, resources.tls, replace(options, redirects=0))


def read(answer: Answer, resources: Resources) -> Found:
    """Return what a successful answer holds; raises `Failure` (unknown) for any other."""
    if answer.truncated:
        text = f"the answer is longer than {len(answer.body):,} bytes: let the query add series up"
        raise _unknown(Reason.BODY, text)
    document = Document(answer, lambda _: HIDDEN)
    try:
        found = Found(document.find("@"))
        if found["status"].text == "success":
            return found
    except Failure as failure:
        if answer.status == HTTPStatus.OK:
            raise _unknown(Reason.PROTOCOL, f"this is no Prometheus: {failure.detail}") from None
        raise _refusal(answer, "", "") from None
    kind, said = _text(found, "errorType"), _text(found, "error")
    raise _refusal(answer, kind, plain(resources.redact(said), LONGEST_WORDS))


def warnings(found: Found, resources: Resources) -> str:
    """Return what Prometheus warns of, such as series that not all of its stores could give; empty: nothing."""
    listed = found.get("warnings")
    texts = [plain(resources.redact(each.text), LONGEST_WORDS) for each in listed] if listed else []
    return f"Prometheus warns: {texts[0]}" if texts else ""


def _text(found: Found, key: str) -> str:
    value = found.get(key)
    return value.text if value else ""


def _refusal(answer: Answer, kind: str, said: str) -> Failure:
    """Return what an answer means that is no success."""
    default = (Reason.STATUS if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Reason.UNKNOWN, "")
    reason, meaning = REFUSALS.get(answer.status, default)
    words = ": ".join(filter(None, (meaning, kind, said)))
    return _unknown(WORDED.get(kind, reason), words or f"it answers {answer.status}")


def _unknown(reason: Reason, detail: str) -> Failure:
    return Failure(reason, detail, State.UNKNOWN)

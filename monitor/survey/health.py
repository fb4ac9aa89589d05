"""Which addresses tell how a product is, and which merely answer. Pure."""

from __future__ import annotations

import re
from html import unescape
from http import HTTPStatus
from typing import TYPE_CHECKING

from monitor.expect import Document
from monitor.model import Failure
from monitor.survey.facts import facts_of
from monitor.survey.found import Place
from monitor.survey.scalars import clean

if TYPE_CHECKING:
    from yarl import URL

    from monitor.answer import Answer
    from monitor.survey.facts import Facts

PATHS = (
    "/health",
    "/healthz",
    "/api/health",
    "/api/healthz",
    "/api/v1/health",
    "/actuator/health",
    "/healthcheck",
    "/_health",
    "/-/healthy",
    "/ready",
    "/readyz",
    "/health/ready",
    "/live",
    "/livez",
    "/health/live",
    "/up",
    "/status",
    "/api/status",
    "/ping",
)
"""Where frameworks and people put such an address, those that tell most first."""
MISSING = "/there-is-surely-no-such-page"
"""What a catch-all answers like anything else."""
PAGES_FOR_PEOPLE = frozenset({"/status", "/api/status", "/ping", "/live", "/ready"})
"""Where a web page is one that people read."""
MOST = 3
WEB_PAGE = frozenset({"text/html", "application/xhtml+xml"})
LARGEST = 64 * 2**10
"""A health address says little."""
LONGEST_TEXT = 40
WORDS = re.compile(
    r"(?i)(all )?(ok|okay|up|healthy|pong|alive|ready|pass|success)[.!]?|[\w -]{0,20} is (healthy|ready|up)[.!]?"
)
"""The whole body of a health address that is text."""

_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,300})</title>", re.IGNORECASE)


def is_success(answer: Answer) -> bool:
    """Return whether the status is one of success."""
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def tells(answer: Answer, asked: URL, missing: Answer | None) -> bool:
    """Return whether `answer` to `asked` is that of a health address.

    `missing` is what an address says that does not exist; None: that is not known.
    """
    if (
        not is_success(answer)
        or answer.truncated
        or len(answer.body) > LARGEST
        or answer.url.origin() != asked.origin()
    ):
        return False
    if answer.url.path.rstrip("/") != asked.path.rstrip("/"):
        return False
    if answer.media_type in WEB_PAGE and (missing is None or is_success(missing) or asked.path in PAGES_FOR_PEOPLE):
        return False
    return missing is None or not same(answer, asked.path, missing, MISSING)


def same(one: Answer, its_path: str, other: Answer, other_path: str) -> bool:
    """Return whether two answers say the same, but for the paths that they may repeat."""
    if (one.status, one.media_type) != (other.status, other.media_type):
        return False
    if is_success(one) and one.media_type in WEB_PAGE:
        return True  # a single-page application: what differs is a nonce
    mine, theirs = facts(one), facts(other)
    if mine and theirs:
        return mine == theirs
    return one.text.replace(its_path, "") == other.text.replace(other_path, "")


def facts(answer: Answer) -> Facts | None:
    """Return what the JSON of an answer says; None if it holds no object."""
    try:
        document = Document(answer).find("@")
    except Failure:
        return None
    return facts_of(document) if isinstance(document, dict) else None


def place(url: URL, answer: Answer) -> Place:
    """Return what an answer makes of the address `url`."""
    is_page = answer.media_type in WEB_PAGE
    said = "" if is_page or answer.truncated or len(answer.body) > LONGEST_TEXT else answer.text.strip()
    return Place(
        url=url,
        status=answer.status,
        media_type=answer.media_type,
        size=len(answer.body),
        truncated=answer.truncated,
        coding=clean(answer.header("content-encoding") or "", 20),
        title=title(answer) if is_page else "",
        text=said if WORDS.fullmatch(said) else "",
        facts=None if is_page else facts(answer),
    )


def title(answer: Answer) -> str:
    """Return the title of a web page, on one line."""
    found = _TITLE.search(answer.text[:LARGEST])
    return clean(unescape(found[1]), 60) if found else ""

"""Holds an answer against what is expected of it. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import unquote

from monitor.answer import bare
from monitor.expect.excerpt import excerpt, plain
from monitor.expect.status import listed, span, within
from monitor.expect.values import met, said
from monitor.model import Failure, Reason
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from monitor.answer import Answer
    from monitor.expect.document import Document
    from monitor.expect.rules import Expect, Header, OneOrMore, Text

    Found = Iterator[tuple[Reason, str]]

SUCCESS = "2xx"
REDIRECT = "3xx"
REFUSALS = {401: Reason.AUTH, 403: Reason.AUTH, 429: Reason.RATE_LIMITED}
"""Statuses that say more than that they are not the expected one; `remedy_for` can tell them apart."""
LONGEST_NUMBER = 15
"""Digits that a float holds exactly."""


def judge(expect: Expect, document: Document) -> None:
    """Return if the answer that `document` belongs to is as expected.

    Raises the `Failure` of the first expectation that does not hold: what was expected and what came, shortened and
    redacted. They are looked at in the order of `Expect`'s fields, so that a 503 is told as a status and not as a body
    that is not JSON.
    """
    fault = _first_fault(expect, document)
    if fault:
        reason, detail = fault
        addition = _addition(expect, document)
        raise Failure(reason, f"{detail}: {addition}" if addition else detail)


def _first_fault(expect: Expect, document: Document) -> tuple[Reason, str] | None:
    looks = (_status, _duration, _location, _content_type, _headers, _body, _json)
    try:
        return next((fault for look in looks for fault in look(expect, document)), None)
    except Failure as failure:
        return failure.reason, failure.detail


def _status(expect: Expect, document: Document) -> Found:
    got = document.answer.status
    allowed = expect.status if expect.status is not None else REDIRECT if expect.location else SUCCESS
    if not within(got, allowed):
        wanted = " or ".join(map(str, listed(allowed)))
        spans = ((span(status), text) for status, text in expect.explain.items())
        meaning = next((f" ({text})" for (low, high), text in spans if low <= got <= high), "")
        yield REFUSALS.get(got, Reason.STATUS), f"expected status {wanted}, got {got}{meaning}"


def _duration(expect: Expect, document: Document) -> Found:
    took = document.answer.took
    if expect.within and took > expect.within:
        wanted, got = (show_duration(each / timedelta(seconds=1)) for each in (expect.within, took))
        yield Reason.TIMEOUT, f"expected an answer within {wanted}, got it after {got}"


def _location(expect: Expect, document: Document) -> Found:
    def redact(text: str) -> str:
        return document.redact(unquote(text))

    if expect.location:
        for detail in _text(expect.location, _target(document.answer), redact):
            yield Reason.HEADER, f"expected a redirect to an address {detail}"


def _content_type(expect: Expect, document: Document) -> Found:
    got = document.answer.media_type
    if expect.content_type and expect.content_type.lower() != got:
        yield Reason.HEADER, f"expected the content type {expect.content_type}, got {excerpt(got, document.redact)}"


def _headers(expect: Expect, document: Document) -> Found:
    for name, header in expect.headers.items():
        for detail in _header(header, document.answer.header(name), document.redact):
            yield Reason.HEADER, f"expected the header {name} {detail}"


def _body(expect: Expect, document: Document) -> Found:
    if expect.body:
        for detail in _text(expect.body, document.answer.text, document.redact):
            yield Reason.BODY, f"expected a body {detail}"


def _json(expect: Expect, document: Document) -> Found:
    for path, value in expect.json_.items():
        got = document.find(path)
        if not met(value, got):
            yield Reason.BODY, f"expected {path} {said(value)}, got {excerpt(got, document.redact)}"


def _text(text: Text, got: str, redact: Callable[[str], str]) -> Iterator[str]:
    if text.equals is not None and got.strip() != text.equals.strip():
        yield f"equal to {excerpt(text.equals, redact)}, got {excerpt(got, redact)}"
    for part in _each(text.contains):
        if part not in got:
            yield f"with {excerpt(part, redact)} in it, got {excerpt(got, redact)}"
    if text.matches and not text.pattern.search(got):
        yield f"that matches /{plain(text.matches, redact)}/, got {excerpt(got, redact)}"
    for part in _each(text.absent):
        if part in got:
            yield f"without {excerpt(part, redact)}, got one with it"


def _header(header: Header, got: str | None, redact: Callable[[str], str]) -> Iterator[str]:
    if got is None:
        if header.present or header.model_fields_set - {"present", "differs"}:
            yield "to be there, got none"
    elif header.present is False:
        yield f"to be absent, got {excerpt(got, redact)}"
    else:
        yield from _header_value(header, got, redact)
        yield from _directives(header, got, redact)


def _header_value(header: Header, got: str, redact: Callable[[str], str]) -> Iterator[str]:
    if header.equals is not None and not _alike(header.equals, got):
        yield f"to be {excerpt(header.equals, redact)}, got {excerpt(got, redact)}"
    if any(_alike(unwanted, got) for unwanted in _each(header.differs)):
        yield f"to be another one, got {excerpt(got, redact)}"
    for part in _each(header.contains):
        if part.lower() not in got.lower():
            yield f"to contain {excerpt(part, redact)}, got {excerpt(got, redact)}"
    if header.matches and not header.pattern.search(got):
        yield f"to match /{plain(header.matches, redact)}/, got {excerpt(got, redact)}"


def _directives(header: Header, got: str, redact: Callable[[str], str]) -> Iterator[str]:
    pairs = (part.partition("=") for part in got.replace(",", ";").split(";"))
    found = {name.strip().lower(): _number(text.strip(' "')) if sign else True for name, sign, text in pairs}
    for name, value in header.directives.items():
        if not met(value, found.get(name.lower())):
            yield f"with {name} {said(value)}, got {excerpt(got, redact)}"


def _alike(one: str, other: str) -> bool:
    return one.strip().lower() == other.lower()


def _number(text: str) -> str | int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else text


def _each(texts: OneOrMore) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else texts


def _target(answer: Answer) -> str:
    try:
        return bare(answer.location) if answer.location else ""
    except ValueError:
        return answer.header("location") or ""


def _addition(expect: Expect, document: Document) -> str:
    """Return what `show` finds; nothing where there is no JSON, for the failure itself is what must be told."""
    if not expect.show:
        return ""
    try:
        found = document.find(expect.show)
    except Failure:
        return ""
    return "" if found is None else excerpt(found, document.redact).strip('"')

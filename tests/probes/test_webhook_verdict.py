"""What each answer to each event means, by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from monitor.answer import Answer
from monitor.model import Failure, Reason, State
from monitor.probes.base import LONGEST_DETAIL
from monitor.probes.webhook import WebhookCheck
from monitor.probes.webhook.schemes import SCHEMES
from monitor.probes.webhook.verdict import ALIKE, Sent, Terms, judge

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
STRIPE, SHOPIFY = (
    Terms(SCHEMES["stripe"], 400, 5 * MINUTE, str),
    Terms(SCHEMES["shopify"], 401, 5 * MINUTE, str),
)
LONG = b"x" * 500


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    named = tuple((name.lower().replace("_", "-"), value) for name, value in headers.items())
    return Answer(URL("https://shop.example.com/hooks"), status, named, body, truncated=False, took=MINUTE / 600)


def dated(ahead: timedelta, status: int = 400) -> Answer:
    return answer(status, date=format_datetime(NOW + ahead, usegmt=True))


def failure(sent: Sent, got: Answer, terms: Terms = STRIPE) -> tuple[Reason, str]:
    with pytest.raises(Failure) as caught:
        judge(sent, got, NOW, terms)
    assert caught.value.state is State.DOWN
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize(
    ("sent", "status", "terms"),
    [
        (Sent.UNSIGNED, 400, STRIPE),
        (Sent.FORGED, 401, SHOPIFY),
        (Sent.STALE, 400, STRIPE),
        (Sent.CANARY, 200, STRIPE),
        (Sent.CANARY, 204, SHOPIFY),
        (Sent.UNSIGNED, 422, STRIPE._replace(refuses=[401, "420-429"])),
    ],
)
def test_the_right_answer(sent: Sent, status: int, terms: Terms) -> None:
    judge(sent, answer(status, LONG), NOW, terms)


@pytest.mark.parametrize(
    ("sent", "status", "reason", "said"),
    [
        (Sent.UNSIGNED, 404, Reason.MISSING, "got 404 (the route is not registered)"),
        (Sent.UNSIGNED, 405, Reason.MISSING, "got 405 (the route takes no POST)"),
        (Sent.UNSIGNED, 500, Reason.STATUS, "got 500 (it fails instead of refusing)"),
        (Sent.UNSIGNED, 502, Reason.STATUS, "got 502 (the service is down)"),
        (Sent.UNSIGNED, 503, Reason.STATUS, "got 503 (the service is down)"),
        (Sent.UNSIGNED, 504, Reason.STATUS, "got 504 (the service is down)"),
        (Sent.UNSIGNED, 200, Reason.AUTH, "an unsigned event was accepted: anybody can forge events"),
        (Sent.FORGED, 202, Reason.AUTH, "a wrong signature was accepted: anybody can forge events"),
        (Sent.UNSIGNED, 401, Reason.STATUS, "refused, but not as documented"),
        (Sent.FORGED, 422, Reason.STATUS, "refused, but not as documented"),
        (Sent.UNSIGNED, 429, Reason.RATE_LIMITED, "too many requests"),
        (Sent.UNSIGNED, 302, Reason.PROTOCOL, "a redirect: senders follow none"),
        (Sent.CANARY, 404, Reason.MISSING, "the route is not registered"),
        (Sent.CANARY, 500, Reason.STATUS, "expected status 2xx to the signed canary, got 500 (it fails while it proc"),
        (Sent.CANARY, 503, Reason.STATUS, "the service is down"),
        (Sent.CANARY, 400, Reason.HEADER, "its secret differs from ours"),
        (Sent.CANARY, 401, Reason.HEADER, "its secret differs from ours"),
        (Sent.CANARY, 403, Reason.HEADER, "its secret differs from ours"),
        (Sent.CANARY, 422, Reason.STATUS, "the event itself is refused"),
        (Sent.CANARY, 307, Reason.PROTOCOL, "senders follow none, so every delivery is lost"),
        (Sent.STALE, 200, Reason.AUTH, "an old event was accepted: whoever has seen one can send it again"),
        (Sent.STALE, 500, Reason.STATUS, "it fails instead of refusing"),
    ],
)
def test_a_wrong_answer(sent: Sent, status: int, reason: Reason, said: str) -> None:
    """Each of the faults has a reason and a text of its own."""
    found = failure(sent, answer(status))
    assert found[0] is reason
    assert said in found[1]


def test_what_it_expected_is_told() -> None:
    _, detail = failure(Sent.FORGED, answer(200), STRIPE._replace(refuses=[401, 403]))
    assert detail.startswith("expected status 401 or 403 to a wrongly signed event, got 200 (")


def test_where_a_redirect_leads_is_told_without_its_query() -> None:
    _, detail = failure(Sent.UNSIGNED, answer(308, location="https://www.example.com/hooks?token=hunter2"))
    assert "(a redirect to https://www.example.com/hooks: senders follow none" in detail
    _, detail = failure(Sent.UNSIGNED, answer(308, location="https://[broken"))
    assert "(a redirect: senders follow none" in detail


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (timedelta(), "differs from ours; its clock agrees with ours"),
        (ALIKE, "differs from ours; its clock agrees with ours"),
        (MINUTE, "differs from ours; its clock is 1 min ahead of ours"),
        (10 * MINUTE, "(its clock is 10 min ahead of ours, so one of the two is wrong; or its secret differs from"),
        (-10 * MINUTE, "(its clock is 10 min behind ours, so one of the two is wrong; or its secret differs from"),
    ],
)
def test_a_refused_canary_tells_a_clock_from_a_secret(ahead: timedelta, said: str) -> None:
    """By the answer's Date, as far as that can."""
    assert said in failure(Sent.CANARY, dated(ahead))[1]


@pytest.mark.parametrize("date", ["", "yesterday", "Sat, 99 Nov 2026 12:00:00 GMT", "Sat, 21 Nov 9999999 12:00:00 GMT"])
def test_a_date_that_is_none_compares_nothing(date: str) -> None:
    assert "it sends no Date to compare clocks by" in failure(Sent.CANARY, answer(400, date=date))[1]


def test_a_date_of_no_zone_is_utc() -> None:
    """RFC 5322 writes `-0000` for a zone that is not known; HTTP knows none but GMT."""
    assert "its clock agrees" in failure(Sent.CANARY, answer(400, date="Sat, 21 Nov 2026 12:00:00 -0000"))[1]


def test_no_clock_is_blamed_where_no_time_is_signed() -> None:
    _, detail = failure(Sent.CANARY, dated(10 * MINUTE, 401), SHOPIFY)
    assert detail == "expected status 2xx to the signed canary, got 401 (its secret differs from ours)"


def test_an_old_event_that_is_accepted_may_be_a_clocks_fault() -> None:
    assert "send it again; its clock is 10 min behind ours)" in failure(Sent.STALE, dated(-10 * MINUTE, 200))[1]


def test_what_the_receiver_says_is_told() -> None:
    _, detail = failure(Sent.CANARY, answer(400, b'{"error": "Timestamp outside the tolerance zone"}'))
    assert detail.endswith("""): "{"error": "Timestamp outside the tolerance zone"}\"""")


@pytest.mark.parametrize("body", [b"", b" \n", b"<html>Bad Gateway</html>"])
def test_an_error_page_is_no_explanation(body: bytes) -> None:
    _, detail = failure(Sent.UNSIGNED, answer(502, body, content_type="text/html; charset=utf-8"))
    assert detail.endswith("(the service is down)")


@pytest.mark.parametrize("ahead", [timedelta(), 10 * MINUTE, timedelta(days=-400, hours=-3)])
def test_the_longest_text_is_not_cut(ahead: timedelta) -> None:
    """A sample keeps 300 characters, and the last of them are the receiver's own words."""
    got = answer(400, LONG, date=format_datetime(NOW + ahead, usegmt=True))
    assert 200 < len(failure(Sent.CANARY, got)[1]) <= LONGEST_DETAIL


@given(st.sampled_from(Sent), st.integers(100, 999), st.binary(max_size=200), st.text(max_size=30))
def test_every_answer_has_one_meaning(sent: Sent, status: int, body: bytes, header: str) -> None:
    """Whatever comes: right, or a failure with a reason that the kind declares, on one line, hostile text and all."""
    got = answer(status, body, date=header, location=header)
    wanted = range(200, 300) if sent is Sent.CANARY else [400]
    if status in wanted:
        judge(sent, got, NOW, STRIPE)
        return
    reason, detail = failure(sent, got)
    assert reason in WebhookCheck.reasons
    assert detail.startswith("expected status ")
    assert (reason is Reason.AUTH) == (200 <= status < 300)

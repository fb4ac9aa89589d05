from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.channels.base import Delivered, Rejected, Retry, deliver
from monitor.channels.sms import GSM, TWICE, SmsChannel, fitting, text_of
from monitor.message import message_of
from monitor.model import EventKind, Severity
from tests.channels.examples import delivery, notification, page, storm
from tests.channels.twilio import ACCOUNT, Texts, texts
from tests.peers import hangs_up, says, tcp_peer

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator

    from monitor.channels.base import Resources

TOKEN = "t0ken-t0ken"
PHONE, OTHER = "+15005550010", "+15005550011"
FIELDS = {"account_sid": ACCOUNT, "auth_token": TOKEN, "from": "+15005550006", "to": [PHONE], "wait": "24ms"}


@pytest.fixture
async def twilio() -> AsyncIterator[Texts]:
    async with texts(TOKEN) as server:
        yield server


def channel(port: int, **fields: Any) -> SmsChannel:  # noqa: ANN401 - of any field
    return SmsChannel.model_validate({**FIELDS, "url": f"http://127.0.0.1:{port}", **fields})


def septets(text: str) -> int:
    return sum(2 if sign in TWICE else 1 for sign in text)


async def test_a_text_says_what_since_when_why_and_what_to_do(resources: Resources, twilio: Texts) -> None:
    assert await deliver(channel(twilio.port), delivery(), resources) == Delivered()
    assert twilio.got == [
        {
            "To": PHONE,
            "From": "+15005550006",
            "Body": "CRITICAL: CapLiquify: Back end health: down, since 03:12 UTC (45 s). status: expected 200, "
            "got 502. Do: Look at the latest deploy; roll back if it began there. https://example.com/runbook",
        }
    ]


async def test_an_end_is_told(resources: Resources, twilio: Texts) -> None:
    ended = delivery(notification(kind=EventKind.RESOLVED, about=page(remedy=(), links=())))
    assert await deliver(channel(twilio.port), ended, resources) == Delivered()
    assert twilio.got[0]["Body"].startswith("Resolved after 45 s: CapLiquify: Back end health: down, from 03:12")


def test_several_alerts_are_one_text() -> None:
    text = text_of(message_of(storm(60)))
    assert text.startswith("60 CRITICAL in shop. First: CRITICAL: Shop: Page 0: down")
    assert "shop/page1 down, shop/page2 down" in text


def test_a_long_address_is_left_out_rather_than_cut() -> None:
    about = page(links=(("Runbook", "https://example.com/" + "x" * 200),))
    assert "https://" not in text_of(message_of(delivery(notification(about=about))))


@given(st.text(max_size=2_000), st.sampled_from(["", "https://example.com/runbook"]))
def test_a_text_fits_into_four_segments_and_keeps_its_link(text: str, link: str) -> None:
    made = fitting(text, link)
    narrow = all(sign in GSM or sign in TWICE for sign in made)
    assert septets(made) <= 4 * 153 if narrow else len(made.encode("utf-16-le", "surrogatepass")) // 2 <= 4 * 67
    assert made.endswith(link)


def test_our_own_typography_costs_nothing() -> None:
    """One sign beyond GSM's alphabet would leave room for less than half."""
    assert fitting("a – b’s “c” …") == 'a - b\'s "c" ...'
    assert septets(fitting("x" * 10_000)) == 612
    assert len(fitting("ж" * 10_000)) == 268
    assert septets(fitting("€" * 10_000)) in {611, 612}


async def test_each_phone_gets_it_and_an_api_key_or_a_service_will_do(resources: Resources, twilio: Texts) -> None:
    twilio.user, service = "SK" + "1" * 32, "MG" + "2" * 32
    one = channel(twilio.port, api_key=twilio.user, to=[PHONE, OTHER], **{"from": service})
    assert await deliver(one, delivery(), resources) == Delivered()
    assert sorted(form["To"] for form in twilio.got) == [PHONE, OTHER]
    assert all(form["MessagingServiceSid"] == service and "From" not in form for form in twilio.got)


@pytest.mark.parametrize("statuses", [["queued", "sent", "delivered"], ["read"]])
async def test_it_is_asked_for_until_it_is_delivered(statuses: list[str], resources: Resources, twilio: Texts) -> None:
    twilio.statuses = [*statuses]
    assert await deliver(channel(twilio.port), delivery(), resources) == Delivered()
    assert len(twilio.looks) == len(statuses)


@pytest.mark.parametrize(("statuses", "look_status"), [(["sent"], 200), (["delivered"], 503)])
async def test_what_the_network_never_tells_of_is_taken_by_twilio(
    statuses: list[str], look_status: int, resources: Resources, twilio: Texts
) -> None:
    twilio.statuses, twilio.look_status = statuses, look_status
    assert await deliver(channel(twilio.port), delivery(), resources) == Delivered()
    assert len(twilio.looks) == 4


async def test_a_look_that_fails_is_no_failure_of_the_message(resources: Resources) -> None:
    """Whatever happens after the 201: Twilio has it."""
    took = b'{"sid": "SM1"}'
    head = f"HTTP/1.1 201 Created\r\nContent-Length: {len(took)}\r\nConnection: close\r\n\r\n".encode()
    answers = iter([says(head + took, close=True)])

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await next(answers, hangs_up)(reader, writer)

    async with tcp_peer(once) as peer:
        assert await deliver(channel(peer.port), delivery(), resources) == Delivered()
        assert peer.seen >= 5  # aiohttp asks a second time where nothing came back


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        ("undelivered", 30003, Retry),
        ("failed", 30017, Retry),
        ("undelivered", 30007, Rejected),
        ("failed", None, Rejected),
    ],
)
async def test_what_was_not_delivered_is_no_success(
    status: str, code: int | None, kind: type[Retry | Rejected], resources: Resources, twilio: Texts
) -> None:
    """A phone that is off may be on later; a number that is none, or a carrier that filters, stays so."""
    twilio.statuses, twilio.error_code = ["sent", status], code
    one = channel(twilio.port)
    result = await deliver(one, delivery(), resources)
    assert result == kind(f"Twilio took it, but it was not delivered: {status}, error {code}")
    await deliver(one, delivery(), resources)
    assert len(twilio.got) == 2


async def test_a_phone_that_got_it_does_not_get_it_again(resources: Resources, twilio: Texts) -> None:
    """The other one was refused for now."""
    one = channel(twilio.port, to=[PHONE, OTHER])
    twilio.refused[OTHER] = (429, {"code": 20429, "message": "Too many requests", "status": 429})
    result = await deliver(one, delivery(), resources)
    assert isinstance(result, Retry)
    assert result.after == timedelta(seconds=7)
    twilio.refused.clear()
    assert await deliver(one, delivery(), resources) == Delivered()
    assert [form["To"] for form in twilio.got] == [PHONE, OTHER]


async def test_a_deadline_while_asking_sends_nothing_twice(resources: Resources, twilio: Texts) -> None:
    """The repetition asks on."""
    twilio.statuses = ["sent"]
    one = channel(twilio.port, wait="2s")
    assert isinstance(await deliver(one, delivery(), resources, timedelta(seconds=0.1)), Retry)
    twilio.statuses = ["delivered"]
    assert await deliver(one, delivery(), resources) == Delivered()
    assert len(twilio.got) == 1


@pytest.mark.parametrize("body", ["", "[]", "{", '{"sid": 7}', '{"sid": "../x"}', "[" * 60_000])
async def test_a_201_that_says_nothing_usable_is_a_success(body: str, resources: Resources) -> None:
    """Twilio has it; to send it again would ring twice."""
    head = f"HTTP/1.1 201 Created\r\nContent-Length: {len(body)}\r\n\r\n"
    async with tcp_peer(says((head + body).encode())) as peer:
        assert await deliver(channel(peer.port), delivery(), resources) == Delivered()


async def test_a_wrong_token_is_rejected_and_never_shown(resources: Resources, twilio: Texts) -> None:
    twilio.token = "another"
    result = await deliver(channel(twilio.port), delivery(), resources)
    assert isinstance(result, Rejected)
    assert "Authenticate" in result.reason
    assert TOKEN not in result.reason


def test_it_takes_criticals_unless_told_otherwise() -> None:
    assert [str(severity) for severity in Severity if channel(9).takes(severity)] == ["critical"]
    assert channel(9, severity=["warning", "critical"]).takes(Severity.WARNING)


@pytest.mark.parametrize(
    "fields",
    [
        {"to": []},
        {"to": ["015005550010"]},
        {"account_sid": "AC1"},
        {"from": "a sender that is too long"},
        {"wait": "9s"},
        {"severity": []},
        {"url": "http://api.example.com"},
        {"url": "https://user:x@api.example.com"},
        {"url": "https://["},
    ],
)
def test_wrong_fields_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        channel(9, **fields)

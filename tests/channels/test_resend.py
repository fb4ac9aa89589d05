from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from monitor.channels.base import Delivered, Rejected, Retry, deliver
from monitor.channels.mail import mail_of
from monitor.channels.resend import ResendChannel
from monitor.model import EventKind
from tests.channels.examples import delivery, notification, page, storm
from tests.systems.openapi import described

if TYPE_CHECKING:
    from email.message import EmailMessage

    from monitor.channels.base import Resources
    from monitor.model import Delivery
    from tests.channels.peers import Posts

FIELDS = {"api_key": "re_123456789", "from": "alarm@shop.example", "to": ["a@shop.example", "b@shop.example"]}


def channel(port: int) -> ResendChannel:
    return ResendChannel.model_validate({**FIELDS, "url": f"http://127.0.0.1:{port}"})


async def sent(peer: Posts, resources: Resources, one: Delivery) -> Any:  # noqa: ANN401 - JSON
    assert await deliver(channel(peer.port), one, resources) == Delivered()
    return peer.got[-1]


def over_smtp(one: Delivery) -> EmailMessage:
    return mail_of(one, "alarm@shop.example", ["a@shop.example", "b@shop.example"])


@pytest.mark.parametrize("one", [delivery(), storm(3), delivery(notification(kind=EventKind.RESOLVED))])
async def test_the_mail_is_the_one_that_goes_over_smtp(one: Delivery, resources: Resources, web_peer: Posts) -> None:
    mail = await sent(web_peer, resources, one)
    expected = over_smtp(one)
    text, html = (part.get_content().replace("\r\n", "\n") for part in expected.iter_parts())
    assert (mail["text"], mail["html"], mail["subject"]) == (text, html, expected["Subject"])
    assert mail["from"] == "Monitor <alarm@shop.example>"
    assert mail["to"] == ["a@shop.example", "b@shop.example"]
    assert mail["headers"].get("References") == expected["References"]
    assert mail["headers"]["X-Monitor-Severity"] == "critical"


async def test_the_key_is_sent_in_a_header_and_nowhere_else(resources: Resources, web_peer: Posts) -> None:
    mail = await sent(web_peer, resources, delivery())
    assert web_peer.paths == ["/emails"]
    assert web_peer.asked[0]["Authorization"] == "Bearer re_123456789"
    assert "re_123456789" not in str(mail)


async def test_another_body_never_has_the_same_idempotency_key(resources: Resources, web_peer: Posts) -> None:
    """Resend refuses that: `uncertain` may change between an attempt and its repetition, and the text with it."""
    await sent(web_peer, resources, delivery())
    await sent(web_peer, resources, delivery())
    await sent(web_peer, resources, delivery(uncertain=True))
    keys = [headers["Idempotency-Key"] for headers in web_peer.asked]
    assert keys == ["0123456789abcdef", "0123456789abcdef", "0123456789abcdef-uncertain"]
    assert web_peer.got[0] == web_peer.got[1] != web_peer.got[2]


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (409, "concurrent_idempotent_requests", Retry),
        (409, "invalid_idempotent_request", Rejected),
        (403, "invalid_api_key", Rejected),
        (422, "invalid_from_address", Rejected),
        (429, "daily_quota_exceeded", Retry),
        (500, "application_error", Retry),
    ],
)
async def test_what_resend_answers(
    status: int, name: str, kind: type[Retry | Rejected], resources: Resources, web_peer: Posts
) -> None:
    web_peer.status, web_peer.body = status, f'{{"statusCode": {status}, "name": "{name}", "message": "no"}}'
    result = await deliver(channel(web_peer.port), delivery(), resources)
    assert isinstance(result, kind)
    assert name in result.reason


async def test_a_request_is_as_resend_describes_it(resources: Resources, web_peer: Posts) -> None:
    document = described("resend")
    mail = await sent(web_peer, resources, delivery(notification(about=page(title="ж🔥" * 100))))
    schema = document["components"]["schemas"]["SendEmailRequest"]
    found = Draft202012Validator({"components": document["components"], **schema}).iter_errors(mail)
    assert [error.message for error in found] == []
    assert set(mail) <= set(schema["properties"])


def test_the_sender_is_required_and_recipients_are_addresses() -> None:
    wrong: list[dict[str, Any]] = [{"from": "shop"}, {"to": []}, {"to": ["a@b.example"] * 51}, {"api_key": "re 1"}]
    for fields in wrong:
        with pytest.raises(ValueError, match="validation error"):
            ResendChannel.model_validate({**FIELDS, **fields})

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from monitor.channels.base import Delivered, Rejected, Retry, deliver
from monitor.channels.slack import SlackChannel
from monitor.model import EventKind, Severity
from tests.channels.examples import delivery, notification, page, storm
from tests.peers import says, tcp_peer

if TYPE_CHECKING:
    from monitor.channels.base import Resources
    from monitor.model import Delivery
    from tests.channels.peers import Posts


def channel(port: int, **fields: Any) -> SlackChannel:  # noqa: ANN401 - of any field
    return SlackChannel.model_validate({"webhook_url": f"http://127.0.0.1:{port}/services/T0/B0/x"} | fields)


async def posted(peer: Posts, resources: Resources, sent: Delivery, **fields: Any) -> Any:  # noqa: ANN401 - JSON
    assert await deliver(channel(peer.port, **fields), sent, resources) == Delivered()
    return peer.got[-1]


async def test_a_page_says_first_what_is_broken_since_when_and_what_to_do(
    resources: Resources, web_peer: Posts
) -> None:
    payload = await posted(web_peer, resources, delivery())
    header, summary, facts, links, heading, remedy = payload["blocks"]
    assert header["text"]["text"] == "🔴 CRITICAL: CapLiquify: Back end health: down"
    assert summary["text"]["text"] == "since 03:12 UTC (45 s).\nstatus: expected 200, got 502"
    assert [one["text"] for one in facts["fields"]] == [
        *("*Last hour*", "▁▁▂·▅█"),
        *("*At that time*", "CapLiquify: Database: no data"),
        *("*Alert*", "capliquify/backend down, as of 03:12 UTC"),
    ]
    assert links["text"]["text"] == "<https://example.com/runbook|Runbook>"
    assert heading["text"]["text"] == "*What to do*"
    assert remedy["text"]["text"] == (
        "1. Look at the latest deploy; roll back if it began there.\n2. See who holds the connections."
    )
    assert payload["text"].startswith(
        "CRITICAL: CapLiquify: Back end health: down, since 03:12 UTC (45 s). Do: Look at the latest deploy"
    )


@pytest.mark.parametrize(
    ("kind", "severity", "icon"),
    [
        (EventKind.OPENED, Severity.CRITICAL, "🔴"),
        (EventKind.OPENED, Severity.WARNING, "🟠"),
        (EventKind.OPENED, Severity.INFO, "🔵"),
        (EventKind.RESOLVED, Severity.CRITICAL, "🟢"),
    ],
)
async def test_the_icon_tells_how_bad_it_is(
    kind: EventKind, severity: Severity, icon: str, resources: Resources, web_peer: Posts
) -> None:
    payload = await posted(web_peer, resources, delivery(notification(kind=kind, severity=severity)))
    assert payload["blocks"][0]["text"]["text"].startswith(icon)


@pytest.mark.parametrize(
    ("mention", "markup"),
    [
        ("here", "<!here>"),
        ("channel", "<!channel>"),
        ("U012ABCDEF", "<@U012ABCDEF>"),
        ("W012ABCDEF", "<@W012ABCDEF>"),
        ("S012ABCDEF", "<!subteam^S012ABCDEF>"),
    ],
)
async def test_a_critical_calls_whom_the_file_names(
    mention: str, markup: str, resources: Resources, web_peer: Posts
) -> None:
    payload = await posted(web_peer, resources, delivery(), mention=mention)
    assert payload["blocks"][1]["text"] == {"type": "mrkdwn", "text": markup, "verbatim": True}


@pytest.mark.parametrize(
    "quiet",
    [
        notification(kind=EventKind.RESOLVED),
        notification(kind=EventKind.OPENED, severity=Severity.WARNING),
        notification(kind=EventKind.WORSENED, quiet=True),
    ],
)
async def test_what_is_quiet_or_not_critical_calls_nobody(resources: Resources, web_peer: Posts, quiet: Any) -> None:  # noqa: ANN401 - a notification
    payload = await posted(web_peer, resources, delivery(quiet), mention="channel")
    assert "!channel" not in str(payload)


async def test_a_title_that_the_header_cannot_hold_is_said_again_whole(resources: Resources, web_peer: Posts) -> None:
    title = "CapLiquify: " + "very " * 30 + "long"
    payload = await posted(web_peer, resources, delivery(notification(about=page(title=title))))
    assert payload["blocks"][0]["text"]["text"].endswith("…")
    assert title in payload["blocks"][1]["text"]["text"]


async def test_a_collected_message_counts_and_tells_the_worst_first(resources: Resources, web_peer: Posts) -> None:
    warning = notification(1, severity=Severity.WARNING, about=page(title="Shop: Slow", system="shop"))
    ended = notification(2, EventKind.RESOLVED, about=page(title="Shop: Down", system="shop", remedy=()))
    payload = await posted(web_peer, resources, delivery(ended, warning, notification()))
    blocks = payload["blocks"]
    assert blocks[0]["text"]["text"] == "🔴 1 CRITICAL, 1 warning, 1 resolved in capliquify, shop"
    told = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    assert [text[0] for text in told if text[0] in "🔴🟠🟢"] == ["🔴", "🟠", "🟢"]
    assert "What to do\n1. Look at the latest deploy" in told[0]


async def test_a_page_without_remedy_and_links_is_short(resources: Resources, web_peer: Posts) -> None:
    payload = await posted(web_peer, resources, delivery(notification(about=page(remedy=(), links=()))))
    assert [block["type"] for block in payload["blocks"]] == ["header", "section", "section"]


async def test_what_does_not_fit_is_said_not_to_fit(resources: Resources, web_peer: Posts) -> None:
    about = page(remedy=("line of a long remedy\n" * 900,))
    blocks = (await posted(web_peer, resources, delivery(notification(about=about))))["blocks"]
    assert blocks[-1]["text"]["text"] == "… the rest does not fit into one Slack message."
    assert sum("line of a long remedy" in str(block) for block in blocks) >= 3


async def test_a_note_stands_below_the_header(resources: Resources, web_peer: Posts) -> None:
    sent = delivery(notification(fallback_for="email"), uncertain=True)
    blocks = (await posted(web_peer, resources, sent))["blocks"]
    assert blocks[1]["text"]["text"].startswith("Possibly repeated")
    assert "because email did not accept it" in blocks[2]["text"]["text"]


@pytest.mark.parametrize("error", ["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"])
async def test_blocks_that_slack_refuses_are_left_out(error: str, resources: Resources, web_peer: Posts) -> None:
    """A plain page beats none: Slack's limits are partly undocumented, and may change."""
    web_peer.answers = [(400, error)]
    with capture_logs() as logs:
        payload = await posted(web_peer, resources, storm(3), mention="here")
    assert [entry["event"] for entry in logs] == ["slack_refused_blocks"]
    assert "blocks" in web_peer.got[0]
    assert "blocks" not in payload
    assert payload["text"].startswith("<!here> 3 CRITICAL in shop. First: CRITICAL: Shop: Page 0: down")


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, " ok\n", Delivered()),
        (200, '{"ok": true}', Delivered()),
        (200, '{"ok": false, "error": "invalid_auth"}', Rejected("Slack refuses it: invalid_auth")),
        (200, '{"ok": false, "error": "ratelimited"}', Retry),
        (200, '{"ok": false}', Retry),
        (200, "[" * 10_000, Retry),
        (200, "", Retry),
        (200, "<h1>Log in to the guest network</h1>", Retry),
        (400, "invalid_payload", Rejected("answered 400: invalid_payload")),
        (403, "action_prohibited", Rejected("answered 403: action_prohibited")),
        (404, "no_service", Rejected("answered 404: no_service")),
        (410, "channel_is_archived", Rejected("answered 410: channel_is_archived")),
        (429, "", Retry("answered 429", timedelta(seconds=30))),
        (500, "rollup_error", Retry("answered 500: rollup_error", timedelta(seconds=30))),
    ],
)
async def test_an_answer_of_slack_is_understood(
    status: int, body: str, result: object, resources: Resources, web_peer: Posts
) -> None:
    web_peer.status, web_peer.body, web_peer.headers = status, body, {"Retry-After": "30"}
    found = await deliver(channel(web_peer.port), delivery(), resources)
    assert isinstance(found, Retry) if result is Retry else found == result


async def test_half_an_ok_is_not_ok(resources: Resources) -> None:
    async with tcp_peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", close=True)) as peer:
        assert isinstance(await deliver(channel(peer.port), delivery(), resources), Retry)

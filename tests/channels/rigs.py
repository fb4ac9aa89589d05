"""Every kind of channel with the peers it meets, and what must hold of each message that arrives. One line per kind."""

from __future__ import annotations

import json
import re
import unicodedata
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.policy import SMTP
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from monitor.channels.alertmanager import AlertmanagerChannel
from monitor.channels.apprise import AppriseChannel
from monitor.channels.email import EmailChannel
from monitor.channels.pagerduty import PagerDutyChannel
from monitor.channels.pushover import PushoverChannel
from monitor.channels.resend import ResendChannel
from monitor.channels.slack import SlackChannel
from monitor.channels.sms import SmsChannel
from monitor.channels.webhook import WebhookChannel
from monitor.secrets import Secret
from tests.channels import slack_api
from tests.channels.peers import Mails, converses, mails, posts
from tests.channels.twilio import ACCOUNT, texts
from tests.peers import says, silence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractAsyncContextManager
    from email.message import EmailMessage

    from monitor.channels.base import Channel
    from tests.peers import Talk

SECRET = "hunter2hunter2"
BANNER = b"220 mail.example.com ESMTP\r\n"
HELLO = b"250-mail.example.com\r\n250 AUTH PLAIN\r\n"
OK = b"250 ok\r\n"
LOGGED_IN = b"235 welcome\r\n"


@dataclass(frozen=True)
class Rig:
    """One kind: how to make it for a port, a peer that takes its messages, and how peers refuse.

    `arrived` yields what came, one value per message; `check` asserts that one is well-formed and harmless and returns
    every text in it for people. `silent` are the places at which a peer may fall silent. `apart`: each alert is a
    message of its own; `few`: so many at once still are. `brief`: a message has no room for more than the beginning of
    one alert. `dear`: each send takes a process, half a second of the processor, so that the tests send less.
    `patience`: by when a send has begun.
    """

    channel: Callable[[int], Channel]
    peer: Callable[[], AbstractAsyncContextManager[Any]]
    arrived: Callable[[Any], list[Any]]
    identity: Callable[[Any], list[str]]
    check: Callable[[Any], str]
    silent: dict[str, Talk]
    never: Talk
    later: Talk
    asks: timedelta | None = None
    apart: bool = False
    brief: bool = False
    few: int = 1
    dear: bool = False
    patience: timedelta = timedelta(seconds=0.3)


def http(status: str, body: str = "", headers: str = "", *, cut: int = 0) -> bytes:
    """Return an answer that ends `cut` bytes before it says it does."""
    raw = body.encode()
    whole = f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(raw)}\r\n\r\n".encode() + raw
    return whole[: len(whole) - cut]


def never_over_http() -> Talk:
    return says(http("403 Forbidden", f"no entry for {SECRET} at /hook/{SECRET}?key={SECRET}"))


def later_over_http() -> Talk:
    return says(http("429 Too Many Requests", f"slow down, {SECRET}", "Retry-After: 7\r\n"))


def strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield every text in `value`, keys included."""
    match value:
        case str():
            yield value
        case dict():
            for key, one in value.items():
                yield from (key, *strings(one))
        case list():
            for one in value:
                yield from strings(one)
        case _:
            return


def assert_clean(text: str) -> None:
    """Nothing in `text` acts on a terminal, hides, or turns the direction of writing."""
    odd = {sign for sign in text if unicodedata.category(sign) in {"Cc", "Cf", "Cs"}} - {"\n"}
    assert not odd
    assert not re.search("[\u2028\u2029\u3164]", text)


OURS = re.compile(r"\*(?:Value|Figure|Last hour|At that time|Alert|What to do)\*")
LINKS = re.compile(r"(?:<https?://[^\s<>|]+\|[^<>|*_~`]+>(?: · )?)+")


def check_slack(payload: dict[str, Any]) -> str:
    """Hold the limits of Block Kit, and that mrkdwn is only what is ours."""
    assert set(payload) == {"text", "mrkdwn", "unfurl_links", "unfurl_media", "blocks"}
    assert payload["mrkdwn"] is payload["unfurl_links"] is payload["unfurl_media"] is False
    return check_blocks(payload)


def check_conversation(payload: dict[str, Any]) -> str:
    """Hold the same of a message that people can press buttons below."""
    assert set(payload) == {"channel", "text", "blocks", "parse", "mrkdwn", "unfurl_links", "unfurl_media"}
    assert payload["parse"] == "none"
    assert payload["mrkdwn"] is payload["unfurl_links"] is payload["unfurl_media"] is False
    assert not slack_api.wrong(payload["blocks"])
    for block in payload["blocks"]:
        for button in block.get("elements", []):
            assert button["text"]["type"] == "plain_text"
            assert button["text"]["emoji"] is False
    return check_blocks(payload | {"blocks": [block for block in payload["blocks"] if block["type"] != "actions"]})


def check_blocks(payload: dict[str, Any]) -> str:
    """Hold what is shown of a message."""
    assert 0 < len(payload["text"]) <= 40_000
    assert not re.search(r"[<>]|&(?!(?:amp|lt|gt);)|@\w", payload["text"])
    assert 0 < len(payload["blocks"]) <= 50
    assert len(json.dumps(payload["blocks"], ensure_ascii=False).encode()) <= 13_000
    shown = []
    for block in payload["blocks"]:
        assert block["type"] in {"header", "section", "divider"}
        assert block["type"] != "header" or len(block["text"]["text"]) <= 150
        fields = block.get("fields", [])
        assert len(fields) <= 10
        assert all(len(one["text"]) <= 2_000 for one in fields)
        for one in (*fields, *([block["text"]] if "text" in block else [])):
            assert 0 < len(one["text"]) <= 3_000
            if one["type"] == "plain_text":
                assert one["emoji"] is False
            else:
                assert one["type"] == "mrkdwn"
                assert one["verbatim"] is True
                assert OURS.fullmatch(one["text"]) or LINKS.fullmatch(one["text"]), one["text"]
            shown.append(one["text"])
    for text in strings(payload):
        assert_clean(text)
    return "\n".join(shown)


def check_webhook(payload: dict[str, Any]) -> str:
    """Hold the form of Alertmanager's payload."""
    assert set(payload) == {
        *("version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels"),
        *("commonAnnotations", "externalURL", "alerts"),
    }
    for alert in payload["alerts"]:
        assert set(alert) == {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
        assert {"alertname", "system", "check", "severity"} <= set(alert["labels"])
        assert alert["labels"]["severity"] in {"info", "warning", "critical"}
        assert set(alert["annotations"]) <= {
            "summary",
            "description",
            "context",
            "shared",
            "remedy",
            "runbook_url",
            "note",
        }
        assert re.fullmatch(r"|https?://[^\s<>\"|]+", alert["annotations"].get("runbook_url", ""))
    for text in strings(payload):
        assert_clean(text)
    return "\n".join(strings(payload["alerts"]))


class Reader(HTMLParser):
    """Gathers what an HTML page holds: its elements with their attributes, its links, its text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[tuple[str, ...]] = set()
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add((tag, *(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data


HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "Importance"),
    *(
        "X-Auto-Response-Suppress",
        "X-Monitor-Severity",
        "X-Monitor-Status",
        "X-Priority",
        "MIME-Version",
        "Content-Type",
    ),
}
ELEMENTS = {
    *(("html", "lang"), ("head",), ("meta", "charset"), ("meta", "name", "content"), ("title",), ("body", "style")),
    *(("p",), ("strong",), ("em",), ("table", "style"), ("tr",), ("td", "style"), ("h2", "style"), ("h3", "style")),
    *(("ol", "style"), ("ul", "style"), ("li", "style"), ("li",), ("hr",), ("a", "href")),
}


def check_email(mail: EmailMessage) -> str:
    """Hold the headers, the two parts, and the elements of the HTML."""
    assert set(mail.keys()) <= HEADERS
    assert len(mail.keys()) == len(set(mail.keys()))
    for name, value in mail.items():
        assert_clean(f"{name}: {value}")
        assert "\n" not in value
    assert mail["From"] == "Monitor <monitor@localhost>"
    assert mail["To"] == "oncall@example.com"
    text, html = mail.iter_parts()
    assert [text.get_content_type(), html.get_content_type()] == ["text/plain", "text/html"]
    read = text.get_content().replace("\r\n", "\n")
    assert_clean(read)
    assert_clean(html.get_content().replace("\r\n", "\n"))
    assert all(len(line) <= 998 for line in mail.as_bytes(policy=SMTP).splitlines())
    reader = Reader()
    reader.feed(html.get_content())
    assert reader.elements <= ELEMENTS
    assert all(re.fullmatch(r"https?://[^\s<>\"|]+", link) for link in reader.links)
    assert " ".join(mail["Subject"].split()) in reader.text  # Python may fold in a blank before an encoded word
    return f"{read}\n{reader.text}"


def resolves(key: str) -> dict[str, str]:
    """Return the event that goes along with each that tells of a critical."""
    return {"routing_key": SECRET, "event_action": "resolve", "dedup_key": key}


def check_pagerduty(event: dict[str, Any]) -> str:
    """Hold the form and the limits of the Events API v2."""
    assert event["routing_key"] == SECRET
    event = {name: value for name, value in event.items() if name != "routing_key"}
    assert len(json.dumps(event)) < 512_000
    if event.get("event_action") in {"resolve", "acknowledge"}:
        assert set(event) == {"event_action", "dedup_key"}
        return str(event["event_action"])
    assert set(event) - {"event_action", "dedup_key", "client"} == {"payload", "links"}
    payload = event["payload"]
    assert 0 < len(payload["summary"]) <= 1_024
    assert payload["source"]
    assert payload.get("severity") in {"critical", "warning", "info", None}
    assert all(re.fullmatch(r"https?://[^\s<>\"|]+", link["href"]) for link in event["links"])
    for text in strings(event):
        assert_clean(text)
    return "\n".join(strings(event))


def check_resend(mail: dict[str, Any]) -> str:
    """Hold the form of Resend's API; the mail is the one that goes over SMTP."""
    assert set(mail) == {"from", "to", "subject", "text", "html", "headers"}
    assert (mail["from"], mail["to"]) == ("Monitor <monitor@example.com>", ["oncall@example.com"])
    assert 0 < len(mail["subject"]) <= 200
    assert set(mail["headers"]) <= HEADERS - {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version"}
    for text in strings(mail):
        assert_clean(text)
    assert "\n" not in "".join((mail["subject"], *strings(mail["headers"])))
    reader = Reader()
    reader.feed(mail["html"])
    assert reader.elements <= ELEMENTS
    assert all(re.fullmatch(r"https?://[^\s<>\"|]+", link) for link in reader.links)
    return f"{mail['text']}\n{reader.text}"


def check_apprise(payload: dict[str, Any]) -> str:
    """Hold what apprise posts for `json://`, and that nobody is called and no link hides, whatever the service is."""
    assert set(payload) == {"version", "title", "message", "attachments", "type"}
    assert payload["type"] in {"info", "success", "warning", "failure"}
    assert payload["attachments"] == []
    shown = f"{payload['title']}\n{payload['message']}"
    assert_clean(shown)
    assert not re.search(r"[@<][\w!@#&/]|\]\(", shown)
    return shown.replace("\u200a", "")


def check_sms(form: dict[str, str]) -> str:
    """Hold what Twilio takes and what four segments hold."""
    assert set(form) == {"To", "From", "Body"}
    assert 0 < len(form["Body"]) <= 612
    assert_clean(form["Body"])
    return form["Body"]


def check_pushover(form: dict[str, str]) -> str:
    """Hold the limits of Pushover's API."""
    if set(form) == {"token"}:
        return "stopped"
    assert (form["token"], form["user"]) == (SECRET, f"u{SECRET}")
    assert len(form["title"]) <= 250
    assert 0 < len(form["message"]) <= 1_024
    assert len(form.get("url", "")) <= 512
    assert len(form.get("url_title", "")) <= 100
    assert re.fullmatch(r"|https?://[^\s<>\"|]+", form.get("url", ""))
    assert (form["priority"] == "2") == ("retry" in form)
    shown = "\n".join(form.get(name, "") for name in ("title", "message", "url", "url_title"))
    assert_clean(shown)
    return shown


def check_alertmanager(alerts: list[dict[str, Any]]) -> str:
    """Hold what Alertmanager takes: names and values of labels, moments, addresses."""
    for alert in alerts:
        assert set(alert) == {"labels", "annotations", "startsAt", "endsAt"}
        assert alert["labels"]["severity"] in {"info", "warning", "critical"}
        assert all(re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) for name in alert["labels"])
        assert all(alert["labels"].values())
        assert re.fullmatch(r"|https?://[^\s<>\"|]+", alert["annotations"].get("runbook_url", ""))
        assert alert["startsAt"] <= alert["endsAt"]
    for text in strings(alerts):
        assert_clean(text)
    return "\n".join(strings(alerts))


RIGS = {
    "slack": Rig(
        channel=lambda port: SlackChannel.model_validate(
            {"webhook_url": f"http://127.0.0.1:{port}/services/{SECRET}?key={SECRET}"}
        ),
        peer=posts,
        arrived=lambda peer: peer.got,
        identity=lambda _peer: [],
        check=check_slack,
        silent={
            "from the start": silence,
            "within the head": says(b"HTTP/1.1 200 OK\r\nConte"),
            "within the body": says(http("200 OK", "ok", cut=1)),
        },
        never=never_over_http(),
        later=later_over_http(),
        asks=timedelta(seconds=7),
    ),
    "slack conversation": Rig(
        channel=lambda port: SlackChannel.model_validate(
            {
                "token": f"xoxb-{SECRET}",
                "channel": slack_api.ROOM,
                "app_token": f"xapp-{SECRET}",
                "url": f"http://127.0.0.1:{port}/api",
            }
        ),
        peer=slack_api.slack,
        arrived=lambda peer: peer.posts(),
        identity=lambda _peer: [],
        check=check_conversation,
        silent={
            "from the start": silence,
            "within the head": says(b"HTTP/1.1 200 OK\r\nConte"),
            "within the body": says(http("200 OK", '{"ok":true,"channel":"C0MONITOR"', cut=1)),
        },
        never=never_over_http(),
        later=later_over_http(),
        asks=timedelta(seconds=7),
        few=3,
    ),
    "webhook": Rig(
        channel=lambda port: WebhookChannel.model_validate(
            {
                "url": f"http://127.0.0.1:{port}/hook/{SECRET}?key={SECRET}",
                "bearer": SECRET,
                "headers": {"X-Key": SECRET},
            }
        ),
        peer=posts,
        arrived=lambda peer: peer.got,
        identity=lambda peer: [headers["Idempotency-Key"] for headers in peer.asked],
        check=check_webhook,
        silent={
            "from the start": silence,
            "within the head": says(b"HTTP/1.1 200 OK\r\nConte"),
        },
        never=never_over_http(),
        later=later_over_http(),
        asks=timedelta(seconds=7),
    ),
    "email": Rig(
        channel=lambda port: EmailChannel.model_validate(
            {"to": ["oncall@example.com"], "smtp": f"smtp://me:{SECRET}@127.0.0.1:{port}?starttls=never"}
        ),
        peer=lambda: mails(auth_require_tls=False),
        arrived=lambda peer: peer.got,
        identity=lambda peer: [mail["Message-ID"] for mail in peer.got],
        check=check_email,
        silent={
            "before the banner": silence,
            "within the banner": says(b"220-mail.exam"),
            "after the banner": says(BANNER),
            "after the greeting": converses(BANNER, HELLO),
            "after the login": converses(BANNER, HELLO, LOGGED_IN),
            "within the message": converses(BANNER, HELLO, LOGGED_IN, OK, OK, b"354 go\r\n"),
            "after the message": converses(BANNER, HELLO, LOGGED_IN, OK, OK, b"354 go\r\n", b"25"),
            "within an answer": converses(BANNER, b"250-mail.example.com\r\n250-SI"),
        },
        never=converses(BANNER, HELLO, LOGGED_IN, b"550 no entry for " + SECRET.encode() + b"\r\n", OK),
        later=converses(BANNER, HELLO, LOGGED_IN, b"451 greylisted, " + SECRET.encode() + b"\r\n", OK),
    ),
    "pagerduty": Rig(
        channel=lambda port: PagerDutyChannel.model_validate(
            {"routing_key": SECRET, "url": f"http://127.0.0.1:{port}/v2"}
        ),
        peer=posts,
        arrived=lambda peer: [event for event in peer.got if event != resolves("incident0")],
        identity=lambda peer: [event["dedup_key"] for event in peer.got],
        check=check_pagerduty,
        silent={"from the start": silence, "within the head": says(b"HTTP/1.1 202 Accepted\r\nConte")},
        never=never_over_http(),
        later=later_over_http(),
        asks=timedelta(seconds=7),
        apart=True,
    ),
    "resend": Rig(
        channel=lambda port: ResendChannel.model_validate(
            {
                "api_key": SECRET,
                "from": "monitor@example.com",
                "to": ["oncall@example.com"],
                "url": f"http://127.0.0.1:{port}",
            }
        ),
        peer=posts,
        arrived=lambda peer: peer.got,
        identity=lambda peer: [headers["Idempotency-Key"] for headers in peer.asked],
        check=check_resend,
        silent={"from the start": silence, "within the head": says(b"HTTP/1.1 200 OK\r\nConte")},
        never=never_over_http(),
        later=later_over_http(),
        asks=timedelta(seconds=7),
    ),
    "apprise": Rig(
        channel=lambda port: AppriseChannel.model_construct(  # whether apprise understands it takes a process, too
            urls=[Secret(f"json://me:{SECRET}@127.0.0.1:{port}/{SECRET}?+X-Key={SECRET}")]
        ),
        peer=posts,
        arrived=lambda peer: peer.got,
        identity=lambda _peer: [],
        check=check_apprise,
        silent={"from the start": silence, "within the head": says(b"HTTP/1.1 200 OK\r\nConte")},
        never=never_over_http(),
        later=later_over_http(),
        dear=True,
        patience=timedelta(seconds=2),
    ),
    "sms": Rig(
        channel=lambda port: SmsChannel.model_validate(
            {
                "account_sid": ACCOUNT,
                "auth_token": SECRET,
                "from": "+15005550006",
                "to": ["+15005550010"],
                "wait": "0s",
                "url": f"http://127.0.0.1:{port}",
            }
        ),
        peer=lambda: texts(SECRET),
        arrived=lambda peer: peer.got,
        identity=lambda _peer: [],
        check=check_sms,
        silent={"from the start": silence, "within the head": says(b"HTTP/1.1 201 Created\r\nConte")},
        never=never_over_http(),
        later=later_over_http(),
        asks=timedelta(seconds=7),
        brief=True,
    ),
    "pushover": Rig(
        channel=lambda port: PushoverChannel.model_validate(
            {"token": SECRET, "user": f"u{SECRET}", "url": f"http://127.0.0.1:{port}"}
        ),
        peer=posts,
        arrived=lambda peer: [form for form in peer.got if "message" in form],
        identity=lambda _peer: [],
        check=check_pushover,
        silent={"from the start": silence, "within the head": says(b"HTTP/1.1 200 OK\r\nConte")},
        never=never_over_http(),
        later=later_over_http(),
        asks=timedelta(seconds=7),
        brief=True,
    ),
    "alertmanager": Rig(
        channel=lambda port: AlertmanagerChannel.model_validate(
            {"url": f"http://127.0.0.1:{port}/{SECRET}", "bearer": SECRET}
        ),
        peer=posts,
        arrived=lambda peer: peer.got,
        identity=lambda peer: [json.dumps(alert["labels"]) for post in peer.got for alert in post],
        check=check_alertmanager,
        silent={"from the start": silence, "within the head": says(b"HTTP/1.1 200 OK\r\nConte")},
        never=never_over_http(),
        later=later_over_http(),
        asks=timedelta(seconds=7),
    ),
}


@asynccontextmanager
async def standing(rig: Rig) -> AsyncIterator[tuple[Channel, Any]]:
    """Yield a channel of `rig` and the well-behaved peer it sends to."""
    async with rig.peer() as peer:
        if isinstance(peer, Mails):
            peer.password = SECRET
        yield rig.channel(peer.port), peer

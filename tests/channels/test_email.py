from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from monitor.channels.base import Delivered, Rejected, Retry, deliver
from monitor.channels.email import EmailChannel, Server, _default_sender, _own_name, parse_server
from monitor.model import EventKind, Severity
from tests.channels.examples import NOW, delivery, notification, page, storm
from tests.channels.peers import converses, mails
from tests.peers import resets, tcp_peer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.channels.base import Resources, SendResult
    from tests.channels.peers import Mails
    from tests.peers import Authority

BOTH_LOOPS = True
BANNER = b"220 mail.example.com ESMTP\r\n"
HELLO = b"250 mail.example.com\r\n"
OK = b"250 ok\r\n"
GO = b"354 go\r\n"


def channel(port: int, rest: str = "", **fields: Any) -> EmailChannel:  # noqa: ANN401 - of any field
    """Return a channel to a server on the loopback; `rest` ends its address."""
    known = {"to": ["oncall@example.com"], "smtp": f"smtp://127.0.0.1:{port}{rest}"}
    return EmailChannel.model_validate(known | fields)


async def sent_to(*answers: bytes, resources: Resources, within: float = 5) -> SendResult:
    async with tcp_peer(converses(*answers)) as peer:
        result = await deliver(channel(peer.port), delivery(), resources, timedelta(seconds=within))
        await asyncio.wait_for(peer.quiet.wait(), 5)
    return result


async def test_one_subject_and_one_thread_over_the_life_of_an_alert(resources: Resources, mail_peer: Mails) -> None:
    """Mail programs sort by both: what happens to an alert stands together, and its severity stands inside."""
    life = [
        notification(kind=EventKind.OPENED, severity=Severity.WARNING),
        notification(kind=EventKind.WORSENED),
        notification(kind=EventKind.REPEATED),
        notification(kind=EventKind.RESOLVED),
    ]
    for number, one in enumerate(life):
        sent = delivery(one)
        result = await deliver(channel(mail_peer.port), type(sent)(f"id{number}", sent.notifications), resources)
        assert result == Delivered()
    got = mail_peer.got
    assert {mail["Subject"] for mail in got} == {"CapLiquify: Back end health: down"}
    assert {mail["References"] for mail in got} == {mail["In-Reply-To"] for mail in got}
    assert len({mail["References"] for mail in got}) == 1
    assert [mail["Message-ID"] for mail in got] == [f"<id{number}@localhost>" for number in range(4)]
    assert [mail["X-Monitor-Severity"] for mail in got] == ["warning", "critical", "critical", "critical"]
    assert [mail["X-Monitor-Status"] for mail in got] == ["firing"] * 3 + ["resolved"]
    assert [mail["Importance"] for mail in got] == [None, "high", "high", None]
    firsts = [mail.get_body(("plain",)).get_content().splitlines()[0] for mail in got]  # type: ignore[union-attr]
    assert [first.partition(":")[0] for first in firsts] == [
        *("Warning", "Worse, now CRITICAL", "Still critical after 45 s", "Resolved after 45 s")
    ]
    assert all(mail["Auto-Submitted"] == "auto-generated" for mail in got)
    assert got[0]["Date"].datetime == NOW


async def test_a_mail_about_several_alerts_is_in_no_thread(resources: Resources, mail_peer: Mails) -> None:
    assert await deliver(channel(mail_peer.port), storm(3), resources) == Delivered()
    assert mail_peer.got[0]["References"] is None
    assert mail_peer.got[0]["Subject"] == "3 CRITICAL in shop"


async def test_who_sends_and_who_gets_it(resources: Resources, mail_peer: Mails) -> None:
    """A name with letters beyond ASCII is spelt as DNS spells it; such a user needs a server with SMTPUTF8."""
    sent = channel(mail_peer.port, to=["a@example.com", "jürgen@müller.example"], **{"from": "monitor@tést.example"})
    assert await deliver(sent, delivery(), resources) == Delivered()
    assert mail_peer.envelopes[0].mail_from == "monitor@xn--tst-bma.example"
    assert mail_peer.envelopes[0].rcpt_tos == ["a@example.com", "jürgen@xn--mller-kva.example"]
    assert mail_peer.got[0]["From"] == "Monitor <monitor@xn--tst-bma.example>"
    assert mail_peer.got[0]["Message-ID"] == "<0123456789abcdef@xn--tst-bma.example>"


async def test_a_user_beyond_ascii_needs_a_server_that_knows_them(resources: Resources) -> None:
    async with tcp_peer(converses(BANNER, HELLO)) as peer:
        result = await deliver(channel(peer.port, to=["jürgen@example.com"]), delivery(), resources)
    assert isinstance(result, Rejected)
    assert "SMTPUTF8" in result.reason


async def test_some_recipients_are_enough(resources: Resources, mail_peer: Mails) -> None:
    mail_peer.refused = {"gone@example.com": "550 no such user", "later@example.com": "451 greylisted"}
    to = ["gone@example.com", "oncall@example.com", "later@example.com"]
    with capture_logs() as logs:
        assert await deliver(channel(mail_peer.port, to=to), delivery(), resources) == Delivered()
    assert mail_peer.envelopes[0].rcpt_tos == ["oncall@example.com"]
    assert logs == [
        {
            "event": "recipients_refused",
            "log_level": "warning",
            "refused": {"gone@example.com": 550, "later@example.com": 451},
        }
    ]


@pytest.mark.parametrize(
    ("refused", "result"),
    [
        (["550 no such user", "551 not here"], Rejected("no recipient was accepted: 550 no such user")),
        (["550 no such user", "451 greylisted"], Retry("no recipient was accepted: 451 greylisted")),
        (["450 busy", "451 greylisted"], Retry("no recipient was accepted: 450 busy")),
    ],
)
async def test_no_recipient_is_a_refusal_only_if_none_may_work_later(
    refused: Sequence[str], result: SendResult, resources: Resources, mail_peer: Mails
) -> None:
    mail_peer.refused = dict(zip(["a@example.com", "b@example.com"], refused, strict=True))
    assert await deliver(channel(mail_peer.port, to=list(mail_peer.refused)), delivery(), resources) == result


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ("451 greylisted, come back", Retry("the server answered 451 greylisted, come back")),
        ("552 too large", Rejected("the server answered 552 too large")),
    ],
)
async def test_a_server_may_refuse_the_message_itself(
    answer: str, result: SendResult, resources: Resources, mail_peer: Mails
) -> None:
    mail_peer.data_answer = answer
    assert await deliver(channel(mail_peer.port), delivery(), resources) == result


@pytest.mark.parametrize("rest", ["", "?starttls=required"])
async def test_starttls_is_used_where_it_is_offered(rest: str, resources: Resources, authority: Authority) -> None:
    async with mails(starttls=authority.server("127.0.0.1"), require_starttls=True) as server:
        sent = channel(server.port, rest, ca_file=str(authority.path))
        assert await deliver(sent, delivery(), resources) == Delivered()
    assert server.encrypted == [True]


async def test_smtps_is_encrypted_from_the_start(resources: Resources, authority: Authority) -> None:
    async with mails(tls=authority.server("127.0.0.1")) as server:
        sent = channel(0, smtp=f"smtps://127.0.0.1:{server.port}", ca_file=str(authority.path))
        assert await deliver(sent, delivery(), resources) == Delivered()
    assert len(server.got) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_certificate_that_is_not_trusted_is_not_used(
    scheme: str, resources: Resources, authority: Authority
) -> None:
    """Nor does the mail go out in clear instead."""
    context = authority.server("127.0.0.1")
    offered = {"starttls": context} if scheme == "smtp" else {"tls": context}
    async with mails(**offered) as server:
        result = await deliver(channel(0, smtp=f"{scheme}://127.0.0.1:{server.port}"), delivery(), resources)
    assert isinstance(result, Retry)
    assert f"the certificate of 127.0.0.1:{server.port} is not valid" in result.reason
    assert server.got == []


async def test_a_handshake_that_never_ends_costs_one_deadline(resources: Resources) -> None:
    async with tcp_peer(converses(BANNER, b"250-x\r\n250 STARTTLS\r\n", b"220 go\r\n")) as peer:
        result = await deliver(channel(peer.port), delivery(), resources, timedelta(seconds=0.3))
        await asyncio.wait_for(peer.quiet.wait(), 5)
    assert result == Retry("no answer within 0.3 s")


async def test_a_handshake_that_breaks_off_may_be_tried_again(resources: Resources) -> None:
    async with tcp_peer(resets()) as peer:
        result = await deliver(channel(0, smtp=f"smtps://127.0.0.1:{peer.port}"), delivery(), resources)
    assert isinstance(result, Retry)
    assert f"127.0.0.1:{peer.port}" in result.reason


async def test_the_password_opens_the_server(resources: Resources, authority: Authority) -> None:
    async with mails(starttls=authority.server("127.0.0.1"), auth_required=True) as server:
        server.password = "p@ss/wörd"
        smtp = f"smtp://me%40example.com:p%40ss%2Fw%C3%B6rd@127.0.0.1:{server.port}"
        sent = channel(0, smtp=smtp, ca_file=str(authority.path))
        assert await deliver(sent, delivery(), resources) == Delivered()
    assert server.envelopes[0].mail_from == "me@example.com"


async def test_a_wrong_password_is_a_refusal_so_that_the_fallback_takes_over_at_once(resources: Resources) -> None:
    async with mails(auth_require_tls=False) as server:
        server.password = "right-password"
        smtp = f"smtp://me:wrong-password@127.0.0.1:{server.port}?starttls=never"
        result = await deliver(channel(0, smtp=smtp), delivery(), resources)
    assert isinstance(result, Rejected)
    assert result.reason.startswith("the server refuses the user or the password: 535")


async def test_a_password_is_never_sent_in_clear_unless_the_file_says_so(resources: Resources) -> None:
    async with mails(auth_require_tls=False) as server:
        server.password = "password"
        smtp = f"smtp://me:password@127.0.0.1:{server.port}"
        refused = await deliver(channel(0, smtp=smtp), delivery(), resources)
        taken = await deliver(channel(0, smtp=f"{smtp}?starttls=never"), delivery(), resources)
    assert isinstance(refused, Rejected)
    assert "?starttls=never" in refused.reason
    assert taken == Delivered()


async def test_starttls_that_is_required_and_not_offered_is_a_refusal(resources: Resources, mail_peer: Mails) -> None:
    result = await deliver(channel(mail_peer.port, "?starttls=required"), delivery(), resources)
    assert result == Rejected("the server offers no STARTTLS")
    assert mail_peer.got == []


async def test_a_server_without_auth_is_a_refusal(resources: Resources) -> None:
    async with tcp_peer(converses(BANNER, HELLO)) as peer:
        smtp = f"smtp://me:password@127.0.0.1:{peer.port}?starttls=never"
        result = await deliver(channel(0, smtp=smtp), delivery(), resources)
    assert isinstance(result, Rejected)
    assert "AUTH" in result.reason


@pytest.mark.parametrize(
    ("answers", "result"),
    [
        ([b"554 go away\r\n"], Rejected("the server answered 554 go away")),
        ([b"421 busy\r\n"], Retry("the server answered 421 busy")),
        ([BANNER, b"502 what\r\n"], Rejected("the server answered 502 what")),
        ([BANNER, HELLO, b"451 greylisted\r\n", OK], Retry("the server answered 451 greylisted")),
        ([BANNER, HELLO, OK, OK, b"354 go\r\n", b"", b"", b""], Retry("no answer within 0.3 s")),
    ],
)
async def test_an_answer_at_any_step_is_understood(
    answers: Sequence[bytes], result: SendResult, resources: Resources
) -> None:
    assert await sent_to(*answers, resources=resources, within=0.3) == result


async def test_a_server_that_hangs_up_within_the_message_may_be_tried_again(resources: Resources) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await converses(BANNER, HELLO, OK, OK, GO)(reader, writer)
        await reader.readline()
        writer.close()

    async with tcp_peer(talk) as peer:
        result = await deliver(channel(peer.port), delivery(), resources)
    assert result == Retry(f"127.0.0.1:{peer.port} closed the connection")


async def test_what_was_accepted_stays_accepted_whatever_comes_of_quit(resources: Resources) -> None:
    """The mail is theirs with the last 250: a peer that is silent after it must not get the mail twice."""
    heard = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await converses(BANNER, HELLO, OK, OK, GO)(reader, writer)
        while await reader.readline() != b".\r\n":
            pass
        writer.write(OK)
        heard.append(await reader.readline())

    async with tcp_peer(talk) as peer:
        assert await deliver(channel(peer.port), delivery(), resources, timedelta(seconds=1)) == Delivered()
        await asyncio.wait_for(peer.quiet.wait(), 5)
    assert heard == [b"QUIT\r\n"]


async def test_a_line_with_a_dot_ends_nothing(resources: Resources, mail_peer: Mails) -> None:
    about = page(remedy=("first\n.\nMAIL FROM:<evil@example.com>\nlast",))
    assert await deliver(channel(mail_peer.port), delivery(notification(about=about)), resources) == Delivered()
    assert len(mail_peer.got) == 1
    assert "last" in str(mail_peer.got[0].get_body(("plain",)))


@pytest.mark.parametrize(
    ("text", "server"),
    [
        (
            "smtp://mail.example.com",
            Server("mail.example.com", 587, tls=False, starttls="offered", user="", password=""),
        ),
        (
            "smtps://mail.example.com/",
            Server("mail.example.com", 465, tls=True, starttls="offered", user="", password=""),
        ),
        ("smtp://h:25?starttls=never", Server("h", 25, tls=False, starttls="never", user="", password="")),
        (
            "smtp://a%40b:p%3Aw@[::1]:25?starttls=required",
            Server("::1", 25, tls=False, starttls="required", user="a@b", password="p:w"),
        ),
    ],
)
def test_the_address_of_a_server_says_all_there_is_to_say(text: str, server: Server) -> None:
    assert parse_server(text) == server


@pytest.mark.parametrize(
    ("smtp", "sender"),
    [
        ("smtp://me%40example.com:x@h", "me@example.com"),
        ("smtp://apikey:x@mail.example.com", "monitor@mail.example.com"),
        ("smtp://127.0.0.1:1025", "monitor@localhost"),
        ("smtp://[::1]:1025", "monitor@localhost"),
        ("smtp://mailpit:1025", "monitor@mailpit"),
    ],
)
def test_a_sender_is_found_where_none_is_named(smtp: str, sender: str) -> None:
    assert _default_sender(parse_server(smtp)) == sender


class Connected:
    """A connected socket, as far as asking it where it is."""

    def __init__(self, address: str) -> None:
        self._address = address

    def getsockname(self) -> tuple[str, int]:
        return self._address, 1


@pytest.mark.parametrize(
    ("host", "address", "name"),
    [
        ("host.example.com", "192.0.2.1", "host.example.com"),
        ("box", "192.0.2.1", "[192.0.2.1]"),
        ("böx.local", "2001:db8::1", "[IPv6:2001:db8::1]"),
    ],
)
def test_we_call_ourselves_what_a_server_accepts(
    host: str, address: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking DNS for our own name could take longer than the whole send."""
    monkeypatch.setattr("socket.gethostname", lambda: host)
    assert _own_name(Connected(address)) == name  # type: ignore[arg-type]

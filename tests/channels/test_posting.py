from __future__ import annotations

import asyncio
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.channels.base import Rejected, Resources, Retry
from monitor.channels.posting import LARGEST_ANSWER, LONGEST_WAIT, Answer, open_session, post, refusal, retry_after
from monitor.model import Failure, Reason, State
from monitor.network import Resolver, TlsContexts
from monitor.secrets import Redactor
from tests.peers import drips, name_server, says, tcp_peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.channels.peers import Posts
    from tests.peers import Authority


async def hears_and_hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"}")
    writer.close()


DATE = "Sat, 21 Nov 2026 03:12:50 GMT"


async def posted(resources: Resources, port: int, *, read: bool = False) -> Answer:
    return await post(resources, f"http://127.0.0.1:{port}/hook", {"a": "ä"}, {"X-Key": "1"}, read=read)


@pytest.mark.parametrize(
    ("asked", "date", "wait"),
    [
        ("7", "", 7),
        (" 0 ", "", 0),
        ("1.5", "", 1.5),
        ("86400", "", 900),
        ("9" * 5_000, "", 900),
        ("Sat, 21 Nov 2026 03:14:50 GMT", DATE, 120),
        ("Sun, 22 Nov 2026 03:12:50 GMT", DATE, 900),
        ("Sat, 21 Nov 2026 03:12:50 GMT", DATE, 0),
    ],
)
def test_the_wait_that_was_asked_for_is_kept_within_bounds(asked: str, date: str, wait: float) -> None:
    assert retry_after({"Retry-After": asked, "Date": date}) == timedelta(seconds=wait)


@pytest.mark.parametrize(
    ("asked", "date"),
    [
        ("", ""),
        ("soon", ""),
        ("-5", ""),
        ("nan", ""),
        ("inf", ""),
        ("1e3", ""),
        ("Sat, 21 Nov 2026 03:14:50 GMT", ""),
        ("Sat, 21 Nov 2026 03:14:50 GMT", "now"),
        ("Sat, 21 Nov 2026 03:14:50 -0000", DATE),
        ("Sat, 21 Nov 2026 03:11:50 GMT", DATE),
        ("Sat, 99 Nov 2026 03:14:50 GMT", DATE),
    ],
)
def test_a_wait_that_says_nothing_usable_is_none(asked: str, date: str) -> None:
    assert retry_after({"Retry-After": asked, "Date": date}) is None


@given(st.text(), st.text())
def test_no_header_breaks_the_wait(asked: str, date: str) -> None:
    wait = retry_after({"Retry-After": asked, "Date": date})
    assert wait is None or timedelta() <= wait <= LONGEST_WAIT


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_what_passes_may_be_tried_again(status: int) -> None:
    answer = Answer(status, {"Retry-After": "30"}, "busy\x1b[31m\nnow")
    assert refusal(answer) == Retry(f"answered {status}: busy now", timedelta(seconds=30))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 413, 422])
def test_what_will_not_change_is_rejected(status: int) -> None:
    assert refusal(Answer(status, {}, "no_service")) == Rejected(f"answered {status}: no_service")


def test_a_page_for_browsers_is_not_quoted() -> None:
    assert refusal(Answer(404, {"Content-Type": "text/html"}, "<h1>Not found</h1>")) == Rejected("answered 404")


async def test_a_redirect_is_not_followed(resources: Resources, web_peer: Posts) -> None:
    """Whoever may redirect a message could have it sent to a host inside our own network."""
    web_peer.status, web_peer.headers = 307, {"Location": f"http://127.0.0.1:{web_peer.port}/other"}
    answer = await posted(resources, web_peer.port)
    assert refusal(answer) == Rejected("answered 307: ok; redirects are not followed")
    assert len(web_peer.got) == 1


async def test_what_is_posted_is_json_over_a_connection_of_its_own(resources: Resources, web_peer: Posts) -> None:
    for _ in range(2):
        assert (await posted(resources, web_peer.port, read=True)).text == "ok"
    assert web_peer.got == [{"a": "ä"}] * 2
    assert web_peer.asked[0]["X-Key"] == "1"
    assert web_peer.asked[0]["Content-Type"] == "application/json"
    assert web_peer.asked[0]["Accept-Encoding"] == "identity"
    assert "User-Agent" in web_peer.asked[0]


async def test_a_success_is_not_held_up_by_its_body(resources: Resources, late: Callable[[], float]) -> None:
    """The peer has the message: a body that never ends must not make us send it again."""
    async with tcp_peer(says(b"HTTP/1.1 202 Accepted\r\nContent-Length: 1000\r\n\r\nthanks")) as peer:
        began = perf_counter()
        assert (await posted(resources, peer.port)).accepted
        assert perf_counter() - began < 1 + late()
        await asyncio.wait_for(peer.quiet.wait(), 5)


async def test_a_refusal_stands_although_its_body_never_ends(resources: Resources) -> None:
    async with tcp_peer(says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 1000\r\n\r\nno_service")) as peer:
        answer = await posted(resources, peer.port)
    assert not answer.whole
    assert refusal(answer) == Rejected("answered 404: no_service")


async def test_a_body_that_breaks_off_is_not_whole(resources: Resources) -> None:
    async with tcp_peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nok", close=True)) as peer:
        answer = await posted(resources, peer.port, read=True)
    assert (answer.text, answer.whole) == ("ok", False)


async def test_no_more_than_64_kib_of_an_answer_are_read(resources: Resources, web_peer: Posts) -> None:
    web_peer.status, web_peer.body = 400, "x" * 1_000_000
    answer = await posted(resources, web_peer.port)
    assert len(answer.text) == LARGEST_ANSWER
    assert not answer.whole
    assert len(getattr(refusal(answer), "reason", "")) < 300


@pytest.mark.parametrize(
    ("talk", "reason"),
    [
        (hears_and_hangs_up, "the peer closed the connection without an answer"),
        (says(b"220 mail.example.com\r\n", close=True), "no valid answer: "),
        (drips(b"x" * 20_000, every=0), "no valid answer: "),
    ],
)
async def test_no_answer_is_a_failure_that_says_why(
    talk: Callable[..., object], reason: str, resources: Resources
) -> None:
    async with tcp_peer(talk) as peer:  # type: ignore[arg-type]
        with pytest.raises(Failure, match=reason):
            await posted(resources, peer.port)


async def test_a_certificate_that_does_not_fit_is_a_failure(resources: Resources, authority: Authority) -> None:
    async with tcp_peer(says(b""), authority.server("other.example.com")) as peer:
        with pytest.raises(Failure, match=r"certificate of 127\.0\.0\.1 is not valid") as caught:
            await post(resources, f"https://127.0.0.1:{peer.port}/", {}, {})
    assert caught.value.reason is Reason.TLS_INVALID


async def test_a_name_is_resolved_by_our_resolver(tls: TlsContexts, web_peer: Posts) -> None:
    async with name_server() as names:
        names.has("hooks.example.com", "A", bytes([127, 0, 0, 1]))
        resolver = Resolver([names.address])
        async with open_session(resolver, tls) as session:
            resources = Resources(session, resolver, tls, Redactor())
            answer = await post(resources, f"http://hooks.example.com:{web_peer.port}/", {}, {})
            with pytest.raises(Failure, match=r"nowhere\.example\.com") as caught:
                await post(resources, "http://nowhere.example.com/", {}, {})
        await resolver.close()
    assert answer.accepted
    assert (caught.value.reason, caught.value.state) == (Reason.DNS, State.DOWN)
    assert web_peer.asked[0]["Host"] == f"hooks.example.com:{web_peer.port}"

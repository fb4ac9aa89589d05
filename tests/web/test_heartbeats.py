"""Where jobs report in, over real connections: what each address means, and what is answered to whom."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from monitor.metrics import Metrics
from monitor.model import CheckId, Report, Said
from monitor.secrets import Secret
from monitor.web import Door, Heartbeats, Taken, Tokens, Web, taken
from monitor.web import heartbeats as module
from monitor.web.guesses import Allowance
from monitor.web.heartbeats import read_address, read_report
from tests.acceptance.process import program
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = "127.0.0.1"
TOKEN, OTHER = "tökén/of+the=backup", "token-of-another-job"
PLAIN = "0123456789abcdef0123"
BACKUP, PLAINER = CheckId("shop", "backup"), CheckId("shop", "plain")
PLACE = "/api/v1/heartbeats/shop/backup"
START, SUCCESS, FAILURE = Said


@dataclass
class Box:
    """An inbox that keeps what it gets."""

    becomes: Taken = Taken.DURABLE
    got: list[tuple[CheckId, Report]] = field(default_factory=list)
    breaks: bool = False

    def secrets(self, check: CheckId) -> list[Secret]:
        known = {BACKUP: TOKEN, PLAINER: PLAIN, CheckId("shop", "other"): OTHER}
        return [Secret(known[check])] if check in known else []

    async def take(self, check: CheckId, report: Report) -> Taken:
        if self.breaks:
            raise RuntimeError("a bug")
        self.got.append((check, report))
        return self.becomes


class Site:
    """A server with the route of heartbeats, and a client."""

    def __init__(self, allowance: Allowance) -> None:
        self.clock, self.box, self.metrics = FakeClock(), Box(), Metrics()
        door = Door(Tokens(), self.clock, self.metrics.daemon.refused, allowance=allowance)
        routes = Heartbeats(door, self.box).table()
        self.web = Web(door, self.metrics, healthy=list, ready=list, more=routes)

    async def ask(
        self,
        path: str,
        method: str = "POST",
        token: str = TOKEN,
        **options: Any,  # noqa: ANN401 - of aiohttp
    ) -> tuple[int, dict[str, str], str]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"http://{HOST}:{self.web.port}{path}"
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.request(method, url, timeout=aiohttp.ClientTimeout(5), **options) as answer,
        ):
            return answer.status, dict(answer.headers), await answer.text()

    async def raw(self, sent: bytes, *, ends: bool = False) -> bytes:
        """Send bytes, perhaps an end, and return what is answered until the server closes."""
        reader, writer = await asyncio.open_connection(HOST, self.web.port)
        writer.write(sent)
        if ends:
            writer.write_eof()
        async with asyncio.timeout(5):
            answer = await reader.read()
        writer.close()
        return answer


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site(Allowance(each=10_000, together=10_000))
    await site.web.start(HOST, 0)
    yield site
    await site.web.stop()


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD"])
@pytest.mark.parametrize(
    ("rest", "report"),
    [
        ("", Report(SUCCESS)),
        ("/start", Report(START)),
        ("/fail", Report(FAILURE)),
        ("/0", Report(SUCCESS, 0)),
        ("/1", Report(FAILURE, 1)),
        ("/255", Report(FAILURE, 255)),
        ("?rid=run-7", Report(SUCCESS, run="run-7")),
        ("/start?rid=1f-2e%2F3", Report(START, run="1f-2e/3")),
        ("?status=up&msg=OK&ping=", Report(SUCCESS, text="OK")),
        ("?status=down&msg=No%20space", Report(FAILURE, text="No space")),
    ],
)
async def test_an_address_says_how_it_went(site: Site, method: str, rest: str, report: Report) -> None:
    status, headers, body = await site.ask(PLACE + rest, method)
    assert (status, body) == (200, "" if method == "HEAD" else "ok\n")
    assert headers["Cache-Control"] == "no-store"
    assert site.box.got == [(BACKUP, report)]


@pytest.mark.parametrize("rest", ["{}", "/start{}", "{}/start", "/3{}", "{}/3"])
async def test_a_token_may_stand_in_the_address(site: Site, rest: str) -> None:
    """So that a plain curl will do, and a variable can hold all but what is said."""
    path = f"{PLACE}{rest.format('/' + quote(TOKEN, safe=''))}"
    assert (await site.ask(path, "GET", token=""))[0] == 200
    assert (await site.ask(path, "GET", token="a wrong one that is not looked at"))[0] == 200
    assert len(site.box.got) == 2


@pytest.mark.parametrize("rest", ["/wrong-token-of-this-job", "/start/wrong-token-of-this-job", "/x/" + "y" * 5_000])
async def test_a_wrong_token_in_the_address_opens_nothing(site: Site, rest: str) -> None:
    """Not with a right one in the header, either: what an address says is meant."""
    for token in ("", TOKEN):
        assert (await site.ask(PLACE + rest, token=token))[0] == 404
    assert site.box.got == []


def shown(answer: tuple[int, dict[str, str], str]) -> tuple[int, dict[str, str], str]:
    status, headers, body = answer
    return status, {name: value for name, value in headers.items() if name != "Date"}, body


@pytest.mark.parametrize("method", ["POST", "GET", "HEAD"])
@pytest.mark.parametrize("token", ["", "wrong-token-of-this-job", OTHER])
async def test_what_is_not_there_looks_like_a_wrong_token(site: Site, method: str, token: str) -> None:
    """Nobody can find out which heartbeats there are: neither by the answer, nor by what makes no sense."""
    answers = [
        shown(await site.ask(f"/api/v1/heartbeats/{path}", method, token))
        for path in (
            "shop/backup",
            "shop/backup/start",
            "shop/backup/9999",
            "shop/backup?what=1",
            "shop/nothing",
            "shop/nothing/start",
            "nothing/backup",
            "shop",
            "shop/",
            "//",
            "x",
            "shop/backup%00",
            "%ff%fe/%ff",
        )
    ]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 404
    assert answers[0] == shown(await site.ask("/no/such/page", method, token))
    assert site.box.got == []


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("/256", "exit status, 0 to 255"),
        ("/-1", "exit status"),
        ("/3221225786", "exit status"),
        ("/", "exit status"),
        ("/done", "exit status"),
        ("/Start", "exit status"),
        ("/²", "exit status"),
        ("/start/fail", "more than one word"),
        ("/0/", "more than one word"),
        ("?rid=two%20words", "rid is the name"),
        ("?rid=" + "x" * 65, "rid is the name"),
        ("?run=7", "'run' means nothing here"),
        ("?status=pending", "status is up or down"),
        ("/0?status=down", "both say how it went"),
    ],
)
async def test_what_was_not_understood_is_no_success(site: Site, rest: str, said: str) -> None:
    """400 with a sentence, to whoever has the token."""
    status, _, body = await site.ask(PLACE + rest)
    assert status == 400
    assert said in body
    assert site.box.got == []


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        (b"one\n\ntwo: done \n \n", "two: done "),
        (b"no end", "no end"),
        (b"\xff\xfe broken", "\ufffd\ufffd broken"),
        (b"x" * 30_000 + b"\nlast\n", "last"),
        (b"y" * 30_000, "y" * module.KEPT_OF_BODY),
        (b"line\n" * 100_000 + b"last", "last"),
    ],
)
async def test_the_last_line_of_a_body_is_what_it_says(site: Site, body: bytes, text: str) -> None:
    """However long its output is, a job's report is taken."""
    assert (await site.ask(f"{PLACE}/fail", data=body))[0] == 200
    assert site.box.got == [(BACKUP, Report(FAILURE, text=text))]


async def test_a_body_says_more_than_a_query(site: Site) -> None:
    await site.ask(f"{PLACE}/fail?msg=short", data=b"long")
    assert site.box.got[0][1].text == "long"


async def test_a_body_without_end_is_read_no_further_than_needed(site: Site) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"z" * 100_000

    try:
        status, _, _ = await site.ask(PLACE, data=endless())
    except aiohttp.ClientError:
        status = 200  # it was answered, and cut, while still being sent
    assert status == 200
    assert [len(report.text) for _, report in site.box.got] == [module.KEPT_OF_BODY]


HEAD = f"POST {PLACE}/{quote(TOKEN, safe='')} HTTP/1.1\r\nHost: x\r\n".encode()


@pytest.mark.parametrize(
    "sent",
    [
        HEAD + b"Content-Length: 99\r\n\r\nhalf",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nha",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nrubbish\r\n",
        HEAD + b"Content-Encoding: deflate\r\nContent-Length: 7\r\n\r\nrubbish",
    ],
    ids=["half", "half a chunk", "no chunk", "not compressed"],
)
async def test_half_a_report_is_none(site: Site, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A job that was cut off says nothing; it is no error of ours, and nothing of it is logged."""
    answer = await site.raw(sent, ends=True)
    assert not answer or answer.split()[1] == b"400"
    assert site.box.got == []
    assert not caplog.records
    assert (await site.ask(PLACE))[0] == 200


async def test_a_body_that_drips_ends_in_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BODY_PATIENCE", timedelta(milliseconds=50))
    reader, writer = await asyncio.open_connection(HOST, site.web.port)
    writer.write(HEAD + b"Content-Length: 99\r\n\r\nhalf")
    async with asyncio.timeout(5):
        assert (await reader.readline()).split()[1] == b"400"
    writer.close()
    assert site.box.got == []


@pytest.mark.parametrize(
    ("becomes", "status", "later"),
    [(Taken.DURABLE, 200, None), (Taken.IN_MEMORY, 202, "5"), (Taken.ELSEWHERE, 503, "5")],
)
async def test_the_answer_says_what_became_of_it(site: Site, becomes: Taken, status: int, later: str | None) -> None:
    """Only what is durable is 200; a client that is told 503 comes again."""
    site.box.becomes = becomes
    answer = await site.ask(PLACE)
    assert (answer[0], answer[1].get("Retry-After")) == (status, later)


@pytest.mark.parametrize(
    "authorization",
    [
        f"Bearer {PLAIN}",
        "Basic " + base64.b64encode(f"anybody:{PLAIN}".encode()).decode(),
    ],
)
async def test_a_token_comes_in_a_header(site: Site, authorization: str) -> None:
    path = "/api/v1/heartbeats/shop/plain"
    assert (await site.ask(path, token="", headers={"Authorization": authorization}))[0] == 200
    assert site.box.got == [(PLAINER, Report(SUCCESS))]


async def test_two_headers_are_as_wrong_as_none(site: Site) -> None:
    right = f"Authorization: Bearer {PLAIN}\r\n"
    asked = f"GET /api/v1/heartbeats/shop/plain HTTP/1.1\r\nHost: x\r\n{right}{right}Connection: close\r\n\r\n"
    assert (await site.raw(asked.encode())).split()[1] in {b"404", b"400"}
    assert site.box.got == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_other_methods_say_nothing(site: Site, method: str) -> None:
    assert (await site.ask(PLACE, method))[0] == 405
    assert site.box.got == []


async def test_too_many_wrong_tokens_close_the_door_for_a_while() -> None:
    """Also for a right one, and for the metrics: it is one door. Whoever brings none is not counted."""
    site = Site(Allowance(each=3, together=5))
    await site.web.start(HOST, 0)
    for _ in range(5):
        assert (await site.ask(PLACE, token=""))[0] == 404
    for path in (PLACE, "/api/v1/heartbeats/shop/nothing", f"{PLACE}/wrong-token-in-the-address"):
        assert (await site.ask(path, token="wrong-token-of-this-job"))[0] == 404
    for token in (TOKEN, "wrong-token-of-this-job"):
        status, headers, _ = await site.ask(PLACE, token=token)
        assert (status, headers["Retry-After"]) == (429, "60")
    await site.clock.advance(timedelta(minutes=1))
    assert (await site.ask(PLACE))[0] == 200
    await site.web.stop()


async def test_a_bug_is_logged_without_the_address(site: Site) -> None:
    """It may hold a token."""
    site.box.breaks = True
    with capture_logs() as logs:
        assert (await site.ask("/api/v1/heartbeats/shop/plain/" + PLAIN, token=""))[0] == 500
    assert [(line["event"], line["path"]) for line in logs] == [("request_failed", "/api/v1/heartbeats/{rest}")]


async def test_curl_takes_it_for_what_it_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/heartbeats.md has it: it comes again while another instance leads, and fails on a wrong token."""
    monkeypatch.setattr(taken, "RETRY_AFTER", timedelta(seconds=1))
    url = f"http://{HOST}:{site.web.port}/api/v1/heartbeats/shop/plain"
    site.box.becomes = Taken.ELSEWHERE
    quick = (program("curl", "curl"), "-fsS", "-m", "10", "--retry", "5")
    asking = await asyncio.create_subprocess_exec(*quick, f"{url}/{PLAIN}/3", stdout=asyncio.subprocess.PIPE)
    while not site.box.got:  # noqa: ASYNC110 - a request of another process is no event here
        await asyncio.sleep(0.02)
    site.box.becomes = Taken.DURABLE
    assert (await asking.communicate())[0] == b"ok\n"
    assert {report for _, report in site.box.got} == {Report(FAILURE, 3)}
    wrong = await asyncio.create_subprocess_exec(*quick, f"{url}/0/x{PLAIN}", stderr=asyncio.subprocess.DEVNULL)
    assert await wrong.wait() == 22


@given(st.text(max_size=80))
def test_no_address_is_an_error(text: str) -> None:
    address = read_address(quote(text, safe="/%"))
    try:
        report = read_report(address.words, {})
    except ValueError:
        return
    assert report.said is not SUCCESS or address.words in {(), ("0",)} or int(address.words[0]) == 0

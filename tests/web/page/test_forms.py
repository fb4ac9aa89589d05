"""Forms: who may send one, from where, and what he is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.faults import ConfigError, unknown
from monitor.store import StoreUnavailable
from monitor.web.body import MOST_OF_BODY
from tests.web.page.site import FORM, TOKEN, Site

if TYPE_CHECKING:
    from collections.abc import Callable

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "127.0.0.1"},
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "none"},
    {"Sec_Fetch_Site": ""},
]


async def test_a_form_of_ours_is_taken_in_the_name_that_was_given(closed: Site) -> None:
    """And what it led to is said once, escaped, on the next page."""
    await closed.log_in(TOKEN, who="anna")
    word = (await closed.ask("/deed")).word
    answer = await closed.send("/deed", {"form": word, "why": "on it", "to": "/systems/tatame"})
    assert (answer.status, answer.place) == (303, "/systems/tatame")
    assert closed.done == [("anna", {"why": "on it", "to": "/systems/tatame"})]
    said = answer.set_cookie("monitor-said")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=60"} <= {part.strip() for part in said.split(";")}
    page = await closed.ask(answer.place)
    assert '<p class="said" role="status">It is &lt;done&gt;.</p>' in page.text
    assert "It is" not in (await closed.ask(answer.place)).text


async def test_who_gave_no_name_is_the_page(closed: Site) -> None:
    await closed.log_in(TOKEN)
    await closed.send("/deed", {"form": (await closed.ask("/deed")).word})
    assert closed.done == [("page", {})]


async def test_who_is_not_logged_in_can_do_nothing(closed: Site) -> None:
    """He is led to the login, before anything is read."""
    await closed.log_in(TOKEN)
    word = (await closed.ask("/deed")).word
    closed.cookies.clear()
    answer = await closed.send("/deed", {"form": word})
    assert (answer.status, answer.place, closed.done) == (303, "/login", [])


@pytest.mark.parametrize("headers", FOREIGN)
async def test_another_site_can_do_nothing_in_a_browser_that_is_logged_in(
    closed: Site, headers: dict[str, str]
) -> None:
    """Even if it knew what the form must bring."""
    await closed.log_in(TOKEN)
    word = (await closed.ask("/deed")).word
    answer = await closed.send("/deed", {"form": word}, **headers)
    assert (answer.status, closed.done) == (403, [])
    assert "Only a form of this page itself is taken." in answer.text


@pytest.mark.parametrize(
    "change", [lambda word: word[:0], lambda word: word[:-1], lambda word: f"x{word}", str.swapcase]
)
async def test_a_form_must_bring_its_word(closed: Site, change: Callable[[str], str]) -> None:
    await closed.log_in(TOKEN)
    word = (await closed.ask("/deed")).word
    answer = await closed.send("/deed", {"form": change(word)})
    assert (answer.status, closed.done) == (403, [])
    assert "This form is too old." in answer.text


async def test_the_word_of_one_login_is_none_of_another(closed: Site) -> None:
    await closed.log_in(TOKEN)
    word = (await closed.ask("/deed")).word
    await closed.log_in(TOKEN)
    assert (await closed.send("/deed", {"form": word})).status == 403
    assert closed.done == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"form": "x"}'),
        ("multipart/form-data; boundary=x", b"--x--"),
        (FORM, b"\xff=1"),
        (FORM, b"a=%ff"),
        (FORM, b"&".join(b"a%d=1" % n for n in range(100))),
        (FORM, b"a=" + b"x" * MOST_OF_BODY),
    ],
)
async def test_what_is_no_form_is_refused_in_a_sentence(closed: Site, kind: str, body: bytes) -> None:
    await closed.log_in(TOKEN)
    answer = await closed.ask("/deed", "POST", body, Origin=closed.base, Content_Type=kind)
    assert (answer.status, closed.done) == (400, [])


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (ConfigError([unknown("shp", ["shop"])]), 404, "did you mean shop"),
        (ValueError("for or until must say when the silence ends"), 400, "must say when the silence ends"),
        (StoreUnavailable("postgres at 10.0.0.1: away"), 503, "The store cannot be reached at the moment."),
    ],
)
async def test_what_cannot_be_done_is_said_on_a_page(closed: Site, fault: Exception, status: int, words: str) -> None:
    """Without what only the log may know."""
    await closed.log_in(TOKEN)
    closed.fault = fault
    answer = await closed.send("/deed", {"form": (await closed.ask("/deed")).word})
    assert answer.status == status
    assert words in answer.words
    assert "10.0.0.1" not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503)


async def test_without_a_token_the_page_just_works(free: Site) -> None:
    """As `make run` starts it: everything is shown, and our own forms are taken."""
    page = await free.ask("/")
    assert page.status == 200
    assert "Log out" not in page.text
    answer = await free.send("/deed", {"form": (await free.ask("/deed")).word})
    assert (answer.status, free.done) == (303, [("page", {})])


@pytest.mark.parametrize("headers", FOREIGN)
async def test_without_a_token_another_site_can_do_nothing(free: Site, headers: dict[str, str]) -> None:
    answer = await free.send("/deed", {"form": (await free.ask("/deed")).word}, **headers)
    assert (answer.status, free.done) == (403, [])


@pytest.mark.parametrize(
    "name", ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-IP"]
)
async def test_without_a_token_nobody_acts_through_a_proxy(free: Site, name: str) -> None:
    """Somebody has made this machine's own page public: that is no reason to let the public act."""
    headers = {name.replace("-", "_"): "x"}
    assert (await free.ask("/", "GET", None, **headers)).status == 200
    answer = await free.send("/deed", {"form": (await free.ask("/deed")).word}, **headers)
    assert (answer.status, free.done) == (403, [])
    assert "Nobody may act through a proxy before MONITOR_TOKEN is set." in answer.text


NAMES = [
    "evil.example:{}",
    "127.0.0.1.evil.example",
    "localhost.evil.example:{}",
    "10.0.0.1:{}",
    "0.0.0.0:{}",
    "[",
    "x",
]
OURS = ["localhost:{}", "127.0.0.1:{}", "LOCALHOST", "127.8.8.8:{}", "[::1]:{}", "monitor.localhost:{}"]


@pytest.mark.parametrize("name", NAMES)
async def test_without_a_token_a_foreign_name_shows_nothing(free: Site, name: str) -> None:
    """A name of somebody else's may lead to 127.0.0.1: his page must neither read ours nor act by it."""
    host = name.format(free.web.port)
    answer = await free.ask("/", Host=host)
    assert answer.status == 403
    assert "CapLiquify" not in answer.text
    word = (await free.ask("/deed")).word
    for headers in ({"Origin": f"http://{host}"}, {"Sec_Fetch_Site": "same-origin"}):
        assert (await free.send("/deed", {"form": word}, Host=host, **headers)).status == 403
    assert free.done == []


@pytest.mark.parametrize("name", OURS)
async def test_without_a_token_every_name_of_this_machine_works(free: Site, name: str) -> None:
    host = name.format(free.web.port)
    assert (await free.ask("/", Host=host)).status == 200
    word = (await free.ask("/deed")).word
    assert (await free.send("/deed", {"form": word}, Host=host, Origin=f"http://{host}")).status == 303


async def test_with_a_token_any_name_will_do(closed: Site) -> None:
    """A page of another name has no cookie of ours."""
    assert (await closed.ask("/login", Host="evil.example")).status == 200
    await closed.log_in(TOKEN)
    assert (await closed.ask("/", Host="monitor.example.com")).status == 200

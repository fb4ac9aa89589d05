"""Logging in with the token: who gets in, what the cookie is like, how long it holds, and where one is led."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest

from monitor.secrets import Secret
from monitor.web.page.session import COOKIE, IDLE, LONGEST, SECURE
from tests.web.page.site import HOST, TOKEN, Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGES = ["/", "/?only=trouble", "/systems/capliquify", "/systems/none", "/deed"]
MINUTES_40 = timedelta(minutes=40)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_who_is_not_logged_in_is_led_to_the_login(closed: Site, path: str, method: str) -> None:
    """And from there back to where he wanted to go; nothing of the page is shown before."""
    answer = await closed.ask(path, method)
    assert (answer.status, answer.place) == (303, f"/login?next={quote(path, safe='')}")
    assert answer.text == ""
    form = await closed.ask(answer.place)
    assert form.status == 200
    assert f'name="next" value="{path.replace("&", "&amp;")}"' in form.text
    assert (await closed.log_in(TOKEN, path)).place == path
    assert (await closed.ask(path)).status == (404 if path.endswith("none") else 200)


async def test_the_token_opens_the_pages_and_is_not_in_the_cookie(closed: Site) -> None:
    """The cookie is for us alone, not for scripts, and not for other sites' forms."""
    answer = await closed.log_in(TOKEN, who="anna")
    assert answer.status == 303
    assert answer.headers["Cache-Control"] == "no-store"
    cookie = answer.set_cookie(COOKIE)
    assert {part.strip() for part in cookie.split(";")[1:]} == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Lax"}
    assert TOKEN.encode() not in cookie.encode()
    page = await closed.ask("/")
    assert page.status == 200
    assert "Logged in as anna" in page.text


@pytest.mark.parametrize(
    ("on_render", "headers"), [(False, {"Origin": "https://{}"}), (True, {"X_Forwarded_Proto": "https"})]
)
async def test_over_https_the_cookie_is_for_https_and_this_host_alone(on_render: bool, headers: dict[str, str]) -> None:
    """The browser says how it asked, whatever stands in between; Render's proxy says so too."""
    site = Site(Secret(TOKEN), on_render=on_render)
    await site.web.start(HOST, 0)
    own = {name: value.format(f"{HOST}:{site.web.port}") for name, value in headers.items()}
    answer = await site.send("/login", {"token": TOKEN}, **own)
    flags = {part.strip() for part in answer.set_cookie(SECURE).split(";")[1:]}
    assert flags == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Lax", "Secure"}
    assert (await site.ask("/")).status == 200
    await site.clock.advance(MINUTES_40)
    assert "Secure" in (await site.ask("/")).set_cookie(SECURE)
    await site.web.stop()


async def test_others_cannot_say_that_it_is_https(closed: Site) -> None:
    """Only on Render nobody but its proxy can write that header; a cookie that is dropped would help nobody."""
    assert (await closed.send("/login", {"token": TOKEN}, X_Forwarded_Proto="https")).set_cookie(COOKIE)


@pytest.mark.parametrize("wrong", ["", "wrong", TOKEN[:-1], f"{TOKEN} ", TOKEN.upper(), "\udcff", "x" * 5_000])
async def test_a_wrong_token_opens_nothing(closed: Site, wrong: str) -> None:
    """It says so, keeps what else was typed, and never shows what was typed as a token."""
    fields = {"token": wrong.encode(errors="replace").decode(), "who": "anna <3", "next": "/systems/tatame"}
    answer = await closed.send("/login", fields)
    assert answer.status == 403
    assert "That is not the token." in answer.text
    assert 'value="anna &lt;3"' in answer.text
    assert 'value="/systems/tatame"' in answer.text
    assert not wrong or wrong == "wrong" or fields["token"] not in answer.text
    assert closed.cookies == {}


async def test_guessing_is_limited_as_everywhere(closed: Site) -> None:
    """After three wrong ones none is looked at for a minute, the right one neither."""
    for _ in range(3):
        assert (await closed.log_in("wrong")).status == 403
    answer = await closed.log_in(TOKEN)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
    assert "None is looked at for 60 s." in answer.text
    await closed.clock.advance(timedelta(minutes=1))
    assert (await closed.log_in(TOKEN)).status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "{}"},
        {"Origin": "{}.evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
    ],
)
async def test_another_site_cannot_log_anybody_in(closed: Site, headers: dict[str, str]) -> None:
    answer = await closed.send("/login", {"token": TOKEN}, **{k: v.format(f"{HOST}:1") for k, v in headers.items()})
    assert (answer.status, closed.cookies) == (403, {})


async def test_a_proxy_may_change_the_host_where_the_browser_says_who_sent_it(closed: Site) -> None:
    """`Sec-Fetch-Site` is sent over https and says all that is needed."""
    headers = {"Origin": "https://monitor.example.com", "Sec_Fetch_Site": "same-origin"}
    assert (await closed.send("/login", {"token": TOKEN}, **headers)).set_cookie(SECURE)


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "evil.example",
    "",
    "?",
    "/ ",
    "/\x00",
    "/ö",
    "/a\r\nSet-Cookie: x=1",
    "/%09/x\\..",
]


@pytest.mark.parametrize("place", ELSEWHERE)
async def test_nobody_is_led_elsewhere(closed: Site, place: str) -> None:
    """From the login, from its address, from a form."""
    form = await closed.ask(f"/login?next={quote(place)}")
    assert 'name="next" value="/"' in form.text
    assert (await closed.log_in(TOKEN, place)).place == "/"
    assert (await closed.ask(f"/login?next={quote(place)}")).place == "/"
    word = (await closed.ask("/deed")).word
    assert (await closed.send("/deed", {"form": word, "to": place})).place == "/"


@pytest.mark.parametrize("place", ["/", "/systems/a%20b?only=trouble#x", "/a//b", "/@evil.example", "/:1"])
async def test_places_of_our_own_are_kept(closed: Site, place: str) -> None:
    assert (await closed.log_in(TOKEN, place)).place == place
    assert urlsplit(place).netloc == ""


async def test_the_cookie_lasts_as_long_as_somebody_looks(closed: Site) -> None:
    """Twelve hours after the last look it is over; it is renewed every half hour at most."""
    await closed.log_in(TOKEN)
    first = dict(closed.cookies)
    await closed.clock.advance(timedelta(minutes=29))
    assert not (await closed.ask("/")).set_cookie(COOKIE)
    await closed.clock.advance(timedelta(minutes=1))
    assert (await closed.ask("/")).set_cookie(COOKIE)
    assert closed.cookies != first
    await closed.clock.advance(IDLE - timedelta(seconds=1))
    assert (await closed.ask("/systems/tatame")).status == 200
    await closed.clock.advance(IDLE)
    assert (await closed.ask("/")).place.startswith("/login")


async def test_a_login_ends_after_thirty_days(closed: Site) -> None:
    """However often the page is looked at."""
    await closed.log_in(TOKEN)
    looks = 0
    while (answer := await closed.ask("/systems/tatame")).status == 200:
        looks += 1
        closed.clock.skip(timedelta(hours=11))
    assert answer.place.startswith("/login")
    assert looks == LONGEST // timedelta(hours=11) + 1


async def test_logging_out_takes_the_cookie(closed: Site) -> None:
    """Both names of it, with what a browser needs to find them."""
    await closed.log_in(TOKEN)
    word = (await closed.ask("/")).word
    answer = await closed.send("/logout", {"form": word})
    assert answer.place == "/login"
    assert all(
        "Max-Age=0" in answer.set_cookie(name) and "Path=/" in answer.set_cookie(name) for name in (COOKIE, SECURE)
    )
    assert "Secure" in answer.set_cookie(SECURE)
    assert closed.cookies == {}
    assert (await closed.ask("/")).place.startswith("/login")


async def test_a_cookie_opens_pages_and_nothing_else(closed: Site) -> None:
    """Programs bring the token itself: so no form of another site can ever reach the API with somebody's login."""
    await closed.log_in(TOKEN)
    assert (await closed.ask("/")).status == 200
    assert (await closed.ask("/metrics")).status == 401


@pytest.mark.parametrize("other", ["another token", ""])
async def test_another_token_voids_every_cookie(closed: Site, other: str) -> None:
    """And so does taking the token away: then a cookie means nothing, and nobody needs one."""
    await closed.log_in(TOKEN)
    later = Site(Secret(other) if other else None, cookies=dict(closed.cookies))
    await later.web.start(HOST, 0)
    answer = await later.ask("/")
    assert answer.place.startswith("/login") if other else answer.status == 200
    assert "Logged in" not in answer.text
    await later.web.stop()


async def test_a_cookie_holds_on_every_instance_and_over_a_restart(closed: Site) -> None:
    """Its key follows from the token."""
    await closed.log_in(TOKEN)
    other = Site(Secret(TOKEN), cookies=dict(closed.cookies))
    await other.web.start(HOST, 0)
    assert (await other.ask("/")).status == 200
    await other.web.stop()


async def test_a_cookie_of_another_kind_is_no_login(closed: Site) -> None:
    """What carries a sentence to the next page is sealed with the same key, and opens nothing."""
    await closed.log_in(TOKEN)
    word = (await closed.ask("/deed")).word
    await closed.send("/deed", {"form": word})
    closed.cookies = {COOKIE: closed.cookies["monitor-said"]}
    assert (await closed.ask("/")).place.startswith("/login")


async def test_the_login_shows_the_way_to_what_is_public(closed: Site) -> None:
    assert 'href="/public"' in (await closed.ask("/login")).text
    closed.stage.hide()
    assert 'href="/public"' not in (await closed.ask("/login")).text


async def test_who_is_logged_in_already_is_led_on(closed: Site, free: Site) -> None:
    await closed.log_in(TOKEN)
    assert (await closed.ask("/login?next=/systems/tatame")).place == "/systems/tatame"
    assert (await free.ask("/login")).place == "/"


@pytest.fixture
async def shut() -> AsyncIterator[Site]:
    """Serve with a token for scrapes alone."""
    site = Site(scrape=Secret("scrape"))
    await site.web.start(HOST, 0)
    yield site
    await site.web.stop()


async def test_with_a_token_for_scrapes_alone_nobody_gets_in(shut: Site) -> None:
    """Somebody who closed the metrics wants no page that shows the same."""
    assert (await shut.ask("/")).place.startswith("/login")
    assert "Nobody can log in" in (await shut.ask("/login")).words
    assert (await shut.log_in("scrape")).status == 403
    assert (await shut.log_in("")).status == 403


async def test_a_form_that_is_none_logs_nobody_in(closed: Site) -> None:
    """Too long, of another type, or not to be read: a sentence, and the form once more."""
    answer = await closed.ask("/login", "POST", b"{}", Origin=closed.base, Content_Type="application/json")
    assert (answer.status, "a form is sent as" in answer.text) == (400, True)
    assert (await closed.log_in(TOKEN + "x" * 20_000)).status == 400

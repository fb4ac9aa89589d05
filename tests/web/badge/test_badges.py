"""Badges: what they show, to whom, and that nobody learns from them what he may not see."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.uptime import Uptime
from monitor.view import Condition
from monitor.web import Tokens
from monitor.web.badge.picture import (
    AMBER,
    COLOURS,
    DARK,
    GREEN,
    GREY,
    LONGEST_LABEL,
    RED,
    Badge,
    draw,
    of_condition,
    of_uptime,
    width,
)
from monitor.web.badge.routes import LEAST, fresh, whole
from monitor.web.guesses import Allowance
from tests.web.api.shop import DAY, HOSTILE, HOUR, JOB, NOW, OPERATOR, SECOND, SHOP, SITE, VAULT, Site, opened, view

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SVG = "{http://www.w3.org/2000/svg}"
CALM = replace(SHOP, condition=Condition.UP, checks=(view(SITE),))


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with opened(Site()) as made:
        yield made


def said(svg: bytes | str) -> str:
    """Return what a badge is read aloud as; it is one picture, and the same to see."""
    picture = ET.fromstring(svg)  # noqa: S314 - ours
    title = picture.findtext(f"{SVG}title")
    assert picture.tag == f"{SVG}svg"
    assert (picture.get("role"), picture.get("aria-label")) == ("img", title)
    assert ": ".join(text.text or "" for text in picture.iter(f"{SVG}text")) == title
    assert title
    return title


async def test_everybody_sees_how_a_public_system_stands(site: Site) -> None:
    answer = await site.ask("/badge/shop.svg", token="")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    assert said(answer.body) == "Shop: critical"
    assert answer.headers["Cache-Control"] == "public, max-age=30"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("show", "text"),
    [("state", "Shop: critical"), ("uptime-24h", "Shop, 24 h: 99.980 %"), ("uptime-30d", "Shop, 30 d: unknown")],
)
async def test_a_badge_shows_the_state_or_an_uptime(site: Site, show: str, text: str) -> None:
    assert said((await site.ask(f"/badge/shop.svg?show={show}", token="")).body) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("vault.svg", "</svg><script>alert('1')</script>\"& <!--: up"),
        ("shop/site.svg", "Site: failing"),
        ("shop/database.svg?show=uptime-24h", "Database, 24 h: 99.980 %"),
    ],
)
async def test_the_operator_sees_what_is_private(site: Site, path: str, text: str) -> None:
    """A hostile title is only read, and no cache of others keeps it."""
    answer = await site.ask(f"/badge/{path}")
    assert (answer.status, said(answer.body)) == (200, text)
    assert answer.headers["Cache-Control"] == "private, max-age=30"


@pytest.mark.parametrize(
    "path", ["shed.svg", "vault.svg", "vault/safe.svg", "shop/site.svg", "shop/sight.svg", "x/y.svg"]
)
@pytest.mark.parametrize("token", ["", "wrong", JOB])
async def test_what_is_private_is_as_if_it_were_not_there(site: Site, path: str, token: str) -> None:
    """Also a check of a public system: of that everybody sees only the whole."""
    nothing = await site.ask("/badge/", token=token)
    answer = await site.ask(f"/badge/{path}", token=token)
    dated = {"Date"}
    assert (answer.status, answer.body) == (nothing.status, nothing.body) == (404, b"404: Not Found")
    assert {k: v for k, v in answer.headers.items() if k not in dated} == {
        k: v for k, v in nothing.headers.items() if k not in dated
    }


@pytest.mark.parametrize("path", ["shed.svg", "shop/sight.svg", "shed/site.svg"])
async def test_the_operator_is_told_the_same_of_what_is_not_there(site: Site, path: str) -> None:
    assert (await site.ask(f"/badge/{path}")).status == 404


async def test_the_time_tells_nothing_either(site: Site) -> None:
    """Private and unknown go the same way; the medians of many answers are alike."""

    async def took(path: str) -> float:
        begun = time.perf_counter()
        await site.ask(path, token="")
        return time.perf_counter() - begun

    private, unknown = [], []
    for _ in range(40):
        private.append(await took("/badge/vault.svg"))
        unknown.append(await took("/badge/veult.svg"))
    assert statistics.median(private) < 3 * statistics.median(unknown)
    assert statistics.median(unknown) < 3 * statistics.median(private)


@pytest.mark.parametrize("path", ["shop.svg", "vault.svg", "shed.svg", "shop/site.svg"])
@pytest.mark.parametrize("query", ["show=colour", "label=mine", "show=state&show=state"])
async def test_what_makes_no_sense_is_refused_wherever_it_is_asked(site: Site, path: str, query: str) -> None:
    """So that the refusal does not tell what there is."""
    answer = await site.ask(f"/badge/{path}?{query}", token="")
    assert answer.status == 400
    assert b"show" in answer.body


async def test_guesses_are_counted_here_too() -> None:
    async with opened(Site(allowance=Allowance(each=3, together=100))) as site:
        for _ in range(3):
            assert (await site.ask("/badge/vault.svg", token="wrong")).status == 404
        assert (await site.ask("/badge/vault.svg")).status == 429
        assert (await site.ask("/badge/shop.svg")).status == 200


async def test_a_page_of_another_site_cannot_measure_a_private_badge(site: Site) -> None:
    """A browser that keeps the password would show it, and how wide it is."""
    assert (await site.ask("/badge/vault.svg", Sec_Fetch_Site="cross-site")).status == 404
    assert (await site.ask("/badge/shop.svg", Sec_Fetch_Site="cross-site")).status == 200


async def test_where_no_token_is_set_this_machine_sees_all() -> None:
    async with opened(Site(Tokens())) as site:
        assert (await site.ask("/badge/vault/safe.svg", token="")).status == 200
        assert (await site.ask("/badge/vault/safe.svg", token="", Host="evil.example")).status == 404


async def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    first = await site.ask("/badge/shop.svg", token="")
    tag = first.headers["ETag"]
    for known in (tag, f'"x", {tag}', "*", f"W/{tag}"):
        again = await site.ask("/badge/shop.svg", token="", If_None_Match=known)
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    site.shown.systems = (CALM,)
    changed = await site.ask("/badge/shop.svg", token="", If_None_Match=tag)
    assert (changed.status, said(changed.body)) == (200, "Shop: up")
    head = await site.ask("/badge/shop.svg", "HEAD", token="")
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", changed.headers["ETag"])


@pytest.mark.parametrize("every", [SECOND, 15 * SECOND, HOUR, DAY])
def test_what_was_not_looked_at_for_long_is_not_up(every: timedelta) -> None:
    """After three intervals, and not before two minutes; an instance whose leader is gone shows no green."""
    patience = max(3 * every, LEAST)
    one = view(SITE, every=every, at=NOW)
    assert fresh(one, NOW + patience) is Condition.UP
    late = NOW + patience + timedelta(microseconds=1)
    assert fresh(one, late) is Condition.UNKNOWN
    assert fresh(replace(one, at=None), NOW) is Condition.UNKNOWN
    assert whole(replace(CALM, checks=(one,)), late) is Condition.UNKNOWN
    assert whole(replace(CALM, checks=(one,)), NOW) is Condition.UP
    assert whole(replace(CALM, condition=Condition.CRITICAL, checks=(one,)), late) is Condition.CRITICAL


def test_what_is_run_only_on_demand_grows_not_old() -> None:
    one = view(SITE, at=NOW, scheduled=False)
    assert fresh(one, NOW + 30 * DAY) is Condition.UP


async def test_a_badge_of_what_nobody_looked_at_is_grey(site: Site) -> None:
    site.shown.systems = (CALM, VAULT)
    site.clock.skip(HOUR)
    for path, text in (("shop.svg", "Shop: unknown"), ("shop/site.svg", "Site: unknown")):
        answer = await site.ask(f"/badge/{path}")
        assert said(answer.body) == text
        assert GREEN.encode() not in answer.body


@pytest.mark.parametrize("condition", Condition)
def test_green_means_up_and_nothing_else(condition: Condition) -> None:
    badge = of_condition("Shop", condition)
    assert (badge.colour == GREEN) == (condition is Condition.UP)
    assert said(draw(badge)) == f"Shop: {condition.value}"


@pytest.mark.parametrize(
    ("ratio", "text", "colour"),
    [(1, "100.000 %", GREEN), (0.999, "99.900 %", GREEN), (0.9989, "99.890 %", AMBER), (0.98, "98.000 %", RED)],
)
def test_an_uptime_is_coloured_by_what_is_missing(ratio: float, text: str, colour: str) -> None:
    badge = of_uptime("Shop", Uptime(DAY * ratio, DAY - DAY * ratio))
    assert (badge.says, badge.colour) == (text, colour)


def test_an_uptime_of_which_nothing_is_known_is_grey() -> None:
    assert of_uptime("Shop", Uptime()) == Badge("Shop", "unknown", GREY)


@pytest.mark.parametrize("colour", [*COLOURS.values(), GREY, DARK])
def test_white_letters_can_be_read_on_every_colour(colour: str) -> None:
    """At least 4.5 to 1, as WCAG 2.2 reckons contrast."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 4.5


@given(st.text(st.characters(codec=None)) | st.just(HOSTILE))
def test_any_title_makes_a_picture_with_nothing_in_it_that_acts(title: str) -> None:
    svg = draw(of_condition(title, Condition.UP))
    picture = ET.fromstring(svg)  # noqa: S314 - ours
    assert {one.tag.removeprefix(SVG) for one in picture.iter()} == {"svg", "title", "rect", "path", "g", "text"}
    assert svg.encode().decode().isprintable() or svg.endswith("\n")
    assert float(picture.get("width", "0")) <= LONGEST_LABEL * 12 + 60


@given(st.text(), st.text())
def test_more_letters_need_more_room(one: str, more: str) -> None:
    assert width(one + more) >= width(one) > 0


async def test_many_badges_at_once(site: Site) -> None:
    answers = await asyncio.gather(*(site.ask("/badge/shop.svg", token="") for _ in range(50)))
    assert {answer.status for answer in answers} == {200}
    assert OPERATOR.encode() not in answers[0].body

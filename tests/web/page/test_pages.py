"""What pages show, and what no page shows."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from monitor.model import CheckId
from monitor.uptime import Uptime
from monitor.view import Condition, Overview, SystemView
from monitor.web.page.files import FOR_GOOD
from tests.fakes import START
from tests.web.page.site import HOST, TOKEN, Site
from tests.web.page.stage import HOUR, check, many, slow, system

if TYPE_CHECKING:
    from tests.web.page.site import Answer

EVIL = "<script>alert(1)</script>\"'&\u202e\x1b[31m"
PAGES = ["/", "/?only=trouble", "/systems/capliquify", "/systems/none", "/public", "/public/seedsource", "/login"]


async def logged_in(site: Site) -> Site:
    await site.log_in(TOKEN)
    return site


@pytest.mark.parametrize("path", [*PAGES, "/public/none"])
async def test_pages_are_hardened(closed: Site, path: str) -> None:
    """No script or style but our files, no other resource, no framing, no cache; forms go to ourselves alone."""
    answer = await (closed if path == "/login" else await logged_in(closed)).ask(path)
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert not re.search(r"<style|style=|javascript:|\son\w+=|<script(?! src=\"/static/)", answer.text)
    assert not re.search(r"(?:src|href)=\"(?!/|#|https://example\.com/runbooks/)", answer.text)
    assert answer.text.startswith('<!doctype html>\n<html lang="en">')
    assert answer.text.rstrip().endswith("</html>")


async def test_other_answers_keep_the_strictest_headers(closed: Site) -> None:
    for path in ("/healthz", "/nothing", "/metrics"):
        answer = await closed.ask(path)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; frame-ancestors")
        assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", PAGES)
async def test_a_head_has_no_body(free: Site, path: str) -> None:
    first, second = await free.ask(path), await free.ask(path, "HEAD")
    assert (second.status, second.text) == (first.status, "")


@pytest.mark.parametrize("path", ["/", "/public", "/systems/tatame"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_a_page_is_only_read(free: Site, path: str, method: str) -> None:
    assert (await free.ask(path, method)).status == 405


async def test_files_are_kept_for_good(closed: Site) -> None:
    """Their names follow from their content; nobody needs a token for them, and no other file is shown."""
    text = (await closed.ask("/login")).text
    places = set(re.findall(r'"(/static/[^"]+)"', text))
    assert {place.rpartition(".")[2] for place in places} == {"css", "js", "svg"}
    for place in places:
        answer = await closed.ask(place)
        assert (answer.status, answer.headers["Cache-Control"]) == (200, FOR_GOOD)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for place in ("/static/", "/static/page.css", "/static/../shell.py", "/static/%2e%2e/shell.py"):
        assert (await closed.ask(place)).status == 404


async def test_the_worst_comes_first_and_the_title_says_it(free: Site) -> None:
    """Systems, and the checks in each; those that stand alike as in the file; what is not run last, with its reason."""
    text = (await free.ask("/")).text
    assert "<title>1 critical, 2 warning – runbook-monitor</title>" in text
    assert "icon-critical" in text
    names = ["capliquify", "tatame", "ecomdash", "seedsource", "realstaging"]
    assert re.findall(r'<section class="system [a-z-]+" id="s-([a-z]+)"', text) == names
    rows = re.findall(r'<tr class="([a-z-]+)" id="c-capliquify-([a-z]+)">', text)
    assert [kind for kind, _ in rows] == ["critical", "warning", "failing", "unknown", "up"]
    assert "1 not run" in text
    assert "SHOP_KEY is not set" in text


async def test_a_row_says_how_a_check_stands(free: Site) -> None:
    """Its condition, the figure that fires against its level, since when, uptimes, strip, and when it was looked at."""
    row = row_of(await free.ask("/"), "capliquify-backend")
    assert '<span class="badge critical">critical</span>' in row
    assert '<a href="/systems/capliquify/backend">Back end health</a>' in row
    assert '<b>612 ms</b> <span class="against">slow, critical &gt; 500ms</span>' in row
    assert 'began <time datetime="2026-01-05T11:46:00Z" data-ago>11:46:00</time>' in row
    assert "99.87 %" in row
    assert "99.963 %" in row
    assert "<title>Last 24 hours: warning 22:00–23:00, unknown 04:00–05:00, critical 12:00–13:00, not looked" in row
    assert '<time datetime="2026-01-05T11:59:48Z" data-ago>11:59:48</time>' in row


async def test_a_row_of_what_is_down_says_why(free: Site) -> None:
    text = await free.ask("/")
    assert '<b>status</b> <span class="against">503, expected 200</span>' in row_of(text, "capliquify-login")
    assert '<b>rate limited</b> <span class="against">the API of Render' in row_of(text, "capliquify-webhooks")


async def test_a_check_that_was_not_looked_at_says_nothing(free: Site) -> None:
    row = row_of(await free.ask("/"), "ecomdash-new")
    assert row.count(">–<") == 3
    assert "nothing is known yet" in row


async def test_only_what_is_not_well(free: Site) -> None:
    """By a link, without a script: systems and checks that are well are left out, and counted."""
    text = (await free.ask("/?only=trouble")).text
    assert re.findall(r'id="s-([a-z]+)"', text) == ["capliquify", "tatame"]
    assert "c-capliquify-site" not in text
    assert "3 systems are well." in text
    assert "not run" not in text
    free.stage.seen = replace(free.stage.seen, systems=free.stage.seen.systems[1:3])
    assert "well." not in (await free.ask("/?only=trouble")).text


async def test_maintenance_alerts_and_uptime_stand_with_the_system(free: Site) -> None:
    words = (await free.ask("/systems/tatame")).words
    assert "maintenance until Jan 5, 13:00 UTC" in words
    assert "Firing 2" in words
    assert "Up, 24 h 99.91 % Up, 30 d 99.987 %" in words
    assert "TaTame: 1 warning, 1 info – runbook-monitor" in words


async def test_the_daemons_own_trouble_stands_on_top(free: Site) -> None:
    """And whether this instance looks at all."""
    free.stage.seen = replace(free.stage.seen, leads=False, leader="render-7", problems=("the store is <away>",))
    for path in ("/", "/?only=trouble", "/systems/ecomdash"):
        text = (await free.ask(path)).text
        assert "This instance waits; render-7 watches" in text
        assert "<li>the store is &lt;away&gt;</li>" in text
        assert text.index("The monitor itself") < text.index("<section")
    free.stage.seen = replace(free.stage.seen, leader="")
    assert "another one watches, or none" in (await free.ask("/")).text


@pytest.mark.parametrize(
    ("conditions", "title", "icon"),
    [
        ([], "Nothing is watched", "up"),
        ([Condition.WAITING], "Nothing was looked at yet", "up"),
        ([Condition.SKIPPED], "Nothing was looked at yet", "up"),
        ([Condition.UP, Condition.WAITING, Condition.LEFT_OUT], "All is well", "up"),
        ([Condition.FAILING, Condition.UP], "1 failing", "warning"),
        ([Condition.UNKNOWN] * 2, "2 unknown", "up"),
        ([*Condition, *Condition], "2 critical, 2 warning", "critical"),
    ],
)
async def test_the_heading_says_how_things_stand(
    free: Site, conditions: list[Condition], title: str, icon: str
) -> None:
    checks = [check("shop", f"check-{at}", "One", one) for at, one in enumerate(conditions)]
    free.stage.seen = Overview(START, (system("shop", "Shop", *checks),))
    text = (await free.ask("/")).text
    assert f"<title>{title} – " in text
    assert f'<h1 aria-live="polite">{title}</h1>' in text
    assert f"/static/icon-{icon}." in text


async def test_nothing_hostile_becomes_markup(free: Site) -> None:
    """Titles, details, names, labels, problems, reasons to skip: from files, targets and neighbours."""
    evil = replace(
        check("shop", "site", EVIL, Condition.FAILING),
        detail=EVIL,
        figures=(replace(slow(EVIL), name=EVIL, labels=(("a", EVIL),)),),
    )
    rows = (
        evil,
        replace(evil, id=CheckId("shop", "up"), state=None),
        replace(check("shop", "no", EVIL, Condition.SKIPPED), skipped=EVIL),
    )
    shown = replace(system("shop", EVIL, *rows), public=True, runbook="https://example.com/runbooks/a?b&c\"'<")
    free.stage.seen = Overview(START, (shown,), leads=False, leader=EVIL, problems=(EVIL,))
    for path in ("/", "/systems/shop", "/public", f"/systems/{EVIL.encode().hex()}"):
        text = (await free.ask(path)).text
        assert "<script>alert" not in text
        assert "\u202e" not in text
        assert "\x1b" not in text
        assert "c\"'<" not in text


async def test_the_public_view_shows_title_state_uptime_and_strip_and_nothing_else(closed: Site) -> None:
    """Without a token: neither checks nor figures, problems, names of other systems, or the version."""
    seen = replace(closed.stage.seen, problems=("the store is away",), leads=False, leader="render-7")
    closed.stage.seen = seen
    answer = await closed.ask("/public")
    assert answer.status == 200
    words = answer.words.partition("runbook-monitor runbook-monitor")[2] or answer.words
    shown = "up Up, 24 h 99.91 % Up, 30 d 99.987 % Last 24 h Last 24 hours: up, not looked at in 1 of 24 hours"
    assert f"SeedSource {shown} Real Staging {shown} Log in" in words
    for hidden in ("CapLiquify", "TaTame", "Front page", "checks", "away", "render-7", "runbooks", "0.1.0", "/metrics"):
        assert hidden not in answer.text
    assert (await closed.ask("/public/seedsource")).words.count("99.91 %") == 1


@pytest.mark.parametrize("name", ["capliquify", "none", "%00", "seedsource%2f", "Seedsource"])
async def test_what_is_not_public_does_not_exist(closed: Site, name: str) -> None:
    """A system that is not public, and one that is none, are answered alike."""
    answer, none = await closed.ask(f"/public/{name}"), await closed.ask("/public/nothing")
    assert (answer.status, none.status) == (404, 404)
    assert re.sub(r"public/[^\"]*", "", answer.text) == re.sub(r"public/[^\"]*", "", none.text)


async def test_nothing_is_public_unless_it_is_said(closed: Site) -> None:
    closed.stage.hide()
    assert (await closed.ask("/public")).status == 404


@pytest.mark.parametrize(
    ("condition", "words"), [(Condition.UP, "All is well"), (Condition.FAILING, "Not all is well")]
)
async def test_the_public_heading_says_whether_all_is_well(closed: Site, condition: Condition, words: str) -> None:
    closed.stage.seen = Overview(START, (SystemView("shop", "Shop", condition, public=True),))
    assert words in (await closed.ask("/public")).text


async def test_long_pages_flow_and_are_compressed(free: Site) -> None:
    """A thousand checks, whole to the end, and much smaller for who accepts gzip; fetched anew less often."""
    free.stage.seen = many()
    plain = await free.ask("/", Accept_Encoding="identity")
    packed = await free.ask("/", Accept_Encoding="gzip")
    assert "Content-Encoding" not in plain.headers
    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert plain.text == packed.text
    assert plain.text.count("<tr class=") == 1_000
    assert plain.text.rstrip().endswith("</html>")
    assert 'data-refresh="15"' in plain.text
    assert len(gzip.compress(plain.text.encode(), 1)) < len(plain.text) / 8


async def test_a_row_changes_with_its_check(free: Site) -> None:
    """It is made anew when the check stands otherwise, and when another day has begun."""
    view = check("shop", "site", "Front page", Condition.UP, slow("148 ms", 0.148))
    for shown, at in (("148 ms", START), ("149 ms", START), ("149 ms", START + 24 * HOUR)):
        changed = replace(view, figures=(slow(shown, 0.149),))
        free.stage.seen = Overview(at, (system("shop", "Shop", changed),))
        row = row_of(await free.ask("/"), "shop-site")
        assert f"<b>{shown}</b>" in row
        assert (">Jan 5, 11:59<" in row) == (at != START)
    free.stage.seen = Overview(START)
    assert "<tr" not in (await free.ask("/")).text


async def test_an_uptime_is_rounded_down(free: Site) -> None:
    """No outage is rounded away, and what is not known is no number."""
    view = replace(check("shop", "site", "One"), day=Uptime(HOUR * 100_000, HOUR / 3_600), month=Uptime())
    free.stage.seen = Overview(START, (system("shop", "Shop", view),))
    row = row_of(await free.ask("/"), "shop-site")
    assert ">99.999 %<" in row
    assert ">–<" in row


def row_of(answer: Answer, name: str) -> str:
    found = re.search(rf'<tr class="[a-z-]+" id="c-{name}">.*?</tr>', answer.text, re.DOTALL)
    assert found
    return found[0]


async def test_the_page_of_an_instance_answers_on_its_own(free: Site) -> None:
    """Two servers in one process share nothing."""
    other = Site()
    await other.web.start(HOST, 0)
    other.stage.seen = Overview(START)
    assert "Nothing is watched" in (await other.ask("/")).text
    assert "CapLiquify" in (await free.ask("/")).text
    await other.web.stop()

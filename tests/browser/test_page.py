"""The status page in a real browser: login, keeping fresh, saying so when it is not, phone, keyboard, no script."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from monitor.model import Severity
from monitor.view import Condition, Overview
from tests.browser.window import PHONE, WIDE
from tests.web.page.site import TOKEN
from tests.web.page.stage import HOUR, bad_day, check, many, slow, system

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.browser.window import Window
    from tests.web.page.site import Site

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

PAGES = ["/", "/?only=trouble", "/systems/capliquify", "/systems/none", "/public"]
REFRESH = 5_000
DARK_GROUND, LIGHT_GROUND = "rgb(13, 16, 21)", "rgb(244, 246, 248)"
WIDER = """() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = [...document.querySelectorAll(".scroll")].filter((one) => one.scrollWidth > one.clientWidth);
  const beyond = [...document.querySelectorAll("main *, header *")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 1 && box.right > wide + 0.5 && !one.closest(".unseen, thead, .skip");
  });
  const said = [...scrolls, ...beyond].slice(0, 5).map((one) => one.outerHTML.slice(0, 90));
  return document.documentElement.scrollWidth > wide ? ["the page scrolls", ...said] : said;
}"""
SMALL = """() => [...document.querySelectorAll("a, button, summary, input:not([type=hidden])")]
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => box.height > 0 && box.height < 24 && !one.closest("p"))
  .map(([one, box]) => `${one.outerHTML.slice(0, 80)} ${box.height}`)"""


def one_check(condition: Condition = Condition.UP, shown: str = "148 ms", firing: Severity | None = None) -> Overview:
    """Return an overview with a check that is looked at, one that is not run, and many others below."""
    front = check("shop", "site", "Front page", condition, slow(shown, 0.148, firing))
    rest = [check("shop", f"check-{at}", f"Check {at}") for at in range(60)]
    return replace(
        bad_day(), systems=(system("shop", "Shop", front, *rest, check("shop", "no", "Not run", Condition.SKIPPED)),)
    )


async def later(page: Page, milliseconds: int = REFRESH) -> None:
    """Let time pass for the page."""
    await page.clock.run_for(milliseconds)


async def test_logging_in_and_out(closed: Site, window: Window) -> None:
    """With a wrong token first; where somebody wanted to go he arrives; the cookie is hidden from scripts."""
    window.expected = ("403 (Forbidden)",)
    page = await window.open(f"{closed.base}/systems/tatame")
    assert page.url == f"{closed.base}/login?next=%2Fsystems%2Ftatame"
    await expect(page.get_by_label("Token")).to_be_focused()
    await page.keyboard.type("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").first).to_have_text("That is not the token.")
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_label("Your name").fill("anna")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("TaTame")
    assert page.url == f"{closed.base}/systems/tatame"
    assert await page.evaluate("document.cookie") == ""
    await page.get_by_role("button", name="Log out").click()
    assert page.url == f"{closed.base}/login"
    await page.goto(f"{closed.base}/")
    assert page.url.startswith(f"{closed.base}/login")


async def test_a_form_of_another_site_does_nothing(closed: Site, window: Window) -> None:
    """It may send one with a browser that is logged in: the browser says where it comes from."""
    window.expected = ("403 (Forbidden)",)
    page = await window.open(f"{closed.base}/login")
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("critical")
    evil = f'<form method="post" action="{closed.base}/deed"><input name="form" value="x"><button>Win</button></form>'
    await page.route("http://evil.example/", lambda route: route.fulfill(body=evil, content_type="text/html"))
    await page.goto("http://evil.example/")
    await page.get_by_role("button", name="Win").click()
    await page.wait_for_url(lambda url: "evil" not in url)
    assert closed.done == []


async def test_no_page_is_refused_anything(site: Site, window: Window) -> None:
    """By its own policy; scripts, style and icons load, and the console stays empty."""
    window.expected = ("404 (Not Found)",)
    for path in PAGES:
        page = await window.open(f"{site.base}{path}")
        assert await page.evaluate("getComputedStyle(document.body).maxWidth") == "1140px"
        await expect(page.locator("body")).to_have_attribute("data-now", "2026-01-05T12:00:00+00:00")


async def test_nothing_is_wider_than_a_phone(site: Site, closed: Site, window: Window) -> None:
    """Nor cut off, whatever stands in a title; and everything can be hit with a thumb."""
    window.expected = ("404 (Not Found)",)
    odd = check("shop", "odd", "W" * 90, Condition.CRITICAL, slow("1,234,567,890 ms", 1.0, Severity.CRITICAL))
    systems = (*bad_day().systems, system("shop", "X" * 80, odd))
    site.stage.seen = replace(bad_day(), systems=systems, problems=("y" * 200,))
    for address in [*(f"{site.base}{path}" for path in PAGES), f"{closed.base}/login"]:
        page = await window.open(address, PHONE)
        for width in (320, 360, 390, 700):
            await page.set_viewport_size({"width": width, "height": 700})
            assert (address, width, await page.evaluate(WIDER)) == (address, width, [])
            assert (address, width, await page.evaluate(SMALL)) == (address, width, [])


async def test_on_a_desk_nothing_is_cut_off(site: Site, window: Window) -> None:
    page = await window.open(f"{site.base}/")
    for width in (800, 1024, 1280, 1920):
        await page.set_viewport_size({"width": width, "height": 700})
        assert await page.evaluate(WIDER) == []
        assert await page.evaluate(SMALL) == []


async def test_dark_where_the_system_is(site: Site, window: Window) -> None:
    for scheme, ground in (("dark", DARK_GROUND), ("light", LIGHT_GROUND)):
        page = await window.open(f"{site.base}/", color_scheme=scheme)
        assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == ground


async def test_nothing_moves_for_who_wants_that(site: Site, window: Window) -> None:
    for motion, transition in (("reduce", "0s"), ("no-preference", "0.3s")):
        page = await window.open(f"{site.base}/", reduced_motion=motion)
        assert (
            await page.evaluate("getComputedStyle(document.querySelector('#fresh')).transitionDuration") == transition
        )


async def test_all_of_it_by_keyboard(site: Site, window: Window) -> None:
    """The first key leads past the head; what has the focus is seen; links follow in the order of reading."""
    page = await window.open(f"{site.base}/")
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main")).to_be_focused()
    for name in ("Only what is not well", "CapLiquify", "Back end health", "Database connections"):
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name=name, exact=True)).to_be_focused()
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"


async def test_what_a_screen_reader_is_told(site: Site, window: Window) -> None:
    """Landmarks, headings in order, tables with headers also on a phone, pictures in words."""
    for size in (WIDE, PHONE):
        page = await window.open(f"{site.base}/", size)
        for role, name in (("banner", ""), ("navigation", "Main"), ("main", ""), ("contentinfo", "")):
            await expect(page.get_by_role(role, name=name)).to_have_count(1)  # type: ignore[arg-type]
        await expect(page.get_by_role("heading", level=1)).to_have_text("1 critical, 2 warning")
        names = ["CapLiquify", "TaTame", "EcomDash", "SeedSource", "Real Staging"]
        await expect(page.get_by_role("heading", level=2)).to_have_text(names)
        await expect(page.get_by_role("heading")).to_have_count(6)
        table = page.get_by_role("table", name="Checks of CapLiquify")
        await expect(table.get_by_role("columnheader")).to_have_count(7)
        row = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Back end health"))
        await expect(row.get_by_role("cell").first).to_have_text("critical")
        assert "critical 12:00–13:00" in (await row.get_by_role("img").text_content() or "")


async def test_the_page_keeps_itself_fresh(site: Site, window: Window) -> None:
    """What has changed is put in place; the focus, what is open and where one has scrolled to stay."""
    site.stage.seen = one_check()
    page = await window.open(f"{site.base}/")
    await page.get_by_text("1 not run").click()
    link = page.get_by_role("link", name="Check 40")
    await link.focus()
    before = await page.evaluate("scrollY")
    assert before > 0
    await page.evaluate("document.querySelector('#c-shop-check-40').mark = 'the same node'")
    site.stage.seen = one_check(Condition.CRITICAL, "612 ms", Severity.CRITICAL)
    await site.clock.advance(HOUR)
    await later(page)
    await expect(page.locator("#c-shop-site")).to_contain_text("612 ms")
    await expect(page).to_have_title("1 critical – runbook-monitor")
    await expect(page.locator("h1")).to_have_text("1 critical")
    await expect(page.locator("#asof")).to_have_text("2026-01-05 13:00:00 UTC")
    assert "icon-critical" in (await page.locator("#icon").get_attribute("href") or "")
    await expect(link).to_be_focused()
    await expect(page.locator("details")).to_have_attribute("open", "")
    assert await page.evaluate("document.querySelector('#c-shop-check-40').mark") == "the same node"
    assert abs(await page.evaluate("scrollY") - before) < 60
    await expect(page.locator("#stale")).to_be_hidden()


async def test_systems_change_their_places(site: Site, window: Window) -> None:
    """What became the worst comes first, and what has gone goes."""
    page = await window.open(f"{site.base}/")
    await page.get_by_role("link", name="Real Staging").focus()
    tatame, ecomdash = site.stage.seen.systems[2:4]
    worse = system("realstaging", "Real Staging", check("realstaging", "site", "Front page", Condition.CRITICAL))
    site.stage.seen = replace(site.stage.seen, systems=(tatame, ecomdash, worse))
    await later(page)
    sections = page.locator("section.system h2")
    await expect(sections).to_have_text(["Real Staging", "TaTame", "EcomDash"])
    await expect(page.get_by_role("link", name="Real Staging")).to_be_focused()


async def test_moments_are_told_as_how_long_ago(site: Site, window: Window) -> None:
    """By the clock of the monitor, however wrong that of the browser is; the moment itself stands behind."""
    page = await window.open(f"{site.base}/")
    looked = page.locator("#c-capliquify-backend .looked time")
    await expect(looked).to_have_text("12 s ago")
    await expect(looked).to_have_attribute("title", "2026-01-05 11:59:48 UTC")
    await expect(page.locator("#c-capliquify-backend .since")).to_have_text("began 14 min ago")
    await site.clock.advance(3 * HOUR)
    await later(page)
    await expect(looked).to_have_text("3 h 0 min ago")
    await site.clock.advance(72 * HOUR)
    await later(page)
    await expect(looked).to_have_text("3 d ago")


async def test_what_is_old_never_looks_fresh(site: Site, window: Window) -> None:
    """When nothing answers the page says so at once, with the time of what it shows, until it is fresh again."""
    window.expected = ("ERR_FAILED", "503")
    page = await window.open(f"{site.base}/")
    stale = page.locator("#stale")
    await page.route(f"{site.base}/", lambda route: route.abort())
    await later(page)
    await expect(stale).to_be_visible()
    await expect(stale).to_contain_text("Not fresh: this is how things stood at 2026-01-05 12:00:00 UTC.")
    await expect(stale).to_contain_text("does not answer")
    await expect(page).to_have_title("(old) 1 critical, 2 warning – runbook-monitor")
    await expect(page.locator("body")).to_have_class("stale")
    await page.unroute(f"{site.base}/")
    await page.route(f"{site.base}/", lambda route: route.fulfill(status=503, body="away"))
    await later(page)
    await expect(stale).to_contain_text("The monitor answers 503.")
    await page.unroute(f"{site.base}/")
    half = "<!doctype html><main><div id='fresh'>half a page"
    await page.route(f"{site.base}/", lambda route: route.fulfill(body=half, content_type="text/html"))
    await later(page)
    await expect(stale).to_contain_text("does not answer")
    await expect(page.locator("h1")).to_contain_text("1 critical")
    await page.unroute(f"{site.base}/")
    await later(page)
    await expect(stale).to_be_hidden()
    await expect(page).to_have_title("1 critical, 2 warning – runbook-monitor")


async def test_an_answer_that_never_comes_is_no_answer(site: Site, window: Window) -> None:
    """What is shown grows old meanwhile, and says so."""
    window.expected = ("ERR_",)
    page = await window.open(f"{site.base}/")
    await page.route(f"{site.base}/", lambda _: None)
    await later(page, 40_000)
    await expect(page.locator("#stale")).to_contain_text("Not fresh")


async def test_who_was_logged_out_is_told_so(closed: Site, window: Window) -> None:
    page = await window.open(f"{closed.base}/login")
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("h1")).to_contain_text("critical")
    await page.context.clear_cookies()
    await later(page)
    await expect(page.locator("#stale")).to_contain_text("You are logged out.")
    await page.locator("#stale").get_by_role("link", name="Log in.").click()
    await page.wait_for_url("**/login?next=%2F")


async def test_nothing_is_swapped_while_somebody_types(site: Site, window: Window) -> None:
    """Then what is shown grows old, and says so."""
    page = await window.open(f"{site.base}/")
    await page.evaluate("document.querySelector('#fresh').append(document.createElement('input'))")
    await page.locator("#fresh input").fill("half a sent")
    site.stage.seen = one_check()
    await later(page)
    await expect(page.locator("h1")).to_contain_text("1 critical")
    await later(page, 30_000)
    await expect(page.locator("#stale")).to_contain_text("A form is being filled in")
    await expect(page.locator("#fresh input")).to_have_value("half a sent")


async def test_a_hidden_tab_rests_and_says_so(site: Site, window: Window) -> None:
    """Its title is all that is seen of it; when somebody comes back it is fetched at once."""
    page = await window.open(f"{site.base}/")
    hide = "(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
    hide += " document.dispatchEvent(new Event('visibilitychange')); }"
    await page.evaluate(hide, True)  # noqa: FBT003 - what the script takes
    await expect(page).to_have_title("(paused) 1 critical, 2 warning – runbook-monitor")
    site.stage.seen = one_check()
    await later(page, 60_000)
    await expect(page.locator("h1")).to_contain_text("1 critical")
    await page.evaluate(hide, False)  # noqa: FBT003 - the same
    await expect(page).to_have_title("All is well – runbook-monitor")
    await expect(page.locator("#stale")).to_be_hidden()


async def test_without_a_script(closed: Site, window: Window) -> None:
    """Everything is there: login, overview, filter, what is not run; the page is loaded anew by itself."""
    page = await window.open(f"{closed.base}/", java_script_enabled=False)
    await page.get_by_label("Token").fill(TOKEN)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("h1")).to_have_text("1 critical, 2 warning")
    await expect(page.locator("meta[http-equiv=refresh]")).to_have_attribute("content", "30")
    await expect(page.locator("#c-capliquify-backend .looked")).to_have_text("11:59:48")
    await page.get_by_role("link", name="Only what is not well").click()
    await expect(page.locator("section.system")).to_have_count(2)
    await page.get_by_role("link", name="All checks").click()
    await page.get_by_text("1 not run").click()
    await expect(page.get_by_text("SHOP_KEY is not set")).to_be_visible()
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


async def test_a_thousand_checks_are_kept_fresh(site: Site, window: Window) -> None:
    """In place, without making the page anew."""
    site.stage.seen = many()
    page = await window.open(f"{site.base}/")
    await expect(page.locator("tbody tr")).to_have_count(1_000)
    await page.evaluate("document.querySelector('#c-system-1-check-7').mark = 'the same node'")
    changed = check("system-1", "check-7", "Check 7", Condition.CRITICAL)
    first, second, *rest = site.stage.seen.systems
    site.stage.seen = replace(
        site.stage.seen, systems=(first, replace(second, checks=(changed, *second.checks[8:])), *rest)
    )
    await later(page, 15_000)
    await expect(page.locator("#c-system-1-check-7 .state")).to_have_text("critical")
    await expect(page.locator("tbody tr")).to_have_count(993)
    assert await page.evaluate("document.querySelector('#c-system-1-check-7').mark") == "the same node"

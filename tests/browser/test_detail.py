"""A check's page, alerts and silences in a real browser; the buttons at a real daemon, with a script and without."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.acceptance import peers
from tests.acceptance.process import Monitor
from tests.browser.test_page import SMALL
from tests.browser.window import WIDE
from tests.story import CHANGE
from tests.web.page.scene import Scene, stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page

    from tests.browser.window import Window

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

PHONE, DESK = (390, 844), (1_200, 900)
PAGES = [
    "/systems/shop/database",
    "/systems/shop/database?measure=duration&span=30d",
    "/systems/shop/site",
    "/alerts",
    f"/alerts/{CHANGE.alerts[0].incident}",
    "/silences",
]
WATCHED = """
channels: {hook: "${HOOK_URL}"}
systems:
  shop:
    title: The shop
    defaults: {every: 1s, timeout: 2s, retry: {every: 200ms}, down: {critical: 2}}
    checks:
      site: {url: "${SHOP_URL}/", title: Front page, remedy: Restart the shop.}
"""
LETTERS = """() => [...document.querySelectorAll(".plot text")].filter((one) => one.getClientRects().length)
  .map((one) => [one.textContent, parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a])"""
OUTSIDE = """() => {
  const field = document.querySelector(".plot").getBoundingClientRect();
  return [...document.querySelectorAll(".plot text, .plot circle, .plot rect, .plot path.series")]
    .filter((one) => one.getClientRects().length && !one.closest("defs"))
    .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
    .filter(([, box]) => box.left < field.left - 1 || box.right > field.right + 1)
    .map(([html]) => html);
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def shown() -> AsyncIterator[str]:
    """Serve the pages of the shop."""
    async with stage(Scene(pools=3)) as url:
        yield url


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone", "desk"])
async def test_nothing_is_refused_or_wider_than_the_screen(
    shown: str, window: Window, size: tuple[int, int], scheme: str
) -> None:
    """On no page, with everything unfolded; buttons and links are large enough for a finger."""
    page = await window.open(shown + PAGES[0], size, color_scheme=scheme)
    for address in PAGES:
        await page.goto(shown + address)
        assert (address, await page.evaluate(SMALL)) == (address, [])
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert (address, await page.evaluate("document.documentElement.scrollWidth")) == (address, size[0])


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_plot_is_readable_at_any_width(shown: str, window: Window, size: tuple[int, int]) -> None:
    """Its letters are as large on a phone as on a desk, and nothing of it stands outside; lines are told apart."""
    page = await window.open(shown + PAGES[0], size)
    letters = await page.evaluate(LETTERS)
    assert len(letters) > 10
    assert [text for text, height in letters if not 10.5 <= height <= 14] == []
    assert await page.evaluate(OUTSIDE) == []
    strokes = await page.eval_on_selector_all(".plot .series", "all => all.map((one) => getComputedStyle(one).stroke)")
    assert len(set(strokes)) == 3
    assert "none" not in strokes
    width = await page.eval_on_selector(".plot", "one => one.getBoundingClientRect().width")
    assert width > size[0] * 0.8


async def test_a_plot_is_told_to_whoever_does_not_see_it(shown: str, window: Window) -> None:
    """As a picture with a sentence, and as a table that the keyboard unfolds."""
    page = await window.open(shown + PAGES[0])
    picture = page.locator("svg.plot")
    await expect(picture).to_have_role("img")
    told = await picture.get_attribute("aria-label")
    assert told
    assert told.startswith("connections of shop/database, 4 Jan 12:00 to 5 Jan 12:00 UTC: pool=web between")
    await page.get_by_text("As a table").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("columnheader", name="pool=web")).to_be_visible()


async def test_the_page_stays_what_it_is_when_it_is_fetched_anew(shown: str, window: Window) -> None:
    """The picture is still there, and a form that is being filled in keeps what was typed."""
    page = await window.open(shown + PAGES[0])
    acknowledge = page.locator(".firing .act").first
    await acknowledge.locator("summary").click()
    await acknowledge.get_by_label("Why").fill("it is the worker")
    await page.clock.run_for(20_000)
    await expect(acknowledge.get_by_label("Why")).to_have_value("it is the worker")
    await expect(page.locator(".plot .series").first).to_be_visible()


async def test_times_are_told_by_the_clock_of_the_reader(shown: str, window: Window) -> None:
    """Under the pointer: on the page they are in UTC, for all who look at it alike."""
    page = await window.open(shown + PAGES[0], timezone_id="Asia/Kolkata", locale="en-GB")
    tick = page.locator(".plot text[data-at]").nth(1)
    await expect(tick).to_contain_text("16:00")
    assert await tick.locator("title").text_content() == "04/01/2026, 21:30:00 on this computer"
    await expect(page.locator(".samples time").first).to_have_attribute(
        "title", "05/01/2026, 17:30:00 on this computer"
    )


@pytest_asyncio.fixture(loop_scope="session")
async def broken(tmp_path: Path) -> AsyncIterator[Monitor]:
    """Run a real daemon that watches a real shop, which is down, and has told so."""
    async with peers.shop() as shop, peers.receiver() as hook:
        shop.breaks()
        async with Monitor(tmp_path, WATCHED, SHOP_URL=shop.url, HOOK_URL=hook.url) as daemon:
            await hook.hears("firing")
            yield daemon


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_buttons_do_what_they_say(broken: Monitor, window: Window, *, script: bool) -> None:
    """Acknowledge, note, silence, lift, run: each is said on the page, noted by the daemon, and seen on the page."""
    page = await window.open(f"{broken.url}/systems/shop/site", WIDE, java_script_enabled=script)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Front page")
    await press(page, "Acknowledge", Why="rolling back", Your_name="ana")
    await said(page, "taken by ana until")
    await expect(page.locator(".told")).to_contain_text("Acknowledged by ana until")
    await press(page, "Note", What_was_the_matter="the worker was full")
    await said(page, "Noted")
    await press(page, "Silence", Why="a move")
    await said(page, "shop/site down: silent until")
    await page.get_by_role("button", name="Run now").click()
    await said(page, "Shop/site was run: down, ")
    await page.get_by_role("button", name="Run now").click()
    await said(page, "ago: down, ")
    await page.goto(f"{broken.url}/silences")
    await expect(page.get_by_role("cell", name="a move")).to_be_visible()
    await expect(page.get_by_label("Your name")).to_have_value("ana")
    await page.get_by_role("button", name="Lift").click()
    await said(page, "no longer silent")
    await expect(page.get_by_text("Nothing is silenced.")).to_be_visible()
    await page.goto(f"{broken.url}/alerts")
    await page.locator(".incident summary").first.click()
    for line in ("acknowledged by ana", "rolling back", "noted: the worker was full (ana)", "to hook: opened critical"):
        await expect(page.locator(".journal").first).to_contain_text(line)
    await page.get_by_role("link", name="Its own page").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("The shop: Front page: down")
    await expect(page.locator(".steps")).to_contain_text("Restart the shop.")
    assert await asyncio.to_thread(broken.stored, "SELECT count(*) FROM acts WHERE done_at IS NULL") == [(0,)]


async def press(page: Page, name: str, **fields: str) -> None:
    """Unfold the form of that name, fill it in, and send it."""
    act = page.locator(".firing .act").filter(has=page.get_by_text(name, exact=True)).first
    await act.locator("summary").click()
    for label, text in fields.items():
        await act.get_by_label(label.replace("_", " ")).first.fill(text)
    await act.get_by_role("button", name=name).click()


async def said(page: Page, text: str) -> None:
    await expect(page.locator(".said")).to_contain_text(text, ignore_case=True)

"""The page of one check: everything there is to know of it, escaped; and what it shows without a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.model import Reason
from monitor.units import Unit
from monitor.view import Cell, CheckDetail, CheckView, Condition
from monitor.web.page.check import SPANS, chosen, most_telling, phases, settings, usual
from tests.fakes import START
from tests.story import DATABASE
from tests.web.page.scene import HOSTILE, USED, Forms, Scene, samples, views, visit

PAGE = "/systems/shop/database"


async def test_a_check_is_told_whole() -> None:
    """State, value against figure, plot, remedy, phases, runs, incidents, configuration, needs, runbook."""
    async with visit(Scene()) as visitor:
        status, page = await visitor.see(PAGE)
    assert status == 200
    for told in (
        *("<h1>Database</h1>", ">96 %<", "&gt; 95%", "fires</span>", 'class="plot"', "critical &gt; 95%"),
        *("See who holds the connections.", "If it is auth", "processing", "<b>87 ms</b>"),
        *("connection refused by db.example.com:5432", "left out", "the resolver did not answer"),
        *("goes on for 1 h", "down.critical", 'href="/systems/shop/site"', 'href="https://example.com/runbook"'),
        *("As a table", "deploy of api 1.4.2", 'action="/runs"', 'action="/acks"', 'action="/silences"'),
    ):
        assert told in page, told
    assert "style=" not in page
    assert "<script src=" in page


async def test_measure_and_span_are_chosen_by_links() -> None:
    async with visit(Scene()) as visitor:
        _, page = await visitor.see(f"{PAGE}?measure=duration&span=7d")
    assert '<strong aria-current="true">duration</strong>' in page
    assert '<strong aria-current="true">7d</strong>' in page
    assert 'href="?measure=duration&amp;span=1h#plot"' in page
    assert 'href="?measure=connections&amp;span=7d#plot"' in page


def test_what_is_asked_for_is_shown_if_there_is_such() -> None:
    """Else the day of the measure that tells most: what fires, what has a figure, how long it took, the first one."""
    known = dict.fromkeys(("rows", "duration", "connections"), (Unit.NUMBER, ""))
    view = views()[0]
    detail = CheckDetail(view, measures=known)
    assert chosen({"measure": "rows", "span": "1h"}, detail) == ("rows", "1h")
    assert chosen({"measure": "<nothing>", "span": "9y"}, detail) == ("connections", "24h")
    assert most_telling(replace(detail, view=replace(view, figures=view.figures[1:]))) == "duration"
    broken = replace(USED, watch="(((")
    assert most_telling(replace(detail, view=replace(view, figures=(broken,)))) == "duration"
    assert most_telling(CheckDetail(replace(view, figures=()), measures={"rows": (Unit.NUMBER, "")})) == "rows"
    assert most_telling(CheckDetail(view)) == ""
    assert SPANS["24h"] == timedelta(days=1)


@pytest.mark.parametrize(
    ("runs", "span"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 3], "1h"),
        ([0, 0, 0, 0, 3, 0, 0, 3], "6h"),
        ([0, 0, 3, 0, 0, 0, 0, 0], "24h"),
        ([0, 0, 0, 0, 0, 0, 0, 0], "24h"),
        ([], "24h"),
    ],
)
def test_what_is_new_is_shown_from_near(runs: list[int], span: str) -> None:
    assert usual([Cell(START, up=count) for count in runs]) == span


def test_phases_share_a_whole_and_nothing_is_no_phase() -> None:
    found = phases({"dns": 0.1, "connect": 0.0, "processing": 0.3})
    assert [(one.name, round(one.begin, 3), round(one.share, 3)) for one in found] == [
        ("dns", 0, 0.25),
        ("connect", 0.25, 0),
        ("processing", 0.25, 0.75),
    ]
    assert phases({}) == phases({"dns": 0.0}) == []


def test_a_configuration_is_told_line_by_line() -> None:
    assert settings({"url": "x", "down": {"critical": 3}, "headers": {}, "needs": ["a"], "every": timedelta(1)}) == [
        ("url", "x"),
        ("down.critical", "3"),
        ("headers", "{}"),
        ("needs", '["a"]'),
        ("every", '"1 day, 0:00:00"'),
    ]


async def test_whatever_others_wrote_is_text() -> None:
    """Titles, details, labels, remedies, names: nothing of them becomes markup, and nothing in them hides."""
    figure = replace(USED, name=HOSTILE, labels=((HOSTILE, HOSTILE),), source=HOSTILE, shown=HOSTILE, target=HOSTILE)
    view = replace(views()[0], title=HOSTILE, detail=HOSTILE, figures=(figure,), reason=Reason.BODY)
    scene = Scene(checks=(view,), details={"samples": (replace(samples()[7], detail=HOSTILE),), "remedy": (HOSTILE,)})
    async with visit(scene) as visitor:
        _, page = await visitor.see(PAGE)
    assert page.count("alert(") >= 6
    assert "<script>" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page


async def test_a_check_that_is_not_run_says_why_and_has_no_buttons() -> None:
    skipped = CheckView(DATABASE, "Database", "", Condition.SKIPPED, timedelta(), skipped="SHOP_DSN is not set")
    details: dict[str, object] = {
        "samples": (),
        "remedy": (),
        "remedy_for": {},
        "needs": (),
        "measures": {},
        "phases": {},
    }
    async with visit(Scene(checks=(skipped,), details=details)) as visitor:
        status, page = await visitor.see(PAGE)
    assert status == 200
    assert "Not run: SHOP_DSN is not set" in page
    assert 'action="/runs"' not in page


async def test_a_measure_that_was_not_plotted_yet_is_no_fault() -> None:
    """The site has no plot here, and no measures."""
    async with visit(Scene()) as visitor:
        status, page = await visitor.see("/systems/shop/site")
        assert status == 200
        assert 'class="plot"' not in page


@pytest.mark.parametrize("path", ["/systems/shop/nothing", "/systems/nowhere/database", "/alerts/0123456789abcdef"])
async def test_what_is_not_there_is_said_within_the_page(path: str) -> None:
    async with visit(Scene()) as visitor:
        status, page = await visitor.see(path)
    assert status == 404
    assert "There is no" in page
    assert '<nav aria-label="Main">' in page


async def test_without_the_store_what_is_in_memory_is_shown() -> None:
    """With the buttons, under a sentence that says so; a check that nobody knows then is not called missing."""
    async with visit(Scene(away=True)) as visitor:
        status, page = await visitor.see(PAGE)
        lost, _ = await visitor.see("/systems/shop/nothing")
    assert (status, lost) == (503, 503)
    assert "The store cannot be reached" in page
    assert ">96 %<" in page
    assert Forms(page).of("/runs", system="shop", check="database")


async def test_a_public_system_says_where_its_badges_are() -> None:
    async with visit(Scene(public_too=True)) as visitor:
        _, page = await visitor.see(PAGE)
    assert f"{visitor.url}/badge/shop/database.svg" in page


async def test_only_levels_that_are_used_have_a_column() -> None:
    """Of the shop's figures none is of the level *info*."""
    async with visit(Scene()) as visitor:
        _, page = await visitor.see(PAGE)
    assert '<th scope="col">Warning</th>' in page
    assert '<th scope="col">Info</th>' not in page

"""What can be said of the looks without a browser: contrast, strips in words, which figure is shown."""

from __future__ import annotations

import re
from importlib.resources import files
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Severity
from monitor.units import Unit
from monitor.view import Cell, Condition, FigureView
from monitor.web.page.foremost import figure_of, foremost, nearness
from monitor.web.page.looks import name_of
from monitor.web.page.strip import HEIGHTS, hour, in_words, strip
from tests.fakes import START
from tests.web.page.stage import HOUR, expiry, full, slow

SHEET = files("monitor.web.page").joinpath("static/page.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", part)) for part in SHEET.split("@media (prefers-color", 1)
)
GROUNDS = ("ground", "card", "raised")
TEXTS = [
    *product(("ink", "soft", "link", "c-quiet"), GROUNDS),
    *(
        (f"c-{one}", ground)
        for one in ("critical", "warning", "info", "failing", "unknown", "up")
        for ground in ("card", "raised")
    ),
    *((f"c-{one}", f"t-{one}") for one in ("critical", "warning", "info", "failing", "unknown", "up")),
    ("on-critical", "f-critical"),
    ("on-main", "main"),
]
SHAPES = [
    *product(("edge", "link"), GROUNDS),
    *((f"s-{one}", ground) for one in HEIGHTS for ground in ("card", "raised")),
]


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_everything_can_be_read(colours: dict[str, str]) -> None:
    """AA: 4.5 for text, 3 for what is drawn, in light and in dark."""
    assert LIGHT.keys() == DARK.keys()
    found = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in [*TEXTS, *SHAPES]}
    assert {pair: round(found[pair], 2) for pair in TEXTS if found[pair] < 4.5} == {}
    assert {pair: round(found[pair], 2) for pair in SHAPES if found[pair] < 3} == {}


def test_every_condition_has_its_colour_and_shape() -> None:
    for condition in Condition:
        assert f".badge.{name_of(condition)}::before" in SHEET
    assert all(f".strip .{kind} " in SHEET for kind in HEIGHTS if kind != "none")
    assert len(set(HEIGHTS.values())) >= len(HEIGHTS) - 1


def cell(at: int, kind: str) -> Cell:
    severities = {str(one): one for one in Severity}
    counts = {"down": {"up": 1, "down": 1}, "unknown": {"up": 1, "unknown": 1}, "none": {}}.get(kind, {"up": 1})
    return Cell(START + HOUR * at, **counts, worst=severities.get(kind))


@given(st.lists(st.sampled_from(sorted(HEIGHTS)), max_size=30))
def test_a_strip_has_a_bar_for_each_hour(kinds: list[str]) -> None:
    """As high as the worst of the hour, and its words name every kind that is not up."""
    cells = [cell(at, kind) for at, kind in enumerate(kinds)]
    assert [hour(one) for one in cells] == kinds
    picture = strip(cells)
    bars = re.findall(r"M(\d+) 20v-(\d+)", picture)
    assert sorted((int(x) // 4, int(height)) for x, height in bars) == [
        (at, HEIGHTS[kind]) for at, kind in enumerate(kinds)
    ]
    words = in_words(cells)
    assert f"<title>{words}</title>" in picture
    seen = [kind for kind in kinds if kind not in {"up", "none"}]
    assert not seen or seen[-1] in words
    assert ("not looked at" in words) == ("none" in kinds)


LONG = "info up unknown up down up warning up"
TOLD = "Last 8 hours: unknown 14:00–15:00, down without an alert 16:00–17:00, warning 18:00–19:00, and 1 more before"


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ("", "nothing is known yet"),
        ("up up", "Last 2 hours: up"),
        ("none none", "Last 2 hours: not looked at in 2 of 2 hours"),
        ("up down down up", "Last 4 hours: down without an alert 13:00–15:00"),
        (LONG, TOLD),
    ],
)
def test_a_strip_in_words(kinds: str, words: str) -> None:
    assert in_words([cell(at, kind) for at, kind in enumerate(kinds.split())]) == words


def test_the_figure_that_fires_is_shown() -> None:
    near, fires = slow("299 ms", 0.299), full("81 %", 0.81, Severity.WARNING)
    worse = slow("700 ms", 0.7, Severity.CRITICAL)
    assert foremost([near, fires]) is fires
    assert foremost([near, fires, worse]) is worse
    assert figure_of(worse) == "critical > 500ms"
    assert figure_of(fires) == "warning > 80%"


def test_else_the_one_nearest_to_its_mildest_level() -> None:
    """What the file says before what comes with the kind, however near that is."""
    far, near = slow("96 ms", 0.096), full("79 %", 0.79)
    assert foremost([far, near, expiry("15 d", 15 * 86_400.0)]) is near
    assert foremost([expiry()]) == expiry()
    assert figure_of(near) == "warning > 80%"


def test_what_has_no_value_is_not_shown() -> None:
    nothing = FigureView("slow", "duration", Unit.SECONDS, figures={Severity.WARNING: "> 1s"})
    assert foremost([nothing]) is None
    assert foremost([]) is None
    assert figure_of(FigureView("a", "b", Unit.NUMBER, target="< 3")) == "target < 3"
    assert figure_of(FigureView("a", "b", Unit.NUMBER)) == ""


@pytest.mark.parametrize(
    ("value", "level", "near"),
    [
        (50.0, "> 100", 0.5),
        (200.0, "< 100", 0.5),
        (0.0, "> 100", 0),
        (5.0, "> 0", 0),
        (-5.0, "> 100", 0),
        (5.0, "?", 0),
    ],
)
def test_how_near_a_value_is(value: float, level: str, near: float) -> None:
    """A share; what cannot be compared so is far."""
    figure = FigureView("a", "b", Unit.NUMBER, value=value, figures={Severity.WARNING: level})
    assert nearness(figure) == near

"""A plot as a picture, in words and as a table: whatever was measured, and whatever it is called."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import CheckId, Severity, State, labels
from monitor.units import Unit
from monitor.view import Line, Mark, Plot, Point
from monitor.web.page.axis import drawable, moments, value_axis
from monitor.web.page.plot import FIELD, HEIGHT, TOP, WIDTH, beyond, draw, segments
from monitor.web.page.summary import MOST_ROWS, beginning, describe, flags, legend, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.model import Labels

SINCE, UNTIL = datetime(2026, 11, 21, 14, tzinfo=UTC), datetime(2026, 11, 22, 14, tzinfo=UTC)
GAP = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
DRAW = "{http://www.w3.org/2000/svg}"
HOSTILE = '</svg><script>alert(1)</script>"\x00\u202e&'

at = st.datetimes(SINCE.replace(tzinfo=None), UNTIL.replace(tzinfo=None)).map(lambda moment: moment.replace(tzinfo=UTC))
values = st.one_of(
    st.floats(),
    st.floats(1e-12, 1e15),
    st.floats(-1e15, -1e-12),
    st.sampled_from([0.0, 1.0, 0.5, 1e-12, 1e15, 5e-324, math.nan, math.inf]),
)
points = st.builds(
    lambda moment, found: Point(moment, found[1], found[0], found[2]), at, st.tuples(values, values, values)
)
texts = st.one_of(st.just(HOSTILE), st.text(max_size=20))
severities = st.none() | st.sampled_from(Severity)
plots = st.builds(
    Plot,
    check=st.just(CheckId("shop", "site")),
    measure=texts,
    unit=st.sampled_from(Unit),
    meaning=texts,
    since=st.just(SINCE),
    until=st.just(UNTIL),
    gap=st.sampled_from([timedelta(0), GAP, timedelta(days=2)]),
    series=st.dictionaries(
        st.dictionaries(texts, texts, max_size=1).map(labels), st.lists(points, max_size=8).map(tuple), max_size=3
    ),
    lines=st.lists(st.builds(Line, values, texts, severities), max_size=4).map(tuple),
    marks=st.lists(st.builds(Mark, at, st.sampled_from(["deploy", "alert"]), texts, severities), max_size=9).map(tuple),
    dark=st.lists(
        st.tuples(at, at, st.sampled_from([State.DOWN, State.UNKNOWN])).map(lambda one: (*sorted(one[:2]), one[2])),
        max_size=3,
    ).map(tuple),
)


def plot_of(*found: tuple[float, float], **more: object) -> Plot:
    """Return a plot of a duration, `found` as minutes after its beginning and values."""
    series: dict[Labels, tuple[Point, ...]] = {
        (): tuple(Point(SINCE + MINUTE * minute, value, value, value) for minute, value in found)
    }
    made = Plot(CheckId("shop", "site"), "duration", Unit.SECONDS, "how long", SINCE, UNTIL, GAP, series)
    return replace(made, **more)  # type: ignore[arg-type]


def numbers(element: ET.Element, name: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?[\d.]+(?:e[+-]?\d+)?|nan|inf", element.get(name, ""))]


def elements(svg: ET.Element, tag: str, name: str = "") -> list[ET.Element]:
    return [one for one in svg.iter(DRAW + tag) if name in one.get("class", "").split() or not name]


def drawn_points(svg: ET.Element) -> list[tuple[float, float]]:
    """Return where single values stand, in the field: on lines, and alone."""
    paths = (numbers(path, "d") for path in elements(svg, "path", "series"))
    found = [(path[index], path[index + 1]) for path in paths for index in range(0, len(path), 2)]
    dots = (
        (numbers(dot, "cx")[0] * WIDTH / 100, numbers(dot, "cy")[0] - TOP) for dot in elements(svg, "circle", "dot")
    )
    return [*found, *dots]


@given(plots)
def test_a_picture_is_well_formed_and_everything_in_it_is_within(plot: Plot) -> None:
    """Every coordinate is a finite number within the picture, whatever was measured and however it is labelled."""
    svg = ET.fromstring(draw(plot))  # noqa: S314 - ours
    assert svg.tag == f"{DRAW}svg"
    (field,) = elements(svg, "svg", "field")
    inside = set(field.iter())
    for element in svg.iter():
        assert not {"style", "onload", "href"} & set(element.keys())
        assert element.tag != f"{DRAW}script"
        for name, most in (("x", 100), ("x1", 100), ("x2", 100), ("cx", 100), ("width", 100)):
            assert all(0 <= found <= most for found in numbers(element, name)) or element in elements(svg, "pattern")
        for name in ("y", "y1", "y2", "cy"):
            assert all(0 <= found <= HEIGHT for found in numbers(element, name))
        if element in inside and element.tag == f"{DRAW}path":
            place = numbers(element, "d")
            assert all(0 <= found <= WIDTH for found in place[::2])
            assert all(0 <= found <= FIELD for found in place[1::2])
    assert "nan" not in re.sub(r'aria-label="[^"]*"|>[^<]*<', "", draw(plot)).lower()


@given(plots)
def test_every_value_figure_and_mark_within_range_is_there(plot: Plot) -> None:
    """Each value stands once, each figure on the axis has its line, each mark its line and each flag its number."""
    svg = ET.fromstring(draw(plot))  # noqa: S314 - ours
    known = [point for found in plot.series.values() for point in found if drawable(point.mean)]
    assert len(drawn_points(svg)) == len(known)
    bounds = [value for point in known for value in point[1:] if drawable(value)]
    axis = value_axis(bounds, [line.value for line in plot.lines], plot.unit)
    held = [line for line in plot.lines if drawable(line.value) and axis.holds(line.value)]
    assert len(elements(svg, "line", "figure")) == len(elements(svg, "text", "figure-text")) == len(held)
    assert len(elements(svg, "g", "mark")) == len(plot.marks) == len(flags(plot))
    told = "–".join(text.text or "" for text in elements(svg, "text", "flag-number"))
    ends = [int(number) for number in re.findall(r"\d+", told)]
    assert ends == sorted(ends)
    assert (ends[:1], ends[-1:]) == (([1], [len(plot.marks)]) if plot.marks else ([], []))
    assert len(elements(svg, "g", "dark")) == len(plot.dark)


@given(plots)
def test_a_line_never_goes_across_a_gap_a_dark_edge_or_what_is_no_number(plot: Plot) -> None:
    """Two values are on one line only if nothing lies between them; nothing is lost, and nothing is drawn twice."""
    for found in plot.series.values():
        parts = segments(plot, found)
        assert sorted(point for part in parts for point in part) == sorted(p for p in found if drawable(p.mean))
        for part in parts:
            for one, other in pairwise(part):
                assert timedelta(0) <= other.at - one.at <= plot.gap
                assert not any(one.at < edge <= other.at for span in plot.dark for edge in span[:2])


@given(plots)
def test_words_and_table_tell_of_every_plot(plot: Plot) -> None:
    """The table has at most its rows, each with a cell for every series, and the sentence never ends in mid-air."""
    rows = table(plot)
    assert len(rows) <= MOST_ROWS
    assert all(len(row.cells) == len(plot.series) for row in rows)
    assert all(any(row.cells) for row in rows)
    assert [row.at for row in rows] == sorted((row.at for row in rows), reverse=True)
    assert len(legend(plot)) == len(plot.series)
    assert describe(plot).endswith(".")
    assert "\x00" not in describe(plot)


@given(st.lists(values, max_size=6), st.lists(values, max_size=3), st.sampled_from(Unit))
def test_an_axis_holds_what_was_measured_and_its_figures_are_told_apart(
    found: list[float], figures: list[float], unit: Unit
) -> None:
    axis = value_axis(found, figures, unit)
    assert axis.low < axis.high
    assert all(axis.holds(value) for value in found if drawable(value))
    shares = [tick.share for tick in axis.ticks]
    assert shares[0] == 0
    assert shares[-1] == 1
    assert 2 <= len(shares) <= 12
    assert len({tick.text for tick in axis.ticks}) == len(shares)


@pytest.mark.parametrize(
    ("found", "figures", "unit", "texts"),
    [
        ([0.2, 0.9], [], Unit.SECONDS, ["0", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1.0 s"]),
        ([0.02, 0.03], [0.5], Unit.SECONDS, ["20 ms", "22 ms", "24 ms", "26 ms", "28 ms", "30 ms"]),
        ([12, 100], [], Unit.SECONDS, ["0", "30 s", "1 min", "1 min 30 s", "2 min"]),
        ([86_400 * 60], [86_400 * 14], Unit.TIMESTAMP, ["0", *(f"{days} d" for days in range(10, 70, 10))]),
        ([86_400.0, 86_400 * 10], [], Unit.SECONDS, ["0", "2 d", "4 d", "6 d", "8 d", "10 d"]),
        ([0.12], [0.8], Unit.RATIO, ["0", "20 %", "40 %", "60 %", "80 %"]),
        ([1e9, 1.0001e9], [], Unit.BYTES, ["1.00000 GB", *(f"1.0000{n} GB" for n in (2, 4, 6, 8)), "1.00010 GB"]),
        ([2e6], [], Unit.BYTES_PER_SECOND, ["0", "0.5 MB/s", "1.0 MB/s", "1.5 MB/s", "2.0 MB/s"]),
        ([-2, 2], [], Unit.NUMBER, ["-2", "-1", "0", "1", "2"]),
        ([0, 0], [5], Unit.NUMBER, ["0", "1", "2", "3", "4", "5"]),
        ([1e-12], [], Unit.NUMBER, ["0", "2e-13", "4e-13", "6e-13", "8e-13", "1e-12"]),
        ([3e6], [], Unit.NUMBER, ["0", *(f"{tenth / 10} M" for tenth in range(5, 35, 5))]),
        ([8], [], Unit.PER_SECOND, ["0", "2 /s", "4 /s", "6 /s", "8 /s"]),
        ([], [], Unit.NUMBER, ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ],
)
def test_figures_at_an_axis_read_as_people_write_them(
    found: list[float], figures: list[float], unit: Unit, texts: list[str]
) -> None:
    assert [tick.text for tick in value_axis(found, figures, unit).ticks] == texts


def test_a_gap_parts_a_line_and_a_single_value_is_a_dot() -> None:
    svg = ET.fromstring(draw(plot_of((0, 0.1), (10, 0.2), (60, 0.3), (70, 0.2), (200, 0.4))))  # noqa: S314 - ours
    assert [len(numbers(path, "d")) // 2 for path in elements(svg, "path", "series")] == [2, 2]
    assert len(elements(svg, "circle", "dot")) == 1


def walk() -> Iterator[tuple[float, float]]:
    yield from ((minute, 0.2 + minute % 7 / 100) for minute in range(0, 1440, 5))


def test_a_down_time_parts_a_line_and_is_named() -> None:
    dark = ((SINCE + 60 * MINUTE, SINCE + 300 * MINUTE, State.DOWN),)
    plot = plot_of(
        *((minute, value) for minute, value in walk() if not 60 <= minute < 300), dark=dark, gap=UNTIL - SINCE
    )
    svg = ET.fromstring(draw(plot))  # noqa: S314 - ours
    assert len(elements(svg, "path", "series")) == 2
    assert [text.text for text in elements(svg, "text", "dark-text")] == ["down"]
    assert "down for 4 h" in describe(plot)


def test_a_band_shows_from_where_to_where_values_went() -> None:
    found = tuple(Point(SINCE + MINUTE * minute, 0.2, 0.1, 0.4) for minute in range(0, 60, 5))
    svg = ET.fromstring(draw(plot_of(series={(): found})))  # noqa: S314 - ours
    (band,) = elements(svg, "path", "band")
    assert len(numbers(band, "d")) == 2 * 2 * len(found)
    assert table(plot_of(series={(): found}))[0].cells == ("200 ms (100 ms to 400 ms)",)


def test_names_of_figures_keep_apart() -> None:
    """Three figures almost on one height have names that do not lie on one another."""
    lines = tuple(Line(0.3 + n / 1000, f"> {n}", Severity.WARNING) for n in range(3))
    svg = ET.fromstring(draw(plot_of(*walk(), lines=lines)))  # noqa: S314 - ours
    heights = [float(text.get("y", "")) for text in elements(svg, "text", "figure-text")]
    assert all(after - before >= 14 for before, after in pairwise(sorted(heights)))


def test_many_marks_at_once_share_a_flag_and_a_lone_one_has_its_text() -> None:
    marks = (
        Mark(SINCE + MINUTE * 100, "deploy", "deploy of 2.4.1"),
        *(Mark(SINCE + MINUTE * (700 + n), "alert", f"alert {n}", Severity.CRITICAL) for n in range(3)),
        Mark(SINCE + MINUTE * 710, "alert", "over"),
    )
    plot = plot_of(*walk(), marks=marks)
    svg = ET.fromstring(draw(plot))  # noqa: S314 - ours
    assert [text.text for text in elements(svg, "text", "flag-number")] == ["1", "2–5"]
    assert [text.text for text in elements(svg, "text", "flag-text")] == ["deploy of 2.4.1"]
    assert [flag.kind for flag in flags(plot)] == ["deploy", "critical", "critical", "critical", "ended"]


@given(st.integers(60, 40 * 86_400))
def test_moments_are_round_few_and_within(seconds: int) -> None:
    found = moments(UNTIL - timedelta(seconds=seconds), UNTIL)
    assert len(found) <= 8
    assert all(0 <= moment.share <= 1 and moment.at.second == 0 for moment in found)
    assert all(one.at < other.at for one, other in pairwise(found))


def test_no_time_at_all_has_no_moments() -> None:
    assert moments(UNTIL, UNTIL) == moments(UNTIL, SINCE) == moments(UNTIL - timedelta(days=9_000), UNTIL) == []


def test_a_plot_of_something_new_begins_with_it() -> None:
    """So a newcomer sees more than a sliver; what is known for longer, or of nothing, is shown whole."""
    new = beginning(plot_of((1_430, 0.2), (1_440, 0.3)))
    assert UNTIL - timedelta(minutes=12) < new.since < UNTIL - timedelta(minutes=10)
    assert beginning(plot_of((1_440, 0.2))).since == UNTIL - timedelta(minutes=5)
    for whole in (plot_of(*walk()), plot_of(), plot_of((1_430, 0.2), marks=(Mark(SINCE, "deploy", "1.2"),))):
        assert beginning(whole) is whole


def test_a_figure_far_from_all_values_is_named_beside_the_picture() -> None:
    near, far = Line(0.3, "> 300ms", Severity.WARNING), Line(5, "> 5s", Severity.CRITICAL)
    plot = plot_of(*walk(), lines=(near, far))
    assert beyond(plot) == [far]
    assert "critical &gt; 5s" not in draw(plot).partition(">")[2]


def test_what_was_dark_before_or_after_is_not_shaded() -> None:
    dark = ((SINCE - GAP, SINCE - MINUTE, State.DOWN), (UNTIL + MINUTE, UNTIL + GAP, State.UNKNOWN))
    assert not elements(ET.fromstring(draw(plot_of(*walk(), dark=dark))), "g", "dark")  # noqa: S314 - ours

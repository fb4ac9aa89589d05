"""One measure over time as a picture: `Plot` → SVG. Pure.

The picture has no width of its own. What is written or shaded stands at shares of the width, so that letters are as
large on a phone as on a desk; only the lines are stretched, in a field within. Colours, strokes and dark mode are left
to the style sheet (`.plot`): there is neither style nor script in it.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree as ET

from monitor.model import State
from monitor.plain import plain
from monitor.web.page.axis import Axis, drawable, moments, value_axis
from monitor.web.page.summary import describe, figure_text, flags, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from monitor.view import Line, Plot, Point
    from monitor.web.page.summary import Flag

WIDTH, FIELD = 1_000.0, 220.0
TOP, BOTTOM = 30.0, 24.0
HEIGHT = TOP + FIELD + BOTTOM
EDGE = 0.05
"""Nearer to an end than that share, what is written is turned inwards."""
NEAR = 0.055
"""Flags that are nearer to each other than that share become one."""
SPACIOUS = 0.2
"""A flag with so much space behind it has its text there."""
NARROWEST = 0.003
"""The least width of what is shaded: a short outage must be seen, too."""
WIDE = 0.07
LINE_HEIGHT = 14.0
SHADES = {State.DOWN: "M0 8L8 0M-2 2L2 -2M6 10L10 6", State.UNKNOWN: "M2 2h.1M6 6h.1"}
"""The patterns of what was down (stripes) and of what nobody could tell (dots)."""
LONGEST_TEXT = 80
BESIDE_TICKS = "72"
"""Pixels from the left at which names of figures begin: the newest values, at the right, stay free."""

Attributes = dict[str, str]


class _Canvas(NamedTuple):
    plot: Plot
    time: Axis
    values: Axis
    svg: ET.Element
    parts: Sequence[Sequence[Sequence[Point]]]


def draw(plot: Plot) -> str:
    """Return the picture of `plot`, as an element of HTML that is well-formed XML besides."""
    size = {"width": "100%", "height": _number(HEIGHT), "xmlns": "http://www.w3.org/2000/svg"}
    svg = ET.Element("svg", {"class": "plot", "role": "img", "aria-label": describe(plot), **size})
    parts = _parts(plot)
    canvas = _Canvas(plot, time_axis(plot), _values(plot, parts), svg, parts)
    _darkness(canvas)
    _grid(canvas)
    _series(canvas)
    _figures(canvas)
    _marks(canvas)
    _ticks(canvas)
    return ET.tostring(svg, "unicode")


def time_axis(plot: Plot) -> Axis:
    """Return the axis of time, in seconds of the epoch."""
    first, last = plot.since.timestamp(), plot.until.timestamp()
    return Axis(first, max(last, first + 1), ())


def segments(plot: Plot, points: Sequence[Point]) -> list[list[Point]]:
    """Return what may be drawn as one line each, of what is within the time of the plot.

    Nothing goes across a gap, the edge of a dark time, or what is no number.
    """
    edges = sorted(edge for begin, end, _ in plot.dark for edge in (begin, end))
    seen = sorted(point for point in points if plot.since <= point.at <= plot.until)
    found: list[list[Point]] = []
    before: Point | None = None
    for point in seen:
        if not drawable(point.mean):
            before = None
            continue
        if before is None or point.at - before.at > plot.gap or _parted(edges, before, point):
            found.append([])
        found[-1].append(point)
        before = point
    return found


def beyond(plot: Plot) -> list[Line]:
    """Return the figures that are too far from what was measured to stand in the picture."""
    held = _held(plot.lines, _values(plot, _parts(plot)))
    return [line for line in plot.lines if line not in held]


def _held(lines: Iterable[Line], axis: Axis) -> list[Line]:
    return [line for line in lines if drawable(line.value) and axis.holds(line.value)]


def _parted(edges: Sequence[object], one: Point, other: Point) -> bool:
    return bisect_right(edges, one.at) != bisect_right(edges, other.at)  # type: ignore[type-var]


def _parts(plot: Plot) -> list[list[list[Point]]]:
    """Return for each series what may be drawn as one line each."""
    return [segments(plot, points) for points in plot.series.values()]


def _values(plot: Plot, parts: Sequence[Sequence[Sequence[Point]]]) -> Axis:
    seen = (point for found in parts for segment in found for point in segment)
    values = [value for point in seen for value in point[1:] if drawable(value)]
    return value_axis(values, [line.value for line in plot.lines], plot.unit)


def _darkness(canvas: _Canvas) -> None:
    """Shade the times that were down, or of which nobody can tell, with a pattern each."""
    defs = ET.SubElement(canvas.svg, "defs")
    for state, form in SHADES.items():
        tile = {"width": "8", "height": "8", "patternUnits": "userSpaceOnUse"}
        pattern = ET.SubElement(defs, "pattern", {"id": f"plot-{state}", **tile})
        ET.SubElement(pattern, "path", {"class": f"shade-{state}", "d": form})
    for begin, end, state in canvas.plot.dark:
        if end < canvas.plot.since or begin > canvas.plot.until:
            continue
        left, right = (canvas.time.share(moment.timestamp()) for moment in (begin, end))
        left = min(left, 1 - NARROWEST)
        width = max(right - left, NARROWEST)
        group = ET.SubElement(canvas.svg, "g", {"class": f"dark dark-{state}"})
        ET.SubElement(group, "title").text = f"{state} {time_text(begin)} to {time_text(end)}"
        area = {"x": _share(left), "width": _share(width), "y": _number(TOP), "height": _number(FIELD)}
        for fill in ("", f"url(#plot-{state})"):
            ET.SubElement(group, "rect", {**area, **({"fill": fill} if fill else {"class": "wash"})})
        if width >= WIDE:
            _write(group, left + width / 2, TOP + FIELD - 8, str(state), {"class": "dark-text"})


def _grid(canvas: _Canvas) -> None:
    for tick in canvas.values.ticks:
        _across(canvas.svg, _height(tick.share), "grid")


def _series(canvas: _Canvas) -> None:
    """Draw the lines in a field that is stretched to the width, and what stands alone as dots."""
    stretched = {"viewBox": f"0 0 {_number(WIDTH)} {_number(FIELD)}", "preserveAspectRatio": "none"}
    place = {"x": "0", "y": _number(TOP), "width": "100%", "height": _number(FIELD)}
    field = ET.SubElement(canvas.svg, "svg", {"class": "field", **place, **stretched})
    for index, found in enumerate(canvas.parts):
        for segment in found:
            if len(segment) > 1:
                _band(canvas, field, segment, f"band s{index}")
        for segment in found:
            if len(segment) > 1:
                ET.SubElement(field, "path", {"class": f"series s{index}", "d": _path(canvas, segment, 1)})
            else:
                _dot(canvas, segment[0], f"dot s{index}")


def _band(canvas: _Canvas, field: ET.Element, segment: Sequence[Point], name: str) -> None:
    """Fill what lies between the least and the greatest of the values that points stand for."""
    known = [point for point in segment if drawable(point.least) and drawable(point.greatest)]
    if len(known) > 1 and any(point.least < point.greatest for point in known):
        up, down = _path(canvas, known, 3), _path(canvas, known[::-1], 2)
        ET.SubElement(field, "path", {"class": name, "d": f"{up}L{down[1:]}Z"})


def _dot(canvas: _Canvas, point: Point, name: str) -> None:
    x, y = canvas.time.share(point.at.timestamp()), _height(canvas.values.share(point.mean))
    ET.SubElement(canvas.svg, "circle", {"class": name, "cx": _share(x), "cy": _number(y), "r": "2.5"})


def _path(canvas: _Canvas, points: Sequence[Point], field: int) -> str:
    places = (
        (canvas.time.share(point.at.timestamp()) * WIDTH, _height(canvas.values.share(point[field])) - TOP)  # type: ignore[arg-type]
        for point in points
    )
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in places)


def _figures(canvas: _Canvas) -> None:
    """Draw the figures that are on the axis, their names at the left above them, as far as they keep apart."""
    shown = sorted(_held(canvas.plot.lines, canvas.values), key=lambda line: -line.value)
    heights = [_height(canvas.values.share(line.value)) for line in shown]
    for line, height in zip(shown, heights, strict=True):
        _across(canvas.svg, height, f"figure {_level(line)}")
    for line, height in zip(shown, _apart([height - 4 for height in heights]), strict=True):
        text = {"class": f"figure-text {_level(line)}", "dx": BESIDE_TICKS}
        _write(canvas.svg, 0, height, plain(figure_text(line), LONGEST_TEXT), text)


def _apart(heights: Sequence[float]) -> list[float]:
    """Return `heights` (the uppermost first) moved so far that lines of text do not meet, as far as there is room."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, TOP + 11, *(before + LINE_HEIGHT for before in placed[-1:])))
    lowest = TOP + FIELD - 4
    for index in reversed(range(len(placed))):
        placed[index] = max(min(placed[index], lowest), TOP + 11)
        lowest = placed[index] - LINE_HEIGHT
    return placed


def _marks(canvas: _Canvas) -> None:
    """Draw what happened: a line each, and flags with the numbers under which it is told beneath the picture."""
    found = flags(canvas.plot)
    shares = [canvas.time.share(flag.mark.at.timestamp()) for flag in found]
    for flag, share in zip(found, shares, strict=True):
        group = ET.SubElement(canvas.svg, "g", {"class": f"mark mark-{flag.kind}"})
        ET.SubElement(group, "title").text = f"{time_text(flag.mark.at)} {flag.text}"
        place = {"x1": _share(share), "x2": _share(share), "y1": _number(TOP - 8), "y2": _number(TOP + FIELD)}
        ET.SubElement(group, "line", place)
    together = list(_groups(shares))
    ends = [*(shares[group[0]] for group in together[1:]), 1.0]
    for near, end in zip(together, ends, strict=False):  # without any, there is still the end
        _flag(canvas, [found[index] for index in near], (shares[near[0]], shares[near[-1]]), end)


def _flag(canvas: _Canvas, group: Sequence[Flag], span: tuple[float, float], end: float) -> None:
    """Draw the flag of what happened within `span`; nothing else stands between it and `end`."""
    worst = max(group, key=lambda flag: flag.mark.severity or 0)
    drawn = ET.SubElement(canvas.svg, "g", {"class": f"flag mark-{worst.kind}"})
    left, right = (min(max(share, EDGE / 2), 1 - EDGE / 2) for share in span)
    if len(group) > 1:
        right = max(right, min(left + EDGE, 1 - EDGE / 2))
        left = min(left, right - EDGE)
        ET.SubElement(drawn, "line", {"x1": _share(left), "x2": _share(right), "y1": "12", "y2": "12"})
    else:
        ET.SubElement(drawn, "circle", {"cx": _share(left), "cy": "12", "r": "9"})
    number = str(group[0].number) if len(group) == 1 else f"{group[0].number}–{group[-1].number}"
    _write(drawn, (left + right) / 2, 16, number, {"class": "flag-number"}, inwards=False)
    if len(group) == 1 and end - span[1] >= SPACIOUS:
        text = plain(group[0].text, int((end - span[1]) * 100) - 2)
        _write(drawn, left, 16, text, {"class": "flag-text", "dx": "14", "text-anchor": "start"})


def _groups(shares: Sequence[float]) -> Iterator[list[int]]:
    """Yield the indices of what stands together."""
    if not shares:
        return
    group = [0]
    for index, (before, share) in enumerate(pairwise(shares), 1):
        if share - before < NEAR:
            group.append(index)
        else:
            yield group
            group = [index]
    yield group


def _ticks(canvas: _Canvas) -> None:
    for tick in canvas.values.ticks:
        _write(canvas.svg, 0, _height(tick.share) - 4, tick.text, {"class": "tick", "text-anchor": "start"})
    for number, moment in enumerate(moments(canvas.plot.since, canvas.plot.until)):
        told = {"class": "tick seldom" if number % 2 else "tick", "data-at": moment.at.isoformat()}
        _write(canvas.svg, moment.share, HEIGHT - 7, moment.text, told)
    if not any(canvas.parts):
        _write(canvas.svg, 0.5, TOP + FIELD / 2, "nothing was measured in this time", {"class": "nothing"})


def _write(
    parent: ET.Element, share: float, height: float, text: str, attributes: Mapping[str, str], *, inwards: bool = True
) -> None:
    anchor = "start" if inwards and share < EDGE else "end" if inwards and share > 1 - EDGE else "middle"
    place = {"x": _share(share), "y": _number(height), "text-anchor": anchor}
    ET.SubElement(parent, "text", {**place, **attributes}).text = text


def _across(parent: ET.Element, height: float, name: str) -> None:
    place = {"x1": "0", "x2": "100%", "y1": _number(height), "y2": _number(height)}
    ET.SubElement(parent, "line", {"class": name, **place})


def _height(share: float) -> float:
    return TOP + FIELD * (1 - share)


def _level(line: Line) -> str:
    return f"figure-{line.severity or 'target'}"


def _share(share: float) -> str:
    return f"{share * 100:.2f}%"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")

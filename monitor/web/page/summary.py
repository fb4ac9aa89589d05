"""A plot in words, as a table, and what its picture refers to: for whoever does not see it. Pure."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.plain import plain
from monitor.units import show, show_duration
from monitor.web.page.axis import drawable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from monitor.model import Labels, State
    from monitor.view import Line, Mark, Plot, Point

MOST_ROWS = 48
SHORTEST = timedelta(minutes=5)
"""The least time that a plot of something new shows."""
LONGEST = 120
DEPLOY, ENDED = "deploy", "ended"


class Flag(NamedTuple):
    """Something that happened, by its number in a plot. `kind`: deploy, a severity, or ended."""

    number: int
    mark: Mark
    kind: str
    text: str


class Row(NamedTuple):
    """What was measured from a moment on: a text for each series, empty where there is nothing."""

    at: datetime
    cells: tuple[str, ...]


class Entry(NamedTuple):
    """A series as its legend names it: which one it is, and its newest, its least and its greatest value in words."""

    number: int
    name: str
    newest: str
    least: str
    greatest: str


def describe(plot: Plot) -> str:
    """Return a plot in a few sentences."""
    head = f"{plain(plot.measure, LONGEST)} of {plain(str(plot.check), LONGEST)}"
    span = f"{time_text(plot.since)} to {time_text(plot.until)} UTC"
    parts = [f"{head}, {span}: {_said(plot)}"]
    parts += [f"{plain(figure_text(line), LONGEST)}" for line in plot.lines]
    parts += [f"{state} for {show_duration(lasted)}" for state, lasted in _dark(plot).items()]
    parts += [f"{time_text(flag.mark.at)} {flag.text}" for flag in flags(plot)]
    return "; ".join(parts) + "."


def legend(plot: Plot) -> list[Entry]:
    """Return the series as their legend names them, in the order in which they are drawn."""
    return [_entry(plot, index, key) for index, key in enumerate(plot.series)]


def table(plot: Plot) -> list[Row]:
    """Return what was measured as a table of at most 48 rows, newest first: means, and from where to where it went."""
    width = max((plot.until - plot.since) / MOST_ROWS, timedelta(microseconds=1))
    found: defaultdict[int, list[list[Point]]] = defaultdict(lambda: [[] for _ in plot.series])
    for index, points in enumerate(plot.series.values()):
        for point in _within(plot, points):
            found[min((point.at - plot.since) // width, MOST_ROWS - 1)][index].append(point)
    rows = sorted(found.items(), reverse=True)
    return [Row(_first(cells), tuple(_cell(plot, points) for points in cells)) for _, cells in rows]


def beginning(plot: Plot) -> Plot:
    """Return `plot` from the first that is known of it, if that is much less than its time: of what is new."""
    known = [point.at for points in plot.series.values() for point in _within(plot, points)]
    known += [flag.mark.at for flag in flags(plot)]
    known += [begin for begin, end, _ in plot.dark if end > plot.since]
    first = max(min(known, default=plot.since), plot.since)
    since = min(first - (plot.until - first) / 20, plot.until - SHORTEST)
    return replace(plot, since=since) if since > plot.since + (plot.until - plot.since) / 2 else plot


def flags(plot: Plot) -> list[Flag]:
    """Return what happened within the time of a plot, the oldest first."""
    seen = sorted((mark for mark in plot.marks if plot.since <= mark.at <= plot.until), key=lambda mark: mark.at)
    return [Flag(number, mark, _kind(mark), plain(mark.text, LONGEST)) for number, mark in enumerate(seen, 1)]


def figure_text(line: Line) -> str:
    """Return what a line of a figure is called, with how bad it is."""
    word = str(line.severity) if line.severity else "target"
    return line.text if word in line.text else f"{word} {line.text}"


def name_of(series: Labels, measure: str) -> str:
    """Return what a series is called: its labels, or the measure where it has none."""
    return plain(", ".join(f"{name}={value}" for name, value in series) or measure, LONGEST)


def time_text(moment: datetime) -> str:
    """Return a moment as people read it."""
    return f"{moment.day} {moment:%b %H:%M}"


def _kind(mark: Mark) -> str:
    if mark.severity is not None:
        return str(mark.severity)
    return DEPLOY if mark.kind == DEPLOY else ENDED


def _said(plot: Plot) -> str:
    entries = legend(plot)
    if not any(entry.newest for entry in entries):
        return "nothing was measured"
    if len(entries) == 1:
        return f"between {entries[0].least} and {entries[0].greatest}, {entries[0].newest} at last"
    return ", ".join(f"{one.name} between {one.least} and {one.greatest}" for one in entries if one.newest)


def _entry(plot: Plot, index: int, key: Labels) -> Entry:
    seen = _within(plot, plot.series[key])
    name = name_of(key, plot.measure)
    if not seen:
        return Entry(index, name, "", "", "")
    least, greatest = _range(seen)
    return Entry(index, name, show(seen[-1].mean, plot.unit), show(least, plot.unit), show(greatest, plot.unit))


def _within(plot: Plot, points: Iterable[Point]) -> list[Point]:
    return sorted(one for one in points if plot.since <= one.at <= plot.until and drawable(one.mean))


def _range(points: Sequence[Point]) -> tuple[float, float]:
    values = [value for point in points for value in point[1:] if drawable(value)]
    return min(values), max(values)


def _first(cells: Iterable[Sequence[Point]]) -> datetime:
    return min(point.at for points in cells for point in points)


def _cell(plot: Plot, points: Sequence[Point]) -> str:
    if not points:
        return ""
    mean = show(math.fsum(point.mean / len(points) for point in points), plot.unit)
    least, greatest = (show(value, plot.unit) for value in _range(points))
    return mean if least == greatest else f"{mean} ({least} to {greatest})"


def _dark(plot: Plot) -> dict[State, float]:
    found: dict[State, float] = {}
    for begin, end, state in plot.dark:
        lasted = (min(end, plot.until) - max(begin, plot.since)).total_seconds()
        if lasted > 0:
            found[state] = found.get(state, 0.0) + lasted
    return found

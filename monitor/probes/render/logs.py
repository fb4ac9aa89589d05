"""Lines of the logs by level and by pattern: counted here, and shown only where a check asks for it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from monitor.plain import plain
from monitor.probes.render.asking import FULL_PAGE, moment, written
from monitor.vendors import Page, read_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from monitor.probes.base import Run
    from monitor.probes.render.asking import Render
    from monitor.probes.render.fields import Logs
    from monitor.probes.render.services import Service
    from monitor.vendors import Found

MOST_PAGES = 5
"""Of a hundred lines each: whoever has more errors has another trouble than their number."""
EXCERPT = 120


class Line(NamedTuple):
    """A line of a log."""

    at: datetime
    level: str
    message: str


async def look_at_logs(run: Run, render: Render, services: Iterable[Service], logs: Logs) -> None:
    """Note how many lines of the last `logs.window` have each of its levels and fit each of its patterns.

    One question can be about one workspace and region only. Raises `Failure` (unknown).
    """
    run.asking = "the question for log lines"
    places: dict[tuple[str, str], list[str]] = {}
    for service in services:
        places.setdefault((service.owner, service.region), []).append(service.id)
    lines: list[Line] = []
    whole = True
    for (owner, _), ids in places.items():
        found, read = await _read(render, owner, ids, logs)
        lines += found
        whole = whole and read
    least = "" if whole else "at least "
    _note(run, lines, logs, least)


def _note(run: Run, lines: Sequence[Line], logs: Logs, least: str) -> None:
    levels = Counter(line.level for line in lines)
    for level in logs.levels:
        run.note("log_lines", levels[level], level=level)
    if lines:
        counted = ", ".join(f"{count} × {level}" for level, count in levels.most_common())
        run.remark("log_lines", f"{least}{counted}{_newest(run, lines, logs)}")
    told = []
    for name, pattern in logs.patterns.items():
        fitting = [line for line in lines if pattern.within(line.message)]
        run.note("log_matches", len(fitting), pattern=name)
        if fitting:
            told.append(f"{least}{len(fitting)} × {name}{_newest(run, fitting, logs)}")
    if told:
        run.remark("log_matches", "; ".join(told))


def _newest(run: Run, lines: Sequence[Line], logs: Logs) -> str:
    """Return the beginning of the newest line, without secrets, where the check says that it may be shown."""
    if not logs.show:
        return ""
    return f", the newest: {plain(run.resources.redact(max(lines).message), EXCERPT)}"


async def _read(render: Render, owner: str, ids: Sequence[str], logs: Logs) -> tuple[Sequence[Line], bool]:
    until = render.now
    since = until - logs.window
    wanted = [("ownerId", owner), *(("resource", one) for one in sorted(ids)), *(("level", one) for one in logs.levels)]
    fixed = [*wanted, ("direction", "backward"), ("limit", str(FULL_PAGE))]
    stuck = False

    async def ask(cursor: str | None) -> Page[Line]:
        nonlocal stuck
        start, end = cursor.split(" ") if cursor else (written(since), written(until))
        reply = await render.get("/v1/logs", [*fixed, ("startTime", start), ("endTime", end)], shared=False)
        found = [_line(each) for each in reply.body["logs"]]
        fitting = [line for line in found if line.level in logs.levels and line.at >= since]
        after = f"{reply.body['nextStartTime'].text} {reply.body['nextEndTime'].text}"
        more = reply.body["hasMore"].flag
        stuck = more and (after == cursor or not fitting)  # a page full of one moment, or of what nobody asked for
        return Page(fitting, after if more and not stuck else None)

    pages = await read_pages(ask, MOST_PAGES, lambda: False)
    return pages.items, pages.whole and not stuck


def _line(found: Found) -> Line:
    labels = {each["name"].text: each["value"].text for each in found["labels"]}
    return Line(moment(found["timestamp"]), labels.get("level", "").lower(), found["message"].text)

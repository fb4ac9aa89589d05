"""The page of one check: how it stands, what was measured, what to do, how it is configured."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

from aiohttp import web
from markupsafe import Markup

from monitor.live import as_record
from monitor.model import CheckId, Severity
from monitor.plain import plain
from monitor.store import StoreUnavailable, StoreUnusable
from monitor.view import CheckDetail
from monitor.watch import parse_watch
from monitor.web.page.addresses import BADGES, SYSTEMS
from monitor.web.page.firing import firing_of
from monitor.web.page.forms import who_acts
from monitor.web.page.plot import beyond, draw
from monitor.web.page.summary import beginning, figure_text, flags, legend, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from monitor.clock import Clock
    from monitor.incidents import Incident
    from monitor.view import Cell, FigureView, Plot, SystemView
    from monitor.web.page.shell import Shell
    from monitor.web.page.summary import Entry, Flag, Row
    from monitor.web.viewer import Viewer

SPANS = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
USUAL = "24h"
SOME_HOURS = 6
MONTH = timedelta(days=30)
USUAL_MEASURE = "duration"


class Picture(NamedTuple):
    """A plot as the page shows it. `whole`: as much time as was asked for; `beyond`: figures far from all values."""

    plot: Plot
    whole: bool
    drawn: Markup
    legend: Sequence[Entry]
    flags: Sequence[Flag]
    beyond: Sequence[str]
    rows: Sequence[Row]


class Phase(NamedTuple):
    """A part of an exchange: its share of the whole, where that begins, and how long it took."""

    name: str
    begin: float
    share: float
    took: timedelta


class Checks:
    """The route of every check."""

    def __init__(self, shell: Shell, viewer: Viewer, clock: Clock) -> None:
        self._shell = shell
        self._viewer = viewer
        self._clock = clock

    def table(self) -> Iterable[web.RouteDef]:
        """Return the route."""
        return [web.get(f"{SYSTEMS}/{{system}}/{{check}}", self._shell.guarded(self.check))]

    async def check(self, request: web.Request) -> web.Response:
        """Show a check; `?measure=` and `?span=` choose its plot. Without the store, show what is in memory."""
        check = CheckId(request.match_info["system"], request.match_info["check"])
        try:
            detail = await self._viewer.check(check)
            if detail is None:
                return self._shell.problem(request, HTTPStatus.NOT_FOUND, "There is no check of that name.")
            measure, span = chosen(request.query, detail)
            plot = await self._viewer.plot(check, measure, SPANS[span]) if measure else None
            told = await self._viewer.incidents(self._clock.now() - MONTH, check.system, check.check)
        except (StoreUnavailable, StoreUnusable):
            return self._without_store(request, check)
        shown = (
            await asyncio.to_thread(picture, plot) if plot else None
        )  # of twelve series it takes tens of milliseconds
        return self._show(request, detail, shown, told, (measure, span))

    def _without_store(self, request: web.Request, check: CheckId) -> web.Response:
        system = self._system(check)
        view = next((one for one in system.checks if one.id == check), None) if system else None
        if view is None:
            raise StoreUnavailable("no check of that name is known without it")
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return self._show(request, CheckDetail(view), None, (), ("", USUAL), status=status)

    def _show(
        self,
        request: web.Request,
        detail: CheckDetail,
        shown: Picture | None,
        told: Sequence[Incident],
        choice: tuple[str, str],
        *,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> web.Response:
        measure, span = choice
        system = self._system(detail.view.id)
        return self._shell.page(
            request,
            "check.html",
            status=status,
            away=status is not HTTPStatus.OK,
            detail=detail,
            view=detail.view,
            system=system,
            picture=shown,
            measure=measure,
            measures=[(name, _query(measure=name, span=span)) for name in detail.measures],
            span=span,
            spans=[(name, _query(measure=measure, span=name)) for name in SPANS],
            phases=phases(detail.phases),
            configuration=settings(detail.configuration),
            incidents=told,
            alerts=[firing_of(as_record(one)) for one in detail.view.alerts],
            severities=[one for one in Severity if any(one in figure.figures for figure in detail.view.figures)],
            badge_address=badge_address(request, detail.view.id) if system and system.public else "",
            who_acts=who_acts(request, self._shell),
            new_id=token_hex,
        )

    def _system(self, check: CheckId) -> SystemView | None:
        return next((one for one in self._viewer.overview().systems if one.name == check.system), None)


def chosen(query: Mapping[str, str], detail: CheckDetail) -> tuple[str, str]:
    """Return the measure and the span to show: those that are asked for, if there are such."""
    measure, span = query.get("measure", ""), query.get("span", "")
    known = measure in detail.measures
    return (measure if known else most_telling(detail)), (span if span in SPANS else usual(detail.view.strip))


def usual(strip: Sequence[Cell]) -> str:
    """Return the span to show where none is asked for: a day, less of a check that has not been known for so long."""
    known = [bool(cell.up or cell.down or cell.unknown) for cell in strip]
    hours = len(known) - known.index(True) if True in known else 0
    return "1h" if hours == 1 else "6h" if 1 < hours < SOME_HOURS else USUAL


def most_telling(detail: CheckDetail) -> str:
    """Return the measure to show where none is asked for: what fires, else what has a figure; empty: there is none."""
    figures = sorted(detail.view.figures, key=lambda one: (-(one.firing or 0), one.implied))
    wanted = [*filter(None, map(_measure, figures)), USUAL_MEASURE, *detail.measures]
    return next((name for name in wanted if name in detail.measures), "")


def _measure(figure: FigureView) -> str:
    with suppress(ValueError):
        return parse_watch(figure.watch).measure
    return ""


def picture(plot: Plot) -> Picture:
    """Return `plot` as the page shows it."""
    shown = beginning(plot)
    drawn = Markup(draw(shown))  # noqa: S704 - made of elements, not of text
    far = [plain(figure_text(line)) for line in beyond(shown)]
    return Picture(shown, shown is plot, drawn, legend(shown), flags(shown), far, table(shown))


def phases(found: Mapping[str, float]) -> list[Phase]:
    """Return the parts of an exchange, in order; nothing if they took no time."""
    whole = sum(found.values())
    parts: list[Phase] = []
    for name, seconds in found.items() if whole > 0 else ():
        begin = parts[-1].begin + parts[-1].share if parts else 0.0
        parts.append(Phase(name, begin, seconds / whole, timedelta(seconds=seconds)))
    return parts


def settings(configuration: Mapping[str, object], above: str = "") -> list[tuple[str, str]]:
    """Return a configuration as lines: the path of each setting and its value."""
    lines: list[tuple[str, str]] = []
    for name, value in configuration.items():
        place = f"{above}.{name}" if above else name
        if isinstance(value, dict) and value:
            lines += settings(value, place)
        else:
            lines.append((place, value if isinstance(value, str) else json.dumps(value, default=str)))
    return lines


def badge_address(request: web.Request, check: CheckId) -> str:
    """Return where the badge of a check is."""
    place = f"{quote(check.system, safe='')}/{quote(check.check, safe='')}"
    return f"{request.scheme}://{request.host}{BADGES}/{place}.svg"


def _query(**choice: str) -> str:
    return f"?{urlencode({name: value for name, value in choice.items() if value})}"

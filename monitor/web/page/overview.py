"""The overview of all systems, and the page of one: how each check stands, the worst first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web

from monitor.view import CheckView, Condition, SystemView
from monitor.web.page.addresses import HOME, SYSTEMS
from monitor.web.page.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from markupsafe import Markup

    from monitor.view import Overview
    from monitor.web.page.shell import Shell
    from monitor.web.viewer import Viewer

V = TypeVar("V", CheckView, SystemView)

ONLY, TROUBLE = "only", "trouble"
WELL = {Condition.WAITING, Condition.LEFT_OUT, Condition.UP, Condition.SKIPPED}
"""Nothing is wrong there, as far as anybody knows."""
MOODS = {Condition.CRITICAL: "critical", Condition.WARNING: "warning", Condition.FAILING: "warning"}
"""The icons of a browser's tab by the worst condition; the usual one is `up`."""
NAMED = 2
"""So many conditions stand in the heading, the worst ones."""
MANY = 200
SELDOM = timedelta(seconds=15)
OFTEN = timedelta(seconds=5)
"""How often a page is fetched anew, with more than `MANY` checks on it and with fewer."""


@dataclass(frozen=True, slots=True)
class Section:
    """One system on the page: its rows, which are made when they are reached, and what is not run."""

    view: SystemView
    rows: Iterator[Markup]
    shown: int
    skipped: Sequence[CheckView]
    firing: int


class Overviews:
    """The routes, and the rows made so far."""

    def __init__(self, shell: Shell, viewer: Viewer) -> None:
        self._shell = shell
        self._viewer = viewer
        self._rows = Rows(shell.template("row.html"))

    def table(self) -> Iterable[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(HOME, self._shell.guarded(self.overview)),
            web.get(f"{SYSTEMS}/{{system}}", self._shell.guarded(self.system)),
        ]

    async def overview(self, request: web.Request) -> web.StreamResponse:
        """Show every system, the worst first; `?only=trouble` leaves out what is well."""
        seen = self._viewer.overview()
        self._rows.keep({check.id for system in seen.systems for check in system.checks})
        only = request.query.get(ONLY) == TROUBLE
        systems = [one for one in worst_first(seen.systems) if not only or troubled(one)]
        return self._show(request, "overview.html", seen, systems, only=only)

    async def system(self, request: web.Request) -> web.StreamResponse:
        """Show one system."""
        seen = self._viewer.overview()
        found = [one for one in seen.systems if one.name == request.match_info["system"]]
        if not found:
            return self._shell.problem(request, HTTPStatus.NOT_FOUND, "There is no system of that name.")
        return self._show(request, "system.html", seen, found, only=request.query.get(ONLY) == TROUBLE)

    def _show(
        self, request: web.Request, template: str, seen: Overview, systems: Sequence[SystemView], *, only: bool
    ) -> web.StreamResponse:
        counted = systems if template == "system.html" else seen.systems
        counts = Counter(check.condition for system in counted for check in system.checks)
        worst = min(counts, key=lambda one: one.rank, default=Condition.UP)
        said, rest = summary(counts)
        return self._shell.flowing(
            request,
            template,
            refresh=SELDOM if counts.total() > MANY else OFTEN,
            seen=seen,
            sections=(self._section(one, seen.at.date(), only=only) for one in systems),
            system=systems[0] if systems else None,
            only=only,
            left_out=len(seen.systems) - len(systems),
            summary=said,
            rest=rest,
            total=counts.total() - counts[Condition.SKIPPED],
            up=counts[Condition.UP],
            mood=MOODS.get(worst, "up"),
        )

    def _section(self, view: SystemView, today: date, *, only: bool) -> Section:
        run = [one for one in worst_first(view.checks) if one.condition is not Condition.SKIPPED]
        shown = [one for one in run if not only or one.condition not in WELL]
        skipped = [one for one in view.checks if one.condition is Condition.SKIPPED]
        firing = sum(alert.alert.severity is not None for check in view.checks for alert in check.alerts)
        return Section(view, (self._rows.row(one, today) for one in shown), len(shown), () if only else skipped, firing)


def worst_first(views: Iterable[V]) -> list[V]:
    """Return systems or checks, the worst first; those that stand alike stay in the order of the file."""
    return sorted(views, key=lambda one: one.condition.rank)


def troubled(system: SystemView) -> bool:
    """Return whether something is wrong there."""
    return any(check.condition not in WELL for check in system.checks)


def summary(counts: Counter[Condition]) -> tuple[str, str]:
    """Return in a few words how things stand, such as `2 critical, 1 warning`, and what else is not well."""
    wrong = [f"{counts[one]} {one}" for one in Condition if one not in WELL and counts[one]]
    if wrong:
        return ", ".join(wrong[:NAMED]), ", ".join(wrong[NAMED:])
    if counts[Condition.UP]:
        return "All is well", ""
    return "Nothing was looked at yet" if counts else "Nothing is watched", ""

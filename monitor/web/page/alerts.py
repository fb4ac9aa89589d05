"""What fires and what fired, with its journal; what is silenced."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from secrets import token_hex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from monitor.model import Scope, labels
from monitor.plain import plain
from monitor.store import StoreUnavailable, StoreUnusable
from monitor.web.page.addresses import ALERTS, SILENCES
from monitor.web.page.firing import firing_of, moment_of
from monitor.web.page.forms import who_acts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.clock import Clock
    from monitor.incidents import Incident
    from monitor.model import AlertKey
    from monitor.web.acting import Counter
    from monitor.web.page.firing import Firing
    from monitor.web.page.shell import Shell
    from monitor.web.viewer import Viewer

DAYS = {"1": timedelta(days=1), "7": timedelta(days=7), "30": timedelta(days=30)}
USUAL = "7"
MOST_SHOWN = 100
LONGEST_TEXT = 100


class Alerts:
    """The routes of alerts and silences."""

    def __init__(self, shell: Shell, viewer: Viewer, counter: Counter, clock: Clock) -> None:
        self._shell = shell
        self._viewer = viewer
        self._counter = counter
        self._clock = clock

    def table(self) -> Iterable[web.RouteDef]:
        """Return the routes."""
        return [
            web.get(ALERTS, self._shell.guarded(self.alerts)),
            web.get(f"{ALERTS}/{{incident}}", self._shell.guarded(self.incident)),
            web.get(SILENCES, self._shell.guarded(self.silences)),
        ]

    async def alerts(self, request: web.Request) -> web.Response:
        """Show what is live, the worst first, and what was; `?system=`, `?text=` and `?days=` choose."""
        system, text = request.query.get("system", ""), plain(request.query.get("text", ""), LONGEST_TEXT)
        days = request.query.get("days", "")
        days = days if days in DAYS else USUAL
        firing = [one for one in await self._firing(Scope(system)) if _about(text, one.title, one.key)]
        try:
            found = await self._viewer.incidents(self._clock.now() - DAYS[days], system)
        except (StoreUnavailable, StoreUnusable):
            found = None
        told = [one for one in found or () if _about(text, one.title, one.key)]
        return self._shell.page(
            request,
            "alerts.html",
            status=HTTPStatus.SERVICE_UNAVAILABLE if found is None else HTTPStatus.OK,
            away=found is None,
            alerts=firing,
            incidents=told[:MOST_SHOWN],
            more=len(told) - MOST_SHOWN,
            systems=self._viewer.overview().systems,
            system=system,
            text=text,
            days=days,
            spans=[(name, f"?{urlencode({'system': system, 'text': text, 'days': name})}") for name in DAYS],
            back=request.path_qs,
            who_acts=who_acts(request, self._shell),
            new_id=token_hex,
        )

    async def incident(self, request: web.Request) -> web.Response:
        """Show one incident of the last 30 days: its journal, and every message about it."""
        wanted = request.match_info["incident"]
        found = await self._viewer.incidents(self._clock.now() - DAYS["30"])
        incident = next((one for one in found if one.id == wanted), None)
        if incident is None:
            said = "There is no incident of that name within the last 30 days."
            return self._shell.problem(request, HTTPStatus.NOT_FOUND, said)
        firing = [one for one in await self._firing(Scope(*incident.key.check)) if one.incident == wanted]
        return self._shell.page(
            request,
            "incident.html",
            incident=incident,
            alert=next(iter(firing), None),
            remedy=_remedy(incident),
            who_acts=who_acts(request, self._shell),
            new_id=token_hex,
        )

    async def silences(self, request: web.Request) -> web.Response:
        """Show what is silenced now and later, and a form for more."""
        return self._shell.page(
            request,
            "silences.html",
            silences=[_shown(one) for one in await self._counter.silences()],
            systems=self._viewer.overview().systems,
            system=request.query.get("system", ""),
            who_acts=who_acts(request, self._shell),
            new_id=token_hex,
        )

    async def _firing(self, scope: Scope) -> list[Firing]:
        """Return the live alerts with the values that are seen now, where this is known."""
        overview = self._viewer.overview()
        seen = {one.alert.key: one for system in overview.systems for check in system.checks for one in check.alerts}
        return [firing_of(record, seen) for record in await self._counter.alerts(scope)]


def _shown(silence: Mapping[str, Any]) -> Mapping[str, object]:
    """Return a silence as the page shows it."""
    scope = Scope(silence["system"] or "", silence["check"] or "", silence["alert"] or "", labels(silence["labels"]))
    times = {name: moment_of(silence[name]) for name in ("since", "until")}
    return {**silence, **times, "place": str(scope)}


def _about(text: str, title: str, key: AlertKey) -> bool:
    """Return whether `text` stands in what an alert is called."""
    whole = " ".join((title, str(key.check), key.name, *(f"{name}={value}" for name, value in key.labels)))
    return text.casefold() in whole.casefold()


def _remedy(incident: Incident) -> tuple[str, ...]:
    """Return what the newest message with a remedy said of it."""
    steps = (one.notification.page.remedy for one in reversed(incident.messages))
    return next((remedy for remedy in steps if remedy), ())

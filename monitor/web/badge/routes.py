"""The addresses of badges. Those of public systems are open; of all others nobody is told that they are there."""

from __future__ import annotations

import enum
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from monitor.model import CheckId
from monitor.view import Condition
from monitor.web.asked import Asked, read_query
from monitor.web.badge.picture import draw, of_condition, of_uptime
from monitor.web.guard import meant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.view import CheckView, SystemView
    from monitor.web.badge.picture import Badge
    from monitor.web.door import Door
    from monitor.web.viewer import Viewer

PLACE = "/badge"
LASTS = timedelta(seconds=30)
"""How long a picture may be kept."""
STALE_AFTER = 3
"""Intervals without a run after which nobody may say that a check is up; but always at least `LEAST`."""
LEAST = timedelta(minutes=2)


class Show(enum.StrEnum):
    """What a badge shows."""

    STATE = "state"
    """How it stands, in one word."""
    DAY = "uptime-24h"
    """How much of the last 24 hours it was up."""
    MONTH = "uptime-30d"
    """How much of the last 30 days it was up."""


class BadgeAsked(Asked):
    """Which badge."""

    show: Show = Show.STATE
    """What it shows."""


class Badges:
    """The routes of badges."""

    def __init__(self, door: Door, viewer: Viewer, clock: Clock) -> None:
        self._door = door
        self._viewer = viewer
        self._clock = clock

    def table(self) -> Iterable[web.RouteDef]:
        """Return the routes; each answers `HEAD` too."""
        return [
            web.get(f"{PLACE}/{{system}}.svg", self.system),
            web.get(f"{PLACE}/{{system}}/{{check}}.svg", self.check),
        ]

    async def system(self, request: web.Request) -> web.Response:
        """Show a system's badge: to everybody if it is public, else to whoever has the token."""
        asked = _asked(request)
        if isinstance(asked, web.Response):
            return asked
        found = self._system(request.match_info["system"])
        shared = found is not None and found.public
        if not shared and (refusal := self._kept_from(request)):
            return refusal
        if found is None:
            return _nothing_there()
        seen = replace(found, condition=whole(found, self._clock.now()))
        return _shown(request, _badge(seen, asked.show), shared=shared)

    async def check(self, request: web.Request) -> web.Response:
        """Show a check's badge, to whoever has the token: of a public system only the whole is public."""
        asked = _asked(request)
        if isinstance(asked, web.Response):
            return asked
        if refusal := self._kept_from(request):
            return refusal
        name = CheckId(request.match_info["system"], request.match_info["check"])
        system = self._system(name.system)
        found = next((one for one in system.checks if one.id == name), None) if system else None
        if found is None:
            return _nothing_there()
        seen = replace(found, condition=fresh(found, self._clock.now()))
        return _shown(request, _badge(seen, asked.show), shared=False)

    def _system(self, name: str) -> SystemView | None:
        return next((one for one in self._viewer.overview().systems if one.name == name), None)

    def _kept_from(self, request: web.Request) -> web.Response | None:
        """Return what to answer to somebody who may not know what there is: the same, whether there is anything."""
        refusal = self._door.hidden_from(request)
        if refusal is None and not meant(request):
            return _nothing_there()
        return refusal


def fresh(check: CheckView, now: datetime) -> Condition:
    """Return how a check stands: nobody can tell of one that was up, runs by itself, and did not for long."""
    if check.condition is not Condition.UP or not check.scheduled:
        return check.condition
    patience = max(STALE_AFTER * check.every, LEAST)
    return Condition.UP if check.at is not None and now - check.at <= patience else Condition.UNKNOWN


def whole(system: SystemView, now: datetime) -> Condition:
    """Return how a system stands: it is not up while nobody can tell of one of its checks."""
    if system.condition is not Condition.UP:
        return system.condition
    unknown = any(fresh(one, now) is Condition.UNKNOWN for one in system.checks)
    return Condition.UNKNOWN if unknown else Condition.UP


def _badge(seen: SystemView | CheckView, show: Show) -> Badge:
    if show is Show.STATE:
        return of_condition(seen.title, seen.condition)
    if show is Show.DAY:
        return of_uptime(f"{seen.title}, 24 h", seen.day)
    return of_uptime(f"{seen.title}, 30 d", seen.month)


def _asked(request: web.Request) -> BadgeAsked | web.Response:
    """Return what is asked for, or what to answer to what makes no sense, whatever there is."""
    try:
        return read_query(request.query.items(), BadgeAsked)
    except ValueError as error:
        return web.Response(status=HTTPStatus.BAD_REQUEST, text=f"400: {error}\n")


def _shown(request: web.Request, badge: Badge, *, shared: bool) -> web.Response:
    """Return a badge; what is `shared` may be kept by everybody's cache."""
    body = draw(badge).encode()
    tag = f'"{sha256(body).hexdigest()[:16]}"'
    kept = f"{'public' if shared else 'private'}, max-age={LASTS.total_seconds():.0f}"
    headers = {hdrs.ETAG: tag, hdrs.CACHE_CONTROL: kept}
    if any(one.value in {tag[1:-1], "*"} for one in request.if_none_match or ()):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    return web.Response(body=body, content_type="image/svg+xml", charset="utf-8", headers=headers)


def _nothing_there() -> web.Response:
    return web.Response(status=HTTPStatus.NOT_FOUND, text="404: Not Found")

"""Where whoever deploys a system says so."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from aiohttp import web

from monitor.plain import plain
from monitor.web.body import read_body
from monitor.web.taken import Taken, answer_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from monitor.secrets import Secret
    from monitor.web.door import Door

PLACE = "/api/v1/deploys/"
LONGEST = 60


class Release(NamedTuple):
    """What is said of a deploy: the version that runs now, the one before, and of which part; all may be empty."""

    version: str = ""
    before: str = ""
    part: str = ""


class Register(Protocol):
    """Where deploys are noted."""

    def secrets(self, system: str) -> Collection[Secret]:
        """Return the token that lets somebody report a deploy of `system`; nothing where there is none."""

    async def take(self, system: str, release: Release) -> Taken:
        """Note a deploy, and return once that is durable or cannot be for now."""
        ...


class Deploys:
    """The route of all deploys."""

    def __init__(self, door: Door, register: Register) -> None:
        self._door = door
        self._register = register

    def table(self) -> Iterable[web.RouteDef]:
        """Return the route."""
        return [web.post(f"{PLACE}{{system}}", self.report)]

    async def report(self, request: web.Request) -> web.Response:
        """Take what is said; nothing is read of it before its token is known to be right."""
        system = request.match_info["system"]
        if refusal := self._door.turned_away(request, self._register.secrets(system)):
            return refusal
        try:
            release = read_release(await read_body(request))
        except ValueError as error:
            return web.Response(status=HTTPStatus.BAD_REQUEST, text=f"400: {error}\n")
        return answer_of(await self._register.take(system, release))


def read_release(body: bytes) -> Release:
    """Return what a body says; an empty one says nothing. Raises ValueError in a sentence when it makes no sense."""
    if not body.strip():
        return Release()
    try:
        said: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        raise ValueError("the body must be an object of texts")
    if unknown := sorted(said.keys() - set(Release._fields)):
        raise ValueError(f"{unknown[0][:50]!r} means nothing here: there are {', '.join(Release._fields)}")
    return Release(**{name: plain(text, LONGEST) for name, text in said.items()})

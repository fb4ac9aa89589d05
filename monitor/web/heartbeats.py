"""Where jobs report in: one address for each heartbeat, in the forms that clients of such services use."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import unquote

from aiohttp import ClientConnectionError, ClientPayloadError, http_exceptions, web

from monitor.model import CheckId, Report, Said
from monitor.web.taken import Taken, answer_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from monitor.secrets import Secret
    from monitor.web.door import Door

PLACE = "/api/v1/heartbeats/"
SHORTEST_TOKEN = 16
"""Whatever is shorter in an address is a word."""
KEPT_OF_BODY = 10_000
MOST_OF_BODY = 1_000_000
BODY_PATIENCE = timedelta(seconds=10)
LONGEST_STATUS = 255
RUN = re.compile(r"[!-~]{0,64}")
MEANT = {"": Said.SUCCESS, "up": Said.SUCCESS, "down": Said.FAILURE}
"""What `status` in a query means, as clients of Uptime Kuma's push monitors send it."""
KNOWN = frozenset({"rid", "status", "msg", "ping"})


class Inbox(Protocol):
    """Where reports go."""

    def secrets(self, check: CheckId) -> Collection[Secret]:
        """Return the token of a heartbeat; nothing for a check that is none, or is not there."""

    async def take(self, check: CheckId, report: Report) -> Taken:
        """Take a report of a job, and return once it is durable or cannot be for now."""
        ...


class Address(NamedTuple):
    """The parts of an address below `PLACE`: which heartbeat, a token if one stands there, and what is left."""

    check: CheckId
    token: str
    words: tuple[str, ...]


class Heartbeats:
    """The route of all heartbeats."""

    def __init__(self, door: Door, inbox: Inbox) -> None:
        self._door = door
        self._inbox = inbox

    def table(self) -> Iterable[web.RouteDef]:
        """Return the routes; each `GET` answers `HEAD` too."""
        return [web.get(f"{PLACE}{{rest:.+}}", self.report), web.post(f"{PLACE}{{rest:.+}}", self.report)]

    async def report(self, request: web.Request) -> web.Response:
        """Take what a job says; nothing is read of it, nor told to it, before its token is known to be right."""
        address = read_address(request.rel_url.raw_path.removeprefix(PLACE))
        if refusal := self._door.turned_away(request, self._inbox.secrets(address.check), in_path=address.token):
            return refusal
        try:
            report = read_report(address.words, request.query)._replace(text=await _text(request))
        except ValueError as error:
            return web.Response(status=HTTPStatus.BAD_REQUEST, text=f"400: {error}\n")
        return answer_of(await self._inbox.take(address.check, report))


def read_address(text: str) -> Address:
    """Return the parts of an address; a token may stand anywhere behind the name of the check."""
    system, _, rest = text.partition("/")
    check, *parts = (unquote(part) for part in rest.split("/"))
    tokens = [part for part in parts if len(part) >= SHORTEST_TOKEN]
    words = tuple(part for part in parts if len(part) < SHORTEST_TOKEN)
    return Address(CheckId(unquote(system), check), "/".join(tokens), words)


def read_report(words: tuple[str, ...], query: Mapping[str, str]) -> Report:
    """Return what the words of an address and its query say; raises ValueError in a sentence when they make no sense.

    A success must never be what was not understood.
    """
    if unknown := sorted(query.keys() - KNOWN):
        raise ValueError(f"{unknown[0][:50]!r} means nothing here: there are {', '.join(sorted(KNOWN))}")
    if len(words) > 1:
        raise ValueError("there is more than one word behind the name")
    run, status = query.get("rid", ""), query.get("status", "")
    if not RUN.fullmatch(run):
        raise ValueError("rid is the name of a run: at most 64 characters, no blanks")
    if status not in MEANT:
        raise ValueError("status is up or down")
    if words and status:
        raise ValueError("the address and status both say how it went")
    said, number = _said(words[0]) if words else (MEANT[status], None)
    return Report(said, number, run, query.get("msg", ""))


def _said(word: str) -> tuple[Said, int | None]:
    if word == "start":
        return Said.START, None
    if word == "fail":
        return Said.FAILURE, None
    if not (word.isascii() and word.isdecimal()) or int(word) > LONGEST_STATUS:
        raise ValueError(f"behind the name stands start, fail or an exit status, 0 to {LONGEST_STATUS}")
    return Said.FAILURE if int(word) else Said.SUCCESS, int(word)


async def _text(request: web.Request) -> str:
    """Return the last line of a request's body that is not blank; if there is none, what its query says.

    Raises ValueError when the body does not come to its end.
    """
    tail, size = b"", 0
    try:
        async with asyncio.timeout(BODY_PATIENCE.total_seconds()):
            async for part in request.content.iter_any():
                tail, size = (tail + part)[-KEPT_OF_BODY:], size + len(part)
                if size > MOST_OF_BODY:
                    break
    except (TimeoutError, ClientConnectionError, ClientPayloadError, OSError, http_exceptions.HttpProcessingError):
        raise ValueError("the body did not come to its end") from None
    lines = [line for line in tail.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else request.query.get("msg", "")

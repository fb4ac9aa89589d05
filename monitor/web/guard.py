"""Who may ask the API, and how it says that something cannot be done: a status, and one sentence as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from pydantic import ValidationError

from monitor.faults import ConfigError
from monitor.store import StoreUnavailable, StoreUnusable
from monitor.web.asked import A, read_query
from monitor.web.taken import RETRY_AFTER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.web.door import Door

UNDER = "/api/"
"""Where every answer is JSON, whatever goes wrong."""
OURSELVES = frozenset({"none", "same-origin"})
"""What browsers say in `Sec-Fetch-Site` of requests that no other site has made."""

Answer = Callable[[web.Request], Awaitable[web.Response]]
Refusal = Callable[[web.Request], web.Response | None]


class Guard:
    """Lets in whoever may ask. Nothing is read of a request before that is known."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def reads(self, kind: type[A], answer: Callable[[web.Request, A], Awaitable[web.Response]]) -> Answer:
        """Return `answer` for whoever may read how things stand, with what the query asks for."""
        return _guarded(self._door.closed_to, kind, answer)

    def acts(self, kind: type[A], answer: Callable[[web.Request, A], Awaitable[web.Response]]) -> Answer:
        """Return `answer` for whoever may act for the operator."""
        return _guarded(self._door.kept_out, kind, answer)


def _guarded(refusal_of: Refusal, kind: type[A], answer: Callable[[web.Request, A], Awaitable[web.Response]]) -> Answer:
    async def guarded(request: web.Request) -> web.Response:
        if refusal := refusal_of(request):
            return in_json(refusal)
        if not meant(request):
            return problem(HTTPStatus.FORBIDDEN, "a page of another site has sent this")
        try:
            return await answer(request, read_query(request.query, kind))
        except ConfigError as error:
            return problem(HTTPStatus.NOT_FOUND, str(error))
        except ValidationError:  # of an answer of ours: a bug
            raise
        except ValueError as error:
            return problem(HTTPStatus.BAD_REQUEST, str(error))
        except (StoreUnavailable, StoreUnusable):
            later: dict[str, str] = {hdrs.RETRY_AFTER: str(round(RETRY_AFTER.total_seconds()))}
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "the store cannot be reached; try again", later)

    return guarded


def problem(status: HTTPStatus, said: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return the answer to what cannot be done: one sentence."""
    return web.json_response({"error": said}, status=status, headers=headers)


def meant(request: web.Request) -> bool:
    """Return whether a request is not one that a page of another site made a browser send, with a password it keeps."""
    origin = request.headers.get(hdrs.ORIGIN)
    same = origin is None or origin.partition("://")[2] == request.host
    return same and request.headers.get("Sec-Fetch-Site", "none") in OURSELVES


def in_json(refusal: web.Response) -> web.Response:
    """Return the door's refusal in the form of all other answers here."""
    said = (refusal.text or "").partition(": ")[2].strip()
    answer = problem(HTTPStatus(refusal.status), said)
    for name in (hdrs.WWW_AUTHENTICATE, hdrs.RETRY_AFTER):
        for value in refusal.headers.getall(name, []):
            answer.headers.add(name, value)
    return answer


def lost(request: web.Request, error: web.HTTPException) -> web.Response | None:
    """Return what the API answers where there is nothing, or nothing for that method; None: it is no address of it."""
    if not request.path.startswith(UNDER):
        return None
    if not isinstance(error, web.HTTPMethodNotAllowed):
        return problem(HTTPStatus(error.status), "there is nothing here; GET /api/v1/openapi.json says what there is")
    allowed = ", ".join(sorted(error.allowed_methods))
    said = f"{request.method[:20]} means nothing here: there are {allowed}"
    return problem(HTTPStatus.METHOD_NOT_ALLOWED, said, {hdrs.ALLOW: allowed})


def failed(request: web.Request) -> web.Response:
    """Return the answer where a bug of ours came between."""
    status, said = HTTPStatus.INTERNAL_SERVER_ERROR, "something failed here; see the log"
    if request.path.startswith(UNDER):
        return problem(status, said)
    return web.Response(status=status, text=f"{status}: {said}\n")

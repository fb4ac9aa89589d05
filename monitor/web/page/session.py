"""Who is logged in, as a cookie says it. Pure but for the header it writes.

The cookie holds no token: only since when, the name that somebody gave himself, and a random word, sealed with a key
that follows from the token. So it holds over a restart and on every instance, and is void when the token changes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from aiohttp import web

    from monitor.web.page.seal import Seal

COOKIE = "monitor"
SECURE = f"__Host-{COOKIE}"
"""The name over https: a browser then takes it only with `Secure`, for this host alone."""
IDLE = timedelta(hours=12)
LONGEST = timedelta(days=30)
"""From a login to the next one, however often the page is looked at."""
FRESH = timedelta(minutes=30)
"""A cookie is renewed when it is older."""
SESSION, FORM = "session", "form"


class Session(NamedTuple):
    """Somebody who is logged in. `word` tells this login from others; `secure`: it came over https."""

    who: str
    began: datetime
    seen: datetime
    word: str
    secure: bool


def begin(who: str, now: datetime, *, secure: bool) -> Session:
    """Return a new session."""
    return Session(who, now, now, token_hex(16), secure)


def read(seal: Seal, request: web.Request, now: datetime) -> Session | None:
    """Return whose cookie a request brings; None if it is not ours, or too old."""
    for name in (SECURE, COOKIE):
        fields = seal.open(SESSION, request.cookies.get(name, ""), now)
        if fields is not None:
            who, began, seen, word = fields
            return Session(who, datetime.fromisoformat(began), datetime.fromisoformat(seen), word, name == SECURE)
    return None


def write(seal: Seal, response: web.StreamResponse, session: Session, now: datetime) -> None:
    """Give a browser the cookie of `session`, which holds for `IDLE` from `now`."""
    until = min(now + IDLE, session.began + LONGEST)
    text = seal.seal(SESSION, until, session.who, session.began.isoformat(), now.isoformat(), session.word)
    response.set_cookie(
        SECURE if session.secure else COOKIE,
        text,
        max_age=int((until - now).total_seconds()),
        path="/",
        secure=session.secure,
        httponly=True,
        samesite="Lax",
    )


def renew(seal: Seal, response: web.StreamResponse, session: Session, now: datetime) -> None:
    """Give a newer cookie to somebody who goes on looking."""
    if now - session.seen >= FRESH:
        write(seal, response, session, now)


def end(response: web.StreamResponse) -> None:
    """Take the cookie away from a browser."""
    response.del_cookie(COOKIE, path="/", httponly=True, samesite="Lax")
    response.del_cookie(SECURE, path="/", secure=True, httponly=True, samesite="Lax")


def form_word(seal: Seal, session: Session | None) -> str:
    """Return what a form of `session` must bring: no page of another site can know it.

    It is another one each time, so that nobody can make it out from how well pages compress that hold it.
    """
    nonce = token_hex(8)
    return f"{nonce}.{seal.sign(_form(session, nonce))}"


def brings(seal: Seal, session: Session | None, word: str) -> bool:
    """Return whether `word` is one of `session`."""
    nonce, _, signature = word.partition(".")
    return seal.signed(_form(session, nonce), signature)


def _form(session: Session | None, nonce: str) -> str:
    return f"{FORM}:{session.word if session else ''}:{nonce}"

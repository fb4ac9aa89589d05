"""Who may see a page, and who may act on it.

Whoever is logged in may do both. Where no token is set nobody can log in and none is needed: only this machine can
connect then. Pages are shown there if they were asked for by a name of this machine, since another name may be that of
a page that wants to read ours; and forms are taken if besides they come from our own page and through no proxy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.web.door import names_this_machine
from monitor.web.page import origin, session
from monitor.web.page.seal import Seal, key_of

if TYPE_CHECKING:
    from aiohttp import web

    from monitor.clock import Clock
    from monitor.web.door import Door
    from monitor.web.page.session import Session

NOBODY = "page"
"""Who does something, where somebody gave no name."""
FIELD = "form"
"""The field of a form that says it is ours."""


class Gate:
    """Tells who asks."""

    def __init__(self, door: Door, clock: Clock) -> None:
        self.seal = Seal(key_of(door.tokens.operator))
        self._door = door
        self._clock = clock

    @property
    def open(self) -> bool:
        """Return whether no token is set, so that nobody has to log in."""
        return self._door.tokens.open

    @property
    def shut(self) -> bool:
        """Return whether nobody can log in: there is a token for scrapes, and none for people."""
        return not self.open and self._door.tokens.operator is None

    def session(self, request: web.Request) -> Session | None:
        """Return who is logged in; None: nobody."""
        return None if self.open else session.read(self.seal, request, self._clock.now())

    def who(self, request: web.Request) -> str:
        """Return who does what is done by a form, for the journal."""
        somebody = self.session(request)
        return (somebody.who if somebody else "") or NOBODY

    def shows(self, request: web.Request) -> bool:
        """Return whether whoever asks may see pages."""
        return names_this_machine(request.host) if self.open else self.session(request) is not None

    def word(self, request: web.Request) -> str:
        """Return what the forms of a page must bring."""
        return session.form_word(self.seal, self.session(request))

    def against(self, request: web.Request) -> str:
        """Return what speaks against taking a form, before it is read; empty: nothing."""
        if not origin.from_our_page(request):
            return "Only a form of this page itself is taken. A proxy in between must hand on Host as it was sent."
        if self.open and origin.through_a_proxy(request):
            return "Nobody may act through a proxy before MONITOR_TOKEN is set."
        return ""

    def ours(self, request: web.Request, word: str) -> bool:
        """Return whether `word` is what a form of ours, shown to whoever asks now, brings."""
        return session.brings(self.seal, self.session(request), word)

    def log_in(self, request: web.Request, response: web.StreamResponse, who: str) -> None:
        """Note in a browser that `who` has shown the token."""
        secure = origin.over_https(request, on_render=self._door.on_render)
        now = self._clock.now()
        session.write(self.seal, response, session.begin(who, now, secure=secure), now)

    def keep_in(self, request: web.Request, response: web.StreamResponse) -> None:
        """Renew the session of somebody who goes on looking."""
        if somebody := self.session(request):
            session.renew(self.seal, response, somebody, self._clock.now())

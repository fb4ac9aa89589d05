"""The buttons: what people do on the page, by plain forms that work without a script."""

from __future__ import annotations

from datetime import timedelta
from secrets import token_hex
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from aiohttp import web

from monitor.model import Act, Deed, Scope
from monitor.plain import plain
from monitor.web.page.addresses import ACKS, HOME, LIFTS, NOTES, RUNS, SILENCES
from monitor.web.wishes import LONGEST_WHO, Ack, Note, Quiet, Run, Wish, wish_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.clock import Clock
    from monitor.web.acting import Counter
    from monitor.web.page.shell import Shell

COOKIE = "monitor-who"
REMEMBERED = timedelta(days=365)
LABEL = "label."
"""What begins the name of a field that holds the value of a label."""
PLACE = "place"
"""The field that names a system or a check in one, as commands do: `all`, `shop`, `shop/site`."""
BACK = "back"
"""The field that says where the form stood."""


class Forms:
    """The routes. Each answers with the page on which the form stood, and a sentence on it."""

    def __init__(self, shell: Shell, counter: Counter, clock: Clock) -> None:
        self._shell = shell
        self._counter = counter
        self._clock = clock

    def table(self) -> Iterable[web.RouteDef]:
        """Return the routes."""
        return [
            web.post(ACKS, self._shell.acting(self.acknowledge)),
            web.post(SILENCES, self._shell.acting(self.silence)),
            web.post(LIFTS, self._shell.acting(self.lift)),
            web.post(NOTES, self._shell.acting(self.note)),
            web.post(RUNS, self._shell.acting(self.run)),
        ]

    async def acknowledge(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        """Acknowledge what fires."""
        return await self._take(request, fields, Ack, Deed.ACKNOWLEDGE)

    async def silence(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        """Begin a silence."""
        return await self._take(request, fields, Quiet, Deed.SILENCE)

    async def note(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        """Note what was the matter, or what helped."""
        return await self._take(request, fields, Note, Deed.NOTE)

    async def run(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        """Run a check now."""
        return await self._take(request, fields, Run, Deed.RUN)

    async def lift(self, request: web.Request, fields: Mapping[str, str]) -> web.Response:
        """End a silence before its time."""
        who = plain(fields.get("who", ""), LONGEST_WHO) or self._shell.who(request)
        wish = Act(fields.get("id") or token_hex(8), self._clock.now(), Deed.LIFT, who, Scope())
        act = await self._counter.lift(fields.get("silence", ""), wish)
        if act is None:
            return self._back(request, fields, "That silence has ended already.")
        return self._back(request, fields, (await self._counter.take(act)).said)

    async def _take(
        self, request: web.Request, fields: Mapping[str, str], kind: type[Wish], deed: Deed
    ) -> web.Response:
        """Carry out what the fields wish; what makes no sense is said on the page, where it can be put right."""
        try:
            act = wish_of(given(fields, self._shell.who(request)), kind).act(deed, self._clock.now())
        except ValueError as error:
            return self._back(request, fields, f"That was not done. {error}.")
        self._counter.look_for(act.scope)
        return self._back(request, fields, (await self._counter.take(act)).said)

    def _back(self, request: web.Request, fields: Mapping[str, str], said: str) -> web.Response:
        response = self._shell.back(request, fields.get(BACK) or HOME, sentence(said))
        if who := plain(fields.get("who", ""), LONGEST_WHO):
            age = round(REMEMBERED.total_seconds())
            response.set_cookie(COOKIE, quote(who), max_age=age, path="/", httponly=True, samesite="Strict")
        return response


def given(fields: Mapping[str, str], who: str) -> dict[str, object]:
    """Return what a form says, as wishes name it; `who` acts where it does not say, and a moment goes before a span."""
    said: dict[str, object] = {name: value.strip() for name, value in fields.items() if value.strip() and name != BACK}
    labels = {name.removeprefix(LABEL): fields[name] for name in fields if name.startswith(LABEL)}
    said = {name: value for name, value in said.items() if not name.startswith(LABEL)}
    if labels:
        said["labels"] = labels
    if place := said.pop(PLACE, None):
        said["system"], _, said["check"] = str(place).partition("/")
    if "until" in said:
        said.pop("for", None)
    if "maintenance" in said:
        said["maintenance"] = True
    return {"who": who, **said}


def who_acts(request: web.Request, shell: Shell) -> str:
    """Return who will act, as far as is known: as the browser remembers, or by the login."""
    return plain(unquote(request.cookies.get(COOKIE, "")), LONGEST_WHO) or shell.who(request)


def sentence(said: str) -> str:
    """Return a text as a sentence."""
    text = said[:1].upper() + said[1:]
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."

"""Render's API as the aspects of a check ask it: lists in pages, moments, and answers that several checks share.

Lists are arrays of `{"cursor": …, "<thing>": {…}}`; a page with fewer items than were asked for is the last
(api-docs.render.com, pagination).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from monitor.model import Failure, Reason, State
from monitor.secrets import Secret
from monitor.units import show_duration
from monitor.vendors import Access, Limit, Page, Vendor, read_pages

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from monitor.vendors import Api, Found, Reply

T = TypeVar("T")
RENDER = Vendor(
    "Render",
    # 400 GETs a minute of a user, whatever his key (api-docs.render.com, rate limiting), spread: so nobody waits long
    Limit(100, timedelta(seconds=15)),
    keys=re.compile(r"\brnd_[\w*•.]*"),
    share=0.25,  # 100 a minute, which is all that older copies of that page allow
    together=True,
)
FULL_PAGE = 100
"""The most that Render gives at once."""
MOST_PAGES = 10
FURTHEST = timedelta(hours=1)
"""Clocks that are further apart than this cannot both be right."""


def access_with(key: Secret, url: str) -> Access:
    """Return Render's API at `url`, with a key."""
    return Access(RENDER, url, key, (("Authorization", Secret(f"Bearer {key.reveal()}")),))


class Render:
    """Asks. Whoever looks at the same thing with the same key is given the same answer. Everything raises `Failure`."""

    def __init__(self, api: Api, young: timedelta) -> None:
        """Ask with `api`; what another check was answered less than `young` ago will do."""
        self._api = api
        self._young = young

    @property
    def now(self) -> datetime:
        """Return the present moment, by our clock."""
        return self._api.now

    async def get(
        self,
        path: str,
        query: Iterable[tuple[str, str]] = (),
        *,
        allowed: Collection[int] = (),
        question: str = "",
        shared: bool = True,
    ) -> Reply:
        """Return the answer; `question` names it without what differs each time, such as a moment.

        An answer that is not `shared` is kept nowhere.
        """
        young = self._young if shared else None
        reply = await self._api.get(path, query, allowed=allowed, young=young, question=question)
        apart = abs(reply.at - self._api.now)
        if apart > FURTHEST + self._young:
            text = f"Render's clock and ours are {show_duration(apart.total_seconds())} apart: no time can be told"
            raise Failure(Reason.PROTOCOL, text, State.UNKNOWN)
        return reply

    async def listed(
        self, path: str, thing: str, read: Callable[[Found], T], *query: tuple[str, str], shared: bool = True
    ) -> Sequence[T]:
        """Return the whole list at `path`, each `thing` of it as `read` reads it."""

        async def ask(cursor: str | None) -> Page[T]:
            first = [("limit", str(FULL_PAGE)), *query]
            reply = await self.get(path, [*first, ("cursor", cursor)] if cursor else first, shared=shared)
            found = list(reply.body)
            items = [read(each[thing]) for each in found]
            return Page(items, found[-1]["cursor"].text if len(found) >= FULL_PAGE else None)

        pages = await read_pages(ask, MOST_PAGES, lambda: False)
        if not pages.whole:
            raise Failure(Reason.PROTOCOL, f"expected a list at {path} that ends, got one that does not", State.UNKNOWN)
        return pages.items


def moment(found: Found) -> datetime:
    """Return the moment that a text of RFC 3339 names; raises `Failure` (protocol, unknown) if it names none."""
    try:
        read = datetime.fromisoformat(found.text)
    except ValueError:
        raise Failure(Reason.PROTOCOL, "expected a moment of RFC 3339, got another text", State.UNKNOWN) from None
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def written(at: datetime) -> str:
    """Return a moment as Render's questions want it, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_word(what: str, word: str) -> Failure:
    """Return that Render says something of `what` that nobody here knows: it may mean anything."""
    return Failure(
        Reason.PROTOCOL, f"Render says {word!r} of {what}, which is a word that we do not know", State.UNKNOWN
    )

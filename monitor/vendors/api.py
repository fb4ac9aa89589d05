"""One vendor's API as one run of a probe asks it: a question, and its answer in JSON, within what the key may use."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from yarl import URL

from monitor.fetch import Exchange, Options, Request
from monitor.model import Failure, Reason, State
from monitor.secrets import Secret
from monitor.units import show_duration
from monitor.vendors.found import Found
from monitor.vendors.pause import asked_pause, written
from monitor.vendors.reading import SUCCESS, document, error_document, refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from monitor.answer import Answer
    from monitor.network import Resolver, TlsContexts
    from monitor.secrets import Redactor
    from monitor.vendors.accounts import Accounts
    from monitor.vendors.vendor import Access

NONE: frozenset[int] = frozenset()
SEEN = "answers seen"
JSON = (("Accept", Secret("application/json")),)
SENDS_JSON = (*JSON, ("Content-Type", Secret("application/json")))
MOST_REDIRECTS = 5
"""Of an API that is asked without a key."""


class Means(Protocol):
    """What requests are made with; the resources of a run have it all."""

    @property
    def resolver(self) -> Resolver:
        """Finds addresses."""
        ...

    @property
    def tls(self) -> TlsContexts:
        """Makes TLS."""
        ...

    @property
    def redact(self) -> Redactor:
        """Removes secrets."""
        ...

    @property
    def accounts(self) -> Accounts:
        """Knows what each key has used."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status, its JSON (null where an error has none), what it says of an error, when it was written.

    `at` is by the vendor's own clock, or by ours where it does not tell the time. `link` is the header that some put
    their cursors in; empty: none.
    """

    status: int
    body: Found
    said: str
    at: datetime
    link: str = ""


class Api:
    """Asks. `phases` holds the seconds of each part over all requests that were made, and `requests` how many."""

    def __init__(self, access: Access, means: Means, within: timedelta, memory: dict[str, Any]) -> None:
        """Ask with `means`; `within` is the time that the run has, and `memory` what its check remembers."""
        self.access = access
        self.account = means.accounts.of(access)
        self.phases: dict[str, float] = {}
        self.requests = 0
        self._means = means
        self._within = within
        self._seen: dict[str, int] = memory.setdefault(SEEN, {})
        self._started = perf_counter()

    @property
    def left(self) -> timedelta:
        """Return how much of the run's time is left."""
        return self._within - timedelta(seconds=perf_counter() - self._started)

    @property
    def now(self) -> datetime:
        """Return the present moment, by our clock."""
        return self._means.accounts.clock.now()

    async def get(
        self,
        path: str,
        query: Iterable[tuple[str, str]] = (),
        *,
        allowed: Collection[int] = NONE,
        right: str = "",
        young: timedelta | None = None,
        question: str = "",
    ) -> Reply:
        """Ask for what is at `path`. Statuses in `allowed` are answers like any success, all others are failures.

        `right` names what the key must be allowed for this. Where `young` is given, a success is kept for other checks
        with the same key, and one that they had less than that ago will do, once: whoever asks again wants to know what
        is the case by now. It is for questions that are always the same, or that `question` names by what is the same.
        Raises `Failure`, always unknown; and `TooLong`, one of them.
        """
        url = URL(f"{self.access.url}{path}").with_query(list(query))
        name = question or str(url)
        if young is not None and (given := self._given(name, young)):
            return given
        reply = await self._ask(Request(url, headers=(*self.access.headers, *JSON)), allowed, right)
        if young is not None and reply.status in SUCCESS:
            self._keep(name, reply)
        return reply

    def _given(self, question: str, young: timedelta) -> Reply | None:
        """Return what another check was answered less than `young` ago, unless this one had it already."""
        kept = self.account.kept.get(question)
        if kept is None or self._seen.get(question) == kept.number or self.now - kept.at >= young:
            return None
        self._seen[question] = kept.number
        reply: Reply = kept.answer
        return reply

    def _keep(self, question: str, reply: Reply) -> None:
        self._seen[question] = self.account.keep(question, reply, self.now)
        for forgotten in self._seen.keys() - self.account.kept.keys():
            del self._seen[forgotten]

    async def post(self, path: str, body: Any, *, allowed: Collection[int] = NONE, right: str = "") -> Reply:  # noqa: ANN401 - any JSON value
        """Send `body` as JSON, to where that only asks; otherwise as `get`."""
        headers = (*self.access.headers, *SENDS_JSON)
        request = Request(URL(f"{self.access.url}{path}"), "POST", headers, json.dumps(body).encode())
        return await self._ask(request, allowed, right)

    async def _ask(self, request: Request, allowed: Collection[int], right: str) -> Reply:
        await self._take_turn()
        self.requests += 1
        self.account.spend(self.now)
        answer = await self._answer(request)
        after = asked_pause(answer, self.now)
        self.account.answered(self.now, answer.status, after)
        vendor, at = self.access.vendor, written(answer, self.now)
        succeeded = answer.status in SUCCESS
        found = document(vendor, answer, self.access.embedded) if succeeded else error_document(answer)
        said = vendor.words(found, self._means.redact)
        if succeeded or answer.status in allowed:
            return Reply(answer.status, Found(found), said, at, answer.header("link") or "")
        raise refusal(vendor, answer, said, right, self.account.pause(self.now))

    async def _take_turn(self) -> None:
        """Wait until one more request is within our share; raises if the vendor wants none, or that takes too long."""
        clock, name = self._means.accounts.clock, self.access.vendor.name
        if pause := self.account.pause(self.now):
            text = f"{name} has asked us to wait for {show_duration(pause.total_seconds())} more"
            raise Failure(Reason.RATE_LIMITED, text, State.UNKNOWN)
        while wait := self.account.wait(self.now):
            if wait >= self.left:
                text = f"our share of {name}'s rate limit is used up for {show_duration(wait.total_seconds())}"
                raise Failure(Reason.RATE_LIMITED, text, State.UNKNOWN)
            await clock.sleep_until(self.now + wait)

    async def _answer(self, request: Request) -> Answer:
        """Return the answer, whatever its status. A redirect is none of ours to follow with a key in the hand."""
        options = Options(redirects=0 if self.access.headers else MOST_REDIRECTS, within=self.left)
        exchange = Exchange(request, self._means.resolver, self._means.tls, options)
        try:
            return await exchange.run()
        except Failure as failure:
            raise Failure(failure.reason, failure.detail, State.UNKNOWN) from None
        finally:
            for phase, seconds in exchange.phases.items():
                self.phases[phase] = self.phases.get(phase, 0.0) + seconds

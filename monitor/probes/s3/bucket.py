"""One bucket as one run asks it: each exchange signed, measured, on a connection of its own, within the run's time."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING

from yarl import URL

from monitor.fetch import Exchange, Options, Request
from monitor.model import Failure, Reason, State
from monitor.probes.s3.listing import PAGE, further, read_listing
from monitor.probes.s3.refusal import refusal
from monitor.probes.s3.signing import encoded_path, encoded_query, signed_headers
from monitor.vendors import read_pages
from monitor.vendors.pause import written

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from monitor.answer import Answer
    from monitor.probes.base import Run
    from monitor.probes.s3.listing import Entry
    from monitor.probes.s3.signing import Credentials
    from monitor.vendors import Page

FOUND = frozenset({HTTPStatus.OK})
GONE = frozenset({HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND})
UNKNOWN_TO_SOME = frozenset({HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED})
NO_VERSIONS = "lists no versions"
PER_PAGE = int(PAGE)
MOST_PAGES = 10


class Bucket:
    """Asks. `phases` holds the seconds of each part over all exchanges; `requests` counts them.

    `at` is the present moment by the storage's clock, once something was listed.
    """

    def __init__(self, url: str, name: str, credentials: Credentials, run: Run) -> None:
        """Ask the bucket `name` at the endpoint `url` for `run`."""
        self.phases: dict[str, float] = {}
        self.requests = 0
        self.at = run.clock.wall()
        self._url = url
        self._name = name
        self._credentials = credentials
        self._run = run
        self._started = perf_counter()

    @property
    def left(self) -> timedelta:
        """Return how much of the run's time is left."""
        return self._run.timeout - timedelta(seconds=perf_counter() - self._started)

    async def put(self, key: str, body: bytes) -> str:
        """Write an object, and return the version that was made; empty: the bucket keeps none."""
        answer = await self._ask("PUT", "put the canary", key, body=body, good=FOUND)
        return answer.header("x-amz-version-id") or ""

    async def get(self, key: str) -> bytes:
        """Return what an object holds; raises `Failure` (missing, down) if it is not there."""
        answer = await self._ask("GET", "get the canary", key, good=FOUND | {HTTPStatus.NOT_FOUND})
        if answer.status == HTTPStatus.NOT_FOUND:
            raise Failure(Reason.MISSING, "get the canary: what was put a moment ago is not there")
        return answer.body

    async def delete(self, key: str, version: str) -> None:
        """Delete an object for good: without its version a bucket that keeps versions would only hide it."""
        query = [("versionId", version)] if version else []
        await self._ask("DELETE", "delete the canary", key, query, good=GONE)

    async def leftovers(self, prefix: str, older: timedelta, most: int) -> Sequence[Entry]:
        """Return what lies under `prefix` and is older than that, so many at most: deleting them takes its time."""
        old: list[Entry] = []

        async def ask(cursor: str | None) -> Page[Entry]:
            page = await self._page(prefix, cursor)
            old.extend(each for each in page.items if self.at - each.at > older)
            return page

        await read_pages(ask, MOST_PAGES, lambda: len(old) >= most)
        return old[:most]

    async def entries(self, prefix: str, most: int) -> Sequence[Entry]:
        """Return what the bucket holds under `prefix`, versions too where the storage lists them.

        Raises `Failure` (unknown) if that is more than `most`, of which nothing whole can be said.
        """
        pages = -(-most // PER_PAGE)
        found = await read_pages(lambda cursor: self._page(prefix, cursor), pages, lambda: False)
        if not found.whole or len(found.items) > most:
            text = f"there are more than {most:,} objects, of which nothing whole can be told"
            raise Failure(Reason.UNKNOWN, text, State.UNKNOWN)
        return found.items

    async def _page(self, prefix: str, cursor: str | None) -> Page[Entry]:
        doing = "list the objects"
        common = [
            ("encoding-type", "url"),
            ("max-keys", PAGE),
            ("prefix", prefix),
            *(further(cursor) if cursor else []),
        ]
        if not self._run.memory.get(NO_VERSIONS):
            good = FOUND if cursor else FOUND | UNKNOWN_TO_SOME
            answer = await self._ask("GET", doing, "", [("versions", ""), *common], good=good)
            if answer.status == HTTPStatus.OK:
                return self._listed(answer)
            self._run.memory[NO_VERSIONS] = True
        return self._listed(await self._ask("GET", doing, "", [("list-type", "2"), *common], good=FOUND))

    def _listed(self, answer: Answer) -> Page[Entry]:
        self.at = written(answer, self._run.clock.wall())
        return read_listing(answer)

    async def _ask(
        self,
        method: str,
        doing: str,
        key: str,
        query: Sequence[tuple[str, str]] = (),
        *,
        body: bytes = b"",
        good: Collection[int],
    ) -> Answer:
        """Make one exchange and return its answer, if its status is in `good`; raises `Failure`."""
        self._run.asking = doing
        path = encoded_path(self._name, key)
        target = f"{path}?{encoded_query(query)}" if query else path
        url = URL(f"{self._url}{target}", encoded=True)
        host = url.host_subcomponent or ""
        host = host if url.is_default_port() else f"{host}:{url.port}"
        headers = signed_headers(method, host, target, body, self._credentials, self._run.clock.wall())
        resources = self._run.resources
        exchange = Exchange(
            Request(url, method, headers, body),
            resources.resolver,
            resources.tls,
            Options(redirects=0, within=self.left),
        )
        self.requests += 1
        try:
            answer = await exchange.run()
        except Failure as failure:
            raise Failure(failure.reason, f"{doing}: {failure.detail}", failure.state) from None
        finally:
            for phase, seconds in exchange.phases.items():
                self.phases[phase] = self.phases.get(phase, 0.0) + seconds
        if answer.status in good:
            return answer
        raise refusal(answer, doing, resources.redact)

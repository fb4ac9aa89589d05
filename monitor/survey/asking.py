"""One question after another to a product that does not know us, politely and with an end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from monitor.fetch import Exchange, Options, Request
from monitor.model import Failure, Reason
from monitor.units import show_duration

if TYPE_CHECKING:
    from yarl import URL

    from monitor.answer import Answer
    from monitor.network import Certificate, Resolver, TlsContexts

WITHIN = timedelta(seconds=10)
AT_ONCE = 4
LONGEST = 2**20


class Means(Protocol):
    """What questions are asked with."""

    @property
    def resolver(self) -> Resolver:
        """Finds addresses."""
        ...

    @property
    def tls(self) -> TlsContexts:
        """Makes TLS."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a question: an answer, or the failure to get one; the numeric address that was spoken to last."""

    url: URL
    answer: Answer | None
    failure: Failure | None
    address: str
    certificate: Certificate | None


class Asker:
    """Asks. Once something has answered from a public address, nothing leads from there to a private one."""

    def __init__(self, means: Means, ca_file: str = "") -> None:
        self._means = means
        self._ca_file = ca_file
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.came_from = ""

    async def ask(self, url: URL, *, within: timedelta = WITHIN, redirects: int = 10, longest: int = LONGEST) -> Seen:
        """Return what became of a GET of `url`; it takes a slot, and no longer than `within` from then."""
        options = Options(redirects=redirects, within=within, ca_file=self._ca_file, longest=longest)
        exchange = Exchange(Request(url), self._means.resolver, self._means.tls, options)
        exchange.address = self.came_from
        answer = failure = None
        async with self._slots:
            try:
                async with asyncio.timeout(within.total_seconds()):
                    answer = await exchange.run()
            except TimeoutError:
                text = f"{url.host} gave no whole answer within {show_duration(within.total_seconds())}"
                failure = Failure(Reason.TIMEOUT, text)
            except Failure as error:
                failure = error
        return Seen(url, answer, failure, exchange.address, exchange.certificate)

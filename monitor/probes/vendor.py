"""What checks of a vendor's API share: an address, a key that is used as seldom as it can be, what is measured."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field
from yarl import URL

from monitor.fields import PositiveDuration
from monitor.model import Reason, State
from monitor.probes.base import Check, MeasureSpec
from monitor.units import Unit
from monitor.vendors import Api

if TYPE_CHECKING:
    from monitor.probes.base import Run
    from monitor.vendors import Access

AGAIN = timedelta(minutes=5)
"""What an API says of a product is so, and no lost packet: asking again every ten seconds would use up the key."""


class VendorCheck(Check):
    """A check that asks a vendor's API. What the vendor does wrong, or does not let us see, is unknown."""

    every: PositiveDuration = Field(default=timedelta(minutes=10))
    """How often it runs."""
    timeout: PositiveDuration = Field(default=timedelta(seconds=30))
    """The hard deadline of one run."""

    measures: ClassVar[tuple[MeasureSpec, ...]] = (
        MeasureSpec("duration", Unit.SECONDS, "the whole run, if it succeeded"),
        MeasureSpec(
            "phase",
            Unit.SECONDS,
            "each part of a run, over all its requests: dns, connect, tls, processing, transfer",
            ("phase",),
        ),
        MeasureSpec("requests", Unit.NUMBER, "how many requests the run made"),
        MeasureSpec(
            "api_errors",
            Unit.RATIO,
            "of the last hour's requests with this key, ten at least, the share that was answered with 429 or 5xx",
        ),
    )
    reasons: ClassVar[frozenset[Reason]] = frozenset(
        {
            Reason.TIMEOUT,
            Reason.DNS,
            Reason.REFUSED,
            Reason.RESET,
            Reason.UNREACHABLE,
            Reason.TLS_INVALID,
            Reason.TLS_EXPIRED,
            Reason.STATUS,
            Reason.AUTH,
            Reason.RATE_LIMITED,
            Reason.PROTOCOL,
            Reason.MISSING,
            Reason.UNKNOWN,
        }
    )
    silence: ClassVar[State] = State.UNKNOWN

    @property
    @abstractmethod
    def access(self) -> Access:
        """Return where the API is, and as whom it is asked."""

    @abstractmethod
    async def look(self, run: Run, api: Api) -> None:
        """Ask, and judge; otherwise as `probe`."""

    @property
    def host(self) -> str:
        """Return the API's host."""
        return URL(self.access.url).raw_host or ""

    @property
    def tells_of(self) -> str:
        """Return the vendor."""
        return self.access.vendor.name

    @property
    def alone(self) -> str:
        """Return the key: its checks take turns, so that each knows what the others have used."""
        return self.access.name

    @property
    def retry_every(self) -> timedelta:
        """Return the time from the end of a failed run to the next run."""
        return self.retry.every or min(AGAIN, self.every)

    @property
    def closer(self) -> timedelta:
        """Return the usual pace: what a key may use does not grow with a deploy."""
        return self.every

    async def probe(self, run: Run) -> None:
        """Look; what was measured is noted however that ends."""
        started = perf_counter()
        api = Api(self.access, run.resources, run.timeout, run.memory)
        try:
            await self.look(run, api)
        finally:
            _note(run, api)
        run.note("duration", perf_counter() - started)


def _note(run: Run, api: Api) -> None:
    for phase, seconds in api.phases.items():
        run.note("phase", seconds, phase=phase)
    run.note("requests", api.requests)
    share, text = api.account.errors(api.now)
    run.note("api_errors", share)
    if share:
        run.remark("api_errors", text)

"""The jobs that report their runs, as the API needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.model import CheckId, Heard


class Job(NamedTuple):
    """A job and what is known of its runs. `over_http`: it reports here; else it notes them in a database."""

    check: CheckId
    heard: Heard
    over_http: bool


class Roll(Protocol):
    """Who knows the jobs."""

    async def call(self) -> Sequence[Job]:
        """Return each job; raises `StoreUnavailable`."""
        ...

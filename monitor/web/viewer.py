"""Who knows how everything stands, as the page, the API and badges need it. The web package only asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from monitor.incidents import Incident
    from monitor.model import CheckId, Deploy, Sample
    from monitor.view import CheckDetail, Overview, Plot


class Viewer(Protocol):
    """Shows. What is read from the store raises `StoreUnavailable` when that is away."""

    def overview(self) -> Overview:
        """Return how every system stands: from memory, at once."""
        ...

    def public(self) -> Overview:
        """Return the same of the systems that are public: without their checks, runbooks and the daemon's problems."""
        ...

    async def check(self, check: CheckId) -> CheckDetail | None:
        """Return everything about one check; None: there is none of that name."""
        ...

    async def plot(self, check: CheckId, measure: str, span: timedelta) -> Plot | None:
        """Return what was measured in the last `span`; None: there is no such check or measure.

        At most 12 series of some 300 points.
        """
        ...

    async def samples(self, check: CheckId, since: datetime, until: datetime | None, limit: int) -> Sequence[Sample]:
        """Return samples as `Store.samples` does: the newest `limit`, the oldest first."""
        ...

    async def incidents(self, since: datetime, system: str = "", check: str = "") -> Sequence[Incident]:
        """Return what happened after `since`, the newest first, of all systems, of one, or of one check."""
        ...

    async def deploys(self, since: datetime, system: str = "") -> Sequence[Deploy]:
        """Return the deploys after `since`, newest first."""
        ...

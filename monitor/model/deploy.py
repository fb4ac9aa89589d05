"""A release of a watched system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.model.identity import stable_id


@dataclass(frozen=True, slots=True)
class Deploy:
    """A release of a system, as it was noticed. `steps`: each part that changed, its version before, and now.

    It is watched closely until `until`. `back`: it went back to an earlier version. `protocol`: how the checks that are
    run after a deploy ended, a line each; `failed` says whether one of them did, None before they ran. `reports`: how
    many reports of it were made.
    """

    system: str
    at: datetime
    until: datetime
    steps: tuple[tuple[str, str, str], ...] = ()
    back: bool = False
    protocol: tuple[str, ...] = ()
    failed: bool | None = None
    reports: int = 0

    @property
    def id(self) -> str:
        """Return what it is known by, whatever else is learned of it."""
        return stable_id(self.system, self.at.isoformat())

    @property
    def version(self) -> str:
        """Return what runs now, in words."""
        named = [f"{part} {now}" if part else now for part, _, now in self.steps]
        return ", ".join(filter(None, named)) or "a new version"

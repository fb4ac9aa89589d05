"""What is said of deploys over HTTP: noted by the instance that leads, and by no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.web import Release, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.clock import Clock
    from monitor.config import System
    from monitor.rollout import Rollouts
    from monitor.secrets import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Takes reports for the systems that have a token for them. `leads`: whether this instance does."""

    clock: Clock
    rollouts: Rollouts
    systems: Callable[[], Mapping[str, System]]
    leads: Callable[[], bool]

    def secrets(self, system: str) -> list[Secret]:
        """Return the token that lets somebody report a deploy of `system`; nothing where there is none."""
        found = self.systems().get(system)
        token = found.deploys.token if found else None
        return [token] if token else []

    async def take(self, system: str, release: Release) -> Taken:
        """Note a deploy, and return once that is durable or cannot be for now."""
        if not self.leads():
            return Taken.ELSEWHERE
        before = release.before or self.rollouts.version_of(system, release.part)
        step = (release.part, before, release.version)
        durable = await self.rollouts.begin(system, [step], self.clock.now())
        return Taken.DURABLE if durable else Taken.IN_MEMORY

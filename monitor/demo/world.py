"""What goes on in the demo's world: by its script, or by hand."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import structlog

from monitor.demo.script import FAULTS, LENGTH, SCRIPT, Dials, dials, scripted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from monitor.clock import Clock
    from monitor.demo.script import Fault

LOOK = timedelta(milliseconds=500)

log = structlog.get_logger()


class Coming(NamedTuple):
    """A fault that the script has ahead, and in how many seconds."""

    fault: Fault
    left: int


class World:
    """All systems of the demo at one moment: which faults go on, and what they make of it."""

    def __init__(
        self, clock: Clock, *, by_hand: bool = False, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        """Let the script begin now, or be well until somebody breaks something. `pause` lets seconds pass."""
        self.clock = clock
        self.pause = pause
        self.began: datetime | None = None if by_hand else clock.now()
        self._broken: dict[str, datetime] = {}
        self._healed: set[str] = set()

    @property
    def going_on(self) -> dict[str, timedelta]:
        """Return the faults that go on, and for how long."""
        now = self.clock.now()
        by_script = scripted(now - self.began) if self.began else {}
        left = {name: so_far for name, so_far in by_script.items() if name not in self._healed}
        return left | {name: now - since for name, since in self._broken.items()}

    @property
    def now(self) -> Dials:
        """Return how the world is."""
        return dials(self.going_on)

    @property
    def coming(self) -> list[Coming]:
        """Return what the script has ahead, the next first."""
        if self.began is None:
            return []
        second = self.clock.now() - self.began
        ahead = (fault for fault in SCRIPT if fault.scripted and fault.begins > second)
        return [Coming(fault, round((fault.begins - second).total_seconds())) for fault in ahead]

    @property
    def over(self) -> bool:
        """Return whether the script has come to its end, or there is none."""
        return self.began is None or self.clock.now() - self.began >= LENGTH

    def happen(self, name: str) -> None:
        """Let a fault begin now, until it is healed. Raises KeyError for one that does not exist."""
        self._broken[FAULTS[name].name] = self.clock.now()

    def heal(self, name: str = "") -> None:
        """End a fault, or all that go on; what the script has ahead still comes. Raises KeyError as `happen` does."""
        ended = [FAULTS[name].name] if name else list(self.going_on)
        self._healed.update(ended)
        for one in ended:
            self._broken.pop(one, None)

    async def tell(self) -> None:
        """Log what begins and ends, so that who watches knows what the world is up to."""
        told: set[str] = set()
        ended = self.over
        while True:
            present = set(self.going_on)
            for name in sorted(present - told):
                log.info("demo_world", begins=name, system=FAULTS[name].system, what=FAULTS[name].words)
            for name in sorted(told - present):
                log.info("demo_world", ends=name, system=FAULTS[name].system)
            if self.over and not ended:
                log.info("demo_world", what="the script is over and all is well: now break it with POST /break")
            told, ended = present, self.over
            await self.clock.sleep_until(self.clock.now() + LOOK)

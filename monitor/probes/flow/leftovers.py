"""What runs have left behind and must remove: noted before anything is made, so that a kill forgets nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.probes.base import Run
    from monitor.probes.flow.template import Values

TOPIC = "leftovers"
MOST = 3
"""A flow that cannot clean up makes no more than so much rubbish."""


class Leftovers:
    """What each unfinished run has captured that its clean-up needs, by the run's own name; oldest first."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._values: dict[str, dict[str, Any]] = json.loads(run.memory.get(TOPIC, "{}"))

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Values]:
        return iter([*self._values.values()])

    async def note(self, values: Values) -> bool:
        """Note what a run has captured, under its name; return whether that is durable."""
        self._values[str(values["run"])] = dict(values)
        return await self._keep()

    async def forget(self, values: Values) -> None:
        """Note that a run has left nothing behind any more."""
        if self._values.pop(str(values["run"]), None) is not None:
            await self._keep()

    async def _keep(self) -> bool:
        return await self._run.keep(TOPIC, json.dumps(self._values) if self._values else "")


def unfinished(memory: Mapping[str, Any]) -> bool:
    """Return whether an earlier run has left something behind."""
    return TOPIC in memory

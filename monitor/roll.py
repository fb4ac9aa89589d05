"""Which jobs report their runs, and when each did so last: as the store has it, whoever leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import Heard, Reason
from monitor.web import Job

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from monitor.clock import Clock
    from monitor.model import CheckId, Keepsake
    from monitor.plan import Plan
    from monitor.store import Store

AGE = "age"
"""The measure of a job that notes its runs in a database: the time since its last success."""
ROUNDS = 3
"""How many intervals back a sample is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """Calls the jobs of `plans`. `look` opens the store, whoever leads."""

    clock: Clock
    plans: Callable[[], Mapping[CheckId, Plan]]
    look: Callable[[], Awaitable[Store]]

    async def call(self) -> list[Job]:
        """Return each job, in the order of the files; raises `StoreUnavailable`."""
        store = await self.look()
        kept = await store.keepsakes()
        found = []
        for plan in self.plans().values():
            heard = plan.check.heard(_memory(plan.id, kept))
            if heard is None:
                continue
            over_http = plan.check.reported_with is not None
            found.append(Job(plan.id, heard if over_http else await self._noted(store, plan), over_http=over_http))
        return found

    async def _noted(self, store: Store, plan: Plan) -> Heard:
        """Return what the newest sample tells of a job that notes its runs in a database."""
        samples = await store.samples(plan.id, self.clock.now() - ROUNDS * plan.check.every, limit=1)
        known = [sample for sample in samples if sample.reason is not Reason.MISSING]  # then there may have been none
        ages = [(sample.at, one.value) for sample in known for one in sample.measures if one.name == AGE]
        return Heard(success=max(at - timedelta(seconds=age) for at, age in ages)) if ages else Heard()


def _memory(check: CheckId, kept: list[Keepsake]) -> dict[str, str]:
    return {one.topic: one.body for one in kept if one.check == check}

"""What jobs report over HTTP: remembered at once, made durable, and looked at by its check.

Only the instance that leads takes reports, so that two never keep different ones. Of each job there is one keepsake, of
which the newest counts, so that no number of reports makes a queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from monitor.model import Change, Keepsake
from monitor.plain import plain
from monitor.web import Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from monitor.clock import Clock
    from monitor.model import CheckId, Report
    from monitor.plan import Plan
    from monitor.secrets import Secret

LONGEST_TEXT = 200


class Writer(Protocol):
    """Where reports become durable. `ends`: nothing that is queued now is sure to be written."""

    @property
    def ends(self) -> bool:
        """As `store.Writer.ends`."""
        ...

    async def commit(self, change: Change) -> bool:
        """As `store.Writer.commit`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """Takes reports for the checks of `plans`.

    `memory` is what the runs of a check remember, `stir` lets it run at once. `leads`: whether this instance does.
    `hide` removes what is secret from a text.
    """

    clock: Clock
    writer: Writer
    plans: Callable[[], Mapping[CheckId, Plan]]
    memory: Callable[[Plan], dict[str, Any]]
    leads: Callable[[], bool]
    stir: Callable[[CheckId], None]
    hide: Callable[[str], str]

    def secrets(self, check: CheckId) -> list[Secret]:
        """Return the token of a check that is reported to; nothing for another, or one that is not there."""
        plan = self.plans().get(check)
        token = plan.check.reported_with if plan else None
        return [token] if token else []

    async def take(self, check: CheckId, report: Report) -> Taken:
        """Take a report; what is remembered of it before the first pause is so whatever happens then."""
        plan = self.plans().get(check)
        if plan is None or not self._is_open():
            return Taken.ELSEWHERE
        memory = self.memory(plan)
        told = report._replace(text=plain(self.hide(report.text), LONGEST_TEXT))
        topic, body = plan.check.hear(told, self.clock.now(), memory)
        memory[topic] = body
        self.stir(check)
        if await self.writer.commit(Change(keepsakes=(Keepsake(check, topic, body),))):
            return Taken.DURABLE
        return Taken.IN_MEMORY if self._is_open() else Taken.ELSEWHERE

    def _is_open(self) -> bool:
        return self.leads() and not self.writer.ends

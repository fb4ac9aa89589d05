"""One rule of Prometheus, and a group of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.rules.promql import duration
from monitor.rules.text import Remarked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.rules.text import Value


class Recording(NamedTuple):
    """A rule whose result is a series of its own."""

    name: str
    expression: str
    system: str

    def value(self) -> Value:
        """Return it as a file of rules has it; the label, which is there anyway, tells it from other systems'."""
        return {"record": self.name, "expr": self.expression, "labels": {"system": self.system}}


@dataclass(frozen=True, slots=True)
class Alerting:
    """A rule that fires."""

    alert: str
    expression: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    for_: timedelta = timedelta()
    keep: timedelta = timedelta()
    remarks: tuple[str, ...] = field(default=())

    def value(self) -> Remarked:
        """Return it as a file of rules has it."""
        waits = {"for": self.for_, "keep_firing_for": self.keep}
        return Remarked(
            {
                "alert": self.alert,
                "expr": self.expression,
                **{name: duration(wait) for name, wait in waits.items() if wait},
                "labels": self.labels,
                "annotations": self.annotations,
            },
            self.remarks,
        )

"""Plans as a file would give them, for tests that need no file."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from monitor.model import CheckId, Patience, Severity
from monitor.plan import Plan
from monitor.probes.base import Check
from monitor.thresholds import Threshold, parse_figure, parse_watch
from monitor.units import Unit
from tests.examples import SECOND, SITE

if TYPE_CHECKING:
    from monitor.probes.base import Run


class Scripted(Check):
    """A kind whose probe is never called: the test makes the samples."""

    kind: str = "scripted"
    regular: bool = True

    @property
    def scheduled(self) -> bool:
        return self.regular

    @property
    def host(self) -> str:
        return "localhost"

    async def probe(self, run: Run) -> None:
        raise AssertionError(run)


def threshold(watch: str, *, unit: Unit = Unit.SECONDS, hold: timedelta = timedelta(), **figures: str) -> Threshold:
    """Return a threshold such as `threshold("duration", warning="> 300ms")`."""
    severities = {Severity[name.upper()]: text for name, text in figures.items()}
    return Threshold(
        name=watch,
        watch=parse_watch(watch),
        unit=unit,
        figures=tuple(parse_figure(severity, text, unit) for severity, text in severities.items()),
        patience=dict.fromkeys(severities, Patience(for_=hold, keep=hold)),
        remedy=("Scale out.",),
    )


def plan(*thresholds: Threshold, check: CheckId = SITE, failures: int = 3, **fields: Any) -> Plan:  # noqa: ANN401 - any field
    """Return the plan of a check that runs every 10 s and is down after `failures` failed runs, up after two."""
    known = {"title": check.check.title(), "system_title": "Shop", "remedy": ("Restart it.",), "fingerprint": "1"}
    return Plan(
        id=check,
        check=Scripted(every=10 * SECOND, timeout=5 * SECOND),
        thresholds=thresholds,
        down={Severity.CRITICAL: Patience(breaches=failures, clears=2)},
        **(known | fields),
    )

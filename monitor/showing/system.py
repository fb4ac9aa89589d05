"""How one system stands: the worst of its checks, and all of their time together. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from monitor.uptime import total
from monitor.view import Cell, Condition, Overview, SystemView

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from monitor.config import System
    from monitor.model import Silence
    from monitor.view import CheckView

ASIDE = {Condition.LEFT_OUT, Condition.SKIPPED}
"""What makes no system look worse than it is."""


def system_view(system: System, checks: Sequence[CheckView], silences: Iterable[Silence]) -> SystemView:
    """Return the view of `system`; `silences` are those that hold now."""
    return SystemView(
        system.name,
        system.title,
        together(check.condition for check in checks),
        tuple(checks),
        system.runbook,
        system.public,
        total(check.day for check in checks),
        total(check.month for check in checks),
        _strip(checks),
        _maintained_until(system.name, silences),
    )


def together(conditions: Iterable[Condition]) -> Condition:
    """Return the worst of `conditions`; those left out or skipped count only where there is nothing else."""
    found = sorted(set(conditions), key=lambda condition: condition.rank)
    counting = [condition for condition in found if condition not in ASIDE]
    return next(iter(counting or found), Condition.WAITING)


def for_everybody(overview: Overview) -> Overview:
    """Return what everybody may see."""
    systems = tuple(
        replace(system, checks=(), runbook="", maintenance=None) for system in overview.systems if system.public
    )
    return Overview(overview.at, systems)


def _strip(checks: Iterable[CheckView]) -> tuple[Cell, ...]:
    return tuple(_cell(cells) for cells in zip(*(check.strip for check in checks), strict=True))


def _cell(cells: Sequence[Cell]) -> Cell:
    """Return the runs of one hour of several checks together."""
    at, up, down, unknown, worst = zip(*cells, strict=True)
    bad = {severity for severity in worst if severity is not None}
    return Cell(at[0], sum(up), sum(down), sum(unknown), max(bad, default=None))


def _maintained_until(name: str, silences: Iterable[Silence]) -> datetime | None:
    """Return until when the system, or a part of it, is worked on."""
    return max((one.until for one in silences if one.maintenance and one.scope.system in {"", name}), default=None)

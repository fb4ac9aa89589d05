"""What a file holds of drills: the YAML model, and what becomes of it."""

from __future__ import annotations

from datetime import timedelta  # noqa: TC003 - pydantic reads it
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from monitor.config.maintenance import Cron
from monitor.drill import LEAST, MOST, WITHIN, PlannedDrill
from monitor.faults import allowed
from monitor.fields import Duration, Fields, Zone
from monitor.model import CheckId, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from monitor.config.section import Context
    from monitor.config.yaml_file import Document


def _within(span: timedelta) -> timedelta:
    if not LEAST <= span <= MOST:
        raise ValueError("must be from 1s to 24h")
    return span


class DrillFields(Fields):
    """A drill that comes by itself: an alert that is none goes the way of a check's, and somebody must take it."""

    check: str
    """The check whose routes it takes: `system/check`."""
    cron: Cron
    """When, as cron has it: minute, hour, day, month, day of the week. `0 10 * * Mon#1` is the first Monday of a month
    at 10:00. One that was missed by more than an hour is left out."""
    zone: Zone = "UTC"
    """The zone whose clocks count, such as `Europe/Berlin`."""
    severity: Literal["info", "warning", "critical"] = "critical"
    """The severity by which the routes are chosen."""
    within: Annotated[Duration, AfterValidator(_within)] = Field(default=WITHIN)
    """How long somebody has to take it, before the other channels hear that nobody did."""


def planned_drills(
    fields: Sequence[DrillFields], main: Document, watched: Collection[CheckId], context: Context
) -> tuple[PlannedDrill, ...]:
    """Return the drills of checks that are watched; one of a check that stands in no file is a fault."""
    names = [f"{system}/{check}" for system, checks in context.known.items() for check in checks]
    for index, one in enumerate(fields):
        if one.check not in names:
            message = f"there is no check {one.check!r}"
            context.faults.append(main.fault(("drills", index, "check"), message, allowed(one.check, names)))
    planned = (PlannedDrill(_id(one), one.cron, one.zone, Severity[one.severity.upper()], one.within) for one in fields)
    return tuple(one for one in planned if one.check in watched)


def _id(fields: DrillFields) -> CheckId:
    system, _, check = fields.check.partition("/")
    return CheckId(system, check)

"""What the samples of one hour add up to: what stays of them when they are gone. Values; the store makes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.model import CheckId, Labels


@dataclass(frozen=True, slots=True)
class HourMeasure:
    """One measure and label set over an hour: how many numbers, their sum, the least and the greatest.

    Values that are not finite numbers are left out.
    """

    name: str
    labels: Labels
    count: int
    sum: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class Hour:
    """What the samples of one check found in the hour that begins at `at`: runs by state, and each measure."""

    check: CheckId
    at: datetime
    up: int
    down: int
    unknown: int
    measures: tuple[HourMeasure, ...]

"""The parts that the fields of a check of Render are made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from monitor.fields import Fields, PositiveDuration
from monitor.probes.pattern import Pattern

Name = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$")]
"""What Render knows a resource by: its id or its name."""
Names = dict[Name, Name] | list[Name]
Aspect = Literal["deploys", "instances", "cpu", "memory", "disk", "requests", "latency", "events", "connections"]
Level = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
Quantile = Annotated[str, Field(pattern="^p[0-9]{1,3}$")]
Domain = Annotated[str, Field(pattern=r"^[A-Za-z0-9*]([A-Za-z0-9.-]*[A-Za-z0-9])?$")]
Variable = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
Price = Annotated[float, Field(ge=0)]
PriceOf = Annotated[str, Field(pattern="^(service|database|key_value)/[a-z0-9_]+$")]


class Logs(Fields):
    """Which lines of the logs are counted."""

    levels: Annotated[list[Level], Field(min_length=1)] = Field(default=["critical", "error"])
    """The levels that are counted; no other lines are asked for."""
    patterns: dict[Name, Pattern] = Field(default={})
    """Texts or `/regular expressions/` to look for in these lines, each with a name."""
    window: PositiveDuration = timedelta(minutes=5)
    """How far back lines are counted; no shorter than `every`, or some would never be."""
    show: StrictBool = False
    """Whether messages show the beginning of the newest line. It may be personal data."""


class Costs(Fields):
    """What everything in the workspace may cost."""

    budget: Annotated[float, Field(gt=0)]
    """US$ a month."""
    expected: dict[Name, Price] = Field(default={})
    """What each resource costs when all is as it should be, in US$ a month by its name at Render: a message then names
    what grew."""
    prices: dict[PriceOf, Price] = Field(default={})
    """Prices of plans where those known here are not right: `service/standard`, `database/basic_1gb`,
    `key_value/starter`."""


def by_name(names: Names) -> dict[str, str]:
    """Return what Render knows resources by, by the names that a file gives them."""
    return dict(names) if isinstance(names, dict) else {name: name for name in names}

"""What a file holds of maintenance: the YAML models."""

from __future__ import annotations

from datetime import datetime, timedelta
from string import Formatter
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from monitor.config.routes import HoursText, Names
from monitor.fields import Fields, PositiveDuration, Zone
from monitor.maintenance import TEMPLATE, WORDS
from monitor.timetable import cron_fault


def _moment(text: str) -> str:
    try:
        begin = datetime.fromisoformat(text)
    except ValueError:
        begin = None
    if begin is None or begin.tzinfo is not None or len(text) < len("2026-12-05 22:00"):
        raise ValueError(f"{text!r} is not a moment such as 2026-12-05 22:00, by the clocks of the zone")
    return text


def _cron(text: str) -> str:
    if fault := cron_fault(text):
        raise ValueError(fault)
    return text


Cron = Annotated[str, AfterValidator(_cron)]
"""A cron expression that comes some time."""


def _template(text: str) -> str:
    try:
        named = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
    except ValueError:
        raise ValueError("has a { or } without its other half; write {{ for a plain one") from None
    if unknown := sorted(named - set(WORDS)):
        raise ValueError(f"{{{unknown[0]}}} means nothing here: there are {', '.join(f'{{{word}}}' for word in WORDS)}")
    return text


class AnnounceFields(Fields):
    """Who hears of a maintenance before it begins, and how it went."""

    notify: Names
    """The channels."""
    before: PositiveDuration = timedelta(hours=24)
    """How long before."""
    text: Annotated[str, AfterValidator(_template)] = TEMPLATE
    """What is said, with `{system}`, `{title}`, `{date}`, `{start}`, `{end}`, `{zone}` and `{duration}` put in."""


class MaintenanceFields(Fields):
    """A time in which the system is worked on: `at` a moment, `weekly`, or by `cron`.

    What fires then is told only if it still fires at the end, when its checks are run at once; what was told before has
    its end told as ever. It counts neither as up nor as down.
    """

    title: str = "Maintenance"
    """What is done."""
    at: Annotated[str, AfterValidator(_moment)] | None = None
    """The moment at which it begins, once, such as `2026-12-05 22:00`; empty: none is planned."""
    weekly: HoursText | None = None
    """Hours of the week, such as `Sun 03:00-05:00`."""
    cron: Cron | None = None
    """When it begins, as cron has it: minute, hour, day, month, day of the week."""
    for_: Annotated[PositiveDuration | None, Field(alias="for")] = None
    """How long it takes, after `at` and `cron`."""
    zone: Zone | None = None
    """The zone whose clocks count; default: the system's."""
    checks: list[str] = Field(default_factory=list)
    """The checks that are concerned; default: all."""
    announce: AnnounceFields | None = None
    """Who hears of it before."""

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        given = [name for name in ("at", "weekly", "cron") if name in self.model_fields_set]
        if len(given) != 1:
            raise ValueError("needs exactly one of at, weekly and cron")
        if (self.for_ is None) is not (given == ["weekly"]):
            raise ValueError("at and cron need for, how long it takes; weekly has its end already")
        return self

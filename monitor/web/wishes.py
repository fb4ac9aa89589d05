"""What people may wish, by the API or by a form: to take alerts, to be told nothing for a time, to look now. Pure."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from monitor.model import Act, Deed, Scope, labels
from monitor.moments import ending
from monitor.plain import plain
from monitor.web.asked import LONGEST_NAME, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

EVERYTHING = "all"
"""The name of all systems together."""
LONGEST_WHO = 60
LONGEST_WHY = 300

W = TypeVar("W", bound="Wish")


class Wish(BaseModel):
    """What every wish says: of what, who and why."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    system: str = Field(min_length=1, max_length=LONGEST_NAME)
    """The system, or `all` for every one."""
    check: str = Field(default="", max_length=LONGEST_NAME)
    """The check; empty: every one of the system."""
    who: str = Field(default="api", max_length=LONGEST_NAME)
    """Who does it, for the journal and for others."""
    why: str = Field(default="", max_length=1_000)
    """Why, in a sentence."""
    id: str = Field(default="", pattern=r"^[!-~]{0,64}$")
    """A name for this wish: the same one twice is carried out once. Default: a new one."""

    @property
    def scope(self) -> Scope:
        """Return which alerts are meant."""
        return Scope("" if self.system == EVERYTHING else self.system, self.check)

    def act(self, deed: Deed, now: datetime) -> Act:
        """Return it as an act; raises ValueError in a sentence when it makes no sense."""
        who, why = plain(self.who, LONGEST_WHO) or "api", plain(self.why, LONGEST_WHY)
        return Act(self.id or token_hex(8), now, deed, who, self.scope, why=why)


class AboutAlerts(Wish):
    """What concerns alerts for a time."""

    alert: str = Field(default="", max_length=LONGEST_NAME)
    """The alert: `down`, `no data`, or the name of a threshold; empty: every one."""
    labels: dict[str, str] = Field(default_factory=dict, max_length=20)
    """Labels that the alert must have."""
    for_: str = Field(default="", alias="for", max_length=LONGEST_NAME)
    """For how long, such as `2h`."""
    until: str = Field(default="", max_length=LONGEST_NAME)
    """Until when, such as `2026-11-22T18:00+01:00`; without an offset it is UTC."""

    @property
    def scope(self) -> Scope:
        """Return which alerts are meant."""
        return super().scope._replace(alert=self.alert, labels=labels(self.labels))

    def act(self, deed: Deed, now: datetime) -> Act:
        """Return it as an act."""
        return replace(super().act(deed, now), until=ending(now, self.for_, self.until))


class Ack(AboutAlerts):
    """That somebody takes alerts. Without a time it lapses by itself after four hours."""

    incident: str = Field(default="", max_length=LONGEST_NAME)
    """Only if that is still the present incident of the alert; empty: whatever is present."""

    def act(self, deed: Deed, now: datetime) -> Act:
        """Return it as an act."""
        return replace(super().act(deed, now), incident=self.incident)


class Note(Ack):
    """What was the matter with alerts, or what helped."""

    why: str = Field(min_length=1, max_length=1_000)
    """What is noted."""


class Quiet(AboutAlerts):
    """That nothing new is told of alerts for a time, which must be said."""

    maintenance: bool = False
    """Whether what is down meanwhile counts as no outage."""

    def act(self, deed: Deed, now: datetime) -> Act:
        """Return it as an act."""
        act = replace(super().act(deed, now), maintenance=self.maintenance)
        if act.until is None:
            raise ValueError("for or until must say when the silence ends")
        return act


class Run(Wish):
    """That a check is run now."""

    check: str = Field(min_length=1, max_length=LONGEST_NAME)
    """The check."""


def read_wish(body: bytes, kind: type[W]) -> W:
    """Return what a body wishes; raises ValueError in a sentence when it makes no sense."""
    try:
        return kind.model_validate_json(body or b"{}")
    except ValidationError as error:
        raise ValueError(sentence(error, kind, "the body is no wish")) from None


def wish_of(fields: Mapping[str, object], kind: type[W]) -> W:
    """Return what the fields of a form wish; raises ValueError in a sentence when it makes no sense."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise ValueError(sentence(error, kind, "the form is no wish")) from None

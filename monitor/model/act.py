"""What people tell the daemon: acknowledgements, silences, and whatever else they do by command, API or button."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from monitor.model.sample import CheckId, Labels, Severity

if TYPE_CHECKING:
    from monitor.model.alert import AlertKey


class Scope(NamedTuple):
    """Which alerts are meant: what is empty means all. `labels` must all be among those of an alert."""

    system: str = ""
    check: str = ""
    alert: str = ""
    labels: Labels = ()

    def covers(self, key: AlertKey) -> bool:
        """Return whether the alert of `key` is meant."""
        return (
            self.system in {"", key.check.system}
            and self.check in {"", key.check.check}
            and self.alert in {"", key.name}
            and set(self.labels) <= set(key.labels)
        )

    def is_whole(self, check: CheckId) -> bool:
        """Return whether every alert of `check` is meant."""
        named = self.system in {"", check.system} and self.check in {"", check.check}
        return named and not self.alert and not self.labels

    def __str__(self) -> str:
        """Return it as a command takes it, `shop/site`, with the alert and its labels behind."""
        place = "/".join(part for part in (self.system, self.check) if part) or "everything"
        return " ".join((place, self.alert, *(f"{name}={value}" for name, value in self.labels))).strip()


class Deed(enum.StrEnum):
    """What somebody does. `LIFT` ends silences before their time, `NOTE` says what fixed an alert.

    `DRILL` asks for an alert that is none, to see whether somebody takes it.
    """

    ACKNOWLEDGE = "acknowledge"
    SILENCE = "silence"
    LIFT = "lift"
    RUN = "run"
    NOTE = "note"
    DRILL = "drill"


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did, harmless when it comes twice: its `id` says that it is the same.

    `incident`: only if that is still the present one of the alert; empty: whatever is present. `until` ends an
    acknowledgement or a silence; None: after the usual time. `maintenance`: the silence also counts as no outage.
    `why` is what the person says, and of a note all that it says. A drill is of that `severity`, and somebody has as
    long to take it as from `at` to `until`.
    """

    id: str
    at: datetime
    deed: Deed
    who: str
    scope: Scope
    incident: str = ""
    why: str = ""
    until: datetime | None = None
    maintenance: bool = False
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """That somebody takes an alert: nobody is reminded, and nothing escalates, until it lapses or gets worse."""

    who: str
    at: datetime
    severity: Severity
    until: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class Silence:
    """From `since` to `until` nothing new is told of what `scope` covers; `maintenance`: nor does it count as down.

    `over`: what its end asks for was done.
    """

    id: str
    scope: Scope
    since: datetime
    until: datetime
    who: str
    why: str = ""
    maintenance: bool = False
    over: bool = False

    def holds(self, key: AlertKey, now: datetime) -> bool:
        """Return whether nothing new is told of the alert of `key` at `now`."""
        return self.since <= now < self.until and self.scope.covers(key)

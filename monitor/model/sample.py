"""What one run of a probe found, and the words for how it stands."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


Labels = tuple[tuple[str, str], ...]
"""Label names and values, sorted by name: hashable, and equal whatever the order they came in."""


def labels(values: Mapping[str, str]) -> Labels:
    """Return `values` as `Labels`."""
    return tuple(sorted(values.items()))


OURS = "monitor"
"""The system whose checks are the daemon itself; no file may name one so."""


class CheckId(NamedTuple):
    """Names one check over all systems; prints as `system/check`, the form that commands take."""

    system: str
    check: str

    def __str__(self) -> str:
        return f"{self.system}/{self.check}"


class State(enum.StrEnum):
    """What a run says of its target. `UNKNOWN` is our own fault or a third party's: it decides nothing."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class Reason(enum.StrEnum):
    """Why a run did not find its target up: the closed list that metrics, messages and `remedy_for` use."""

    TIMEOUT = "timeout"
    DNS = "dns"
    REFUSED = "refused"
    RESET = "reset"
    UNREACHABLE = "unreachable"
    TLS_INVALID = "tls_invalid"
    TLS_EXPIRED = "tls_expired"
    STATUS = "status"
    BODY = "body"
    HEADER = "header"
    SATURATED = "saturated"
    STARTING = "starting"
    AUTH = "auth"
    RATE_LIMITED = "rate_limited"
    PROTOCOL = "protocol"
    MISSING = "missing"
    UNKNOWN = "unknown"


class Severity(enum.IntEnum):
    """How bad; ordered, so that `max` is the worst. Prints as the word that files and labels use."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    def __str__(self) -> str:
        return self.name.lower()


class Failure(Exception):  # noqa: N818 - a finding, not a programming error
    """Ends a run that did not find its target up.

    Raised by probes and by what they stand on; `probes.base.observe` turns it into a sample. `detail` is one line for
    people: what was expected and what came. It may hold text from the target, so whoever shows it must escape it.
    """

    def __init__(self, reason: Reason, detail: str, state: State = State.DOWN) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.state = state


class LeftOut(Exception):  # noqa: N818 - a decision, not a programming error
    """Ends a run that is left out on purpose: nothing was looked at, and that is as it should be.

    Raised by probes before they look; its text says why in a few words. It opens and resolves nothing, and is no gap.
    """


class Measure(NamedTuple):
    """One number that a run found, in the base unit (seconds, bytes, ratio 0 to 1) that its kind declares."""

    name: str
    value: float
    labels: Labels = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run of a check found.

    `at` is when the run ended, `took` how long it lasted. `reason` is None when `state` is up, and when the run was
    left out: then the state is unknown, and `detail` says why. `detail` is at most a few hundred characters, with
    secrets already removed. `remarks` explain measures by name in a line each, for whoever reads of a figure that is
    crossed: the arithmetic, who holds what; that of `down` says how a target is that is up. `unmeasured` names the
    measures that this run could not take though it should have: their figures are not judged. `versions` says by part
    what of the product was seen to run. None of these three is stored.
    """

    check: CheckId
    at: datetime
    took: timedelta
    state: State
    reason: Reason | None = None
    detail: str = ""
    measures: tuple[Measure, ...] = ()
    remarks: Mapping[str, str] = field(default_factory=dict, hash=False)
    unmeasured: frozenset[str] = frozenset()
    versions: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def left_out(self) -> bool:
        """Return whether nothing was looked at on purpose: unknown, and no reason for it to be anything else."""
        return self.state is State.UNKNOWN and self.reason is None

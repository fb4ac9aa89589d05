"""A live alert as pages show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from monitor.model import AlertKey, CheckId, labels
from monitor.plain import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.live import Live


@dataclass(frozen=True, slots=True)
class Firing:
    """A live alert as the page shows it: `severity` is empty while it does not fire yet."""

    key: AlertKey
    title: str
    severity: str
    value: str
    figure: str
    since: datetime | None
    incident: str
    told: Sequence[tuple[str, datetime, bool]]
    taken: Mapping[str, Any] | None
    silenced_until: datetime | None

    @property
    def against(self) -> str:
        """Return what its value is held against: its name, unless the figure begins with it, and the figure."""
        named = self.figure.startswith(f"{self.key.name},")
        return self.figure if named else ", ".join(filter(None, (self.key.name, self.figure)))


def firing_of(record: Mapping[str, object], seen: Mapping[AlertKey, Live] | None = None) -> Firing:
    """Return an alert as the page shows it; a value of `seen` is newer than what messages have said."""
    known: Any = record
    key = AlertKey(CheckId(known["system"], known["check"]), known["alert"], labels(known["labels"]))
    live = (seen or {}).get(key)
    taken = known["acknowledged"]
    return Firing(
        key,
        plain(known["title"] or f"{key.check}: {key.name}"),
        known["severity"] or "",
        (live.value if live else "") or known["value"] or "",
        (live.figure if live else "") or known["figure"] or "",
        moment_of(known["since"]) if known["since"] else None,
        known["incident"] or "",
        [_told(one) for one in known["told"]],
        {**taken, "until": moment_of(taken["until"])} if taken else None,
        moment_of(known["silenced_until"]) if known["silenced_until"] else None,
    )


def _told(heard: Mapping[str, Any]) -> tuple[str, datetime, bool]:
    """Return a channel, when it took the message, or since when that is owed to it, and which of both it is."""
    return heard["channel"], moment_of(heard["delivered_at"] or heard["at"]), bool(heard["delivered_at"])


def moment_of(text: str) -> datetime:
    """Return a moment as JSON has it."""
    return datetime.fromisoformat(text)

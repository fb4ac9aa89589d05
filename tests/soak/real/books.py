"""The ledger of the real clock: every outage held against what was heard, and what was used against a flat line."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from monitor.message import UNCERTAIN
from tests.soak.real.street import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.soak.real.fleet import Fleet
    from tests.soak.real.street import Heard, Street

SURE = {"sqlite": 14.0, "postgres": 32.0}
"""Seconds of undisturbed watching after which an outage must be told; with a lease, a takeover may come first."""
NEAR = 3.0
PENDING = 8.0
"""Seconds before a page of slowness in which the runs lie that it stands on."""
MEMORY_MAY_GROW = 4 * 1024
"""KiB over the quiet last third."""
FILES_MAY_GROW = 4
MOST_CONNECTIONS = 6
TOLD = ("ops", "hook")
OWN = {"probes"}
NO_DATA = "no data"
"""What the daemon says of itself: that it stood still, and saw nothing, for longer than its checks allow."""


class Outage(NamedTuple):
    """A target was broken from `begin` to `end`."""

    check: str
    begin: float
    end: float


@dataclass
class Books:
    """What was done, and what follows."""

    store: str
    injected: Counter[str] = field(default_factory=Counter)
    outages: list[Outage] = field(default_factory=list)
    away: list[tuple[float, float]] = field(default_factory=list)
    disturbed: list[tuple[float, float]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    doubled: Counter[str] = field(default_factory=Counter)
    figures: list[str] = field(default_factory=list)
    must: int = 0
    orphans: int = 0
    own: int = 0
    slowed: int = 0

    def judge(self, fleet: Fleet, street: Street, quiet_since: float) -> None:
        """Hold everything against everything."""
        heard = street.heard
        ends = [moment for daemon in fleet.daemons for moment in (daemon.ended, *(end for _, end in daemon.held))]
        gone = sorted(moment for moment in (*ends, *(end for _, end in self.away)) if math.isfinite(moment))
        for channel in CHANNELS:
            self._in_order([one for one in heard if one.channel == channel], gone)
        self._due(fleet, heard)
        self._true(heard, street.late)
        self._use(fleet, quiet_since)

    def _due(self, fleet: Fleet, heard: list[Heard]) -> None:
        for outage in self.outages:
            if not self._watched(fleet, outage):
                continue
            for channel in TOLD:
                self.must += 1
                of_it = [one for one in heard if (one.channel, one.check) == (channel, outage.check)]
                if not any(_overlaps(one, of_it, outage) for one in of_it):
                    told = [(round(_since(one) - outage.begin), one.status) for one in of_it]
                    self.lost.append(f"{outage.check}, {outage.end - outage.begin:.0f} s: {channel} heard only {told}")

    def _watched(self, fleet: Fleet, outage: Outage) -> bool:
        """Return whether somebody watched the outage, undisturbed, for long enough."""
        breaks = [moment for spell in (*self.away, *self.disturbed) for moment in spell]
        breaks += [moment for daemon in fleet.daemons for moment in (daemon.begun, daemon.watched, daemon.ended)]
        edges = sorted({outage.begin, outage.end, *(one for one in breaks if outage.begin < one < outage.end)})
        for begin, end in pairwise(edges):
            middle = (begin + end) / 2
            watched = any(daemon.watched < middle < daemon.ended for daemon in fleet.daemons)
            troubled = any(since <= middle <= until for since, until in (*self.away, *self.disturbed))
            if watched and not troubled and end - begin >= SURE[self.store]:
                return True
        return False

    def _true(self, heard: Iterable[Heard], late: Sequence[float]) -> None:
        """Hold that nothing was told that was not so."""
        for one in heard:
            if one.check in OWN or one.alert == NO_DATA:
                self.own += 1
            elif any(_within(one, outage) for outage in self.outages):
                continue
            elif one.check == "slow" and any(_since(one) - PENDING <= moment <= _since(one) + NEAR for moment in late):
                self.slowed += 1
            else:
                near = min(
                    (abs(_since(one) - edge.end) for edge in self.outages if edge.check == one.check), default=0.0
                )
                held = any(begin <= _since(one) - NEAR <= end + NEAR for begin, end in self.disturbed)
                said = f"{one.channel} {one.check} {one.status} since {one.incident[1]}: it was not so"
                self.wrong.append(f"{said}, {near:.1f} s off{', just after a freeze' if held else ''}: {one.note}")

    def _in_order(self, heard: list[Heard], gone: list[float]) -> None:
        """Hold that each incident of one channel has its page and then its end, once; count the doubles."""
        seen: dict[tuple[object, ...], Heard] = {}
        pages: dict[tuple[str, str], Heard] = {}
        ends: dict[tuple[str, str], Heard] = {}
        for one in heard:
            before = seen.setdefault((one.incident, one.status, one.severity), one)
            if before is not one:
                self._double(before, one, gone)
            elif one.status != "firing":
                ends[one.incident] = one
            else:
                pages.setdefault(one.incident, one)
                if one.incident in ends:
                    self.wrong.append(f"{one.channel} {one.check} was told as firing after its end")
        for page in (page for incident, page in pages.items() if incident not in ends):
            self._endless(page, any(end.incident[0] == page.incident[0] and end.at > page.at for end in ends.values()))
        for end in (end for incident, end in ends.items() if incident not in pages):
            if "first you hear" not in end.note:
                self.wrong.append(f"{end.channel} {end.check} ended, never begun")

    def _endless(self, page: Heard, ended: bool) -> None:
        if UNCERTAIN in page.note:
            self.orphans += 1
        else:
            end = "has an end of another incident" if ended else "has no end"
            self.wrong.append(f"{page.channel} {page.check} since {page.incident[1]} {end}")

    def _double(self, before: Heard, one: Heard, gone: list[float]) -> None:
        died = any(before.at - NEAR < moment <= one.at for moment in gone)
        if one.key != before.key:
            if UNCERTAIN in before.note:
                self.doubled["marked possibly repeated"] += 1
            else:
                self.wrong.append(f"doubled under another key: {one.channel} {one.check} {one.status}")
        elif before.unanswered:
            self.doubled[before.unanswered] += 1
        elif died:
            self.doubled["we died in the send"] += 1
        else:
            self.wrong.append(
                f"doubled for no reason: {one.channel} {one.check} {one.status}, {one.at - before.at:.1f} s"
            )

    def _use(self, fleet: Fleet, quiet_since: float) -> None:
        """Hold that what is used does not grow."""
        daemon = fleet.newest
        rss = [(at, float(kib)) for at, kib in daemon.rss if at >= quiet_since]
        files = [(at, count) for at, count in daemon.files if at >= quiet_since]
        if len(rss) > 2:
            slope = _slope(rss)
            grown = slope * (rss[-1][0] - rss[0][0])
            self.figures.append(
                f"memory: {rss[0][1] / 1024:.1f} to {rss[-1][1] / 1024:.1f} MiB resident in the last"
                f" {(rss[-1][0] - rss[0][0]) / 60:.1f} min, {slope * 60:+.1f} KiB a minute"
            )
            if grown > MEMORY_MAY_GROW:
                self.wrong.append(f"memory grew by {grown / 1024:.1f} MiB")
            self.figures.append(f"open files: {files[0][1]} to {files[-1][1]}, at most {max(n for _, n in files)}")
            if files[-1][1] > files[0][1] + FILES_MAY_GROW:
                self.wrong.append(f"open files grew from {files[0][1]} to {files[-1][1]}")
        connections = fleet.store.connections()
        self.figures.append(f"store: {fleet.store.size() / 2**20:.2f} MiB, {connections} connections besides")
        if connections > MOST_CONNECTIONS:
            self.wrong.append(f"{connections} connections to the database are open")
        for one in fleet.daemons:
            self.wrong += [f"it printed: {line[:300]}" for line in one.monitor.strange]
            self.wrong += [f"it logged: {line['event']}" for line in one.monitor.log if "exception" in line]

    @property
    def balanced(self) -> bool:
        return not self.lost and not self.wrong

    def show(self, heard: int, refused: int) -> str:
        """Return the ledger as text."""
        faults = ", ".join(f"{kind} {count}" for kind, count in sorted(self.injected.items()))
        doubles = ", ".join(f"{why} {count}" for why, count in sorted(self.doubled.items())) or "none"
        lines = [
            f"{self.injected.total()} faults injected: {faults}",
            f"  heard {heard} (of itself {self.own}), refused or left hanging {refused}, lost {len(self.lost)}",
            f"  outages that must be told, by channel: {self.must}",
            f"  doubled: {doubles}",
            f"  told as slow while the targets' own loop was late: {self.slowed}",
            f"  sent from memory, marked, and its end unsaid: {self.orphans}",
            *(f"  {line}" for line in self.figures),
            *(f"  LOST: {line}" for line in self.lost),
            *(f"  WRONG: {line}" for line in self.wrong),
        ]
        return "\n".join(lines)


def _since(one: Heard) -> float:
    return datetime.fromisoformat(one.incident[1]).timestamp()


def _overlaps(one: Heard, others: list[Heard], outage: Outage) -> bool:
    """Return whether an incident went on in an outage: or came from an earlier one whose end nobody saw."""
    ends = [other.at for other in others if other.incident == one.incident and other.status != "firing"]
    return _since(one) <= outage.end + NEAR and max(ends, default=math.inf) >= outage.begin


def _within(one: Heard, outage: Outage) -> bool:
    return one.check == outage.check and outage.begin - NEAR <= _since(one) <= outage.end + NEAR


def _slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the line through `points` that fits best."""
    middle_x, middle_y = (sum(column) / len(points) for column in zip(*points, strict=True))
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0

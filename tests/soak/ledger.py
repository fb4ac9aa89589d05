"""The books: what was injected, owed, delivered, lost and doubled, and every sentence in which they do not balance."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.model import BLIND, DOWN, NO_DATA, CheckId, EventKind, Severity
from monitor.store import open_store
from tests.soak.oracle import TOLD_WITHIN
from tests.soak.script import CHANNELS, NEEDS, Look, at, told
from tests.soak.world import EVERY, TIMED_NAME, Level

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.model import AlertKey
    from tests.soak.oracle import Mark
    from tests.soak.world import Glance, Taken, Told, World

ENDS = frozenset({EventKind.RESOLVED, EventKind.REMOVED})
QUIET = ENDS | {EventKind.EASED}
SETTLED = 3 * EVERY.total_seconds() + 10
PROMPT = 68.0
"""Seconds from the decision until a critical is taken by a channel that is well: it may have to wait its minute."""


@dataclass
class Ledger:
    """The result of one run."""

    seed: int
    injected: dict[str, int]
    owed: int = 0
    delivered: int = 0
    superseded: int = 0
    forgotten: int = 0
    orphans: int = 0
    blind: int = 0
    must: int = 0
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    doubled: Counter[str] = field(default_factory=Counter)

    @property
    def balanced(self) -> bool:
        """Return whether nothing was lost, and nothing else is wrong."""
        return not self.lost and not self.wrong

    def __str__(self) -> str:
        faults = ", ".join(f"{kind} {count}" for kind, count in self.injected.items())
        doubles = ", ".join(f"{why} {count}" for why, count in sorted(self.doubled.items())) or "none"
        lines = [
            f"seed {self.seed}: {sum(self.injected.values())} faults injected: {faults}",
            f"  messages owed {self.owed}: delivered {self.delivered}, replaced by a newer one {self.superseded},",
            f"    decided again after a death {self.forgotten}, lost {len(self.lost)}",
            f"  outages that must be told, by channel: {self.must}",
            f"  doubled: {doubles}",
            f"  sent from memory, marked, and the end unsaid: {self.orphans}",
            f"  told by a process that could not read its store yet, and joined later: {self.blind}",
            *(f"  LOST: {line}" for line in self.lost),
            *(f"  WRONG: {line}" for line in self.wrong),
        ]
        return "\n".join(lines)


async def judge(world: World, path: Path, tasks: int) -> Ledger:
    """Return the ledger of what happened in `world`; `tasks` are left over from the processes."""
    ledger = Ledger(world.script.seed, world.script.counts)
    books = _Books(world, ledger)
    books.justified()
    books.due()
    books.delivered()
    books.prompt()
    for channel in CHANNELS:
        books.in_order(channel)
    with world.loop.busy():
        store = await open_store(path)
        ledger.wrong += [f"still owed: {_name(owed.notification.key)}" for owed in await store.owed()]
        ledger.wrong += [f"still open: {_name(alert.key)}" for alert in await store.alerts() if alert.live]
        await store.close()
    if tasks:
        ledger.wrong.append(f"{tasks} tasks were left over")
    return ledger


class _Books:
    """Holds what was told against what was seen."""

    def __init__(self, world: World, ledger: Ledger) -> None:
        self.world = world
        self.ledger = ledger
        self.told = sorted(world.owed.values(), key=lambda told: told.at)
        self.by_key: dict[tuple[AlertKey, str], list[Told]] = defaultdict(list)
        for one in self.told:
            self.by_key[one.note.key, one.note.channel].append(one)
        self.taken_ids = {taken.note.id for taken in self._all_taken()}

    def _all_taken(self) -> list[Taken]:
        return [taken for channel in CHANNELS for taken in self.world.taken.get(channel, ())]

    def justified(self) -> None:
        """Hold that nothing was told that was not so: no page without its cause, no end before it was over."""
        for one in self.told:
            note, wrong = one.note, ""
            if note.key.name == NO_DATA and note.kind not in QUIET and self._slept(note.key.check, one.at):
                wrong = "it slept, and was left out on purpose"
            elif note.key.name in {NO_DATA, BLIND} or note.kind in {EventKind.REMOVED, EventKind.FLAPPING}:
                continue
            elif note.kind in QUIET:
                levels = [
                    level for level in self._levels(note.key) if note.kind in ENDS or level.severity > note.severity
                ]
                wrong = "" if all(self._may(level, one.at, "silent") for level in levels) else "it had not ended"
            elif not self._may(Level(*note.key[:2], note.severity), one.at, "fires"):
                wrong = "it was not so"
            if wrong:
                self.ledger.wrong.append(f"{_said(one)}, but {wrong}")

    def _slept(self, check: CheckId, moment: float) -> bool:
        """Return whether `check` was asleep at `moment`, and long enough for a run to have seen it."""
        spells = self.world.script.targets[check]
        return all(at(spells, moment - ago) == Look.ASLEEP for ago in (0.0, EVERY.total_seconds() + 10))

    def due(self) -> None:
        """Hold that whatever must have been told was told to whom it concerns."""
        for level, belief in self.world.beliefs.items():
            for begin, end in _episodes(belief.marks, self.world.now):
                moments = [glance for glance in self.world.glances[level.check] if begin <= glance.at < end]
                sure = next((glance.at for glance in moments if self._must(level, glance)), None)
                if sure is None:
                    continue
                for channel in told(level.check, level.severity):
                    self.ledger.must += 1
                    if not self._was_told(level, channel, begin, sure + TOLD_WITHIN):
                        self.ledger.lost.append(f"{level} from {begin:.0f}, sure at {sure:.0f}: not told to {channel}")

    def _was_told(self, level: Level, channel: str, begin: float, end: float) -> bool:
        """Return whether it was told then, or before in an incident that had not ended, so far as the disk knew."""
        for (key, told_to), notes in self.by_key.items():
            if key[:2] != level[:2] or told_to != channel:
                continue
            over = {one.note.incident: one.at for one in notes if one.note.kind in ENDS}
            for one in notes:
                loud = one.note.kind not in QUIET and one.note.severity >= level.severity and one.at <= end
                if loud and (one.at >= begin - TOLD_WITHIN or over.get(one.note.incident, 0.0) > begin):
                    return True
        return False

    def _must(self, level: Level, glance: Glance) -> bool:
        """Return whether the level surely fires at a glance, is not held back, and the process lives to tell it."""
        now, (_, died) = glance.at, self.world.lives[glance.process - 1]
        marks = self.world.beliefs[level].between(now, now + TOLD_WITHIN)
        reachable = not any(at(self.world.script.store, now + second) for second in range(-20, 9))
        return (
            died > now + TOLD_WITHIN and reachable and not any(mark.silent for mark in marks) and self._free(level, now)
        )

    def _free(self, level: Level, now: float) -> bool:
        """Return whether nothing else explains the alert."""
        others = [Level(need, DOWN, Severity.CRITICAL) for need in NEEDS.get(level.check, ())]
        if level.name != DOWN:
            others.append(Level(level.check, DOWN, Severity.CRITICAL))
        return not any(
            mark.stirs
            for other in others
            for mark in self.world.beliefs[other].between(now - SETTLED, now + TOLD_WITHIN)
        )

    def delivered(self) -> None:
        """Hold that what is owed arrived, or was replaced by what says more, or was forgotten before it was written."""
        later: dict[tuple[str, str], float] = {}
        for taken in self._all_taken():
            key = taken.note.incident, taken.note.channel
            later[key] = max(later.get(key, 0.0), self.world.owed[taken.note.id].at)
        for one in self.told:
            self.ledger.owed += 1
            if one.note.id in self.taken_ids:
                self.ledger.delivered += 1
            elif later.get((one.note.incident, one.note.channel), -1.0) > one.at:
                self.ledger.superseded += 1
            elif one.note.id not in self.world.on_disk:
                self.ledger.forgotten += 1
            else:
                self.ledger.lost.append(_said(one))

    def prompt(self) -> None:
        """Hold that a critical is with a channel that is well within its minute."""
        first: dict[str, float] = {}
        for taken in self._all_taken():
            first[taken.note.id] = min(first.get(taken.note.id, taken.at), taken.at)
        for one in self.told:
            note, (_, died) = one.note, self.world.lives[one.process - 1]
            spells = self.world.script.channels[note.channel]
            well = all(spell.end + 1_400 < one.at or spell.begin > one.at + PROMPT for spell in spells)
            if note.severity is not Severity.CRITICAL or note.quiet or not well or died < one.at + PROMPT:
                continue
            replaced = any(
                other.note.incident == note.incident and one.at < other.at < one.at + PROMPT
                for other in self.by_key[note.key, note.channel]
            )
            if not replaced and first.get(note.id, float("inf")) > one.at + PROMPT:
                self.ledger.wrong.append(f"{_said(one)}, but it was taken only at {first.get(note.id, 0):.0f}")

    def in_order(self, channel: str) -> None:
        """Hold that each incident has one page and one end, in this order, and doubles have their reason and key."""
        seen: dict[str, Taken] = {}
        pages: dict[str, Taken] = {}
        ends: dict[str, Taken] = {}
        for taken in sorted(self.world.taken.get(channel, ()), key=lambda taken: taken.at):
            note = taken.note
            if before := seen.get(note.id):
                self._double(before, taken)
                continue
            seen[note.id] = taken
            if note.incident in ends:
                self.ledger.wrong.append(f"{channel} {_name(note.key)} {note.kind} at {taken.at:.0f}, after its end")
            if note.kind in ENDS:
                ends[note.incident] = taken
                if note.incident not in pages and not note.missed and not self._blind_page(note.key, pages):
                    self.ledger.wrong.append(f"{channel} {_name(note.key)} ended at {taken.at:.0f}, never begun")
            else:
                pages.setdefault(note.incident, taken)
        for incident, page in pages.items():
            if incident not in ends:
                self._endless(channel, page, ends)
        self._one_page_each(channel, list(pages.values()))

    def _double(self, before: Taken, taken: Taken) -> None:
        excuses = self.world.excuses.get(before.delivery, set())
        if before.delivery == taken.delivery and excuses:
            self.ledger.doubled[", ".join(sorted(excuses))] += 1
        elif before.uncertain:
            self.ledger.doubled["marked possibly repeated"] += 1
        else:
            same = "the same key" if before.delivery == taken.delivery else "another key"
            self.ledger.wrong.append(
                f"doubled under {same}: {taken.note.channel} {_name(taken.note.key)} {taken.note.kind}"
                f" at {before.at:.1f} and {taken.at:.1f}, {sorted(excuses) or 'for no reason'}"
            )

    def _endless(self, channel: str, page: Taken, ends: dict[str, Taken]) -> None:
        """Judge a page without its own end: only one that was sent from memory and died there may be so."""
        told_blindly = self.world.owed[page.note.id].blind
        if told_blindly and any(end.note.key == page.note.key and end.at >= page.at for end in ends.values()):
            self.ledger.blind += 1
        elif page.uncertain or page.note.id not in self.world.on_disk:
            self.ledger.orphans += 1
        else:
            self.ledger.wrong.append(f"{channel} {_name(page.note.key)}, told at {page.at:.0f}, has no end")

    def _blind_page(self, key: AlertKey, pages: dict[str, Taken]) -> bool:
        """Return whether its page was told under another incident, by a process that knew of no earlier one."""
        return any(page.note.key == key and self.world.owed[page.note.id].blind for page in pages.values())

    def _one_page_each(self, channel: str, pages: list[Taken]) -> None:
        """Hold that two incidents of one alert have a moment between them at which it may have been over."""
        last: dict[AlertKey, Taken] = {}
        for page in sorted(pages, key=lambda page: self.world.owed[page.note.id].at):
            before = last.get(page.note.key)
            last[page.note.key] = page
            if before is None or before.uncertain or page.note.key.name in {NO_DATA, BLIND}:
                continue
            if self.world.owed[page.note.id].blind:
                continue
            levels = self._levels(page.note.key)
            begin, end = (self.world.owed[one.note.id].at for one in (before, page))
            may_end = all(
                any(mark.silent for mark in self.world.beliefs[level].between(begin, end)) for level in levels
            )
            if not may_end:
                self.ledger.wrong.append(f"{channel} {_name(page.note.key)}: two pages at {begin:.0f}, {end:.0f}")

    def _levels(self, key: AlertKey) -> list[Level]:
        severities = (Severity.WARNING, Severity.CRITICAL) if key.name == TIMED_NAME else (Severity.CRITICAL,)
        return [Level(key.check, key.name, severity) for severity in severities]

    def _may(self, level: Level, moment: float, what: str) -> bool:
        return any(getattr(mark, what) for mark in self.world.beliefs[level].between(moment - TOLD_WITHIN, moment))


def _episodes(marks: list[Mark], end: float) -> list[tuple[float, float]]:
    """Return the spans in which a level may fire."""
    found: list[tuple[float, float]] = []
    begun: float | None = None
    for mark in marks:
        if mark.fires and begun is None:
            begun = mark.at
        elif not mark.fires and begun is not None:
            found.append((begun, mark.at))
            begun = None
    return [*found, (begun, end)] if begun is not None else found


def _name(key: AlertKey) -> str:
    return f"{CheckId(*key.check)} {key.name}"


def _said(one: Told) -> str:
    note = one.note
    return (
        f"{note.channel} {_name(note.key)} {note.severity} {note.kind} decided at {one.at:.1f} by process {one.process}"
    )

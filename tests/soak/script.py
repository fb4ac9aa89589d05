"""What happens in a week, from a seed: who breaks, when, and how. Pure; moments are seconds since the start."""

from __future__ import annotations

import enum
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.model import CheckId, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
CALM = 50 * MINUTE
"""How long all is well in the end, so that everything can come to its end."""

SYSTEMS = {
    "shop": ("db", "site", "cart", "search"),
    "bank": ("api", "login", "ledger", "mail"),
    "blog": ("front", "feed", "images", "comments"),
}
CHECKS = tuple(CheckId(system, check) for system, checks in SYSTEMS.items() for check in checks)
NEEDS: Mapping[CheckId, tuple[CheckId, ...]] = {
    CheckId("shop", "site"): (CheckId("shop", "db"),),
    CheckId("shop", "cart"): (CheckId("shop", "db"),),
    CheckId("bank", "login"): (CheckId("bank", "api"),),
}
TIMED = frozenset(CHECKS) - set(NEEDS)
"""The checks with a figure for their duration."""
CHANNELS = ("ops", "phone", "hook")
FALLBACK = {"ops": "phone"}
REMOVABLE = (CheckId("blog", "feed"), CheckId("bank", "ledger"))


def told(check: CheckId, severity: Severity) -> set[str]:
    """Return who must hear of it, as the routes are meant."""
    if severity is Severity.WARNING:
        return {"ops", "hook"}
    return {"ops", "hook"} if check.system == "shop" else {"ops", "phone", "hook"}


class Look(enum.StrEnum):
    """How a watched target is. `MUTE`: our own fault, so that nothing can be said of it. `ASLEEP`: left alone."""

    FINE = "fine"
    DOWN = "down"
    HANGS = "hangs"
    SLOW = "slow"
    SLOWER = "slower"
    MUTE = "mute"
    ASLEEP = "asleep"


class Mood(enum.StrEnum):
    """How a channel takes what it is sent. `DEAF`: it takes it, and the answer is lost."""

    TAKES = "takes"
    REFUSES = "refuses"
    STALLS = "stalls"
    SLOW = "slow"
    DEAF = "deaf"
    ASKS = "asks for patience"


class Away(enum.StrEnum):
    """How a store is away. `LATE`: it writes, but says so too late."""

    REFUSES = "refuses"
    SILENT = "silent"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Spell:
    """Something is `how` from `begin` to `end`."""

    begin: float
    end: float
    how: str


@dataclass(frozen=True, slots=True)
class Death:
    """The process ends at `at`, and another starts `pause` seconds later.

    `seam`: killed, at the next time that it is there, and so many `turns` of the loop later; "": a graceful stop.
    """

    at: float
    pause: float
    seam: str = ""
    turns: int = 0


@dataclass(frozen=True, slots=True)
class Reload:
    """The configuration is read again; `without` is what it no longer holds."""

    at: float
    without: frozenset[CheckId]


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that happens until `end`."""

    seed: int
    end: float
    targets: Mapping[CheckId, tuple[Spell, ...]]
    channels: Mapping[str, tuple[Spell, ...]]
    store: tuple[Spell, ...]
    steps: tuple[tuple[float, float], ...]
    acts: tuple[Death | Reload, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Return how many faults of each kind it holds."""
        kinds = [f"target {spell.how}" for spells in self.targets.values() for spell in spells]
        kinds += [f"channel {spell.how}" for spells in self.channels.values() for spell in spells]
        kinds += [f"store {spell.how}" for spell in self.store] + ["clock set"] * len(self.steps)
        deaths = [act for act in self.acts if isinstance(act, Death)]
        kinds += ["kill" if death.seam else "deploy" for death in deaths]
        kinds += ["reload"] * (len(self.acts) - len(deaths))
        return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def at(spells: Iterable[Spell], moment: float) -> str:
    """Return how it is at `moment`; "" means as it should be."""
    return next((spell.how for spell in spells if spell.begin <= moment < spell.end), "")


SEAMS = ("probe", "write", "written", "send", "sent", "open")


@dataclass
class _Dice:
    """Draws a script."""

    seed: int
    end: float
    pace: float
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def moments(self, mean: float) -> list[float]:
        """Return moments, on average `mean` seconds apart at the pace of a week."""
        found, moment = [], 3 * MINUTE
        while (moment := moment + 20 + self.chance.expovariate(1 / (mean / self.pace))) < self.end:
            found.append(moment)
        return found

    def spells(self, mean: float, hows: Mapping[str, tuple[float, float]], rest: float) -> tuple[Spell, ...]:
        """Return spells of random kinds, each between so many seconds long, with a `rest` between two."""
        found: list[Spell] = []
        for moment in self.moments(mean):
            if found and moment < found[-1].end + rest:
                continue
            how = self.chance.choice(list(hows))
            least, most = hows[how]
            until = moment + least * (most / least) ** self.chance.random()
            found.append(Spell(moment, min(until, self.end), how))
        return tuple(found)

    def targets(self) -> dict[CheckId, tuple[Spell, ...]]:
        """Return what happens to each target; a few of the outages take along what needs the target."""
        lengths = {
            Look.DOWN: (3.0, 2 * HOUR),
            Look.HANGS: (3.0, HOUR),
            "flaps": (2 * MINUTE, 20 * MINUTE),
            Look.MUTE: (5.0, 8 * MINUTE),
            Look.ASLEEP: (MINUTE, 4 * HOUR),
        }
        slow = {Look.SLOW: (10.0, HOUR), Look.SLOWER: (10.0, HOUR), "worsens": (5 * MINUTE, HOUR)}
        found = {
            check: self._refined(self.spells(8 * HOUR, lengths | slow if check in TIMED else lengths, 5 * MINUTE))
            for check in CHECKS
        }
        for check, needs in NEEDS.items():
            along = [
                Spell(
                    max(spell.begin + self.chance.uniform(-10, 10), 0), spell.end + self.chance.choice((0, 5, 400)), ""
                )
                for spell in found[needs[0]]
                if spell.how in {Look.DOWN, Look.HANGS}
            ]
            found[check] = _laid_over(
                [Spell(one.begin, min(one.end, self.end), Look.DOWN) for one in along], found[check]
            )
        return found

    def _refined(self, spells: Iterable[Spell]) -> tuple[Spell, ...]:
        found: list[Spell] = []
        for spell in spells:
            if spell.how == "flaps":
                moment = spell.begin
                while moment < spell.end:
                    until = moment + self.chance.uniform(5, 90)
                    found.append(Spell(moment, min(until, self.end), Look.DOWN))
                    moment = until + self.chance.uniform(5, 90)
            elif spell.how == "worsens":
                middle = self.chance.uniform(spell.begin, spell.end)
                first, then = self.chance.choice(((Look.SLOW, Look.SLOWER), (Look.SLOWER, Look.SLOW)))
                found += [Spell(spell.begin, middle, first), Spell(middle, spell.end, then)]
            else:
                found.append(spell)
        return tuple(found)

    def acts(self) -> tuple[Death | Reload, ...]:
        """Return deploys, kills and reloads, none while a process is starting anew."""
        found: list[Death | Reload] = []
        for moment in self.moments(2 * HOUR):
            if found and moment < found[-1].at + 30:
                continue
            kind = self.chance.choice(("kill", "kill", "kill", "deploy", "deploy", "reload"))
            if kind == "kill":
                pause = self.chance.choice((0.5, 3.0, 20.0, 4 * MINUTE))
                found.append(Death(moment, pause, self.chance.choice(SEAMS), self.chance.randrange(40)))
            elif kind == "deploy":
                found.append(Death(moment, self.chance.choice((0.5, 8.0, 60.0))))
            else:
                without = frozenset(check for check in REMOVABLE if self.chance.random() < 0.5)
                found.append(Reload(moment, without))
        return (*found, Reload(self.end, frozenset()))

    def steps(self) -> tuple[tuple[float, float], ...]:
        """Return when the wall clock is set, and by how much it is wrong from then on."""
        wrong = (0.0, 0.5, -0.5, HOUR, -HOUR, 90.0, -90.0)
        return tuple((moment, self.chance.choice(wrong)) for moment in self.moments(DAY))


def _laid_over(above: list[Spell], below: Iterable[Spell]) -> tuple[Spell, ...]:
    """Return the spells of both without those of `below` that touch one `above`."""
    kept = [one for one in below if all(one.end < over.begin - 60 or one.begin > over.end + 60 for over in above)]
    return tuple(sorted((*above, *kept), key=lambda spell: spell.begin))


def draw(seed: int, days: float, pace: float = 1.0) -> Script:
    """Return the script of `seed`: `days` of trouble, `pace` times as much of it as in a usual bad week, then calm."""
    dice = _Dice(seed, days * DAY, pace)
    moods = {
        Mood.REFUSES: (10.0, 3 * HOUR),
        Mood.STALLS: (10.0, HOUR),
        Mood.SLOW: (MINUTE, HOUR),
        Mood.DEAF: (5.0, 10 * MINUTE),
        Mood.ASKS: (10.0, HOUR),
    }
    away = {Away.REFUSES: (2.0, HOUR), Away.SILENT: (2.0, 20 * MINUTE), Away.LATE: (2.0, 5 * MINUTE)}
    return Script(
        seed=seed,
        end=dice.end,
        targets=dice.targets(),
        channels={
            channel: dice.spells(5 * HOUR, {str(how): span for how, span in moods.items()}, MINUTE)
            for channel in CHANNELS
        },
        store=dice.spells(5 * HOUR, {str(how): span for how, span in away.items()}, 2 * MINUTE),
        steps=dice.steps(),
        acts=dice.acts(),
    )

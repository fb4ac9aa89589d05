"""What a week came to, and how it reads: on a phone, in a screen or two. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.incidents import left_alone, mean_to_acknowledge, mean_to_resolve
from monitor.plain import plain
from monitor.review.noise import noisy, pagers, rang
from monitor.units import show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from monitor.incidents import Incident
    from monitor.model import AlertKey
    from monitor.review.noise import Noise
    from monitor.uptime import Uptime

MOST_NOISY = 5
"""Of so many rules it is said in full what would have kept them silent."""
MOST_NAMED = 3
MORE_SYSTEMS = 5
"""Of so many systems more the uptime is told."""
LONGEST = 1_000
"""What a message shows of its summary."""
LONGEST_REASON = 60
WEEK = timedelta(days=7)
Line = tuple[str, str]
"""A line of text, and how bad what it tells of is: the name of a severity, or nothing."""
QUIET = "A quiet week"
TWICE = 2


class Proposal(NamedTuple):
    """What would have kept a noisy rule silent: `text`, as in a file, in place of `now`.

    `judged` of its incidents were judged again with it. `missed` are those that somebody took and that would not have
    fired either, so that it is no good. Without a `text`, `why` says why there is none.
    """

    now: str = ""
    text: str = ""
    judged: int = 0
    missed: tuple[Incident, ...] = ()
    why: str = ""


class Refused(NamedTuple):
    """How many messages a channel rejected, and why the last one."""

    messages: int
    reason: str


@dataclass(frozen=True, slots=True)
class Week:
    """What happened from `since` to `until`.

    `proposals` are for the noisiest rules, by their names. `flapped` counts by alert, `silenced` says for how long
    something was silent and what was said of it, `rejected` is by channel, `uptime` by system. `cut`: there was more
    than was read.
    """

    since: datetime
    until: datetime
    incidents: Sequence[Incident] = ()
    proposals: Mapping[str, Proposal] = field(default_factory=dict)
    flapped: Mapping[AlertKey, int] = field(default_factory=dict)
    silenced: Mapping[str, timedelta] = field(default_factory=dict)
    escalated: int = 0
    rejected: Mapping[str, Refused] = field(default_factory=dict)
    uptime: Mapping[str, Uptime] = field(default_factory=dict)
    cut: bool = False


def title(until: datetime) -> str:
    """Return what the message about the week that ended at `until` is called."""
    return f"The week from {_date(until - WEEK)} to {_date(until)}"


def as_lines(week: Week) -> list[Line]:
    """Return the week as text for a terminal."""
    numbered = (f"{number}. {step}".replace("\n", "\n   ") for number, step in enumerate(steps(week), 1))
    return [(title(week.until), ""), *((line, "") for line in sums(week)), *((line, "warning") for line in numbered)]


def summary(week: Week) -> str:
    """Return what the week came to, with as many names as a message has room for."""
    tried = (" ".join(sums(week, most)) for most in range(MOST_NAMED, 0, -1))
    return next((text for text in tried if len(text) <= LONGEST), " ".join(sums(week, 0)))


def sums(week: Week, most: int = MOST_NAMED) -> list[str]:
    """Return what the week came to, a sentence each; in a list so many are named at most."""
    found = list(_sums(week, most))
    uptime = _uptime(week, most + MORE_SYSTEMS)
    if not found and not noisy(pagers(week.incidents)):
        return [f"{QUIET}: nobody was paged.", *uptime]
    return [*found, *uptime]


def steps(week: Week) -> list[str]:
    """Return what to do about each rule that paged often and that nobody acknowledged, the noisiest first."""
    known = noisy(pagers(week.incidents))
    more = len(known) - MOST_NOISY
    told = [_step(one, week) for one in known[:MOST_NOISY]]
    return [*told, f"{more} more {_rules(more)} paged three times or more without being taken."] if more > 0 else told


def _step(noise: Noise, week: Week) -> str:
    lasted = _span(noise.lasted(week.until))
    taken = f" ({len(noise.taken)} more that somebody took)" if noise.taken else ""
    told = f"{plain(str(noise.rule))} paged {len(noise.alone)} times and nobody took it{taken}; {lasted} at the median."
    return f"{told}\n{_proposed(week.proposals.get(str(noise.rule), Proposal()), noise)}".rstrip()


def _proposed(one: Proposal, noise: Noise) -> str:
    if not one.text:
        return plain(one.why)
    share = f" (judged again: {one.judged} of {len(noise.alone)})" if one.judged < len(noise.alone) else ""
    instead = f"`{plain(one.text)}` in place of `{plain(one.now)}`"
    if not one.missed:
        return f"It would have stayed silent with {instead}{share}."
    who = ", ".join(f"{plain(each.taken[0].who)} on {_day(each.taken[0].at)}" for each in one.missed[:MOST_NAMED])
    count = len(one.missed)
    return f"Leave it: with {instead} it would have missed {count} that somebody took ({who})."


def _sums(week: Week, most: int) -> Iterator[str]:
    known = pagers(week.incidents)
    if known:
        yield from _paged(known, week, most)
    if week.escalated:
        yield f"{week.escalated} escalated."
    if (count := sum(one.goes_on for one in week.incidents)) > 0:
        yield f"{count} still {'fires' if count == 1 else 'fire'}."
    if week.flapped:
        keys = sorted(week.flapped, key=lambda key: (-week.flapped[key], key))
        yield f"Flapped: {_listed([f'{key.check} {key.name}{_times(week.flapped[key])}' for key in keys], most)}."
    if week.silenced:
        names = sorted(week.silenced, key=lambda name: (-week.silenced[name], name))
        yield f"Silent for most of it: {_listed([f'{name}, {_span(week.silenced[name])}' for name in names], most)}."
    if week.rejected:
        told = [f"{name} {one.messages} ({plain(one.reason, LONGEST_REASON)})" for name, one in week.rejected.items()]
        yield f"Messages rejected: {_listed(told, most)}."
    if week.cut:
        yield "More happened than was read: the oldest is left out."


def _paged(known: Sequence[Noise], week: Week, most: int) -> Iterator[str]:
    found = [one for one in week.incidents if rang(one)]
    count, alone = len(found), len(left_alone(found))
    taken, solved = mean_to_acknowledge(found), mean_to_resolve(found)
    soon = f" after {_span(taken)} on average" if taken is not None else ""
    told = f"{count} {'page' if count == 1 else 'pages'} by {len(known)} {_rules(len(known))}: "
    yield f"{told}{count - alone} taken{soon}, {alone} not." + (
        f" Resolved after {_span(solved)} on average." if solved is not None else ""
    )
    often = [f"{one.rule} {one.pages}" for one in known if one.pages >= TWICE]
    if often:
        yield f"Paged most: {_listed(often, most)}."


def _uptime(week: Week, most: int) -> list[str]:
    known = sorted((one.ratio, name) for name, one in week.uptime.items() if one.ratio is not None)
    told = [f"{plain(name)} {week.uptime[name]}" for _, name in known]
    return [f"Uptime: {_listed(told, most)}."] if told else []


def _listed(names: Sequence[str], most: int) -> str:
    more = len(names) - most
    told = [plain(", ".join(names[:most]))] if most else []
    return " and ".join([*told, f"{more} more" if most else str(more)] if more > 0 else told)


def _rules(count: int) -> str:
    return "rule" if count == 1 else "rules"


def _times(count: int) -> str:
    return f" {count} times" if count > 1 else ""


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%b}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %H:%M}"


def _span(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    return show_duration(seconds) if seconds > 0 else "0 s"

"""What the store knows of a week, read so that nobody waits for it: in pages, and judged in a thread of its own.

Of samples only those of rules that paged for nothing are read, and only around the incidents: a week of 1,000 checks
every 15 s is 40 million.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from datetime import timedelta
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, NamedTuple

from monitor.incidents import incidents
from monitor.model import NO_DATA, AttemptResult, EventKind
from monitor.review.noise import noisy, pagers
from monitor.review.silent import Seen, candidates, covered, figures, heard, seen, stretches
from monitor.review.week import MOST_NOISY, WEEK, Proposal, Refused, Week
from monitor.uptime import Uptime, of_hour

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from monitor.incidents import Incident
    from monitor.model import AlertKey, CheckId, Dispatch, Sample, Silence
    from monitor.plan import Plan
    from monitor.review.noise import Noise
    from monitor.review.silent import Stretch
    from monitor.store import Store

MOST_EVENTS, MOST_MESSAGES = 100_000, 20_000
MOST_INCIDENTS = 30
"""So many incidents of a rule are judged again, the newest."""
MOST_SAMPLES = 20_000
"""So many samples of one stretch are too many: days of a check that runs every 15 s."""
HOUR = timedelta(hours=1)
MOSTLY = 0.5
UNTOLD = "What would have kept it silent cannot be told: {}."

Judged = tuple["Stretch", "list[Sample]"]


class Facts(NamedTuple):
    """What was read of a rule that paged for nothing: each stretch with its samples."""

    noise: Noise
    plan: Plan
    read: Sequence[Judged]


async def read_week(store: Store, plans: Mapping[CheckId, Plan], until: datetime) -> Week:
    """Return what happened in the seven days before `until`; `plans` are the checks as they are judged now.

    Raises `StoreUnavailable`.
    """
    since = until - WEEK
    events = await store.journal(since, limit=MOST_EVENTS)
    messages = await store.dispatches(since, MOST_MESSAGES)
    alerts = [one for one in await store.alerts() if one.since is None or one.since <= until]
    past = [one for one in reversed(events) if one.at <= until]
    sent = [one for one in messages if one.notification.at <= until]
    every = await asyncio.to_thread(incidents, past, sent, alerts)
    found = [one for one in every if not one.drill]
    worst = noisy(pagers(found))[:MOST_NOISY]
    return Week(
        since,
        until,
        found,
        proposals={str(one.rule): await _proposal(store, plans.get(one.rule.check), one, until) for one in worst},
        flapped=_flapped(sent),
        silenced=_silenced(await store.silences(since), since, until),
        escalated=sum(any(_is_escalated(each) for each in one.messages) for one in found),
        rejected=_rejected(sent),
        uptime=await _uptime(store, plans, since, until),
        cut=len(events) == MOST_EVENTS or len(messages) == MOST_MESSAGES,
    )


async def _proposal(store: Store, plan: Plan | None, noise: Noise, now: datetime) -> Proposal:
    """Return what would have kept a rule silent, judged again on what is stored of its incidents."""
    threshold = plan.threshold(noise.rule.name) if plan else None
    if plan is None or not (figures(plan, noise.rule) or noise.rule.name == NO_DATA):
        return Proposal(why="It is no longer in the configuration.")
    if noise.rule.name == NO_DATA:
        return Proposal(why="It has no figure: see why no run could tell whether it is up.")
    if threshold is not None and threshold.watch.looks_back:
        return Proposal(why=UNTOLD.format("it compares with weeks of a past"))
    fewer = noise._replace(alone=noise.alone[-MOST_INCIDENTS:], taken=noise.taken[-MOST_INCIDENTS:])
    read = [(stretch, await _samples(store, plan.id, stretch)) for stretch in stretches(plan, fewer, now)]
    return await asyncio.to_thread(propose, Facts(fewer, plan, read))


async def _samples(store: Store, check: CheckId, stretch: Stretch) -> list[Sample]:
    """Return the samples of `stretch`, oldest first; none if there are too many.

    They are read hour by hour, since a store may have to pass over those of all other checks.
    """
    found: list[Sample] = []
    begin = stretch.begin
    while begin < stretch.until and len(found) < MOST_SAMPLES:
        until = min(begin + HOUR, stretch.until)
        found += await store.samples(check, begin, MOST_SAMPLES, until)
        begin = until
    return found if len(found) < MOST_SAMPLES else []


def propose(facts: Facts) -> Proposal:
    """Return the best that would have kept a rule silent, or why there is nothing. Pure."""
    noise, plan, read = facts
    kept = {id(one) for stretch, samples in read for one in covered(stretch, samples)}
    alone = [one for one in noise.alone if id(one) in kept]
    if not alone or any(id(one) not in kept for one in noise.taken):
        return Proposal(why=UNTOLD.format("not all of its samples are kept, or there are too many"))
    if not _fires(alone, plan, facts):
        return Proposal(why=f"With what is written now, {figures(plan, noise.rule)}, it would have stayed silent.")
    known = reduce(or_, (seen(plan, noise.rule, stretch, samples, alone) for stretch, samples in read), Seen())
    found = []
    for candidate in candidates(plan, noise.rule, known):
        missed = _missed(candidate.plan, facts)
        if not _fires(alone, candidate.plan, facts):
            found.append(Proposal(candidate.now, candidate.text, len(alone), missed))
    best = min(found, key=lambda one: len(one.missed), default=None)
    return best or Proposal(why="No figure that can still fire would have kept it silent.")


def _fires(alone: Iterable[Incident], plan: Plan, facts: Facts) -> list[Incident]:
    """Return those of `alone` that would have fired by `plan`."""
    firing = {id(one) for stretch, samples in facts.read for one in heard(plan, facts.noise.rule, stretch, samples)}
    return [one for one in alone if id(one) in firing]


def _missed(plan: Plan, facts: Facts) -> tuple[Incident, ...]:
    """Return what somebody took, that fires by the plan as it is, and would not have by `plan`."""
    now = _fires(facts.noise.taken, facts.plan, facts)
    firing = {id(one) for one in _fires(now, plan, facts)}
    return tuple(one for one in now if id(one) not in firing)


def _flapped(sent: Iterable[Dispatch]) -> Mapping[AlertKey, int]:
    """Return how often each alert began to flap."""
    told = {(one.notification.key, one.notification.at) for one in sent if one.notification.kind is EventKind.FLAPPING}
    return Counter(key for key, _ in told)


def _is_escalated(one: Dispatch) -> bool:
    return one.notification.kind is EventKind.ESCALATED


def _silenced(silences: Iterable[Silence], since: datetime, until: datetime) -> dict[str, timedelta]:
    """Return for how long what was silent for most of the time was so; maintenance is no silence."""
    spans: defaultdict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for silence in silences:
        if not silence.maintenance:
            spans[str(silence.scope)].append((max(silence.since, since), min(silence.until, until)))
    found = {name: _covered(sorted(some)) for name, some in spans.items()}
    return {name: span for name, span in found.items() if span > (until - since) * MOSTLY}


def _covered(spans: Iterable[tuple[datetime, datetime]]) -> timedelta:
    """Return how much time `spans`, in order, cover together."""
    total, done = timedelta(), None
    for begin, end in spans:
        first = begin if done is None else max(begin, done)
        total += max(end - first, timedelta())
        done = end if done is None else max(done, end)
    return total


def _rejected(sent: Iterable[Dispatch]) -> dict[str, Refused]:
    """Return what each channel rejected, the last reason with it; `sent` is newest first."""
    found: dict[str, Refused] = {}
    for one in sent:
        for attempt in one.attempts:
            if attempt.result is AttemptResult.REJECTED:
                known = found.get(one.notification.channel, Refused(0, attempt.reason))
                found[one.notification.channel] = known._replace(messages=known.messages + 1)
    return dict(sorted(found.items()))


async def _uptime(
    store: Store, plans: Mapping[CheckId, Plan], since: datetime, until: datetime
) -> Mapping[str, Uptime]:
    """Return the uptime of each system, over all of its checks."""
    found: defaultdict[str, Uptime] = defaultdict(Uptime)
    for check in plans:
        async for hour in store.replay_hours(check, since, ()):
            if hour.at < until:
                found[check.system] += of_hour(hour)
    return found

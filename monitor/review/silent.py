"""What would have kept a rule silent: a figure, a longer `for`, a count of failures, found in stored samples. Pure.

A candidate only says what may do; whether it does is decided by judging the samples again with it (`heard`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from monitor.model import DOWN, Outcome, State
from monitor.replay import begin, end, judge_again, overlap, reach
from monitor.review.rounding import ABOVE, longer, silent_figure, written_span
from monitor.thresholds import Function, History, judge
from monitor.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from monitor.incidents import Incident
    from monitor.model import AlertKey, Patience, Sample, Severity, Verdict
    from monitor.plan import Plan
    from monitor.review.noise import Noise, Rule
    from monitor.thresholds import Figure, Threshold

LONGEST_WAIT = timedelta(days=1)
"""Who waits longer is not told at all."""
MOST_FAILURES = 60
ROUND_COUNTS = 5
"""From twice as many on, a count of failures is a multiple of this."""
WHOLE = {Function.LAST, Function.AVG, Function.MIN, Function.MAX, Function.QUANTILE}
"""What yields no more than the measure itself, so that beyond a share of 100 % nothing is left."""
TIMED = "duration"
SPARE = 5
"""Runs before an incident that are read besides, for counts of failures and successes."""


class Stretch(NamedTuple):
    """A time that is judged again: from `since` to `until`; samples from `begin` on fill its windows."""

    begin: datetime
    since: datetime
    until: datetime
    incidents: tuple[Incident, ...]


class Candidate(NamedTuple):
    """Another way to write a rule: `plan` has it, `text` says it as in a file, in place of `now`."""

    plan: Plan
    now: str
    text: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What stored samples show of incidents that should have stayed silent.

    `worst` are the smallest and the largest value of what is watched. `crossed` is for how long the figure of a level
    was crossed in one go at most, `failures` the most failed runs in a row.
    """

    worst: tuple[float, float] | None = None
    crossed: Mapping[Severity, timedelta] | None = None
    failures: int = 0

    def __or__(self, other: Seen) -> Seen:
        """Return what both show."""
        spans = dict(self.crossed or {})
        for severity, span in (other.crossed or {}).items():
            spans[severity] = max(span, spans.get(severity, span))
        return Seen(_wider(self.worst, other.worst), spans, max(self.failures, other.failures))


def stretches(plan: Plan, noise: Noise, now: datetime) -> list[Stretch]:
    """Return the times that must be judged again, in order; those that overlap are one."""
    lead, fill = _lead(plan), reach([plan])
    found: list[Stretch] = []
    for incident in sorted((*noise.alone, *noise.taken), key=begin):
        since, until = begin(incident) - lead, min(end(incident, now), now)
        last = found[-1] if found else None
        if last is not None and since <= last.until:
            known = (*last.incidents, incident)
            found[-1] = last._replace(until=max(until, last.until), incidents=known)
        else:
            found.append(Stretch(since - fill, since, until, (incident,)))
    return found


def seen(plan: Plan, rule: Rule, stretch: Stretch, samples: Sequence[Sample], alone: Sequence[Incident]) -> Seen:
    """Return what `samples`, oldest first, show of those incidents of `stretch` that stand in `alone`."""
    meant = {id(one) for one in alone}
    wanted = [one for one in stretch.incidents if id(one) in meant]
    spans = [(one.key, _first(one), end(one, stretch.until)) for one in wanted]
    threshold = plan.threshold(rule.name)
    if threshold is None:
        within = [one for one in samples if any(first <= one.at <= last for _, first, last in spans)]
        return Seen(failures=_failures(within))
    verdicts = [
        verdict
        for verdict in _verdicts(plan, threshold, samples)
        if any(verdict.key == key and first <= verdict.at <= last for key, first, last in spans)
    ]
    values = [one.value for one in verdicts if one.value is not None and math.isfinite(one.value)]
    return Seen((min(values), max(values)) if values else None, _crossed(verdicts))


def candidates(plan: Plan, rule: Rule, known: Seen) -> Iterator[Candidate]:
    """Yield what may have kept `rule` of `plan` silent, the best first."""
    threshold = plan.threshold(rule.name)
    if threshold is not None:
        yield from _by_figure(plan, threshold, known)
        yield from _by_patience(plan, threshold, known)
    elif rule.name == DOWN:
        yield from _by_count(plan, known)


def heard(plan: Plan, rule: Rule, stretch: Stretch, samples: Sequence[Sample]) -> tuple[Incident, ...]:
    """Return the incidents of `stretch` of which something would have fired, judged again as `plan` says.

    What the check needs is left aside, so that it may hold nothing back: silent means silent whatever else happened.
    """
    alone = replace(plan, needs=())
    would, _ = judge_again(plan.id, {plan.id: alone}, (), samples, stretch.since)
    firing = [one for one in would if one.key.name == rule.name]
    return tuple(one for one in stretch.incidents if any(overlap(one, other, stretch.until) for other in firing))


def covered(stretch: Stretch, samples: Sequence[Sample]) -> tuple[Incident, ...]:
    """Return the incidents of `stretch` of whose time there are samples."""
    moments = [one.at for one in samples]
    return tuple(
        one
        for one in stretch.incidents
        if moments and moments[0] <= begin(one) and any(begin(one) <= at <= end(one, stretch.until) for at in moments)
    )


def figures(plan: Plan, rule: Rule) -> str:
    """Return at which figures `rule` fires, as it stands in a file; nothing for one that has none."""
    threshold = plan.threshold(rule.name)
    if threshold is not None:
        return ", ".join(f"{one.severity}: {one.text}" for one in threshold.figures)
    return _counts(plan.down) if rule.name == DOWN else ""


def _first(incident: Incident) -> datetime:
    """Return when its figure was first crossed, or its check first failed."""
    return min([begin(incident), *(change.at for change in incident.changes[:1])])


def _lead(plan: Plan) -> timedelta:
    """Return how long before it fires an alert of `plan` may begin to count."""
    waits = [*plan.down.values(), *(one for threshold in plan.thresholds for one in threshold.patience.values())]
    longest = max((max(one.for_, one.keep) for one in waits), default=timedelta())
    runs = max((one.breaches + one.clears for one in waits), default=0) + SPARE
    return longest + runs * max(plan.check.every, plan.check.retry_every)


def _verdicts(plan: Plan, threshold: Threshold, samples: Iterable[Sample]) -> Iterator[Verdict]:
    history = History([threshold.watch])
    for sample in samples:
        history.add(sample)
        yield from judge(plan.id, threshold, history, sample, ())


def _crossed(verdicts: Iterable[Verdict]) -> dict[Severity, timedelta]:
    """Return how long each level was crossed in one go at most; what was not judged in between counts as crossed."""
    since: dict[tuple[AlertKey, Severity], datetime] = {}
    longest: defaultdict[Severity, timedelta] = defaultdict(timedelta)
    for verdict in verdicts:
        for severity, outcome in verdict.outcomes.items():
            place = verdict.key, severity
            if outcome is Outcome.BREACH:
                span = verdict.at - since.setdefault(place, verdict.at)
                longest[severity] = max(longest[severity], span)
            elif outcome is Outcome.CLEAR:
                since.pop(place, None)
    return dict(longest)


def _failures(samples: Iterable[Sample]) -> int:
    """Return the most failed runs in a row; what is unknown decides nothing."""
    row = most = 0
    for sample in samples:
        if sample.state is not State.UNKNOWN:
            row = row + 1 if sample.state is State.DOWN else 0
        most = max(most, row)
    return most


def _by_figure(plan: Plan, threshold: Threshold, known: Seen) -> Iterator[Candidate]:
    if known.worst is None or threshold.watch.looks_back:
        return
    changed = []
    for figure in threshold.figures:
        worst = known.worst[1] if figure.comparison in ABOVE else known.worst[0]
        found = silent_figure(figure, worst, threshold.unit) if figure.crossed(worst) else figure
        if found is None or (found is not figure and not _may_fire(plan, threshold, found)):
            return
        changed.append(found)
    yield from _changed(plan, threshold, replace(threshold, figures=tuple(changed)))


def _may_fire(plan: Plan, threshold: Threshold, figure: Figure) -> bool:
    """Return whether anything can cross `figure`."""
    watch, value = threshold.watch, figure.value
    if figure.comparison not in ABOVE:
        return value > 0
    if watch.function not in WHOLE:
        return True
    timed = watch.measure == TIMED and threshold.unit is Unit.SECONDS
    return not (threshold.unit is Unit.RATIO and value >= 1) and not (
        timed and value >= plan.check.timeout.total_seconds()
    )


def _by_patience(plan: Plan, threshold: Threshold, known: Seen) -> Iterator[Candidate]:
    waits = dict(threshold.patience)
    for severity, span in (known.crossed or {}).items():
        if severity in waits and waits[severity].for_ <= span:
            waits[severity] = replace(waits[severity], for_=longer(span))
    if waits and max(one.for_ for one in waits.values()) <= LONGEST_WAIT:
        yield from _changed(plan, threshold, replace(threshold, patience=waits))


def _changed(plan: Plan, threshold: Threshold, other: Threshold) -> Iterator[Candidate]:
    """Yield `plan` with `other` in place of `threshold`, if it is another."""
    if other == threshold:
        return
    pairs = [
        (f"{was.severity}: {was.text}", f"{becomes.severity}: {becomes.text}")
        for was, becomes in zip(threshold.figures, other.figures, strict=True)
        if was != becomes
    ]
    if not pairs:
        pairs = [
            (f"for: {written_span(waits.for_) if waits.for_ else '0s'}", f"for: {written_span(becomes.for_)}")
            for waits, becomes in zip(threshold.patience.values(), other.patience.values(), strict=True)
            if waits != becomes
        ]
    thresholds = tuple(other if one is threshold else one for one in plan.thresholds)
    now, text = (", ".join(dict.fromkeys(each)) for each in zip(*pairs, strict=True))
    yield Candidate(replace(plan, thresholds=thresholds), now, text)


def _by_count(plan: Plan, known: Seen) -> Iterator[Candidate]:
    count = known.failures + 1
    if count > 2 * ROUND_COUNTS:
        count = math.ceil(count / ROUND_COUNTS) * ROUND_COUNTS
    down = {
        level: replace(waits, breaches=max(waits.breaches, count)) if waits.breaches <= known.failures else waits
        for level, waits in plan.down.items()
    }
    if down != plan.down and count <= MOST_FAILURES:
        yield Candidate(replace(plan, down=down), _counts(plan.down), _counts(down))


def _counts(down: Mapping[Severity, Patience]) -> str:
    return f"down: {{{', '.join(f'{level}: {waits.breaches}' for level, waits in down.items())}}}"


def _wider(one: tuple[float, float] | None, other: tuple[float, float] | None) -> tuple[float, float] | None:
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), max(one[1], other[1])

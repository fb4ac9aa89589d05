"""What would have kept a rule silent: whatever the samples were, what is proposed really stays silent on them."""

from __future__ import annotations

from datetime import timedelta
from functools import reduce
from operator import or_

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.incidents import Incident
from monitor.model import DOWN, AlertKey, Measure, Severity, State
from monitor.replay import judge_again
from monitor.review.gather import Facts, propose
from monitor.review.noise import Noise, Rule
from monitor.review.silent import Seen, candidates, seen, stretches
from tests.examples import SITE, sample
from tests.fakes import START
from tests.plans import plan, threshold

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
END = START + timedelta(days=1)
RULES = [
    threshold("duration", warning="> 300ms", critical=">= 2s"),
    threshold("duration", warning="> 300ms", hold=20 * SECOND),
    threshold("max(duration, 30s)", warning=">= 300ms", hold=20 * SECOND),
    threshold("min(duration, 30s)", warning="< 200ms"),
]
RUNS = st.lists(
    st.tuples(
        st.sampled_from([0.1, 0.31, 0.4, 0.71, 1.9, 2.0, 2.6]) | st.floats(0.01, 4.0),
        st.sampled_from([State.UP, State.UP, State.UP, State.DOWN, State.UNKNOWN]),
    ),
    min_size=5,
    max_size=60,
)


@settings(deadline=None)
@given(st.sampled_from(RULES), RUNS, st.sampled_from([0, 1]))
def test_what_is_proposed_stays_silent_on_the_whole_day(
    rule: object, runs: list[tuple[float, State]], which: int
) -> None:
    """For a figure, a wait or a count: none of the incidents fires, judged over all samples at once."""
    samples = [
        sample(10.0 * n, state, *([] if state is State.DOWN else [Measure("duration", took)]))
        for n, (took, state) in enumerate(runs, 1)
    ]
    plans = plan(rule, failures=2)  # type: ignore[arg-type] # one of RULES
    name = [plans.thresholds[0].name, DOWN][which]
    found, _ = judge_again(SITE, {SITE: plans}, (), samples, START)
    alone = tuple(one for one in found if one.key.name == name)
    if not alone:
        return
    noise = Noise(Rule(SITE, name), alone, ())
    read = [(one, [run for run in samples if one.begin < run.at <= one.until]) for one in stretches(plans, noise, END)]
    proposal = propose(Facts(noise, plans, read))
    assert proposal.text or proposal.why
    if proposal.text:
        assert proposal.judged == len(alone)
        assert not proposal.missed
        known = [seen(plans, noise.rule, one, some, alone) for one, some in read]
        chosen = next(one for one in candidates(plans, noise.rule, reduce(or_, known)) if one.text == proposal.text)
        would, _ = judge_again(SITE, {SITE: chosen.plan}, (), samples, START)
        assert [one for one in would if one.key.name == name] == []


def test_stretches_that_overlap_are_judged_once() -> None:
    """Each begins so early that whatever counts towards firing has begun in it."""
    key = AlertKey(SITE, "duration")
    first, second, third = (
        Incident(key, "", START + n * MINUTE, START + (n + 1) * MINUTE, resolved=True) for n in (60, 62, 300)
    )
    rule = plan(threshold("max(duration, 5m)", warning="> 1s", hold=MINUTE))
    found = stretches(rule, Noise(Rule(SITE, key.name), (first, third), (second,)), END)
    assert [(one.incidents, one.until) for one in found] == [
        ((first, second), START + 63 * MINUTE),
        ((third,), START + 301 * MINUTE),
    ]
    assert all(one.begin == one.since - 5 * MINUTE for one in found)
    assert found[1].since <= START + 299 * MINUTE


def test_what_two_stretches_show() -> None:
    one = Seen((1.0, 2.0), {Severity.WARNING: MINUTE}, 3)
    other = Seen((0.5, 1.5), {Severity.WARNING: SECOND, Severity.CRITICAL: SECOND}, 2)
    both = {Severity.WARNING: MINUTE, Severity.CRITICAL: SECOND}
    assert (one | other) == (other | one) == Seen((0.5, 2.0), both, 3)
    assert (one | Seen()) == one

"""Stored samples judged again: the same figures give the same past, others give another, and the difference is told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.incidents import Incident, incidents
from monitor.model import Dispatch, Measure, Severity, State
from monitor.pipeline import Pipeline
from monitor.rehearsal import as_json, as_lines
from monitor.replay import Replayed, compare, judge_again, needed, paged, reach, told
from monitor.routing import Route
from tests.examples import SITE, sample
from tests.fakes import START, FakeClock
from tests.plans import plan, threshold
from tests.story import CONNECTIONS, DATABASE, OUTAGE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.model import Alert, Change, CheckId, Notification, Sample
    from monitor.plan import Plan

MINUTE = timedelta(minutes=1)
ROUTES = (Route(("ops",)), Route(("oncall",), severities=frozenset({Severity.CRITICAL}), repeat=5 * MINUTE))
SLOW = threshold("max(duration, 30s)", warning="> 1s", critical="> 3s", hold=timedelta(seconds=20))
PLANS = {SITE: plan(SLOW, needs=(DATABASE,)), DATABASE: plan(check=DATABASE, failures=2)}


class Daemon:
    """What the daemon's own pipeline makes of samples: its journal, and what it owed."""

    available = True

    def __init__(self, plans: dict[CheckId, Plan]) -> None:
        self.clock = FakeClock()
        self.changes: list[Change] = []
        self.owed: list[Notification] = []
        self.pipeline = Pipeline(self.clock, self, self, lambda owed, _: self.owed.extend(owed), self._ask_again)
        self.pipeline.configure(plans, ROUTES)
        self.pipeline.begin()

    async def take(self, samples: Sequence[Sample]) -> None:
        for one in samples:
            self.clock.skip(one.at - self.clock.now())
            await self.pipeline.take(one)

    def incidents(self, check: CheckId) -> list[Incident]:
        events = [event for change in self.changes for event in change.events if event.key.check == check]
        messages = [Dispatch(note) for note in self.owed if note.key.check == check]
        alerts = [alert for alert in self.pipeline.alerts if alert.key.check == check]
        return incidents(events, messages, alerts)

    def keep(self, sample: Sample) -> None: ...

    def post(self, change: Change) -> None: ...

    async def commit(self, change: Change) -> bool:
        self.changes.append(change)
        return True

    def sample(self, sample: Sample) -> None: ...

    def alert(self, alert: Alert) -> None: ...

    def left_out(self, check: CheckId, count: int) -> None: ...

    async def _ask_again(self, check: CheckId) -> None: ...


def run(at: float, duration: float = 0.1, state: State = State.UP, check: CheckId = SITE) -> Sample:
    """Return a run that ended `at` seconds after the start."""
    return sample(at, state, Measure("duration", duration), check=check)


def slow(begin: int, end: int, duration: float) -> list[Sample]:
    """Return half an hour of runs, every 10 s, of which those from `begin` to `end` took so long."""
    return [run(at, duration if begin <= at < end else 0.1) for at in range(10, 1_800, 10)]


RUNS = st.lists(
    st.tuples(
        st.sampled_from([SITE, SITE, SITE, DATABASE]),
        st.integers(1, 40),
        st.sampled_from([0.1, 2.0, 5.0]),
        st.sampled_from([State.UP, State.UP, State.DOWN, State.DOWN, State.UNKNOWN]),
    ),
    max_size=60,
)


@given(RUNS)
def test_the_same_figures_give_the_same_past(runs: list[tuple[CheckId, int, float, State]]) -> None:
    """To the second, and message for message: reminders, what is held back and what was unknown included."""
    at, samples = 0, []
    for check, gap, duration, state in runs:
        at += gap
        samples.append(run(at, duration, state, check))
    daemon = Daemon(PLANS)
    asyncio.run(daemon.take(samples))
    would, moments = judge_again(SITE, PLANS, ROUTES, samples, START)
    did = daemon.incidents(SITE)
    assert would == did
    assert len(moments) == sum(one.check == SITE for one in samples)
    difference = compare(would, did, START + timedelta(seconds=at))
    assert not difference.new
    assert not difference.gone
    assert all(match.would in match.did for match in difference.same)


def replayed(samples: Sequence[Sample], was: Plan, becomes: Plan, since: datetime = START) -> Replayed:
    """Return what other figures would have made of samples that the daemon judged by the old ones."""
    did, _ = judge_again(SITE, {SITE: was}, ROUTES, samples, START)
    would, moments = judge_again(SITE, {SITE: becomes}, ROUTES, samples, since)
    now = samples[-1].at
    return Replayed(SITE, since, now, moments[0] if moments else None, len(moments), would, did)


def test_a_lower_figure_pages_where_none_did() -> None:
    """When, how long, whom: as routes and patience say."""
    found = replayed(
        slow(600, 960, 2.0), plan(threshold("duration", critical="> 3s")), plan(threshold("duration", critical="> 1s"))
    )
    (new,) = found.difference.new
    assert not found.did
    assert (new.opened_at, new.lasted) == (START + timedelta(seconds=600), timedelta(seconds=360))
    assert told(new) == {"ops": 2, "oncall": 3}, "oncall is reminded every 5 min"
    assert paged(new)
    (line, severity), (counted, _) = as_lines(found)
    assert line.startswith("new   2026-01-05 12:10:00  critical: Shop: Site: duration, resolved after 6 min; ")
    assert line.endswith("; oncall 3 messages, ops 2 messages")
    assert severity == "critical"
    assert counted == "179 samples of 29 min 40 s: 1 would have paged, 0 did; 1 new, 0 gone, 0 the same"


def test_more_patience_spares_a_page_that_was() -> None:
    found = replayed(
        slow(600, 900, 2.0),
        plan(threshold("duration", warning="> 1s")),
        plan(threshold("duration", warning="> 1s", hold=10 * MINUTE)),
    )
    assert [one.opened_at for one in found.difference.gone] == [START + timedelta(seconds=600)]
    assert not found.would
    line, severity = as_lines(found)[0]
    assert line.startswith(
        "gone  2026-01-05 12:10:00  warning: Shop: Site: duration, resolved after 5 min; ops 2 messages"
    )
    assert severity == "warning"


def test_what_is_only_shorter_or_worse_is_the_same_incident() -> None:
    """And told with how it was."""
    found = replayed(
        slow(600, 900, 2.0),
        plan(threshold("duration", warning="> 1s")),
        plan(threshold("duration", critical="> 1s", hold=MINUTE)),
    )
    (match,) = found.difference.same
    assert (match.would.opened_at, match.did[0].opened_at) == (
        START + timedelta(seconds=660),
        START + timedelta(seconds=600),
    )
    assert as_lines(found)[0][0].endswith("it was: 2026-01-05 12:10:00 warning, resolved after 5 min")


def test_an_incident_that_began_before_is_the_same_one() -> None:
    """The replay sees it begin where it begins itself."""
    samples = slow(600, 900, 2.0)
    found = replayed(samples, PLAN, PLAN, since=START + timedelta(seconds=700))
    (match,) = found.difference.same
    assert match.would.opened_at == START + timedelta(seconds=710)
    assert not found.difference.gone


PLAN = plan(threshold("duration", warning="> 1s"))


def test_samples_before_fill_windows_and_are_not_judged() -> None:
    """An average over ten minutes is one from the first moment on."""
    averaged = plan(threshold("avg(duration, 10m)", warning="> 1s"))
    samples = [*slow(0, 900, 4.0)]
    cold, _ = judge_again(
        SITE, {SITE: averaged}, ROUTES, [one for one in samples if one.at > START + 15 * MINUTE], START
    )
    warm, moments = judge_again(SITE, {SITE: averaged}, ROUTES, samples, START + 15 * MINUTE)
    assert (len(cold), len(warm)) == (0, 1)
    assert moments[0] == START + timedelta(seconds=910)
    assert reach([averaged]) == 10 * MINUTE
    assert reach([]) == timedelta()


def test_what_is_held_back_tells_nobody() -> None:
    """Its need was down all the while."""
    samples = [
        one for at in range(10, 300, 10) for one in (run(at, 0.1, State.DOWN, DATABASE), run(at + 1, 0.1, State.DOWN))
    ]
    (would,), _ = judge_again(SITE, PLANS, ROUTES, samples, START)
    assert not paged(would)
    line, _ = as_lines(Replayed(SITE, START, samples[-1].at, START, 29, [would], ()))[0]
    assert line.endswith("goes on for 4 min 20 s; nobody is told")


def test_a_check_brings_all_that_it_needs() -> None:
    """By way of others, in a circle too; what is skipped is left out."""
    plans = {
        SITE: plan(needs=(DATABASE, OUTAGE.check._replace(check="gone"))),
        DATABASE: plan(check=DATABASE, needs=(SITE,)),
    }
    other = SITE._replace(check="other")
    assert set(needed(SITE, {**plans, other: plan(check=other)})) == {SITE, DATABASE}


def incident(begin: float, end: float | None, **fields: object) -> Incident:
    """Return an incident from one minute to another."""
    ended = START + end * MINUTE if end is not None else None
    known = {"resolved": ended is not None, "goes_on": ended is None} | fields
    return Incident(OUTAGE, "Shop: Site: down", START + begin * MINUTE, ended, **known)  # type: ignore[arg-type] # the cases'


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 30)), max_size=8),
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 30)), max_size=8),
)
def test_every_incident_is_new_gone_or_the_same(ours: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> None:
    would, did = ([incident(at, at + length) for at, length in some] for some in (ours, theirs))
    difference = compare(would, did, START + 200 * MINUTE)
    assert sorted(map(id, [*difference.new, *(match.would for match in difference.same)])) == sorted(map(id, would))
    met = {id(one) for match in difference.same for one in match.did}
    assert {id(one) for one in did} == met | {id(one) for one in difference.gone}
    assert met.isdisjoint(id(one) for one in difference.gone)


@pytest.mark.parametrize(("one", "other", "same"), [
    (incident(0, 5), incident(5, 6), True),
    (incident(0, 5), incident(6, 7), False),
    (incident(0, None), incident(90, 91), True),
    (incident(0, 5), replace(incident(1, 2), key=CONNECTIONS), False),
])  # fmt: skip
def test_incidents_of_one_alert_that_overlap_are_the_same(*, one: Incident, other: Incident, same: bool) -> None:
    assert bool(compare([one], [other], START + 100 * MINUTE).same) is same


def test_what_a_replay_cannot_know_is_said() -> None:
    """No sample, samples that begin too late, too many, and figures that need a past of weeks."""
    nothing = Replayed(SITE, START, START + MINUTE, None, 0, (), ())
    assert as_lines(nothing)[0] == ("there is no sample of shop/site since 2026-01-05 12:00:00", "warning")
    late = replace(nothing, first=START + 6 * MINUTE, count=1)
    assert as_lines(late)[0][0].endswith("later than asked for: there are no older ones (retention.samples)")
    assert as_lines(replace(late, cut=True))[0][0].endswith("there are more than can be read")
    assert not replace(late, every=2 * MINUTE).short, "its first run may have been due only then"
    looking = replace(late, first=START, compared=("usual(load, 1h)",))
    assert json.loads(as_json(looking))["notes"] == [
        "usual(load, 1h) was not judged: it compares with weeks of a past, which samples do not hold"
    ]


def test_json_says_the_same() -> None:
    found = json.loads(as_json(replayed(slow(600, 900, 2.0), PLAN, PLAN)))
    assert (found["samples"], found["first_sample"], found["notes"]) == (179, "2026-01-05T12:00:10+00:00", [])
    assert (found["new"], found["gone"]) == ([], [])
    assert found["same"][0]["would"] == found["same"][0]["did"][0] == found["would"][0]
    assert found["would"][0]["messages"] == {"ops": 2}

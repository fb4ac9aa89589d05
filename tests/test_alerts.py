"""The state machine of alerts: its table, its rules, and that it equals Prometheus's."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.alerts import TABLE, Seen, close, step
from monitor.model import (
    DOWN,
    Alert,
    AlertKey,
    CheckId,
    Event,
    EventKind,
    Level,
    Outcome,
    Patience,
    Phase,
    Severity,
    Verdict,
)
from tests.fakes import START

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = AlertKey(CheckId("shop", "site"), "slow")
SECOND = timedelta(seconds=1)
GAP = timedelta(minutes=10)
B, C, N = Outcome.BREACH, Outcome.CLEAR, Outcome.BLIND
W, X = Severity.WARNING, Severity.CRITICAL

outcomes = st.lists(st.tuples(st.sampled_from([B, C, N]), st.integers(1, 60)), max_size=40)
patiences = st.builds(
    Patience,
    breaches=st.integers(1, 4),
    for_=st.integers(0, 90).map(lambda n: n * SECOND),
    clears=st.integers(1, 3),
    keep=st.integers(0, 90).map(lambda n: n * SECOND),
)


def verdict(at: float, outcomes: dict[Severity, Outcome]) -> Verdict:
    return Verdict(KEY, START + at * SECOND, outcomes)


def run(
    seen: Sequence[tuple[float, Outcome]], patience: Patience, severity: Severity = X
) -> tuple[Alert, list[tuple[float, EventKind]]]:
    """Return the alert after a story of (second, outcome), and what happened when."""
    alert, told = Alert(KEY), []
    for at, outcome in seen:
        alert, events = step(alert, verdict(at, {severity: outcome}), {severity: patience}, GAP)
        told += [((event.at - START).total_seconds(), event.kind) for event in events]
    return alert, told


def test_the_table_has_a_row_for_every_phase_and_everything_that_can_be_seen() -> None:
    """No combination can surprise it."""
    assert set(TABLE) == set(itertools.product(Phase, Seen))


def test_not_judging_never_changes_a_phase() -> None:
    """Unknown neither opens nor resolves."""
    assert all(TABLE[phase, Seen.BLIND] is phase for phase in Phase)


def test_fires_at_once_without_for_and_ends_at_once_without_keep() -> None:
    """As a Prometheus rule with neither."""
    alert, told = run([(0, B), (10, C)], Patience())
    assert told == [(0, EventKind.OPENED), (10, EventKind.RESOLVED)]
    assert alert.idle


def test_waits_for_as_long_as_for_says() -> None:
    """The evaluation at exactly `for` fires; the one before does not."""
    _, told = run([(0, B), (30, B), (59, B), (60, B)], Patience(for_=60 * SECOND))
    assert told == [(0, EventKind.PENDING), (60, EventKind.OPENED)]


def test_one_quiet_moment_resets_the_wait() -> None:
    """Pending starts anew."""
    _, told = run([(0, B), (50, B), (55, C), (60, B), (115, B), (120, B)], Patience(for_=60 * SECOND))
    assert told == [
        (0, EventKind.PENDING),
        (55, EventKind.CANCELLED),
        (60, EventKind.PENDING),
        (120, EventKind.OPENED),
    ]


def test_keeps_firing_until_quiet_for_long_enough() -> None:
    """A short quiet is no recovery; a crossing in between starts the quiet anew."""
    story = [(0, B), (10, C), (60, C), (65, B), (70, C), (120, C), (130, C)]
    _, told = run(story, Patience(keep=60 * SECOND))
    assert told == [(0, EventKind.OPENED), (130, EventKind.RESOLVED)]


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_an_outage_counts_runs(failures: int) -> None:
    """So many consecutive failures open it, so many successes end it."""
    story = [(n, B) for n in range(failures)] + [(10, C), (11, C)]
    _, told = run(story, Patience(breaches=failures, clears=2))
    assert told[-2:] == [(failures - 1, EventKind.OPENED), (11, EventKind.RESOLVED)]


def test_unknown_resets_no_count_and_advances_no_time() -> None:
    """Two failures, a blind hour, one failure: that is three failures; the hour counted for nothing."""
    _, told = run([(0, B), (10, B), (20, N), (400, N), (500, B)], Patience(breaches=3, for_=15 * SECOND))
    assert told == [(0, EventKind.PENDING)]
    _, told = run([(0, B), (10, B), (20, N), (400, B), (405, B)], Patience(breaches=3, for_=15 * SECOND))
    assert told == [(0, EventKind.PENDING), (405, EventKind.OPENED)]


def test_a_gap_counts_for_nothing() -> None:
    """A restart that took an hour does not make a pending alert fire."""
    _, told = run([(0, B), (30, B), (4000, B), (4030, B)], Patience(for_=60 * SECOND))
    assert told == [(0, EventKind.PENDING), (4030, EventKind.OPENED)]


def test_getting_worse_and_better_is_one_alert() -> None:
    """Warning, critical, warning, over: one incident with one beginning."""
    waits = {W: Patience(), X: Patience()}
    alert, kinds, sinces = Alert(KEY), [], set()
    for at, seen in enumerate([{W: B, X: C}, {W: B, X: B}, {W: B, X: C}, {W: C, X: C}]):
        before = alert
        alert, events = step(alert, verdict(at, seen), waits, GAP)
        kinds += [event.kind for event in events]
        sinces |= {before.since, alert.since}
    assert kinds == [EventKind.OPENED, EventKind.WORSENED, EventKind.EASED, EventKind.RESOLVED]
    assert sinces == {None, START}


def test_a_level_that_was_taken_out_of_the_file_ends() -> None:
    """Its figure is gone, so it cannot go on firing."""
    alert, _ = step(Alert(KEY), verdict(0, {X: B}), {X: Patience()}, GAP)
    alert, events = step(alert, verdict(1, {}), {}, GAP)
    assert [event.kind for event in events] == [EventKind.RESOLVED]
    assert alert.idle


def test_closing_leaves_the_resolve_to_be_told() -> None:
    """Who was told of an alert whose check is removed still hears of the end."""
    alert, _ = step(Alert(KEY), verdict(0, {X: B}), {X: Patience()}, GAP)
    closed = close(replace(alert, announced=X))
    assert closed.severity is None
    assert not closed.idle


class Rule:
    """A Prometheus rule with `for` and `keep_firing_for`, after rules/alerting.go, written without looking at ours."""

    def __init__(self, hold: timedelta, keep: timedelta) -> None:
        self.hold, self.keep = hold, keep
        self.active_at: timedelta | None = None
        self.quiet_since: timedelta | None = None
        self.firing = False

    def evaluate(self, at: timedelta, *, crossed: bool) -> bool:
        if crossed:
            self.active_at = at if self.active_at is None else self.active_at
            self.quiet_since = None
            self.firing = self.firing or at - self.active_at >= self.hold
        elif self.firing and self.keep:
            self.quiet_since = at if self.quiet_since is None else self.quiet_since
            if at - self.quiet_since >= self.keep:
                self.firing, self.active_at = False, None
        else:
            self.firing, self.active_at = False, None
        return self.firing


@given(
    story=st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=60),
    hold=st.integers(0, 200),
    keep=st.integers(0, 200),
)
def test_begins_and_ends_at_the_same_evaluation_as_a_prometheus_rule(
    story: list[tuple[bool, int]], hold: int, keep: int
) -> None:
    """On any story of evaluations."""
    rule, alert, at = Rule(hold * SECOND, keep * SECOND), Alert(KEY), 0
    waits = {X: Patience(for_=hold * SECOND, keep=keep * SECOND)}
    for crossed, later in story:
        at += later
        alert, _ = step(alert, verdict(at, {X: B if crossed else C}), waits, GAP)
        assert (alert.severity is not None) == rule.evaluate(at * SECOND, crossed=crossed)


@given(story=outcomes, waits=st.dictionaries(st.sampled_from(list(Severity)), patiences, min_size=1))
def test_every_opening_has_its_resolve_and_severity_is_the_worst_level(
    story: list[tuple[Outcome, int]], waits: dict[Severity, Patience]
) -> None:
    """Openings and resolves alternate, whatever happens; nothing is remembered of an alert at rest."""
    alert, at, is_open = Alert(KEY), 0, False
    for outcome, later in story:
        at += later
        alert, events = step(alert, verdict(at, dict.fromkeys(waits, outcome)), waits, GAP)
        for event in events:
            if event.kind is EventKind.OPENED:
                assert not is_open
                is_open = True
            if event.kind is EventKind.RESOLVED:
                assert is_open
                is_open = False
        firing = [severity for severity, level in alert.levels.items() if level.phase in {Phase.FIRING, Phase.KEEPING}]
        assert alert.severity == max(firing, default=None)
        assert is_open == (alert.severity is not None)
        assert (alert.since is None) == (alert.severity is None)
        assert all(level.phase is not Phase.INACTIVE for level in alert.levels.values())


@given(story=outcomes, waits=patiences, cut=st.integers(0, 40))
def test_a_restart_at_any_point_changes_nothing(story: list[tuple[Outcome, int]], waits: Patience, cut: int) -> None:
    """The record is all there is: a copy rebuilt from its fields goes on exactly alike."""
    alert = again = Alert(KEY)
    at = 0
    for number, (outcome, later) in enumerate(story):
        at += later
        alert, events = step(alert, verdict(at, {X: outcome}), {X: waits}, GAP)
        if number == cut:
            again = Alert(
                key=again.key,
                levels={s: Level(level.phase, level.count, level.dwell) for s, level in again.levels.items()},
                judged_at=again.judged_at,
                severity=again.severity,
                since=again.since,
            )
        again, events_again = step(again, verdict(at, {X: outcome}), {X: waits}, GAP)
        assert again == alert
        assert events_again == events


@given(story=outcomes, waits=patiences)
def test_a_steady_alert_does_not_change(story: list[tuple[Outcome, int]], waits: Patience) -> None:
    """Once firing or idle, the same outcome again changes nothing that would have to be written."""
    alert, at = Alert(KEY), 0
    for outcome, later in story:
        at += later
        alert, _ = step(alert, verdict(at, {X: outcome}), {X: waits}, GAP)
    phases = {level.phase for level in alert.levels.values()}
    steady = {frozenset({Phase.FIRING}): B, frozenset(): C}.get(frozenset(phases))
    if steady is not None:
        after, events = step(alert, verdict(at + 5, {X: steady}), {X: waits}, GAP)
        assert events == ()
        assert after.levels == alert.levels


def test_ids_depend_on_the_alert_and_the_incident_only() -> None:
    """The same change written twice has the same id; another incident has another."""
    alert, _ = step(Alert(KEY), verdict(0, {X: B}), {X: Patience()}, GAP)
    later, _ = step(Alert(KEY), verdict(9, {X: B}), {X: Patience()}, GAP)
    assert alert.incident == replace(alert, announced=X).incident != later.incident
    event = Event(KEY, START, EventKind.OPENED, X)
    assert event.id == Event(KEY, START, EventKind.OPENED, X, value=2.0).id
    assert AlertKey(KEY.check, DOWN).fingerprint != KEY.fingerprint

"""Escalation, acknowledgement and flapping: who is told when nobody answers, somebody does, or it comes and goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Acknowledgement, Alert, AlertKey, CheckId, EventKind, Severity
from monitor.routing import Call, Escalation, Flapping, Route, acknowledge, tell
from tests.fakes import START

KEY = AlertKey(CheckId("shop", "site"), "down")
W, X = Severity.WARNING, Severity.CRITICAL
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ROUTES = (
    Route(("ops", "oncall"), frozenset({X}), repeat=30 * MINUTE, escalate=(Escalation(15 * MINUTE, ("cto",)),)),
    Route(("ops",), frozenset({W}), repeat=4 * HOUR),
)


class Story:
    """One alert, its severity set by hand, told as time goes by."""

    def __init__(self) -> None:
        self.alert = Alert(KEY, "Site: down")
        self.said: list[tuple[int, str, EventKind, bool]] = []

    def at(self, minute: float, severity: Severity | None, *, held: bool = False) -> list[tuple[str, str]]:
        """Let it be so at that minute; return who is told, and of what."""
        now = START + minute * MINUTE
        after = replace(self.alert, severity=severity, since=self.alert.since or now)
        self.alert, calls = tell(Flapping().counted(self.alert, after, now), ROUTES, now, held=held)
        return self._note(minute, calls)

    def taken(self, minute: float, severity: Severity = X, hours: float = 4) -> list[tuple[str, str]]:
        now = START + minute * MINUTE
        taken = Acknowledgement("ana", now, severity, now + hours * HOUR)
        self.alert, calls = acknowledge(self.alert, taken, ROUTES, now)
        return self._note(minute, calls)

    def _note(self, minute: float, calls: tuple[Call, ...]) -> list[tuple[str, str]]:
        self.said += [(int(minute), call.channel, call.kind, call.quiet) for call in calls]
        return sorted((call.channel, str(call.kind)) for call in calls)


def test_an_unacknowledged_critical_escalates_once() -> None:
    """TA-17: after 15 minutes the CTO hears of it, and then like the others when it goes on, and of the end."""
    story = Story()
    assert story.at(0, X) == [("oncall", "opened"), ("ops", "opened")]
    assert story.at(14.9, X) == []
    assert story.at(15, X) == [("cto", "escalated")]
    assert story.at(16, X) == []
    assert story.at(30, X) == [("oncall", "repeated"), ("ops", "repeated")]
    assert story.at(45, X) == [("cto", "repeated")]
    assert story.at(46, None) == [("cto", "resolved"), ("oncall", "resolved"), ("ops", "resolved")]


def test_an_acknowledged_critical_neither_escalates_nor_reminds() -> None:
    """Those who were told hear quietly who has taken it."""
    story = Story()
    story.at(0, X)
    assert story.taken(5) == [("oncall", "acknowledged"), ("ops", "acknowledged")]
    assert all(quiet for minute, _, _, quiet in story.said if minute == 5)
    assert [story.at(minute, X) for minute in (15, 31, 120, 244)] == [[]] * 4
    assert story.at(300, None) == [("oncall", "resolved"), ("ops", "resolved")]
    assert story.alert.acknowledged is None


def test_an_acknowledgement_lapses_and_then_it_escalates_anew() -> None:
    """After four hours; the 15 minutes count from there."""
    story = Story()
    story.at(0, X)
    story.taken(5)
    assert story.at(244.9, X) == []
    assert story.at(245, X) == [("oncall", "repeated"), ("ops", "repeated")]
    assert story.at(259, X) == []
    assert story.at(260, X) == [("cto", "escalated")]


def test_an_acknowledged_warning_that_gets_worse_pages() -> None:
    """It was the warning that somebody took."""
    story = Story()
    assert story.at(0, W) == [("ops", "opened")]
    story.taken(1, W)
    assert story.at(2, X) == [("oncall", "opened"), ("ops", "worsened")]
    assert story.alert.acknowledged is None
    assert story.at(17, X) == [("cto", "escalated")]


def test_an_acknowledged_critical_that_eases_stays_taken() -> None:
    """It covers what is less."""
    story = Story()
    story.at(0, X)
    story.taken(1)
    assert story.at(2, W) == [("oncall", "eased"), ("ops", "eased")]
    assert story.at(240, W) == []


def test_escalation_counts_from_the_moment_somebody_was_told() -> None:
    """What was held back for an hour has not been without an answer for an hour."""
    story = Story()
    assert story.at(0, X, held=True) == []
    assert story.at(60, X) == [("oncall", "opened"), ("ops", "opened")]
    assert story.at(74, X) == []
    assert story.at(75, X) == [("cto", "escalated")]


def test_flapping_is_said_once_and_then_it_is_quiet_until_it_is_stable() -> None:
    """Four changes in an hour; half an hour after the last one it is told how it stands."""
    story = Story()
    for minute in range(0, 60, 5):
        story.at(minute, X if minute % 10 == 0 else None)
    kinds = [(minute, kind) for minute, channel, kind, _ in story.said if channel == "ops"]
    assert kinds == [
        (0, EventKind.OPENED),
        (5, EventKind.RESOLVED),
        (10, EventKind.OPENED),
        (15, EventKind.FLAPPING),
    ]
    assert story.at(84, None) == []
    assert story.at(85, None) == [("oncall", "resolved"), ("ops", "resolved")]
    assert not story.alert.live
    assert story.at(90, X) == [("oncall", "opened"), ("ops", "opened")]


def test_what_flapped_and_stays_down_is_told_aloud() -> None:
    """Half an hour after its last change."""
    story = Story()
    for minute, severity in enumerate((X, None, X, None, X)):
        story.at(minute, severity)
    assert story.said[-1][2] is EventKind.FLAPPING
    assert story.at(33, X) == []
    assert story.at(34, X) == [("oncall", "repeated"), ("ops", "repeated")]
    assert not any(quiet for minute, _, _, quiet in story.said if minute == 34)


def test_flapping_hides_nothing_worse() -> None:
    """A flapping warning that becomes critical pages."""
    story = Story()
    for minute, severity in enumerate((W, None, W, None, W)):
        story.at(minute, severity)
    assert story.at(6, W) == []
    assert story.at(7, X) == [("oncall", "opened"), ("ops", "worsened")]


def test_what_flaps_slowly_is_told_each_time() -> None:
    """Three changes in any hour are no flapping."""
    story = Story()
    for minute in range(0, 600, 25):
        story.at(minute, X if minute % 50 == 0 else None)
    assert EventKind.FLAPPING not in {kind for _, _, kind, _ in story.said}


def test_what_is_held_back_while_it_flaps_is_never_told() -> None:
    """Nobody heard of any of it."""
    story = Story()
    for minute, severity in enumerate((X, None, X, None, X, None)):
        assert story.at(minute, severity, held=True) == []
    assert story.at(10, None) == []
    assert not story.alert.live


steps = st.lists(st.tuples(st.sampled_from([None, W, X]), st.integers(1, 40), st.booleans()), max_size=40)


@given(story=steps)
def test_everybody_who_was_told_hears_the_end(story: list[tuple[Severity | None, int, bool]]) -> None:
    """Over any story of severities, times and acknowledgements."""
    told: dict[str, int] = {}
    here, minute = Story(), 0
    for severity, later, taken in [*story, (None, 45, False), (None, 45, False)]:
        minute += later
        before = len(here.said)
        here.at(minute, severity)
        if taken and here.alert.severity is not None:
            here.taken(minute, here.alert.severity)
        for _, channel, kind, _ in here.said[before:]:
            told[channel] = 0 if kind is EventKind.RESOLVED else told.get(channel, 0) + 1
    assert not any(told.values())
    assert not here.alert.live

"""Who is told of what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from monitor.model import OURS, Alert, AlertKey, CheckId, EventKind, Level, Phase, Severity, Told
from monitor.routing import Call, Route, also_tell, not_later, rejoin, tell, terms
from tests.fakes import START

if TYPE_CHECKING:
    from collections.abc import Sequence

KEY = AlertKey(CheckId("shop", "site"), "down")
W, X, NOTE = Severity.WARNING, Severity.CRITICAL, Severity.INFO
HOUR = timedelta(hours=1)
ROUTES = (
    Route(("ops", "oncall"), severities=frozenset({X}), repeat=HOUR / 2),
    Route(("ops",), severities=frozenset({W}), repeat=4 * HOUR),
    Route(("boss",), severities=frozenset({X}), systems=frozenset({"bank"})),
)


def reminders(routes: Sequence[Route], check: CheckId, severity: Severity) -> dict[str, timedelta]:
    """Return the channels that hear of `check` at `severity`, each with the time after which it is reminded."""
    told = terms(routes, Alert(AlertKey(check, "down")), severity, START)
    return {channel: how.repeat for channel, how in told.items()}


def firing(severity: Severity | None, announced: Severity | None = None, *told: Told) -> Alert:
    return Alert(KEY, "Site: down", severity=severity, since=START, announced=announced, told=told)


def test_every_route_that_matches_applies() -> None:
    """By severity and by system."""
    assert set(reminders(ROUTES, KEY.check, X)) == {"ops", "oncall"}
    assert set(reminders(ROUTES, CheckId("bank", "site"), X)) == {"ops", "oncall", "boss"}
    assert reminders(ROUTES, KEY.check, NOTE) == {}


def test_the_shortest_reminder_of_a_channel_counts() -> None:
    """Two routes may name the same channel."""
    routes = (Route(("ops",), repeat=HOUR), Route(("ops",), repeat=2 * HOUR))
    assert reminders(routes, KEY.check, W) == {"ops": HOUR}


def test_an_opening_is_told_once() -> None:
    """Asked again at the same state, nobody is told again."""
    alert, calls = tell(firing(X), ROUTES, START, held=False)
    assert {(call.channel, call.kind, call.quiet) for call in calls} == {
        ("ops", EventKind.OPENED, False),
        ("oncall", EventKind.OPENED, False),
    }
    assert tell(alert, ROUTES, START, held=False) == (alert, ())


def test_what_is_held_back_is_told_when_it_is_released() -> None:
    """Nothing is lost by holding back."""
    alert, calls = tell(firing(X), ROUTES, START, held=True)
    assert calls == ()
    _, calls = tell(alert, ROUTES, START + HOUR, held=False)
    assert {call.kind for call in calls} == {EventKind.OPENED}


def test_what_was_held_back_and_ended_is_never_told() -> None:
    """Nobody hears the resolve of what he never heard of."""
    alert, calls = tell(replace(firing(X), severity=None), ROUTES, START, held=False)
    assert calls == ()
    assert alert.idle


def test_getting_worse_rings_whoever_the_severity_wakes_and_updates_the_rest() -> None:
    """A channel that took the warning learns quietly that it got worse; to one that never heard of it, it is new."""
    alert = firing(X, W, Told("low", W, START))
    after, calls = tell(alert, ROUTES, START + HOUR, held=False)
    assert {(call.channel, call.quiet) for call in calls} == {("low", True), ("ops", False), ("oncall", False)}
    kinds = {call.channel: call.kind for call in calls}
    assert kinds == {"low": EventKind.WORSENED, "ops": EventKind.OPENED, "oncall": EventKind.OPENED}
    assert after.announced is X


def test_easing_is_a_quiet_update_for_whoever_was_told() -> None:
    """Critical back to warning disturbs nobody, even while other news is held back."""
    alert = firing(W, X, Told("oncall", X, START))
    after, calls = tell(alert, ROUTES, START + HOUR, held=True)
    assert calls == (Call("oncall", EventKind.EASED, W, quiet=True),)
    assert after.announced is W


def test_a_resolve_goes_to_exactly_those_who_were_told() -> None:
    """Not to those whom the routes would name today."""
    alert = firing(None, X, Told("oncall", X, START), Told("old", W, START))
    after, calls = tell(alert, ROUTES, START, held=True)
    assert {(call.channel, call.kind, call.quiet) for call in calls} == {
        ("oncall", EventKind.RESOLVED, True),
        ("old", EventKind.RESOLVED, True),
    }
    assert after.idle


def test_reminders_come_at_their_own_pace_for_each_channel() -> None:
    """Each channel has a clock of its own, and none while held back."""
    alert = firing(X, X, Told("ops", X, START), Told("oncall", X, START + HOUR / 4))
    at = START + HOUR / 2
    assert tell(alert, ROUTES, at, held=True) == (alert, ())
    after, calls = tell(alert, ROUTES, at, held=False)
    assert calls == (Call("ops", EventKind.REPEATED, X, quiet=False),)
    assert tell(after, ROUTES, at, held=False) == (after, ())
    _, calls = tell(after, ROUTES, START + 3 * HOUR / 4, held=False)
    assert [call.channel for call in calls] == ["oncall"]


def test_a_channel_that_took_the_place_of_another_hears_what_goes_on() -> None:
    """It was never told; the old one is not reminded, but will hear the end."""
    alert, calls = tell(firing(X, X, Told("old", X, START)), ROUTES, START + 9 * HOUR, held=False)
    assert {(call.channel, call.kind) for call in calls} == {("ops", EventKind.OPENED), ("oncall", EventKind.OPENED)}
    _, calls = tell(replace(alert, severity=None), ROUTES, START + 10 * HOUR, held=False)
    assert {call.channel for call in calls} == {"old", "ops", "oncall"}


def test_what_eased_is_told_to_whoever_takes_the_milder_severity() -> None:
    """They never heard of it while it was worse."""
    alert, _ = tell(firing(W, X, Told("oncall", X, START)), ROUTES, START, held=False)
    _, calls = tell(alert, ROUTES, START, held=False)
    assert calls == (Call("ops", EventKind.OPENED, W, quiet=False),)


def test_what_concerns_the_monitor_itself_concerns_every_route() -> None:
    """Also one that names systems."""
    assert Route(("boss",), systems=frozenset({"bank"})).matches(Alert(AlertKey(CheckId(OURS, "probes"), "blind")), W)


def test_a_remembered_alert_that_fires_goes_on_firing_when_it_comes_late() -> None:
    """One failed run seen meanwhile is no recovery."""
    waiting = Level(Phase.PENDING, 1, timedelta())
    fires = Level(Phase.FIRING, 0, timedelta())
    past = replace(firing(X, X, Told("ops", X, START)), levels={X: fires})
    present = Alert(KEY, "Site: down", levels={X: waiting, W: waiting})
    joined = rejoin(past, present)
    assert (joined.severity, joined.levels) == (X, {X: fires, W: waiting})
    assert rejoin(past, None) == past
    quiet = Level(Phase.KEEPING, 1, timedelta())
    assert rejoin(past, replace(present, levels={X: quiet})).levels == {X: quiet}


def test_no_moment_lies_in_the_future() -> None:
    """The clock was wrong when it was told."""
    alert = firing(X, X, Told("ops", X, START + HOUR))
    assert not_later(alert, START).told == (Told("ops", X, START),)
    assert not_later(alert, START + HOUR) == alert


def test_a_fallback_hears_the_end() -> None:
    """It is among those who were told."""
    alert = also_tell(firing(X, X, Told("ops", X, START)), "mail", START)
    _, calls = tell(replace(alert, severity=None), ROUTES, START, held=False)
    assert {call.channel for call in calls} == {"ops", "mail"}
    over = replace(alert, severity=None)
    assert also_tell(over, "late", START) is over


severities = st.sampled_from([None, NOTE, W, X])


@given(story=st.lists(st.tuples(severities, st.booleans(), st.integers(1, 90)), max_size=30))
def test_everybody_told_hears_the_end_and_nobody_else(story: list[tuple[Severity | None, bool, int]]) -> None:
    """Over any story of severities and of being held back."""
    told: set[str] = set()
    alert, at = Alert(KEY), START
    for severity, held, minutes in [*story, (None, False, 1)]:
        at += timedelta(minutes=minutes)
        since = (alert.since or at) if severity or alert.announced else None
        alert, calls = tell(replace(alert, severity=severity, since=since), ROUTES, at, held=held)
        ended = {call.channel for call in calls if call.kind is EventKind.RESOLVED}
        assert not ended or ended == told
        told = set() if severity is None else told | {call.channel for call in calls}
        assert severity is not X or held or told >= {"ops", "oncall"}
    assert alert.idle

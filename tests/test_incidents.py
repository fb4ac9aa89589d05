"""The journal → incidents."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.incidents import Incident, incidents, left_alone, mean_to_acknowledge, mean_to_resolve, others
from monitor.model import Alert, AlertKey, Attempt, AttemptResult, Dispatch, Event, EventKind, Severity
from tests import story
from tests.examples import notification
from tests.fakes import START
from tests.store import values
from tests.story import CONNECTIONS, OUTAGE, SITE

MINUTE = timedelta(minutes=1)
KEYS = [OUTAGE, CONNECTIONS, AlertKey(SITE, "slow", (("region", "eu"),))]


def event(minute: float, kind: EventKind, key: AlertKey = OUTAGE) -> Event:
    return Event(key, START + minute * MINUTE, kind, Severity.CRITICAL)


def of(*kinds: EventKind, alerts: tuple[Alert, ...] = ()) -> list[Incident]:
    """Return the incidents of a journal with one change a minute."""
    return incidents([event(minute, kind) for minute, kind in enumerate(kinds)], [], alerts)


def test_the_story_s_incidents() -> None:
    """One that ended, with the failures before it and both channels' messages; one that goes on."""
    outage, connections = incidents(story.CHANGE.events, story.dispatches(), story.CHANGE.alerts)
    assert (outage.title, outage.severity, outage.lasted) == (
        "Shop: Site: down",
        Severity.CRITICAL,
        timedelta(minutes=13, seconds=30),
    )
    kinds = [EventKind.PENDING, EventKind.OPENED, EventKind.ACKNOWLEDGED, EventKind.RESOLVED, EventKind.NOTED]
    assert [one.kind for one in outage.changes] == kinds
    assert {one.notification.id for one in outage.messages} == {
        note.id for note in (story.PAGED, story.REFUSED, story.OVER)
    }
    assert (connections.goes_on, connections.lasted, connections.severity) == (True, None, Severity.CRITICAL)
    assert mean_to_resolve([outage, connections]) == outage.lasted
    assert mean_to_resolve([connections]) is None
    assert mean_to_acknowledge([outage, connections]) == timedelta(minutes=4, seconds=18)
    assert mean_to_acknowledge([connections]) is None
    assert left_alone([outage, connections]) == [connections]


LIVES = st.lists(st.tuples(st.integers(1, 50_000), st.integers(1, 100_000)), max_size=6)


@given(st.tuples(LIVES, LIVES, LIVES), st.integers(-1, 10**6))
def test_times_to_resolve_are_right_over_months_wherever_the_history_is_cut(
    lives: tuple[list[tuple[int, int]], ...], cut: int
) -> None:
    """What was resolved after the cut is told with its whole length, since its last message says when it began."""
    events, notes, known = [], [], []
    for key, spans in zip(KEYS, lives, strict=True):
        at = 0
        for quiet, lasts in spans:
            opened, ended = START + (at + quiet) * MINUTE, START + (at + quiet + lasts) * MINUTE
            at += quiet + lasts
            events += [Event(key, opened, EventKind.OPENED), Event(key, ended, EventKind.RESOLVED)]
            notes.append(resolve(key, opened, ended))
            known.append((key, opened, ended))
    since = START + cut * MINUTE
    read = sorted((one for one in events if one.at > since), key=lambda one: one.at)
    found = incidents(read, [one for one in notes if one.notification.at > since], [])
    wanted = {(key, opened, ended - opened) for key, opened, ended in known if ended > since}
    assert {(one.key, one.opened_at, one.lasted) for one in found} == wanted
    assert len(found) == len(wanted)
    if wanted:
        lengths = [length for _, _, length in wanted]
        assert mean_to_resolve(found) == sum(lengths, timedelta()) / len(lengths)
    assert [one.opened_at for one in found] == sorted(opened for _, opened, _ in wanted)


def resolve(key: AlertKey, since: datetime, until: datetime) -> Dispatch:
    """Return the message that an incident is over."""
    made = notification(Alert(key, since=since).incident, EventKind.RESOLVED)
    page = replace(made.page, since=since, until=until)
    return Dispatch(replace(made, id=f"{key.fingerprint} {until}", key=key, at=until, page=page))


@given(
    st.lists(values.events, max_size=8), st.lists(values.notifications, max_size=4), st.lists(values.alerts, max_size=3)
)
def test_any_journal_can_be_told(
    events: list[Event], notes: list[values.Notification], alerts: list[values.Alert]
) -> None:
    """Whatever the order of changes: every message is told once, in an incident or beside them."""
    dispatches = [Dispatch(replace(note, id=f"{note.id} {number}")) for number, note in enumerate(notes)]
    found = incidents(sorted(events, key=lambda one: one.at), dispatches, alerts)
    told = [one for incident in found for one in incident.messages] + others(dispatches, found)
    assert {one.notification.id for one in told} == {one.notification.id for one in dispatches}
    assert sum(one.lasted is not None for one in found) <= len(events)


def test_what_was_pending_and_came_to_nothing_is_no_incident() -> None:
    assert of(EventKind.PENDING, EventKind.CANCELLED, EventKind.PENDING, EventKind.REMOVED) == []


def test_what_is_removed_was_not_resolved() -> None:
    (found,) = of(EventKind.OPENED, EventKind.HELD, EventKind.REMOVED)
    assert (found.ended_at, found.resolved, found.lasted) == (START + 2 * MINUTE, False, None)


def test_each_opening_is_an_incident_and_its_changes_belong_to_it() -> None:
    kinds = (EventKind.OPENED, EventKind.WORSENED, EventKind.RESOLVED, EventKind.PENDING, EventKind.OPENED)
    first, second = of(*kinds)
    assert [one.kind for one in first.changes] == [*kinds[:3]]
    assert [one.kind for one in second.changes] == [*kinds[3:]]
    assert (second.goes_on, second.ended_at) == (False, None), "nothing is live: its end was not noted"


def test_what_began_before_and_was_never_told_has_no_beginning() -> None:
    (found,) = of(EventKind.EASED, EventKind.RESOLVED)
    assert (found.opened_at, found.resolved, found.lasted) == (None, True, None)


def test_what_fires_without_a_change_in_that_time_is_told_too() -> None:
    """It began before."""
    alert = Alert(OUTAGE, "Shop: Site: down", severity=Severity.WARNING, since=START - MINUTE)
    (found,) = of(alerts=(alert, Alert(CONNECTIONS)))
    assert (found.title, found.opened_at, found.goes_on, found.changes) == (alert.title, alert.since, True, ())


def test_an_alert_that_fires_again_does_not_go_on_from_before() -> None:
    """The end of the first was not noted."""
    alert = Alert(OUTAGE, severity=Severity.WARNING, since=START + MINUTE)
    first, second = of(EventKind.OPENED, EventKind.OPENED, alerts=(alert,))
    assert [one.goes_on for one in (first, second)] == [False, True]


def test_reports_are_told_beside_the_incidents() -> None:
    """Of a deploy, for instance: they are messages without an alert."""
    report = Dispatch(notification("deploy", EventKind.REPORTED))
    found = incidents([event(0, EventKind.REPORTED)], [report], [])
    assert (found, others([report], found)) == ([], [report])


def test_it_is_taken_from_when_it_first_reached_somebody() -> None:
    """What was acknowledged before any channel accepted it took no time, and what reached nobody has none."""
    note = notification("outage", channel="ops")
    begun = Attempt("a", START + 3 * MINUTE, AttemptResult.DELIVERED)
    told = Event(OUTAGE, START + MINUTE, EventKind.ACKNOWLEDGED, detail="ana until 2026-01-05 16:00 UTC")
    assert Incident(OUTAGE, "", START, changes=(told,)).waited is None
    early = Incident(OUTAGE, "", START, changes=(told,), messages=(Dispatch(note, (begun,)),))
    assert early.waited == timedelta()
    assert left_alone([early, replace(early, changes=()), replace(early, changes=(), messages=())]) == [
        replace(early, changes=())
    ]


def test_silences_and_notes_make_no_incident() -> None:
    """A silence is none, nor a note about what does not fire; a note about what is over belongs to it."""
    silence = AlertKey(SITE, "silence")
    assert incidents([event(0, EventKind.SILENCED, silence), event(1, EventKind.LIFTED, silence)], [], []) == []
    assert of(EventKind.NOTED) == []
    (one,) = of(EventKind.OPENED, EventKind.RESOLVED, EventKind.NOTED)
    assert (len(one.changes), one.ended_at) == (3, START + MINUTE)

"""Values that the store's tests write: plain ones, and hypothesis strategies for any."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from hypothesis import strategies as st

from monitor.model import (
    Acknowledgement,
    Act,
    Alert,
    AlertKey,
    Attempt,
    AttemptResult,
    Change,
    CheckId,
    Deed,
    Deploy,
    Drill,
    Event,
    EventKind,
    Keepsake,
    Labels,
    Level,
    Measure,
    Notification,
    Page,
    Phase,
    Post,
    Reason,
    Sample,
    Scope,
    Severity,
    Silence,
    State,
    Told,
    labels,
)
from tests.fakes import START

__all__ = ["Alert", "Event", "Labels", "Notification"]

AddressOf = Callable[[Path], str]
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
BEGINNING = datetime(1990, 1, 1, tzinfo=UTC)
SITE = CheckId("shop", "site")
KEY = AlertKey(SITE, "down")
PLACE = Scope(*SITE)


def sample(at: datetime = START, value: float = 0.25, check: CheckId = SITE, state: State = State.UP) -> Sample:
    """Return a sample with one measure."""
    reason = None if state is State.UP else Reason.TIMEOUT
    return Sample(check, at, timedelta(milliseconds=250), state, reason, measures=(Measure("duration", value),))


def alert(count: int, key: AlertKey = KEY) -> Alert:
    """Return an alert that has failed `count` times."""
    return Alert(key, levels={Severity.CRITICAL: Level(Phase.PENDING, count, timedelta())})


def event(at: datetime = START, kind: EventKind = EventKind.OPENED, key: AlertKey = KEY) -> Event:
    """Return one line of a journal."""
    return Event(key, at, kind, Severity.CRITICAL, 0.25, "no answer")


def note(identity: str, at: datetime = START) -> Notification:
    """Return a notification of that id."""
    page = Page("Site down", "no answer", SITE.system, SITE.check, "down", remedy=("Restart it.",))
    return Notification(identity, "ops", "incident", KEY, EventKind.OPENED, Severity.CRITICAL, at, page)


def attempt(identity: str, result: AttemptResult, at: datetime = START, due: datetime | None = None) -> Attempt:
    """Return an attempt to deliver the notification of that id."""
    return Attempt(identity, at, result, f"delivery of {identity}", "because", due)


def act(identity: str, at: datetime = START) -> Act:
    """Return an act of that id."""
    return Act(identity, at, Deed.ACKNOWLEDGE, "anna", Scope(*SITE), why="I am on it")


def silence(
    identity: str, since: datetime, until: datetime, scope: Scope = PLACE, *, maintenance: bool = True
) -> Silence:
    """Return a silence of that id."""
    return Silence(identity, scope, since, until, "anna", "a move", maintenance)


def step(number: int) -> Change:
    """Return a change in which everything there is tells its number."""
    at = START + number * SECOND
    return Change(
        samples=(sample(at, number),),
        alerts=(alert(number),),
        events=(event(at),),
        owed=(note(f"note {number}", at),),
        attempts=(attempt(f"note {number}", AttemptResult.RETRY, at, at + SECOND),),
        keepsakes=(Keepsake(SITE, "last", str(number)),),
        deploys=(Deploy("shop", START, START, reports=number),),
        silences=(silence("move", START, START + number * HOUR, maintenance=False),),
        posts=(Post("ops", "incident", f"post {number}", START),),
        done=(act(f"act {number}", at),),
    )


texts = st.text(st.characters() | st.sampled_from("\ud800\udfff\0"), max_size=12)
"""Any text that JSON can name, half surrogate pairs and NUL among it."""

names = st.text("abcdefgh_", min_size=1, max_size=8)
numbers = st.floats() | st.integers(-5, 5).map(float)
zones = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-9, minutes=-30))])
moments = st.datetimes(datetime(1990, 1, 2), datetime(2100, 1, 1), timezones=zones)  # noqa: DTZ001 - hypothesis wants so
lengths = st.timedeltas(timedelta(), timedelta(days=3_650))
label_sets = st.dictionaries(names, texts, max_size=2).map(labels)
checks = st.builds(CheckId, names, names)
keys = st.builds(AlertKey, checks, texts, label_sets)
severities = st.sampled_from(Severity)
measures = st.builds(Measure, names, numbers, label_sets)
samples = st.builds(
    Sample,
    checks,
    moments,
    lengths,
    st.sampled_from(State),
    st.none() | st.sampled_from(Reason),
    texts,
    st.lists(measures, max_size=4).map(tuple),
)
tellings = st.lists(st.builds(Told, texts, severities, moments), max_size=3).map(tuple)
alerts = st.builds(
    Alert,
    keys,
    title=texts,
    levels=st.dictionaries(severities, st.builds(Level, st.sampled_from(Phase), st.integers(0, 2**40), lengths)),
    judged_at=st.none() | moments,
    severity=st.none() | severities,
    since=st.none() | moments,
    announced=st.none() | severities,
    told=tellings,
    drill=st.none()
    | st.builds(
        *(Drill, texts, texts, moments, lengths, severities, st.none() | moments, texts),
        told=tellings,
        named=st.lists(texts, max_size=2).map(tuple),
        reported=st.booleans(),
    ),
)
events = st.builds(
    Event,
    keys,
    moments,
    st.sampled_from(EventKind),
    st.none() | severities,
    st.none() | st.floats(allow_nan=False),
    texts,
)
text_rows = st.lists(texts, max_size=3).map(tuple)
links = st.lists(st.tuples(texts, texts), max_size=2).map(tuple)
acknowledgements = st.builds(Acknowledgement, texts, moments, severities, moments, texts)
pages = st.builds(
    Page,
    *[texts] * 5,
    labels=label_sets,
    value=texts,
    figure=texts,
    since=st.none() | moments,
    until=st.none() | moments,
    trend=texts,
    beside=text_rows,
    remedy=text_rows,
    links=links,
    answers=text_rows,
    before=text_rows,
    shares=links,
    taken=st.none() | acknowledgements,
    rung=st.none() | moments,
    changes=st.integers(0, 100),
    settles=st.none() | lengths,
)
notifications = st.builds(
    Notification,
    names,
    names,
    names,
    keys,
    st.sampled_from(EventKind),
    severities,
    moments,
    pages,
    quiet=st.booleans(),
    missed=st.booleans(),
    fallback_for=texts,
)
scopes = st.builds(Scope, texts, texts, texts, label_sets)
acts = st.builds(
    Act, names, moments, st.sampled_from(Deed), texts, scopes, texts, texts, st.none() | moments, st.booleans()
)
silences = st.builds(Silence, names, scopes, moments, moments, texts, texts, st.booleans())

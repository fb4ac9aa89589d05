"""What may leave a channel's queue when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Acknowledgement, EventKind, Notification, Owed, Severity
from monitor.owed import LONGEST_ASKED, LONGEST_WAIT, Cap, Queue, drop_hopeless, drop_stale, ready, wait_after
from tests.examples import SECOND, notification
from tests.fakes import START

W, X = Severity.WARNING, Severity.CRITICAL


def queue(*notes: Notification) -> Queue:
    return Queue({note.id: Owed(note) for note in notes})


def leaving(queue: Queue, at: float, *, store_away: bool = False) -> list[str]:
    return [owed.notification.incident for owed in ready(queue, START + at * SECOND, store_away=store_away)]


def test_the_first_critical_leaves_within_two_seconds() -> None:
    """One second is left for others that come from the same cause."""
    owed = queue(notification("a", at=0), notification("b", at=0.5))
    assert leaving(owed, 0.9) == []
    assert leaving(owed, 1.0) == ["a", "b"]


def test_what_follows_within_a_minute_is_collected() -> None:
    """The second message leaves a minute after the first, with everything in it."""
    owed = queue(notification("a", at=0))
    batch = ready(owed, START + SECOND)
    owed.sent(batch, START + SECOND)
    owed.forget(batch)
    for at, name in ((5, "b"), (30, "c"), (60.5, "d")):
        owed.owed[name] = Owed(notification(name, at=at))
    assert leaving(owed, 60) == []
    assert leaving(owed, 61) == ["b", "c", "d"]


def test_a_first_critical_does_not_wait_for_a_warnings_minute() -> None:
    """And takes along what waits."""
    owed = queue(notification("warned", severity=W))
    batch = ready(owed, START + SECOND)
    owed.sent(batch, START + SECOND)
    owed.forget(batch)
    owed.owed["b"] = Owed(notification("b", severity=W, at=3))
    owed.owed["c"] = Owed(notification("c", severity=X, at=5))
    assert leaving(owed, 5.9) == []
    assert leaving(owed, 6) == ["c", "b"]


def test_a_failed_delivery_is_repeated_alone_and_whole() -> None:
    """What came later does not change what its id stands for."""
    owed = queue(notification("a"), notification("b"))
    for item in list(owed.owed.values()):
        owed.owed[item.notification.id] = replace(item, attempts=1, delivery="d1", due=START + 10 * SECOND)
    owed.owed["c"] = Owed(notification("c", at=2))
    assert leaving(owed, 9) == []
    assert sorted(leaving(owed, 10)) == ["a", "b"]


def test_a_repetition_starts_no_minute() -> None:
    """New criticals do not wait because an old one had to be repeated."""
    owed = queue(notification("a"))
    again = replace(next(iter(owed.owed.values())), attempts=3, delivery="d1")
    owed.sent([again], START + 200 * SECOND)
    assert owed.critical_at is None


def test_what_was_begun_before_a_crash_is_a_repetition() -> None:
    """Nobody knows whether it arrived; what follows, such as its end, does not wait a minute for that."""
    owed = queue(notification("a"))
    begun = replace(next(iter(owed.owed.values())), delivery="d1")
    owed.sent([begun], START + 200 * SECOND)
    assert owed.sent_at is None


def test_only_criticals_leave_while_the_store_is_away() -> None:
    """The rest can wait until it is durable."""
    owed = queue(notification("a", severity=W), notification("b"))
    assert leaving(owed, 5, store_away=True) == ["b"]
    assert leaving(owed, 5) in (["a", "b"], ["b", "a"])


def test_a_newer_message_makes_older_ones_needless() -> None:
    """Of opened, worse and reminder only the last is sent; another incident is none of their business."""
    opened = notification("a", severity=W, at=0)
    worse = notification("a", EventKind.WORSENED, at=5)
    other = notification("b", at=1)
    owed = queue(opened, worse, other)
    drop_stale(owed)
    assert [item.notification for item in owed.replaced[worse.id]] == [opened]
    assert set(owed.owed) == {worse.id, other.id}


@pytest.mark.parametrize("end", [EventKind.RESOLVED, EventKind.REMOVED])
def test_an_end_whose_opening_never_arrived_says_so(end: EventKind) -> None:
    """Nobody gets a stale firing, and nobody wonders what a resolve is about."""
    owed = queue(notification("a", at=0), notification("a", end, at=300))
    drop_stale(owed)
    (left,) = owed.owed.values()
    assert left.notification.kind is end
    assert left.notification.missed


def test_nothing_outlives_the_end_of_its_incident() -> None:
    """The clock was set back in a restart, so that the end seems older than its beginning."""
    end = notification("a", EventKind.RESOLVED, at=-3_000)
    owed = queue(end, notification("a", at=0))
    drop_stale(owed)
    assert set(owed.owed) == {end.id}


def test_a_chain_of_messages_that_never_arrived_is_remembered_to_its_beginning() -> None:
    """Opened, worse, resolved: it is still the first that the channel hears of it."""
    owed = queue(notification("a", severity=W), notification("a", EventKind.WORSENED, at=5))
    drop_stale(owed)
    last = notification("a", EventKind.RESOLVED, at=9)
    owed.add(Owed(last))
    assert owed.changed
    drop_stale(owed)
    assert owed.owed[last.id].notification.missed
    assert len(owed.replaced[last.id]) == 2


def test_what_was_owed_for_days_is_given_up() -> None:
    """Three days after it was decided."""
    owed = queue(notification("a", severity=W))
    assert drop_hopeless(owed, START + timedelta(days=3)) == []
    assert [item.notification.incident for item in drop_hopeless(owed, START + timedelta(days=3, seconds=1))] == ["a"]
    assert owed.owed == {}


@given(attempts=st.integers(0, 10**6), jitter=st.floats(0, 1))
def test_waits_grow_and_are_bounded(attempts: int, jitter: float) -> None:
    """From two seconds to five minutes, plus half."""
    wait = wait_after(attempts, None, jitter)
    assert 2 * SECOND <= wait <= LONGEST_WAIT * 1.5


@given(asked=st.timedeltas(min_value=timedelta(), max_value=timedelta(days=400)))
def test_what_the_channel_asks_for_is_obeyed_within_reason(asked: timedelta) -> None:
    """Retry-After of a year does not silence it."""
    assert wait_after(0, asked, 0.5) == min(max(asked, 2 * SECOND), LONGEST_ASKED)


def test_the_worst_comes_first_in_a_flood() -> None:
    """However much was owed before it."""
    flood = [notification(f"w{n}", severity=W) for n in range(700)]
    owed = queue(*flood, notification("worst", at=5))
    names = leaving(owed, 6)
    assert names[0] == "worst"
    assert len(names) == 500


def test_a_critical_does_not_wait_for_a_delivery_that_failed_again_and_again() -> None:
    """After the third failure it overtakes it; a warning does not, and a failed delivery that is due goes first."""
    owed = queue(notification("stuck", severity=W))
    (item,) = owed.owed.values()
    for attempts, names in ((2, []), (3, ["urgent"])):
        owed.owed[item.notification.id] = replace(item, attempts=attempts, delivery="d1", due=START + 300 * SECOND)
        owed.owed["urgent"] = Owed(notification("urgent", at=10))
        owed.owed["mild"] = Owed(notification("mild", severity=W, at=10))
        assert leaving(owed, 20) == names
    assert leaving(owed, 300) == ["stuck"]


def test_an_easing_of_what_never_arrived_is_told_aloud() -> None:
    """It is the first that the channel hears of it."""
    owed = queue(notification("a"), notification("a", EventKind.EASED, severity=W, at=5))
    drop_stale(owed)
    (left,) = owed.owed.values()
    assert not left.notification.quiet


ANSWERED = replace(
    notification("a", EventKind.ANSWERED, at=0.4, quiet=True),
    page=replace(notification("a").page, summary="newer", answers=("api 20",)),
)


def test_what_steps_found_comes_with_the_page_that_still_waits() -> None:
    """It rings as that would have, and no later."""
    opened = notification("a", at=0)
    owed = queue(opened, ANSWERED)
    drop_stale(owed)
    (only,) = [item.notification for item in owed.owed.values()]
    assert only == replace(opened, id=ANSWERED.id, page=replace(opened.page, answers=("api 20",)))
    assert [old.notification for old in owed.replaced[ANSWERED.id]] == [opened]
    assert leaving(owed, 1.0) == ["a"]


def test_what_steps_found_twice_or_after_the_page_is_an_update() -> None:
    again = replace(ANSWERED, id="again", at=START + 2 * SECOND)
    owed = queue(ANSWERED, again)
    drop_stale(owed)
    assert [item.notification for item in owed.owed.values()] == [again]


def test_answers_go_with_their_own_steps_only() -> None:
    """A page whose remedy is another one is told as it was."""
    opened = notification("a", at=0)
    other = replace(opened, page=replace(opened.page, remedy=("Something else.", "And more.")))
    owed = queue(other, ANSWERED)
    drop_stale(owed)
    (only,) = [item.notification for item in owed.owed.values()]
    assert only == replace(other, id=ANSWERED.id)


def test_an_end_makes_answers_needless() -> None:
    """And still tells the whole story of what was never heard."""
    ended = notification("a", EventKind.RESOLVED, at=0.8)
    owed = queue(notification("a", at=0), ANSWERED, ended)
    drop_stale(owed)
    assert [item.notification for item in owed.owed.values()] == [replace(ended, missed=True)]


def waiting(incident: str, at: float, batch: str, leaves: float, **fields: Any) -> Notification:  # noqa: ANN401 - any field
    """Return a warning that may wait for others, at most until so many seconds after the start."""
    moment = START + leaves * SECOND
    return notification(incident, severity=Severity.WARNING, at=at, batch=batch, leaves=moment, **fields)


def ids(batch: list[Owed]) -> list[str]:
    return [owed.notification.incident for owed in batch]


def test_what_may_wait_leaves_together_when_the_first_of_it_must() -> None:
    """TA-17: warnings within the hour; other batches, and what waits for nobody, go their own way."""
    held = queue(
        waiting("one", 0, "within", 3_600),
        waiting("two", 1_800, "within", 5_400),
        waiting("daily", 0, "digest 09:00", 9_000),
    )
    assert ready(held, START + 3_599 * SECOND) == []
    assert ids(ready(held, START + 3_600 * SECOND)) == ["one", "two"]
    held.add(Owed(notification("loud", at=3_000)))
    assert ids(ready(held, START + 3_001 * SECOND)) == ["loud"]


def test_what_came_and_went_while_it_waited_is_told_in_its_place() -> None:
    """In the same batch, by the time at which the first had to leave, and as the whole story."""
    held = queue(waiting("one", 0, "within", 3_600), waiting("one", 600, "within", 4_200, kind=EventKind.RESOLVED))
    drop_stale(held)
    (told,) = ready(held, START + 3_600 * SECOND)
    assert (told.notification.kind, told.notification.missed) == (EventKind.RESOLVED, True)


def test_a_reminder_of_what_was_never_heard_opens_it() -> None:
    """The channel was away since it began."""
    held = queue(notification("one", at=0), notification("one", EventKind.REPEATED, at=1_800))
    drop_stale(held)
    (told,) = ready(held, START + 1_801 * SECOND)
    assert told.notification.kind is EventKind.OPENED


def test_who_took_it_does_not_take_the_place_of_the_page() -> None:
    """A channel that has not told of it yet still does, quietly, and says who has it; what steps found comes along."""
    opened = notification("one", at=0)
    found = notification(
        "one", EventKind.ANSWERED, at=0.5, quiet=True, page=replace(opened.page, answers=("25 in all",))
    )
    held = queue(opened, found)
    drop_stale(held)
    (told,) = ready(held, START + 2 * SECOND)
    assert (told.notification.kind, told.notification.quiet) == (EventKind.OPENED, False)
    assert told.notification.page.answers == ("25 in all",)
    taken = Acknowledgement("ana", START, Severity.CRITICAL, START + 3_600 * SECOND)
    held.add(Owed(notification("one", EventKind.ACKNOWLEDGED, at=1, page=replace(opened.page, taken=taken))))
    drop_stale(held)
    (told,) = ready(held, START + 3 * SECOND)
    assert (told.notification.kind, told.notification.quiet) == (EventKind.OPENED, True)
    assert told.notification.page.taken == taken


def test_a_change_of_a_message_that_stands_waits_for_nobody() -> None:
    """And starts no minute: neither where the channel cannot change it."""
    held = queue(notification("one", at=0))
    held.sent(ready(held, START + 1 * SECOND), START + 1 * SECOND)
    held.owed.clear()
    held.add(Owed(notification("one", EventKind.ACKNOWLEDGED, at=10, quiet=True)))
    assert ready(held, START + 12 * SECOND) == []
    edit = ready(held, START + 12 * SECOND, posted={"one"})
    assert ids(edit) == ["one"]
    held.sent(edit, START + 12 * SECOND)
    assert held.sent_at == START + 1 * SECOND


@given(st.lists(st.integers(1, 200), min_size=1, max_size=60))
def test_a_channel_gets_no_more_messages_than_it_may_and_loses_none(gaps: list[int]) -> None:
    """Two messages in five minutes; whatever comes beyond leaves as one."""
    held = Queue(cap=Cap(2, timedelta(minutes=5)))
    now, number, told = START, 0, 0
    sent: list[datetime] = []
    for gap in [*gaps, 400, 400, 400]:
        now += gap * SECOND
        if number < len(gaps):
            held.add(Owed(replace(notification(f"incident {number}"), at=now - SECOND)))
            number += 1
        batch = ready(held, now)
        if batch:
            held.sent(batch, now)
            held.forget(batch)
            sent.append(now)
            told += len(batch)
    assert told == number
    assert all(later - one >= timedelta(minutes=5) for one, later in zip(sent, sent[2:], strict=False))

"""`unseen`: what is new is new for a while, once, whatever is restarted and whenever the store sums its hours up."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.baseline.unseen import MOST_KNOWN, MOST_NEW
from monitor.history import History
from monitor.model import Measure, Sample, State, labels
from monitor.units import Unit
from monitor.watch import parse_watch
from tests.baseline.hours import DAY, HOUR, MONDAY, WEEK, each_hour, hour, measure, micros, of, past
from tests.examples import SITE

if TYPE_CHECKING:
    from monitor.baseline import Baseline
    from monitor.hour import Hour
    from monitor.model import Labels

MINUTE = timedelta(minutes=1)
NOW = MONDAY + 4 * WEEK


def known_types(*names: str, weeks: float = 4) -> list[Hour]:
    return each_hour(weeks, lambda _: [measure(1, of(name)) for name in names])


PAID = [hour(NOW - days * DAY, measure(1, of("paid"))) for days in range(20, 0, -1)]
"""Days enough, and few hours."""


def new(known: tuple[object, Baseline], first: dict[str, datetime], at: datetime = NOW) -> dict[Labels, float]:
    """Return what is new at a moment, of names that were seen first then."""
    watch, baseline = known
    return baseline.read(watch, {of(name): float(micros(seen)) for name, seen in first.items()}, micros(at))  # type: ignore[arg-type]


def test_a_value_that_no_hour_has_seen_is_new_for_as_long_as_the_window_says() -> None:
    known = past("unseen(x by type, 2h)", known_types("paid", "lost"))
    first = {"paid": NOW, "odd": NOW + MINUTE}
    assert new(known, first, NOW + MINUTE) == {of("odd"): 1.0}
    assert new(known, first, NOW + 2 * HOUR + MINUTE - timedelta(microseconds=1)) == {of("odd"): 1.0}
    assert new(known, first, NOW + 2 * HOUR + MINUTE) == {}


def test_the_hour_that_saw_it_first_ends_nothing_before_its_time() -> None:
    """The store has summed that hour up, and the value is new for the rest of the window all the same."""
    watch, known = past("unseen(x by type)", known_types("paid"))
    known.add(hour(NOW, measure(1, of("odd"))))
    first = {"odd": NOW + 50 * MINUTE}
    assert new((watch, known), first, NOW + 109 * MINUTE) == {of("odd"): 1.0}
    assert new((watch, known), first, NOW + 110 * MINUTE) == {}
    assert new((watch, known), {"odd": NOW + HOUR}, NOW + 61 * MINUTE) == {}


def test_an_hour_that_does_not_count_has_seen_it_all_the_same() -> None:
    hours = [*known_types("paid"), hour(NOW, measure(1, of("odd")), up=0, down=4)]
    assert new(past("unseen(x by type)", hours), {"odd": NOW + HOUR}, NOW + HOUR) == {}


def test_a_counter_at_zero_has_not_been_seen() -> None:
    """Exporters begin all of them there; and an hour in which it was both has seen it."""
    hours = [*known_types("paid"), hour(NOW, measure(0, of("odd")), measure(0.5, of("rare"), span=1))]
    first = {"odd": NOW + HOUR, "rare": NOW + HOUR}
    assert new(past("unseen(x by type)", hours), first, NOW + HOUR) == {of("odd"): 1.0}


def test_it_is_blind_for_two_weeks() -> None:
    """And says nothing: neither that there is something new nor that it is over."""
    watch, known = past("unseen(x by type)", known_types("paid", weeks=13 / 7))
    assert known.blind(watch)
    assert new((watch, known), {"odd": MONDAY + 13 * DAY}, MONDAY + 13 * DAY) == {}


def test_what_was_last_seen_a_year_ago_is_known() -> None:
    """As long as hours are kept."""
    hours = [hour(MONDAY - 52 * WEEK, measure(1, of("yearly"))), *known_types("paid")]
    watch, known = past("unseen(x by type)", hours)
    assert known.emptied().begins(NOW).year == 1970
    assert new((watch, known), {"yearly": NOW}) == {}


def test_the_first_twenty_have_an_alert_of_their_own_and_the_rest_one_together() -> None:
    """In the order in which they were seen; so a restart names the same."""
    known = past("unseen(x by type, 1d)", known_types("paid"))
    first = {f"odd {number:02}": NOW + number * MINUTE for number in range(30)}
    found = new(known, dict(reversed(first.items())), NOW + HOUR)
    assert found == {**{of(name): 1.0 for name in list(first)[:MOST_NEW]}, (): 10.0}
    told = known[1].tell(known[0], {of(n): micros(at) for n, at in first.items()}, micros(NOW + HOUR), (), Unit.NUMBER)
    assert told == "10 more were never seen before, such as odd 20, odd 21, odd 22"


def test_a_label_with_ten_thousand_values_is_blind() -> None:
    """Each would be new for ever."""
    many = [measure(1, of(str(number))) for number in range(MOST_KNOWN + 10)]
    watch, known = past("unseen(x by type)", [*known_types("paid"), hour(NOW, *many)])
    assert known.full() == [watch.text]
    assert known.blind(watch)
    assert known.depths() == {watch.text: timedelta()}
    assert new((watch, known), {"odd": NOW}) == {}


def test_the_page_says_since_when() -> None:
    watch, known = past("unseen(x by type)", known_types("paid"))
    values = {of("odd"): float(micros(NOW))}
    at = micros(NOW + 4 * MINUTE)
    assert known.tell(watch, values, at, of("odd"), Unit.NUMBER) == "first seen 4 min ago"
    assert known.tell(watch, values, micros(NOW), of("odd"), Unit.NUMBER) == "seen for the first time"
    assert known.tell(watch, values, at, of("paid"), Unit.NUMBER) == ""
    assert known.tell(watch, values, at, (), Unit.NUMBER) == ""
    assert known.tell(watch, values, micros(NOW + DAY), of("odd"), Unit.NUMBER) == ""


class Daemon:
    """A history that may be restarted, beside a store that sums up each hour some time after its end."""

    def __init__(self, text: str) -> None:
        self.watch = parse_watch(text)
        self.samples: list[Sample] = []
        self.history = self.started(NOW)

    def started(self, at: datetime) -> History:
        """Return what a process that starts then knows: the samples within reach, and the hours that are summed up."""
        history = History([self.watch])
        for sample in self.samples:
            if sample.at > at - history.reach:
                history.add(sample)
        for one in PAID:
            history.past.add(one)
        self.roll(history, at)
        return history

    def roll(self, history: History, at: datetime) -> None:
        """Let the hours that are over be known, a quarter of an hour after their end."""
        for number in range(-1, (at - NOW) // HOUR + 1):
            begin = NOW + number * HOUR
            if begin + HOUR + 15 * MINUTE <= at:
                seen = {
                    one.labels
                    for sample in self.samples
                    if begin <= sample.at < begin + HOUR
                    for one in sample.measures
                }
                history.past.add(hour(begin, *(measure(1, key) for key in sorted(seen))))

    def see(self, at: datetime, names: set[str], *, restart: bool) -> set[str]:
        """Return the names that are new after a sample with these, before which the process may be restarted."""
        if restart:
            self.history = self.started(at)
        sample = Sample(
            SITE, at, MINUTE, State.UP, measures=tuple(Measure("x", 1.0, of(name)) for name in sorted(names))
        )
        self.samples.append(sample)
        self.history.add(sample)
        self.roll(self.history, at)
        return {dict(key)["type"] for key in self.history.read(self.watch)}


RUNS = st.lists(st.tuples(st.integers(1, 50), st.sets(st.sampled_from(["paid", "a", "b"])), st.booleans()), max_size=25)


@given(RUNS, st.sampled_from([20, 60, 100]))
def test_each_value_is_new_from_its_first_sample_for_the_window_and_never_again(
    runs: list[tuple[int, set[str], bool]], window: int
) -> None:
    """Whenever it is restarted, and whenever hours are summed up: as plain reckoning with all samples would have it."""
    daemon = Daemon(f"unseen(x by type, {window}m)")
    first: dict[str, datetime] = {}
    moments = itertools.accumulate((gap for gap, _, _ in runs), initial=0)
    next(moments)
    for minute, (_, names, restart) in zip(moments, runs, strict=True):
        at = NOW + minute * MINUTE
        for name in names - {"paid"}:
            first.setdefault(name, at)
        wanted = {name for name, begun in first.items() if at - begun < window * MINUTE}
        assert daemon.see(at, names, restart=restart) == wanted


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_a_sample_without_a_number_has_seen_nothing(value: float) -> None:
    history = History([parse_watch("unseen(x by type)")])
    for one in known_types("paid"):
        history.past.add(one)
    history.add(Sample(SITE, NOW, MINUTE, State.UP, measures=(Measure("x", value, of("odd")),)))
    assert history.read(parse_watch("unseen(x by type)")) == {}


def test_a_flood_of_values_is_bounded_in_memory_too() -> None:
    watch = parse_watch('unseen(x{shop!="b"} by type)')
    history = History([watch])
    flood = [Measure("x", 1.0, labels({"type": str(number), "shop": "a"})) for number in range(MOST_KNOWN + 100)]
    other = Measure("x", 1.0, labels({"type": "of another shop", "shop": "b"}))
    history.add(Sample(SITE, NOW, MINUTE, State.UP, measures=(other, *flood)))
    moments = history._measures["x"]._first[watch.text].moments
    assert len(moments) == MOST_KNOWN + 1
    assert of("of another shop") not in moments
    assert history.dropped == 0

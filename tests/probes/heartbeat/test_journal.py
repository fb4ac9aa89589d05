"""What is remembered of a job, whatever order its reports come in."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Report, Said
from monitor.probes.heartbeat.journal import MOST_RUNS, OVERTAKEN, Journal
from tests.fakes import START as NOW

if TYPE_CHECKING:
    from datetime import datetime

MINUTE = timedelta(minutes=1)
START, SUCCESS, FAILURE = Said
NEW = Journal(since=NOW, schedule="1 day")
reports = st.builds(
    Report, st.sampled_from(Said), st.none() | st.integers(0, 255), st.sampled_from(["", "a", "b", "c"]), st.text()
)
stories = st.lists(st.tuples(st.timedeltas(timedelta(), timedelta(days=2)), reports), max_size=30)


def heard(*story: tuple[float, Said, str], journal: Journal = NEW) -> Journal:
    """Return a journal after reports: minutes since the start, what was said, of which run."""
    for minutes, said, run in story:
        journal = journal.hear(Report(said, run=run), NOW + minutes * MINUTE)
    return journal


def told(story: list[tuple[timedelta, Report]], journal: Journal = NEW) -> tuple[Journal, datetime]:
    at = NOW
    for passed, report in story:
        at += passed
        journal = journal.hear(report, at)
    return journal, at


def test_a_run_has_a_beginning_and_an_end() -> None:
    journal = heard((1, START, ""), (5, SUCCESS, ""))
    assert journal.end
    assert (journal.end.good, journal.end.took, journal.success) == (True, 4 * MINUTE, NOW + 5 * MINUTE)
    assert not journal.running


def test_a_job_may_report_nothing_but_its_end() -> None:
    journal = heard((5, FAILURE, ""))
    assert journal.end
    assert (journal.end.good, journal.end.took, journal.success) == (False, None, None)


def test_a_failure_takes_no_success_back() -> None:
    journal = heard((1, SUCCESS, ""), (2, FAILURE, ""))
    assert journal.success == NOW + MINUTE


def test_runs_that_overlap_are_told_apart_by_their_names() -> None:
    journal = heard((1, START, "a"), (2, START, "b"), (4, FAILURE, "b"))
    assert dict(journal.running) == {"a": NOW + MINUTE}
    assert journal.end
    assert journal.end.took == 2 * MINUTE


def test_without_names_another_start_is_another_run() -> None:
    """The first one was killed, most likely."""
    assert dict(heard((1, START, ""), (61, START, "")).running) == {"": NOW + 61 * MINUTE}


def test_a_start_that_is_told_twice_began_at_the_first() -> None:
    assert dict(heard((1, START, "a"), (2, START, "a")).running) == {"a": NOW + MINUTE}


def test_a_start_that_its_end_has_overtaken_begins_nothing() -> None:
    journal = heard((1, SUCCESS, "a"), (1.1, START, "a"))
    assert not journal.running


def test_a_name_that_is_used_for_every_run_is_none_the_worse() -> None:
    """It is no name of a run, but a job that has one must not look late."""
    journal = heard((0, START, "a"), (1, SUCCESS, "a"), (60, START, "a"), (61, SUCCESS, "a"))
    assert journal.success == NOW + 61 * MINUTE
    assert journal.end
    assert journal.end.took == MINUTE
    assert 60 * MINUTE > OVERTAKEN


def test_an_end_that_is_told_twice_keeps_how_long_it_took() -> None:
    journal = heard((0, START, "a"), (5, SUCCESS, "a"), (5.5, SUCCESS, "a"))
    assert journal.end
    assert journal.end.took == 5 * MINUTE


@pytest.mark.parametrize(("start", "end"), [("a", ""), ("", "a"), ("", "")])
def test_where_one_of_two_names_no_run_they_still_find_each_other(start: str, end: str) -> None:
    journal = heard((0, START, start), (3, SUCCESS, end))
    assert not journal.running
    assert journal.end
    assert journal.end.took == 3 * MINUTE


def test_an_end_without_a_name_is_that_of_no_run_where_several_are_under_way() -> None:
    journal = heard((0, START, "a"), (1, START, "b"), (2, SUCCESS, ""))
    assert journal.running.keys() == {"a", "b"}
    assert journal.end
    assert journal.end.took is None


def test_a_run_that_was_killed_is_not_waited_for_once_a_later_one_succeeded() -> None:
    killed = (0, START, "killed")
    assert heard(killed, (60, START, "b"), (65, FAILURE, "b")).running.keys() == {"killed"}
    assert not heard(killed, (60, START, "b"), (65, SUCCESS, "b")).running
    assert heard((60, START, "b"), (61, START, "younger"), (65, SUCCESS, "b")).running.keys() == {"younger"}


def test_a_journal_is_empty_until_the_first_report() -> None:
    assert NEW.empty
    assert not heard((1, START, "")).empty
    assert not heard((1, FAILURE, "")).empty


def test_another_schedule_counts_from_now_on() -> None:
    """A job that ran once a week must not be late because it shall run every day."""
    known = heard((1, SUCCESS, ""))
    assert known.expected("1 day", NOW + 99 * MINUTE) is known
    changed = known.expected("0 3 * * *", NOW + 99 * MINUTE)
    assert changed.counted_from == NOW + 99 * MINUTE
    assert heard((120, SUCCESS, ""), journal=changed).counted_from == NOW + 120 * MINUTE
    assert (NEW.counted_from, known.counted_from) == (NOW, NOW + MINUTE)


@given(stories)
def test_a_journal_stays_small_and_reads_as_it_was_written(story: list[tuple[timedelta, Report]]) -> None:
    journal, at = told(story)
    assert Journal.read(journal.body) == journal
    assert len(journal.running) <= MOST_RUNS
    assert len(journal.ended) <= MOST_RUNS
    assert journal.not_later(at) == journal


@given(st.lists(st.uuids().map(str), min_size=MOST_RUNS + 1, max_size=50, unique=True))
def test_of_too_many_runs_the_oldest_is_forgotten(names: list[str]) -> None:
    journal = heard(*((number, START, name) for number, name in enumerate(names)))
    assert list(journal.running) == names[-MOST_RUNS:]
    journal = heard(*((number, SUCCESS, name) for number, name in enumerate(names)))
    assert list(journal.ended) == names[-MOST_RUNS:]


@given(stories)
def test_time_never_runs_backwards_in_it(story: list[tuple[timedelta, Report]]) -> None:
    journal, at = told(story)
    successes = [moment for moment in (journal.success, journal.end and journal.end.at) if moment]
    assert all(earlier <= later for earlier, later in pairwise([NOW, *successes[:1], at]))
    assert journal.end is None or journal.end.took is None or journal.end.took >= timedelta()


@given(stories, st.timedeltas(timedelta(), timedelta(days=3)))
def test_nothing_stays_later_than_a_clock_that_was_put_right(
    story: list[tuple[timedelta, Report]], back: timedelta
) -> None:
    """What a wrong clock has dated into the future must not pass for fresh until then."""
    journal, at = told(story)
    now = max(at - back, NOW)
    put_right = journal.not_later(now)
    assert put_right.not_later(now) == put_right
    everything = [put_right.since, put_right.success, put_right.end and put_right.end.at, *put_right.running.values()]
    assert all(moment <= now for moment in everything if moment)
    assert (put_right.success is None) == (journal.success is None)


@given(stories, st.integers(0, 30))
def test_what_two_know_is_joined(story: list[tuple[timedelta, Report]], cut: int) -> None:
    """One was in the store, the other was heard before that could be read: nothing newer is lost."""
    past, at = told(story[:cut])
    present, _ = told([(at - NOW, Report(SUCCESS)), *story[cut:]], Journal(since=at, schedule="1 day"))
    both = past.joined(present)
    assert both.since == past.since
    assert both.success == present.success
    assert both.end == present.end
    assert all(both.running[run] > both.ended[run] for run in both.running.keys() & both.ended.keys())
    assert past.joined(past) == past


def test_a_journal_of_nothing_joins() -> None:
    assert NEW.joined(NEW) == NEW


@pytest.mark.parametrize("body", ["", "{", "[]", '{"since": 7}', '{"since": "yesterday"}', "null"])
def test_what_is_not_ours_is_no_journal(body: str) -> None:
    assert (Journal.read(body) is None) == (body != '{"since": 7}')


def test_what_a_later_release_has_added_is_passed_over() -> None:
    body = NEW.body.removesuffix("}") + ', "mood": "good", "end": {"at": "2026-01-05T12:00:00Z", "good": true, "x": 1}}'
    journal = Journal.read(body)
    assert journal
    assert journal.end
    assert journal.end.good

"""What a job's journal says at each moment: never, late, long, failed, and the words for each."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Reason, Report, Said
from monitor.probes.heartbeat.journal import Journal
from monitor.probes.heartbeat.verdict import USUAL_GRACE, Rules, Verdict
from monitor.timetable import Timetable
from tests.fakes import START as NOW
from tests.probes.heartbeat.test_journal import stories, told

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAILY = Rules(Timetable(DAY), 2 * HOUR, longest=HOUR)
NIGHTLY = Rules(Timetable(cron="0 3 * * *", zone="Europe/Berlin"), zone="Europe/Berlin")
NEW = Journal(since=NOW)


def heard(said: Said, after: timedelta = HOUR, journal: Journal = NEW, **told: object) -> Journal:
    return journal.hear(Report(said, **told), NOW + after)  # type: ignore[arg-type]


def found(journal: Journal, after: timedelta, rules: Rules = DAILY) -> list[tuple[Reason, str]]:
    return [(each.reason, each.text) for each in Verdict(journal, rules, NOW + after).findings()]


def measured(journal: Journal, after: timedelta, rules: Rules = DAILY) -> dict[str, float]:
    return dict(Verdict(journal, rules, NOW + after).measures())


def test_a_job_that_never_reported_is_not_missed_before_its_first_period_and_grace() -> None:
    last = DAY + 2 * HOUR
    waiting = Verdict(NEW, DAILY, NOW + last)
    assert waiting.waits
    assert waiting.waiting == "it has not reported yet; one is expected by 2026-01-06 14:00 UTC"
    assert found(NEW, last) == []
    late = Verdict(NEW, DAILY, NOW + last + timedelta(microseconds=1))
    assert not late.waits
    text = "it has never reported (looked for since 2026-01-05 12:00 UTC); expected 2026-01-06 12:00 UTC, 3 h ago"
    assert found(NEW, last + HOUR) == [(Reason.MISSING, text)]


def test_late_says_when_it_was_expected_and_last_heard() -> None:
    journal = heard(Said.SUCCESS)
    assert found(journal, DAY + 3 * HOUR) == []
    text = "late: last success 2026-01-05 13:00 UTC, 1 d 3 h ago; expected 2026-01-06 13:00 UTC, 3 h ago"
    assert found(journal, DAY + 4 * HOUR) == [(Reason.MISSING, text)]


def test_late_is_told_in_the_zone_of_its_cron() -> None:
    text = (
        "late: last success 2026-01-05 14:00 Europe/Berlin, 15 h ago; expected 2026-01-06 03:00 Europe/Berlin, 2 h ago"
    )
    assert found(heard(Said.SUCCESS), 16 * HOUR, NIGHTLY) == [(Reason.MISSING, text)]


def test_late_says_that_a_run_has_begun() -> None:
    journal = heard(Said.START, DAY, heard(Said.SUCCESS))
    ((reason, text),) = found(journal, DAY + 4 * HOUR, DAILY._replace(longest=None))
    assert reason is Reason.MISSING
    assert text.endswith("; a run began 4 h ago and has not ended")


def test_a_job_that_has_begun_and_never_ended_has_never_succeeded() -> None:
    ((_, text),) = found(heard(Said.START), DAY + 3 * HOUR, DAILY._replace(longest=None))
    assert text.startswith("it has never succeeded (looked for since")


def test_long_says_since_when_and_how_long_it_may_take() -> None:
    journal = heard(Said.START)
    assert found(journal, 2 * HOUR) == []
    text = "the run that began 2026-01-05 13:00 UTC has not ended in 1 h 30 min, and may take 1 h"
    assert found(journal, 2.5 * HOUR) == [(Reason.TIMEOUT, text)]
    assert found(heard(Said.SUCCESS, 3 * HOUR, journal), 3 * HOUR) == []


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (3, "disk full", "it failed with exit status 3, 30 min ago: disk full"),
        (None, "", "it said that it failed, 30 min ago"),
    ],
)
def test_failed_says_how_and_why(status: int | None, text: str, said: str) -> None:
    journal = heard(Said.FAILURE, status=status, text=text)
    assert found(journal, 1.5 * HOUR) == [(Reason.STATUS, said)]
    assert found(heard(Said.SUCCESS, 2 * HOUR, journal), 2 * HOUR) == []


def test_what_is_wrong_is_told_worst_first() -> None:
    journal = heard(Said.START, 2 * HOUR, heard(Said.FAILURE, status=1), run="b")
    assert [reason for reason, _ in found(journal, 2 * DAY)] == [Reason.STATUS, Reason.TIMEOUT, Reason.MISSING]


def test_where_figures_judge_silence_it_is_measured_and_nothing_else() -> None:
    rules = DAILY._replace(figures=True)
    assert not Verdict(NEW, rules, NOW).waits
    assert found(NEW, 9 * DAY, rules) == []
    assert measured(NEW, 9 * DAY, rules)["age"] == 9 * 86_400
    assert found(heard(Said.FAILURE, status=1), HOUR, rules)


def test_what_is_measured() -> None:
    journal = heard(Said.START, 2 * HOUR, heard(Said.SUCCESS, journal=heard(Said.START, 0.5 * HOUR), status=0), run="b")
    assert measured(journal, 26 * HOUR) == {
        "age": 25 * 3600,
        "late": 3600,
        "took": 1800,
        "exit_status": 0,
        "running": 24 * 3600,
    }
    assert measured(NEW, HOUR) == {"age": 3600, "late": 0, "running": 0}
    assert measured(NEW, HOUR, Rules(figures=True)) == {"age": 3600, "running": 0}
    assert measured(heard(Said.FAILURE), HOUR)["exit_status"] == 1
    assert measured(heard(Said.FAILURE, status=137), HOUR)["exit_status"] == 137


@pytest.mark.parametrize(
    ("period", "grace", "latest"),
    [(DAY, None, DAY + USUAL_GRACE), (HOUR / 6, None, HOUR / 3), (DAY, timedelta(), DAY), (DAY, DAY, 2 * DAY)],
)
def test_the_grace_is_an_hour_or_the_time_between_two_runs(
    period: timedelta, grace: timedelta | None, latest: timedelta
) -> None:
    assert Verdict(NEW, Rules(Timetable(period), grace), NOW).latest == NOW + latest


@given(stories, st.timedeltas(timedelta(), 5 * DAY), st.sampled_from([DAILY, NIGHTLY, Rules(figures=True)]))
def test_whatever_was_reported_is_judged(
    story: list[tuple[timedelta, Report]], passed: timedelta, rules: Rules
) -> None:
    """No measure is negative; failed is told exactly while the last run failed; what waits is not missed."""
    journal, at = told(story)
    verdict = Verdict(journal, rules, at + passed)
    reasons = [finding.reason for finding in verdict.findings()]
    measures = dict(verdict.measures())
    assert all(value >= 0 for value in measures.values())
    assert (Reason.STATUS in reasons) == (journal.end is not None and not journal.end.good)
    assert (Reason.MISSING in reasons) == (verdict.latest is not None and at + passed > verdict.latest)
    assert not (verdict.waits and reasons)
    assert verdict.silence


@given(stories, st.timedeltas(timedelta(seconds=1), 3 * DAY))
def test_a_success_ends_whatever_was_wrong(story: list[tuple[timedelta, Report]], passed: timedelta) -> None:
    """But a run of another name may still take too long."""
    journal, at = told(story)
    again = journal.hear(Report(Said.SUCCESS), at + passed)
    reasons = {finding.reason for finding in Verdict(again, DAILY, at + passed).findings()}
    assert reasons <= {Reason.TIMEOUT}

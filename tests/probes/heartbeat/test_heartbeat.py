"""The kind heartbeat: its fields, and jobs that report over HTTP, as its runs see them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from monitor.config import load
from monitor.model import CheckId, Keepsake, Reason, Report, Said, Sample, State
from monitor.probes.base import Resources, Run, observe
from monitor.probes.heartbeat import TOPIC, HeartbeatCheck
from monitor.probes.heartbeat.journal import Journal
from tests.fakes import START, FakeClock

if TYPE_CHECKING:
    from pathlib import Path

CHECK = CheckId("shop", "backup")
TOKEN = "0123456789abcdef"
DSN = "postgresql://monitor:hunter2@db.test/shop"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SILENT = [{"watch": "age", "warning": "> 26h", "critical": "> 50h"}]


def made(**fields: object) -> HeartbeatCheck:
    return HeartbeatCheck.model_validate({"token": TOKEN, "period": "1d", **fields})


class Job:
    """A job that reports, its check, and what is kept of it."""

    def __init__(self, resources: Resources, check: HeartbeatCheck) -> None:
        self.clock = FakeClock()
        self.check = check
        self.kept: list[Keepsake] = []
        self.resources = Resources(
            resources.resolver, resources.tls, resources.databases, resources.redact, {}, keep=self._keep
        )

    @property
    def memory(self) -> dict[str, Any]:
        return self.resources.memories.setdefault((CHECK, "heartbeat"), {})

    async def look(self, after: timedelta = timedelta()) -> Sample:
        self.clock.skip(after)
        sample = await observe(CHECK, self.check, self.resources, self.clock)
        assert sample.reason is None or sample.reason in self.check.reasons
        assert {measure.name for measure in sample.measures} <= {spec.name for spec in self.check.declared()}
        return sample

    def reports(self, said: Said, after: timedelta = timedelta(), **told: Any) -> None:  # noqa: ANN401 - of a report
        self.clock.skip(after)
        topic, self.memory[topic] = self.check.hear(Report(said, **told), self.clock.now(), self.memory)

    async def _keep(self, keepsake: Keepsake) -> bool:
        self.kept.append(keepsake)
        return True


@pytest.fixture
def job(resources: Resources) -> Job:
    return Job(resources, made(grace="2h", longest="1h"))


async def test_before_the_first_report_runs_are_left_out(job: Job) -> None:
    """Until it should have come: then it is missed. When it was first looked for is kept, once."""
    first = await job.look()
    assert first.left_out
    assert first.detail == "it has not reported yet; one is expected by 2026-01-06 14:00 UTC"
    assert (await job.look(DAY + 2 * HOUR)).left_out
    missed = await job.look(timedelta(seconds=1))
    assert (missed.state, missed.reason) == (State.DOWN, Reason.MISSING)
    assert missed.detail.startswith("it has never reported (looked for since 2026-01-05 12:00 UTC); expected")
    assert [(kept.topic, Journal.read(kept.body)) for kept in job.kept] == [
        (TOPIC, Journal(since=START, schedule="1 day, 0:00:00"))
    ]


async def test_a_success_is_up_with_what_it_measures(job: Job) -> None:
    job.reports(Said.START)
    job.reports(Said.SUCCESS, HOUR / 2, status=0)
    sample = await job.look(HOUR)
    assert (sample.state, sample.detail) == (State.UP, "")
    assert {measure.name: measure.value for measure in sample.measures} == {
        "age": 3600,
        "late": 0,
        "took": 1800,
        "running": 0,
        "exit_status": 0,
    }
    assert sample.remarks["age"] == "last success 2026-01-05 12:30 UTC, 1 h ago"
    assert sample.remarks["down"] == "Last success 2026-01-05 12:30 UTC, 1 h ago."


async def test_each_failure_has_its_reason_and_its_measures(job: Job) -> None:
    job.reports(Said.FAILURE, status=2, text="disk full")
    failed = await job.look()
    assert (failed.state, failed.reason) == (State.DOWN, Reason.STATUS)
    assert failed.detail.endswith("disk full")
    job.reports(Said.SUCCESS, HOUR)
    job.reports(Said.START, HOUR)
    long = await job.look(2 * HOUR)
    assert (long.state, long.reason) == (State.DOWN, Reason.TIMEOUT)
    late = await job.look(DAY)
    assert late.reason is Reason.TIMEOUT
    assert "; late: last success" in late.detail
    assert {"age", "late", "running"} <= {measure.name for measure in late.measures}


async def test_where_figures_judge_silence_it_is_up_however_long_it_is_silent(resources: Resources) -> None:
    job = Job(resources, made(period="1d", thresholds=SILENT))
    assert (await job.look()).left_out, "one look alone cannot know anything, as in a sweep"
    never = await job.look(27 * HOUR)
    assert never.state is State.UP
    assert {measure.name: measure.value for measure in never.measures}["age"] == 27 * 3600
    assert never.remarks["age"].startswith("it has never reported")
    job.reports(Said.SUCCESS)
    assert (await job.look(99 * HOUR)).state is State.UP


async def test_a_report_before_the_first_run_is_known_to_it(job: Job) -> None:
    job.reports(Said.SUCCESS)
    assert (await job.look()).state is State.UP


async def test_what_a_wrong_clock_has_dated_is_put_right_for_good(job: Job) -> None:
    """Else a success of next year would be fresh until then."""
    job.reports(Said.SUCCESS, 365 * DAY)
    job.clock.skip(-365 * DAY)
    assert (await job.look()).state is State.UP
    assert (await job.look(DAY + 3 * HOUR)).reason is Reason.MISSING
    assert len(job.kept) == 1


async def test_another_schedule_makes_nobody_late(job: Job) -> None:
    job.reports(Said.SUCCESS)
    await job.look(DAY)
    job.check = made(period="1h")
    assert (await job.look()).state is State.UP
    assert (await job.look(3 * HOUR)).reason is Reason.MISSING


async def test_a_keepsake_that_is_none_begins_anew(job: Job) -> None:
    job.memory[TOPIC] = "rubbish"
    assert (await job.look()).left_out
    job.memory[TOPIC] = "rubbish"
    job.reports(Said.SUCCESS)
    assert (await job.look()).state is State.UP


def test_what_was_heard_before_the_store_could_be_read_is_joined_with_it(job: Job) -> None:
    past = Journal(since=START - DAY, schedule="1 day, 0:00:00", success=START - HOUR)
    job.reports(Said.FAILURE, status=1)
    joined = Journal.read(job.check.rejoin(Keepsake(CHECK, TOPIC, past.body), job.memory[TOPIC]))
    assert joined
    assert (joined.since, joined.success, joined.end and joined.end.status) == (START - DAY, START - HOUR, 1)
    assert job.check.rejoin(Keepsake(CHECK, TOPIC, "rubbish"), job.memory[TOPIC]) == job.memory[TOPIC]


def test_a_job_that_reports_by_itself_holds_up_nobody() -> None:
    check = made()
    assert (check.host, check.alone, check.subject, list(check.doubts())) == ("", "", "", [])
    assert check.reported_with is check.token
    assert check.retry_every == timedelta(minutes=1)
    assert made(retry={"every": "5s"}).retry_every == timedelta(seconds=5)


def test_a_job_in_a_database_is_a_check_of_it() -> None:
    check = made(token=None, dsn=DSN.replace("monitor:", "postgres:"), query="select now() as finished")
    assert check.host == "db.test"
    assert check.alone == check.subject != ""
    assert check.reported_with is None
    assert "connects as postgres" in next(iter(check.doubts()))


async def test_there_is_nobody_to_ask_about_a_token(job: Job) -> None:
    assert await job.check.inspect(Run(job.resources, HOUR, job.clock)) == []


BY_ROW = {"token": None, "dsn": DSN, "query": "select now() as finished"}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"token": None}, "give one of them"),
        ({"dsn": DSN, "query": "select 1"}, "give one of them"),
        ({"token": None, "dsn": DSN}, "dsn and query go together"),
        ({"token": "fifteen letters"}, "at least 16 characters"),
        ({"query": "select 1"}, "dsn and query go together"),
        ({"keep": True}, "keep is of a database"),
        ({"cron": "0 3 * * *"}, "leave one out"),
        ({"period": None, "cron": "0 3 * *"}, "has not the five fields"),
        ({"period": None, "cron": "0 25 * * *"}, "bad hour"),
        ({"period": None}, "nothing says when it must report"),
        ({"period": None, "thresholds": [{"watch": "age", "target": "< 1h"}]}, "nothing says when it must report"),
        ({"period": None, "thresholds": [{"watch": "running", "warning": "> 1h"}]}, "nothing says"),
        ({"period": None, "thresholds": [{"watch": "late", "warning": "> 1h"}]}, "late is measured from"),
        ({"grace": "1h", "thresholds": SILENT}, "grace belongs to"),
        ({"period": None, "grace": "1h", "thresholds": SILENT}, "grace belongs to"),
        ({"zone": "Europe/Atlantis"}, "is not a time zone"),
        ({**BY_ROW, "query": "delete from jobs"}, "does not read rows"),
        ({**BY_ROW, "dsn": "shop"}, "postgresql://"),
    ],
)
def test_what_makes_no_sense_is_a_fault(fields: dict[str, object], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault) as error:
        made(**fields)
    assert "hunter2" not in str(error.value.errors(include_input=False, include_context=False))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"period": None, "cron": "0 3 * * *", "zone": "Europe/Berlin", "grace": "2h"},
        {"period": None, "thresholds": SILENT},
        {"thresholds": [{"watch": "late", "warning": "> 1h"}]},
        {"thresholds": [{"watch": "max(age, 1h)", "info": "> 1h"}]},
        BY_ROW,
    ],
)
def test_what_makes_sense_is_taken(fields: dict[str, object]) -> None:
    assert made(**fields).rules


FILE = """
system: shop
zone: Europe/Berlin
checks:
  backup: {kind: heartbeat, token: "${TOKEN}", cron: "0 3 * * *"}
  elsewhere: {kind: heartbeat, token: "${TOKEN}", cron: "0 3 * * *", zone: America/New_York}
  broken: {kind: heartbeat, token: "${TOKEN}", period: 1d, thresholds: [{watch: "age(", warning: "> 1d"}]}
"""


def test_its_zone_is_that_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(FILE.replace("age(", "age"))
    config = load(tmp_path, {"TOKEN": TOKEN})
    zones = {plan.id.check: plan.check.zone for plan in config.plans.values() if isinstance(plan.check, HeartbeatCheck)}
    assert zones == {"backup": "Europe/Berlin", "elsewhere": "America/New_York", "broken": "Europe/Berlin"}
    assert TOKEN in {secret.reveal() for secret in config.secrets}


def test_a_watch_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(FILE)
    with pytest.raises(Exception, match=r"thresholds\[0\]") as error:
        load(tmp_path, {"TOKEN": TOKEN})
    assert len(error.value.faults) == 1  # type: ignore[attr-defined]

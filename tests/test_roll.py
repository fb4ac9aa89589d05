"""Which jobs report, and when each did so last: as a store has it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from monitor.model import CheckId, Heard, Keepsake, Measure, Reason, Report, Said, State
from monitor.probes.heartbeat import TOPIC, HeartbeatCheck
from monitor.roll import Roll
from tests.examples import SECOND, sample
from tests.fakes import START, FakeClock
from tests.plans import plan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from monitor.model import Sample
    from monitor.plan import Plan
    from monitor.store import Store as StoreOfOurs

BACKUP, ROWS, SITE = CheckId("shop", "backup"), CheckId("shop", "rows"), CheckId("shop", "site")
HOUR = timedelta(hours=1)
DATABASE = {"dsn": "postgresql://shop@127.0.0.1/shop", "query": "SELECT finished FROM runs", "period": "1d"}


def job(check: CheckId, **fields: str) -> Plan:
    return replace(plan(check=check), check=HeartbeatCheck.model_validate(fields))


@dataclass
class Store:
    """Has what a test puts into it."""

    kept: list[Keepsake] = field(default_factory=list)
    found: list[Sample] = field(default_factory=list)
    since: list[datetime] = field(default_factory=list)

    async def keepsakes(self) -> list[Keepsake]:
        return self.kept

    async def samples(self, check: CheckId, since: datetime, limit: int) -> Sequence[Sample]:
        assert (check, limit) == (ROWS, 1)
        self.since.append(since)
        return self.found


async def called(store: Store, *plans: Plan) -> dict[CheckId, Heard]:
    """Return what is known of each job."""

    async def look() -> StoreOfOurs:
        return cast("StoreOfOurs", store)

    jobs = await Roll(clock=FakeClock(), plans=lambda: {one.id: one for one in plans}, look=look).call()
    assert all(found.over_http == (found.check == BACKUP) for found in jobs)
    return {found.check: found.heard for found in jobs}


async def test_only_jobs_are_called_and_one_that_never_reported_is_unheard() -> None:
    backup = job(BACKUP, token="0123456789abcdef", period="1d")
    assert await called(Store(), backup, plan(check=SITE)) == {BACKUP: Heard()}


async def test_what_a_job_reported_is_known() -> None:
    backup = job(BACKUP, token="0123456789abcdef", period="1d")
    reports = [
        (Report(Said.SUCCESS), START - 9 * HOUR),
        (Report(Said.START, run="a"), START - 2 * HOUR),
        (Report(Said.FAILURE, 3, run="a"), START - HOUR),
        (Report(Said.START, run="b"), START - SECOND),
        (Report(Said.START, run="c"), START),
    ]
    body = ""
    for report, at in reports:
        _, body = backup.check.hear(report, at, {TOPIC: body})
    store = Store([Keepsake(ROWS, TOPIC, "other"), Keepsake(BACKUP, TOPIC, body)])
    heard = Heard(START - 9 * HOUR, START - HOUR, status=3, took=HOUR, running=START - SECOND)
    assert await called(store, backup) == {BACKUP: heard}
    _, begun = backup.check.hear(Report(Said.START), START, {})
    assert await called(Store([Keepsake(BACKUP, TOPIC, begun)]), backup) == {BACKUP: Heard(running=START)}


async def test_of_a_job_that_notes_its_runs_in_a_database_the_newest_run_tells_the_last_success() -> None:
    """Not where there may have been none: then its age counts from when it was first looked for."""
    rows = job(ROWS, **DATABASE, every="1m")
    up = sample(0, State.UP, Measure("late", 0.0), Measure("age", 3_600.0), check=ROWS)
    store = Store(found=[up])
    assert await called(store, rows) == {ROWS: Heard(success=START - HOUR)}
    assert store.since == [START - timedelta(minutes=3)]
    for nothing in ([], [sample(0, check=ROWS)], [replace(up, state=State.DOWN, reason=Reason.MISSING)]):
        assert await called(Store(found=nothing), rows) == {ROWS: Heard()}

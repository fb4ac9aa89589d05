"""Object storage of the systems: whether it takes and gives, what it costs, and whether backups arrive there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import State
from tests.systems.bench import bench
from tests.systems.database import database
from tests.systems.proof import CRITICAL, WARNING, Case, params, prove, prove_figure
from tests.systems.realstaging import RealStaging
from tests.systems.s3_storage import ACCESS, SECRET, Storage
from tests.systems.site import Answer

if TYPE_CHECKING:
    from tests.peers import Authority
    from tests.postgres import Cluster

GB = 10**9


class StoringRealStaging(RealStaging):
    def build(self) -> None:
        super().build()
        self.storage = Storage("s3.us-west-004.backblazeb2.com", self.authority, self.now)
        self.sites.append(self.storage)

    @property
    def environ(self) -> dict[str, str]:
        own = {
            "REALSTAGING_S3_URL": self.storage.url,
            "REALSTAGING_S3_ACCESS_KEY": ACCESS,
            "REALSTAGING_S3_SECRET_KEY": SECRET,
            "REALSTAGING_STORAGE_BUDGET": "10",
        }
        return {**super().environ, **own}

    def takes_nothing(self) -> None:
        self.storage.says["PUT"] = self.storage.refuses(500, "InternalError", "internal error")

    def loses_what_was_put(self) -> None:
        self.storage.loses = True

    def gives_back_something_else(self) -> None:
        self.storage.alters = b"\0" * 1_024

    def deletes_nothing(self) -> None:
        self.storage.says["DELETE"] = Answer(503, "")

    def reaches_its_cap(self) -> None:
        self.storage.says["PUT"] = self.storage.refuses(
            403, "AccessDenied", "Cannot upload files, storage cap exceeded."
        )


S = StoringRealStaging
CASES = [
    Case("RS-09", "storage", S.takes_nothing, CRITICAL, "put the canary: the storage answers 500", "which step failed"),
    Case("RS-09", "storage", S.loses_what_was_put, CRITICAL, "is not there", "must be asked for again"),
    Case("RS-09", "storage", S.gives_back_something_else, CRITICAL, "got others", "Stop the worker"),
    Case("RS-09", "storage", S.deletes_nothing, CRITICAL, "delete the canary: the storage", "which step failed"),
    Case("RS-09", "storage", S.reaches_its_cap, CRITICAL, "takes no more", "Caps & Alerts"),
]


@pytest.mark.parametrize("case", params(*CASES))
async def test_a_storage_that_fails(case: Case, authority: Authority) -> None:
    """Told with the step that failed and the remedy, and over once all three steps work again."""
    await prove(StoringRealStaging, authority, case)


@pytest.mark.parametrize("check", [pytest.param("storage", id="RS-09 nothing stays behind")])
async def test_a_canary_never_stays_behind(check: str, authority: Authority) -> None:
    """What could not be deleted is, once that works again."""
    async with bench(StoringRealStaging, authority) as running:
        storage = running.stand_in.storage
        await running.run(check, times=2)
        assert storage.kept == []
        storage.says["DELETE"] = Answer(503, "")
        await running.run(check)
        assert len(storage.kept) == 1
        del storage.says["DELETE"]
        await running.run(check, times=2)
        assert storage.kept == []
        assert running.told() == []


@pytest.mark.parametrize("price", [pytest.param(0.005, id="RS-22 stored")])
async def test_what_is_stored_costs_more_than_its_budget(price: float, authority: Authority) -> None:
    """At half a cent for a gigabyte, 2,000 GB are the budget's ten dollars."""
    async with bench(StoringRealStaging, authority) as running:
        storage = running.stand_in.storage
        storage.holds("uploads/1.jpg", 2_000 * GB)

        async def cross() -> None:
            storage.holds("uploads/2.jpg", 10 * GB)

        async def end() -> None:
            storage.kept.pop()

        said = ("over budget", "> 10", "can go, so can old versions")
        await prove_figure(running, "storage-cost", "over budget", WARNING, cross, end, *said)
        (cost,) = (each.value for each in (await running.run("storage-cost")).measures if each.name == "cost")
        assert cost == pytest.approx(2_000 * price)


@pytest.mark.parametrize("images", [pytest.param(91, id="RS-22 images")])
async def test_images_cost_more_than_their_budget(images: int, server: Cluster, authority: Authority) -> None:
    """At US$0.011 each, 90 are within a dollar, one more is not; those of last month are paid."""
    make = "CREATE TABLE staging_jobs AS SELECT now() AS created_at FROM generate_series(1, 90)"
    old = "INSERT INTO staging_jobs SELECT date_trunc('month', now()) - interval '1 h' FROM generate_series(1, 500)"
    settings = {"REALSTAGING_JOBS_NAME": "staging_jobs", "REALSTAGING_AI_BUDGET": "1"}
    async with (
        database(server, make, old) as kept,
        bench(RealStaging, authority, REALSTAGING_DATABASE_URL=kept.dsn(), **settings) as running,
    ):
        await prove_figure(
            running,
            "replicate-cost",
            "over budget",
            WARNING,
            lambda: kept.run(f"INSERT INTO staging_jobs SELECT now() FROM generate_series(91, {images})"),
            lambda: kept.run("DELETE FROM staging_jobs WHERE ctid = (SELECT max(ctid) FROM staging_jobs)"),
            "> 1",
            "one user in a loop",
        )


@pytest.mark.parametrize("fault", ["key", "slow"], ids=["RS-09 key", "slow"])
async def test_what_the_storage_does_not_let_us_do_tells_nobody_that_it_fails(fault: str, authority: Authority) -> None:
    async with bench(StoringRealStaging, authority) as running:
        storage = running.stand_in.storage
        await running.run("storage", times=2)
        if fault == "key":
            storage.secret = "rolled"
        else:
            storage.says["PUT"] = storage.refuses(503, "SlowDown", "Please reduce your request rate.")
        assert (await running.run("storage", times=3)).state is State.UNKNOWN
        assert running.told() == []
        assert timedelta(minutes=5) == running.plan("storage").check.every
